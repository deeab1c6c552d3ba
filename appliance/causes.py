"""The table of how a fax can end: stable code, side, what to do next, sentence, advice.

Results, API, web pages, e-mail and reports all use this table; no other code or wording of a failure
exists.  A code never changes its meaning once released.

The module ``causes`` of each package declares its rows; this one has the rows of no single package, and the
registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import TypeVar

T = TypeVar("T")


class Side(Enum):
    """The side on which the reason for a fax's end is."""

    NONE = "none"  # nothing went wrong
    OURS = "ours"  # this box: a bug, a full disk, a missing device
    THEIRS = "theirs"  # the far machine or its owner
    LINE = "line"  # in between: trunk, telephone line, network
    USER = "user"  # the person who asked: wrong number, unreadable document


class Retry(Enum):
    """What the dispatcher does next with a job whose attempt ended so."""

    NO = "no"  # done, or trying again cannot help
    SOON = "soon"  # a temporary state of the far end: busy, no answer
    STEP_DOWN = "step_down"  # again, slower or without the feature that failed
    OTHER_LINE = "other_line"  # this line is at fault, another may work
    LATER = "later"  # again after a long pause
    ASK = "ask"  # unknown whether it arrived: the owner's rule decides


@dataclass(frozen=True, slots=True)
class Cause:
    """One row of the table.

    ``sentence`` and ``advice`` are complete English sentences for someone who has never read T.30.
    """

    code: str
    side: Side
    sentence: str
    advice: str
    retry: Retry

    def __reduce__(self) -> tuple[Callable[[str], Cause], tuple[str]]:
        """Pickles a row as its code, so that each process has one object for it."""
        return cause_of, (self.code,)


def in_words(sentence: str, detail: str = "", advice: str = "") -> str:
    """A sentence and its advice as one line, with ``detail`` in brackets between them."""
    if detail and not detail.startswith("("):
        detail = f"({detail})"
    return " ".join(filter(None, (sentence, detail, advice)))


class CauseError(Exception):
    """Something was not done:  ``cause`` is the row with the reason, ``detail`` says what exactly."""

    def __init__(self, cause: Cause, detail: str = "") -> None:
        super().__init__(in_words(cause.sentence, detail))
        self.cause = cause
        self.detail = detail


# The packages with rows, in the order of the table.  They are imported by name when a row is not found: codes
# come from a database or another process, and this process may not have imported the package yet.
PACKAGES = (
    "appliance",
    "appliance.documents",
    "appliance.lines",
    "appliance.lines.practice",
    "appliance.lines.modem",
    "appliance.spool",
    "appliance.services",
    "appliance.dispatch",
    "appliance.t30",
    "appliance.lines.sip",
    "appliance.net",
    "appliance.api",
    "appliance.phonebook",
    "appliance.backup",
    "appliance.hardware",
    "appliance.deliver",
)

_TABLE: dict[str, Cause] = {}


def declare(code: str, side: Side, retry: Retry, sentence: str, advice: str) -> Cause:
    """Adds a row to the table, for a package's module ``causes``; returns it."""
    if code in _TABLE:
        raise ValueError(f"cause {code!r} stands twice in the table")
    cause = _TABLE[code] = Cause(code, side, sentence, advice, retry)
    return cause


def user_mistake(code: str, sentence: str, advice: str) -> Cause:
    """Declares a row for a mistake that the user has to correct; an unchanged retry cannot help."""
    return declare(code, Side.USER, Retry.NO, sentence, advice)


def cause_of(code: str) -> Cause:
    """The row with this code.  Raises KeyError for an unknown one."""
    if code not in _TABLE:
        all_causes()
    return _TABLE[code]


def by_code(table: Mapping[T, str]) -> dict[str, T]:
    """What each cause stands for, by its code; ``table`` has the codes of each, with spaces between."""
    return {code: meaning for meaning, codes in table.items() for code in codes.split()}


def all_causes() -> tuple[Cause, ...]:
    """Every row, in the table's order (for documentation and tests)."""
    modules = [import_module(f"{package}.causes") for package in PACKAGES]
    return tuple(row for module in modules for row in vars(module).values() if isinstance(row, Cause))


def as_markdown() -> str:
    """The table as docs/causes.md; ``python -m appliance.causes`` prints it."""
    lines = [
        "# How a fax can end",
        "",
        "Made by `python -m appliance.causes` from each package's `causes.py`. The code is what interfaces",
        "and reports carry; it never changes its meaning. *Side* is whose matter it is: this box, the far",
        "end, the line between, or the person who asked. *Then* is what the box does by itself.",
        "",
        "| code | side | what happened | what to do | then |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row.code}` | {row.side.value} | {row.sentence} | {row.advice} | {_THEN[row.retry]} |"
        for row in all_causes()
    ]
    return "\n".join(lines) + "\n"


_THEN = {
    Retry.NO: "ends",
    Retry.SOON: "tries again soon",
    Retry.STEP_DOWN: "tries again, slower",
    Retry.OTHER_LINE: "tries another line",
    Retry.LATER: "tries again later",
    Retry.ASK: "follows the owner's rule",
}


# -- of no package alone ----------------------------------------------------------------------------

DELIVERED = declare(
    "delivered",
    Side.NONE,
    Retry.NO,
    "The fax was delivered; the receiving machine confirmed every page.",
    "Nothing to do.",
)
RECEIVED = declare(
    "received",
    Side.NONE,
    Retry.NO,
    "The fax was received; every page was confirmed to the sender.",
    "Nothing to do.",
)
CANCELLED = declare(
    "cancelled",
    Side.USER,
    Retry.NO,
    "The fax was cancelled before it was finished.",
    "Send it again if it is still wanted.",
)
STOPPING = declare(
    "stopping",
    Side.OURS,
    Retry.SOON,
    "The box is shutting down.",
    "Try again when it is up.",
)


if __name__ == "__main__":
    # Run as a program, this is another module than the one that the packages add their rows to.
    print(import_module("appliance.causes").as_markdown(), end="")
