"""A wrong clock erases nothing: it jumps ahead, was never set, or goes back."""

from __future__ import annotations

import os
import time
import uuid as uuids
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.causes import RECEIVED
from appliance.configuration import open_box
from appliance.lines.causes import BUSY
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.settings.accounts import User
from appliance.spool import copies, decisions, received
from appliance.spool.age_clock import (
    FOLLOWED_S,
    STOOD_S,
    STOOD_SYNCHRONISED_S,
    AgeClock,
    SeenTime,
    clock_synchronised,
)
from appliance.spool.filters import JobFilter, ReceivedFilter
from appliance.spool.folders import SET_ASIDE
from appliance.spool.model import DAY_S, ReceivedPageFile
from appliance.spool.settings import StorageSettings
from tests.daemon.keeping import keeper_of

START = 1_800_000_000.0
YEAR_S = 365 * DAY_S
HOUR_S = 3600.0


@dataclass
class Machine:
    """Time that passes, the clock beside it, and whether a time server keeps that."""

    clock: float = START
    uptime: float = 100.0
    synchronised: bool = False

    def runs(self, seconds: float) -> None:
        self.clock += seconds
        self.uptime += seconds


@dataclass
class Office:
    """A box on such a machine."""

    data: Path
    machine: Machine
    opened: list[Box] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    @property
    def box(self) -> Box:
        return self.opened[-1]

    def start(self) -> None:
        if self.opened:
            self.box.close()
        machine = self.machine
        box = open_box(self.data, clock=lambda: machine.clock)
        box.set_practice_numbers({"9990"})
        self.ages = AgeClock(
            box.spool,
            box.clock,
            uptime=lambda: machine.uptime,
            synchronised=lambda: machine.synchronised,
        )
        box.age_clock = self.ages
        self.opened.append(box)

    def restarts_the_machine(self, off_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.machine.clock += off_s
        self.machine.uptime = 30.0
        monkeypatch.setattr("appliance.spool.age_clock._boot_id", lambda: f"boot {self.machine.clock}")
        self.start()

    def tidies(self) -> None:
        keeper = keeper_of(self.box, ages=self.ages)
        keeper.delete_expired()

    def runs(self, seconds: float) -> None:
        self.machine.runs(seconds)
        self.tidies()

    def receives(self) -> int:
        uuid = str(uuids.uuid4())
        fax = self.box.spool.do(received.begin, uuid, "trunk", "t38", self.machine.clock)
        path = f"received/{fax.uuid}.tiff"
        (self.box.data / path).write_bytes(b"x")
        page = ReceivedPageFile(0, path, 1728, 1, "FINE", 0, 0, self.machine.clock)
        self.box.spool.do(received.add_page, fax.id, page)
        self.box.spool.do(received.finish, fax.id, RECEIVED, complete=True, now=self.machine.clock)
        return fax.id

    def sends(self) -> int:
        file = self.box.documents.store_file(b"x", name="x.txt", media_type="text/plain")
        (job,) = self.box.faxes.submit(Request("ada", (To("9990"),), (file,))).jobs
        self.box.spool.do(decisions.fail, job.id, BUSY, self.machine.clock)
        return job.id

    def kept(self) -> tuple[list[int], list[int], int]:
        """The faxes that came in, those that went out, and how many files there are of them."""
        came = [fax.id for fax in self.box.inbox.search(ReceivedFilter())]
        went = [job.id for job in self.box.faxes.search(JobFilter()) if not job.erased_at]
        files = sum(len(list((self.box.data / folder).iterdir())) for folder in ("received", "documents"))
        return came, went, files


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "data", Machine())
    office.box.settings.change(
        StorageSettings, {"received_days": 30.0, "documents_days": 30.0, "journal_days": 60.0}
    )
    office.box.settings.add(User(name="ada", keep_days=40.0))
    yield office
    office.box.close()


def test_the_age_clock_follows_time_that_passes(office: Office) -> None:
    came, went = office.receives(), office.sends()
    office.runs(29 * DAY_S)
    assert office.kept() == ([came], [went], 2)
    office.runs(2 * DAY_S)
    assert office.kept() == ([], [went], 0)
    office.runs(10 * DAY_S)
    assert office.kept() == ([], [], 0)


@pytest.mark.parametrize("by", [DAY_S, YEAR_S])
@pytest.mark.parametrize("synchronised", [False, True], ids=["by itself", "by a time server"])
def test_a_clock_set_ahead_erases_nothing_and_nothing_is_gone_when_it_is_put_right(
    office: Office, by: float, synchronised: bool
) -> None:
    office.runs(HOUR_S)
    came, went = office.receives(), office.sends()
    office.runs(29.5 * DAY_S)
    office.machine.clock += by
    office.machine.synchronised = synchronised
    office.tidies()
    office.runs(6 * HOUR_S)
    assert office.kept() == ([came], [went], 2)
    assert office.ages.doubted_s == pytest.approx(by)
    office.machine.clock -= by
    office.runs(2 * HOUR_S)
    assert office.ages.doubted_s == 0
    assert office.kept() == ([came], [went], 2)
    office.runs(DAY_S)
    assert office.kept() == ([], [went], 0)


@pytest.mark.parametrize(("synchronised", "stood_s"), [(True, STOOD_SYNCHRONISED_S), (False, STOOD_S)])
def test_a_jump_of_the_clock_is_accepted_after_it_has_stood_for_days(
    office: Office, synchronised: bool, stood_s: float
) -> None:
    came = office.receives()
    office.tidies()
    office.machine.clock += YEAR_S
    office.machine.synchronised = synchronised
    office.tidies()
    office.runs(stood_s - 2 * HOUR_S)
    assert office.kept()[0] == [came]
    office.runs(4 * HOUR_S)
    assert (office.kept()[0], office.ages.doubted_s) == ([], 0)


def test_a_machine_that_was_off_for_a_year_erases_nothing_before_its_clock_has_stood(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = office.receives()
    office.runs(HOUR_S)
    office.restarts_the_machine(YEAR_S, monkeypatch)
    office.tidies()
    assert office.kept()[0] == [came]
    office.runs(2 * DAY_S)
    office.restarts_the_machine(HOUR_S / 2, monkeypatch)
    office.runs(STOOD_S - 3 * DAY_S)
    assert office.kept()[0] == [came]
    office.runs(2 * DAY_S)
    assert office.kept()[0] == []


def test_a_box_that_is_switched_off_each_night_counts_its_nights_after_a_few_days(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = office.receives()
    office.machine.synchronised = True
    for _ in range(30):
        office.runs(10 * HOUR_S)
        office.restarts_the_machine(14 * HOUR_S, monkeypatch)
    assert office.kept()[0] == [came]
    for _ in range(12):
        office.runs(10 * HOUR_S)
        office.restarts_the_machine(14 * HOUR_S, monkeypatch)
    office.tidies()
    assert office.kept()[0] == []


def test_a_restart_of_the_box_alone_costs_no_time(office: Office) -> None:
    came = office.receives()
    office.runs(HOUR_S)
    office.machine.runs(40 * DAY_S)
    office.start()
    office.tidies()
    assert (office.kept()[0], office.ages.doubted_s) == ([], 0)
    assert came


def test_a_board_that_starts_in_the_past_and_is_set_right_erases_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its faxes meanwhile carry the wrong time, and would be the oldest of all."""
    before = office.receives()
    office.runs(HOUR_S)
    right = office.machine.clock
    office.restarts_the_machine(10.0 - right, monkeypatch)  # the first seconds of 1970
    came, went = office.receives(), office.sends()
    office.tidies()
    office.runs(HOUR_S)
    office.machine.clock = right + 2 * HOUR_S
    office.machine.synchronised = True
    office.tidies()
    assert office.ages.doubted_s == 0
    office.runs(29 * DAY_S)
    assert office.kept() == ([came, before], [went], 3)
    office.receives()
    office.runs(31 * DAY_S)
    assert office.kept()[0] == []


def test_what_a_new_board_received_before_its_clock_was_ever_set_stays(tmp_path: Path) -> None:
    office = Office(tmp_path / "data", Machine(clock=10.0))
    office.box.settings.change(StorageSettings, {"received_days": 30.0})
    first = office.receives()
    office.tidies()
    office.machine.clock = START
    office.machine.synchronised = True
    second = office.receives()
    office.runs(STOOD_SYNCHRONISED_S + DAY_S)
    assert office.kept()[0] == [second, first]
    office.runs(31 * DAY_S)
    assert office.kept()[0] == []
    office.box.close()


@pytest.mark.parametrize("by", [-YEAR_S, -DAY_S])
def test_what_a_rule_keeps_for_days_is_kept_for_them_when_the_clock_was_behind(
    office: Office, by: float
) -> None:
    office.receives()
    office.machine.clock += by
    late = office.receives()
    office.box.spool.do(received.keep_until, late, office.machine.clock + 5 * DAY_S)
    office.machine.clock -= by
    office.runs(4 * DAY_S)
    assert late in office.kept()[0]
    office.runs(2 * DAY_S)
    assert late not in office.kept()[0]


def test_a_clock_that_stays_behind_is_accepted_in_the_end(office: Office) -> None:
    office.machine.clock -= YEAR_S
    office.tidies()
    came = office.receives()
    office.runs(STOOD_S + DAY_S)
    office.runs(31 * DAY_S)
    assert came not in office.kept()[0]


def test_files_are_set_aside_under_no_day_that_is_long_past(office: Office) -> None:
    office.tidies()
    office.machine.clock = 10.0
    stray = office.box.data / "received" / "stray.tiff"
    stray.write_bytes(b"x")
    keeper_of(office.box, ages=office.ages).sweep_orphans(age_s=-1)
    office.machine.clock = START + HOUR_S
    office.tidies()
    assert list((office.box.data / SET_ASIDE).rglob("stray.tiff"))


def test_copies_of_the_index_are_renewed_after_a_wrong_clock_wrote_some(
    office: Office,
) -> None:
    data = office.box.data
    for day in ("2031-01-01", "2031-01-02", "2031-01-03"):
        path = office.box.spool.keep_copy(day)
        assert path
        ahead = time.time() + YEAR_S
        os.utime(data / "copies" / f"spool-{day}.sqlite3", (ahead, ahead))
    for day in ("2027-01-01", "2027-01-02", "2027-01-03"):
        office.box.spool.keep_copy(day)
        newest = copies.newest(data)
        assert newest is not None
        assert newest.name == f"spool-{day}.sqlite3"
    assert len(list((data / "copies").iterdir())) == copies.DAYS_KEPT


def test_small_steps_of_a_clock_are_followed_and_never_add_up_to_a_doubt() -> None:
    seen, now = SeenTime(START), START
    for _ in range(1000):
        now += 600 + FOLLOWED_S / 2
        seen = seen.look(now, 600, synchronised=True)
        assert (seen.seen, seen.doubts) == (now, ())


def test_the_kernel_says_whether_a_time_server_keeps_the_clock() -> None:
    assert clock_synchronised() in (True, False)
