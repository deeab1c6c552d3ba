"""Reads the fields of iFax style requests.  Pure; an invalid field raises ``ProblemError``.

A field that is null, missing or an empty text counts as not given; unknown fields are ignored, as that
service does.  Numbers may be given as texts, because clients in loosely typed languages send them so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from appliance.api.causes import REQUEST_INVALID
from appliance.api.foreign_fields import FARTHEST_S, LINE_LIMIT, number, refused, text
from appliance.api.intake import StoredUpload
from appliance.api.problems import ProblemError
from appliance.documents.causes import DOCUMENT_GONE, DOCUMENT_PAGES_INVALID
from appliance.lines.causes import NUMBER_INVALID
from appliance.net.settings import ApiSettings
from appliance.numbering.dial_on import numbers_apart
from appliance.services.causes import TOO_MANY_FILES, TOO_MANY_RECIPIENTS
from appliance.spool.options import Quality

# ``Standard`` is the box's own default quality.
QUALITIES: dict[str, Quality] = {
    "low": Quality.STANDARD,
    "standard": Quality.FINE,
    "hd": Quality.SUPERFINE,
}
# Characters: of the cover's message, of a URL, of all page selections of a file.
MESSAGE_LIMIT = 20_000
URL_LIMIT = 4096
SELECTION_LIMIT = 2000
# Characters of a list of numbers: fifteen with punctuation, and some more.
NUMBERS_LIMIT = 4096
_SELECTION = re.compile(r"[0-9]{1,6}(-[0-9]{0,6})?|-[0-9]{1,6}")
# Form fields in brackets, such as faxData[0][fileName].
_BRACKETED = re.compile(
    r"faxData\[(?P<index>[0-9]{1,3})?\](?:\[(?P<key>[A-Za-z_]{1,32})\](?:\[[0-9]{0,4}\])?)?"
)


@dataclass(frozen=True, slots=True)
class FileField:
    """One file of ``faxData``: exactly one of ``url``, ``base64`` and ``upload`` is set."""

    name: str
    url: str = ""
    base64: str = ""
    upload: StoredUpload | None = None
    pages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SendFields:
    """The fields of ``fax-send``."""

    numbers: tuple[str, ...]
    files: tuple[FileField, ...]
    caller_id: str = ""
    template_id: int | None = None
    smart_document_id: int | None = None
    subject: str = ""
    from_name: str = ""
    to_name: str = ""
    message: str = ""
    send_at: float | None = None
    quality: Quality = Quality.FINE

    @property
    def wants_cover(self) -> bool:
        """Whether there is a cover page: with a template, or with any text for it."""
        return bool(self.template_id or self.subject or self.from_name or self.to_name or self.message)


def read_send(fields: Mapping[str, Any], settings: ApiSettings, now: float) -> SendFields:
    """The fields of ``fax-send``; ``now`` is Unix time.  Raises ProblemError."""
    smart = _stored_id(fields, "smartDocumentId")
    return SendFields(
        numbers=_numbers(fields.get("faxNumber"), settings.recipients_per_fax),
        files=_files(fields.get("faxData"), settings.files_per_fax, required=smart is None),
        caller_id=text(fields, "callerId", 64),
        template_id=_stored_id(fields, "templateId"),
        smart_document_id=smart,
        subject=text(fields, "subject", LINE_LIMIT),
        from_name=text(fields, "from_name", LINE_LIMIT),
        to_name=text(fields, "to_name", LINE_LIMIT),
        message=text(fields, "message", MESSAGE_LIMIT),
        send_at=_send_at(fields.get("send_at"), now),
        quality=_quality(fields.get("faxQuality")),
    )


def job_id(fields: Mapping[str, Any]) -> int:
    """The required ``jobId``.  Raises ProblemError."""
    found = number(fields, "jobId", least=1)
    if found is None:
        raise refused(REQUEST_INVALID, "jobId", "this field is needed")
    return found


def _stored_id(fields: Mapping[str, Any], name: str) -> int | None:
    """The id of something stored, which clients send as text; zeros alone, as in "0000", mean none."""
    value = fields.get(name)
    if isinstance(value, str) and value.strip() and not value.strip().strip("0"):
        return None
    return None if value == 0 and not isinstance(value, bool) else number(fields, name, least=1)


def nested(fields: Mapping[str, list[str]], uploads: list[tuple[str, StoredUpload]]) -> dict[str, Any]:
    """A form's fields in the shape of the JSON request.

    ``faxData[0][fileName]`` names a member of a file, ``faxNumber[]`` one of several numbers; a file part
    is the content of its entry, or an entry of its own.
    """
    shaped: dict[str, Any] = {}
    entries: dict[int, dict[str, Any]] = {}
    for name, values in fields.items():
        match = _BRACKETED.fullmatch(name)
        if match is None or match["index"] is None or match["key"] is None:
            plain = name.removesuffix("[]")
            shaped[plain] = values if name.endswith("[]") or len(values) > 1 else values[0]
            continue
        entry = entries.setdefault(int(match["index"]), {})
        if match["key"] == "pages":
            entry.setdefault("pages", []).extend(values)
        else:
            entry[match["key"]] = values[0]
    for name, taken in uploads:
        match = _BRACKETED.fullmatch(name)
        given = int(match["index"]) if match is not None and match["index"] is not None else None
        index = given if given is not None else max(entries, default=-1) + 1
        entries.setdefault(index, {})["upload"] = taken
    if entries:
        shaped["faxData"] = [entries[index] for index in sorted(entries)]
    return shaped


def _numbers(value: Any, limit: int) -> tuple[str, ...]:
    """``faxNumber``: a text with one or several numbers, or a list of them.  Repeated ones count once."""
    found: list[str] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, int) and not isinstance(item, bool):
            item = f"+{item}"  # noqa: PLW2901 (a number written without quotes lost its plus)
        if item is None:
            continue
        if not isinstance(item, str) or len(item) > NUMBERS_LIMIT:
            raise refused(NUMBER_INVALID, "faxNumber", "a text with the number is needed")
        found += numbers_apart(item)
    numbers = tuple(dict.fromkeys(found))
    if not numbers:
        raise refused(NUMBER_INVALID, "faxNumber", "this field is needed")
    if len(numbers) > limit:
        raise ProblemError(TOO_MANY_RECIPIENTS, f"at most {limit}")
    return numbers


def _files(value: Any, limit: int, *, required: bool) -> tuple[FileField, ...]:
    if value is None or value == "":
        value = []
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list):
        raise refused(REQUEST_INVALID, "faxData", "a list of files is needed")
    if not value and required:
        raise refused(DOCUMENT_GONE, "faxData", "at least one file is needed")
    if len(value) > limit:
        raise ProblemError(TOO_MANY_FILES, f"at most {limit}")
    return tuple(_file(item, f"faxData[{index}]") for index, item in enumerate(value))


def _file(item: Any, where: str) -> FileField:
    if not isinstance(item, Mapping):
        raise refused(REQUEST_INVALID, where, "an object is needed")
    name = text(item, "fileName", LINE_LIMIT * 2)
    pages = _pages(item.get("pages"), f"{where}.pages")
    if isinstance(item.get("upload"), StoredUpload):
        return FileField(name, upload=item["upload"], pages=pages)
    url = text(item, "fileUrl", URL_LIMIT)
    if url:
        return FileField(name, url=url, pages=pages)
    data = item.get("fileData")
    if isinstance(data, str) and data:
        if data.startswith("data:"):  # RFC 2397: browsers encode files so
            data = data.partition(",")[2]
        return FileField(name, base64=data, pages=pages)
    if data is not None and not isinstance(data, str):
        raise refused(REQUEST_INVALID, f"{where}.fileData", "base64 text is needed")
    raise refused(DOCUMENT_GONE, where, "fileUrl or fileData is needed")


def _pages(value: Any, where: str) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    found: list[str] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, bool) or not isinstance(item, (str, int)):
            raise refused(DOCUMENT_PAGES_INVALID, where, 'a list such as ["1-5", "2"] is needed')
        found += [part.strip() for part in str(item)[: SELECTION_LIMIT + 1].split(",") if part.strip()]
    if sum(len(part) + 1 for part in found) > SELECTION_LIMIT:
        raise refused(DOCUMENT_PAGES_INVALID, where, f"at most {SELECTION_LIMIT} characters")
    for part in found:
        if _SELECTION.fullmatch(part) is None:
            raise refused(DOCUMENT_PAGES_INVALID, where, f"{part[:20]!r} is not a page or range")
    return tuple(found)


def _send_at(value: Any, now: float) -> float | None:
    """Unix time of an ISO 8601 time, UTC by default; a time that has passed means now (None)."""
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
        if moment is None:
            raise ValueError("not a text")
        at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise refused(
            REQUEST_INVALID, "send_at", "a time in UTC such as 2030-01-31T09:30:00Z is needed"
        ) from None
    if not math.isfinite(at) or at > now + FARTHEST_S:
        raise refused(REQUEST_INVALID, "send_at", "at most a hundred years ahead")
    return at if at > now else None


def _quality(value: Any) -> Quality:
    if value is None or value == "":
        return QUALITIES["standard"]
    found = QUALITIES.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise refused(REQUEST_INVALID, "faxQuality", "Low, Standard or HD is needed")
    return found
