"""Cells of tables for spreadsheets: what strangers wrote is no formula there, and comes back as it was."""

from __future__ import annotations

import re

# An apostrophe makes text of what a spreadsheet would run.
_TEXT = "'"
# Blanks before a sign, also those that cannot be seen, help nobody; full-width signs count in some countries.
_BLANKS = r"[\s\x00-\x20\u200b\u2060\ufeff]*"
_FORMULA = re.compile(rf"{_BLANKS}[=@+\-＝＠＋－]|[\t\r\n]")
# Numbers begin with a plus or a minus by right: those of telephones, and counts.
_NUMBER = re.compile(r"\+[0-9*#()/. -]*|-[0-9 ]*")


def harmless(cell: str) -> str:
    """Words as they are written to a table."""
    return f"{_TEXT}{cell}" if _FORMULA.match(cell) else cell


def harmless_number(cell: str) -> str:
    """What ought to be a number, and is left as it is where it is one."""
    return cell if _NUMBER.fullmatch(cell) else harmless(cell)


def taken_back(cell: str) -> str:
    """What ``harmless`` wrote, as it was."""
    return cell[1:] if cell.startswith(_TEXT) and _FORMULA.match(cell[1:]) else cell
