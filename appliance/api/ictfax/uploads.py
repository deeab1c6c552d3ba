"""Files in base64 within JSON, as the clients of this style send them.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.api.causes import REQUEST_INVALID
from appliance.api.foreign_fields import LINE_LIMIT, refused, text
from appliance.api.problems import ProblemError
from appliance.services.causes import TOO_MANY_FILES

# Fields with a single file, and with several.  Name and type are beside it, or in an object with it.
_ALONE = ("file", "file_data", "fileData", "file_content", "file_base64", "document", "media")
_SEVERAL = ("files", "documents")
_CONTENTS = ("data", "content", "base64", "file_data", "fileData", "file", "media")
_NAMES = ("file_name", "fileName", "filename", "name")
_TYPES = ("file_type", "fileType", "content_type", "contentType", "media_type", "mime_type", "mime", "type")
DATA_URL = "data:"


@dataclass(frozen=True, slots=True)
class InlineFile:
    """A file in base64; ``name`` and ``media_type`` are empty when they are not given."""

    base64: str = field(repr=False)
    name: str = ""
    media_type: str = ""


def inline_files(fields: Mapping[str, Any], most: int) -> list[InlineFile]:
    """The files of a request, in order.  Raises ProblemError, also for more than ``most``."""
    found = list(_found(fields))
    if len(found) > most:
        raise ProblemError(TOO_MANY_FILES, f"at most {most}")
    return found


def _found(fields: Mapping[str, Any]) -> Iterator[InlineFile]:
    for where in _SEVERAL:
        several = fields.get(where)
        if several is None:
            continue
        if not isinstance(several, list):
            raise refused(REQUEST_INVALID, where, "a list is needed")
        for index, item in enumerate(several):
            yield _one(item, f"{where}[{index}]", {})
    for where in _ALONE:
        item = fields.get(where)
        if isinstance(item, list):
            for index, each in enumerate(item):
                yield _one(each, f"{where}[{index}]", {})
        elif item:
            yield _one(item, where, fields)


def _one(item: Any, where: str, beside: Mapping[str, Any]) -> InlineFile:
    around = beside
    if isinstance(item, Mapping):
        around = item
        item = next((item[name] for name in _CONTENTS if item.get(name)), None)
    if not isinstance(item, str) or not item:
        raise refused(REQUEST_INVALID, where, "the file in base64 is needed")
    media_type = _first(around, _TYPES)
    if item.startswith(DATA_URL):  # RFC 2397: browsers encode files so
        head, _, item = item.partition(",")
        media_type = media_type or head.removeprefix(DATA_URL).removesuffix(";base64")
    names = _NAMES if around is not beside else _NAMES[:-1]  # beside a file, ``name`` is a person's
    return InlineFile(item, _first(around, names), media_type[:LINE_LIMIT])


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((text(fields, name, LINE_LIMIT) for name in names if fields.get(name)), "")
