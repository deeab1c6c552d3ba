"""Plain text: finds its encoding, and lays it out."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress

import webencodings

from appliance.documents.causes import DOCUMENT_EMPTY, DOCUMENT_TOO_MANY_PAGES
from appliance.documents.errors import DocumentError
from appliance.documents.options import Paper
from appliance.documents.text.charsets import escaped_chinese, is_garbled, shown_by_letters
from appliance.documents.text.direction import right_to_left
from appliance.documents.text.line_mode import struck_over
from appliance.remarks import CHARSET_GUESSED, CHARSET_UNKNOWN, Remark

COLUMNS, _MOST_COLUMNS = 80, 132  # of a page; of a listing as line printers have them
_GAP = re.compile(r"\S(?:  |\t)\s*\S")  # between columns of a table
_MARGIN_MM = 10.0
_TOP_MM = 12.0
_LEADING = 1.2  # line pitch, in ems
_ADVANCE = 0.602  # of a character of the monospaced face, in ems
_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if code not in {9, 10, 12}}
# More lines of 80 columns than any sheet has: a text with more is too long in any layout.
_ROWS = 75

_STYLE = """
@page {{ size: {width:.1f}mm {height:.1f}mm; margin: {top:.1f}mm {margin:.1f}mm; }}
body {{ margin: 0; font: {em:.3f}mm/{leading} "DejaVu Sans Mono", monospace; }}
pre, p {{ margin: 0; font: inherit; white-space: pre-wrap; tab-size: 8; overflow-wrap: anywhere;
  orphans: 1; widows: 1; }}
p {{ min-height: {leading}em; }}
.sheet + .sheet {{ break-before: page; }}
"""

# Byte order marks, the longest first: UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
# Share of zeros among the octets at even or odd places in UTF-16 of Latin letters.
_ZEROS = 0.3
# The name of Windows-1252, and the character that replaces a damaged one of UTF-8: a text is damaged UTF-8
# when most of its characters beyond ASCII are whole.
WINDOWS = "Windows-1252"
UNLIKELY = "hardly Windows-1252"  # in which the text would be no words
_DAMAGED = "\ufffd"
# How ISO-2022-JP changes to Japanese letters (RFC 1468); all its octets are ASCII.
_TO_JAPANESE = re.compile(rb"\x1b\$[@B]")
_WHOLE_LETTERS = 4
# What Western words lack: three letters beyond ASCII together, umlauts apart, as have Cyrillic, Greek, Hebrew
# and Chinese; a sign between letters, as have Polish, and German of DOS; an octet that is no character.
_SIGNS = "\xa0\xa1\xa3\xa7\xa9\xab\xad-\xb0\xb4\xb7\xbb\xbf‘’“”•–—™…›€"
_UNLIKELY = re.compile(
    rf"(?![äöüÄÖÜß]+(?:[\x00-\x7f{_SIGNS}]|$))[^\x00-\x9f{_SIGNS}]{{3,}}"
    "|(?<=[A-Za-zÀ-ÿ])[\xa1-\xa6\xa8\xaa\xac\xaf\xb1-\xb3\xb6\xb8-\xba\xbc-\xbf„”‚‡†‰ˆ˜](?=[A-Za-zÀ-ÿ])"
    f"|[\xb9\xb3\xb6](?=[a-z])|{_DAMAGED}"
)
_BEYOND_ASCII = re.compile(rf"[^\x00-\x9f{_SIGNS}]")
_MOST_UNLIKELY = 0.25  # share of the letters beyond ASCII
# Colours and movements of a terminal (ECMA-48 5.4), the title of its window, modes of its keys; the
# backspace, and ends of lines besides the line feed.
_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]{0,30}[ -/]{0,5}[@-~]|[()][0-9A-Z]|\][^\x07\x1b]{0,300}(?:\x07|\x1b\\)|[=>78])"
)
_BACK, _LINE_END = "\b", re.compile(r"\r\n?|[\v\x85\u2028\u2029]")
# Share of control characters (other than white space) from which a file is no longer text.
_MOST_CONTROLS = 0.01
_PGP, _PGP_END = "-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----"
# Windows' numbers of code pages that have other names in Python.
ASCII = "ascii"
_CODEPAGES = {
    1200: "utf-16-le",
    10000: "mac_roman",
    10007: "mac_cyrillic",
    20127: ASCII,
    20866: "koi8-r",
    20932: "euc_jp",
    20936: "gb18030",
    21866: "koi8-u",
    50220: "iso2022_jp",
    50221: "iso2022_jp_ext",
    50222: "iso2022_jp_ext",
    50225: "iso2022_kr",
    51932: "euc_jp",
    51936: "gb18030",
    51949: "euc_kr",
    52936: "hz",
    54936: "gb18030",
    65001: "utf-8",
} | {28590 + part: f"iso8859-{part}" for part in range(1, 16)}
# Names of ASCII, with which UTF-8 is often declared; encodings of WHATWG's that stand for none; and a codec
# of Python's that lacks letters of another.
_ASCII = frozenset({"ascii", "us-ascii", "ansi_x3.4-1968", "iso646-us", "iso_646.irv:1991"})
_NO_CHARSET = frozenset({"replacement", "x-user-defined"})
_LARGER = {"gbk": "gb18030"}
# Python's codecs that are no text encodings, or that decompress.
_NO_TEXT = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"})


def charset_of(media_type: str) -> str:
    """The charset in a media type, empty for none."""
    found = _CHARSET.search(media_type)
    return found[1] if found else ""


def declared_charset(content: bytes) -> str:
    """The charset in a page's own ``meta`` or XML declaration, empty for none."""
    head = content[:2048].decode("latin-1")
    at = head.lower().find("encoding=")
    if head.lstrip().startswith("<?xml") and 0 <= at < head.find("?>"):
        return charset_of("charset" + head[at + len("encoding") :])
    return charset_of(head)


def codepage(number: int) -> str:
    """Python's name of the code page with Windows' ``number``."""
    return _CODEPAGES.get(number, f"cp{number}")


def _codecs_of(charset: str) -> Iterator[str]:
    """Names of Python's codecs for a declared charset, the best first.

    Browsers and e-mail programs read most of them as the larger ones that Windows made of them (WHATWG
    Encoding 4.2): an ISO-8859-1 with curly quotes and a euro sign is Windows-1252.
    """
    for label in dict.fromkeys((charset, charset.lower().removeprefix("x-"))):
        known = webencodings.lookup(label)
        if known is not None and label.lower() not in _ASCII and known.name not in _NO_CHARSET:
            yield _LARGER.get(known.codec_info.name, known.codec_info.name)
    yield from (charset, charset.replace("-", ""))


def decode(content: bytes, charset: str = "") -> tuple[str, str]:
    """``content`` as text, and its encoding if that was guessed, else empty.

    A byte order mark decides, then the zeros of UTF-16 without one, the escapes of ISO-2022-JP, the declared
    ``charset``, and what the octets allow: UTF-8 (with a few damaged characters), else Windows-1252, in which
    every octet is a character, or one of those of `charsets` where that makes no words; the encoding is
    UNLIKELY if none does.
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return content.decode(name, "replace"), ""
    wide = _utf_16(content)
    if wide and not charset.lower().startswith("utf"):
        return content.decode(wide, "replace"), "UTF-16"
    if "2022" not in charset and _TO_JAPANESE.search(content):
        with suppress(ValueError):
            return content.decode("iso2022_jp_ext"), "ISO-2022-JP"
    if not charset and (chinese := escaped_chinese(content)):
        return chinese, "HZ"
    for name in filter(None, (*_codecs_of(charset), "utf-8")):
        try:
            if codecs.lookup(name).name not in _NO_TEXT:
                # Some of Python's codecs return unpaired surrogates.
                return content.decode(name).encode("utf-8", "replace").decode(), ""
        except (LookupError, ValueError, TypeError):
            continue
    text = content.decode("utf-8", "replace")
    letters = sum(not letter.isascii() for letter in text)
    if text.count(_DAMAGED) * _WHOLE_LETTERS < letters:
        return text, "UTF-8"
    text = "".join(map(_windows, content.decode("latin-1")))
    is_western = _is_western(text)
    shown, name = shown_by_letters(content) if not is_western or is_garbled(text) else ("", "")
    return (shown, name) if shown else (text, WINDOWS if is_western else UNLIKELY)


def guess_remarks(guessed: str) -> list[Remark]:
    """The remark on a text in encodings that `decode` had to guess; none if it is empty."""
    kind = CHARSET_UNKNOWN if UNLIKELY in guessed else CHARSET_GUESSED
    return [Remark(kind, detail=guessed)] if guessed else []


def as_printed(text: str) -> str:
    """``text`` as a printer of lines prints it: without the escapes of terminals and what ends or fills a
    file, of letters struck over each other the last that is no underscore, and each kind of line end as a
    line feed.
    """
    text = struck_over(_ESCAPE.sub("", text.rstrip("\0\x1a")))
    if _BACK in text:
        kept: list[str] = []
        struck: list[str] = []  # that may be underlined
        for letter in text:
            if letter in "\r\n":
                struck.clear()
            if letter != _BACK:
                below = struck.pop() if struck else ""
                kept.append(below if letter == "_" and below.strip() else letter)
            elif kept and kept[-1] != "\n":
                struck.append(kept.pop())
        text = "".join(kept)
    return _LINE_END.sub("\n", text)


def controls_in(text: str) -> int:
    """The number of control characters in ``text``, white space apart: none in a text, many in other data."""
    return sum(text.count(chr(code)) for code in range(32) if code not in {9, 10, 12, 13})


def is_readable(text: str) -> bool:
    """Whether ``text`` is one, and not what an encoding makes of other data."""
    return controls_in(text) <= len(text) * _MOST_CONTROLS and "\0" not in text


def _is_western(text: str) -> bool:
    """Whether ``text``, read as Windows-1252, may be words of Western Europe."""
    unlikely = sum(len(found[0]) for found in _UNLIKELY.finditer(text))
    return unlikely <= max(1, _MOST_UNLIKELY * len(_BEYOND_ASCII.findall(text)))


def _windows(letter: str) -> str:
    if "\x80" <= letter < "\xa0":
        return letter.encode("latin-1").decode("cp1252", "replace")
    return letter


def _utf_16(content: bytes) -> str:
    """Which UTF-16 it is, by the zeros of Latin letters; empty for none."""
    half = len(content) // 2
    if half < 2 or b"\0" not in content:
        return ""
    first, second = content[0::2].count(0) / half, content[1::2].count(0) / half
    if second > _ZEROS > first:
        return "utf-16-le"
    return "utf-16-be" if first > _ZEROS > second else ""


def without_pgp(text: str) -> tuple[str, str]:
    """``text`` without passages encrypted by OpenPGP (RFC 4880 6.2), and the first of those."""
    begin = text.find(_PGP)
    if begin < 0 or text[:begin].rpartition("\n")[2].strip("\ufeff \t"):
        return text, ""
    kept, locked, at = [text[:begin]], "", begin
    while begin >= 0:
        end = text.find(_PGP_END, begin)
        at = end + len(_PGP_END) if end >= 0 else len(text)
        locked = locked or text[begin:at]
        begin = text.find(_PGP, at)
        kept.append(text[at : begin if begin >= 0 else len(text)])
    return "".join(kept), locked


def columns_of(text: str) -> int:
    """The columns of a page for ``text``: 80, or as many as its longest line has, up to 132, when most of its
    longer lines are those of a table.
    """
    longer = [line for line in re.split("[\n\f]", text) if len(line.expandtabs()) > COLUMNS]
    widest = max((len(line.expandtabs().rstrip()) for line in longer), default=0)
    tables = sum(_GAP.search(line) is not None for line in longer)
    return widest if COLUMNS < widest <= _MOST_COLUMNS and 2 * tables > len(longer) else COLUMNS


def text_style(paper: Paper, columns: int, *, landscape: bool = False) -> str:
    """The style sheet for `text_html`: monospaced type, of which so many ``columns`` fit on a line."""
    width, height = reversed(paper.value) if landscape else paper.value
    # A margin, so that rounding does not wrap the last column.
    em = _em(width, columns) * 0.999
    return _STYLE.format(width=width, height=height, top=_TOP_MM, margin=_MARGIN_MM, em=em, leading=_LEADING)


def rows_of(paper: Paper, columns: int, *, landscape: bool) -> int:
    """The lines of a page that has ``columns``."""
    width, height = reversed(paper.value) if landscape else paper.value
    return int((height - 2 * _TOP_MM) / (_em(width, columns) * _LEADING))


def _em(width: float, columns: int) -> float:
    return (width - 2 * _MARGIN_MM) / columns / _ADVANCE


def text_html(text: str, most_pages: int) -> str:
    """``text`` as HTML: lines wrapped, in the direction of their letters; a form feed begins a new page.

    Raises DocumentError: DOCUMENT_EMPTY; DOCUMENT_TOO_MANY_PAGES when it certainly has more.
    """
    text = text.rstrip("\n\f\t ")
    if not text.strip():
        raise DocumentError(DOCUMENT_EMPTY, "only white space")
    lines = text.count("\n") + text.count("\f")
    columns = columns_of(text)
    most_rows = most_pages * _ROWS * columns // COLUMNS
    if text.count("\f") >= most_pages or max(lines, len(text) // columns) > most_rows:
        raise DocumentError(DOCUMENT_TOO_MANY_PAGES, f"{lines + 1} lines")
    sheets = (
        f'<div class="sheet">{text_blocks(sheet.removesuffix(chr(10)))}</div>' for sheet in text.split("\f")
    )
    return f"<!doctype html><meta charset=utf-8><body>{''.join(sheets)}"


def text_blocks(text: str) -> str:
    """The lines of ``text`` as HTML."""
    return "".join(_runs(text.translate(_CONTROLS)))


def _runs(sheet: str) -> Iterator[str]:
    """The lines of a page as HTML; consecutive ones from left to right are one block, which is faster."""
    import html  # noqa: PLC0415 (2,000 names of letters: only what sets pages needs them, not what reads text)

    waiting: list[str] = []
    for line in sheet.split("\n"):
        if not right_to_left(line):
            waiting.append(html.escape(line))
            continue
        if waiting:
            # HTML ignores one line break after <pre>.
            yield "<pre>\n" + "\n".join(waiting) + "</pre>"
            waiting = []
        yield f'<p dir="rtl">{html.escape(line)}</p>'
    if waiting:
        yield "<pre>\n" + "\n".join(waiting) + "</pre>"


def whole_characters(head: bytes) -> bytes:
    """``head`` without the beginning of a UTF-8 character that was cut at its end."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head)
    except UnicodeDecodeError:
        return head
    rest = decoder.getstate()[0]
    return head[: len(head) - len(rest)]
