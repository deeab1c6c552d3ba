"""An IPP message as plain data: groups of attributes with their values and tags (RFC 8010 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum


class GroupTag(IntEnum):
    """RFC 8010 3.5.1."""

    OPERATION = 0x01
    JOB = 0x02
    END = 0x03
    PRINTER = 0x04
    UNSUPPORTED = 0x05


class Tag(IntEnum):
    """Tags of values:  RFC 8010 3.5.2."""

    UNSUPPORTED = 0x10
    UNKNOWN = 0x12
    NO_VALUE = 0x13
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    OCTETS = 0x30
    DATE_TIME = 0x31
    RESOLUTION = 0x32
    RANGE = 0x33
    COLLECTION = 0x34
    TEXT_WITH_LANGUAGE = 0x35
    NAME_WITH_LANGUAGE = 0x36
    END_COLLECTION = 0x37
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    URI_SCHEME = 0x46
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME_TYPE = 0x49
    MEMBER_NAME = 0x4A


@dataclass(frozen=True, slots=True)
class Range:
    """A rangeOfInteger (RFC 8011 5.1.14), both ends included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class DotsPerInch:
    """Dots an inch."""

    across: int
    down: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text or name with the natural language it is in."""

    language: str
    text: str


Collection = Mapping[str, "tuple[Value, ...]"]
Content = int | bool | str | bytes | datetime | Range | DotsPerInch | Spoken | Collection | None


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an attribute.  The type of ``content`` follows from the tag; octets for unknown tags."""

    tag: int
    content: Content

    @property
    def text(self) -> str:
        """The text of a text value, with or without language; empty for others."""
        content = self.content
        return content.text if isinstance(content, Spoken) else content if isinstance(content, str) else ""


Attributes = Mapping[str, Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of attributes; ``tag`` is its kind (``GroupTag``)."""

    tag: int
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Message:
    """A message.  ``code``: the operation of a request or the status of an answer."""

    version: tuple[int, int]
    code: int
    request_id: int
    groups: Sequence[Group] = field(default=())

    def group(self, tag: GroupTag) -> Attributes:
        """The attributes of the first such group; none when there is none."""
        return next((each.attributes for each in self.groups if each.tag == tag), {})
