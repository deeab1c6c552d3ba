"""Whole calls between two engines: formats, losses, slow boxes, cancelled calls."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from appliance.causes import CANCELLED, DELIVERED, RECEIVED
from appliance.t4.coding import decode, encode
from appliance.t4.page import CodedPage, Coding, Raster, Resolution
from appliance.t30 import causes
from appliance.t30.dce import (
    Carrier,
    CarrierOff,
    CarrierOn,
    Data,
    Frame,
    LineEvent,
    Modulation,
    SendEcm,
    SendImage,
    SendTcf,
)
from appliance.t30.frames import Fcf
from appliance.t30.memory import MemoryPages, RefusingStore
from appliance.t30.parameters import CallParameters, Capabilities, ReceivedPage, Role
from tests.t30.linked import End, Pages, Spoil, Store, faithful, link

SWEEP = bool(os.environ.get("FAXBOX_SWEEP"))
FAST = [c for c in Carrier if c is not Carrier.V21]


def raster(seed: int = 1, rows: int = 120, resolution: Resolution = Resolution.FINE) -> Raster:
    lots = random.Random(seed)
    width = {204: 1728, 300: 2592, 400: 3456, 408: 3456}[resolution.x_dpi]
    data = bytearray(width // 8 * rows)
    for _ in range(rows * 3):
        start = lots.randrange(len(data))
        data[start : start + 3] = lots.randbytes(len(data[start : start + 3]))
    return Raster(width, rows, bytes(data), resolution)


def document(pages: int, coding: Coding, rows: int = 120) -> list[CodedPage]:
    return [encode(raster(n, rows), coding) for n in range(pages)]


def pair(pages: list[CodedPage], capabilities: Capabilities | None = None) -> tuple[End, End]:
    capabilities = capabilities or Capabilities()
    return (
        End(CallParameters(Role.CALLS, "+49 1", capabilities), Pages(pages)),
        End(CallParameters(Role.ANSWERS, "+49 2", capabilities)),
    )


def pixels(page: CodedPage | Raster) -> bytes:
    return page.data if isinstance(page, Raster) else decode(page).data


def assert_arrived(sender: End, receiver: End) -> None:
    assert sender.call.result is not None
    assert receiver.call.result is not None
    assert sender.call.result.cause is DELIVERED, sender.words()[-5:]
    assert receiver.call.result.cause is RECEIVED
    wanted = [decode(p).data for p in sender.pages.pages]
    assert [pixels(p.page) for p in receiver.store.pages] == wanted
    assert sender.call.result.pages_sent == len(wanted) == receiver.call.result.pages_received


@pytest.mark.parametrize("carrier", FAST)
@pytest.mark.parametrize(
    ("coding", "ecm"),
    [
        (Coding.MH, False),
        (Coding.MR, False),
        (Coding.MH, True),
        (Coding.MR, True),
        (Coding.MMR, True),
    ],
)
def test_pages_arrive_in_every_modulation_and_coding(carrier: Carrier, coding: Coding, ecm: bool) -> None:
    a, b = pair(document(2, coding, rows=40), Capabilities(carriers=frozenset({carrier}), ecm=ecm))
    link(a, b)
    assert_arrived(a, b)
    assert a.call.result is not None
    assert (a.call.result.carrier, a.call.result.ecm) == (carrier, ecm)
    assert (a.call.result.remote_id, b.call.result and b.call.result.remote_id) == ("+49 2", "+49 1")


@pytest.mark.parametrize("resolution", Resolution)
def test_a_page_arrives_unchanged_in_every_resolution(resolution: Resolution) -> None:
    a, b = pair([encode(raster(1, 60, resolution), Coding.MMR)])
    link(a, b)
    assert_arrived(a, b)
    received = b.store.pages[0].page
    assert isinstance(received, CodedPage)
    assert received == a.pages.pages[0]


@pytest.mark.parametrize("octets", [64, 256])
def test_pages_of_several_ecm_blocks_arrive(octets: int) -> None:
    lots = random.Random(octets)
    rows = 160 if octets == 64 else 420
    noise = Raster(1728, rows, lots.randbytes(216 * rows), Resolution.FINE)
    a, b = pair([encode(noise, Coding.MH)] * 2, Capabilities(ecm_frame_octets=octets))
    link(a, b)
    assert_arrived(a, b)
    blocks = a.frames().count("PPS")
    assert blocks == 2 * -(-len(a.pages.pages[0].data) // (octets * 256)) > 2


def test_minimum_scan_time_fills_rows_and_the_page_is_the_same() -> None:
    slow = Capabilities(ecm=False, scan_ms=40)
    page = encode(raster(1, 100, Resolution.STANDARD), Coding.MH)
    a, b = pair([page], slow)
    link(a, b)
    assert_arrived(a, b)
    sent = next(o.data for _, o in a.dce.orders if isinstance(o, SendImage))
    assert len(sent) * 8 >= 100 * 0.040 * 14400
    assert len(sent) > len(page.data)


def test_change_of_format_between_pages_goes_through_eom() -> None:
    pages = [*document(1, Coding.MH), *document(2, Coding.MMR)]
    a, b = pair(pages)
    link(a, b)
    assert_arrived(a, b)
    assert a.frames().count("DCS") == 2
    assert b.frames().count("DIS") == 2


@pytest.mark.parametrize(("said", "made"), [(a, b) for a in Coding for b in Coding if a is not b])
def test_page_of_another_coding_than_was_said_is_not_confirmed(said: Coding, made: Coding) -> None:
    page = encode(raster(1), made)
    a, b = pair([CodedPage(said, page.resolution, page.width, page.rows, page.data)])
    link(a, b)
    assert a.call.result is not None
    assert b.call.result is not None
    assert b.call.result.cause is causes.PAGE_UNREADABLE
    assert (a.call.result.pages_sent, b.call.result.pages_received, b.store.pages) == (0, 0, [])
    assert a.call.result.cause is not DELIVERED


@pytest.mark.parametrize(("part", "kept"), [(0.2, False), (0.8, True)])
def test_rows_behind_a_fault_of_mmr_count_as_bad(part: float, kept: bool) -> None:
    page = encode(raster(1, 400), Coding.MMR)
    at = int(len(page.data) * part)
    wrong = page.data[:at] + bytes(2) + page.data[at + 2 :]  # no code of T.6 has sixteen zeros
    a, b = pair([CodedPage(Coding.MMR, page.resolution, page.width, page.rows, wrong)])
    link(a, b)
    assert a.call.result is not None
    assert a.call.result.pages_sent == kept
    if kept:
        (got,) = b.store.pages
        assert 60 < got.bad_rows < 100
        assert got.longest_bad_run == got.bad_rows
        assert 380 < got.page.rows < 420


@pytest.mark.parametrize("ecm", [True, False])
def test_the_page_with_which_a_fax_is_whole_is_stored_as_its_last(ecm: bool) -> None:
    sender, receiver = pair(document(3, Coding.MH), Capabilities(ecm=ecm))
    link(sender, receiver)
    assert_arrived(sender, receiver)
    assert receiver.store.last == [False, False, True]


@pytest.mark.parametrize("delay", [0.0, 0.3, 0.9])
def test_pages_arrive_over_a_line_with_a_long_delay(delay: float) -> None:
    a, b = pair(document(3, Coding.MMR))
    link(a, b, delay=delay)
    assert_arrived(a, b)


def test_time_is_close_to_the_least_that_t30_needs() -> None:
    """All that the line must carry, and 75 ms before each signal; 3 % more is the aim."""
    a, b = pair(document(3, Coding.MMR, rows=900))
    took = link(a, b)
    assert_arrived(a, b)
    least = 3.0
    for end in (a, b):
        for _, order in end.dce.orders:
            match order:
                case SendTcf(_, octets):
                    least += 0.075 + 1.393 + octets * 8 / 14400
                case SendEcm(_, short, frames):
                    size = sum(len(f) + 3 for f in frames) * 8 / 14400
                    least += 0.075 + (0.142 if short else 1.393) + 0.2 + size
                case _ if hasattr(order, "frames"):
                    least += 0.075 + 1.0 + sum(len(f) + 3 for f in order.frames) * 8 / 300
    assert took < least * 1.03


# -- loss --------------------------------------------------------------------------------------


def lose(share: float, seed: int, *, also: Callable[[LineEvent], bool] = lambda _: False) -> Spoil:
    """Frames whose FCS is wrong, by chance, V.21 and ECM alike."""
    lots = random.Random(seed)

    def spoil(_who: str, _order: int, event: LineEvent) -> LineEvent | None:
        if isinstance(event, Frame) and lots.random() < share:
            return Frame(event.octets, False)
        if also(event) and lots.random() < share:
            return None
        return event

    return spoil


@pytest.mark.parametrize("seed", range(200 if SWEEP else 25))
def test_with_ecm_and_spoiled_frames_no_wrong_page_is_confirmed(seed: int) -> None:
    """Delivered whole, or an honest failure: never a page confirmed that is not right."""
    a, b = pair(document(3, Coding.MMR))
    link(a, b, lose(0.08, seed))
    assert_honest(a, b)


@pytest.mark.parametrize("seed", range(200 if SWEEP else 25))
def test_with_ecm_and_lost_carriers_no_wrong_page_is_confirmed(seed: int) -> None:
    a, b = pair(document(2, Coding.MMR))
    link(a, b, lose(0.05, seed, also=lambda e: isinstance(e, CarrierOn | CarrierOff | Frame)))
    assert_honest(a, b)


@pytest.mark.parametrize("seed", range(200 if SWEEP else 25))
def test_without_ecm_and_with_lost_data_no_page_is_confirmed_that_was_not_received(seed: int) -> None:
    a, b = pair(document(3, Coding.MH), Capabilities(ecm=False))
    link(a, b, lose(0.06, seed, also=lambda e: isinstance(e, CarrierOff | Data)))
    assert a.call.result is not None
    assert b.call.result is not None
    assert a.call.result.pages_sent <= b.call.result.pages_received
    if a.call.result.cause is DELIVERED:
        assert len(b.store.pages) >= 3


def assert_honest(a: End, b: End) -> None:
    assert a.call.result is not None
    assert b.call.result is not None
    wanted = [decode(p).data for p in a.pages.pages]
    got = [pixels(p.page) for p in b.store.pages]
    assert got == wanted[: len(got)], "a page that was confirmed is not what was sent"
    assert a.call.result.pages_sent <= len(got)
    assert b.call.result.pages_received == len(got)
    if a.call.result.cause is DELIVERED:
        assert len(got) == len(wanted)
    else:
        assert a.call.result.cause.code != "internal_fault"


def spoil_nth(who: str, code: Fcf, times: int = 1) -> Spoil:
    """The first so many frames of this kind from this end have a wrong FCS."""
    left = times

    def spoil(sender: str, _order: int, event: LineEvent) -> LineEvent | None:
        nonlocal left
        if left and sender == who and isinstance(event, Frame) and event.octets[2] | 1 == code.value | 1:
            left -= 1
            return Frame(event.octets, False)
        return event

    return spoil


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("b", Fcf.DIS),
        ("b", Fcf.CSI),
        ("a", Fcf.DCS),
        ("a", Fcf.TSI),
        ("b", Fcf.CFR),
        ("a", Fcf.MPS),
        ("a", Fcf.EOP),
        ("a", Fcf.EOM),
        ("b", Fcf.MCF),
        ("a", Fcf.DCN),
    ],
)
def test_pages_arrive_without_ecm_whichever_frame_is_lost_once_or_twice(
    who: str, code: Fcf, times: int
) -> None:
    pages = [*document(2, Coding.MH), *document(1, Coding.MR)]
    a, b = pair(pages, Capabilities(ecm=False))
    link(a, b, spoil_nth(who, code, times))
    assert_arrived(a, b)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("who", "code"),
    [("a", Fcf.PPS), ("b", Fcf.MCF), ("b", Fcf.PPR), ("a", Fcf.RCP), ("b", Fcf.CFR), ("a", Fcf.DCS)],
)
def test_pages_arrive_with_ecm_whichever_frame_is_lost_once_or_twice(who: str, code: Fcf, times: int) -> None:
    a, b = pair(document(2, Coding.MMR))
    first, second = spoil_nth(who, code, times), spoil_nth("a", Fcf.FCD, 3)
    link(a, b, lambda w, o, e: first(w, o, second(w, o, e) or e))
    assert_arrived(a, b)


def test_last_mcf_never_heard_is_not_called_delivered() -> None:
    a, b = pair(document(1, Coding.MMR))
    link(a, b, spoil_nth("b", Fcf.MCF, 99))
    assert a.call.result is not None
    assert a.call.result.cause is causes.LAST_PAGE_UNCONFIRMED
    assert b.call.result is not None
    assert b.call.result.cause is RECEIVED


def bad_training(*carriers: Carrier) -> Spoil:
    """Training checks at these rates come as noise."""
    on: list[Carrier] = []

    def spoil(who: str, _order: int, event: LineEvent) -> LineEvent | None:
        if isinstance(event, CarrierOn):
            on[:] = [event.carrier]
        if isinstance(event, Data) and who == "a" and on[0] in carriers and not any(event.octets):
            return Data(b"\xa5" * len(event.octets))
        return event

    return spoil


def test_training_that_fails_at_v17_ends_at_v29() -> None:
    a, b = pair(document(1, Coding.MMR))
    link(a, b, bad_training(*(c for c in FAST if c.modulation is Modulation.V17)))
    assert_arrived(a, b)
    assert a.call.result is not None
    assert a.call.result.carrier is Carrier.V29_9600
    assert a.call.result.retrainings == 3


def test_a_call_whose_training_fails_at_every_rate_ends_with_training_failed() -> None:
    a, b = pair(document(1, Coding.MMR))
    link(a, b, bad_training(*FAST))
    assert a.call.result is not None
    assert a.call.result.cause is causes.TRAINING_FAILED
    assert b.call.result is not None
    assert b.call.result.cause is causes.NO_PAGES_CAME


def test_bad_page_is_sent_again_a_rung_lower() -> None:
    def spoil(who: str, _order: int, event: LineEvent) -> LineEvent | None:
        if isinstance(event, Data) and any(event.octets) and who == "a" and b.dce.receive.carrier in ruined:
            return Data(bytes(reversed(event.octets)))
        return event

    ruined = [Carrier.V17_14400, Carrier.V17_12000]
    a, b = pair(document(2, Coding.MH), Capabilities(ecm=False))
    link(a, b, spoil)
    assert_arrived(a, b)
    assert b.frames().count("RTN") == 2
    assert a.call.result is not None
    assert a.call.result.carrier is Carrier.V17_9600


# -- boxes that take their time ----------------------------------------------------------------


@dataclass
class SlowPages(Pages):
    """Delivers each page so many seconds after it was asked for."""

    after: float = 5.0
    clock: Callable[[], float] = lambda: 0.0
    due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def fetch(self, number: int, accepts: object, deliver: Callable[[CodedPage | None, bool], None]) -> None:
        self.asked.append((number, accepts))
        page = self.pages[number] if number < len(self.pages) else None
        last = number >= len(self.pages) - 1
        self.due.append((self.clock() + self.after, lambda: deliver(page, last)))


@dataclass
class SlowStore(Store):
    """Stores each page so many seconds after it came."""

    after: float = 5.0
    clock: Callable[[], float] = lambda: 0.0
    ok: bool = True
    due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None:
        self.pages.append(page)
        self.due.append((self.clock() + self.after, lambda: stored(self.ok)))


def run_slow(a: End, b: End, slow: SlowPages | SlowStore, spoil: Spoil = faithful) -> None:
    link(a, b, spoil, slow=slow)


@pytest.mark.parametrize("after", [0.5, 6.0, 12.0])
def test_pages_that_are_fetched_slowly_arrive(after: float) -> None:
    pages = SlowPages(document(3, Coding.MMR), after=after)
    a, b = pair([])
    a.pages = pages
    run_slow(a, b, pages)
    assert_arrived(a, b)


def test_page_that_never_comes_ends_the_call_with_the_box_at_fault() -> None:
    pages = SlowPages(document(2, Coding.MMR), after=1000.0)
    a, b = pair([])
    a.pages = pages
    run_slow(a, b, pages)
    assert a.call.result is not None
    assert a.call.result.cause is causes.PAGE_UNAVAILABLE


def test_a_missing_second_page_ends_the_call_with_one_page_sent() -> None:
    @dataclass
    class Torn(Pages):
        def fetch(
            self, number: int, accepts: object, deliver: Callable[[CodedPage | None, bool], None]
        ) -> None:
            deliver(self.pages[0] if number == 0 else None, False)

    a, b = pair([])
    a.pages = Torn(document(1, Coding.MMR))
    link(a, b)
    assert a.call.result is not None
    assert (a.call.result.cause, a.call.result.pages_sent) == (causes.PAGE_UNAVAILABLE, 1)
    assert b.call.result is not None
    assert b.call.result.cause is RECEIVED


def test_a_page_in_a_format_that_was_not_accepted_ends_the_call() -> None:
    a, b = pair(document(1, Coding.MMR), Capabilities(ecm=False))
    link(a, b)
    assert a.call.result is not None
    assert a.call.result.cause is causes.PAGE_FORMAT


@pytest.mark.parametrize(("ecm", "after"), [(True, 0.5), (True, 30.0), (False, 0.5), (False, 6.0)])
def test_pages_arrive_at_a_slow_store_which_asks_for_time_with_rnr_under_ecm(ecm: bool, after: float) -> None:
    a, b = pair(document(2, Coding.MH), Capabilities(ecm=ecm))
    b.store = SlowStore(after=after)
    run_slow(a, b, b.store)
    assert_arrived(a, b)
    assert ("RNR" in b.frames()) is (ecm and after > 1)


@pytest.mark.parametrize("ecm", [True, False])
def test_store_that_fails_never_lets_mcf_out(ecm: bool) -> None:
    a, b = pair(document(1, Coding.MH), Capabilities(ecm=ecm))
    b.store = SlowStore(after=0.1, ok=False)
    run_slow(a, b, b.store)
    assert "MCF" not in b.frames()
    assert b.call.result is not None
    assert b.call.result.cause is causes.STORE_FAILED
    assert a.call.result is not None
    assert a.call.result.cause is causes.LAST_PAGE_UNCONFIRMED


def test_call_that_only_sends_refuses_pages() -> None:
    a, b = pair(document(1, Coding.MH))
    b.store = RefusingStore()  # type: ignore[assignment]
    link(a, b)
    assert b.call.result is not None
    assert b.call.result.cause is causes.STORE_FAILED


# -- owners ------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0.1, 2.0, 4.0, 6.5, 8.5, 11.0, 13.0, 20.0, 24.0])
@pytest.mark.parametrize("who", ["a", "b"])
def test_cancel_at_any_time_ends_both(at: float, who: str) -> None:
    a, b = pair(document(3, Coding.MH, rows=300), Capabilities(ecm=False))
    link(a, b, cancel=(at, who))
    ended = a if who == "a" else b
    assert ended.call.result is not None
    assert ended.call.result.cause is CANCELLED
    other = b if who == "a" else a
    assert other.call.result is not None
    assert other.call.result.cause not in (DELIVERED, RECEIVED)


def moments_of_the_last_answer(pages: int, ecm: bool) -> list[float]:
    """In a call that goes by itself: within its last command, before the answer, and in the answer."""
    a, b = pair(document(pages, Coding.MH, rows=300), Capabilities(ecm=ecm))
    link(a, b)
    said = [p.at for p in a.progress if p.event == "frame_sent"][-2]  # DCN is the last
    heard = [p.at for p in a.progress if p.event == "frame_received"][-1]
    return [said + 0.1, (said + heard) / 2, heard]


@pytest.mark.parametrize("ecm", [True, False])
@pytest.mark.parametrize("moment", [0, 1, 2])
def test_cancel_while_the_last_page_is_being_confirmed_hears_the_confirmation(ecm: bool, moment: int) -> None:
    moments = moments_of_the_last_answer(2, ecm)
    a, b = pair(document(2, Coding.MH, rows=300), Capabilities(ecm=ecm))
    took = link(a, b, cancel=(moments[moment], "a"))
    assert a.call.result is not None
    assert b.call.result is not None
    assert (a.call.result.cause, a.call.result.pages_sent) == (DELIVERED, 2)
    assert b.call.result.cause is RECEIVED
    assert a.frames()[-1] == "DCN"
    assert took < moments[-1] + 10.0


@pytest.mark.parametrize("ecm", [True, False])
def test_cancel_at_any_time_counts_every_page_that_the_far_end_confirmed(ecm: bool) -> None:
    """Else a fax that goes on after a restart of the box brings a page twice."""
    took = link(*pair(document(3, Coding.MH, rows=300), Capabilities(ecm=ecm)))
    seen = set()
    for tenth in range(int(10 * took)):
        a, b = pair(document(3, Coding.MH, rows=300), Capabilities(ecm=ecm))
        link(a, b, cancel=(tenth / 10, "a"))
        assert a.call.result is not None
        confirmed = [dict(p.fields)["page"] for p in a.progress if p.event == "page_confirmed"]
        assert len(confirmed) == a.call.result.pages_sent == len(b.store.pages), tenth / 10
        seen.add(len(confirmed))
    assert seen == {0, 1, 2, 3}


@pytest.mark.parametrize("ecm", [True, False])
@pytest.mark.parametrize("moment", [0, 1])
def test_cancel_while_the_last_page_is_not_confirmed_ends_the_call_all_the_same(
    ecm: bool, moment: int
) -> None:
    moments = moments_of_the_last_answer(1, ecm)
    a, b = pair(document(1, Coding.MH, rows=300), Capabilities(ecm=ecm))

    def silent(who: str, _order: int, event: LineEvent) -> LineEvent | None:
        over = any(name in ("EOP", "PPS") for name in a.frames())
        return None if who == "b" and over else event

    took = link(a, b, silent, cancel=(moments[moment], "a"))
    assert a.call.result is not None
    assert (a.call.result.cause, a.call.result.pages_sent) == (CANCELLED, 0)
    assert a.call.result.last_page_out
    assert a.frames()[-2:] == ["PPS" if ecm else "EOP", "DCN"]
    assert took < moments[-1] + 60.0


# -- polling -----------------------------------------------------------------------------------


def test_polling_with_password_and_selective_address_brings_the_pages() -> None:
    pages = document(2, Coding.MMR)
    a = End(CallParameters(Role.CALLS, "+49 1", poll=True, password="12", selective_polling="7"), Pages([]))
    b = End(
        CallParameters(
            Role.ANSWERS, "+49 2", offers_pages=True, required_password="12", selective_polling="7"
        ),
        Pages(pages),
    )
    link(a, b)
    assert a.call.result is not None
    assert b.call.result is not None
    assert (a.call.result.cause, b.call.result.cause) == (RECEIVED, DELIVERED)
    assert [p.page for p in a.store.pages] == pages
    assert b.call.result.remote_id == "+49 1"


def test_a_poll_with_a_wrong_password_is_refused() -> None:
    a = End(CallParameters(Role.CALLS, "+49 1", poll=True, password="13"))
    b = End(
        CallParameters(Role.ANSWERS, "+49 2", offers_pages=True, required_password="12"),
        Pages(document(1, Coding.MH)),
    )
    link(a, b)
    assert a.call.result is not None
    assert b.call.result is not None
    assert (a.call.result.cause, b.call.result.cause) == (causes.POLL_REFUSED, causes.PASSWORD_WRONG)


def test_pages_are_sent_and_polled_in_one_call() -> None:
    there, back = document(2, Coding.MMR), document(3, Coding.MH)
    a = End(CallParameters(Role.CALLS, "+49 1", poll=True), Pages(there))
    b = End(CallParameters(Role.ANSWERS, "+49 2", offers_pages=True), Pages(back))
    link(a, b)
    assert [p.page for p in b.store.pages] == there
    assert [p.page for p in a.store.pages] == back


def test_a_source_without_pages_delivers_none_and_says_that_it_is_the_last() -> None:
    got: list[tuple[CodedPage | None, bool]] = []
    MemoryPages([]).fetch(0, Pages, lambda *a: got.append(a))  # type: ignore[arg-type]
    assert got == [(None, True)]
