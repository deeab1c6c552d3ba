"""The DCE alone: orders in, commands out; results in, events out."""

from __future__ import annotations

import pytest

from appliance.lines import causes
from appliance.lines.modem.causes import MODEM_SILENT
from appliance.lines.modem.class1 import ClassOneDce, Opened
from appliance.lines.modem.dialling import DialRules
from appliance.lines.modem.fax import ModemCall, ModemFax
from appliance.lines.modem.identify import Modem
from appliance.lines.modem.lexer import DataKind, stuff
from appliance.lines.modem.port import CommandPort
from appliance.lines.modem.quirks import Quirks
from appliance.t30.dce import (
    Carrier,
    CarrierMissed,
    CarrierOff,
    CarrierOn,
    Data,
    Expect,
    Frame,
    HangUp,
    LineEvent,
    LineLost,
    LineOrder,
    Receive,
    SendCed,
    SendFrames,
    SendImage,
    SendTcf,
    Sent,
)
from appliance.t30.fcs import with_fcs
from appliance.t30.memory import MemoryPages, RefusingStore
from appliance.t30.parameters import CallParameters, Role

V21 = Receive(Carrier.V21, Expect.FRAMES)
DIS, MCF = b"\xff\x13\x80\x00\x10", b"\xff\x13\x8c"
CSI = b"\xff\x03\x40" + b"1" * 20
TAIL = b"\x10\x03"


class Bench:
    """A DCE whose modem is played by hand."""

    def __init__(
        self, opened: Opened = Opened.CALLING, quirks: Quirks | None = None, *, round_trip_s: float = 0.0
    ) -> None:
        self.port = CommandPort()
        self.dce = ClassOneDce(
            self.port, quirks or Quirks(), opened, latency_s=round_trip_s, round_trip_s=round_trip_s
        )
        self.now = 1.0

    def order(self, order: LineOrder) -> str:
        self.dce.order(order, self.now)
        return self.written()

    def written(self) -> str:
        due = self.dce.next_deadline()
        if due is not None and due <= self.now:
            self.dce.handle_timer(self.now)
        return self.port.take_output().decode("latin-1")

    def says(self, *words: bytes) -> list[LineEvent]:
        raw = (b"\xff", b"\0", b"\x10")
        data = b"".join(w if w.startswith(raw) else b"\r\n" + w + b"\r\n" for w in words)
        self.port.receive(data, self.now)
        self.dce.handle_port(self.now)
        return self.dce.take_events()

    def passes(self, seconds: float) -> list[LineEvent]:
        until = self.now + seconds
        while (due := self.dce.next_deadline()) is not None and due <= until:
            self.now = max(self.now, due)
            self.dce.handle_timer(self.now)
        self.now = until
        return self.dce.take_events()


def wire(frame: bytes) -> bytes:
    return stuff(with_fcs(frame)) + TAIL


def test_the_far_preamble_is_heard_at_once_after_dialling() -> None:
    bench = Bench()
    bench.port.command("DT1", bench.now, within=None, opens=DataKind.FRAME)
    bench.port.take_output()
    bench.port.receive(b"\r\nCONNECT\r\n", bench.now)
    bench.port.take_event()
    assert bench.order(V21) == ""
    assert bench.says(wire(CSI), b"OK") == [CarrierOn(Carrier.V21), Frame(CSI, True)]
    assert bench.written() == "AT+FRH=3\r"
    assert bench.says(b"CONNECT", wire(DIS), b"OK") == [Frame(DIS, True), CarrierOff()]
    assert bench.written() == ""  # the engine's turn


def test_the_answering_side_sends_into_its_open_preamble() -> None:
    bench = Bench(Opened.ANSWERING)
    bench.dce.order(SendCed(), bench.now)
    assert bench.dce.take_events() == [Sent()]
    assert bench.order(SendFrames((CSI, DIS))) == (CSI + TAIL).decode("latin-1")
    bench.now += 0.7
    assert bench.says(b"CONNECT") == []
    assert bench.written() == (stuff(DIS) + TAIL).decode("latin-1")
    assert bench.says(b"OK") == [Sent()]


def test_tcf_follows_dcs_after_a_silence_of_our_own() -> None:
    bench = Bench(Opened.ANSWERING)
    bench.order(SendFrames((DIS,)))
    bench.says(b"OK")
    assert bench.order(SendTcf(Carrier.V17_14400, 100)) == "AT+FTS=7\r"
    bench.says(b"OK")
    assert bench.written() == "AT+FTM=145\r"
    bench.says(b"CONNECT")
    assert bench.written() == (bytes(100) + TAIL).decode("latin-1")
    assert bench.says(b"OK") == [Sent()]
    assert bench.order(V21) == "AT+FRH=3\r"


@pytest.mark.parametrize("connect_s", [0.0, 0.3, 0.83, 1.1, 2.0])
def test_a_modem_that_says_connect_behind_its_preamble_gets_each_frame_at_once(connect_s: float) -> None:
    """The time to CONNECT is the modem's preamble, no round trip: else seconds of flags follow."""
    bench = Bench(Opened.ANSWERING)
    bench.order(SendFrames((DIS,)))
    bench.says(b"OK")
    bench.order(V21)
    bench.says(b"CONNECT", wire(DIS), b"OK")
    assert bench.order(SendFrames((CSI, CSI, DIS))) in ("AT+FRS=7\r", "AT+FTS=7\r")
    bench.says(b"OK")
    assert bench.written() == "AT+FTH=3\r"
    bench.now += connect_s
    bench.says(b"CONNECT")
    for frame in (CSI, CSI, DIS):
        assert bench.written() == (stuff(frame) + TAIL).decode("latin-1")
        bench.passes((len(frame) + 3) * 8 / 300)
        bench.says(b"CONNECT" if frame is not DIS else b"OK")


@pytest.mark.parametrize(
    ("number", "ring_s", "least", "most"),
    [
        ("5551234", 60.0, 55.0, 65.0),
        ("5551234", 20.0, 30.0, 40.0),
        ("0,,5551234", 60.0, 59.0, 69.0),
        ("5551234", 90.0, 90.0, 96.0),
    ],
)
def test_a_dial_that_neither_modem_nor_far_end_answers_ends_within_its_bound(
    number: str, ring_s: float, least: float, most: float
) -> None:
    """T0 is 60 ± 5 s from the end of dialling (T.30 5.4.3.1); there are modems that do not heed S7."""
    fax = ModemFax(
        CallParameters(Role.CALLS),
        MemoryPages([]),
        RefusingStore(),
        ModemCall(modem=Modem(), rules=DialRules(), number=number, ring_s=ring_s),
        progress=lambda _: None,
    )
    now, dialled_at, given_up_at = 0.0, None, None
    fax.start(now)
    while fax.result is None:
        written = fax.take_bytes().decode("latin-1")
        if written.startswith("ATD"):
            dialled_at = now
        elif written == "\x18" and dialled_at is not None:
            given_up_at = now
        elif written.startswith("AT"):
            fax.receive_bytes(b"\r\nOK\r\n", now)
            continue
        due = fax.next_deadline()
        assert due is not None
        now = max(now, due)
        fax.handle_timer(now)
    assert dialled_at is not None
    assert given_up_at is not None
    assert least <= given_up_at - dialled_at <= most
    assert fax.result.cause is causes.NO_ANSWER


def test_a_modem_far_away_may_still_say_connect_twice_before_its_first_frame() -> None:
    bench = Bench(Opened.ANSWERING, round_trip_s=1.0)
    bench.order(SendFrames((DIS,)))
    bench.says(b"OK")
    bench.order(SendFrames((CSI, DIS)))
    bench.says(b"OK")
    assert bench.written() == "AT+FTH=3\r"
    bench.now += 1.0
    bench.says(b"CONNECT")
    assert bench.written() == (stuff(CSI) + TAIL).decode("latin-1")
    bench.passes(0.2)
    bench.says(b"CONNECT")
    assert bench.written() == "", "it is the first one said again"
    bench.passes(1.4)
    bench.says(b"CONNECT")
    assert bench.written() == (stuff(DIS) + TAIL).decode("latin-1")


def test_dle_is_doubled_in_a_page_and_short_training_has_its_own_number() -> None:
    bench = Bench(Opened.ANSWERING)
    bench.order(SendFrames((DIS,)))
    bench.says(b"OK")
    bench.order(SendImage(Carrier.V17_9600, True, b"\x10\x03\x10"))
    bench.says(b"OK")
    assert bench.written() == "AT+FTM=98\r"
    bench.says(b"CONNECT")
    assert bench.written().encode("latin-1") == b"\x10\x10\x03\x10\x10" + TAIL


def test_received_page_octets_are_unstuffed_and_their_end_is_told() -> None:
    bench = Bench(Opened.ANSWERING)
    bench.order(SendFrames((DIS,)))
    bench.says(b"OK")
    assert bench.order(Receive(Carrier.V29_9600, Expect.IMAGE)) == "AT+FRM=96\r"
    assert bench.says(b"CONNECT", b"\0\x10\x10\x80") == [CarrierOn(Carrier.V29_9600), Data(b"\0\x10\x80")]
    assert bench.says(TAIL, b"NO CARRIER") == [CarrierOff()]


def test_another_signal_is_told_and_listened_to_on_order() -> None:
    bench = Bench(Opened.ANSWERING)
    bench.order(SendFrames((DIS,)))
    bench.says(b"OK")
    bench.order(Receive(Carrier.V29_9600, Expect.TCF))
    bench.now += 0.5
    assert bench.says(b"+FCERROR") == [CarrierMissed()]
    assert bench.order(V21) == "AT+FRH=3\r"


def test_an_order_to_send_while_listening_aborts_first_and_never_in_one_write() -> None:
    bench = Bench(Opened.ANSWERING)
    bench.order(SendFrames((DIS,)))
    bench.says(b"OK")
    bench.order(V21)
    assert bench.order(SendFrames((MCF,))) == "\x18"
    assert bench.says(b"OK") == []
    assert bench.written() == "AT+FRS=7\r"


def test_an_abort_that_is_not_answered_counts_as_done() -> None:
    bench = Bench(Opened.ANSWERING)
    bench.order(SendFrames((DIS,)))
    bench.says(b"OK")
    bench.order(V21)
    bench.order(SendFrames((MCF,)))
    bench.passes(0.25)
    assert bench.written() == "AT+FRS=7\r"


def test_the_same_page_carrier_twice_has_something_between_and_may_still_be_called_off() -> None:
    bench = Bench(Opened.ANSWERING)
    bench.order(SendFrames((DIS,)))
    bench.says(b"OK")
    fast = Receive(Carrier.V29_9600, Expect.IMAGE)
    bench.order(fast)
    bench.says(b"CONNECT", b"\0", TAIL, b"NO CARRIER")
    assert bench.order(fast) == "AT+FTS=1\r"
    assert bench.order(SendFrames((MCF,))) == ""
    bench.says(b"OK")
    assert bench.written() == "AT+FRS=7\r"


def test_a_busy_tone_means_that_the_far_end_has_hung_up() -> None:
    bench = Bench(Opened.ANSWERING)
    bench.order(SendFrames((DIS,)))
    assert bench.says(b"NO CARRIER") == [LineLost(None)]
    assert bench.written().endswith("ATH0\r")
    bench.says(b"OK")
    assert bench.dce.over
    assert bench.dce.clean


def test_a_modem_that_falls_silent_is_named() -> None:
    bench = Bench(Opened.ANSWERING)
    bench.order(SendFrames((DIS,)))
    assert bench.passes(30.0) == [LineLost(MODEM_SILENT)]


def test_hanging_up_in_mid_page_takes_back_what_is_not_sent() -> None:
    bench = Bench(Opened.ANSWERING)
    bench.order(SendFrames((DIS,)))
    bench.says(b"OK")
    bench.order(SendImage(Carrier.V29_9600, False, bytes(50_000)))
    bench.says(b"OK")
    bench.written()
    bench.says(b"CONNECT")
    bench.port.take_output(1000)
    bench.dce.order(HangUp(), bench.now)
    assert bench.written().encode("latin-1") == TAIL + TAIL
    bench.says(b"OK")
    assert bench.written() == "ATH0\r"
    bench.says(b"OK")
    assert bench.dce.clean


def test_an_order_in_the_middle_of_sending_raises_value_error() -> None:
    bench = Bench(Opened.ANSWERING)
    bench.order(SendFrames((DIS,)))
    with pytest.raises(ValueError, match="while frame written"):
        bench.order(V21)
