"""Poor lines, seeded: the same outcome in each run, and pages whole or an honest failure.

With error correction a call that ends well has delivered every pixel.  Without it, what we took for good
has all of its rows, but for those that are counted as bad; what the far machine takes for good is its own
affair (spandsp confirms a page that broke off).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from appliance.lines.modem.identify import Modem
from appliance.lines.modem.quirks import Quirks
from appliance.t30.parameters import Capabilities
from tests.softmodem.calls import OURS, THEIRS, Outcome, place, take
from tests.softmodem.exchange import Impairment
from tests.softmodem.fixtures import differing, sample_page
from tests.softmodem.impair import a_law, cut, dropped, faint, lost, noise
from tests.softmodem.stations import FaxMachine

PAGES = [sample_page(51), sample_page(52)]
GOOD = {"delivered", "received"}


@dataclass(frozen=True)
class Line:
    """What happens to what we say, and to what we hear; ``code`` is how the call must end, '' for any."""

    out: Callable[[], Impairment] | None = None
    back: Callable[[], Impairment] | None = None
    code: str = ""

    def impair(self) -> dict[tuple[str, str], Impairment]:
        made: dict[tuple[str, str], Impairment] = {}
        if self.out is not None:
            made[OURS, THEIRS] = self.out()
        if self.back is not None:
            made[THEIRS, OURS] = self.back()
        return made


# Bursts of ours when we call: 1 CNG, 2 DCS, 3 TCF, 4 page, 5 MPS, 6 page, 7 EOP; of theirs: 1 CED, 2 DIS,
# 3 CFR, 4 MCF, 5 MCF.
SENDING = {
    "noise": Line(lambda: noise(1, 60), lambda: noise(2, 60)),
    "loud noise in the pages": Line(lambda: noise(3, 700, 4, 6)),
    "lost packets, 1 %": Line(lambda: dropped(4, 0.01), lambda: dropped(5, 0.01)),
    "lost packets, 4 %": Line(lambda: dropped(6, 0.04), lambda: dropped(7, 0.04)),
    "10 dB fainter": Line(lambda: faint(10), lambda: faint(10), "delivered"),
    "digital exchange": Line(a_law, a_law, "delivered"),
    "CFR lost": Line(back=lambda: lost(3), code="delivered"),
    "first MCF lost": Line(back=lambda: lost(4), code="delivered"),
    "last MCF lost": Line(back=lambda: lost(5)),  # with ECM spandsp answers a repeated PPS-EOP by DCN
    "every MCF lost": Line(back=lambda: lost(*range(4, 40))),
    "bad TCF": Line(lambda: noise(8, 4000, 3, after_ticks=80), code="delivered"),
    "DCS lost": Line(lambda: lost(2), code="delivered"),
    "EOP lost": Line(lambda: lost(7), code="delivered"),
    "page breaks off": Line(lambda: cut(4, 150)),
    "silence from the second page on": Line(lambda: lost(*range(6, 60)), lambda: lost(*range(5, 60))),
}


def _send(directory: Path, line: Line, *, ecm: bool) -> Outcome:
    received = directory / "received.tif"
    received.unlink(missing_ok=True)
    machine = FaxMachine(receive=received, ecm=ecm)
    able = replace(Capabilities(), ecm=ecm)
    return place(PAGES, machine, received, impair=line.impair(), capabilities=able)


def _fingerprint(got: Outcome) -> tuple[object, ...]:
    pages = hashlib.sha256(repr([p[2] if isinstance(p, tuple) else p.data for p in got.pages]).encode())
    return (got.result, got.words, pages.hexdigest())


def _check(got: Outcome, line: Line, *, ecm: bool) -> None:
    assert got.result is not None
    assert line.code in ("", got.code), got.story()
    if got.code not in GOOD:
        return
    if ecm:
        assert [differing(a, b) for a, b in zip(PAGES, got.pages, strict=True)] == [0, 0]
    elif got.code == "received":
        rows = [p[1] if isinstance(p, tuple) else p.rows for p in got.pages]
        missing = [abs(a.rows - b) for a, b in zip(PAGES, rows, strict=True)]
        assert sum(missing) <= got.result.bad_rows, got.story()


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("name", SENDING)
def test_sending_over_a_poor_line_ends_as_its_row_says_and_is_repeatable(
    tmp_path: Path, name: str, ecm: bool
) -> None:
    line = SENDING[name]
    got = _send(tmp_path, line, ecm=ecm)
    _check(got, line, ecm=ecm)
    assert _fingerprint(_send(tmp_path, line, ecm=ecm)) == _fingerprint(got)


# Bursts of theirs when they call: 1 CNG, 2 DCS, 3 TCF, 4 page, 5 MPS, 6 page, 7 EOP; of ours: 1 CED with DIS,
# 2 CFR, 3 MCF, 4 MCF.
RECEIVING = {
    "noise": Line(lambda: noise(1, 60), lambda: noise(2, 60)),
    "loud noise in the pages": Line(back=lambda: noise(3, 700, 4, 6)),
    "lost packets, 1 %": Line(lambda: dropped(4, 0.01), lambda: dropped(5, 0.01)),
    "lost packets, 4 %": Line(lambda: dropped(6, 0.04), lambda: dropped(7, 0.04)),
    "10 dB fainter": Line(lambda: faint(10), lambda: faint(10), "received"),
    "digital exchange": Line(a_law, a_law, "received"),
    "CFR lost": Line(lambda: lost(2), code="received"),
    "first MCF lost": Line(lambda: lost(3), code="received"),
    "last MCF lost": Line(lambda: lost(4), code="received"),
    "bad TCF": Line(back=lambda: noise(8, 4000, 3, after_ticks=80), code="received"),
    "DCS lost": Line(back=lambda: lost(2), code="received"),
    "EOP lost": Line(back=lambda: lost(7), code="received"),
    "page breaks off": Line(back=lambda: cut(4, 150)),
    "silence from the second page on": Line(lambda: lost(*range(5, 60)), lambda: lost(*range(6, 60))),
}


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("name", RECEIVING)
def test_receiving_over_a_poor_line_ends_as_its_row_says_and_is_repeatable(
    tmp_path: Path, name: str, ecm: bool
) -> None:
    line = RECEIVING[name]
    got = take(PAGES, tmp_path / "sent.tif", ecm=ecm, impair=line.impair())
    _check(got, line, ecm=ecm)
    again = take(PAGES, tmp_path / "sent.tif", ecm=ecm, impair=line.impair())
    assert _fingerprint(again) == _fingerprint(got)


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
def test_a_repeated_dcs_in_place_of_the_page_is_heard_with_adaptive_reception(
    tmp_path: Path, ecm: bool
) -> None:
    """Our CFR is lost, so DCS comes again instead of the page; +FAR=1 has the modem say so."""
    adaptive = Modem(quirks=replace(Quirks(), adaptive_reception=True))
    lost_cfr = {(OURS, THEIRS): lost(2)}
    got = take(PAGES, tmp_path / "sent.tif", ecm=ecm, modem=adaptive, impair=lost_cfr)
    assert got.code == "received", got.story()
    assert "+FRH:3" in got.story()
    assert [differing(a, b) for a, b in zip(PAGES, got.pages, strict=True)] == [0, 0]


@pytest.mark.parametrize("ticks", [90, 150, 250, 314])
def test_a_page_that_broke_off_is_not_confirmed_but_asked_for_again(tmp_path: Path, ticks: int) -> None:
    """Without error correction a lost carrier must not become a page that is silently cut."""
    got = take(PAGES, tmp_path / "sent.tif", ecm=False, impair={(THEIRS, OURS): cut(4, ticks)})
    assert got.code == "received", got.story()
    assert [differing(a, b) for a, b in zip(PAGES, got.pages, strict=True)] == [0, 0]
    said = [dict(p.fields)["name"] for p in got.account if p.event == "frame_sent"]
    assert said.count("MCF") == 2
    assert said.index("RTN") < said.index("MCF")
