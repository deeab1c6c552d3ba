"""The table of remarks: what a document lost, or what was noted, when it was made fax pages.

A remark does not end a fax, as a row of ``causes`` does: the pages exist.  It says what the receiver will not
see (*lost*), or what may look different from the sender's screen (*noted*).  The owner's rule for each of the
two (`Rule`) decides whether such a fax is sent, waits for a person, or is refused.

A leaf module: it imports none of our packages, so that all of them may import it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

# The most remarks that are kept of one fax, since a hostile document may cause any number.
MOST_REMARKS = 200
# Longest detail, characters.
LONGEST_DETAIL = 200
LONGEST_FILE_NAME = 200


class Weight(Enum):
    """The severity of a remark."""

    LOST = "lost"  # something of the document is not on the pages
    NOTED = "noted"  # all is there that is meant to be; it may look different


class Rule(Enum):
    """What to do with a fax that has remarks of a weight."""

    SEND = "send"
    HOLD = "hold"  # the pages are made and wait for a person
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class RemarkKind:
    """One row of the table; the sentences are for someone who knows nothing of file formats."""

    code: str
    weight: Weight
    sentence: str
    advice: str


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark about a document: ``page`` (from 1) of the fax, None for the document as a whole.

    ``file`` is what the sender calls the file, ``detail`` what exactly was found; both may be empty.
    """

    kind: RemarkKind
    page: int | None = None
    file: str = ""
    detail: str = ""

    def words(self, said: Callable[[str], str] = str) -> str:
        """One line for a person: where, and what; ``said`` translates."""
        page = said("page {number}").format(number=self.page) if self.page else ""
        where = ", ".join(filter(None, (self.file, page)))
        detail = f" ({self.detail})" if self.detail else ""
        return f"{where}{': ' if where else ''}{said(self.kind.sentence)}{detail}"


def counted(kind: RemarkKind, counts: Mapping[str, int]) -> list[Remark]:
    """A remark with how many there are of each, such as ``slides: 2, notes: 1``; none without any."""
    detail = ", ".join(f"{what}: {count}" for what, count in counts.items() if count)
    return [Remark(kind, detail=detail)] if detail else []


_TABLE: dict[str, RemarkKind] = {}


def _row(code: str, weight: Weight, sentence: str, advice: str) -> RemarkKind:
    if code in _TABLE:
        raise ValueError(f"remark {code!r} stands twice in the table")
    kind = _TABLE[code] = RemarkKind(code, weight, sentence, advice)
    return kind


def kind_of(code: str) -> RemarkKind:
    """The row with this code.  Raises KeyError for an unknown one."""
    return _TABLE[code]


def all_kinds() -> tuple[RemarkKind, ...]:
    """Every row, in the table's order."""
    return tuple(_TABLE.values())


def to_json(remarks: Iterable[Remark]) -> list[dict[str, Any]]:
    """``remarks`` as what ``json.dumps`` takes, at most `MOST_REMARKS`."""
    bounded = list(remarks)[:MOST_REMARKS]
    return [{"code": r.kind.code, "page": r.page, "file": r.file, "detail": r.detail} for r in bounded]


def from_json(data: Iterable[Mapping[str, Any]]) -> tuple[Remark, ...]:
    """The inverse of `to_json`.  Raises KeyError, TypeError or ValueError for anything else."""
    made = []
    for each in data:
        page = each["page"]
        made.append(
            Remark(
                kind_of(each["code"]),
                None if page is None else int(page),
                str(each["file"])[:LONGEST_FILE_NAME],
                str(each["detail"])[:LONGEST_DETAIL],
            )
        )
    return tuple(made)


def verdict(remarks: Sequence[Remark], *, lost: Rule, noted: Rule) -> Rule:
    """The strictest rule that applies to one of ``remarks``; SEND without remarks."""
    return strictest(lost if remark.kind.weight is Weight.LOST else noted for remark in remarks)


def strictest(rules: Iterable[Rule]) -> Rule:
    """The strictest of ``rules``; SEND without any."""
    return max(rules, key=[Rule.SEND, Rule.HOLD, Rule.REFUSE].index, default=Rule.SEND)


def as_markdown() -> str:
    """The table as docs/remarks.md; ``python -m appliance.remarks`` prints it."""
    lines = [
        "# What a document may lose when it becomes fax pages",
        "",
        "Generated from `appliance/remarks.py` by `python -m appliance.remarks`. Remarks are stored with the",
        "fax (`remarks` in the API; `faxbox send` prints them) and name the file and the page. By default a",
        "fax waits for a person when something is *lost*, and is sent when something is only *noted*. The",
        "settings `sending.when_lost` and `sending.when_noted` (`send`, `hold` or `refuse`) change that; a",
        "fax may have a `when_lost` of its own.",
        "",
        "| code | weight | what was found | what to do |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{k.code}` | {k.weight.value} | {k.sentence} | {k.advice} |" for k in all_kinds()]
    return "\n".join(lines) + "\n"


# -- lost ----------------------------------------------------------------------------------------

PAGE_WHITE = _row(
    "page_white",
    Weight.LOST,
    "The page has something on it, but on the fax it is white.",
    "Look at the page; print it darker, or as a new PDF.",
)
GLYPHS_MISSING = _row(
    "glyphs_missing",
    Weight.LOST,
    "The page has letters or signs that no font of this box has; the fax shows boxes or gaps for them.",
    "Send the document as a PDF that brings its fonts.",
)
XFA_SHELL = _row(
    "xfa_shell",
    Weight.LOST,
    "The PDF is a form that only Adobe's own program can show; the fax would show its waiting page.",
    "Open the form in Adobe Reader, print it as a new PDF and send that.",
)
CONTENT_CUT = _row(
    "content_cut",
    Weight.LOST,
    "Something on the page reaches beyond the sheet, or words beyond their field, and is cut off.",
    "Look at the page, and send it with more room for what is cut off.",
)
MARK_LOST = _row(
    "mark_lost",
    Weight.LOST,
    "A mark on the page, as a stamp or a signature, does not say how it looks; it is missing on the fax.",
    "Print the page as a new PDF with the program that shows the mark, and send that.",
)
REDACTION_OPEN = _row(
    "redaction_open",
    Weight.LOST,
    "A passage is marked to be blacked out, but that was not done; it can be read on the fax.",
    "Apply the redactions with the program that marked them, and send what it then saves.",
)
CONTENT_DAMAGED = _row(
    "content_damaged",
    Weight.LOST,
    "Part of the page is damaged and cannot be read; it is missing on the fax.",
    "Look at the page; have the PDF made or sent anew.",
)
PAGES_MISSING = _row(
    "pages_missing",
    Weight.LOST,
    "The file is cut off or damaged; pages of it, or parts of pages, may be missing on the fax.",
    "Look at the pages; have the file sent, downloaded or made once more.",
)
PICTURE_LOST = _row(
    "picture_lost",
    Weight.LOST,
    "A picture of the document cannot be read; it is missing on the fax.",
    "Put the picture in again, or send it as a file of its own.",
)
ATTACHMENT_LEFT_OUT = _row(
    "attachment_left_out",
    Weight.LOST,
    "A file is attached to the document itself; it is on none of its pages, and not on the fax.",
    "Save the attachment and send it as a file of its own, if the receiver needs it.",
)
PART_LEFT_OUT = _row(
    "part_left_out",
    Weight.LOST,
    "A part of the document cannot be shown on paper, such as a film or a frame with another page.",
    "Open the document in its own program, print it as a PDF and send that.",
)
IMPORTED = _row(
    "imported",
    Weight.LOST,
    "The file is of a program whose documents this box draws roughly; parts may be missing or elsewhere.",
    "Look at the pages; if they are not right, save the file as a PDF in its own program and send that.",
)
PREVIEW_ONLY = _row(
    "preview_only",
    Weight.LOST,
    "The file is of Pages, Numbers or Keynote; the fax shows the preview in it, which may lack pages.",
    "Look at the pages; if some are missing, export a PDF from the program and send that.",
)
COLUMN_NARROW = _row(
    "column_narrow",
    Weight.LOST,
    "A column of a table is too narrow for its numbers; the fax shows ### in their place.",
    "Make the column wider and send the file again.",
)
FILE_LEFT_OUT = _row(
    "file_left_out",
    Weight.LOST,
    "One of the files could not be faxed and was left out.",
    "Send it again as a PDF.",
)
FILE_AT_FAULT = _row(
    "file_at_fault",
    Weight.LOST,
    "This is the file for which the fax could not be prepared.",
    "Take it out, or send it as a PDF.",
)

# -- noted ---------------------------------------------------------------------------------------

SCREEN_ONLY = _row(
    "screen_only",
    Weight.NOTED,
    "Something on the page is meant for the screen alone and is not on the fax.",
    "Nothing, if the page is to look as it would when printed.",
)
PRINT_ONLY = _row(
    "print_only",
    Weight.NOTED,
    "The fax shows something that is meant for printing alone and is not seen on the screen.",
    "Nothing, if the page is to look as it would when printed.",
)
FILE_REPAIRED = _row(
    "file_repaired",
    Weight.NOTED,
    "The file is damaged; it was repaired, and all its pages were found.",
    "Look at the pages; have the file made once more if one of them is wrong.",
)
FONT_REPLACED = _row(
    "font_replaced",
    Weight.NOTED,
    "The document does not bring one of its fonts; another was used in its place.",
    "Look at the page; a PDF that brings its fonts looks the same everywhere.",
)
MOVEMENT_LEFT_OUT = _row(
    "movement_left_out",
    Weight.NOTED,
    "Something in the document moves or sounds; the fax shows what it begins with, at most.",
    "Nothing, if that is the right moment; otherwise save the right one as a picture of its own.",
)
HIDDEN_LEFT_OUT = _row(
    "hidden_left_out",
    Weight.NOTED,
    "The document has hidden parts, such as sheets, rows, slides or text, which are not on the fax.",
    "Nothing, if they are hidden on purpose; otherwise show them and send the file again.",
)
COMMENTS_LEFT_OUT = _row(
    "comments_left_out",
    Weight.NOTED,
    "The document has comments or speaker's notes; they are not on the fax.",
    "Nothing, if the receiver does not need them; otherwise print them into a PDF and send that.",
)
CHOICE_SHORTENED = _row(
    "choice_shortened",
    Weight.NOTED,
    "The chosen pages end behind the last page of the document; the fax ends with that page.",
    "Nothing, if the document has all its pages.",
)
SUBFILE_SKIPPED = _row(
    "subfile_skipped",
    Weight.NOTED,
    "The file holds small previews or masks besides its pages; they are not on the fax.",
    "Nothing, if the number of pages is right.",
)
PICTURES_LEFT_OUT = _row(
    "pictures_left_out",
    Weight.NOTED,
    "Pictures that are not in the document itself but on the Internet are not on the fax.",
    "Attach them as files if the receiver needs them.",
)
COMPANION_LEFT_OUT = _row(
    "companion_left_out",
    Weight.NOTED,
    "An invitation, a visiting card or a key came with the e-mail; it is not on the fax.",
    "Nothing, if the text of the e-mail says it all; otherwise print it as a PDF and send that.",
)
LAYOUT_SIMPLIFIED = _row(
    "layout_simplified",
    Weight.NOTED,
    "The page could not be laid out as it was designed; its text was faxed plainly.",
    "Print it as a PDF and send that if the look matters.",
)
CHARSET_GUESSED = _row(
    "charset_guessed",
    Weight.NOTED,
    "The text does not say truly in which encoding it is written; it had to be guessed.",
    "Look at accented letters; save the text as UTF-8 if they are wrong.",
)
CHARSET_UNKNOWN = _row(
    "charset_unknown",
    Weight.LOST,
    "The text does not say in which encoding it is written, and no guess makes words of it.",
    "Its letters are wrong: save the text as UTF-8, or print it as a PDF, and send that.",
)
CODES_SHOWN = _row(
    "codes_shown",
    Weight.LOST,
    "The file is written by a program for programs; the fax shows its codes, which hardly anybody can read.",
    "Open the file in its program, print it as a PDF and send that.",
)
PHOTOGRAPH_STRAIGHTENED = _row(
    "photograph_straightened",
    Weight.NOTED,
    "The photograph was cropped to the page and straightened.",
    "Nothing, if the whole page is there; a fax can be asked to leave its pictures as they are.",
)


if __name__ == "__main__":
    print(as_markdown(), end="")
