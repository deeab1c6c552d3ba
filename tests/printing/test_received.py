"""Printing of received faxes: a private cupsd prints to a file; its other queue is stopped."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cups as pycups
import pypdfium2
import pytest
from PIL import ImageOps

from appliance.box import Box
from appliance.deliver import printer
from appliance.deliver.planner import REPORT, Planner
from appliance.deliver.printer import PrinterDeliverer
from appliance.deliver.settings import PaperSettings
from appliance.deliver.worker import DeliveryError
from appliance.printing.ppd import ppd
from appliance.settings.accounts import User, UserRole
from appliance.spool.delivery import Delivery, NewDelivery, OutboxState
from tests.deliver.making import fail, make_box, receive, submit
from tests.documents.ocr import words_on
from tests.printing.cupsd import Cups, running_cupsd

pytestmark = pytest.mark.realtime
FAX_ROWS = 1000  # of a page that ``receive`` makes, without its first hundred


@pytest.fixture(scope="module")
def cups() -> Iterator[Cups]:
    with running_cupsd() as running:
        paper = running.root / "paper"
        paper.mkdir()
        paper.chmod(0o777)
        script = running.backends / "paper"
        script.write_text(
            "#!/bin/sh\n[ $# = 0 ] && exit 0\n"
            f'cat ${{6:-}} > "{paper}/$1.pdf"\necho "$5" > "{paper}/$1.options"\n'
        )
        script.chmod(0o700)  # so CUPS runs it as the owner: its own user may have no room left on the disk
        broken = running.backends / "broken"
        broken.write_text("#!/bin/sh\n[ $# = 0 ] && exit 0\nexit 1\n")
        broken.chmod(0o700)
        for name in ("Office", "Stopped"):
            running.run("lpadmin", "-p", name, "-E", "-v", "paper:/", "-m", "raw")
        broken_queue = ("-p", "Broken", "-E", "-v", "broken:/", "-m", "raw")
        running.run("lpadmin", *broken_queue, "-o", "printer-error-policy=abort-job")
        moody = running.backends / "moody"  # every other time or so it fails before anything is on paper
        moody.write_text(
            "#!/bin/sh\n[ $# = 0 ] && exit 0\n[ $(od -An -N1 -tu1 /dev/urandom) -lt 128 ] && exit 1\n"
            f'cat ${{6:-}} > "{paper}/moody-$1.pdf"\n'
        )
        moody.chmod(0o700)
        moody_queue = ("-p", "Moody", "-E", "-v", "moody:/", "-m", "raw")
        running.run("lpadmin", *moody_queue, "-o", "printer-error-policy=abort-job")
        running.run("cupsdisable", "Stopped")
        halfway = running.backends / "halfway"  # breaks off in the middle of the first job alone
        halfway.write_text(
            "#!/bin/sh\n[ $# = 0 ] && exit 0\n"
            f'[ -e "{paper}/half" ] || {{ head -c 500 "${{6:-/dev/stdin}}" > "{paper}/half"; exit 1; }}\n'
            f'cat ${{6:-}} > "{paper}/$1.pdf"\n'
        )
        halfway.chmod(0o700)
        running.run(
            *("lpadmin", "-p", "Halfway", "-E", "-v", "halfway:/", "-m", "raw"),
            *("-o", "printer-error-policy=abort-job"),
        )
        empty = running.backends / "empty"  # says that it has no paper until somebody puts some in
        empty.write_text(
            "#!/bin/sh\n[ $# = 0 ] && exit 0\necho 'STATE: +media-empty-error' >&2\n"
            f'while [ ! -e "{paper}/put-in" ]; do sleep 0.1; done\n'
            "echo 'STATE: -media-empty-error' >&2\n"
            f'cat ${{6:-}} > "{paper}/$1.pdf"\n'
        )
        empty.chmod(0o700)
        running.run("lpadmin", "-p", "Empty", "-E", "-v", "empty:/", "-m", "raw")
        # A printer with a driver and Letter in its tray: its pages go through CUPS' own filters.
        letter = running.root / "letter.ppd"
        letter.write_bytes(
            ppd("a printer", fax=False).replace(b"DefaultPageSize: A4", b"DefaultPageSize: Letter")
        )
        running.run(
            "lpadmin", "-p", "Letter", "-E", "-v", "paper:/", "-P", str(letter), "-o", "PageSize=Letter"
        )
        yield running


@pytest.fixture
def box(tmp_path: Path, cups: Cups, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    monkeypatch.setenv("CUPS_SERVER", cups.server)
    cups.be_the_default()
    made = make_box(tmp_path)
    yield made
    made.close()


def delivery(fax: int, target: str, number: int = 1) -> Delivery:
    now = time.time()
    return Delivery(
        number, "printer", target, {}, (60.0,), fax, "", OutboxState.PENDING, 0, now, now, None, ""
    )


def papers(cups: Cups) -> int:
    return len(list((cups.root / "paper").glob("*.pdf")))


def printed(cups: Cups, said: str) -> tuple[bytes, str]:
    """What a delivery that said where it went put on paper, and with which options."""
    job = said.rpartition(" ")[2]
    paper = cups.root / "paper"
    return (paper / f"{job}.pdf").read_bytes(), (paper / f"{job}.options").read_text()


def read_page(pdf: bytes, page: int, scratch: Path) -> str:
    """What tesseract reads on a page."""
    image = pypdfium2.PdfDocument(pdf)[page].render(scale=200 / 72).to_pil().convert("L")
    return words_on(image, scratch)


def test_a_fax_is_done_when_the_paper_is_and_a_second_try_prints_nothing(box: Box, cups: Cups) -> None:
    fax, before = receive(box), papers(cups)
    deliver = PrinterDeliverer(box)
    said = deliver(delivery(fax.id, "Office"))
    assert said.startswith("Office, job ")
    assert deliver(delivery(fax.id, "Office")) == said
    assert papers(cups) == before + 1
    assert (cups.root / "paper" / f"{said.rpartition(' ')[2]}.pdf").read_bytes().startswith(b"%PDF")


def test_a_printer_that_is_stopped_is_told_in_words_and_later_prints_once(
    box: Box, cups: Cups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printer, "TRY_S", 1.0)
    fax, before, deliver = receive(box), papers(cups), PrinterDeliverer(box)
    with pytest.raises(DeliveryError, match="The printer is stopped in CUPS"):
        deliver(delivery(fax.id, "Stopped", 7))
    cups.run("cupsenable", "Stopped")
    monkeypatch.setattr(printer, "TRY_S", 60.0)
    deliver(delivery(fax.id, "Stopped", 7))
    assert papers(cups) == before + 1


def test_a_printer_that_cups_gave_up_on_is_told_from_a_person_who_cancelled(
    box: Box, cups: Cups, monkeypatch: pytest.MonkeyPatch
) -> None:
    fax, deliver = receive(box), PrinterDeliverer(box)
    with pytest.raises(DeliveryError, match="CUPS tried several times to print it"):
        deliver(delivery(fax.id, "Broken", 8))
    cups.run("cupsdisable", "Stopped")
    monkeypatch.setattr(printer, "TRY_S", 1.0)
    with pytest.raises(DeliveryError, match="The printer is stopped"):
        deliver(delivery(fax.id, "Stopped", 9))
    monkeypatch.setattr(printer, "TRY_S", 60.0)
    monkeypatch.setattr(printer.time, "sleep", lambda _: cups.run("cancel", "-a", "Stopped"))
    with pytest.raises(DeliveryError, match="Somebody cancelled it at the printer"):
        deliver(delivery(fax.id, "Stopped", 9))


def test_a_printer_without_paper_is_told_and_prints_once_when_there_is_some(
    box: Box, cups: Cups, monkeypatch: pytest.MonkeyPatch
) -> None:
    fax, before, deliver = receive(box), papers(cups), PrinterDeliverer(box)
    monkeypatch.setattr(printer, "TRY_S", 1.0)

    def told() -> bool:
        try:
            deliver(delivery(fax.id, "Empty", 10))
        except DeliveryError as error:
            return error.detail == "The printer has no paper. When there is some, it prints what waits."
        return False

    cups.until(told, f"fax {fax.id} {fax.uuid}, delivery 10")
    (cups.root / "paper" / "put-in").touch()
    monkeypatch.setattr(printer, "TRY_S", 60.0)
    deliver(delivery(fax.id, "Empty", 10))
    assert papers(cups) == before + 1


def test_what_a_printer_broke_off_is_printed_again_and_each_sheet_says_so(
    box: Box, cups: Cups, tmp_path: Path
) -> None:
    fax, deliver = receive(box, pages=2), PrinterDeliverer(box)
    with pytest.raises(DeliveryError, match="CUPS tried several times"):
        deliver(delivery(fax.id, "Halfway", 11))
    said = deliver(delivery(fax.id, "Halfway", 11))
    assert said.startswith("Printed again: Halfway, job ")
    content = (cups.root / "paper" / f"{said.rpartition(' ')[2]}.pdf").read_bytes()
    for page in range(2):
        assert "the first print was not reported as finished" in read_page(content, page, tmp_path)


def put(box: Box, fax: int, target: str) -> Delivery:
    """A delivery as the outbox has it now; puts it in if there is none."""
    if not box.outbox.of_fax(fax):
        box.outbox.put(NewDelivery("printer", target, {}, (60.0,), fax))
    return box.outbox.of_fax(fax)[0][0]


def test_what_cups_forgot_before_it_was_recorded_is_printed_again_and_says_so(
    box: Box, cups: Cups, tmp_path: Path
) -> None:
    fax, deliver = receive(box), PrinterDeliverer(box)
    deliver(put(box, fax.id, "Office"))
    cups.run("cancel", "-a", "-x", "Office")  # as a cupsd forgets that is killed, or keeps no finished jobs
    said = deliver(put(box, fax.id, "Office"))
    assert said.startswith("Printed again: Office, job ")
    assert "was not reported as finished" in read_page(printed(cups, said)[0], 0, tmp_path)


def test_a_job_that_cups_forgets_is_told_and_never_taken_for_the_next_of_its_number(
    box: Box, cups: Cups, monkeypatch: pytest.MonkeyPatch
) -> None:
    fax, deliver = receive(box), PrinterDeliverer(box)
    cups.run("cupsdisable", "Stopped")
    with monkeypatch.context() as patched:
        patched.setattr(printer.time, "sleep", lambda _: cups.run("cancel", "-a", "-x", "Stopped"))
        with pytest.raises(DeliveryError, match="CUPS forgot the print job"):
            deliver(put(box, fax.id, "Stopped"))
    connection = pycups.Connection()
    other = connection.createJob("Stopped", "a fax that came later", {})
    assert other in printer._given(connection, "a fax that came later", first_job_id=other, limit=1)
    assert printer._given(connection, "ours", first_job_id=other, limit=1) == {}


def test_a_job_for_which_the_box_was_killed_before_it_sent_the_pages_holds_nothing_up(
    box: Box, cups: Cups
) -> None:
    fax, before = receive(box), papers(cups)
    asked = put(box, fax.id, "Office")
    pycups.Connection().createJob("Office", f"fax {fax.id} {fax.uuid}, delivery {asked.id}", {})
    box.outbox.hand_over(asked.id, 1)
    assert PrinterDeliverer(box)(put(box, fax.id, "Office")).startswith("Office, job ")
    assert papers(cups) == before + 1


def test_a_fax_that_was_printed_is_printed_once_more_when_a_person_asks_for_it(box: Box, cups: Cups) -> None:
    fax, before, deliver = receive(box), papers(cups), PrinterDeliverer(box)
    for number in (1, 2, 3):
        asked = put(box, fax.id, "Office")
        said = deliver(asked)
        assert said.startswith("Office, job ")
        assert papers(cups) == before + number
        box.outbox.succeeded(asked.id, said)
        box.outbox.again(asked.id)


def test_a_disk_without_room_for_the_pdf_is_named_and_nothing_is_printed(
    box: Box, cups: Cups, monkeypatch: pytest.MonkeyPatch
) -> None:
    fax, before = receive(box), papers(cups)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("appliance.deliver.pdfs.write_pdf", full)
        with pytest.raises(DeliveryError, match=r"The PDF could not be written\. No space left"):
            PrinterDeliverer(box)(put(box, fax.id, "Office"))
    assert PrinterDeliverer(box)(put(box, fax.id, "Office")).startswith("Office, job ")
    assert papers(cups) == before + 1


@pytest.mark.parametrize("error", [(0x0502, "Service Unavailable"), (0x0500, "Success"), (0, "")])
def test_a_cups_that_is_not_there_is_told_in_a_sentence(
    box: Box, monkeypatch: pytest.MonkeyPatch, error: tuple[int, str]
) -> None:
    fax = receive(box)

    def starting(*_: object) -> None:
        raise pycups.IPPError(*error)

    monkeypatch.setattr(printer, "_given", starting)
    with pytest.raises(DeliveryError, match="CUPS does not answer: it is not running, is just starting"):
        PrinterDeliverer(box)(delivery(fax.id, "Office", 40))


def test_a_printer_that_is_not_there_is_named(box: Box) -> None:
    with pytest.raises(DeliveryError, match="CUPS has no printer of this name"):
        PrinterDeliverer(box)(delivery(receive(box).id, "Nowhere"))


def test_a_fax_is_scaled_to_the_paper_and_printed_on_both_sides_as_chosen(box: Box, cups: Cups) -> None:
    box.settings.change(PaperSettings, {"sides": "two-sided-long-edge"})
    said = PrinterDeliverer(box)(delivery(receive(box, pages=3).id, "Letter", 20))
    content, options = printed(cups, said)
    assert "sides=two-sided-long-edge" in options.split()
    pages = pypdfium2.PdfDocument(content)
    assert [pages[number].get_size() for number in range(len(pages))] == [(612, 792)] * 3
    image = pages[0].render(scale=1).to_pil().convert("L")
    left, _, right, _ = ImageOps.invert(image).getbbox() or (0, 0, 612, 792)
    assert 0 < left < right < 612  # the bar that goes from edge to edge of the fax is whole


@pytest.mark.parametrize(("language", "wanted"), [("", "Fax from +4930123, "), ("de", "Fax von +4930123, ")])
def test_a_line_above_each_page_says_from_whom_and_when(
    box: Box, cups: Cups, tmp_path: Path, language: str, wanted: str
) -> None:
    box.settings.change(PaperSettings, {"note": True, "language": language})
    fax = receive(box, pages=2, caller="+4930123")
    content, _ = printed(cups, PrinterDeliverer(box)(delivery(fax.id, "Office", 21)))
    text = read_page(content, 1, tmp_path)
    assert wanted.lower() in text.lower()
    assert ("2 von 2" if language else "page 2 of 2") in text


@pytest.mark.parametrize(
    ("reports", "reported"), [("never", []), ("failed", ["failed"]), ("always", ["failed", "cancelled"])]
)
def test_a_report_is_printed_as_the_owner_chose(box: Box, reports: str, reported: list[str]) -> None:
    box.outbox.follow(Planner(box))
    box.settings.change(PaperSettings, {"reports": reports, "reports_printer": "Office"})
    ends = {"failed": fail(box, submit(box)), "cancelled": box.faxes.cancel(submit(box).id)}
    found = {
        name: [each.target for each, _ in box.outbox.of_fax(job.id) if each.kind == "printer"]
        for name, job in ends.items()
    }
    assert found == {name: ["Office"] if name in reported else [] for name in ends}


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("en", ["The fax was not delivered", "+493012345", "The number is busy"]),
        ("de", ["Das Fax ist nicht angekommen", "+493012345", "besetzt"]),
    ],
)
def test_a_report_says_in_the_owners_language_what_happened_once(
    box: Box, cups: Cups, tmp_path: Path, language: str, wanted: list[str]
) -> None:
    box.settings.add(User(name="ada", role=UserRole.USER, language=language))
    job, before = fail(box, submit(box)), papers(cups)
    asked = replace(delivery(job.id, "Office", 30 + job.id), payload={"why": REPORT})
    said = PrinterDeliverer(box)(asked)
    assert PrinterDeliverer(box)(asked) == said
    assert papers(cups) == before + 1
    text = read_page(printed(cups, said)[0], 0, tmp_path)
    assert [each for each in wanted if each.lower() not in text.lower()] == [], text


def print_all(box: Box, cups: Cups, faxes: int, pages: int) -> None:
    """Prints received faxes on a printer that fails at random until all are on paper."""
    deliver, before = PrinterDeliverer(box), set((cups.root / "paper").glob("moody-*"))
    for number in range(faxes):
        fax = receive(box, pages=pages, noise=True)
        while True:
            try:
                deliver(delivery(fax.id, "Moody", 1000 + number))
                break
            except DeliveryError:
                continue
    sheets = sorted(set((cups.root / "paper").glob("moody-*")) - before)
    assert len(sheets) == faxes
    first = None
    for sheet in sheets:  # the pages of all these faxes are alike, and no two of one fax
        looks = [drawn_rows(page) for page in pypdfium2.PdfDocument(sheet)]
        first = first or looks
        assert len(set(looks)) == pages
        assert looks == first


def drawn_rows(page: pypdfium2.PdfPage) -> bytes:
    """The fax's own rows: above them a line may say that it is printed again."""
    (picture,) = page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
    image = picture.get_bitmap().to_pil().convert("L")
    return image.crop((0, image.height - FAX_ROWS, image.width, image.height)).tobytes()


def test_a_printer_that_fails_at_random_prints_each_page_once_and_in_order(box: Box, cups: Cups) -> None:
    print_all(box, cups, faxes=3, pages=3)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_a_thousand_pages_are_each_printed_once_and_in_order(box: Box, cups: Cups) -> None:
    print_all(box, cups, faxes=100, pages=10)
