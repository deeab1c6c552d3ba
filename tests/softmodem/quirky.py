"""Soft modems with the faults of real ones: spandsp's T.31 behind a scripted layer.

A behaviour is a small subclass: what becomes of a command (``command``), of what the modem says
(``say``), of what the DTE writes in a transmission (``page``).
"""

from __future__ import annotations

import re

from tests.softmodem.library import TICK_S
from tests.softmodem.stations import AtMode, SoftModem

DLE_ETX = b"\x10\x03"


def result(text: str) -> bytes:
    return b"\r\n" + text.encode() + b"\r\n"


class Quirky(SoftModem):
    """Behaves, but for what a subclass changes.  ``identity`` answers ATI."""

    identity = "Acme"

    def __init__(self) -> None:
        self._line = bytearray()
        self._delayed: list[tuple[float, bytes]] = []
        self._now = 0.0
        super().__init__()

    def command(self, text: str) -> bytes | None:
        """The answer to a command line (without AT), None to let the modem answer."""
        return None

    def say(self, data: bytes) -> bytes:
        """What the DTE is to read of what the modem says."""
        return data

    def page(self, data: bytes) -> bytes:
        """What of a write in the data state reaches the modem."""
        return data

    def to_modem(self, data: bytes) -> None:
        if self.mode not in (AtMode.ONHOOK_COMMAND, AtMode.OFFHOOK_COMMAND):
            super().to_modem(self.page(data) if self.mode is AtMode.STUFFED else data)
            return
        self._line += data
        while b"\r" in self._line:
            line, _, rest = bytes(self._line).partition(b"\r")
            self._line[:] = rest
            found = re.search(rb"AT(.*)$", line, re.IGNORECASE | re.DOTALL)
            text = found.group(1).decode("latin-1") if found else None
            answer = None if text is None else self.command(text)
            if answer is None and text in ("I0", "I3", "+FMI?", "+FMM?", "+GMI", "+GMM"):
                answer = result(self.identity) + result("OK")
            if answer is None:
                super().to_modem(line + b"\r")
            else:
                self.commands.append(line.decode("latin-1"))
                self.output += answer

    def from_modem(self, data: bytes) -> None:
        self.output += self.say(data)

    def later(self, seconds: float, data: bytes) -> None:
        """Says something after a while of line time."""
        self._delayed.append((self._now + seconds, data))

    def tick(self) -> None:
        self._now += TICK_S
        for due in [d for d in self._delayed if d[0] <= self._now]:
            self._delayed.remove(due)
            self.output += due[1]
        super().tick()


class ResetsOnFrs(Quirky):
    """U.S. Robotics: +FRS within a call resets the modem, the call is gone."""

    identity = "U.S. Robotics 56K FAX USB V1.2.23"

    def command(self, text: str) -> bytes | None:
        if text.startswith("+FRS") and self.mode is AtMode.OFFHOOK_COMMAND:
            super().to_modem(b"ATH\r")
            self.output.clear()
            return b""
        return None


class ForgetsFlowControl(Quirky):
    """U.S. Robotics: +FCLASS=1 switches hardware flow control off until it is asked for again."""

    identity = "U.S. Robotics USR5637"

    def __init__(self) -> None:
        super().__init__()
        self.flow = True

    def command(self, text: str) -> bytes | None:
        if text.startswith("&H1"):
            self.flow = True
            return result("OK")
        if text.startswith("+FCLASS="):
            self.flow = False
        return None

    def page(self, data: bytes) -> bytes:
        return data if self.flow else data[::2]


class ConnectBeforeTraining(Quirky):
    """Lucent, Mainpine: CONNECT on +FTM comes 0.4 s before the modem takes data; earlier octets are lost."""

    identity = "LT V.92 Data+Fax Modem (Lucent)"
    training_s = 0.38

    def __init__(self) -> None:
        super().__init__()
        self._trains_until = 0.0

    def command(self, text: str) -> bytes | None:
        if text.startswith("+FTM="):
            self._trains_until = self._now + self.training_s
        return None

    def page(self, data: bytes) -> bytes:
        if self._now >= self._trains_until:
            return data
        return DLE_ETX if data.endswith(DLE_ETX) else b""


class ConnectOnAnyCarrier(Quirky):
    """Lucent, Mainpine: each +FRH first says CONNECT for mere energy and NO CARRIER, some times over."""

    identity = "Mainpine IQ Express"
    times = 4

    def __init__(self) -> None:
        super().__init__()
        self._left = 0
        self._last = ""

    def command(self, text: str) -> bytes | None:
        if text == "+FRH=3":
            if self._last != text:
                self._left = self.times
            self._last = text
            if self._left:
                self._left -= 1
                return result("CONNECT") + result("NO CARRIER")
        elif text:
            self._last = text
        return None


class FcerrorTwice(Quirky):
    """+FRM fails twice with +FCERROR while the line still rings from V.21, then works."""

    word = "+FCERROR"

    def __init__(self) -> None:
        super().__init__()
        self._left = 2

    def command(self, text: str) -> bytes | None:
        if text.startswith("+FRM=") and not text.endswith("?"):
            if self._left:
                self._left -= 1
                return result(self.word)
            self._left = 2
        return None


class ErrorForFcerror(FcerrorTwice):
    """The same, in another word."""

    word = "ERROR"


class LiesAboutV17(Quirky):
    """Lists V.17 and cannot: its V.17 transmissions are noise to everyone."""

    identity = "Smart Link 56K Voice Modem"

    def command(self, text: str) -> bytes | None:
        if re.fullmatch(r"\+F[TR]M=(7[34]|9[78]|12[12]|14[56])", text):
            return result("ERROR")
        return None


class NoOkAfterCan(Quirky):
    """Ends a reception on CAN as it should, and says nothing of it."""

    def to_modem(self, data: bytes) -> None:
        silent = self.mode is AtMode.DELIVERY and data == b"\x18"
        before = len(self.output)
        super().to_modem(data)
        if silent:
            del self.output[before:]


class LateOkAfterCan(Quirky):
    """OK after CAN comes half a second late, perhaps after the next command was given."""

    def to_modem(self, data: bytes) -> None:
        late = self.mode is AtMode.DELIVERY and data == b"\x18"
        before = len(self.output)
        super().to_modem(data)
        if late:
            words = bytes(self.output[before:])
            del self.output[before:]
            self.later(0.5, words)


class BareDle(Quirky):
    """Forgets to double DLE in V.21 frames."""

    identity = "Bare"

    def say(self, data: bytes) -> bytes:
        if data.startswith(b"\xff") and data.endswith(DLE_ETX):
            return data[:-2].replace(b"\x10\x10", b"\x10") + DLE_ETX
        return data


class EscapesFlowOctets(Quirky):
    """Sends DLE 0x51 and DLE 0x53 for the octets of software flow control, and DLE SUB for two DLE."""

    def say(self, data: bytes) -> bytes:
        if data.startswith(b"\r\n") or len(data) < 3:
            return data
        body, end = (data[:-2], data[-2:]) if data.endswith(DLE_ETX) else (data, b"")
        body = body.replace(b"\x10\x10\x10\x10", b"\x10\x1a")
        return body.replace(b"\x11", b"\x10\x51").replace(b"\x13", b"\x10\x53") + end


class DoubleConnect(Quirky):
    """+FTH says CONNECT twice."""

    def command(self, text: str) -> bytes | None:
        if text == "+FTH=3":
            self.output += result("CONNECT")
        return None


class ConnectBehindPreamble(Quirky):
    """+FTH says CONNECT when most of the preamble is out, not when it begins."""

    BEHIND_S = 0.83

    def to_modem(self, data: bytes) -> None:
        before = len(self.output)
        super().to_modem(data)
        if data.upper().startswith(b"AT+FTH=3"):
            words = bytes(self.output[before:])
            del self.output[before:]
            self.later(self.BEHIND_S, words)


class EchoesForEver(Quirky):
    """E0 is answered by OK and ignored."""

    def command(self, text: str) -> bytes | None:
        self.output += f"AT{text}\r".encode("latin-1")
        return None


class SaysOkToEverything(Quirky):
    """An emulator: OK to each query, and no list."""

    def command(self, text: str) -> bytes | None:
        return result("OK") if text.endswith("?") or text.startswith(("I", "+G", "&", "\\")) else None


class RefusesWhatItCan(Quirky):
    """ERROR to each query and to all but what class 1 needs."""

    def command(self, text: str) -> bytes | None:
        needed = re.fullmatch(r"|E0V1Q0|H0?|A|S\d+=\d+|D.*|\+FCLASS=[01]|\+F[TR][MHS]=\d+", text)
        if text == "+FCLASS=?":
            return result("0,1") + result("OK")
        return None if needed else result("ERROR")


class KnowsNoSilence(Quirky):
    """ERROR to +FTS and +FRS, at once."""

    def command(self, text: str) -> bytes | None:
        return result("ERROR") if text.startswith(("+FTS", "+FRS")) else None


class WrongFcs(Quirky):
    """The FCS octets handed over with a frame are always zero; its OK or ERROR is to be believed."""

    identity = "NoFcs"

    def say(self, data: bytes) -> bytes:
        if data.startswith(b"\xff") and data.endswith(DLE_ETX):
            frame = data[:-2].replace(b"\x10\x10", b"\x10")[:-2] + bytes(2)
            return frame.replace(b"\x10", b"\x10\x10") + DLE_ETX
        return data


class LosesTheEnd(Quirky):
    """NO CARRIER follows a page without DLE ETX."""

    def say(self, data: bytes) -> bytes:
        return data[:-2] if data.endswith(DLE_ETX) and not data.startswith(b"\xff") else data


class SlowToAnswer(Quirky):
    """Takes a second for each command that needs nothing of the line."""

    def to_modem(self, data: bytes) -> None:
        slow = re.match(rb"AT([EMXSIH&+]|\r)", data) and b"=3" not in data and b"+FT" not in data
        before = len(self.output)
        super().to_modem(data)
        if slow and self.mode is AtMode.ONHOOK_COMMAND:
            words = bytes(self.output[before:])
            del self.output[before:]
            self.later(1.0, words)


class LeftInReception(Quirky):
    """The last owner left it in reception: it babbles until it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self._babbles = True

    def to_modem(self, data: bytes) -> None:
        if self._babbles and b"\x18" in data:
            self._babbles = False
            self.output += DLE_ETX + result("OK")
            return
        if not self._babbles:
            super().to_modem(data)

    def tick(self) -> None:
        if self._babbles:
            self.output += b"\x00\xff\x80\x10\x10\x01"
        super().tick()


class RingsDuringSetUp(Quirky):
    """A call comes in between two commands."""

    def command(self, text: str) -> bytes | None:
        if text == "+FCLASS=1":
            self.output += result("RING")
        return None


class SilentOnFtm(Quirky):
    """Wedged: never answers +FTM."""

    def command(self, text: str) -> bytes | None:
        return b"" if text.startswith("+FTM=") and not text.endswith("?") else None


class Wedges(Quirky):
    """Says nothing any more from a moment on, until ``wedged`` is taken back (its power was cycled)."""

    wedged = False

    def to_modem(self, data: bytes) -> None:
        if not self.wedged:
            super().to_modem(data)


class StopsReading(Quirky):
    """Takes the first kilobyte of a page and holds the DTE back for ever."""

    def __init__(self) -> None:
        super().__init__()
        self._taken = 0

    def page(self, data: bytes) -> bytes:
        self._taken += len(data)
        if self._taken > 6000:
            self.clear_to_send = False
        return data


class CarriersOnly(Quirky):
    """CONNECT in reception, over and over, and nothing behind it."""

    def command(self, text: str) -> bytes | None:
        return result("CONNECT") + result("NO CARRIER") if text == "+FRH=3" else None
