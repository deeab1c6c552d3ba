"""HDLC frames of T.30, their encoding and decoding.

Octets are as in ``appliance.t30.dce``: the first bit on the line is the least significant one, so a
code that T.30 prints as ``0000 0001`` (DIS) is 0x80 here.  The DCE adds and checks the FCS.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

ADDRESS = 0xFF  # T.30 5.3.4: the only address on the general switched network
CONTROL_MORE = 0x03  # T.30 5.3.5: unnumbered information, another frame follows in this burst
CONTROL_FINAL = 0x13  # the same with the P/F bit set: last frame of the burst
FINAL_BIT = 0x10

X_BIT = 0x01  # T.30 5.3.6.1: one when sent by the station that received a DIS

IDENT_CHARACTERS = 20  # T.30 5.3.6.2.4 to 5.3.6.2.10: CSI, CIG, TSI, SUB, SEP, PWD, SID, PSA


class Fcf(Enum):
    """Facsimile control fields (T.30 5.3.6.1), with the X bit at zero where there is one."""

    # Initial identification, called to calling
    DIS = 0x80  # digital identification signal
    CSI = 0x40  # called subscriber identification
    NSF = 0x20  # non-standard facilities
    # Command to send, from a calling station that polls
    DTC = 0x81  # digital transmit command
    CIG = 0x41  # calling subscriber identification
    NSC = 0x21  # non-standard facilities command
    PWD = 0xC1  # password
    SEP = 0xA1  # selective polling
    PSA = 0x61  # polled sub-address
    CIA = 0xE1  # calling subscriber Internet address
    ISP = 0x11  # Internet selective polling address
    # Command to receive, from the transmitter
    DCS = 0x82  # digital command signal
    TSI = 0x42  # transmitting subscriber identification
    NSS = 0x22  # non-standard set-up
    SUB = 0xC2  # sub-address
    SID = 0xA2  # sender identification
    CTC = 0x12  # continue to correct
    TSA = 0x62  # transmitting subscriber Internet address
    IRA = 0xE2  # Internet routing address
    # Pre-message responses
    CFR = 0x84  # confirmation to receive
    FTT = 0x44  # failure to train
    CTR = 0xC4  # response to continue to correct
    CSA = 0x24  # called subscriber Internet address
    # Post-message commands
    EOM = 0x8E  # end of message: back to phase B
    MPS = 0x4E  # multipage signal: another page of the same kind
    EOP = 0x2E  # end of procedures: no more
    PRI_EOM = 0x9E  # the same with procedure interrupt
    PRI_MPS = 0x5E
    PRI_EOP = 0x3E
    EOS = 0x1E  # end of selection
    PPS = 0xBE  # partial page signal (ECM)
    EOR = 0xCE  # end of retransmission (ECM)
    RR = 0x6E  # receive ready (ECM)
    # Post-message responses
    MCF = 0x8C  # message confirmation
    RTP = 0xCC  # retrain positive
    RTN = 0x4C  # retrain negative
    PIP = 0xAC  # procedure interrupt positive
    PIN = 0x2C  # procedure interrupt negative
    PPR = 0xBC  # partial page request (ECM)
    RNR = 0xEC  # receive not ready (ECM)
    ERR = 0x1C  # response for end of retransmission (ECM)
    FDM = 0xFC  # file diagnostics message
    # Other line control
    DCN = 0xFA  # disconnect
    CRP = 0x1A  # command repeat
    FNV = 0xCA  # field not valid
    TNR = 0xEA  # transmit not ready
    TR = 0x6A  # transmit ready
    # Facsimile data at the image rate (T.4 Annex A), no X bit
    FCD = 0x06  # coded data
    RCP = 0x86  # return to control for partial page


# Codes whose first bit is part of the code and not the X bit (T.30 5.3.6.1.1, 5.3.6.1.2, T.4 A.3).
_NO_X_BIT = frozenset(
    {
        Fcf.DIS,
        Fcf.CSI,
        Fcf.NSF,
        Fcf.DTC,
        Fcf.CIG,
        Fcf.NSC,
        Fcf.PWD,
        Fcf.SEP,
        Fcf.PSA,
        Fcf.CIA,
        Fcf.ISP,
        Fcf.FCD,
        Fcf.RCP,
    }
)
_BY_OCTET: dict[int, Fcf] = {}
for _code in Fcf:
    _BY_OCTET[_code.value] = _code
    if _code not in _NO_X_BIT:
        _BY_OCTET[_code.value | X_BIT] = _code

# Optional frames of a burst: they precede the command.
OPTIONAL = frozenset(
    {
        Fcf.CSI,
        Fcf.NSF,
        Fcf.CIG,
        Fcf.NSC,
        Fcf.PWD,
        Fcf.SEP,
        Fcf.PSA,
        Fcf.CIA,
        Fcf.ISP,
        Fcf.TSI,
        Fcf.NSS,
        Fcf.SUB,
        Fcf.SID,
        Fcf.TSA,
        Fcf.IRA,
        Fcf.CSA,
    }
)


# Responses to commands.  A station that then disconnects may send DCN in the same burst.
RESPONSES = frozenset(
    {
        Fcf.CFR,
        Fcf.FTT,
        Fcf.CTR,
        Fcf.MCF,
        Fcf.RTP,
        Fcf.RTN,
        Fcf.PIP,
        Fcf.PIN,
        Fcf.PPR,
        Fcf.RNR,
        Fcf.ERR,
    }
)

# Frames of a page with ECM (T.4 Annex A).
IMAGE_FRAMES = frozenset({Fcf.FCD, Fcf.RCP})


class FrameError(ValueError):
    """Octets that are not a T.30 frame: the far end's fault or the line's."""


class UnknownCommandError(FrameError):
    """A well-formed final frame with an undefined FCF."""


@dataclass(frozen=True, slots=True)
class HdlcFrame:
    """One T.30 frame.  ``x`` is the X bit; ValueError when it is set on a code that has none."""

    fcf: Fcf
    fif: bytes = b""
    x: bool = False
    final: bool = True

    def __post_init__(self) -> None:
        if self.x and self.fcf in _NO_X_BIT:
            raise ValueError(f"{self.fcf.name} has no X bit")

    def encode(self) -> bytes:
        """The octets: address, control, FCF, FIF."""
        control = CONTROL_FINAL if self.final else CONTROL_MORE
        return bytes((ADDRESS, control, self.fcf.value | (X_BIT if self.x else 0))) + self.fif

    @classmethod
    def decode(cls, octets: bytes) -> HdlcFrame:
        """Decodes the octets from address to FIF.  Raises FrameError for anything but a T.30 frame."""
        if len(octets) < 3:
            raise FrameError(f"a frame of {len(octets)} octets")
        if octets[0] != ADDRESS:
            raise FrameError(f"address {octets[0]:02x}")
        if octets[1] | FINAL_BIT != CONTROL_FINAL:
            raise FrameError(f"control {octets[1]:02x}")
        fcf = _BY_OCTET.get(octets[2])
        if fcf is None:
            kind = UnknownCommandError if octets[1] & FINAL_BIT else FrameError
            raise kind(f"unknown FCF {octets[2]:02x}")
        x = octets[2] != fcf.value
        return cls(fcf, bytes(octets[3:]), x, bool(octets[1] & FINAL_BIT))


def burst(*frames: HdlcFrame) -> tuple[bytes, ...]:
    """Encodes at least one frame for one burst: all but the last are marked as not final."""
    *first, last = frames
    coded = [HdlcFrame(f.fcf, f.fif, f.x, final=False).encode() for f in first]
    coded.append(HdlcFrame(last.fcf, last.fif, last.x, final=True).encode())
    return tuple(coded)


def encode_ident(text: str) -> bytes:
    """The FIF of an identification frame (CSI, TSI, SUB ...): 20 characters in reverse, padded with spaces.

    T.30 5.3.6.2.4: the least significant digit is sent first.  Characters outside printable ASCII
    become ``?``; text beyond 20 characters is cut off.
    """
    clean = "".join(c if " " <= c <= "~" else "?" for c in text[:IDENT_CHARACTERS])
    return clean.rjust(IDENT_CHARACTERS)[::-1].encode("ascii")


def decode_ident(fif: bytes) -> str:
    """The text of an identification FIF, its padding removed; unprintable octets become ``?``."""
    characters = (chr(o) if 0x20 <= o <= 0x7E else "?" for o in fif[:IDENT_CHARACTERS] if o)
    return "".join(characters)[::-1].strip()


# -- ECM frames and signals --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PartialPage:
    """The FIF of a PPS: which block was just sent (T.30 A.4.3).

    ``end`` is the post-message command that it contains, None for PPS-NULL.  ``page`` and ``block``
    count modulo 256 from 0, ``frames`` is 1 to 256.
    """

    end: Fcf | None
    page: int
    block: int
    frames: int

    def encode(self, x: bool) -> bytes:
        """The four octets of the FIF; ``x`` is the X bit of the contained command."""
        second = 0 if self.end is None else self.end.value | (X_BIT if x else 0)
        return bytes((second, self.page & 0xFF, self.block & 0xFF, (self.frames - 1) & 0xFF))

    @classmethod
    def decode(cls, fif: bytes) -> PartialPage:
        """Decodes a FIF.  Raises FrameError when it is too short or its command does not end a page."""
        if len(fif) < 4:
            raise FrameError(f"PPS with {len(fif)} octets")
        return cls(decode_end(fif[0]), fif[1], fif[2], fif[3] + 1)


PAGE_ENDS = frozenset({Fcf.EOM, Fcf.MPS, Fcf.EOP, Fcf.EOS, Fcf.PRI_EOM, Fcf.PRI_MPS, Fcf.PRI_EOP})


def decode_end(octet: int) -> Fcf | None:
    """The second FCF of PPS and EOR: None for NULL.  Raises FrameError for anything else."""
    if octet & ~X_BIT == 0:
        return None
    fcf = _BY_OCTET.get(octet)
    if fcf not in PAGE_ENDS:
        raise FrameError(f"second FCF {octet:02x}")
    return fcf


FRAMES_IN_BLOCK = 256  # T.4 A.2: a partial page has at most 256 frames


@dataclass(frozen=True, slots=True)
class FrameMap:
    """The FIF of a PPR: 256 bits, a set bit asks for that frame again (T.30 A.4.4).

    Bits beyond the end of the block are set as well; the transmitter ignores them.
    """

    wanted: frozenset[int] = field(default_factory=frozenset)

    def encode(self) -> bytes:
        """The 32 octets of the FIF."""
        octets = bytearray(FRAMES_IN_BLOCK // 8)
        for number in self.wanted:
            octets[number >> 3] |= 1 << (number & 7)
        return bytes(octets)

    @classmethod
    def decode(cls, fif: bytes) -> FrameMap:
        """Decodes any FIF: octets beyond the 32nd are ignored, missing ones count as zeros."""
        octets = fif[: FRAMES_IN_BLOCK // 8]
        return cls(frozenset(n * 8 + b for n, o in enumerate(octets) for b in range(8) if o >> b & 1))


def encode_fcd(number: int, data: bytes) -> bytes:
    """One FCD frame: number 0 to 255 and image octets in line order (T.4 A.3.6)."""
    return bytes((ADDRESS, CONTROL_MORE, Fcf.FCD.value, number)) + data


RCP_FRAME = bytes((ADDRESS, CONTROL_MORE, Fcf.RCP.value))
