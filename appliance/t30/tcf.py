"""The training check (TCF): its length, and whether a received one is good enough."""

from __future__ import annotations

from appliance.t30.dce import Carrier
from appliance.t30.timers import TCF_S

# How much of a TCF must be right.  T.30 leaves that to the manufacturer.  These values are those that public
# class-1 modem drivers use: at most a tenth of the octets not zero, and one second of unbroken zeros.  With
# ECM a damaged frame is only sent again, so half a second is enough.
MAX_NON_ZERO = 0.10
MIN_RUN_S = 1.0
MIN_RUN_ECM_S = 0.5


def tcf_octets(carrier: Carrier, seconds: float = TCF_S) -> int:
    """Octets of zeros in a TCF of this length at the carrier's rate."""
    return int(carrier.bit_rate * seconds / 8)


class TcfJudge:
    """Judges a TCF while it is received, from counts alone.  With ``ecm`` it is less strict."""

    def __init__(self, carrier: Carrier, *, ecm: bool) -> None:
        self._nominal = tcf_octets(carrier)
        self._needed = int(carrier.bit_rate * (MIN_RUN_ECM_S if ecm else MIN_RUN_S) / 8)
        self._run = 0
        self.longest_run = 0  # octets
        self.octets = 0
        self.non_zero = 0  # within the first 1.5 s: after that the carrier ends, and modems output noise

    def feed(self, octets: bytes) -> None:
        """Takes the next octets, in order."""
        counted = octets[: max(0, self._nominal - self.octets)]
        self.octets += len(octets)
        self.non_zero += len(counted) - counted.count(0)
        for index, piece in enumerate(_zero_runs(octets)):
            self._run = self._run + piece if index == 0 else piece
            self.longest_run = max(self.longest_run, self._run)

    @property
    def good(self) -> bool:
        """Whether what was fed so far is to be answered by CFR."""
        counted = min(self.octets, self._nominal)
        return self.longest_run >= self._needed and self.non_zero <= counted * MAX_NON_ZERO


def _zero_runs(octets: bytes) -> list[int]:
    """Lengths of the runs of zeros before, between and after other octets, empty runs included."""
    runs = [0]
    if not any(octets):
        return [len(octets)]
    for octet in octets:
        if octet:
            runs.append(0)
        else:
            runs[-1] += 1
    return runs
