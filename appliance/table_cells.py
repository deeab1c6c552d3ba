"""Cells of tables for spreadsheets: keeps text from outside from becoming a formula, and restores it on
import.
"""

from __future__ import annotations

import re

# An apostrophe makes a spreadsheet show text instead of running it.
_TEXT = "'"
# Signs that begin a formula, also after blanks or invisible characters; some countries use full-width signs.
_BLANKS = r"[\s\x00-\x20\u200b\u2060\ufeff]*"
_FORMULA = re.compile(rf"{_BLANKS}[=@+\-＝＠＋－]|[\t\r\n]")
# Telephone numbers and counts, which may begin with a plus or a minus.
_NUMBER = re.compile(r"\+[0-9*#()/. -]*|-[0-9 ]*")


def harmless(cell: str) -> str:
    """``cell`` as it is written to a table."""
    return f"{_TEXT}{cell}" if _FORMULA.match(cell) else cell


def harmless_number(cell: str) -> str:
    """``cell``, which should be a number, unchanged if it is one; else as `harmless`."""
    return cell if _NUMBER.fullmatch(cell) else harmless(cell)


def restored(cell: str) -> str:
    """The inverse of `harmless`."""
    return cell[1:] if cell.startswith(_TEXT) and _FORMULA.match(cell[1:]) else cell
