"""Whole faxes with spandsp, whose packets are rewritten as real gateways write them, or delayed.

What is said, when, and what is made of ours is spandsp's: an accent only packs it otherwise.  tshark reads
what each accent makes, so that no cell rests on our own reading of T.38 alone.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

from appliance.causes import DELIVERED, RECEIVED
from appliance.lines.practice.faults import MCF, RTN, Faults, Swap
from appliance.lines.practice.network import Impairment
from appliance.t30.causes import PAGE_REFUSED
from appliance.t38 import ifp
from appliance.t38.ifp import (
    DataField,
    DataPacket,
    DataType,
    FieldType,
    IfpPacket,
    Indicator,
    IndicatorPacket,
)
from appliance.t38.settings import ErrorCorrection
from tests.interop.harness import Accent, Outcome, Setup, drawn_page, run, same_pages
from tests.t38 import tshark

PAGES = [drawn_page(1, 200), drawn_page(2, 200)]
VERSION = 0
NOISE = bytes.fromhex("ff58de07")  # what a modem makes of the end of a burst: no frame, and its FCS is wrong
# T.30 5.3.5 in the line's order, as T.38 carries it: the control octet's final bit.
CONTROL, FINAL = 1, 0x08
FRAME_ENDS = frozenset({FieldType.HDLC_FCS_OK, FieldType.HDLC_FCS_OK_SIG_END})
BURST_ENDS = frozenset({FieldType.HDLC_SIG_END, FieldType.HDLC_FCS_OK_SIG_END})


def one(data_type: DataType, kind: FieldType, octets: bytes = b"") -> DataPacket:
    return DataPacket(data_type, (DataField(kind, octets),))


class Rewritten(Accent):
    """One that works on packets."""

    def packets(self, data: bytes) -> list[bytes]:
        return [ifp.encode(each, VERSION) for each in self.said(ifp.decode(data, VERSION))]

    def said(self, packet: IfpPacket) -> list[IfpPacket]:
        raise NotImplementedError


class LastOctetsInTheEnd(Rewritten):
    """hdlc-fcs-OK and hdlc-fcs-OK-sig-end bring the frame's last octets (Cisco, Commetrex)."""

    def __init__(self) -> None:
        self._held: DataPacket | None = None

    def said(self, packet: IfpPacket) -> list[IfpPacket]:
        held, self._held = self._held, None
        before: list[IfpPacket] = [held] if held is not None else []
        if not isinstance(packet, DataPacket) or not packet.fields:
            return [*before, packet]
        if packet.fields[-1].kind is FieldType.HDLC_DATA:
            self._held = packet
            return before
        if held is not None and packet.fields[0].kind in FRAME_ENDS:
            *rest, last = held.fields
            end = DataField(packet.fields[0].kind, last.octets)
            return [DataPacket(held.data_type, (*rest, end, *packet.fields[1:]))]
        return [*before, packet]


class Frames(Rewritten):
    """One that works on the V.21 bursts: a list of frames in, packets out when the burst ends."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._frame = b""

    def said(self, packet: IfpPacket) -> list[IfpPacket]:
        if not isinstance(packet, DataPacket) or packet.data_type is not DataType.V21:
            return [packet]
        ended = False
        for each in packet.fields:
            if each.kind is FieldType.HDLC_DATA:
                self._frame += each.octets
            if each.kind in FRAME_ENDS and self._frame:
                self._frames.append(self._frame)
                self._frame = b""
            ended |= each.kind in BURST_ENDS
        if not ended:
            return []
        frames, self._frames = self._frames, []
        return self.burst(frames)

    def burst(self, frames: list[bytes]) -> list[IfpPacket]:
        packets: list[IfpPacket] = []
        for frame in frames:
            packets += [
                one(DataType.V21, FieldType.HDLC_DATA, frame),
                one(DataType.V21, FieldType.HDLC_FCS_OK),
            ]
        return [*packets, one(DataType.V21, FieldType.HDLC_SIG_END)]


class NoiseBehind(Frames):
    """A good frame is followed by noise with a wrong FCS."""

    def burst(self, frames: list[bytes]) -> list[IfpPacket]:
        *packets, end = super().burst(frames)
        noise = one(DataType.V21, FieldType.HDLC_DATA, NOISE)
        return [*packets, noise, one(DataType.V21, FieldType.HDLC_FCS_BAD), end]


class CommandFirst(Frames):
    """DIS before CSI, DCS before TSI: the last frame is the one that says so."""

    def burst(self, frames: list[bytes]) -> list[IfpPacket]:
        turned = [bytearray(frame) for frame in reversed(frames)]
        for frame in turned:
            frame[CONTROL] &= ~FINAL
        for frame in turned[-1:]:
            frame[CONTROL] |= FINAL
        return super().burst([bytes(frame) for frame in turned])


class CommandFirstAndFinal(Frames):
    """The same, each frame with the final bit that it had."""

    def burst(self, frames: list[bytes]) -> list[IfpPacket]:
        return super().burst(frames[::-1])


class ImageLabel(Rewritten):
    """V.21 frames under an image modem's indicator and data type, as spandsp's gateway may send them."""

    def said(self, packet: IfpPacket) -> list[IfpPacket]:
        if packet == IndicatorPacket(Indicator.V21_PREAMBLE):
            return [IndicatorPacket(Indicator.V29_9600_TRAINING)]
        if isinstance(packet, DataPacket) and packet.data_type is DataType.V21:
            return [DataPacket(DataType.V29_9600, packet.fields)]
        return [packet]


class AnotherModem(Rewritten):
    """The indicator says V.17, the data says V.29."""

    def said(self, packet: IfpPacket) -> list[IfpPacket]:
        if isinstance(packet, DataPacket) and packet.data_type is DataType.V17_14400:
            return [DataPacket(DataType.V29_9600, packet.fields)]
        return [packet]


class NumbersBeginAnew(Accent):
    """Its sequence numbers begin again at 0 within the first 64 packets, once."""

    AT = 40

    def datagram(self, data: bytes) -> bytes:
        number = int.from_bytes(data[:2], "big")
        return (number - self.AT if number >= self.AT else number).to_bytes(2, "big") + data[2:]


class OctetsBehind(Accent):
    """Octets that mean nothing behind each datagram."""

    def datagram(self, data: bytes) -> bytes:
        return data + bytes.fromhex("0000deadbeef")


class LyingCount(Accent):
    """The primary is sound; more repeated packets are promised than come."""

    def datagram(self, data: bytes) -> bytes:
        length = data[2]
        assert length < 0x80
        at = 3 + length + 1
        return data[:at] + bytes((data[at] + 2,)) + data[at + 1 :]


ACCENTS: Sequence[type[Accent]] = (
    LastOctetsInTheEnd,
    NoiseBehind,
    CommandFirst,
    CommandFirstAndFinal,
    ImageLabel,
    AnotherModem,
    NumbersBeginAnew,
    OctetsBehind,
    LyingCount,
)


def spoken(folder: Path, accent: Accent) -> list[tuple[float, int, bytes]]:
    """What a machine with this accent sends in a call of ours, and when."""
    said: list[tuple[float, int, bytes]] = []

    def tap(at: float, ours: bool, data: bytes) -> None:
        if not ours:
            said.append((at, 0, data))

    correction = ErrorCorrection.NONE  # each packet is written once
    run(Setup(pages=PAGES[:1], accent=accent, tap=tap, correction=correction), folder)
    return said


@pytest.mark.skipif(tshark.TSHARK is None, reason="tshark is not installed")
def test_tshark_reads_the_accents_as_they_are_meant(tmp_path: Path) -> None:
    accents = (Accent(), LastOctetsInTheEnd(), NoiseBehind(), ImageLabel(), CommandFirst())
    calls = [spoken(tmp_path, accent) for accent in accents]
    tshark.write_pcap(tmp_path / "said.pcap", [each for call in calls for each in call])
    packets = iter(tshark.dissect(tmp_path / "said.pcap", VERSION, reassemble=False))
    plain, last, noise, label, turned = (kinds_of(islice(packets, len(call))) for call in calls)
    ends = ("hdlc-fcs-OK", "hdlc-fcs-OK-sig-end")
    assert not any(plain["v21", end, True] for end in ends)
    assert all(last["v21", end, True] for end in ends)
    assert last["v21", "hdlc-data", True] < plain["v21", "hdlc-data", True]
    assert noise["v21", "hdlc-fcs-BAD", False] == noise["v21", "hdlc-sig-end", False] > 0
    assert label == Counter({("v29-9600", *rest): count for (_, *rest), count in plain.items()})
    assert turned["v21", "hdlc-fcs-OK", False] == turned["v21", "hdlc-data", True] > 0


def kinds_of(packets: Iterable[list[ET.Element]]) -> Counter[tuple[str, str, bool]]:
    """How often tshark sees each data type with each field type, with octets or without."""
    found: Counter[tuple[str, str, bool]] = Counter()
    for protos in packets:
        types = [word(each) for each in tshark.fields(protos, "t38.t30_data")]
        for item in tshark.fields(protos, "t38.Data_Field_item_element"):
            (kind,) = tshark.fields([item], "t38.field_type")
            found[types[0], word(kind), bool(tshark.fields([item], "t38.field_data"))] += 1
    return found


def word(field: ET.Element) -> str:
    """The name in ``field-type: hdlc-data (0)``."""
    return field.get("showname", "").split(": ")[1].split(" ")[0]


Usual = Callable[[bool, bool], Outcome]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Usual:
    """The call as it goes without an accent, each kind once."""
    folder = tmp_path_factory.mktemp("usual")
    return cache(lambda we_send, ecm: run(Setup(we_send, pages=PAGES, ecm=ecm), folder))


def arrived(outcome: Outcome, we_send: bool) -> bool:
    wanted = DELIVERED if we_send else RECEIVED
    return outcome.result.cause is wanted and same_pages(PAGES, outcome.received)


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("we_send", [True, False], ids=["we_send", "we_receive"])
@pytest.mark.parametrize("accent", ACCENTS, ids=lambda each: each.__name__)
def test_a_machine_with_an_accent_is_understood_in_the_first_call(
    tmp_path: Path, usual: Usual, accent: type[Accent], we_send: bool, ecm: bool
) -> None:
    outcome = run(Setup(we_send, pages=PAGES, ecm=ecm, accent=accent()), tmp_path)
    assert arrived(outcome, we_send), outcome.account[-8:]
    assert outcome.count("timer") <= usual(we_send, ecm).count("timer"), "nothing had to be said twice"


# T4 of the sender is over before the answer of a far end that is this slow can come: it answers each repeat.
LATER_THAN_T4_S = 3.6
SOUND = Faults()


def answered_late(folder: Path, usual: Usual, *, ecm: bool, faults: Faults = SOUND) -> Outcome:
    """A call in which the machine is late from its first page on."""
    begun = next(each.at for each in usual(True, ecm).account if each.event == "page_sending")
    late = Impairment(late_after_s=begun, late_s=LATER_THAN_T4_S)
    return run(Setup(pages=PAGES, ecm=ecm, back=late, faults=faults), folder)


@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
def test_a_machine_whose_answers_come_after_t4_gets_each_page_once(
    tmp_path: Path, usual: Usual, ecm: bool
) -> None:
    outcome = answered_late(tmp_path, usual, ecm=ecm)
    assert outcome.count("timer") > 0
    assert outcome.result.cause is DELIVERED, outcome.account[-8:]
    assert same_pages(PAGES, outcome.received)


@pytest.mark.parametrize("both_ways", [False, True], ids=["back", "half_each_way"])
@pytest.mark.parametrize("ecm", [True, False], ids=["ecm", "plain"])
@pytest.mark.parametrize("late_s", [LATER_THAN_T4_S, 4.0, 5.0])
def test_a_machine_that_is_late_from_its_first_word_on_gets_each_page_once(
    tmp_path: Path, late_s: float, ecm: bool, both_ways: bool
) -> None:
    """Its answer to the training would meet each repeat at T4, and so would all behind it."""
    late = Impairment(late_after_s=0.0, late_s=late_s / 2 if both_ways else late_s)
    there = late if both_ways else Impairment()
    outcome = run(Setup(pages=PAGES, ecm=ecm, there=there, back=late), tmp_path)
    assert outcome.result.cause is DELIVERED, outcome.account[-8:]
    assert same_pages(PAGES, outcome.received)


@pytest.mark.parametrize("late_s", [6.5, 9.0])
def test_a_machine_later_than_anything_foreseen_is_not_said_to_have_what_it_has_not(
    tmp_path: Path, late_s: float
) -> None:
    pages = [drawn_page(1, 900), drawn_page(2, 900)]
    late = Impairment(late_after_s=0.0, late_s=late_s / 2)
    outcome = run(Setup(pages=pages, there=late, back=late), tmp_path)
    assert outcome.result.cause is not DELIVERED or same_pages(pages, outcome.received)


@pytest.mark.parametrize(
    ("ecm", "to_page_1"),
    [
        pytest.param(True, 2, id="ecm"),
        pytest.param(False, 1, id="plain"),  # our second page cuts its second answer short
    ],
)
def test_a_late_confirmation_of_one_page_never_stands_for_the_next(
    tmp_path: Path, usual: Usual, ecm: bool, to_page_1: int
) -> None:
    """The machine says MCF to the first page as often as it was asked, and never to the second."""
    refuses = Faults(
        swaps=tuple(Swap(MCF, occurrence, RTN) for occurrence in range(to_page_1 + 1, to_page_1 + 10))
    )
    outcome = answered_late(tmp_path, usual, ecm=ecm, faults=refuses)
    assert [dict(each.fields)["name"] for each in outcome.account if each.event == "frame_sent"].count(
        "PPS" if ecm else "MPS"
    ) > 1
    assert outcome.result.cause is PAGE_REFUSED, outcome.account[-8:]
    assert outcome.result.pages_sent == 1


@pytest.mark.parametrize(
    ("we_call", "late_s"),
    [(True, 20.0), (True, 50.0), (False, 20.0), (False, 33.0)],
    ids=["who_is_called_20", "who_is_called_50", "who_calls_20", "who_calls_33"],
)
def test_somebody_who_presses_start_late_is_waited_for(tmp_path: Path, late_s: float, we_call: bool) -> None:
    """T0 is 60 s for who calls; who is called repeats DIS until T1, which CNG starts anew."""
    outcome = run(Setup(we_send=we_call, pages=PAGES, late_s=late_s), tmp_path)
    assert arrived(outcome, we_send=we_call), outcome.account[-8:]
