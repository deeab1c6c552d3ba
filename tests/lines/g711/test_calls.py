"""Whole faxes over RTP with G.711 against spandsp's audio fax machine, in virtual time.

The full grid (both directions, modems, ECM, laws) is small enough to run always.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance import causes
from appliance.lines.g711.codec import Law
from appliance.lines.g711.rtp import RtpSession
from appliance.t4.page import Coding
from appliance.t30.dce import Modulation
from appliance.t30.memory import MemoryStore
from appliance.t30.parameters import Capabilities, Progress
from tests.interop.harness import drawn_page
from tests.lines.g711.far_end import TICK_S, AudioPeer, EchoingPeer, carry, page, receiving, sending, tiff_of
from tests.softmodem.fixtures import tiff_rasters
from tests.softmodem.stations import FaxMachine

MODEMS = {
    Modulation.V17: FaxMachine.V17 | FaxMachine.V29 | FaxMachine.V27TER,
    Modulation.V29: FaxMachine.V29 | FaxMachine.V27TER,
    Modulation.V27TER: FaxMachine.V27TER,
}
LAWS = {"mu-law": 0, "A-law": 8}
# When spandsp begins the training of its first page in a call without delay, seconds.
TRAINING_AT_S = 11.62


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("ecm", [True, False], ids=["ECM", "no ECM"])
@pytest.mark.parametrize("modulation", MODEMS)
def test_pages_sent_as_tones_arrive_at_spandsp(
    tmp_path: Path, modulation: Modulation, ecm: bool, law: str
) -> None:
    pages = [page(300, seed=1), page(120, seed=2)]
    got = tmp_path / "got.tif"
    machine = FaxMachine(receive=got, ecm=ecm, modems=MODEMS[modulation])
    rtp = RtpSession(LAWS[law])
    result = carry(sending(list(pages), rtp), AudioPeer(machine, LAWS[law]))
    words = machine.words
    machine.close()
    assert result.cause is causes.DELIVERED
    assert result.pages_sent == 2
    assert words == "OK"
    assert result.ecm is ecm
    assert result.carrier is not None
    assert result.carrier.modulation is modulation
    assert rtp.receiver.received.lost == 0
    assert [pixels for _, _, pixels in tiff_rasters(got)] == [each.data for each in pages]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("ecm", [True, False], ids=["ECM", "no ECM"])
@pytest.mark.parametrize("modulation", MODEMS)
def test_pages_that_spandsp_sends_as_tones_arrive(
    tmp_path: Path, modulation: Modulation, ecm: bool, law: str
) -> None:
    pages = [page(300, seed=3), page(120, seed=4)]
    machine = FaxMachine(
        calls="1",
        send=tiff_of(tmp_path, pages),
        ecm=ecm,
        modems=MODEMS[modulation],
    )
    store = MemoryStore()
    result = carry(receiving(store, RtpSession(LAWS[law])), AudioPeer(machine, LAWS[law]))
    machine.close()
    assert result.cause is causes.RECEIVED
    assert result.pages_received == 2
    assert result.ecm is ecm
    assert result.carrier is not None
    assert result.carrier.modulation is modulation
    assert result.bad_rows == 0
    assert [each.data for each in store.rasters()] == [each.data for each in pages]


@pytest.mark.parametrize("seed", range(5))
def test_one_per_cent_of_loss_towards_us_is_mended_when_sending(tmp_path: Path, seed: int) -> None:
    got = tmp_path / "got.tif"
    machine = FaxMachine(receive=got)
    rtp = RtpSession(8)
    result = carry(sending([page(400)], rtp), AudioPeer(machine, 8, 0.01, seed + 10, loss_back=0.0))
    machine.close()
    assert result.cause is causes.DELIVERED
    assert rtp.receiver.received.lost > 0
    assert [pixels for _, _, pixels in tiff_rasters(got)] == [page(400).data]


@pytest.mark.parametrize("seed", range(5))
def test_one_per_cent_of_loss_towards_us_is_repaired_when_receiving(tmp_path: Path, seed: int) -> None:
    machine = FaxMachine(calls="1", send=tiff_of(tmp_path, [page(400)]))
    store, rtp = MemoryStore(), RtpSession(8)
    result = carry(receiving(store, rtp), AudioPeer(machine, 8, 0.01, seed, loss_back=0.0))
    machine.close()
    assert result.cause is causes.RECEIVED
    assert rtp.receiver.received.concealed > 0
    assert [each.data for each in store.rasters()] == [page(400).data]


def stalls(seconds: float, every_s: float = 3.0) -> Callable[[float], float]:
    """The network stands still for so long, so often, and loses nothing."""
    return lambda sent: sent if sent % every_s > seconds else sent - sent % every_s + seconds


@pytest.mark.parametrize(
    ("away_s", "echo_s", "modulation", "ecm"),
    [
        (0.0, 0.06, Modulation.V17, True),
        (0.3, 0.02, Modulation.V17, False),
        (0.0, 0.06, Modulation.V29, False),
        (0.3, 0.02, Modulation.V29, True),
    ],
)
def test_echo_of_our_own_answer_is_not_taken_for_the_page(
    tmp_path: Path, away_s: float, echo_s: float, modulation: Modulation, ecm: bool
) -> None:
    """It reaches us when we listen already, before the far end, ``away_s`` off, begins its page."""
    pages = [page(100, seed=3), page(60, seed=4)]
    machine = FaxMachine(calls="1", send=tiff_of(tmp_path, pages), ecm=ecm, modems=MODEMS[modulation])
    store = MemoryStore()
    peer = EchoingPeer(machine, 8, echo_s)
    result = carry(receiving(store, RtpSession(8)), peer, lambda sent_at: sent_at + away_s)
    machine.close()
    assert result.cause is causes.RECEIVED
    assert (result.pages_received, result.bad_rows) == (2, 0)
    assert [each.data for each in store.rasters()] == [each.data for each in pages]


@pytest.mark.parametrize("ecm", [True, False], ids=["ECM", "no ECM"])
def test_page_whose_training_is_lost_is_asked_for_again(tmp_path: Path, ecm: bool) -> None:
    """It lasts longer than T2, and no silence: the call goes on with the far end's command."""
    pages = [page(500, seed=3), page(60, seed=4)]
    machine = FaxMachine(calls="1", send=tiff_of(tmp_path, pages), ecm=ecm)
    store, rtp = MemoryStore(), RtpSession(8)
    peer = AudioPeer(machine, 8)
    fax, heard = receiving(store, rtp), []

    def late(sent_at: float) -> float:
        """The packets of 100 ms of the page's training never arrive."""
        heard.append(sent_at)
        begun = sent_at - heard[0]
        return sent_at + (1e6 if TRAINING_AT_S < begun < TRAINING_AT_S + 0.1 else 0.0)

    result = carry(fax, peer, late)
    machine.close()
    assert result.cause is causes.RECEIVED
    assert result.frames_repeated + result.retrainings > 0
    assert [each.data for each in store.rasters()] == [each.data for each in pages]


@pytest.mark.parametrize("ecm", [True, False], ids=["ECM", "no ECM"])
@pytest.mark.parametrize("seconds", [0.2, 0.4, 0.8])
def test_packets_that_are_only_late_cost_nothing(tmp_path: Path, seconds: float, ecm: bool) -> None:
    pages = [page(400, seed=3)]
    machine = FaxMachine(calls="1", send=tiff_of(tmp_path, pages), ecm=ecm)
    store, rtp = MemoryStore(), RtpSession(8)
    result = carry(receiving(store, rtp), AudioPeer(machine, 8), stalls(seconds))
    machine.close()
    assert result.cause is causes.RECEIVED
    assert (rtp.receiver.received.lost, result.bad_rows, result.frames_repeated) == (0, 0, 0)
    assert [each.data for each in store.rasters()] == [each.data for each in pages]


@pytest.mark.parametrize("seconds", [0.2, 0.8])
def test_answers_that_are_only_late_are_heard(tmp_path: Path, seconds: float) -> None:
    machine = FaxMachine(receive=tmp_path / "got.tif")
    result = carry(sending([page(300)], RtpSession(0)), AudioPeer(machine, 0), stalls(seconds))
    machine.close()
    assert result.cause is causes.DELIVERED


@pytest.mark.parametrize("jitter_s", [0.02, 0.06, 0.15])
def test_packets_that_overtake_each_other_are_put_in_order_once_that_is_known(
    tmp_path: Path, jitter_s: float
) -> None:
    dice = random.Random(7)
    machine = FaxMachine(calls="1", send=tiff_of(tmp_path, [page(400)]))
    store, rtp = MemoryStore(), RtpSession(8)
    result = carry(receiving(store, rtp), AudioPeer(machine, 8), lambda sent: sent + dice.random() * jitter_s)
    machine.close()
    assert result.cause is causes.RECEIVED
    assert rtp.receiver.received.lost <= 3, "before anything was known of the jitter"
    assert [each.data for each in store.rasters()] == [page(400).data]


class CutOff(AudioPeer):
    """Nothing of it arrives from ``at_s`` on, for so long."""

    def __init__(self, machine: FaxMachine, at_s: float, seconds: float) -> None:
        super().__init__(machine, 8)
        self._ticks, self._gone = 0, (at_s, at_s + seconds)

    def tick(self, *, patient: bool = False) -> bytes | None:
        said = super().tick(patient=patient)
        self._ticks += 1
        return None if self._gone[0] <= self._ticks * TICK_S < self._gone[1] else said


@pytest.mark.parametrize("seconds", [0.4, 0.6, 0.9, 1.1, 1.5])
def test_a_hole_in_a_page_without_ecm_is_counted_by_its_rows_and_refused(
    tmp_path: Path, seconds: float
) -> None:
    """A hundred rows a second: with packets left out the page would only be shorter."""
    machine = FaxMachine(calls="1", send=tiff_of(tmp_path, [drawn_page(7, 2287)]), ecm=False)
    store, account = MemoryStore(), list[Progress]()
    fax = receiving(store, RtpSession(8), progress=account.append)
    result = carry(fax, CutOff(machine, 18.0, seconds))
    machine.close()
    judged = [dict(p.fields) for p in account if p.event == "page_judged"]
    assert all(each["verdict"] == "bad" for each in judged)
    assert result.cause is not causes.RECEIVED
    assert not store.pages
    if judged and seconds < 1.0:
        assert judged[0]["rows"] == pytest.approx(2287, rel=0.05)


@pytest.mark.parametrize(("law", "number"), [(0, 96), (8, 97), (8, 127), (0, 8)])
def test_g711_under_a_number_of_the_calls_own(tmp_path: Path, law: int, number: int) -> None:
    machine = FaxMachine(calls="1", send=tiff_of(tmp_path, [page(200)]))
    store = MemoryStore()
    result = carry(receiving(store, RtpSession(number, Law(law))), AudioPeer(machine, law, number=number))
    machine.close()
    assert result.cause is causes.RECEIVED
    assert [each.data for each in store.rasters()] == [page(200).data]


def test_one_per_cent_of_loss_both_ways_is_mostly_delivered_at_the_first_attempt(tmp_path: Path) -> None:
    """The far end here mends nothing: a packet lost in its V.21 is a frame lost, with three tries for each.

    Of 200 seeds nine in ten come through; a job that does not is tried again by the dispatcher.
    """
    delivered = 0
    for seed in range(8):
        got = tmp_path / f"{seed}.tif"
        machine = FaxMachine(receive=got)
        result = carry(sending([page(400)], RtpSession(8)), AudioPeer(machine, 8, 0.01, seed))
        machine.close()
        if result.cause is causes.DELIVERED:
            delivered += 1
            assert [pixels for _, _, pixels in tiff_rasters(got)] == [page(400).data]
    assert delivered >= 6


def test_machine_that_loses_a_command_and_begins_anew_gets_the_page_again(tmp_path: Path) -> None:
    """spandsp goes back to DIS after one PPS that did not survive: some seed loses that packet."""
    for seed in range(33, 73):
        got = tmp_path / f"{seed}.tif"
        machine = FaxMachine(receive=got)
        events: list[str] = []
        result = carry(
            sending([page(400)], RtpSession(8), progress=lambda each, to=events: to.append(each.event)),
            AudioPeer(machine, 8, 0.01, seed),
        )
        machine.close()
        if "began_anew" in events and result.cause is causes.DELIVERED:
            break
    else:
        raise AssertionError("no seed of forty was mended so")
    assert [pixels for _, _, pixels in tiff_rasters(got)] == [page(400).data]


def test_slowest_machine_of_all_is_served(tmp_path: Path) -> None:
    """MH alone, no ECM, 20 ms a line is asked by a machine's DIS: fill bits go out as bits."""
    got = tmp_path / "got.tif"
    machine = FaxMachine(receive=got, ecm=False, compressions=FaxMachine.MH)
    capabilities = Capabilities(codings=frozenset({Coding.MH}), ecm=False)
    result = carry(sending([page(120)], RtpSession(0), capabilities), AudioPeer(machine, 0))
    machine.close()
    assert result.cause is causes.DELIVERED
    assert [pixels for _, _, pixels in tiff_rasters(got)] == [page(120).data]


def test_far_end_that_hangs_up_in_mid_page_ends_the_call(tmp_path: Path) -> None:
    machine = FaxMachine(receive=tmp_path / "got.tif")
    peer = AudioPeer(machine, 8)
    fax = sending([page(2000)], RtpSession(8))
    now, due = 0.0, 0.0
    fax.start(now)
    while now < 20.0:
        now = due
        due += 0.02
        datagram = peer.tick()
        if datagram is not None:
            fax.receive_datagram(datagram, now)
        fax.handle_timer(now)
        for datagram in fax.take_datagrams():
            peer.listen(datagram)
    assert fax.result is None
    fax.hang_up(now)
    machine.close()
    assert fax.result is not None
    assert fax.result.cause is not causes.DELIVERED
    assert fax.result.pages_sent == 0


def test_owner_cancels_and_the_far_end_hears_dcn(tmp_path: Path) -> None:
    machine = FaxMachine(receive=tmp_path / "got.tif")
    peer = AudioPeer(machine, 8)
    fax = sending([page(2000)], RtpSession(8))
    now, due = 0.0, 0.0
    fax.start(now)
    cancelled_at = None
    while fax.result is None:
        now = due
        due += 0.02
        assert now < 60.0
        datagram = peer.tick()
        if datagram is not None:
            fax.receive_datagram(datagram, now)
        if now > 6.0 and cancelled_at is None:
            cancelled_at = now
            fax.cancel(now)
        fax.handle_timer(now)
        for datagram in fax.take_datagrams():
            peer.listen(datagram)
    machine.close()
    assert fax.result.cause is causes.CANCELLED
    assert cancelled_at is not None
    assert now - cancelled_at < 8.0


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_random_packets_end_in_a_result_and_never_raise(seed: int) -> None:
    """A hostile far end: random audio at full level, random RTP headers, floods, jumps."""
    dice = random.Random(seed)
    store = MemoryStore()
    fax = receiving(store, RtpSession(8))
    now, sequence = 0.0, 0
    fax.start(now)
    while fax.result is None:
        now += 0.02
        assert now < 300.0
        for _ in range(dice.choice([0, 1, 1, 1, 1, 40])):
            kind = dice.randrange(6)
            header = bytes([0x80, 8]) + sequence.to_bytes(2, "big") + bytes(8)
            sequence = (sequence + dice.choice([1, 1, 1, 1, 2, 0, 60000])) & 0xFFFF
            if kind == 0:
                fax.receive_datagram(dice.randbytes(dice.randrange(0, 400)), now)
            elif kind == 1:
                fax.receive_datagram(bytes([0xBF, 0x88]) + dice.randbytes(200), now)
            else:
                fax.receive_datagram(header + dice.randbytes(160), now)
        fax.handle_timer(now)
        fax.take_datagrams()
    assert store.pages == []
    assert fax.result.cause is not causes.RECEIVED
