"""The table of the practice numbers and their behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from appliance.lines.practice.abilities import (
    ALL_COMPRESSIONS,
    ALL_MODEMS,
    ALL_RESOLUTIONS,
    Compressions,
    Manners,
    Modems,
    Resolutions,
)
from appliance.lines.practice.faults import DCN, MCF, DropAt, Faults, Swap
from appliance.lines.practice.network import Impairment


class Signal(Enum):
    """How the network ends a call."""

    ANSWERS = "answers"
    BUSY = "busy"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Script:
    """One practice number.

    ``attempts`` are the machine's faults at the first, second … attempt of a job; the last one is for
    all later ones too.
    """

    sentence: str
    signal: Signal = Signal.ANSWERS
    attempts: tuple[Faults, ...] = (Faults(),)
    manners: Manners = Manners.TERMINAL
    modems: Modems = ALL_MODEMS
    compressions: Compressions = ALL_COMPRESSIONS
    resolutions: Resolutions = ALL_RESOLUTIONS
    ecm: bool = True
    network: Impairment = field(default_factory=lambda: Impairment(delay_s=0.0))
    ring_s: float = 1.0

    def faults(self, attempt: int) -> Faults:
        """The faults at this attempt, from 1."""
        return self.attempts[min(max(attempt, 1), len(self.attempts)) - 1]


PRACTICE_NUMBERS: dict[str, Script] = {
    "9990": Script("Answers and takes every page."),
    "9991": Script("Is always busy.", signal=Signal.BUSY),
    "9992": Script("Rings, but nobody answers.", signal=Signal.NO_ANSWER),
    "9993": Script(
        "Drops the call during page 2 of the first attempt and takes the rest on the second.",
        attempts=(Faults(drop_at=DropAt(page=2, after_octets=200)), Faults()),
    ),
    "9994": Script("A person answers: there is no fax machine.", attempts=(Faults(mute=True),)),
    "9995": Script(
        "A bad line: packets are lost and frames arrive damaged, error correction repairs them.",
        attempts=(Faults(spoilt_frames=0.08, seed=9995),),
        network=Impairment(loss=0.03, repeat=0.02, delay_s=0.04, jitter_s=0.03, seed=9995),
    ),
    "9996": Script(
        "Disconnects instead of confirming the first page.",
        attempts=(Faults(swaps=(Swap(MCF, 1, DCN),)),),
    ),
    "9997": Script(
        "A gateway to the telephone network with an analogue fax machine behind it.", manners=Manners.GATEWAY
    ),
    "9998": Script(
        "An old machine: 4800 bit/s, standard resolution, no error correction.",
        modems=Modems.V27TER,
        compressions=Compressions.MH,
        resolutions=Resolutions.STANDARD | Resolutions.R8,
        ecm=False,
    ),
}


def script_for(number: str) -> Script | None:
    """The script of a number as dialled; None when there is no such practice number."""
    return PRACTICE_NUMBERS.get("".join(each for each in number if each.isdigit()))
