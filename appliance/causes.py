"""The one table of how a fax can end: stable code, whose side it was on, a sentence, advice, retry.

Every room reads this table (results, API, web pages, e-mail, reports); nothing else may invent a
code or word a failure itself.  A code never changes its meaning once released.

A leaf module: it imports nothing of ours, so that every room may import it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Side(Enum):
    """Whose side a fax's end was on."""

    NONE = "none"  # nothing went wrong
    OURS = "ours"  # this box: a bug, a full disk, a missing device
    THEIRS = "theirs"  # the far machine or its owner
    LINE = "line"  # what lies between: trunk, telephone line, network
    USER = "user"  # the person who asked: wrong number, unreadable document


class Retry(Enum):
    """What a dispatcher should do next with a job that ended so."""

    NO = "no"  # done, or trying again cannot help
    SOON = "soon"  # a passing state of the far end: busy, no answer
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


_TABLE: dict[str, Cause] = {}


def _row(code: str, side: Side, retry: Retry, sentence: str, advice: str) -> Cause:
    if code in _TABLE:
        raise ValueError(f"cause {code!r} stands twice in the table")
    cause = _TABLE[code] = Cause(code, side, sentence, advice, retry)
    return cause


def cause_of(code: str) -> Cause:
    """The row with this code.  Raises KeyError for a code that was never in the table."""
    return _TABLE[code]


def all_causes() -> tuple[Cause, ...]:
    """Every row, in the table's order (for documentation and tests)."""
    return tuple(_TABLE.values())


# -- success -----------------------------------------------------------------------------------

DELIVERED = _row(
    "delivered", Side.NONE, Retry.NO,
    "The fax was delivered; the receiving machine confirmed every page.",
    "Nothing to do.",
)
RECEIVED = _row(
    "received", Side.NONE, Retry.NO,
    "The fax was received; every page was confirmed to the sender.",
    "Nothing to do.",
)
