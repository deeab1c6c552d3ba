"""Reads and writes contacts as comma-separated values (RFC 4180).

The first line names the columns: our own words, or those of Outlook, Google and Thunderbird in English or
German.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from appliance.phonebook.cards import BookError, Card, group_names, split
from appliance.table_cells import harmless, harmless_number, restored

COLUMNS = ("number", "first_name", "last_name", "company", "email", "notes", "groups")
_DELIMITERS = ",;\t"
# Characters of the first line that are examined to find the separator of the columns.
_HEAD_LIMIT = 20_000
# Names of columns in other programs, without case, blanks and punctuation; of several filled ones, the first
# counts.
_KNOWN = {
    "number": (
        "number",
        "faxnumber",
        "fax",
        "businessfax",
        "workfax",
        "faxwork",
        "faxnummer",
        "faxgeschäftlich",
        "telefax",
        "nummer",
        "homefax",
        "faxprivat",
        "otherfax",
        "weiteresfax",
        "faxhome",
    ),
    "first_name": ("firstname", "givenname", "vorname"),
    "last_name": ("lastname", "familyname", "surname", "nachname", "name", "displayname", "anzeigename"),
    "company": (
        "company",
        "organization",
        "organisation",
        "organizationname",
        "organization1name",
        "firma",
        "praxis",
    ),
    "email": ("email", "emailaddress", "primaryemail", "email1value", "emailadresse", "primäreemailadresse"),
    "notes": ("notes", "note", "notizen", "notiz"),
    "groups": ("groups", "group", "categories", "labels", "groupmembership", "gruppen", "kategorien"),
}


def read(text: str) -> Iterator[Card]:
    """The people in a file.  Raises BookError for one without a column of numbers."""
    delimiter = max(_DELIMITERS, key=lambda each: len(_places(text[:_HEAD_LIMIT], each)))
    places = _places(text[:_HEAD_LIMIT], delimiter)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        head = next(rows, [])
        google = _google_fax(head)
        if "number" not in places and not google:
            raise BookError("the first line names no column of fax numbers, such as: " + ",".join(COLUMNS))
        line = rows.line_num + 1
        for row in rows:
            if any(cell.strip() for cell in row):
                yield _card(row, line, places, google)
            line = rows.line_num + 1
    except csv.Error as error:
        raise BookError(f"line {rows.line_num}: {error}") from None


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _places(text: str, delimiter: str) -> dict[str, list[int]]:
    """The columns of each field, the best first."""
    try:
        head = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return {}
    names = [_plain(name) for name in head]
    found = {field: [names.index(name) for name in known if name in names] for field, known in _KNOWN.items()}
    return {field: columns for field, columns in found.items() if columns}


def _google_fax(head: list[str]) -> list[tuple[int, int]]:
    """Google's pairs of columns: what kind of number it is, and the number."""
    names = [_plain(name) for name in head]
    return [
        (names.index(f"phone{number}{word}"), names.index(f"phone{number}value"))
        for number in range(1, 10)
        for word in ("type", "label")
        if f"phone{number}{word}" in names and f"phone{number}value" in names
    ]


def _card(row: list[str], line: int, places: dict[str, list[int]], google: list[tuple[int, int]]) -> Card:
    def cell(column: int) -> str:
        return restored(row[column].strip()) if column < len(row) else ""

    values = {
        field: next((text for column in columns if (text := cell(column))), "")
        for field, columns in places.items()
    }
    if not values.get("number"):
        values["number"] = next((cell(number) for kind, number in google if "fax" in cell(kind).lower()), "")
    groups = split(values.pop("groups", "").replace(":::", ";"), ";")  # Google's separator of labels
    return Card(line, groups=group_names([name for name in groups if not name.startswith("* ")]), **values)


def write(cards: Iterable[Card]) -> bytes:
    """The people as a table in UTF-8 that spreadsheets open by themselves."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for card in cards:
        groups = "; ".join(name.replace("\\", "\\\\").replace(";", "\\;") for name in card.groups)
        cells = (card.first_name, card.last_name, card.company, card.email, card.notes, groups)
        table.writerow((harmless_number(card.number), *map(harmless, cells)))
    return out.getvalue().encode("utf-8-sig")
