"""Outlook's message files ([MS-OXMSG]): the text and the files of an MSG.

The streams of the compound file are named for the property that they hold: ``__substg1.0_`` with its id
and type in hexadecimal ([MS-OXPROPS]).
"""

from __future__ import annotations

import io

import olefile

from appliance.documents.causes import DOCUMENT_DAMAGED
from appliance.documents.email_parts import FilePart, Letter
from appliance.documents.errors import DocumentError
from appliance.documents.text import decode

_SUBJECT, _BODY, _HTML = "0037", "1000", "1013"
_SENDER_NAME, _SENDER, _TO, _CC = "0C1A", "0C1F", "0E04", "0E03"
_CONTENT, _LONG_NAME, _NAME, _MEDIA_TYPE, _CONTENT_ID = "3701", "3707", "3704", "370E", "3712"
_STRING_WIDE, _STRING, _BINARY = "001F", "001E", "0102"  # [MS-OXCDATA] 2.11.1
_ATTACHMENT = "__attach_version1.0_"
_MOST_ATTACHMENTS = 200
_LARGEST = 100 << 20  # octets of one stream


def read_message(content: bytes) -> tuple[dict[str, str], Letter]:
    """The heading (From, To, Cc, Subject) and the parts.  Raises DocumentError (DOCUMENT_DAMAGED)."""
    try:
        with olefile.OleFileIO(io.BytesIO(content)) as ole:
            return _read(ole)
    except Exception as error:  # the library meets damage with whatever comes to its mind
        raise DocumentError(DOCUMENT_DAMAGED, f"{type(error).__name__}: {error}"[:200]) from None


def _read(ole: olefile.OleFileIO) -> tuple[dict[str, str], Letter]:
    sender = " ".join(filter(None, (_words(ole, "", _SENDER_NAME), _words(ole, "", _SENDER))))
    fields = {
        "From": sender,
        "To": _words(ole, "", _TO),
        "Cc": _words(ole, "", _CC),
        "Subject": _words(ole, "", _SUBJECT),
    }
    page = _octets(ole, "", _HTML, _BINARY)
    text = decode(page)[0] if page else _words(ole, "", _HTML)
    files = []
    folders = sorted({path[0] for path in ole.listdir() if path[0].startswith(_ATTACHMENT)})
    for folder in folders[:_MOST_ATTACHMENTS]:
        data = _octets(ole, folder, _CONTENT, _BINARY)
        if data:
            name = _words(ole, folder, _LONG_NAME) or _words(ole, folder, _NAME)
            content_id = _words(ole, folder, _CONTENT_ID).strip("<>")
            files.append(FilePart(name, _words(ole, folder, _MEDIA_TYPE), data, content_id))
    shown = {each.content_id for each in files if each.content_id and f"cid:{each.content_id}" in text}
    return fields, Letter(
        plain=_words(ole, "", _BODY),
        html=text,
        inline=tuple(each for each in files if each.content_id in shown),
        files=tuple(each for each in files if each.content_id not in shown),
    )


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
