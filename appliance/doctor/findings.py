"""A finding: one sentence, its severity, and advice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from appliance.language import said as _

_log = logging.getLogger(__name__)


class Severity(Enum):
    """The severity of a finding."""

    FINE = "fine"
    WARNING = "warning"  # works, but will fail soon or works badly
    BROKEN = "broken"  # does not work
    SKIPPED = "skipped"  # could not be checked, or does not exist here


@dataclass(frozen=True, slots=True)
class Finding:
    """``sentence`` and ``advice`` are in the reader's language; ``detail`` is what was measured."""

    part: str
    state: Severity
    sentence: str
    advice: str = ""
    detail: str = ""

    def view(self) -> dict[str, Any]:
        """The finding as JSON data."""
        return asdict(self) | {"state": self.state.value}


# The check of one part; it may have several findings, which ``examine`` gives their part.
Look = Callable[[], Iterable[Finding]]


def fine(sentence: str, *, detail: str = "") -> Finding:
    """What a check finds to be in order."""
    return Finding("", Severity.FINE, sentence, detail=detail)


def warning(sentence: str, advice: str = "", detail: str = "") -> Finding:
    """What works, but will fail soon or works badly."""
    return Finding("", Severity.WARNING, sentence, advice, detail)


def broken(sentence: str, advice: str = "", detail: str = "") -> Finding:
    """What does not work."""
    return Finding("", Severity.BROKEN, sentence, advice, detail)


def skipped(sentence: str, advice: str = "", detail: str = "") -> Finding:
    """What could not be checked, or does not exist here."""
    return Finding("", Severity.SKIPPED, sentence, advice, detail)


def examine(looks: Iterable[tuple[str, Look]]) -> Iterator[Finding]:
    """The findings of all checks.  A check that raises is a finding, too, and the others still run.

    ``looks``: each with the name of its part, which several may have.
    """
    for part, look in looks:
        try:
            for finding in look():
                yield replace(finding, part=part)
        except Exception as error:  # a bug of the check, or an unknown kind of machine
            _log.debug("the look at %s failed", part, exc_info=True)
            yield Finding(
                part,
                Severity.SKIPPED,
                _("This could not be looked at."),
                detail=f"{type(error).__name__}: {error}",
            )
