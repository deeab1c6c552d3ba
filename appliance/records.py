"""Records: the declaration of a dataclass gives both its database row and its JSON view.

    @record
    class Job:
        line: str = fact("of the last try", limit=64)
        trace_path: Annotated[str, PRESENT] = fact("there is an account of the call", name="trace")

From that come the reading of rows (``from_row``) and their writing (``to_row``, ``insert``), the object that
every interface shows (``view``: REST, webhooks, command line), and what a schema says of it (``facts_of``;
``appliance.api.rest.views`` words it as JSON Schema).  A new field is its line here and a migration.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, datetime
from enum import Enum
from functools import cache, lru_cache
from inspect import get_annotations
from types import NoneType
from typing import Annotated, Any, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints

from appliance.causes import Cause, cause_of
from appliance.language import said
from appliance.remarks import Remark
from appliance.remarks import from_json as remarks_from_json
from appliance.remarks import to_json as remarks_to_json
from appliance.url_passwords import masked

T = TypeVar("T")
Json = dict[str, Any]

# Longest text of a field that names no length, characters.
TEXT_LIMIT = 200
# The last time of a four-digit year, Unix time; the view of "never".
LAST_MOMENT = 253402300799.0


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class ValueKind:
    """How a value is stored in the database and shown as JSON.  ``name`` is for schemas."""

    name: str
    read: Callable[[Any], Any] = _same  # from the database
    write: Callable[[Any], Any] = _same  # to the database
    show: Callable[[Any], Any] = _same  # as JSON
    ask: Callable[[Any], Any] = _same  # from a client's JSON
    choices: tuple[str, ...] = ()


@lru_cache(maxsize=1024)  # the same faxes are listed again and again
def time_text(at: float | None) -> str | None:
    """Unix time as RFC 3339 in UTC, to the millisecond."""
    if at is None:
        return None
    whole = min(max(at, 0.0), LAST_MOMENT)
    return datetime.fromtimestamp(whole, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cause_view(cause: Cause) -> Json:
    """A cause as JSON, in the reader's language."""
    return {
        "code": cause.code,
        "side": cause.side.value,
        "sentence": said(cause.sentence),
        "advice": said(cause.advice),
        "retry": cause.retry.value,
    }


def remark_view(remark: Remark) -> Json:
    """A remark as JSON, in the reader's language."""
    return {
        "code": remark.kind.code,
        "weight": remark.kind.weight.value,
        "sentence": said(remark.kind.sentence),
        "advice": said(remark.kind.advice),
        "page": remark.page,
        "file": remark.file,
        "detail": remark.detail,
    }


# -- kinds that a type's name does not say -------------------------------------------------------

TIME = ValueKind("time", show=time_text)
# The code of a row of the table of causes, shown as the row; empty: none.
CAUSE = ValueKind("cause", show=lambda code: cause_view(cause_of(code)) if code else None)
# Counted from 0 inside, from 1 for people.
FROM_ONE = ValueKind("from one", show=lambda number: number + 1)
# A path, of which only its presence is shown.
PRESENT = ValueKind("flag", show=bool)
WORD = ValueKind("text", show=str.lower)
# A URL, shown without its password.
URL = ValueKind("text", show=masked)
# A bound; NULL means none.
BOUND = ValueKind("time", read=lambda at: math.inf if at is None else at, show=time_text)
REMARKS = ValueKind(
    "remarks",
    read=lambda text: remarks_from_json(json.loads(text)),
    write=lambda remarks: json.dumps(remarks_to_json(remarks)),
    show=lambda remarks: [remark_view(remark) for remark in remarks],
)

Moment = Annotated[float, TIME]

_OF_TYPE: Mapping[Any, ValueKind] = {
    int: ValueKind("integer"),
    float: ValueKind("number", show=lambda value: round(value, 3)),
    str: ValueKind("text"),
    bool: ValueKind("flag", read=bool),
    Mapping: ValueKind("object", read=json.loads, write=json.dumps, show=dict),
}


def _of_enum(enum: type[Enum]) -> ValueKind:
    """Shown by its value, or by its name where the value is a number."""
    numbered = any(isinstance(member.value, int) for member in enum)
    words = {member: member.name.lower() if numbered else str(member.value) for member in enum}
    members = {word: member for member, word in words.items()}
    return ValueKind(
        "choice",
        read=enum,
        write=lambda member: member.value,
        show=lambda member: words[member],
        ask=lambda word: members[word],
        choices=tuple(members),
    )


# -- declaring -----------------------------------------------------------------------------------


def _always(_: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Declared:
    """Declared properties of a field besides its type."""

    help: str = ""
    name: str = ""  # as it is shown; empty: as the field is called
    within: str = ""  # the object that contains it
    limit: int = TEXT_LIMIT  # longest text
    least: int = 0  # smallest whole number
    shown: bool = True
    when: Callable[[Any], bool] = _always  # otherwise null is shown
    column: str = ""  # in the database; empty: as the field is called
    tables: tuple[str, ...] = ()  # where the column is, for a record that spans several
    asked: bool = False  # a client may give it with a new fax


_DECLARED = "record"


def fact(
    help: str = "",
    *,
    default: Any = MISSING,
    default_factory: Any = MISSING,
    kw_only: Any = MISSING,
    **more: Any,
) -> Any:
    """A field of a record.  ``more`` as in ``Declared``."""
    return field(
        default=default,
        default_factory=default_factory,
        kw_only=kw_only,
        metadata={_DECLARED: Declared(help, **more)},
    )


def hidden(
    *, default: Any = MISSING, default_factory: Any = MISSING, kw_only: Any = MISSING, **more: Any
) -> Any:
    """A field that is stored and never shown."""
    return fact(default=default, default_factory=default_factory, kw_only=kw_only, shown=False, **more)


@dataclass_transform(frozen_default=True, field_specifiers=(fact, hidden, field))
def record(kind: type[T]) -> type[T]:
    """Makes a record of a class: a frozen dataclass with slots."""
    return dataclass(frozen=True, slots=True)(kind)


@dataclass(frozen=True, slots=True)
class Fact:
    """A declared field of a record, with its kind."""

    attribute: str
    kind: ValueKind
    optional: bool  # may be None
    declared: Declared

    @property
    def name(self) -> str:
        """Its name in views and requests."""
        return self.declared.name or self.attribute

    @property
    def column(self) -> str:
        """Its column in the database."""
        return self.declared.column or self.attribute

    @property
    def nullable(self) -> bool:
        """Whether null may be shown."""
        return self.optional or self.declared.when is not _always or self.kind is CAUSE


@cache
def facts_of(record: Any) -> tuple[Fact, ...]:
    """The declared fields of a record's class, its own before inherited ones."""
    hints = get_type_hints(record, include_extras=True)
    own = get_annotations(record)
    ordered = sorted(fields(record), key=lambda each: each.name not in own)
    return tuple(
        Fact(each.name, *_kind_of(hints[each.name]), each.metadata[_DECLARED])
        for each in ordered
        if _DECLARED in each.metadata
    )


def _kind_of(hint: Any) -> tuple[ValueKind, bool]:
    optional = False
    arguments = get_args(hint)
    if NoneType in arguments:
        optional = True
        (hint,) = (each for each in arguments if each is not NoneType)
    if get_origin(hint) is Annotated:
        kinds = [each for each in get_args(hint) if isinstance(each, ValueKind)]
        return kinds[0], optional
    hint = get_origin(hint) or hint
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _of_enum(hint), optional
    return _OF_TYPE[hint], optional


# -- showing -------------------------------------------------------------------------------------


# How a view shows a field: the object that contains it, its name there, its attribute, whether it applies,
# and its kind's way of showing it; None: always, and as it is.
_Shown = tuple[str, str, str, Callable[[Any], bool] | None, Callable[[Any], Any] | None]


@cache
def _shown(record: Any) -> tuple[_Shown, ...]:
    return tuple(
        (
            each.declared.within,
            each.name,
            each.attribute,
            None if each.declared.when is _always else each.declared.when,
            None if each.kind.show is _same else each.kind.show,
        )
        for each in facts_of(record)
        if each.declared.shown
    )


def view(record: Any) -> Json:
    """The record as JSON, the same in every interface; null where a field does not apply."""
    shown: Json = {}
    kind: Any = type(record)
    for within, name, attribute, when, show in _shown(kind):
        value = getattr(record, attribute)
        if value is not None:
            if when is not None and not when(record):
                value = None
            elif show is not None:
                value = show(value)
        target = shown.setdefault(within, {}) if within else shown
        target[name] = value
    return shown


# -- rows ----------------------------------------------------------------------------------------


@lru_cache(maxsize=64)  # the columns may come from a file
def _readers(
    record: Any, columns: tuple[str, ...]
) -> tuple[tuple[str, int, Callable[[Any], Any] | None, bool], ...]:
    """How each field is read from a row of these columns; None: it is kept as it is."""
    return tuple(
        (
            each.attribute,
            columns.index(each.column),
            None if each.kind.read is _same else each.kind.read,
            each.optional,
        )
        for each in facts_of(record)
    )


class DamagedRowError(ValueError):
    """A row has a value that cannot be read."""


def from_row(record: type[T], row: sqlite3.Row | Mapping[str, Any]) -> T:
    """Makes a record from a row.  Raises DamagedRowError."""
    readers: Any = record
    attribute, values = "", tuple(row.values() if isinstance(row, Mapping) else row)
    found: dict[str, Any] = {}
    try:
        for attribute, place, read, optional in _readers(readers, tuple(row.keys())):
            value = values[place]
            found[attribute] = value if read is None or (optional and value is None) else read(value)
        return record(**found)
    except (ValueError, TypeError, AttributeError) as error:
        raise DamagedRowError(f"{record.__name__}.{attribute}: {error}") from error


def from_rows(record: type[T], rows: Iterable[sqlite3.Row]) -> list[T]:
    """A record of each row.  Raises DamagedRowError."""
    return [from_row(record, row) for row in rows]


def to_row(record: Any, table: str = "", of: Any = None) -> dict[str, Any]:
    """The columns of a record; with ``table`` only those in it, with ``of`` only that base's fields."""
    row = {}
    kind: Any = of or type(record)
    for each in facts_of(kind):
        if not table or table in each.declared.tables:
            value = getattr(record, each.attribute)
            row[each.column] = None if value is None else each.kind.write(value)
    return row


def shared(record: Any, base: Any) -> dict[str, Any]:
    """The values of the fields that ``record`` inherits from ``base``."""
    return {each.attribute: getattr(record, each.attribute) for each in facts_of(base)}


def insert(db: sqlite3.Connection, table: str, row: Mapping[str, Any], *, replace: bool = False) -> int:
    """Writes a row; returns its id."""
    verb = "INSERT OR REPLACE" if replace else "INSERT"
    marks = ", ".join("?" * len(row))
    cursor = db.execute(f"{verb} INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
    return int(cursor.lastrowid or 0)
