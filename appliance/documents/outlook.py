"""Outlook's message files ([MS-OXMSG]): the text and the files of an MSG.

The streams of the compound file are named after the property they hold: ``__substg1.0_`` with its id and
type in hexadecimal ([MS-OXPROPS]).
"""

from __future__ import annotations

import io
from email.message import EmailMessage

import olefile

from appliance.documents.causes import DOCUMENT_DAMAGED
from appliance.documents.email_parts import FilePart, Letter, shown_in
from appliance.documents.errors import DocumentError
from appliance.documents.rtfcompression import decompressed
from appliance.documents.text import decode

_SUBJECT, _BODY, _HTML, _RTF = "0037", "1000", "1013", "1009"
_SENDER_NAME, _SENDER, _TO, _CC = "0C1A", "0C1F", "0E04", "0E03"
_CONTENT, _LONG_NAME, _NAME, _MEDIA_TYPE, _CONTENT_ID = "3701", "3707", "3704", "370E", "3712"
_STRING_WIDE, _STRING, _BINARY = "001F", "001E", "0102"  # [MS-OXCDATA] 2.11.1
_ATTACHMENT = "__attach_version1.0_"
_MESSAGE, _PROPERTIES = f"__substg1.0_{_CONTENT}000D", "__properties_version1.0"  # [MS-OXMSG] 2.2.2.1
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
        raise DocumentError(DOCUMENT_DAMAGED, f"{type(error).__name__}: {error}"[:200]) from None


def _read(ole: olefile.OleFileIO, root: str, depth: int) -> tuple[dict[str, str], Letter]:
    """The message in the folder ``root`` of the file; ``depth``: messages around it."""
    sender = " ".join(filter(None, (_words(ole, root, _SENDER_NAME), _words(ole, root, _SENDER))))
    fields = {
        "From": sender,
        "To": _words(ole, root, _TO),
        "Cc": _words(ole, root, _CC),
        "Subject": _words(ole, root, _SUBJECT),
    }
    page = _octets(ole, root, _HTML, _BINARY)
    text = decode(page)[0] if page else _words(ole, root, _HTML)
    files = []
    start = f"{root}/".lstrip("/") + _ATTACHMENT
    level = start.count("/") + 1
    paths = {"/".join(path[:level]) for path in ole.listdir() if len(path) > level}
    folders = sorted(path for path in paths if path.startswith(start))
    if len(folders) > _MOST_ATTACHMENTS:
        raise ValueError(f"{len(folders)} attachments")
    for folder in folders:
        data = _octets(ole, folder, _CONTENT, _BINARY)
        if data:
            name = _words(ole, folder, _LONG_NAME) or _words(ole, folder, _NAME)
            content_id = _words(ole, folder, _CONTENT_ID).strip("<>")
            files.append(FilePart(name, _words(ole, folder, _MEDIA_TYPE), data, content_id))
        elif ole.exists(f"{(inner := f'{folder}/{_MESSAGE}')}/{_PROPERTIES}"):
            if depth >= _DEEPEST:
                raise ValueError(f"more than {_DEEPEST} messages within each other")
            within = _read(ole, inner, depth + 1)
            files.append(FilePart(f"{within[0]['Subject'] or 'message'}.eml", "", _as_email(*within)))
    plain = _words(ole, root, _BODY)
    if not (plain.strip() or text.strip()):
        rtf = decompressed(_octets(ole, root, _RTF, _BINARY))
        if rtf:
            files.insert(0, FilePart("message.rtf", "application/rtf", rtf))
    inline, others = shown_in(text, files)
    return fields, Letter(
        plain=plain,
        html=text,
        inline=tuple(inline),
        files=tuple(others),
    )


def _as_email(fields: dict[str, str], letter: Letter) -> bytes:
    """A message within another one, as an EML file, as other programs would have attached it."""
    message = EmailMessage()
    for name, value in fields.items():
        message[name] = " ".join(value.split())
    message.set_content(letter.plain)
    if letter.html:
        message.add_alternative(letter.html, subtype="html")
    for file in (*letter.inline, *letter.files):
        cid = f"<{file.content_id}>" if file.content_id else None
        message.add_attachment(
            file.content, maintype="application", subtype="octet-stream", filename=file.name, cid=cid
        )
    return message.as_bytes()


def _octets(ole: olefile.OleFileIO, folder: str, name: str, kind: str) -> bytes:
    path = f"{folder}/__substg1.0_{name}{kind}".lstrip("/")
    if not ole.exists(path) or ole.get_size(path) > _LARGEST:
        return b""
    return bytes(ole.openstream(path).read())


def _words(ole: olefile.OleFileIO, folder: str, name: str) -> str:
    wide = _octets(ole, folder, name, _STRING_WIDE)
    if wide:
        return wide.decode("utf-16-le", "replace").rstrip("\0")
    return decode(_octets(ole, folder, name, _STRING))[0].rstrip("\0")
