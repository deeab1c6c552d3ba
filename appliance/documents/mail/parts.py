"""What an e-mail's parts are for a reader: its text, pictures and files.  Pure; every octet is untrusted."""

from __future__ import annotations

import codecs
import contextlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from urllib.parse import quote

from appliance.documents.causes import DOCUMENT_UNSUPPORTED, EMAIL_DAMAGED
from appliance.documents.errors import DocumentError
from appliance.documents.file_part import FilePart, part_key
from appliance.documents.first_octets import BMP, GIF, JPEG, PNG, RIFF
from appliance.documents.labels import IN_ENGLISH, Labels
from appliance.documents.mail import packed, tnef
from appliance.documents.mail.headers import decoded, file_name
from appliance.documents.mail.parsing import CutOffDefect
from appliance.documents.mail.tree import (
    EXTERNAL_BODY,
    NOT_FAXED,
    leaves,
    message_within,
    octets_of,
    text_of,
)
from appliance.documents.text.cards import in_words
from appliance.documents.text.hypertext import HTML_LIMIT, PICTURE, html_text, marked_text, without_comments
from appliance.documents.text.plain import decode, is_readable, text_blocks, without_pgp

# Older kinds of formatted text (RFC 1896, 1341), which only repeat the part beside them.
_ENRICHED = "text/enriched"
_MARKED = frozenset({_ENRICHED, "text/richtext"})
# Style sheets, fonts and scripts of a stored web page (MHTML, RFC 2557).
_STYLE = "text/css"
_FOR_PROGRAMS = frozenset(
    {"text/javascript", "application/javascript", "application/x-javascript", "application/json"}
)
# Types of parts that accompany an e-mail and are no text to read: keys, visiting cards, invitations.
_COMPANIONS = frozenset(
    {"application/pgp-keys", "text/vcard", "text/x-vcard", "text/calendar", "application/ics"}
)
# Words by which the plain text and the HTML are compared, without addresses; the HTML may lack a few of them.
_WORD = re.compile(r"https?://\S{1,2000}|(\w{3,})")
_FEWEST_LACKING, _MOST_LACKING = 6, 0.5
# One of several pieces of an e-mail (RFC 2046 5.2.2).
_PIECE = "message/partial"
# A reference to a part by its Content-ID, as pages write it; its length is limited.  A mere link to
# a part does not show the part.
CID = re.compile(r"""(?<!href=)(?<!href=["'])\bcid:([^"'\s>)]{1,2000})""", re.IGNORECASE)
# The first octets of pictures that a page can show; other kinds (HEIC) are treated as attached files.
_PICTURES = (PNG, JPEG + b"\xff", GIF, RIFF, BMP, b"<svg", b"<?xml")
# An address of a picture or a style sheet in a page.
_ADDRESS = re.compile(
    r"""((?:src|background|poster|<link\b[^<>]{0,300}?\shref)\s*=\s*["']?|url\(\s*["']?)"""
    r"""([^"'\s>)]{1,2000})(?=["'\s>)])""",
    re.IGNORECASE,
)
# What macOS knows of the file in the next part, without its content (AppleDouble, RFC 1740).
_BESIDE_FILE, _APPLE_DOUBLE = "application/applefile", b"\0\5\x16\7"
_TYPED = "font-family: monospace"
_LOCKED = "BEGIN PGP MESSAGE"


@dataclass(frozen=True, slots=True)
class Letter:
    """The parts of an e-mail that a person reads.

    ``plain`` and ``html`` have the same content; ``html`` may be empty.  ``inline`` are the pictures within
    ``html``, ``styles`` its style sheets, ``companions`` the names or types of accompanying parts that are
    not text.
    """

    plain: str
    html: str
    inline: tuple[FilePart, ...]
    files: tuple[FilePart, ...]
    companions: tuple[str, ...] = ()
    guessed: str = ""  # the text's encoding, if it had to be guessed
    styles: tuple[FilePart, ...] = ()
    damaged: str = ""  # what of the whole is missing


@dataclass(slots=True)
class _Passage:
    """A piece of the text, in each form that the e-mail contains."""

    plain: str = ""
    html: str = ""

    @property
    def is_designed(self) -> bool:
        """Whether ``html`` has content: some programs add an empty page to the text."""
        if not self.plain.strip() or len(self.html) > HTML_LIMIT or PICTURE.search(self.html):
            return bool(self.html.strip())
        return bool(html_text(self.html))

    def as_text(self) -> str:
        return self.plain if self.plain.strip() else html_text(self.html)

    @property
    def lacks_words(self) -> bool:
        """Whether the HTML says less than the text: only a picture, or a note to read the text."""
        if len(self.html) > HTML_LIMIT or len(self.plain) > HTML_LIMIT:
            return False
        said, shown = _words(self.plain), _words(html_text(self.html))
        lacking = len(said - shown)
        return bool(lacking) and (not shown or lacking > max(_MOST_LACKING * len(said), _FEWEST_LACKING))

    def as_page(self) -> str:
        typed = f'<div style="{_TYPED}">{text_blocks(self.plain)}</div>'
        if not self.is_designed:
            return typed
        return f"{self.html}\n{typed}" if self.lacks_words else self.html


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.lower()) if word}


def letter_of(message: Message, labels: Labels = IN_ENGLISH) -> Letter:
    """The parts of an e-mail that are read or faxed.  Raises DocumentError (EMAIL_DAMAGED)."""
    try:
        return _letter_of(message, labels)
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # as in parse_email
        raise DocumentError(EMAIL_DAMAGED, type(error).__name__) from error


def _letter_of(message: Message, labels: Labels) -> Letter:
    if message.get_content_type() == _PIECE:
        raise DocumentError(DOCUMENT_UNSUPPORTED, "one piece of an e-mail that was sent in several")
    sorter = _Sorter(message, labels)
    for part, choice in leaves(message):
        sorter.take(part, choice)
    return sorter.letter()


class _Sorter:
    """Sorts the parts of one e-mail into its text, pictures, files and companions."""

    def __init__(self, message: Message, labels: Labels) -> None:
        self._message = message
        self._labels = labels
        self._passages: dict[Message, _Passage] = {}
        self._cards: set[str] = set()
        self._files: list[FilePart] = []
        self._companions: list[str] = []
        self._silent: list[str] = []
        self._styles: list[FilePart] = []
        self._guessed: set[str] = set()
        cut_off = any(isinstance(defect, CutOffDefect) for defect in message.defects)
        self._damaged = "the end of the e-mail is missing" if cut_off else ""

    def take(self, part: Message, choice: Message | None) -> None:
        """Takes the next part of ``leaves``."""
        kind = part.get_content_type()
        if kind in NOT_FAXED:
            self._silent.append(kind)
            return
        passage = part if choice is None else choice
        name = file_name(part)
        attached = part.get_content_disposition() == "attachment" or bool(name)
        of_page = not attached and part is not self._message
        if part.get_content_maintype() == "multipart":
            self._damaged = "the lines between the parts of the e-mail are missing"
        if of_page and kind == _STYLE:
            self._styles += _files(part, kind, name)
        elif of_page and kind in _FOR_PROGRAMS and "Content-Location" in part:
            pass
        elif kind in _COMPANIONS:
            self._take_companion(part, passage, name or kind)
        elif (kind == "text/plain" and not attached) or kind.startswith("multipart/"):
            text, packed_files = _unpacked(self._text_of(part))
            self._files += packed_files
            self._passage(passage).plain += text
        elif kind in _MARKED and not attached:
            if passage not in self._passages:
                marked = self._text_of(part)
                self._passage(passage).plain = marked_text(marked, enriched=kind == _ENRICHED)
        elif kind == "text/html" and not attached:
            self._take_page(part, passage)
        else:
            self._files += _files(part, kind, name)

    def _take_companion(self, part: Message, passage: Message, name: str) -> None:
        """A visiting card or an invitation becomes text, each once; others are named."""
        card = in_words(self._text_of(part), self._labels)
        if card and card not in self._cards:
            self._passages[part] = _Passage(plain=f"\n{card}" if self._passages else card)
        elif not card and passage not in self._passages:
            self._companions.append(name)
        self._cards.add(card)

    def _take_page(self, part: Message, passage: Message) -> None:
        designed = self._text_of(part)
        text, locked = without_pgp(html_text(designed)) if _LOCKED in designed else ("", "")
        if locked:
            self._passage(passage).plain += text
            self._files.append(_locked_file(locked))
        else:
            self._passage(passage).html += designed

    def _passage(self, of: Message) -> _Passage:
        return self._passages.setdefault(of, _Passage())

    def _text_of(self, part: Message) -> str:
        text, guess = text_of(part)
        if guess:
            self._guessed.add(guess)
        return text

    def letter(self) -> Letter:
        """What the parts taken make."""
        passages = self._passages.values()
        designed = any(passage.is_designed for passage in passages)
        page = "\n".join(passage.as_page() for passage in passages) if designed else ""
        plain = [passage.as_text() for passage in passages]
        said = designed or any(text.strip() for text in plain)
        files = [each for file in self._files for each in _without_wrapper(file, said)]
        only_silent = not passages and not files
        page = _with_places(page, files + self._styles)
        inline, files = shown_in(page, files)
        return Letter(
            plain="\n".join(plain),
            html=page,
            inline=tuple(inline),
            files=tuple(files),
            companions=tuple(self._companions + self._silent if only_silent else self._companions),
            guessed=", ".join(sorted(self._guessed)),
            styles=tuple(self._styles),
            damaged=self._damaged,
        )


def _locked_file(locked: str) -> FilePart:
    """An encrypted passage as a file."""
    return FilePart("encrypted text", "text/plain", locked.encode("utf-8", "replace"))


def _with_places(page: str, files: list[FilePart]) -> str:
    """``page`` with Content-IDs in place of the addresses by which it names pictures (RFC 2557 4.2)."""
    there = {file.content_id for file in files if file.by_address}
    if not there:
        return page

    def put(found: re.Match[str]) -> str:
        address = html.unescape(found[2])
        return f"{found[1]}cid:{quote(address)}" if address in there else found[0]

    return _ADDRESS.sub(put, page)


def _unpacked(text: str) -> tuple[str, list[FilePart]]:
    """``text`` without its encoded files and encrypted passages, and these as files."""
    text, locked = without_pgp(text)
    text, uuencoded = packed.without_uuencoded(text)
    files = [FilePart(each, "application/octet-stream", content) for each, content in uuencoded]
    if locked:
        files.append(_locked_file(locked))
    return text, files


def shown_in(page: str, files: list[FilePart]) -> tuple[list[FilePart], list[FilePart]]:
    """The files that are shown within the page, and the others.

    A file is shown within the page when the page names it and it is a picture of a kind that pages can show.
    Each Content-ID names one picture; copies of the same picture are dropped.
    """
    shown = set(map(part_key, CID.findall(without_comments(page)))) - {""}
    inline: dict[str, FilePart] = {}
    others: list[FilePart] = []
    for file in files:
        key = part_key(file.content_id)
        is_shown = key in shown and file.content.lstrip().startswith(_PICTURES)
        if not is_shown or inline.setdefault(key, file).content != file.content:
            others.append(file)
    return list(inline.values()), others


def _files(part: Message, kind: str, name: str) -> Iterator[FilePart]:
    """The files in a part, packed ones included."""
    if kind == "message/rfc822":
        inner = part.get_payload()
        if isinstance(inner, list) and inner and isinstance(inner[0], Message):
            subject = decoded(str(inner[0].get("Subject", "")))[:80]
            yield FilePart(name or f"{subject or 'message'}.eml", kind, message_within(part, inner[0]))
        return
    content = octets_of(part)
    if not content and not name and kind != EXTERNAL_BODY:
        return  # an empty part
    if kind == _BESIDE_FILE and content.startswith(_APPLE_DOUBLE):
        return
    content_id = str(part.get("Content-ID", "")).strip(" <>\r\n\t")
    address = "".join(str(part.get("Content-Location", "")).split())
    charset = part.get_content_charset("")
    if kind.startswith("text/") and kind != "text/rtf" and charset:
        # The part declares the charset, which the file would lose; so it becomes UTF-8 with a byte order
        # mark.  A file in another encoding, and one that is no text, is left to what opens it.
        text, guessed = decode(content, charset)
        if not guessed and is_readable(text):
            content = codecs.BOM_UTF8 + text.encode()
    elif packed.is_binhex(content):
        unpacked = packed.from_binhex(content)
        if unpacked is not None:
            name, content = unpacked
            kind = "application/octet-stream"
    yield FilePart(name, kind, content, content_id or address, by_address=not content_id and bool(address))


def _without_wrapper(file: FilePart, said: bool) -> Iterator[FilePart]:
    """The files in a winmail.dat if its text is ``said`` elsewhere, else ``file`` itself."""
    inside: list[tnef.TnefFile] = []
    if said and file.content.startswith(tnef.SIGNATURE):
        with contextlib.suppress(tnef.TnefError):
            inside = tnef.unpacked(file.content).files
    if not inside:
        yield file
    yield from (
        FilePart(each.name, "application/octet-stream", each.content, each.content_id) for each in inside
    )
