"""Conformance cases as data (frames of the far end, expected responses), and their interpreter.

A case is lines of text, read from the far end's side:

    hears CED                       the engine sounds CED (or CNG)
    hears CSI DIS                   it sends one burst: frames by name, in this order
    hears DCS=000a00                ... with exactly this FIF
    hears DCS=0012..                ... whose FIF begins so
    hears DCS+                      ... with the X bit set (DCS-: clear)
    hears tcf V27TER_4800           it sends a training check
    hears page V17_14400 short      it sends a page without ECM (long, short training)
    hears block V17_14400 long 4    it sends an ECM block of so many frames
    hears end                       it hangs up
    hears nothing 3.0               it keeps silent for so long
    says CSI DIS=000a00             the far end sends one burst (an ident frame gets a number by itself)
    says bad DIS=000a00             ... whose FCS are all wrong
    says raw ff13fe                 ... of these octets
    says flags                      ... of flags alone
    sends tcf V27TER_4800           a good training check; ``bad tcf``: noise instead
    sends page V27TER_4800          a page; ``good``, ``poor``, ``bad``, ``cut`` (no RTC), or with a number:
                                    so many seconds of fill in one line
    sends block V27TER_4800 5       an ECM block of so many frames; ``5 but 0 3``: those have a wrong FCS
    begins V27TER_4800              an image carrier that brings nothing
    more 20                         ... and after so many seconds some octets of a page
    misses                          a signal comes that does not train (+FCERROR of a modem)
    sounds CNG                  a tone
    by 65                       what it hears next is no later than so many seconds after the start
    waits 2.5                       nothing for so long
    drops                           the line goes down

Octets are as in ``appliance.t30.dce``: first bit least significant.

A whole script can be played with an ``Accent``: what the far end says then comes as some machines and
gateways say it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from appliance.t4.bits import from_bits, reverse_bits, to_bits
from appliance.t4.codes import EOL
from appliance.t4.coding import encode
from appliance.t4.page import CodedPage, Coding, Raster, Resolution
from appliance.t30.call import FaxCall
from appliance.t30.dce import (
    Carrier,
    CarrierMissed,
    CarrierOff,
    CarrierOn,
    Data,
    Frame,
    HangUp,
    LineEvent,
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
from appliance.t30.frames import Fcf, HdlcFrame, burst, encode_fcd, encode_ident
from appliance.t30.parameters import CallParameters, CallResult, Progress
from tests.t30.linked import Pages, Store, owned


class Accent(Enum):
    PLAIN = "as T.30 has it"
    NOISE = "a frame of noise behind the good ones"
    NOISE_BEFORE = "a frame of noise before the good ones"
    ORDER = "the command before its particulars"
    LABEL = "V.21 frames as if by the image modem"


IDENTS = {Fcf.CSI, Fcf.CIG, Fcf.TSI, Fcf.PWD, Fcf.SEP, Fcf.SUB, Fcf.SID}
PATIENCE_S = 70.0
BAD_ROWS = {"good": 0.0, "poor": 0.07, "bad": 0.15}


def white_page(rows: int = 200, coding: Coding = Coding.MH) -> CodedPage:
    """A page with a black square, standard resolution, A4 wide."""
    blank, marked = bytes(216), bytes(50) + b"\xff" * 20 + bytes(146)
    data = b"".join(marked if r % 7 else blank for r in range(rows))
    return encode(Raster(1728, rows, data, Resolution.STANDARD), coding)


def page_octets(quality: str) -> bytes:
    """The page in line order, damaged as asked."""
    page = white_page()
    if quality == "cut":
        return reverse_bits(page.data[: len(page.data) // 2])
    rows = to_bits(page.data).split(EOL)
    every = round(1 / BAD_ROWS[quality]) if BAD_ROWS[quality] else 0
    for number in range(1, page.rows):
        if every and number % every == 0:
            rows[number] = "1" * 11 + rows[number][11:]
    return reverse_bits(from_bits(EOL.join(rows)))


def with_long_line(data: bytes, fill: int) -> bytes:
    """The page with so many octets of fill before the EOL that begins its second row."""
    if not fill:
        return data
    eol = to_bits(reverse_bits(data)).index(EOL, 12)
    bits = to_bits(reverse_bits(data))
    return reverse_bits(from_bits(bits[:eol] + "0" * 8 * fill + bits[eol:]))


NOISE = bytes.fromhex("ff1b7ae0")


class ScriptDce:
    """The engine's side of the line: keeps its orders, hands it events."""

    def __init__(self) -> None:
        self.waiting: list[LineOrder] = []
        self.events: list[LineEvent] = []

    def order(self, order: LineOrder, now: float) -> None:
        if isinstance(order, SendCng | SendCed | SendFrames | SendTcf | SendImage | SendEcm | HangUp):
            self.waiting.append(order)

    def handle_timer(self, now: float) -> None:
        pass

    def next_deadline(self) -> float | None:
        return None

    def take_events(self) -> list[LineEvent]:
        events, self.events = self.events, []
        return events


@dataclass
class Far:
    """The interpreter."""

    parameters: CallParameters
    pages: Pages = field(default_factory=Pages)
    store: Store = field(default_factory=Store)
    progress: list[Progress] = field(default_factory=list)
    now: float = 0.0
    accent: Accent = Accent.PLAIN
    dce: ScriptDce = field(default_factory=ScriptDce)
    call: FaxCall = field(init=False)

    def run(self, script: str) -> CallResult:
        """Plays the case; the call must have ended with it."""
        self.begin()
        self.play(script)
        assert self.call.result is not None, f"the call goes on: {self.account()}"
        assert not self.dce.waiting, f"more was sent: {self.dce.waiting}"
        return self.call.result

    def begin(self) -> None:
        """Starts the call."""
        self.call = owned(self.parameters, self.dce, self.pages, self.store, self.progress.append)
        self.call.start(0.0)

    def play(self, script: str) -> None:
        """Plays some lines."""
        for line in script.strip().splitlines():
            words = line.split("#")[0].split()
            if words:
                self._line = line.strip()
                getattr(self, f"_{words[0]}")(words[1:])

    def account(self) -> str:
        return "\n".join(f"{p.at:8.2f} {p.event} {dict(p.fields)}" for p in self.progress[-12:])

    def fail(self, why: str) -> None:
        raise AssertionError(f"at {self.now:.2f} s, {self._line!r}: {why}\n{self.account()}")

    # -- time --------------------------------------------------------------------------------------

    def _until(self, at: float, stop: Callable[[], bool] = lambda: False) -> None:
        self.call.pump(self.now)
        while not stop():
            deadline = self.call.next_deadline()
            if deadline is None or deadline > at:
                self.now = at
                return
            self.now = max(self.now, deadline)
            self.call.handle_timer(self.now)

    def _event(self, event: LineEvent, after: float = 0.0) -> None:
        self._until(self.now + after)
        self.dce.events.append(event)
        self.call.pump(self.now)

    # -- what is heard -----------------------------------------------------------------------------

    def _next_order(self) -> LineOrder:
        self._until(self.now + PATIENCE_S, lambda: bool(self.dce.waiting))
        if not self.dce.waiting:
            self.fail("nothing came")
        return self.dce.waiting.pop(0)

    def _hears(self, words: list[str]) -> None:
        if words[0] == "nothing":
            self._until(self.now + float(words[1]), lambda: bool(self.dce.waiting))
            if self.dce.waiting:
                self.fail(f"heard {self.dce.waiting[0]}")
            return
        order = self._next_order()
        match words[0], order:
            case "CNG", SendCng():
                return
            case "CED", SendCed():
                self._event(Sent(), 3.0)
            case "end", HangUp():
                return
            case "tcf", SendTcf(carrier, octets):
                self._expect(words[1], carrier.name)
                self._expect(int(carrier.bit_rate * 1.5 / 8), octets)
                self._event(Sent(), 2.5)
            case "page", SendImage(carrier, short, data):
                self._expect(words[1:], [carrier.name, "short" if short else "long"])
                self._event(Sent(), len(data) * 8 / carrier.bit_rate)
            case "block", SendEcm(carrier, short, frames):
                fcd = [f for f in frames if f[2] == Fcf.FCD.value]
                self._expect(words[1:], [carrier.name, "short" if short else "long", str(len(fcd))])
                self._expect(3, len(frames) - len(fcd))
                self._event(Sent(), len(fcd) * 260 * 8 / carrier.bit_rate)
            case _, SendFrames(coded):
                self._hears_burst(words, [HdlcFrame.decode(f) for f in coded])
            case _:
                self.fail(f"heard {order}")

    def _hears_burst(self, words: list[str], frames: list[HdlcFrame]) -> None:
        names = [f.fcf.name for f in frames]
        self._expect([w.split("=")[0].rstrip("+-") for w in words], names)
        self._expect([False] * (len(frames) - 1) + [True], [f.final for f in frames])
        for word, frame in zip(words, frames, strict=True):
            name, _, fif = word.partition("=")
            if name[-1] in "+-":
                self._expect(name[-1] == "+", frame.x)
            if fif.endswith(".."):
                self._expect(fif[:-2], frame.fif.hex()[: len(fif) - 2])
            elif fif:
                self._expect(fif, frame.fif.hex())
        self._event(Sent(), 1.0 + sum(len(f.fif) + 6 for f in frames) * 8 / 300)

    def _expect(self, wanted: object, got: object) -> None:
        if wanted != got:
            self.fail(f"heard {got}")

    # -- what is said ------------------------------------------------------------------------------

    def _says(self, words: list[str]) -> None:
        ok = words[0] != "bad"
        if words[0] == "CED":
            self._event(ToneHeard(Tone.CED), 3.0)
            return
        if words[0] == "raw":
            coded: tuple[bytes, ...] = tuple(bytes.fromhex(w) for w in words[1:])
        elif words[0] == "flags":
            coded = ()
        else:
            frames = [self._frame(w) for w in words[0 if ok else 1 :]]
            coded = burst(*(frames[::-1] if self.accent is Accent.ORDER else frames))
        carrier = Carrier.V29_9600 if self.accent is Accent.LABEL and coded and ok else Carrier.V21
        self._event(CarrierOn(carrier), 0.2)
        if self.accent is Accent.NOISE_BEFORE and coded:
            self._event(Frame(NOISE, False))
        for frame in coded:
            self._event(Frame(frame, ok), (1.0 if frame is coded[0] else 0) + len(frame) * 8 / 300)
        if self.accent is Accent.NOISE and coded:
            self._event(Frame(NOISE, False))
        self._event(CarrierOff(), 0.1 if coded else 1.0)

    @staticmethod
    def _frame(word: str) -> HdlcFrame:
        name, _, fif = word.partition("=")
        x = name.endswith("+")
        fcf = Fcf[name.rstrip("+")]
        if fcf in IDENTS:
            return HdlcFrame(fcf, encode_ident(fif or "+49 30 123"), x)
        return HdlcFrame(fcf, bytes.fromhex(fif), x)

    def _sends(self, words: list[str]) -> None:
        bad = words[0] == "bad"
        what, name, *rest = words[1:] if bad else words
        carrier = Carrier[name]
        self._event(CarrierOn(carrier), 0.075 + (1.3 if what == "tcf" else 0.3))
        if what == "tcf":
            octets = int(carrier.bit_rate * 1.5 / 8)
            self._event(Data((b"\x55" if bad else b"\0") * octets), 1.5)
        elif what == "page":
            quality = rest[0] if rest else "good"
            if quality not in (*BAD_ROWS, "cut"):
                quality, fill = "good", int(float(quality) * carrier.bit_rate / 8)
            else:
                fill = 0
            data = with_long_line(page_octets(quality), fill)
            for start in range(0, len(data), 100):
                self._event(Data(data[start : start + 100]), 800 / carrier.bit_rate)
        else:
            count = int(rest[0])
            wrong = {int(w) for w in rest[2:]}
            for number, data in enumerate(self.block(count)):
                ok = number not in wrong
                self._event(Frame(encode_fcd(number, data), ok), 260 * 8 / carrier.bit_rate)
            self._event(Frame(bytes.fromhex("ff0386"), True))
        self._event(CarrierOff(), 0.05)

    @staticmethod
    def block(count: int) -> list[bytes]:
        """``count`` frames of 256 octets whose data are a page of MH."""
        data = reverse_bits(white_page().data)
        size = count * 256
        assert len(data) <= size, "more frames, please"
        data = data.ljust(size, b"\0")
        return [data[i : i + 256] for i in range(0, size, 256)]

    def _begins(self, words: list[str]) -> None:
        self._event(CarrierOn(Carrier[words[0]]), 0.3)

    def _more(self, words: list[str]) -> None:
        self._event(Data(page_octets("cut")[:20]), float(words[0]))

    def _misses(self, _: list[str]) -> None:
        self._event(CarrierMissed(), 0.3)

    def _sounds(self, words: list[str]) -> None:
        self._event(ToneHeard(Tone[words[0]]))

    def _by(self, words: list[str]) -> None:
        self._until(float(words[0]), lambda: bool(self.dce.waiting))
        if not self.dce.waiting:
            self.fail("nothing came")

    def _waits(self, words: list[str]) -> None:
        self._until(self.now + float(words[0]))

    def _drops(self, _: list[str]) -> None:
        self._event(LineLost())
        self.dce.waiting.clear()
