"""What a look finds: one sentence, how bad it is, and what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from appliance.language import said as _

_log = logging.getLogger(__name__)


class State(Enum):
    """How it is."""

    FINE = "fine"
    WARNING = "warning"  # works, and will not for long, or not as well as it could
    BROKEN = "broken"  # does not work
    SKIPPED = "skipped"  # could not be looked at, or is not there to be


@dataclass(frozen=True, slots=True)
class Finding:
    """``sentence`` and ``advice`` are in the reader's language, ``detail`` is what was measured, in none."""

    part: str
    state: State
    sentence: str
    advice: str = ""
    detail: str = ""

    def view(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "part": self.part,
            "state": self.state.value,
            "sentence": self.sentence,
            "advice": self.advice,
            "detail": self.detail,
        }


# Looks at one part; may find several things.
Look = Callable[[], Iterable[Finding]]


def examine(looks: dict[str, Look]) -> Iterator[Finding]:
    """What all looks find.  One that fails is a finding, too, and the others go on."""
    for part, look in looks.items():
        try:
            yield from look()
        except Exception as error:  # the doctor's own fault, or a machine unlike any that we know
            _log.debug("the look at %s failed", part, exc_info=True)
            yield Finding(
                part,
                State.SKIPPED,
                _("This could not be looked at."),
                detail=f"{type(error).__name__}: {error}",
            )
