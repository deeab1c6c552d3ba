"""The training check (TCF): how long it is, and whether one that came in is good enough."""

from __future__ import annotations

from appliance.t30.dce import Carrier
from appliance.t30.timers import TCF_S

# How much of a TCF must be right.  T.30 leaves the judgement to the maker.  These are the values that
# public class-1 modem drivers have found to work: at most a tenth of the octets not zero, and a
# second of zeros without a break.  With ECM a lost frame is only sent again, so half of that will do.
MAX_NON_ZERO = 0.10
MIN_RUN_S = 1.0
MIN_RUN_ECM_S = 0.5


def tcf_octets(carrier: Carrier, seconds: float = TCF_S) -> int:
    """Octets of zeros in a TCF at this rate."""
    return int(carrier.bit_rate * seconds / 8)


class TcfJudge:
    """Hears a TCF octet by octet, keeps only counts, and says whether the line is good enough."""

    def __init__(self, carrier: Carrier, *, ecm: bool) -> None:
        self._nominal = tcf_octets(carrier)
        self._needed = int(carrier.bit_rate * (MIN_RUN_ECM_S if ecm else MIN_RUN_S) / 8)
        self._run = 0
        self.longest_run = 0  # octets
        self.octets = 0
        self.non_zero = 0  # in the first 1.5 s: behind them the carrier falls, and modems hear noise

    def feed(self, octets: bytes) -> None:
        counted = octets[: max(0, self._nominal - self.octets)]
        self.octets += len(octets)
        self.non_zero += len(counted) - counted.count(0)
        for index, piece in enumerate(_zero_runs(octets)):
            self._run = self._run + piece if index == 0 else piece
            self.longest_run = max(self.longest_run, self._run)

    @property
    def good(self) -> bool:
        counted = min(self.octets, self._nominal)
        return self.longest_run >= self._needed and self.non_zero <= counted * MAX_NON_ZERO


def _zero_runs(octets: bytes) -> list[int]:
    """Lengths of the runs of zeros between octets that are not zero, empty ones included."""
    runs = [0]
    if not any(octets):
        return [len(octets)]
    for octet in octets:
        if octet:
            runs.append(0)
        else:
            runs[-1] += 1
    return runs
