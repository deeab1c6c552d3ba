"""Codes of several bits in DIS, DTC and DCS (T.30 table 2): scan times, rates and paper."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from appliance.t4.page import PaperLength, PaperWidth, Resolution
from appliance.t30.dce import Carrier
from appliance.t30.field_bits import Bit, bits_with, octets_of

# -- scan time ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScanTimes:
    """Minimum scan line times that a receiver asks for (T.30 table 2, bits 21 to 23 and 46), ms."""

    base_ms: int = 0  # at 3.85 line/mm
    half_at_fine: bool = False  # half of that at 7.7 line/mm
    half_at_superfine: bool = False  # at 15.4 line/mm half of the time at 7.7

    def at(self, resolution: Resolution) -> int:
        """Minimum time of a line at this resolution, ms, rounded up to a value that a DCS can express."""
        time = float(self.base_ms)
        if resolution is not Resolution.STANDARD and self.half_at_fine:
            time /= 2
        if resolution.y_dpi > Resolution.FINE.y_dpi and self.half_at_superfine:
            time /= 2
        return min(t for t in DCS_SCAN_CODES if t >= time)


# Code of bits 21, 22, 23 in a DIS: (time at 3.85 line/mm, halved at 7.7).
DIS_SCAN: dict[int, tuple[int, bool]] = {
    0b000: (20, False),
    0b001: (40, False),
    0b010: (10, False),
    0b100: (5, False),
    0b011: (10, True),
    0b110: (20, True),
    0b101: (40, True),
    0b111: (0, False),
}
DIS_SCAN_CODES = {times: code for code, times in DIS_SCAN.items()}
# Time in use, ms: code of the same bits in a DCS.
DCS_SCAN_CODES: dict[int, int] = {0: 0b111, 5: 0b100, 10: 0b010, 20: 0b000, 40: 0b001}
DCS_SCAN = {code: time for time, code in DCS_SCAN_CODES.items()}


# -- rates -------------------------------------------------------------------------------------

V27TER_RATES = frozenset({Carrier.V27TER_2400, Carrier.V27TER_4800})
_V29 = frozenset({Carrier.V29_7200, Carrier.V29_9600})
_V17 = frozenset({Carrier.V17_7200, Carrier.V17_9600, Carrier.V17_12000, Carrier.V17_14400})


def rate_code(carriers: frozenset[Carrier]) -> int:
    """Code of bits 11 to 14 in a DIS.  V.17 can only be offered together with V.29 and V.27ter."""
    if carriers & _V17:
        return 0b1101
    if carriers & _V29:
        return 0b1100 if carriers & V27TER_RATES else 0b1000
    return 0b0100 if Carrier.V27TER_4800 in carriers else 0b0000


def carriers_of(code: int) -> frozenset[Carrier]:
    """The carriers that a DIS offers.  Bit 13 (V.33 in older editions) and reserved codes are ignored."""
    if code & 0b1101 == 0b1101:
        return _V17 | _V29 | V27TER_RATES
    if code & 0b1100 == 0b1100:
        return _V29 | V27TER_RATES
    if code & 0b1000:
        return _V29
    return V27TER_RATES if code & 0b0100 else frozenset({Carrier.V27TER_2400})


DCS_RATE_CODES: dict[Carrier, int] = {
    Carrier.V27TER_2400: 0b0000,
    Carrier.V27TER_4800: 0b0100,
    Carrier.V29_9600: 0b1000,
    Carrier.V29_7200: 0b1100,
    Carrier.V17_14400: 0b0001,
    Carrier.V17_12000: 0b0101,
    Carrier.V17_9600: 0b1001,
    Carrier.V17_7200: 0b1101,
}
DCS_RATES = {code: carrier for carrier, code in DCS_RATE_CODES.items()}


def rate_field(carrier: Carrier) -> bytes:
    """FIF of a CTC: bits 1 to 16 of a DCS, of which only the rate counts (T.30 A.4.3)."""
    return octets_of(bits_with(DCS_RATE_CODES[carrier], Bit.RATE))[:2]


# -- paper -------------------------------------------------------------------------------------

# Bits 17, 18.  11 is invalid; table 2 note 8 has it read as 01.
DIS_WIDTHS = {0b00: PaperWidth.A4, 0b10: PaperWidth.B4, 0b01: PaperWidth.A3, 0b11: PaperWidth.A3}
# Bits 19, 20.
LENGTHS = {
    0b00: PaperLength.A4,
    0b10: PaperLength.B4,
    0b01: PaperLength.UNLIMITED,
    0b11: PaperLength.UNLIMITED,
}
WIDTH_CODES = {PaperWidth.A4: 0b00, PaperWidth.B4: 0b10, PaperWidth.A3: 0b01}
LENGTH_CODES = {PaperLength.A4: 0b00, PaperLength.B4: 0b10, PaperLength.UNLIMITED: 0b01}


# -- in words -----------------------------------------------------------------------------------


class _Family(Enum):
    V17 = _V17
    V29 = _V29
    V27TER = V27TER_RATES


def rates_word(carriers: frozenset[Carrier]) -> str:
    """The modulations of these carriers, for traces: "V.27ter/V.29"."""
    present = (c.modulation.value for f in _Family for c in sorted(f.value & carriers, key=lambda c: c.name))
    return "/".join(dict.fromkeys(present))


def scan_word(scan: ScanTimes) -> str:
    """The shortest time of a row, for traces."""
    word = f"{scan.base_ms} ms"
    if scan.half_at_fine:
        word += ", half at 7.7"
    if scan.half_at_superfine:
        word += ", half at 15.4"
    return word
