"""Each misbehaviour at each step of a call, once and from there on: the call ends, within a bound, and what
it claims is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from appliance.lines.modem.fax import ModemCall, ModemFax
from appliance.t4.page import Raster, Resolution
from appliance.t30.memory import MemoryPages, MemoryStore
from appliance.t30.parameters import CallParameters, Role
from tests.softmodem.by_hand import Answers, ByHand, play, word
from tests.softmodem.fixtures import differing, sample_page

PAGE = sample_page(71, rows=60, resolution=Resolution.STANDARD)
BOUND_S = 220.0  # a minute and a half for an answer, T1, three times T4 for each of DCS and post-message

Misbehaviour = Callable[[ByHand, Answers], Answers]


def instead(*texts: str) -> Misbehaviour:
    def act(modem: ByHand, answers: Answers) -> Answers:
        if "CONNECT" not in texts:
            modem.drop()
        return [(0.02, word(text)) for text in texts]

    return act


def dies(modem: ByHand, answers: Answers) -> Answers:
    modem.die()
    return []


def far_end_leaves(modem: ByHand, answers: Answers) -> Answers:
    modem.far_end_leaves()
    return [(0.05, word("NO CARRIER"))]


def garbage(modem: ByHand, answers: Answers) -> Answers:
    modem.drop()
    return [(0.02, bytes(range(256)) * 20)]


def before(text: str) -> Misbehaviour:
    return lambda _modem, answers: [(0.01, word(text)), *answers]


def twice(seconds: float) -> Misbehaviour:
    """CONNECT and OK are said again."""

    def act(_modem: ByHand, answers: Answers) -> Answers:
        again = [(seconds, said) for _, said in answers if said in (word("CONNECT"), word("OK"))]
        return [*answers, *again]

    return act


def slow(seconds: float) -> Misbehaviour:
    return lambda _modem, answers: [(t + seconds * (i == 0), s) for i, (t, s) in enumerate(answers)]


# Those that a fax survives wherever they come once.
BEARABLE: dict[str, Misbehaviour] = {
    "ringing is heard": before("RINGING"),
    "every word twice": twice(0.005),
    "every word twice, the second late": twice(0.05),
    "a second late": slow(1.0),
    "four seconds late": slow(4.0),
}
OTHERS: dict[str, Misbehaviour] = {
    "silence": instead(),
    "dies": dies,
    "the far end leaves": far_end_leaves,
    "garbage": garbage,
    "a call waiting": before("RING"),
    "numeric results": lambda _modem, answers: [(0.02, b"0\r")],
    "CONNECT, nothing, OK": instead("CONNECT", "OK"),
    "CONNECT, nothing, NO CARRIER": instead("CONNECT", "NO CARRIER"),
    **{
        text: instead(text)
        for text in (
            "OK",
            "ERROR",
            "CONNECT",
            "NO CARRIER",
            "+FCERROR",
            "BUSY",
            "NO DIALTONE",
            "NO ANSWER",
            "VOICE",
            "LINE IN USE",
            "BLACKLISTED",
        )
    },
}
ALL = BEARABLE | OTHERS


class Played:
    """A call with a modem that misbehaves at one step, or from it on."""

    def __init__(self, sends: bool, misbehaves: Misbehaviour | None, step: int, *, on: bool) -> None:
        def twist(modem: ByHand, number: int, answers: Answers) -> Answers | None:
            hit = number >= step if on else number == step
            return misbehaves(modem, answers) if hit and misbehaves else None

        self.store = MemoryStore()
        self.modem = ByHand(twist, page=coded_page() if not sends else b"")
        self.fax = ModemFax(
            CallParameters(Role.CALLS if sends else Role.ANSWERS, station_id="1"),
            MemoryPages([PAGE]),
            self.store,
            ModemCall(number="5" if sends else None),
        )
        self.seconds = play(self.fax, self.modem)
        assert self.fax.result is not None
        self.code = self.fax.result.cause.code

    def whole(self) -> bool:
        """Whether the page is whole where it went to."""
        if not self.modem.pages or self.fax.result is None:
            return bool(self.store.rasters()) and _same(self.store.rasters()[0])
        return coded_page() in self.modem.pages or any(_same(r) for r in self.store.rasters())


def _same(raster: Raster) -> bool:
    return raster.rows == PAGE.rows and differing(PAGE, raster) == 0


_coded: list[bytes] = []


def coded_page() -> bytes:
    """The page as this modem's far machine gets it, with its RTC."""
    if not _coded:
        _coded.append(b"")
        _coded[0] = Played(True, None, 0, on=False).modem.pages[-1]
    return _coded[0]


def steps(sends: bool) -> Iterator[tuple[int, str]]:
    return iter(enumerate(Played(sends, None, 0, on=False).modem.steps))


@pytest.mark.parametrize("sends", [True, False], ids=["sends", "receives"])
@pytest.mark.parametrize("name", ALL)
def test_a_call_disturbed_at_any_step_ends_in_time_and_confirms_only_whole_pages(
    name: str, sends: bool
) -> None:
    good = "delivered" if sends else "received"
    for step, what in steps(sends):
        for on in (False, True):
            played = Played(sends, ALL[name], step, on=on)
            told = f"{name} at step {step} ({what}){' and on' if on else ''}: {played.code}"
            assert played.seconds < BOUND_S, told
            if played.code == good:
                assert played.whole(), told
            if name in BEARABLE and not on:
                assert played.code == good, told


@pytest.mark.parametrize("sends", [True, False], ids=["sends", "receives"])
def test_a_modem_that_dies_is_told_as_such_and_no_far_end_is_blamed(sends: bool) -> None:
    # Once the last page is out, what matters is whether it was confirmed.
    true = {"modem_silent", "last_page_unconfirmed", "delivered"} if sends else {"modem_silent", "received"}
    for step, what in steps(sends):
        assert Played(sends, dies, step, on=False).code in true, (step, what)


def test_another_signal_than_a_faxs_after_dialling_is_no_fault_of_the_modem() -> None:
    taken = [what for _, what in steps(True)]
    assert Played(True, instead("+FCERROR"), taken.index("DT5"), on=False).code == "no_fax_answered"


@pytest.mark.parametrize("step", range(1, 6))
def test_a_call_that_comes_in_before_ours_is_dialled_is_not_taken_by_dialling(step: int) -> None:
    played = Played(True, before("RING"), step, on=False)
    assert played.code == "line_full"
    assert not any(s.startswith(("D", "A")) for s in played.modem.steps)
    assert played.fax.hung_up


@pytest.mark.parametrize("text", ["BUSY", "NO ANSWER", "VOICE", "NO DIALTONE", "NO CARRIER"])
def test_a_caller_who_left_before_the_fax_is_no_busy_number(text: str) -> None:
    steps_taken = [what for _, what in steps(False)]
    assert Played(False, instead(text), steps_taken.index("A"), on=False).code == "no_sender_heard"


@pytest.mark.parametrize("sends", [True, False], ids=["sends", "receives"])
@pytest.mark.parametrize("how", ["cancel", "stop", "device_lost"])
def test_ended_by_us_at_any_step_the_modem_is_soon_on_hook(how: str, sends: bool) -> None:
    for step, what in steps(sends):
        modem = ByHand(page=b"" if sends else coded_page())
        fax = ModemFax(
            CallParameters(Role.CALLS if sends else Role.ANSWERS, station_id="1"),
            MemoryPages([PAGE]),
            MemoryStore(),
            ModemCall(number="5" if sends else None),
        )
        ended_at: list[float] = []

        def end(now: float, fax: ModemFax = fax, ended_at: list[float] = ended_at) -> None:
            ended_at.append(now)
            getattr(fax, how)(now)

        seconds = play(fax, modem, then=(step, end)) - ended_at[0]
        assert seconds < 5.0, (step, what)
        assert fax.hung_up or how == "device_lost", (step, what, modem.steps)


@pytest.mark.parametrize("sends", [True, False], ids=["sends", "receives"])
def test_a_modem_that_only_says_ok_to_dialling_and_answering_refuses(sends: bool) -> None:
    taken = [what for _, what in steps(sends)]
    at = next(i for i, what in enumerate(taken) if what in ("DT5", "A"))
    assert Played(sends, instead("OK"), at, on=False).code == "modem_refused"
