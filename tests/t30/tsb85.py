"""Plays spandsp's test procedures (its ``tsb85.xml``, after ITU-T TSB-85 and ETS 300 242) against the engine.

The file is other people's and no part of this project: it is in Debian's source package ``spandsp``.  It
tells what a tester sends and must hear; here the tester's signals are line events and the engine's orders, as
in ``tests.t30.script``, so that a procedure takes milliseconds.  Levels, preambles and pauses within a signal
are not looked at (``tests/t38/test_timing.py`` and ``tests/lines/modem`` do), nor pictures on paper.

An octet of the file has its first bit on the line in the most significant bit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

from appliance.t4.bits import from_bits, reverse_bits, to_bits
from appliance.t4.codes import EOL
from appliance.t4.coding import encode
from appliance.t4.page import Coding, Raster, Resolution
from appliance.t30.dce import (
    Carrier,
    CarrierOff,
    CarrierOn,
    Data,
    Frame,
    HangUp,
    LineLost,
    LineOrder,
    SendCed,
    SendCng,
    SendEcm,
    SendFrames,
    SendImage,
    SendTcf,
    Sent,
    Tone,
    ToneHeard,
)
from appliance.t30.frames import encode_fcd
from appliance.t30.parameters import CallParameters, CallResult, Capabilities, Role
from tests.t30.linked import Pages, owned
from tests.t30.script import Far

FLAGS = {"PREAMBLE": 37, "POSTAMBLE": 5}
OCTET_S = 8 / 300
SEEN_S = 0.05  # until V.21's flags are recognised
# What may stand before the frame that a procedure waits for: it says nothing of them (NSF, CSI, TSI ...).
OPTIONAL_CONTROL = 0x03
PAGES_IN = {"etsi_300_242_a4_white_2p.tif": 2, "etsi_300_242_a4_impress_white.tif": 2}
IMPRESS_WHITE = "etsi_300_242_a4_impress_white.tif"
ROWS_OF_ERROR_PAGE = 390
STAIRCASE_ROWS = 1728
STAIRCASE_OCTETS = 13_745  # 215 frames of 64
RTC_OCTETS = 9
NON_STANDARD = bytes.fromhex("0a0000")
FRAMES_IN_BLOCK = 256


@dataclass(frozen=True)
class Procedure:
    name: str
    steps: list[ElementTree.Element]  # "step", and "possible-step" around some


def procedures(path: Path) -> list[Procedure]:
    """Every procedure of the file."""
    root = ElementTree.parse(path).getroot()
    return [
        Procedure(test.get("name", ""), [step for step in test if step.tag in {"step", "possible-step"}])
        for test in root.iter("test")
    ]


def set_up(procedure: Procedure) -> Tester:
    """A tester with an engine that is set up as the procedure says."""
    said = [step for each in procedure.steps for step in each.iter("step")]
    first = said[0]
    answers = first.get("type") == "CALL"  # the tester calls
    count = PAGES_IN.get(first.get("value", ""), 1) if first.get("value") else 0
    begins = set()
    for step in said:
        if step.get("tag") == "TXFILE":
            begins.add(count)
            count += PAGES_IN.get(step.get("value", ""), 1)
    parameters = CallParameters(
        Role.ANSWERS if answers else Role.CALLS,
        station_id=_set(said, "T", "IDENT"),
        password=_set(said, "T", "PWD"),
        required_password=_set(said, "R", "PWD"),
        offers_pages=answers and count > 0,
        poll=not answers and any(step.get("tag") == "RXFILE" for step in said),
        documents_begin=frozenset(begins),
        nsf=NON_STANDARD if any(step.get("tag") in {"NSF", "NSC"} for step in said) else b"",
        capabilities=Capabilities(ecm_frame_octets=64 if _sent_to_us(said, "64") else 256),
    )
    pages = [encode(white(), Coding.MH)] * count
    if first.get("value") == IMPRESS_WHITE:
        pages[0] = encode(dense(), Coding.MH)
    return Tester(parameters, Pages(pages))


def _set(steps: list[ElementTree.Element], direction: str, tag: str) -> str:
    for step in steps:
        if (step.get("type"), step.get("dir"), step.get("tag")) == ("SET", direction, tag):
            return step.get("value", "")
    return ""


def _sent_to_us(steps: list[ElementTree.Element], size: str) -> bool:
    return any(s.get("dir") == "R" and s.get("frame_size") == size for s in steps)


def white() -> Raster:
    return Raster(1728, 1143, bytes(216 * 1143), Resolution.STANDARD)


def dense() -> Raster:
    """A page of many changes, in MH between one and two blocks of 256 small frames."""
    return Raster(1728, 70, (b"\x33" * 216) * 70, Resolution.STANDARD)


@dataclass
class Tester(Far):
    """The interpreter of the file."""

    _burst: tuple[bytes, ...] = ()  # frames of the engine's burst that no step has named yet
    _burst_left_s: float = 0.0
    _carrier: Carrier = Carrier.V21

    def play(self, procedure: Procedure) -> CallResult | None:
        """Plays the procedure; AssertionError where the engine does something else."""
        self.call = owned(self.parameters, self.dce, self.pages, self.store, self.progress.append)
        self.call.start(0.0)
        steps = list(procedure.steps)
        for number, step in enumerate(steps):
            if step.tag == "possible-step":
                inner = list(step)
                if self._comes(inner[0]):
                    for each in inner:
                        self._step(each, [])
            else:
                self._step(step, steps[number + 1 :])
        return self.call.result

    def _step(self, step: ElementTree.Element, later: list[ElementTree.Element]) -> None:
        self._line = str(step.attrib)
        kind, direction = step.get("type", ""), step.get("dir")
        name = f"_{'heard' if direction == 'R' else 'sent'}_{kind.lower()}"
        if kind not in {"SET", "CALL", "ANSWER", "STATUS"}:
            if direction == "T" and kind in {"PP"}:
                self._sent_pp(step, later)
            else:
                getattr(self, name)(step)

    # -- what must be heard ----------------------------------------------------------------------

    def _heard_cng(self, _: ElementTree.Element) -> None:
        self._expect(SendCng, type(self._next_order()))

    def _heard_ced(self, _: ElementTree.Element) -> None:
        self._expect(SendCed, type(self._next_order()))
        self._event(Sent(), 3.0)

    def _heard_silence(self, _: ElementTree.Element) -> None:
        pass

    def _comes(self, step: ElementTree.Element) -> bool:
        """Whether the burst that comes next begins with that frame."""
        if not self._burst:
            self._take_burst()
        wanted, _ = _octets(step)
        return self._burst[0] == wanted

    def _heard_hdlc(self, step: ElementTree.Element) -> None:
        wanted, exactly = _octets(step)
        while True:
            if not self._burst:
                self._take_burst()
            frame, *rest = self._burst
            self._burst = tuple(rest)
            if not self._burst:
                self._event(Sent(), self._burst_left_s)
            if frame[1] == OPTIONAL_CONTROL and wanted[1] != OPTIONAL_CONTROL:
                continue
            if frame[1] == wanted[1] == OPTIONAL_CONTROL and frame[2] != wanted[2]:
                continue
            # Octets of a DIS that a procedure lists are those of its own station's maker.
            same = frame == wanted if exactly else frame[: len(wanted)] == wanted
            if not same:
                self.fail(f"heard {reverse_bits(frame).hex(' ')}")
            return

    def _take_burst(self) -> None:
        order = self._next_order()
        if not isinstance(order, SendFrames):
            self.fail(f"heard {_short(order)}")
            return
        self._burst = tuple(order.frames)
        octets = FLAGS["PREAMBLE"] + sum(len(f) + 3 for f in order.frames) + FLAGS["POSTAMBLE"]
        self._burst_left_s = octets * OCTET_S

    def _heard_tcf(self, step: ElementTree.Element) -> None:
        order = self._next_order()
        if not isinstance(order, SendTcf) or order.carrier is not _carrier(step):
            self.fail(f"heard {_short(order)}")
        self._event(Sent(), 2.5)

    def _heard_msg(self, step: ElementTree.Element) -> None:
        order = self._next_order()
        if not isinstance(order, SendImage) or order.carrier is not _carrier(step):
            self.fail(f"heard {_short(order)}")
            return
        self._event(Sent(), len(order.data) * 8 / order.carrier.bit_rate)

    def _heard_pp(self, step: ElementTree.Element) -> None:
        order = self._next_order()
        if not isinstance(order, SendEcm) or order.carrier is not _carrier(step):
            self.fail(f"heard {_short(order)}")
            return
        self._event(Sent(), sum(map(len, order.frames)) * 8 / order.carrier.bit_rate)

    def _heard_clear(self, step: ElementTree.Element) -> None:
        if self.call.result is not None:
            return
        order = self._next_order()
        if not isinstance(order, HangUp):
            self.fail(f"heard {_short(order)}")

    # -- what the tester sends -------------------------------------------------------------------

    def _sent_wait(self, step: ElementTree.Element) -> None:
        """Nothing, for so long; what the engine says meanwhile is not listened to.

        A tester goes on when it has a frame; here the engine's closing flags are over by then.
        """
        end = self.now + max(0.0, int(step.get("value", "1")) / 1000 - FLAGS["POSTAMBLE"] * OCTET_S)
        while self.now < end:
            self._until(end, lambda: bool(self.dce.waiting))
            if self.dce.waiting and self.now < end:
                order = self.dce.waiting.pop(0)
                if isinstance(order, HangUp):
                    self.dce.waiting.insert(0, order)
                    self.now = end
                    return
                self._event(Sent(), min(1.5, max(0.0, end - self.now)))

    def _sent_ced(self, _: ElementTree.Element) -> None:
        self._event(ToneHeard(Tone.CED), 3.0)

    def _sent_cng(self, _: ElementTree.Element) -> None:
        self._event(ToneHeard(Tone.CNG), 0.5)

    def _sent_preamble(self, step: ElementTree.Element) -> None:
        self._carrier = _carrier(step) or self._carrier
        flags_s = int(step.get("value", FLAGS["PREAMBLE"])) * 8 / self._carrier.bit_rate
        train_s = SEEN_S if self._carrier is Carrier.V21 else 1.0
        self._event(CarrierOn(self._carrier), train_s)
        self._until(self.now + max(0.0, flags_s - SEEN_S))

    def _sent_postamble(self, step: ElementTree.Element) -> None:
        self._event(CarrierOff(), FLAGS["POSTAMBLE"] * 8 / self._carrier.bit_rate)

    def _sent_hdlc(self, step: ElementTree.Element) -> None:
        frame, _ = _octets(step)
        self._event(Frame(frame, step.get("crc_error") != "0"), (len(frame) + 3) * OCTET_S)

    def _sent_tcf(self, step: ElementTree.Element) -> None:
        carrier, octets = _carrier(step), int(step.get("value", "450"))
        assert carrier is not None
        wrong = int(step.get("pattern", "0"))
        self._event(CarrierOn(carrier), 1.0)
        self._event(Data(b"\x55" * wrong + bytes(octets - wrong)), octets * 8 / carrier.bit_rate)
        self._event(CarrierOff(), 0.05)

    def _sent_msg(self, step: ElementTree.Element) -> None:
        carrier = _carrier(step)
        assert carrier is not None
        data = _page(step, carrier)
        self._event(CarrierOn(carrier), 1.0)
        for start in range(0, len(data), 100):
            self._event(Data(data[start : start + 100]), 800 / carrier.bit_rate)
        self._event(CarrierOff(), 0.05)

    def _sent_pp(self, step: ElementTree.Element, later: list[ElementTree.Element]) -> None:
        size, block = int(step.get("frame_size", "64")), int(step.get("block", "0"))
        wrong = int(step.get("crc_error", "-1"))  # the frame of the page that is hit
        count = _frames_of(step) or _frames_named(later)
        data = _block(step, count)
        for number in range(count):
            frame = encode_fcd(number, data[number * size : (number + 1) * size])
            good = wrong != block * FRAMES_IN_BLOCK + number
            self._event(Frame(frame, good), (len(frame) + 3) * 8 / self._carrier.bit_rate)
        for _ in range(3):
            self._event(Frame(bytes.fromhex("ff0386"), True), 0.02)

    def _sent_clear(self, _: ElementTree.Element) -> None:
        """The tester hangs up, unless the engine has done so already."""
        self._until(self.now + 0.05)
        if not any(isinstance(order, HangUp) for order in self.dce.waiting):
            self._event(LineLost())
        self.dce.waiting.clear()


def _octets(step: ElementTree.Element) -> tuple[bytes, bool]:
    """The frame of a step in the engine's order of bits, and whether it must be just that."""
    value = step.get("value", "").strip()
    exactly = not value.endswith("...")
    return reverse_bits(bytes.fromhex(value.removesuffix("...").strip())), exactly


def _carrier(step: ElementTree.Element) -> Carrier | None:
    modem = step.get("modem")
    if modem is None:
        return None
    if modem == "V.21":
        return Carrier.V21
    family, _, rate = modem.partition("/")
    return Carrier[f"{family.replace('.', '').upper()}_{rate}"]


def _short(order: LineOrder) -> str:
    if isinstance(order, SendFrames):
        return "frames " + ", ".join(reverse_bits(frame).hex(" ") for frame in order.frames)
    return f"{type(order).__name__} {getattr(order, 'carrier', '')}"


def _frames_named(later: list[ElementTree.Element]) -> int:
    """How many frames the PPS that follows owns up to."""
    for step in chain.from_iterable(each.iter("step") for each in later):
        if step.get("dir") == "T" and step.get("tag", "").startswith("PPS"):
            return _octets(step)[0][6] + 1
    raise AssertionError("no PPS follows")


def _block(step: ElementTree.Element, count: int) -> bytes:
    """The octets of one block: page data up to the end, fill where the page is shorter."""
    coding = Coding.MMR if step.get("compression") == "T.6" else Coding.MH
    size, block = int(step.get("frame_size", "64")), int(step.get("block", "0"))
    page = reverse_bits(encode(white(), coding).data)
    begin = block * FRAMES_IN_BLOCK * size
    return page[begin : begin + count * size].ljust(count * size, b"\0")


def _frames_of(step: ElementTree.Element) -> int | None:
    """How many frames of the staircase there are in that block; None for another page."""
    if "stairstep" not in step.get("value", ""):
        return None
    size, block = int(step.get("frame_size", "64")), int(step.get("block", "0"))
    octets = STAIRCASE_OCTETS
    if bits := int(step.get("min_bits", "0")):
        octets = STAIRCASE_ROWS * bits // 8 + RTC_OCTETS
    return min(FRAMES_IN_BLOCK, -(-octets // size) - block * FRAMES_IN_BLOCK)


def _page(step: ElementTree.Element, carrier: Carrier) -> bytes:
    """The octets of a page without ECM."""
    value = step.get("value", "")
    if "error" in value:
        return reverse_bits(_damaged(_rows_of(step.get("bad_rows", ""))))
    data = encode(white(), Coding.MH).data
    for name, seconds in (("duration1", 4.9), ("duration2", 5.1)):
        if name in value:
            bits = to_bits(data)
            eol = bits.index(EOL, 12)
            fill = round(seconds * carrier.bit_rate) - eol - 12
            data = from_bits(bits[:eol] + "0" * fill + bits[eol:])
    return reverse_bits(data)


def _rows_of(text: str) -> frozenset[int]:
    return frozenset(int(number) for number in re.findall(r"\d+", text))


def _damaged(hit: frozenset[int]) -> bytes:
    raster = Raster(1728, ROWS_OF_ERROR_PAGE, bytes(216 * ROWS_OF_ERROR_PAGE), Resolution.STANDARD)
    rows = to_bits(encode(raster, Coding.MH).data).split(EOL)
    return from_bits(EOL.join("1" + row[1:] if number in hit else row for number, row in enumerate(rows)))
