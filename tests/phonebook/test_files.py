"""Contacts in files: exchange with other programs both ways."""

from __future__ import annotations

import csv
import io

import pytest
import vobject

from appliance.phonebook import table, vcard
from appliance.phonebook.cards import FILE_LIMIT, BookError, Card, decoded

ADA = Card(
    1,
    "+49 30 1234567",
    "Ada",
    "Lovelace-Größe",
    "Praxis; Engines, Ltd",
    "ada@example.com",
    "erste Zeile\nzweite Zeile, mit = und \\",
    ("Ärzte", "a; b, c"),
)
BARE = Card(2, "0308 / 12 34")


def _known(card: Card) -> tuple[object, ...]:
    return (card.number, card.first_name, card.last_name, card.company, card.email, card.notes, card.groups)


@pytest.mark.parametrize("version", vcard.Version)
def test_vcards_of_every_version_are_read_as_they_were_written(version: vcard.Version) -> None:
    written = vcard.write([ADA, BARE], version)
    read = list(vcard.read(decoded(written)))
    assert [_known(card) for card in read] == [
        _known(ADA),
        (BARE.number, "", BARE.number, "", "", "", ()),  # a card has a name, if only its number
    ]


@pytest.mark.parametrize("version", vcard.Version)
def test_another_program_reads_our_vcards(version: vcard.Version) -> None:
    """python-vobject, which address books of Linux are written with."""
    content = vcard.write([ADA, BARE], version).decode()
    first, second = vobject.readComponents(content, allowQP=True)
    assert first.n.value.family == ADA.last_name
    assert first.n.value.given == ADA.first_name
    assert first.tel.value == ADA.number
    assert "FAX" in str(first.tel.params).upper() + str(first.tel.singletonparams).upper()
    assert "zweite Zeile" in first.note.value
    assert second.tel.value == BARE.number


def test_we_read_vcards_of_another_program() -> None:
    card = vobject.vCard()
    card.add("n").value = vobject.vcard.Name(family="Müller", given="Jörg", prefix="Dr.")
    card.add("fn").value = "Dr. Jörg Müller"
    card.add("org").value = ["Städtisches Klinikum", "Station 3"]
    for number, kind in (("+49 30 1", "VOICE"), ("+49 30 7654321", "FAX")):
        telephone = card.add("tel")
        telephone.value, telephone.type_param = number, kind
    card.add("note").value = "lang " * 40
    (read,) = vcard.read(card.serialize())
    assert _known(read) == (
        "+49 30 7654321",
        "Jörg",
        "Müller",
        "Städtisches Klinikum, Station 3",
        "",
        ("lang " * 40).strip(),
        (),
    )


# As telephones and Outlook write them.
OLD = """BEGIN:VCARD\r
VERSION:2.1\r
N;LANGUAGE=de;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:Gr=FCn;J=FCrgen\r
ORG;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Gesundheits=C3=A4mter des Landes und =\r
der Stadt\r
TEL;HOME;VOICE:030 111\r
TEL;WORK;FAX:(030) 222-0\r
TEL;HOME;FAX:030 333\r
AGENT:\r
BEGIN:VCARD\r
TEL;FAX:999\r
END:VCARD\r
PHOTO;JPEG;ENCODING=BASE64:\r
 /9j/4AAQSkZJRgABAQAAAQABAAD\r
\r
END:VCARD\r
"""
APPLE = """BEGIN:VCARD
VERSION:3.0
N:Curie;Marie;;;
FN:Marie Curie
item1.TEL;type=WORK;type=FAX:+33 1 44 32 1
 0 00
CATEGORIES:Labor\\, Paris,Physik
END:VCARD
BEGIN:VCARD
VERSION:4.0
FN:Klinik am Ring
ORG:Klinik am Ring
TEL;VALUE=uri;TYPE="work,fax":tel:+49-221-555-0
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Only A Voice
TEL;TYPE=CELL:+49 171 1
END:VCARD
"""


def test_cards_with_quoted_printable_and_cards_within_cards_are_read() -> None:
    read = list(vcard.read(OLD))
    assert [(card.number, card.last_name, card.first_name) for card in read] == [
        ("(030) 222-0", "Grün", "Jürgen"),
        ("030 333", "Grün", "Jürgen"),
    ]
    assert read[0].company == "Gesundheitsämter des Landes und der Stadt"


def test_folded_lines_groups_of_properties_and_telephone_uris_are_read() -> None:
    curie, ring, voice = vcard.read(APPLE)
    assert (curie.number, curie.groups) == ("+33 1 44 32 10 00", ("Labor, Paris", "Physik"))
    assert (ring.line, ring.number, ring.company, ring.last_name) == (
        9,
        "+49-221-555-0",
        "Klinik am Ring",
        "",
    )
    assert voice.number == ""  # a telephone is no fax machine


def test_a_csv_table_is_read_as_it_was_written() -> None:
    assert [_known(card) for card in table.read(decoded(table.write([ADA, BARE])))] == [
        _known(ADA),
        _known(BARE),
    ]


def test_a_spreadsheet_finds_no_formula_in_our_table() -> None:
    evil = Card(1, "=1+1", "=HYPERLINK(1)", "@SUM(A1)", "+cmd", "-1", "\t=1", ("=x",))
    hidden = Card(1, "＝1+1", "\u200b=1", "\ufeff@SUM(A1)", "＋cmd", "\u2060-1+1", " =1", ("＠x",))
    for card in (evil, hidden):
        content = table.write([card])
        (_, row) = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        assert [cell for cell in row if not cell.startswith("'")] == []
        (read,) = table.read(decoded(content))
        assert _known(read)[:5] == _known(card)[:5]


@pytest.mark.parametrize(
    ("content", "number", "last_name"),
    [
        (b"Vorname;Nachname;Fax gesch\xe4ftlich\r\nJ\xfcrgen;Gr\xfcn;030 222\r\n", "030 222", "Grün"),
        ("First Name,Last Name,Home Fax,Business Fax\nJ,Green,1,2\n".encode("utf-16"), "2", "Green"),
        (b"Family Name\tPhone 1 - Type\tPhone 1 - Value\nGreen\tWork Fax\t030 5\n", "030 5", "Green"),
        (b'name,number\n"two\nlines",7\n', "7", "two\nlines"),
    ],
    ids=["outlook-german", "outlook-utf16", "google", "quoted"],
)
def test_tables_of_other_programs_are_read(content: bytes, number: str, last_name: str) -> None:
    (card,) = table.read(decoded(content))
    assert (card.number, card.last_name) == (number, last_name)


@pytest.mark.parametrize(
    "text",
    ["", "no columns that we know\n1,2\n", "number\n" + '"' + "x" * 200_000, "\0\0\0", "name;company\nA;B\n"],
    ids=["empty", "unknown", "open-quote", "zeros", "no-number"],
)
def test_a_file_without_contacts_is_refused(text: str) -> None:
    with pytest.raises(BookError):
        list(table.read(text))


def test_a_card_without_an_end_is_refused() -> None:
    with pytest.raises(BookError, match="line 1"):
        list(vcard.read("BEGIN:VCARD\nTEL;FAX:1\n"))


@pytest.mark.parametrize(
    "unit",
    ["BEGIN:VCARD\n", "a;" * 3, 'a;b="', "a.b;", " x\n", "A;ENCODING=QUOTED-PRINTABLE:=\n", "\\", '";"'],
)
def test_a_hostile_file_of_full_size_is_read_in_one_pass(unit: str) -> None:
    """What grows faster than the file would hang here until the test's time is over."""
    text = "BEGIN:VCARD\nTEL;FAX:1\nNOTE" + unit * (FILE_LIMIT // len(unit) // 8)
    with pytest.raises(BookError):
        list(vcard.read(text))
