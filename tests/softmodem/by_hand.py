"""A scripted modem and far fax machine without audio, with adjustable answers to each command.

Where the soft modems of this folder are slow and real, this one is quick: a whole call takes milliseconds, so
that every misbehaviour can be tried at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from appliance.lines.modem.fax import ModemFax
from appliance.lines.modem.lexer import stuff
from appliance.t30.fcs import with_fcs

END = b"\x10\x03"
CAN = b"\x18"
# As the wire has them: address, control, FCF, FIF.  V.29 and V.27ter, standard resolution, no ECM, 0 ms rows.
DIS = b"\xff\x13\x80\x00\x0e\x70"
DCS = b"\xff\x13\x83\x00\x06\x70"
CFR, MCF, EOP, DCN = b"\xff\x13\x84", b"\xff\x13\x8c", b"\xff\x13\x2f", b"\xff\x13\xfb"
TCF = bytes(1800)  # 1.5 s at 9600 bit/s
_V21_BIT_RATE, _FAST_BIT_RATE = 300, 9600

# Seconds after the command, or after the item before it, and what the modem then says.
Answers = list[tuple[float, bytes]]
Twist = Callable[["ByHand", int, Answers], Answers | None]


def word(text: str) -> bytes:
    """A result as it is said."""
    return b"\r\n" + text.encode() + b"\r\n"


class ByHand:
    """The modem.  ``page`` is what a sender sends after CFR; ``twist`` may change what is said at a step.

    ``steps`` lists what the DTE did; ``pages`` what it sent at a fast rate.
    """

    def __init__(self, twist: Twist = lambda _m, _n, _a: None, *, page: bytes = b"") -> None:
        self._twist = twist
        self._page = page
        self._line = b""
        self._transmits = ""  # +FTH or +FTM
        self._listens = False
        self._answering = False
        self._comes: list[bytes] = []  # what the far machine sends next: frames, or octets at a fast rate
        self._gone = False
        self._dead = False
        self.steps: list[str] = []
        self.pages: list[bytes] = []

    def write(self, data: bytes) -> Answers:
        """What the DTE wrote; what the modem says to it."""
        if self._dead:
            return []
        if data == CAN or self._listens:
            listened, self._listens = self._listens, False
            return self._say("CAN", [(0.02, word("OK"))] if listened else [])
        self._line += data
        said: Answers = []
        while True:
            if self._transmits:
                end = _end_of_data(self._line)
                if end < 0:
                    return said
                body, self._line = self._line[:end].replace(b"\x10\x10", b"\x10"), self._line[end + 2 :]
                said += self._sent(body)
            elif b"\r" in self._line:
                line, _, self._line = self._line.partition(b"\r")
                said += self._command(line.lstrip(END + CAN).decode("latin-1"))
            else:
                return said

    # -- for twists ----------------------------------------------------------------------------

    def drop(self) -> None:
        """The command is not carried out: nothing is sent or heard."""
        self._transmits, self._listens = "", False

    def die(self) -> None:
        """Nothing is said any more."""
        self._dead = True

    def far_end_leaves(self) -> None:
        """The far machine hangs up."""
        self.drop()
        self._gone, self._comes = True, []

    # -- the modem -----------------------------------------------------------------------------

    def _say(self, step: str, answers: Answers) -> Answers:
        self.steps.append(step)
        twisted = self._twist(self, len(self.steps) - 1, answers)
        return answers if twisted is None else twisted

    def _sent(self, body: bytes) -> Answers:
        way, self._transmits = self._transmits, ""
        if way == "+FTM":
            self.pages.append(body)
            if not self._answering and not any(body):
                self._comes = [CFR]
            return self._say("octets", [(len(body) * 8 / _FAST_BIT_RATE, word("OK"))])
        seconds = (len(body) + 3) * 8 / _V21_BIT_RATE
        if len(body) > 2 and body[1] & 0x10:
            self._hears(body[2])
            return self._say(f"last frame {body[2]:02x}", [(seconds, word("OK"))])
        self._transmits = way
        return self._say("frame", [(seconds, word("CONNECT"))])

    def _hears(self, fcf: int) -> None:
        """The far machine's answer to a burst; the low bit tells who speaks (T.30 5.3.6.1)."""
        if fcf | 1 == 0xFB:
            self._gone = True
        elif self._answering:
            trains = [DCS, TCF]  # after DIS and after FTT
            self._comes = {0x80: trains, 0x44: trains, 0x84: [self._page, EOP], 0x8C: [DCN]}.get(fcf, [])[:]
        elif fcf | 1 == 0x2F:
            self._comes = [MCF]

    def _command(self, line: str) -> Answers:
        step = line.upper().removeprefix("AT")
        name = step.split("=")[0]
        if name in ("+FTH", "+FTM") or step == "A":
            self._answering |= step == "A"
            self._transmits = "+FTH" if step == "A" else name
            answers = self._say(step, [(3.5 if step == "A" else 0.05, word("CONNECT"))])
            if not any(b"CONNECT" in said for _, said in answers):
                self._transmits = ""
            return answers
        if step.startswith("D"):
            return self._say(step, [(3.0, word("CONNECT") + _frame(DIS) + word("OK"))])
        if name in ("+FRH", "+FRM"):
            return self._say(step, self._brings(frames=name == "+FRH"))
        return self._say(step, [(0.07 if name in ("+FTS", "+FRS") else 0.01, word("OK"))])

    def _brings(self, *, frames: bool) -> Answers:
        if self._comes and self._comes[0].startswith(b"\xff") == frames:
            what = self._comes.pop(0)
            if frames:
                return [(1.0, word("CONNECT")), (0.5, _frame(what) + word("OK"))]
            return [(0.3, word("CONNECT")), (1.5, stuff(what) + END + word("NO CARRIER"))]
        if self._gone and frames:
            return [(0.3, word("NO CARRIER"))]
        self._listens = True
        return []


def play(
    fax: ModemFax,
    modem: ByHand,
    *,
    then: tuple[int, Callable[[float], None]] | None = None,
    limit_s: float = 900.0,
) -> float:
    """Carries a call to its end in virtual time; the seconds it took.  ``then``: a step after which, when
    something next happens, this is done first.

    Raises AssertionError when it comes to no end: no deadline, a loop without time, or the limit.
    """
    now = 0.0
    said: list[tuple[float, bytes]] = []
    fax.start(now)
    for _ in range(20_000):
        if fax.result is not None:
            return now
        if written := fax.take_bytes(4096):
            said += _at(now, modem.write(written))
            said.sort(key=lambda item: item[0])
            continue
        due = fax.next_deadline()
        if then is not None and len(modem.steps) > then[0]:
            coming = [at for at in (due, said[0][0] if said else None) if at is not None]
            now = max(now, min(coming, default=now))
            then[1](now)
            then = None
            continue
        if said and (due is None or said[0][0] <= due):
            now, data = max(now, said[0][0]), said.pop(0)[1]
            fax.receive_bytes(data, now)
            continue
        assert due is not None, "nothing is awaited, and the call is not over"
        now = max(now, due)
        assert now < limit_s, "the call goes on for ever"
        fax.handle_timer(now)
    raise AssertionError("it never comes to rest")


def _at(now: float, answers: Answers) -> list[tuple[float, bytes]]:
    items = []
    for seconds, data in answers:
        now += seconds
        items.append((now, data))
    return items


def _frame(frame: bytes) -> bytes:
    return stuff(with_fcs(frame)) + END


def _end_of_data(data: Sequence[int]) -> int:
    position = 0
    while position < len(data) - 1:
        if data[position] == END[0]:
            if data[position + 1] == END[1]:
                return position
            position += 1
        position += 1
    return -1
