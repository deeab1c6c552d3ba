"""Drawings of pages that offices send: each is a function that fills a canvas."""

from __future__ import annotations

import math
from collections.abc import Callable

from bench.legibility.canvas import BLACK, WHITE, Canvas, Colour, portrait


def _hex(value: str) -> Colour:
    return int(value[:2], 16) / 255, int(value[2:4], 16) / 255, int(value[4:], 16) / 255


BLUE, GREEN, ORANGE, RED = _hex("4472C4"), _hex("70AD47"), _hex("ED7D31"), _hex("C00000")
GREY, PALE = _hex("808080"), _hex("BFBFBF")
_ITEMS = ("Office chair Ergo black", "Desk lamp LED 4000 K", "Toner cartridge CF226X", "Copy paper 80 g box",
          "Whiteboard marker set", "Monitor arm double", "Docking station USB", "Keyboard German layout")  # fmt: skip
_SENTENCES = (
    "The parties agree that delivery takes place within fourteen days",
    "Payment is due thirty days after receipt of the invoice",
    "The patient was seen on the third of May and sent home",
    "Please return the signed form to our office by Friday",
    "Any change of this agreement must be made in writing",
    "The witness states that the car was parked at noon",
)


def invoice(page: Canvas) -> None:
    page.text(50, 60, "Muster Buerobedarf GmbH", 20, BLUE, "bold")
    page.text(50, 76, "Hauptstrasse 12 10115 Berlin", 8, GREY)
    page.area(50, 200, 495, 20, BLUE)
    for x, word in ((55, "Pos"), (90, "Description"), (330, "Quantity"), (400, "Price"), (480, "Amount")):
        page.text(x, 214, word, 10, WHITE, "bold")
    for row, item in enumerate(_ITEMS):
        y = 220 + row * 19
        if row % 2:
            page.area(50, y, 495, 19, _hex("D9E2F3"))
        page.text(90, y + 13, item, 9)
        page.text(480, y + 13, f"{318 + 211 * row}.10", 9)
    page.area(330, 372, 215, 19, _hex("C9C9C9"))
    page.text(335, 385, "Subtotal 12345.67", 10, BLACK, "bold")
    page.area(330, 391, 215, 19, _hex("2E74B5"))
    page.text(335, 404, "Total due 14691.35 EUR", 10, WHITE, "bold")
    page.text(50, 450, "Overdue reminder: interest of 9 percent is charged", 10, _hex("FF0000"))
    page.text(50, 780, "Bank Sparkasse Berlin IBAN DE02 1005 0000 0054", 7, _hex("7F7F7F"))


def zebra(page: Canvas) -> None:
    page.text(40, 50, "Quarterly budget review", 14, _hex("375623"), "bold")
    for row in range(34):
        y = 70 + row * 20
        page.area(40, y, 515, 20, GREEN if row == 0 else _hex("E2EFDA") if row % 2 else WHITE)
        words = ("Department", "Plan", "Actual", "Status") if row == 0 else (
            f"{('Radiology', 'Surgery', 'Pharmacy', 'Kitchen')[row % 4]} {row + 10}", f"{2200 + 413 * row}.00",
            f"{2310 + 397 * row}.50", ("approved", "see note four", "ask controller")[row % 3])  # fmt: skip
        for x, word in zip((46, 190, 300, 420), words, strict=True):
            page.text(
                x, y + 13, word, 8 if row else 9, WHITE if row == 0 else BLACK, "bold" if row == 0 else "sans"
            )


def letterhead(page: Canvas) -> None:
    page.text(50, 70, "Hotel Seeblick", 26, _hex("9DC3E6"))
    page.text(50, 86, "Strandpromenade 7 23743 Groemitz", 8, _hex("A6A6A6"))
    page.picture(portrait(), 450, 40, 90, 105)
    for row in range(12):
        page.text(60, 200 + row * 16, _SENTENCES[row % 6], 11, BLACK, "serif")
    page.text(60, 430, "Light grey seven point house rules at the desk", 7, _hex("8C8C8C"))
    page.area(50, 740, 495, 0.6, PALE)
    page.text(50, 755, "Commercial register Luebeck HRB 4711", 7.5, _hex("9DC3E6"))


def form(page: Canvas) -> None:
    page.area(30, 30, 535, 780, _hex("D6DCE5"))
    page.text(45, 60, "Application for admission", 16, _hex("1F3864"), "bold")
    for row in range(14):
        y = 90 + row * 46
        page.text(
            45,
            y + 10,
            f"{('Family name', 'Given name', 'Date of birth', 'Insurance')[row % 4]} {row + 1}",
            8,
            _hex("44546A"),
        )
        page.area(45, y + 15, 300, 20, WHITE)
        page.frame(45, y + 15, 300, 20, _hex("8497B0"), 0.5)
        page.text(
            52,
            y + 29,
            ("Mustermann", "Erika", "17 April 1961", "Techniker 4711")[row % 4],
            11,
            _hex("1F1F8F"),
        )
        for number, answer in enumerate(("yes", "no")):
            page.area(380 + 70 * number, y + 19, 10, 10, WHITE)
            page.frame(380 + 70 * number, y + 19, 10, 10, _hex("44546A"), 0.7)
            page.text(395 + 70 * number, y + 28, f"{answer} {row + 20}", 9)


def highlighter(page: Canvas) -> None:
    page.text(50, 60, "Draft contract with comments", 15, BLACK, "bold")
    marks = ("FFFF00", "00FF00", "00FFFF", "FF00FF", "FFC000", "C0C0C0", "FF8080")
    for row in range(28):
        y = 95 + row * 22
        page.area(150, y - 10, 300, 14, _hex(marks[row % 7]))
        page.text(50, y, f"Clause {row + 1}", 11, BLACK, "serif")
        page.text(155, y, _SENTENCES[row % 6], 10, BLACK, "serif")
    page.area(50, 730, 495, 40, _hex("262626"))
    page.text(60, 750, "Confidential do not copy or forward", 11, WHITE, "bold")
    page.text(60, 764, "printed for Maria Muster on 24 May", 8, _hex("A6A6A6"))


def bars(page: Canvas) -> None:
    page.text(60, 60, "Patients by ward and month", 16, _hex("404040"), "bold")
    colours = (BLUE, ORANGE, _hex("A5A5A5"), _hex("FFC000"))
    for level in range(6):
        page.area(80, 400 - level * 55, 450, 0.75, _hex("D9D9D9"))
        page.text(50, 403 - level * 55, f"{level * 50}", 9, _hex("595959"))
    for month, word in enumerate(("January", "February", "March", "April", "May", "June")):
        for ward in range(4):
            height = 60 + (month * 71 + ward * 97) % 190
            page.area(90 + month * 74 + ward * 15, 400 - height, 15, height, colours[ward])
        page.text(95 + month * 74, 415, word, 9, _hex("595959"))
    for ward, word in enumerate(("Surgery", "Internal", "Children", "Emergency")):
        page.area(90 + ward * 110, 440, 7, 7, colours[ward])
        page.text(102 + ward * 110, 447, word, 9, _hex("595959"))
    for ward in range(4):
        points = [(80 + week * 9, 620 - 60 * math.sin(week / 8 + ward) - 10 * ward) for week in range(50)]
        page.path(points, colours[ward], (2.2, 1.5, 0.75, 0.4)[ward])
    page.text(80, 740, "Figure 2 occupancy over the year", 10, _hex("595959"))


def pie(page: Canvas) -> None:
    page.text(60, 60, "Expenses by kind", 18, _hex("7030A0"), "bold")
    colours = (BLUE, ORANGE, _hex("A5A5A5"), _hex("FFC000"), _hex("5B9BD5"), GREEN)
    turn = 0.0
    for number, (word, share) in enumerate(
        (
            ("Diagnosis", 0.3),
            ("Therapy", 0.22),
            ("Nursing", 0.18),
            ("Transport", 0.14),
            ("Other", 0.1),
            ("Kitchen", 0.06),
        )
    ):
        steps = [turn + share * step / 20 for step in range(21)]
        arc = [(220 + 140 * math.sin(6.2832 * s), 260 - 140 * math.cos(6.2832 * s)) for s in steps]
        page.path([(220, 260), *arc], colours[number], fill=True)
        middle = 6.2832 * (turn + share / 2)
        if share > 0.09:
            page.text(
                205 + 90 * math.sin(middle),
                264 - 90 * math.cos(middle),
                f"{share:.0%}".replace("%", " pct"),
                10,
                WHITE,
                "bold",
            )
        page.area(400, 160 + number * 24, 9, 9, colours[number])
        page.text(416, 168 + number * 24, f"{word} {round(share * 36000)} EUR", 10)
        turn += share


def newsletter(page: Canvas) -> None:
    for step in range(60):
        page.area(
            40 + step * 8.6, 30, 8.7, 60, (0.35 - step * 0.005, 0.75 - step * 0.009, 0.95 - step * 0.007)
        )
    page.text(55, 66, "Clinic News", 26, WHITE, "bold")
    page.text(55, 82, "for staff and friends of the house", 9, WHITE)
    page.picture(portrait(), 40, 110, 180, 210)
    for column in range(2):
        page.text(
            240 + column * 160,
            125,
            ("Terrace opened", "Voices of guests")[column],
            12,
            (BLUE, GREEN)[column],
            "bold",
        )
        for row in range(14):
            page.text(
                240 + column * 160,
                145 + row * 12.5,
                " ".join(_SENTENCES[(row + column) % 6].split()[:5]),
                8.5,
                BLACK if column else _hex("404040"),
                "serif",
            )
    page.area(40, 350, 515, 80, _hex("FBE5D6"))
    page.text(55, 372, "Mark your calendar", 13, _hex("C55A11"), "bold")
    page.text(55, 392, "12 July summer party in the park", 10)
    page.text(55, 408, "19 August hygiene training in room 204", 10, _hex("595959"))
    page.area(40, 450, 515, 60, GREEN)
    page.text(55, 474, "Canteen vegetarian week from Monday", 12, WHITE, "bold")
    page.text(55, 492, "Menu with prices on the intranet page", 9, WHITE)


def card(page: Canvas) -> None:
    for number, (x, y) in enumerate(((60, 80), (60, 330))):
        for stripe in range(60):
            page.area(x + stripe * 4.3, y, 2, 160, _hex("CFE3F5") if stripe % 2 else _hex("E6D5EE"))
        page.frame(x, y, 258, 160, _hex("7F9FBF"), 1)
        page.text(x + 12, y + 22, ("IDENTITY CARD", "HEALTH INSURANCE")[number], 11, _hex("1F3864"), "bold")
        page.picture(portrait(), x + 12, y + 34, 72, 84)
        for row, word in enumerate(("MUSTERMANN", "ERIKA", "12 08 1964", "BERLIN")):
            page.text(x + 100, y + 50 + row * 20, word, 9, _hex("262626"))
        page.text(x + 12, y + 148, "IDD L01X00T47 6408125F", 9, BLACK, "mono")


def ecg(page: Canvas) -> None:
    page.text(40, 40, "Patient Mustermann Maria born 17 April 1961", 11)
    page.text(40, 56, "Heart rate 72 bpm PR 160 ms QRS 92 ms", 9)
    page.area(40, 80, 510, 680, _hex("FFE9E9"))
    for step in range(181):
        x = 40 + step * 2.835
        if x <= 550:
            page.path(
                [(x, 80), (x, 760)],
                _hex("FF8080") if step % 5 == 0 else _hex("FFB3B3"),
                0.5 if step % 5 == 0 else 0.2,
            )
    for step in range(241):
        y = 80 + step * 2.835
        if y <= 760:
            page.path(
                [(40, y), (550, y)],
                _hex("FF8080") if step % 5 == 0 else _hex("FFB3B3"),
                0.5 if step % 5 == 0 else 0.2,
            )
    for lead, word in enumerate(("lead one", "lead two", "lead aVF", "lead V5")):
        base = 170 + lead * 165
        points = []
        for x in range(42, 548):
            at = (x - 42) % 62
            high = {20: 6, 21: 8, 22: 6, 28: -6, 29: 70, 30: -14}.get(at, 0) + (
                8 * math.sin((at - 38) / 4) if 38 < at < 50 else 0
            )
            points.append((float(x), base - high))
        page.path(points, BLACK, (0.5, 0.3, 0.15, 0.7)[lead])
        page.text(44, base - 50, word, 10, BLACK, "bold")
    page.text(40, 790, "Confirmed by Dr Beispiel on 24 May", 9)


def colours(page: Canvas) -> None:
    names = ("000000", "404040", "7F7F7F", "A6A6A6", "BFBFBF", "FF0000", "0000FF", "00B050", "FFC000", "ED7D31",
             "00B0F0", "92D050", "FFFF00", "FF99CC", "7030A0", "00FFFF")  # fmt: skip
    for row, name in enumerate(names):
        page.text(60, 70 + row * 42, f"invoice {4700 + row} total 1234.50 EUR", 8, _hex(name))
        page.text(320, 70 + row * 42, f"Pay by {row + 1} May", 18, _hex(name))


def opacities(page: Canvas) -> None:
    for row, share in enumerate((1, 0.87, 0.7, 0.6, 0.54, 0.5, 0.45, 0.4)):
        page.text(
            60, 80 + row * 80, f"History saved contribute invoice {4711 + row}", 11, BLACK, "sans", share
        )
        page.text(60, 110 + row * 80, f"opacity {round(share * 100)} large", 22, BLACK, "sans", share)


def tints(page: Canvas) -> None:
    for row, name in enumerate(
        ("000000", "4472C4", "ED7D31", "808080", "A5A5A5", "FFC000", "70AD47", "DDEBF7", "FFFF00")
    ):
        y = 50 + row * 80
        page.area(50, y, 495, 42, _hex(name))
        page.text(56, y + 15, f"white ten point order {row + 100}", 10, WHITE, "bold")
        if row:
            page.text(300, y + 15, f"black ten point total {row + 300}", 10)
            page.text(56, y + 36, "see terms and conditions overleaf delivered ex works", 7)
        page.text(56, y + 58, "small seven point print on white below the bar", 7)


def night(page: Canvas) -> None:
    page.area(0, 0, 595, 842, _hex("1E1E1E"))
    for row in range(30):
        colour = _hex(("D4D4D4", "9CDCFE", "CE9178", "6A9955", "C586C0")[row % 5])
        page.text(50, 60 + row * 24, f"line {row + 10} {_SENTENCES[row % 6]}", 10, colour, "mono")


def watermark(page: Canvas) -> None:
    page.content.append("q 0.7 g 0.7 0.7 -0.7 0.7 120 180 cm BT /bold 130 Tf 0 0 Td (DRAFT) Tj ET Q")
    page.known.append("")
    for row in range(40):
        page.text(60, 70 + row * 17, f"{row + 1} {_SENTENCES[row % 6]}", 10, BLACK, "serif")


def small_print(page: Canvas) -> None:
    for row in range(60):
        size = 6 + row % 5 / 2
        page.text(
            50,
            60 + row * 12,
            f"section {row + 10} {_SENTENCES[row % 6]}",
            size,
            _hex(("000000", "595959", "7F7F7F", "8C8C8C")[row % 4]),
        )


def price_list(page: Canvas) -> None:
    for row in range(12):
        y = 60 + row * 60
        page.frame(50, y, 495, 50, _hex("D0CECE"), 0.5)
        page.text(60, y + 20, _ITEMS[row % 8], 12, BLACK, "bold")
        page.text(60, y + 38, "including tax and delivery within Germany", 8, _hex("767171"))
        page.area(430, y + 8, 105, 34, _hex("FFD500") if row % 2 else _hex("E30613"))
        page.text(440, y + 30, f"now {19 + row}.90 EUR", 13, BLACK if row % 2 else WHITE, "bold")


def calendar(page: Canvas) -> None:
    tones = ("FCE4D6", "DDEBF7", "E2EFDA", "FFF2CC", "EDEDED", "F8CBAD", "BDD7EE")
    for day in range(35):
        x, y = 40 + day % 7 * 74, 80 + day // 7 * 130
        page.area(x, y, 73, 128, _hex(tones[day % 7]))
        page.text(x + 6, y + 18, f"day {day + 1}", 12, _hex("404040"), "bold")
        page.text(x + 6, y + 40, ("Dr Weber", "Surgery", "Meeting", "Training")[day % 4], 9, _hex("C00000"))
        page.text(x + 6, y + 56, f"room {200 + day}", 8, _hex("7F7F7F"))


def town_map(page: Canvas) -> None:
    page.area(40, 60, 515, 700, _hex("F2EFE9"))
    page.path(
        [(40, 500), (200, 470), (380, 520), (555, 480), (555, 560), (380, 600), (200, 550), (40, 580)],
        _hex("AAD3DF"),
        fill=True,
    )
    for number in range(9):
        y = 90 + number * 75
        page.path([(40, y), (300, y + 30), (555, y - 10)], _hex("F9D67A") if number % 3 == 0 else WHITE, 6)
        page.path([(60 + number * 60, 60), (40 + number * 64, 760)], _hex("D9D0C9"), 2)
        page.text(
            90 + number * 8,
            y + 12,
            f"{('Lindenweg', 'Hauptstrasse', 'Am Markt')[number % 3]} {number + 10}",
            8,
            _hex("444444"),
        )
    page.text(240, 540, "River Spree", 11, _hex("4A80A8"), "italic")
    page.text(60, 785, "How to find the practice from the station", 10)


def letter(page: Canvas) -> None:
    page.text(60, 90, "Dr Anna Beispiel Lindenweg 5 80331 Muenchen", 9)
    for row in range(36):
        page.text(60, 160 + row * 16, f"{_SENTENCES[row % 6]} {row}", 11, BLACK, "serif")


def stamp(page: Canvas) -> None:
    letter(page)
    for number, (x, y) in enumerate(((420, 180), (380, 600))):
        ring = [(x + 60 * math.cos(t / 10), y + 60 * math.sin(t / 10)) for t in range(64)]
        page.path(ring, (RED, _hex("2F5597"))[number], 2)
        page.text(x - 40, y - 4, ("RECEIVED", "APPROVED")[number], 14, (RED, _hex("2F5597"))[number], "bold")
        page.text(x - 34, y + 14, f"{24 + number} May 2026", 11, (RED, _hex("2F5597"))[number])


def blueprint(page: Canvas) -> None:
    page.area(30, 30, 535, 780, _hex("1F4E9E"))
    for number in range(8):
        page.frame(60 + number * 12, 90 + number * 30, 400 - number * 24, 420 - number * 50, WHITE, 0.8)
        page.text(70, 560 + number * 26, f"room {number + 1} area {14 + number} square metres", 10, WHITE)
    page.text(60, 70, "Ground floor of the new wing", 14, WHITE, "bold")


DESIGNS: dict[str, Callable[[Canvas], None]] = {
    each.__name__: each
    for each in (
        invoice,
        zebra,
        letterhead,
        form,
        highlighter,
        bars,
        pie,
        newsletter,
        card,
        ecg,
        colours,
        opacities,
        tints,
        night,
        watermark,
        small_print,
        price_list,
        calendar,
        town_map,
        letter,
        stamp,
        blueprint,
    )  # fmt: skip
}
