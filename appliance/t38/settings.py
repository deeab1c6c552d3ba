"""The agreed parameters of a T.38 session: plain data, filled in by SDP or by a test harness."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ErrorCorrection(Enum):
    """How UDPTL protects its packets (T.38 9.1, Annex C)."""

    NONE = "none"
    REDUNDANCY = "redundancy"
    FEC = "fec"


class RateManagement(Enum):
    """Where the TCF is generated (T.38 clause 8); the value is that of SDP's ``T38FaxRateManagement``."""

    LOCAL_TCF = "localTCF"  # method 1
    TRANSFERRED_TCF = "transferredTCF"  # method 2, the one for UDP


# The smallest limit, octets, that leaves room for a header and a useful field.
MIN_MAX_DATAGRAM = 32
# Our own bounds.
MAX_REDUNDANCY = 8
MAX_FEC_SPAN = 8
MAX_FEC_ENTRIES = 8


@dataclass(frozen=True, slots=True)
class T38Settings:
    """The agreed parameters of one T.38 session, for this end's use.

    ``max_datagram`` and ``max_buffer`` are the far end's limits on what we send.
    Raises ValueError for a value outside its range.
    """

    version: int = 0  # 0 to 3
    error_correction: ErrorCorrection = ErrorCorrection.REDUNDANCY
    redundancy: int = 3  # previous IFP packets in each datagram, 0 to 8
    fec_span: int = 3  # packets in one parity (fec-npackets), 1 to 8
    fec_entries: int = 3  # parities in each datagram (interleaving), 1 to 8
    max_datagram: int = 400  # octets, largest datagram that the far end accepts (T38FaxMaxDatagram)
    max_buffer: int = 2000  # octets that the far end can hold for its modem (T38FaxMaxBuffer)
    max_bit_rate: int = 14400  # bit/s (T38MaxBitRate)
    rate_management: RateManagement = RateManagement.TRANSFERRED_TCF
    fill_bit_removal: bool = False  # T38FaxFillBitRemoval: agreed to, but not used by us
    transcoding_mmr: bool = False
    transcoding_jbig: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.version <= 3:
            raise ValueError(f"T.38 version {self.version}")
        if not 0 <= self.redundancy <= MAX_REDUNDANCY:
            raise ValueError(f"redundancy of {self.redundancy} packets")
        if not (1 <= self.fec_span <= MAX_FEC_SPAN and 1 <= self.fec_entries <= MAX_FEC_ENTRIES):
            raise ValueError(f"FEC of {self.fec_entries} parities over {self.fec_span} packets")
        if self.max_datagram < MIN_MAX_DATAGRAM:
            raise ValueError(f"datagrams of {self.max_datagram} octets are too small for T.38")
        if self.max_buffer < 0 or self.max_bit_rate < 2400:
            raise ValueError("buffer or bit rate out of range")
