"""What was learned of a destination, and its effect on the next call.

Each further *step* makes a call more cautious: a lower rate, then V.29 instead of V.17, then no ECM.  That is
the order in which problems with old machines and bad lines are usually solved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from appliance.causes import Cause, Retry
from appliance.spool.model import DAY_S
from appliance.t30.dce import Carrier, Modulation
from appliance.t30.parameters import ALL_CARRIERS, CallResult

# How long a learned step is used, seconds; after that the step before it is tried again.
BELIEVED_S = 30 * DAY_S


@dataclass(frozen=True, slots=True)
class LadderStep:
    """Limits of a call: the bit rate (bit/s), and whether V.17 and ECM may be used."""

    bit_rate: int
    v17: bool
    ecm: bool
    sentence: str

    def carriers(self, bit_rate: int) -> frozenset[Carrier]:
        """The carriers to offer, none faster than ``bit_rate`` (bit/s) or the step's own limit."""
        bound = min(self.bit_rate, bit_rate)
        return frozenset(
            carrier
            for carrier in ALL_CARRIERS
            if carrier.bit_rate <= bound and (self.v17 or carrier.modulation is not Modulation.V17)
        )


STEPS: tuple[LadderStep, ...] = (
    LadderStep(14400, v17=True, ecm=True, sentence="as fast as both machines can"),
    LadderStep(9600, v17=True, ecm=True, sentence="at most 9600 bit/s"),
    LadderStep(9600, v17=False, ecm=True, sentence="V.29 at most, for machines that have trouble with V.17"),
    LadderStep(9600, v17=False, ecm=False, sentence="V.29 at most, without error correction"),
    LadderStep(4800, v17=False, ecm=False, sentence="4800 bit/s at most, without error correction"),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What was learned of a destination.  The owner of the box can see and delete all of it."""

    step: int = 0  # index in STEPS of the last delivery
    step_at: float = 0.0  # Unix time of that delivery
    line: str = ""  # line of the last delivery
    medium: str = ""  # medium of the last delivery over a SIP trunk: t38 or g711
    remote_id: str = ""
    delivered: int = 0  # faxes
    failed: int = 0  # calls
    last_cause: str = ""
    bit_rate: int = 0  # of the last delivery
    ecm: bool = False
    seconds_a_page: float = 0.0  # of the last delivery
    nominal_pace: bool = False  # a quick call has failed: T.30's nominal times are used from then on

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Profile:
        """From JSON data; unknown fields of other versions are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})

    def dump(self) -> dict[str, Any]:
        """As JSON data, for ``load``."""
        return asdict(self)

    def start_step(self, now: float) -> int:
        """The index in STEPS to begin with at Unix time ``now``."""
        step = min(max(self.step, 0), len(STEPS) - 1)
        return max(step - 1, 0) if step and now - self.step_at > BELIEVED_S else step


def learn(
    profile: Profile, result: CallResult, *, step: int, line: str, medium: str, seconds: float, now: float
) -> Profile:
    """The profile after a call made with ``step`` over ``line`` and ``medium`` that took ``seconds``."""
    cause: Cause = result.cause
    if cause.retry is Retry.OTHER_LINE:
        return profile  # the fault of the line, not of the destination
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
        bit_rate=result.bit_rate,
        ecm=result.ecm,
        seconds_a_page=seconds / result.pages_sent if result.pages_sent else 0.0,
    )
