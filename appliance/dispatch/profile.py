"""What is remembered of a destination, and what follows from it for the next call.

A *step* is how cautiously a call is made: rate first, then V.29 instead of V.17, then no error
correction, which is the order in which troubles with old machines and bad lines usually give way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from appliance.causes import Cause, Retry
from appliance.spool.model import DAY_S
from appliance.t30.dce import Carrier, Modulation
from appliance.t30.parameters import ALL_CARRIERS, CallResult

# A step that was learned is believed for so long; then one step better is tried again.
BELIEVED_S = 30 * DAY_S


@dataclass(frozen=True, slots=True)
class Step:
    """Bounds of a call: ``bit_rate`` of the first training, whether V.17 and ECM may be used."""

    bit_rate: int
    v17: bool
    ecm: bool
    sentence: str

    def carriers(self, bit_rate: int) -> frozenset[Carrier]:
        """The carriers to own up to, none faster than ``bit_rate`` either."""
        bound = min(self.bit_rate, bit_rate)
        return frozenset(
            carrier
            for carrier in ALL_CARRIERS
            if carrier.bit_rate <= bound and (self.v17 or carrier.modulation is not Modulation.V17)
        )


STEPS: tuple[Step, ...] = (
    Step(14400, v17=True, ecm=True, sentence="as fast as both machines can"),
    Step(9600, v17=True, ecm=True, sentence="at most 9600 bit/s"),
    Step(9600, v17=False, ecm=True, sentence="V.29 at most, for machines that have trouble with V.17"),
    Step(9600, v17=False, ecm=False, sentence="V.29 at most, without error correction"),
    Step(4800, v17=False, ecm=False, sentence="4800 bit/s at most, without error correction"),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a destination has shown.  Every field may be seen and forgotten by the owner."""

    step: int = 0  # of STEPS: with this one it worked
    step_at: float = 0.0  # when that was learned, Unix time
    line: str = ""  # the line that last reached it
    medium: str = ""  # what carried the last delivery over a SIP trunk: t38 or g711
    remote_id: str = ""
    delivered: int = 0  # faxes
    failed: int = 0  # calls
    last_cause: str = ""
    bit_rate: int = 0  # of the last delivery
    ecm: bool = False
    seconds_a_page: float = 0.0  # of the last delivery
    nominal_pace: bool = False  # a quick call has failed: T.30's nominal times from then on

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Profile:
        """From JSON data; what an older or newer version wrote besides is left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    def start_step(self, now: float) -> int:
        """The step to begin with."""
        step = min(max(self.step, 0), len(STEPS) - 1)
        return max(step - 1, 0) if step and now - self.step_at > BELIEVED_S else step


def learn(
    profile: Profile, result: CallResult, *, step: int, line: str, medium: str, seconds: float, now: float
) -> Profile:
    """What a call's end adds to a profile; ``step`` is how it was made, ``medium`` what carried it."""
    cause: Cause = result.cause
    if cause.retry is Retry.OTHER_LINE:
        return profile  # says nothing about the destination
    profile = replace(
        profile,
        last_cause=cause.code,
        remote_id=result.remote_id or profile.remote_id,
        nominal_pace=profile.nominal_pace or result.quick_failed,
    )
    if cause.code != "delivered":
        return replace(profile, failed=profile.failed + 1)
    return replace(
        profile,
        step=step,
        step_at=now,
        line=line,
        medium=medium,
        delivered=profile.delivered + 1,
        bit_rate=result.carrier.bit_rate if result.carrier else 0,
        ecm=result.ecm,
        seconds_a_page=seconds / result.pages_sent if result.pages_sent else 0.0,
    )
