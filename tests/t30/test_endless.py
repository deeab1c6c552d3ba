"""A far end that says the same for ever, in each state of a call: the line is free again within a bound."""

from __future__ import annotations

import pytest

from appliance.t30.dce import HangUp, SendCed, SendEcm, SendFrames, SendImage, SendTcf, Sent
from appliance.t30.frames import Fcf
from appliance.t30.parameters import CallParameters, Capabilities, Role
from tests.t30.linked import Pages
from tests.t30.script import Far, white_page
from tests.t30.test_conformance import (
    ECM_TRAINED,
    OPENING,
    PAGE_RECEIVED,
    PAGE_SENT,
    PLAIN,
    V17,
    V27,
    V27_ECM,
)

# A hundred image carriers of six seconds without a command between them take longest.
BOUND_S = 800.0

DIS_SENT = "hears CED\nhears CSI DIS\n"
ECM_CHOSEN = f"{DIS_SENT}says DCS={V27_ECM}\nsends tcf V27TER_4800\nhears CFR\n"
DAMAGED = "sends block V27TER_4800 6 but 0\n"
# state: (role, whether with ECM, how it is reached)
STATES: dict[str, tuple[Role, bool, str]] = {
    "calling": (Role.CALLS, False, OPENING),
    "training": (Role.CALLS, False, f"{OPENING}says DIS={V17}\nhears TSI DCS\nhears tcf V17_14400"),
    "page sent": (Role.CALLS, False, f"{PAGE_SENT}hears MPS"),
    "block sent": (Role.CALLS, True, f"{ECM_TRAINED}hears PPS"),
    "receiver busy": (Role.CALLS, True, f"{ECM_TRAINED}hears PPS\nsays RNR\nhears RR"),
    "answering": (Role.ANSWERS, False, DIS_SENT),
    "DCS": (Role.ANSWERS, False, f"{DIS_SENT}says DCS={V27}"),
    "FTT": (Role.ANSWERS, False, f"{DIS_SENT}says DCS={V27}\nsends bad tcf V27TER_4800\nhears FTT"),
    "CFR": (Role.ANSWERS, False, PAGE_RECEIVED.rpartition("sends page")[0]),
    "page": (Role.ANSWERS, False, PAGE_RECEIVED),
    "MPS": (Role.ANSWERS, False, f"{PAGE_RECEIVED}says MPS\nhears MCF"),
    "EOM": (Role.ANSWERS, False, f"{PAGE_RECEIVED}says EOM\nhears MCF"),
    "EOP": (Role.ANSWERS, False, f"{PAGE_RECEIVED}says EOP\nhears MCF"),
    "CFR with ECM": (Role.ANSWERS, True, ECM_CHOSEN),
    "block": (Role.ANSWERS, True, ECM_CHOSEN + DAMAGED),
    "PPR": (Role.ANSWERS, True, f"{ECM_CHOSEN}{DAMAGED}says PPS=2f000005\nhears PPR"),
}
_FIF = {"DIS": V17, "DTC": V17, "DCS": V27, "CTC": "0004", "PPS": "2f000005", "EOR": "2f", "PPR": "03"}
SAID = [f"says {f.name}={_FIF.get(f.name, '')}" for f in Fcf if f not in (Fcf.DCN, Fcf.FCD)] + [
    "",
    "says bad MCF",
    "says raw ff1300",
    "says raw 4540",
    "says flags",
    "sends bad tcf V27TER_4800",
    "begins V17_14400",
    "misses",
    "sounds CNG",
    f"says DCS={V27}\nsends tcf V27TER_4800",
    f"says DCS={V27}\nsends bad tcf V27TER_4800",
    f"says DCS={V27}\nmisses",
    f"says DCS={V27}\nsends tcf V27TER_4800\nsends page V27TER_4800 bad\nsays MPS",
    "sends page V27TER_4800",
    "sends page V27TER_4800 bad\nsays MPS",
    "sends block V27TER_4800 6 but 0\nsays PPS=2f000005",
]
# Seconds that what we send takes.
_TAKES = {SendFrames: 1.6, SendTcf: 2.5, SendCed: 3.0, SendImage: 10.0, SendEcm: 10.0}


class Parrot(Far):
    """A far end that says one thing again and again, whatever it hears."""

    def goes_on(self, script: str, said: str) -> float:
        """Returns how long the call lasts from the end of ``script`` on, seconds."""
        self.begin()
        self.play(script)
        since = self.now
        while self.call.result is None and self.now - since < BOUND_S:
            for line in said.splitlines() or [""]:
                self._hear_all()
                self.play(line)
                self._until(self.now + 0.3, lambda: bool(self.dce.waiting))
        return self.now - since

    def _hear_all(self) -> None:
        while self.dce.waiting and not isinstance(order := self.dce.waiting.pop(0), HangUp):
            self._event(Sent(), _TAKES[type(order)])


def _play(state: str, said: str) -> Parrot:
    role, ecm, script = STATES[state]
    far = Parrot(CallParameters(role, "+1", Capabilities() if ecm else PLAIN), Pages([white_page()] * 2))
    assert far.goes_on(script, said) < BOUND_S, said
    return far


@pytest.mark.parametrize("state", STATES)
def test_a_far_end_that_says_the_same_for_ever_is_left(state: str) -> None:
    for said in SAID:
        _play(state, said)


@pytest.mark.parametrize(
    ("state", "said", "cause"),
    [
        ("DCS", f"says DCS={V27}", "training_not_received"),
        ("answering", f"says DCS={V27}\nmisses", "training_not_received"),
        ("answering", f"says DCS={V27}\nsends bad tcf V27TER_4800", "training_not_received"),
        ("CFR", f"says DCS={V27}\nsends tcf V27TER_4800", "protocol_garbage"),
        ("answering", SAID[-4], "page_kept_damaged"),
        ("page", "says bad MPS", "sender_went_silent"),
        ("CFR", "says bad MPS", "page_never_came"),
        ("FTT", "says bad DCS=", "page_never_came"),
        ("page", "sends page V27TER_4800", "page_too_large"),
        ("PPR", "says CTC=0004", "protocol_garbage"),
        ("EOP", "says EOP", "received"),
        ("CFR", "begins V27TER_4800\nwaits 700", "page_never_came"),
        ("CFR", "begins V27TER_4800\nmore 1\nwaits 700", "scan_line_too_long"),
    ],
)
def test_the_cause_tells_what_went_on_for_ever(state: str, said: str, cause: str) -> None:
    result = _play(state, said).call.result
    assert result is not None
    assert result.cause.code == cause
