"""Writes Outlook's formats as far as the tests need them: compound files ([MS-CFB]) and winmail.dat."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_SECTOR = 512
_NONE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_LEAST = 4096  # octets of a stream: smaller ones live elsewhere


@dataclass
class Storage:
    """A folder: streams and further folders by their names.  Streams are filled up with zeros."""

    streams: dict[str, bytes] = field(default_factory=dict)
    folders: dict[str, Storage] = field(default_factory=dict)


def compound(root: Storage) -> bytes:
    sectors: list[bytes] = []
    chain: list[int] = []

    def store(content: bytes) -> int:
        first = len(sectors)
        pieces = [content[at : at + _SECTOR].ljust(_SECTOR, b"\0") for at in range(0, len(content), _SECTOR)]
        sectors.extend(pieces)
        chain.extend(range(first + 1, first + len(pieces)))
        chain.append(_END)
        return first

    entries: list[list[object]] = [
        ["Root Entry", 5, _NONE, _NONE, _END, 0]
    ]  # name, kind, right, child, start, size

    def add(folder: Storage, parent: int) -> None:
        before = None
        for name, content in [*folder.streams.items(), *folder.folders.items()]:
            number = len(entries)
            if isinstance(content, Storage):
                entries.append([name, 1, _NONE, _NONE, 0, 0])
                add(content, number)
            else:
                whole = content.ljust(_LEAST, b"\0")
                entries.append([name, 2, _NONE, _NONE, store(whole), len(whole)])
            if before is None:
                entries[parent][3] = number
            else:
                entries[before][2] = number
            before = number

    add(root, 0)
    directory = b"".join(map(_entry, entries))
    directory_start = store(directory)
    fat_sectors = 1
    while (len(chain) + fat_sectors) * 4 > fat_sectors * _SECTOR:
        fat_sectors += 1
    fat_at = len(sectors)
    table = [*chain, *([_FAT] * fat_sectors)]
    table += [_NONE] * (fat_sectors * _SECTOR // 4 - len(table))
    fat = struct.pack(f"<{len(table)}I", *table)
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIII",
        bytes.fromhex("d0cf11e0a1b11ae1"), b"", 0x3E, 3, 0xFFFE, 9, 6, 0, fat_sectors, directory_start, 0,
        _LEAST, _END, 0, _END, 0,
    )  # fmt: skip
    places = [*range(fat_at, fat_at + fat_sectors)]
    header += struct.pack("<109I", *places, *([_NONE] * (109 - len(places))))
    return header + b"".join(sectors) + fat


def _entry(entry: list[object]) -> bytes:
    name, kind, right, child, start, size = entry
    coded = str(name).encode("utf-16-le") + b"\0\0"
    return struct.pack(
        "<64sHBBIII16sIQQIQ", coded, len(coded), kind, 1, _NONE, right, child, b"", 0, 0, 0, start, size
    )


def message_file(
    text: str, subject: str, attached: tuple[str, bytes], forwarded: str = "", rtf: bytes = b""
) -> bytes:
    """An Outlook message ([MS-OXMSG]) with one file, and a message of the text ``forwarded`` within it.

    ``rtf`` is its text as compressed RTF.
    """

    def wide(words: str) -> bytes:
        return words.encode("utf-16-le")

    file = Storage(
        {
            "__substg1.0_37010102": attached[1].ljust(_LEAST),
            "__substg1.0_3707001F": wide(attached[0]),
            "__properties_version1.0": b"",
        }
    )
    attachments = {"__attach_version1.0_#00000000": file}
    if forwarded:
        properties = {"__properties_version1.0": b""}
        message = Storage(properties | {"__substg1.0_1000001F": wide(forwarded)})
        within = Storage(dict(properties), {"__substg1.0_3701000D": message})
        attachments["__attach_version1.0_#00000001"] = within
    said = {"__substg1.0_10090102": rtf.ljust(_LEAST)} if rtf else {}
    return compound(
        Storage(
            said
            | {
                "__properties_version1.0": b"",
                "__substg1.0_0037001F": wide(subject),
                "__substg1.0_1000001F": wide(text),
                "__substg1.0_0C1A001F": wide("Ada"),
            },
            attachments,
        )
    )


_TNEF_SIGNATURE, _TNEF_VERSION = 0x223E9F78, 0x00010000
_MESSAGE_LEVEL, _ATTACHMENT_LEVEL = 1, 2
_VERSION, _RENDERING, _TITLE, _DATA = 0x00089006, 0x00069002, 0x00018010, 0x0006800F
_PROPERTIES, _FILE_PROPERTIES = 0x00069003, 0x00069005
_TIME, _KINDS = 0x0040, {0x1013: 0x0102, 0x0039: 0x0040, 0x820D: 0x0040}  # a page, and times
_NAMED, _APPOINTMENTS = 0x8000, bytes.fromhex("0220060000000000c000000000000046")
_MESSAGE_CLASS = bytes.fromhex("0703020000000000c000000000000046")


def winmail(
    *attached: tuple[str, bytes],
    rtf: bytes = b"",
    enclosed: bytes = b"",
    said: Mapping[int, bytes] = MappingProxyType({}),
    content_id: str = "",
) -> bytes:
    """A winmail.dat ([MS-OXTNEF]) with these files, its text as compressed RTF, and a message in it.

    ``said`` are further properties: strings in UTF-16, a page, a time.  ``content_id`` is that of the files.
    """

    def attribute(level: int, name: int, value: bytes) -> bytes:
        return struct.pack("<BII", level, name, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)

    def properties(*each: tuple[int, int, bytes]) -> bytes:
        made = struct.pack("<I", len(each))
        for kind, identifier, value in each:
            count = b"" if kind == _TIME else struct.pack("<II", 1, len(value))
            named = _APPOINTMENTS + struct.pack("<II", 0, identifier) if identifier >= _NAMED else b""
            made += (
                struct.pack("<HH", kind, min(identifier, _NAMED))
                + named
                + count
                + value
                + bytes(-len(value) % 4)
            )
        return made

    made = struct.pack("<IH", _TNEF_SIGNATURE, 1)
    made += attribute(_MESSAGE_LEVEL, _VERSION, struct.pack("<I", _TNEF_VERSION))
    of_message = [(_KINDS.get(identifier, 0x001F), identifier, value) for identifier, value in said.items()]
    of_message += [(0x0102, 0x1009, rtf)] if rtf else []
    if of_message:
        made += attribute(_MESSAGE_LEVEL, _PROPERTIES, properties(*of_message))
    for title, content in attached:
        made += attribute(_ATTACHMENT_LEVEL, _RENDERING, struct.pack("<HI8x", 1, _NONE))
        made += attribute(_ATTACHMENT_LEVEL, _TITLE, title.encode() + b"\0")
        made += attribute(_ATTACHMENT_LEVEL, _DATA, content)
        if content_id:
            value = properties((0x001F, 0x3712, content_id.encode("utf-16-le")))
            made += attribute(_ATTACHMENT_LEVEL, _FILE_PROPERTIES, value)
    if enclosed:
        made += attribute(_ATTACHMENT_LEVEL, _RENDERING, struct.pack("<HI8x", 2, _NONE))
        value = properties((0x000D, 0x3701, _MESSAGE_CLASS + enclosed))
        made += attribute(_ATTACHMENT_LEVEL, _FILE_PROPERTIES, value)
    return made
