"""Outlook's message files ([MS-OXMSG]): the text and the files of an MSG.

The streams of the compound file are named after the property they hold: ``__substg1.0_`` with its id and
type in hexadecimal ([MS-OXPROPS]).
"""

from __future__ import annotations

import html
import io
import struct
from email.message import EmailMessage

import olefile

from appliance.documents.causes import DOCUMENT_DAMAGED
from appliance.documents.errors import DocumentError, fault_of
from appliance.documents.file_part import FilePart
from appliance.documents.labels import HEADING
from appliance.documents.mail.headers import shortened, when
from appliance.documents.mail.outlook_items import Property, said_by, time_in
from appliance.documents.mail.parts import Letter, shown_in
from appliance.documents.mail.rtf_compression import decompressed
from appliance.documents.text.plain import ASCII, codepage, declared_charset, decode

_SUBJECT, _BODY, _HTML, _RTF = "0037", "1000", "1013", "1009"
_SENDER_NAME, _SENDER, _SMTP_SENDER, _TO, _CC = "0C1A", "0C1F", "5D01", "0E04", "0E03"
_CONTENT, _LONG_NAME, _NAME, _MEDIA_TYPE, _CONTENT_ID = "3701", "3707", "3704", "370E", "3712"
_STRING_WIDE, _STRING, _BINARY = "001F", "001E", "0102"  # [MS-OXCDATA] 2.11.1
_ATTACHMENT = "__attach_version1.0_"
_OBJECT = f"__substg1.0_{_CONTENT}000D"  # a message, or what another program embedded ([MS-OXMSG] 2.2.2.1)
# Where an embedded object keeps a file as it is.
_FILES_OF_OBJECTS = ("Package", "CONTENTS")
# Properties of fixed length: 16 octets each, after a header whose length depends on the folder (2.4).
_PROPERTIES, _PROPERTY = "__properties_version1.0", struct.Struct("<HHI8s")
_TOP_HEADER, _MESSAGE_HEADER, _TIME = 32, 24, 0x0040
_CODEPAGE, _PAGE_CODEPAGE, _SENT, _RECEIVED = 0x3FFD, 0x3FDE, 0x0039, 0x0E06
# Where the file says which numbers stand for the names of properties.
_SETS, _NAMES = "__nameid_version1.0/__substg1.0_00020102", "__nameid_version1.0/__substg1.0_00030102"
_NAMED, _BY_WORD, _FIRST_SET, _FIRST_NAMED, _SET_OCTETS = struct.Struct("<IHH"), 1, 3, 0x8000, 16
_CLASS = "001A"
_MOST_ATTACHMENTS = 200
_DEEPEST = 4  # messages within each other
_LARGEST = 100 << 20  # octets of one stream


def read_message(content: bytes) -> tuple[dict[str, str], Letter]:
    """The heading (From, To, Cc, Subject) and the parts.  Raises DocumentError (DOCUMENT_DAMAGED)."""
    try:
        with olefile.OleFileIO(io.BytesIO(content)) as ole:
            return _read(ole, "", 0)
    except MemoryError:
        raise
    except Exception as error:  # the library raises anything on damaged files
        raise DocumentError(DOCUMENT_DAMAGED, fault_of(error)) from None


def _read(ole: olefile.OleFileIO, root: str, depth: int) -> tuple[dict[str, str], Letter]:
    """The message in the folder ``root`` of the file; ``depth``: messages around it."""
    message = _Message(ole, root, _MESSAGE_HEADER if depth else _TOP_HEADER)
    fields = {
        "From": message.sender(),
        "To": message.words(_TO),
        "Cc": message.words(_CC),
        "Date": message.date(),
        "Subject": message.words(_SUBJECT),
        **message.of_its_class(),
    }
    text = message.page()
    files = []
    start = f"{root}/".lstrip("/") + _ATTACHMENT
    level = start.count("/") + 1
    paths = {"/".join(path[:level]) for path in ole.listdir() if len(path) > level}
    folders = sorted(path for path in paths if path.startswith(start))
    if len(folders) > _MOST_ATTACHMENTS:
        raise ValueError(f"{len(folders)} attachments")
    for folder in folders:
        if ole.exists(f"{(inner := f'{folder}/{_OBJECT}')}/{_PROPERTIES}"):
            if depth >= _DEEPEST:
                raise ValueError(f"more than {_DEEPEST} messages within each other")
            within = _read(ole, inner, depth + 1)
            message.guessed |= {within[1].guessed} - {""}
            files.append(FilePart(f"{within[0]['Subject'] or 'message'}.eml", "", _as_email(*within)))
            continue
        name = message.words(_LONG_NAME, folder) or message.words(_NAME, folder)
        content_id = message.words(_CONTENT_ID, folder).strip("<>")
        # One without content, as a mere link to a file, is remarked when it is opened.
        files.append(FilePart(name, message.words(_MEDIA_TYPE, folder), _attached(ole, folder), content_id))
    plain = message.words(_BODY)
    if not (plain.strip() or text.strip()):
        rtf = decompressed(_octets(ole, root, _RTF, _BINARY))
        if rtf:
            files.insert(0, FilePart("message.rtf", "application/rtf", rtf))
    inline, others = shown_in(text, files)
    return {name: shortened(value) for name, value in fields.items()}, Letter(
        plain=plain,
        html=text,
        inline=tuple(inline),
        files=tuple(others),
        guessed=", ".join(sorted(message.guessed)),
    )


class _Message:
    """Reads the properties of a message; ``guessed``: encodings of its strings that had to be guessed."""

    def __init__(self, ole: olefile.OleFileIO, root: str, header: int) -> None:
        self._ole, self._root = ole, root
        self.guessed: set[str] = set()
        path = f"{root}/{_PROPERTIES}".lstrip("/")
        table = ole.openstream(path).read()[header:] if ole.exists(path) else b""
        whole = table[: len(table) // _PROPERTY.size * _PROPERTY.size]
        self._fixed = {number: value for _, number, _, value in _PROPERTY.iter_unpack(whole)}
        self._times = {number for kind, number, _, _ in _PROPERTY.iter_unpack(whole) if kind == _TIME}
        self._numbers: dict[Property, int] = {}
        sets, names = _stream(ole, _SETS), _stream(ole, _NAMES)
        for name, which, index in _NAMED.iter_unpack(names[: len(names) // _NAMED.size * _NAMED.size]):
            at = ((which >> 1) - _FIRST_SET) * _SET_OCTETS
            if not which & _BY_WORD and at >= 0:
                self._numbers[sets[at : at + _SET_OCTETS], name] = _FIRST_NAMED + index
        self._page_charset = self._charset(_PAGE_CODEPAGE)
        # Old programs stored their strings in the code page of their computer.
        self._string_charset = self._charset(_CODEPAGE) or self._page_charset

    def _charset(self, number: int) -> str:
        page = int.from_bytes(self._fixed.get(number, b"")[:4], "little")
        return codepage(page) if page else ""

    def words(self, name: str, folder: str = "") -> str:
        """A string of the message, or of its file in ``folder``."""
        folder = folder or self._root
        wide = _octets(self._ole, folder, name, _STRING_WIDE)
        if wide:
            return wide.decode("utf-16-le", "replace").rstrip("\0")
        return self._decoded(_octets(self._ole, folder, name, _STRING), self._string_charset)

    def page(self) -> str:
        """The text as HTML, in the encoding that the message declares, else the one of its ``meta``."""
        page = _octets(self._ole, self._root, _HTML, _BINARY) or _octets(
            self._ole, self._root, _HTML, _STRING
        )
        if not page:
            return self.words(_HTML)
        charset = "" if self._page_charset == ASCII else self._page_charset
        return self._decoded(page, charset or declared_charset(page) or self._string_charset)

    def _decoded(self, octets: bytes, charset: str) -> str:
        text, guessed = decode(octets.rstrip(b"\0"), charset)
        self.guessed |= {guessed} - {""}
        return text

    def sender(self) -> str:
        """Name and address; names of Exchange's directory (/O=…/CN=…) are none that people use."""
        name, address = self.words(_SENDER_NAME), self.words(_SENDER)
        if address.startswith("/"):
            address = self.words(_SMTP_SENDER)
        return name if address in name else f"{name} {address}".strip()

    def of_its_class(self) -> dict[str, str]:
        """What an appointment, a task or a contact says besides its text."""
        return said_by(self.words(_CLASS), self._value)

    def _value(self, which: Property) -> str:
        """A property: a time, or words in one line."""
        belongs_to, name = which
        number = self._numbers.get(which, 0) if belongs_to else name
        if number in self._times and (moment := time_in(which, self._fixed[number])):
            return moment
        return ", ".join(self.words(f"{number:04X}").splitlines())

    def date(self) -> str:
        """When it was sent, else when it came, as in the header of an e-mail."""
        return when(self._fixed.get(_SENT) or self._fixed.get(_RECEIVED) or b"")


def _attached(ole: olefile.OleFileIO, folder: str) -> bytes:
    """The content of an attachment; nothing for a mere link and for objects that keep no file."""
    content = _octets(ole, folder, _CONTENT, _BINARY)
    paths = (f"{folder}/{_OBJECT}/{name}" for name in _FILES_OF_OBJECTS)
    return content or next(filter(None, (_stream(ole, path) for path in paths)), b"")


def _as_email(fields: dict[str, str], letter: Letter) -> bytes:
    """A message within another one, as an EML file, as other programs would have attached it."""
    message = EmailMessage()
    further = [f"{name}: {value}" for name, value in fields.items() if name not in HEADING and value]
    for name in HEADING:
        message[name] = " ".join(fields[name].split())
    message.set_content("\n".join([*further, letter.plain]))
    if letter.html:
        above = "".join(f"<p>{html.escape(line)}" for line in further)
        message.add_alternative(above + letter.html, subtype="html")
    for file in (*letter.inline, *letter.files):
        cid = f"<{file.content_id}>" if file.content_id else None
        message.add_attachment(
            file.content, maintype="application", subtype="octet-stream", filename=file.name, cid=cid
        )
    return message.as_bytes()


def _octets(ole: olefile.OleFileIO, folder: str, name: str, kind: str) -> bytes:
    return _stream(ole, f"{folder}/__substg1.0_{name}{kind}".lstrip("/"))


def _stream(ole: olefile.OleFileIO, path: str) -> bytes:
    if not ole.exists(path) or ole.get_size(path) > _LARGEST:
        return b""
    return bytes(ole.openstream(path).read())
