"""The capabilities of a practice fax machine in spandsp's terms: plain values that need no library."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntFlag
from pathlib import Path

# The tick of spandsp's own tests, seconds.
TICK_S = 0.02


class Modems(IntFlag):
    """t30.h, T30_SUPPORT_V27TER and so on."""

    V27TER = 0x01
    V29 = 0x02
    V17 = 0x04


class Compressions(IntFlag):
    """t30.h, T30_SUPPORT_T4_1D_COMPRESSION and so on."""

    MH = 0x02
    MR = 0x04
    MMR = 0x08


class Resolutions(IntFlag):
    """t30.h, T30_SUPPORT_STANDARD_RESOLUTION and so on."""

    STANDARD = 0x01
    FINE = 0x02
    SUPERFINE = 0x04
    R4 = 0x10000
    R8 = 0x20000
    R16 = 0x40000
    R300 = 0x100000
    R400 = 0x200000


class Sizes(IntFlag):
    """t30.h, T30_SUPPORT_215MM_WIDTH and so on."""

    A4_WIDTH = 0x01
    B4_WIDTH = 0x02
    A3_WIDTH = 0x04
    UNLIMITED_LENGTH = 0x10000
    A4_LENGTH = 0x20000
    B4_LENGTH = 0x40000
    LETTER_LENGTH = 0x80000
    LEGAL_LENGTH = 0x100000


ALL_MODEMS = Modems.V27TER | Modems.V29 | Modems.V17
ALL_COMPRESSIONS = Compressions.MH | Compressions.MR | Compressions.MMR
ALL_RESOLUTIONS = (
    Resolutions.STANDARD
    | Resolutions.FINE
    | Resolutions.SUPERFINE
    | Resolutions.R8
    | Resolutions.R16
    | Resolutions.R300
    | Resolutions.R400
)
ALL_SIZES = (
    Sizes.A4_WIDTH
    | Sizes.B4_WIDTH
    | Sizes.A3_WIDTH
    | Sizes.UNLIMITED_LENGTH
    | Sizes.A4_LENGTH
    | Sizes.B4_LENGTH
    | Sizes.LETTER_LENGTH
    | Sizes.LEGAL_LENGTH
)


class Manners(Enum):
    """Which of spandsp's kinds of T.38 endpoints."""

    TERMINAL = "terminal"  # an internet-aware fax machine
    GATEWAY = "gateway"  # a gateway, with an analogue fax machine and real modem signals behind it


@dataclass(frozen=True, slots=True)
class Abilities:
    """The practice fax machine as its owner set it up.

    ``send`` is the TIFF to send (or to offer for polling), ``receive`` the file for received pages.
    A calling machine with only ``receive`` polls.
    """

    calls: bool = False
    send: Path | None = None
    receive: Path | None = None
    station_id: str = "+49 30 9990"
    ecm: bool = True
    modems: Modems = ALL_MODEMS
    compressions: Compressions = ALL_COMPRESSIONS
    resolutions: Resolutions = ALL_RESOLUTIONS
    sizes: Sizes = ALL_SIZES
    scan_ms: int = 0
    sub_address: str = ""
    selective_polling: str = ""
    password: str = ""  # PWD, goes with DTC
    sender_ident: str = ""  # SID, goes with DCS
    required_password: str = ""
    not_ready: int = 0  # how many times RNR is sent before MCF (ECM only)
    t38_version: int = 0
    tcf_method: int = 2  # 1: TCF made locally, 2: transferred (T.38 8.1)
