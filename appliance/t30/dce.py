"""The interface between the T.30 engine and a DCE: T.38, a class-1 modem, or G.711.

The engine gives *orders* and receives *events*, all frozen dataclasses; the two share no state.
Octets are as a class-1 DTE sees them (T.31): the first bit on the line is the least significant one.
Frames start at their address octet and have neither flags nor FCS.

Rules for every DCE
-------------------
* ``UsePace`` may be given at any time and interrupts nothing.
* One order at a time: a new ``Send*`` or ``Receive`` replaces a running ``Receive``; a new order is
  never given while a ``Send*`` runs, except ``HangUp`` which ends everything.
* A finished ``Send*`` is answered by exactly one ``Sent``.
* The DCE itself keeps the silence that T.30 requires before it transmits (75 ± 20 ms between signals of
  different modulations, T.30 5.3.2) and adds preamble (1 s of flags), training and turn-off.
* After ``Receive`` the DCE reports what it receives until the next order: ``CarrierOn``, then ``Frame``
  or ``Data``, then ``CarrierOff``.  A carrier other than the ordered one is reported as ``CarrierOn`` with
  that carrier by a DCE that recognises it (T.38, G.711), and as ``CarrierMissed`` by a modem, which cannot;
  the engine then orders another ``Receive``.
* A DCE that knows that a network lost image octets reports ``DataLost`` in their place.
* T.30's timers are in the engine.  A DCE has only those of its device (a silent modem); they end in
  ``LineLost``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from appliance.causes import Cause
from appliance.t30.pace import Pace


class Modulation(Enum):
    """The modulations of group 3 fax."""

    V21 = "V.21"
    V27TER = "V.27ter"
    V29 = "V.29"
    V17 = "V.17"


class Carrier(Enum):
    """A modulation with its bit rate.  V.21 is the 300 bit/s channel 2 of the HDLC frames."""

    V21 = (Modulation.V21, 300)
    V27TER_2400 = (Modulation.V27TER, 2400)
    V27TER_4800 = (Modulation.V27TER, 4800)
    V29_7200 = (Modulation.V29, 7200)
    V29_9600 = (Modulation.V29, 9600)
    V17_7200 = (Modulation.V17, 7200)
    V17_9600 = (Modulation.V17, 9600)
    V17_12000 = (Modulation.V17, 12000)
    V17_14400 = (Modulation.V17, 14400)

    @property
    def modulation(self) -> Modulation:
        """The modulation of the carrier."""
        return self.value[0]

    @property
    def bit_rate(self) -> int:
        """Bits a second."""
        return self.value[1]


class Tone(Enum):
    """The tones of call establishment."""

    CNG = "CNG"  # 1100 Hz, 0.5 s on, 3 s off, until ordered otherwise (T.30 4.1)
    CED = "CED"  # 2100 Hz, 2.6 to 4 s (T.30 4.2)


# -- orders: engine to line --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SendCng:
    """Sound CNG periodically, and receive V.21 in between, until another order (no ``Sent`` follows)."""


@dataclass(frozen=True, slots=True)
class SendCed:
    """Sound CED once; ``Sent`` when it is over."""


@dataclass(frozen=True, slots=True)
class SendFrames:
    """One V.21 burst: preamble, these HDLC frames back to back, then silence."""

    frames: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SendTcf:
    """Long training, then ``octets`` octets of zeros (TCF: 1.5 s, T.30 5.3.6.1.2)."""

    carrier: Carrier
    octets: int


@dataclass(frozen=True, slots=True)
class SendImage:
    """Training, then non-ECM image octets.  ``short_train`` is V.17's resync training."""

    carrier: Carrier
    short_train: bool
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SendEcm:
    """Training, 200 ms of flags, then these HDLC frames at the image rate (T.4 Annex A)."""

    carrier: Carrier
    short_train: bool
    frames: tuple[bytes, ...] = field(repr=False)


class Expect(Enum):
    """What the ordered carrier is to bring; ``FRAMES`` for V.21 too."""

    FRAMES = "frames"  # HDLC: V.21 or an ECM block
    IMAGE = "image"  # non-ECM octets
    TCF = "tcf"  # the zeros of the training check


@dataclass(frozen=True, slots=True)
class Receive:
    """Listen for this carrier."""

    carrier: Carrier
    expect: Expect
    short_train: bool = False


@dataclass(frozen=True, slots=True)
class UsePace:
    """Use these times for the next signal and those after it.  No ``Sent`` follows."""

    pace: Pace


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call.  Nothing follows."""


LineOrder = SendCng | SendCed | SendFrames | SendTcf | SendImage | SendEcm | Receive | UsePace | HangUp


# -- events: line to engine --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """The signal of the last ``Send*`` order has left the line, turn-off included."""


@dataclass(frozen=True, slots=True)
class ToneHeard:
    """CNG or CED was detected."""

    tone: Tone


@dataclass(frozen=True, slots=True)
class CarrierOn:
    """A carrier is up: V.21 flags seen, or a fast modem trained."""

    carrier: Carrier


@dataclass(frozen=True, slots=True)
class Frame:
    """An HDLC frame from its address octet on.  ``ok`` is whether its FCS was right.

    At most ``MAX_FRAME_OCTETS`` octets: a DCE ends a longer one there with ``ok`` False.
    """

    octets: bytes
    ok: bool


@dataclass(frozen=True, slots=True)
class Data:
    """Non-ECM octets (TCF or image), in line order."""

    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DataLost:
    """A network lost about ``octets`` non-ECM octets at this place."""

    octets: int


@dataclass(frozen=True, slots=True)
class CarrierOff:
    """The carrier of the last ``CarrierOn`` has ended.

    ``complete``: it carried non-ECM octets, all of them arrived, and its end was signalled.  Only a DCE on
    a packet network can tell; others leave it False.
    """

    complete: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class CarrierMissed:
    """A signal arrived that is not what ``Receive`` ordered (+FCERROR), or whose training failed."""


@dataclass(frozen=True, slots=True)
class LineLost:
    """The call has ended: the far end hung up (``cause`` None) or the line failed (``cause`` says why)."""

    cause: Cause | None = None


LineEvent = Sent | ToneHeard | CarrierOn | Frame | Data | DataLost | CarrierOff | CarrierMissed | LineLost

# Longest frame of T.30: address, control, FCF, frame number and 256 octets of ECM data (T.4 Annex A), and
# four octets to spare.  Anything longer is noise or hostile.
MAX_FRAME_OCTETS = 3 + 1 + 256 + 4
