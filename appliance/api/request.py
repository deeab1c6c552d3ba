"""Reading a request's content and query, within limits and with a clear error for everything else."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from appliance.api import causes
from appliance.api.problems import ProblemError
from appliance.documents.text.plain import charset_of
from appliance.settings.units import MB

Environ = dict[str, Any]

PIECE_OCTETS = 64 * 1024
# The most parameters of a query.
QUERY_LIMIT = 64
JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
# Depth of lists and objects within one another.
DEPTH_LIMIT = 64
# Values in one JSON text: in memory each takes some 70 octets, however short it is.
VALUES_LIMIT = 100_000
# Octets of a form without files.
FORM_LIMIT = 1 * MB
# Escapes of characters that cannot be stored: unpaired surrogates, and NUL.
_DOUBTFUL_ESCAPE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}")


def media_type(environ: Environ) -> str:
    """The content's media type without parameters, in lower case; empty when none is given."""
    return str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()


def clean_media_type(text: str) -> str:
    """``text`` if it looks like a media type, else application/octet-stream.

    Of its parameters only a text's charset is kept: it is needed to read the text.
    """
    plain = text.partition(";")[0].strip().lower()
    if not _MEDIA_TYPE.fullmatch(plain):
        return "application/octet-stream"
    charset = charset_of(text) if plain.startswith("text/") else ""
    return f"{plain}; charset={charset.lower()}" if charset else plain


def declared_length(environ: Environ) -> int | None:
    """The content's length according to Content-Length; None when it comes in chunks.

    Raises ProblemError for a malformed length.
    """
    if environ.get("wsgi.input_terminated"):
        return None
    text = str(environ.get("CONTENT_LENGTH") or "0")
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise ProblemError(causes.REQUEST_INVALID, "Content-Length is not a length")
    return int(text)


def pieces(environ: Environ, limit: int) -> Iterator[bytes]:
    """The content, piece by piece.

    Raises ProblemError: REQUEST_TOO_LARGE past ``limit`` octets, REQUEST_INCOMPLETE when it breaks off,
    MEDIA_TYPE_UNSUPPORTED when it is compressed: unpacked it would have no limit.
    """
    if str(environ.get("HTTP_CONTENT_ENCODING", "")).strip().lower() not in ("", "identity"):
        raise ProblemError(
            causes.MEDIA_TYPE_UNSUPPORTED, "send the content as it is, without Content-Encoding"
        )
    length = declared_length(environ)
    if length is not None and length > limit:
        raise too_large(limit)
    source = environ["wsgi.input"]
    total = 0
    while length is None or total < length:
        want = PIECE_OCTETS if length is None else min(PIECE_OCTETS, length - total)
        try:
            piece = source.read(want)
        except (OSError, ValueError) as error:  # a broken connection; a malformed chunk
            raise ProblemError(causes.REQUEST_INCOMPLETE, f"after {total} octets") from error
        if not piece:
            break
        total += len(piece)
        if total > limit:
            raise too_large(limit)
        yield bytes(piece)
    if length is not None and total < length:
        raise ProblemError(causes.REQUEST_INCOMPLETE, f"{total} of {length} octets came")


def too_large(limit: int) -> ProblemError:
    """The problem of a content that exceeds ``limit`` octets."""
    return ProblemError(causes.REQUEST_TOO_LARGE, f"at most {limit / MB:g} MB")


def content(environ: Environ, limit: int) -> bytes:
    """All of the content.  Raises as ``pieces``."""
    return b"".join(pieces(environ, limit))


def read_json(environ: Environ, limit: int, *, required: bool = True) -> Any:
    """The content as JSON: I-JSON (RFC 7493), except that names may be repeated.

    Without content it is an empty object, unless it is ``required``.

    Raises ProblemError.
    """
    given = media_type(environ)
    raw = content(environ, limit)
    if not raw.strip():
        if required:
            raise ProblemError(causes.REQUEST_INVALID, "a content is needed, as JSON")
        return {}
    if given and given != JSON_TYPE and not given.endswith("+json"):
        raise ProblemError(causes.MEDIA_TYPE_UNSUPPORTED, f"{JSON_TYPE} is needed")
    return parse_json(raw)


def parse_json(raw: bytes) -> Any:
    """The value of a JSON text.  Raises ProblemError (REQUEST_INVALID) if it is malformed or not storable."""
    # Counts those within strings, too: no string that the box accepts has so many.
    if sum(map(raw.count, (b",", b"[", b"{"))) > VALUES_LIMIT:
        raise ProblemError(causes.REQUEST_INVALID, f"more than {VALUES_LIMIT} values")
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=finite)
    except (ValueError, RecursionError) as error:
        raise ProblemError(causes.REQUEST_INVALID, f"this is not JSON: {error}") from None
    if raw.count(b"[") + raw.count(b"{") > DEPTH_LIMIT:
        _require_shallow(value)
    if _DOUBTFUL_ESCAPE.search(raw) or b"\0" in raw:
        _require_text(value)
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def finite(text: str) -> float:
    """The number that ``text`` says.  Raises ValueError, also for "nan" and what is too large."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _require_shallow(value: Any) -> None:
    """Raises ProblemError for deep nesting, which code with a deeper stack could not read again."""
    level = [value]
    for _ in range(DEPTH_LIMIT):
        level = [
            item
            for outer in level
            if isinstance(outer, list | dict)
            for item in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise ProblemError(causes.REQUEST_INVALID, f"this is nested more than {DEPTH_LIMIT} deep")


def _require_text(value: Any) -> None:
    """Raises ProblemError unless every string can be stored: encodable, and without NUL."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            check_text(item)
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())


def check_text(text: str) -> str:
    """``text`` itself.  Raises ProblemError when it contains NUL or an unpaired surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ProblemError(causes.REQUEST_INVALID, "a text holds half a surrogate pair") from None
    if "\0" in text:
        raise ProblemError(causes.REQUEST_INVALID, "a text holds a NUL character")
    return text


def read_query(environ: Environ) -> dict[str, list[str]]:
    """The query's parameters, each with its values in order.  Raises ProblemError."""
    return _pairs(str(environ.get("QUERY_STRING", "")), QUERY_LIMIT)


# In an address a plus sign that is not encoded means a blank; no country's code begins with 0.
_LOST_PLUS = re.compile(r"^ (?=[1-9])")


def with_plus(number: str) -> str:
    """A telephone number from a query, which may have lost its plus sign: nothing is dialled for a query."""
    return _LOST_PLUS.sub("+", number)


def last_of_each(values: Mapping[str, list[str]]) -> dict[str, str]:
    """The parameters of a query or the fields of a form; of a repeated one the last."""
    return {name: found[-1] for name, found in values.items()}


def read_form(environ: Environ, limit: int = FORM_LIMIT) -> dict[str, list[str]]:
    """A form without files (urlencoded).  Raises ProblemError."""
    return form_fields(form_text(environ, limit))


def form_text(environ: Environ, limit: int = FORM_LIMIT) -> str:
    """A form without files as it was sent.  Raises ProblemError."""
    if media_type(environ) != FORM_TYPE:
        raise ProblemError(causes.MEDIA_TYPE_UNSUPPORTED, f"{FORM_TYPE} is needed")
    try:
        return content(environ, limit).decode()
    except UnicodeDecodeError:
        raise ProblemError(causes.REQUEST_INVALID, "the form is not UTF-8") from None


def form_fields(text: str) -> dict[str, list[str]]:
    """The fields of a form, each with its values in order.  Raises ProblemError."""
    return _pairs(text, QUERY_LIMIT)


def _pairs(text: str, limit: int) -> dict[str, list[str]]:
    try:
        found = parse_qsl(text, keep_blank_values=True, max_num_fields=limit, errors="strict")
    except ValueError:
        raise ProblemError(causes.REQUEST_INVALID, "the parameters cannot be read, or are too many") from None
    values: dict[str, list[str]] = {}
    for name, value in found:
        values.setdefault(check_text(name), []).append(check_text(value))
    return values
