"""Decoding and encoding of DIS, DTC and DCS (T.30 table 2).

``Facilities`` is the content of a DIS or DTC, ``Settings`` that of a DCS.  Decoding is tolerant: short,
long and contradictory fields are read as the table's notes say; only a DCS with an unknown modulation
is refused.  Bits that the engine does not use are kept by number in ``other``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from appliance.t4.page import Coding, PaperLength, PaperWidth, Resolution
from appliance.t30.dce import Carrier
from appliance.t30.field_bits import (
    BIT_NAMES,
    Bit,
    bits_of,
    bits_with,
    code_of,
    is_extend,
    octets_of,
)


class FieldError(ValueError):
    """A DCS that is too short or has an unknown rate: the far end's fault."""


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
_DIS_SCAN: dict[int, tuple[int, bool]] = {
    0b000: (20, False),
    0b001: (40, False),
    0b010: (10, False),
    0b100: (5, False),
    0b011: (10, True),
    0b110: (20, True),
    0b101: (40, True),
    0b111: (0, False),
}
_DIS_SCAN_CODES = {times: code for code, times in _DIS_SCAN.items()}
# Time in use, ms: code of the same bits in a DCS.
DCS_SCAN_CODES: dict[int, int] = {0: 0b111, 5: 0b100, 10: 0b010, 20: 0b000, 40: 0b001}
_DCS_SCAN = {code: time for time, code in DCS_SCAN_CODES.items()}


# -- rates -------------------------------------------------------------------------------------

_V27TER = frozenset({Carrier.V27TER_2400, Carrier.V27TER_4800})
_V29 = frozenset({Carrier.V29_7200, Carrier.V29_9600})
_V17 = frozenset({Carrier.V17_7200, Carrier.V17_9600, Carrier.V17_12000, Carrier.V17_14400})


def _rate_code(carriers: frozenset[Carrier]) -> int:
    """Code of bits 11 to 14 in a DIS.  V.17 can only be offered together with V.29 and V.27ter."""
    if carriers & _V17:
        return 0b1101
    if carriers & _V29:
        return 0b1100 if carriers & _V27TER else 0b1000
    return 0b0100 if Carrier.V27TER_4800 in carriers else 0b0000


def _carriers(code: int) -> frozenset[Carrier]:
    """The carriers that a DIS offers.  Bit 13 (V.33 in older editions) and reserved codes are ignored."""
    if code & 0b1101 == 0b1101:
        return _V17 | _V29 | _V27TER
    if code & 0b1100 == 0b1100:
        return _V29 | _V27TER
    if code & 0b1000:
        return _V29
    return _V27TER if code & 0b0100 else frozenset({Carrier.V27TER_2400})


_DCS_RATE_CODES: dict[Carrier, int] = {
    Carrier.V27TER_2400: 0b0000,
    Carrier.V27TER_4800: 0b0100,
    Carrier.V29_9600: 0b1000,
    Carrier.V29_7200: 0b1100,
    Carrier.V17_14400: 0b0001,
    Carrier.V17_12000: 0b0101,
    Carrier.V17_9600: 0b1001,
    Carrier.V17_7200: 0b1101,
}
_DCS_RATES = {code: carrier for carrier, code in _DCS_RATE_CODES.items()}


def rate_field(carrier: Carrier) -> bytes:
    """FIF of a CTC: bits 1 to 16 of a DCS, of which only the rate counts (T.30 A.4.3)."""
    return octets_of(bits_with(_DCS_RATE_CODES[carrier], Bit.RATE))[:2]


# -- paper -------------------------------------------------------------------------------------

# Bits 17, 18.  11 is invalid; table 2 note 8 has it read as 01.
_DIS_WIDTHS = {0b00: PaperWidth.A4, 0b10: PaperWidth.B4, 0b01: PaperWidth.A3, 0b11: PaperWidth.A3}
# Bits 19, 20.
_LENGTHS = {
    0b00: PaperLength.A4,
    0b10: PaperLength.B4,
    0b01: PaperLength.UNLIMITED,
    0b11: PaperLength.UNLIMITED,
}
_WIDTH_CODES = {PaperWidth.A4: 0b00, PaperWidth.B4: 0b10, PaperWidth.A3: 0b01}
_LENGTH_CODES = {PaperLength.A4: 0b00, PaperLength.B4: 0b10, PaperLength.UNLIMITED: 0b01}


def _used(*groups: int | tuple[int, ...]) -> frozenset[int]:
    return frozenset(n for g in groups for n in (g if isinstance(g, tuple) else (g,)))


_DIS_USED = _used(
    Bit.PREFERS_64,
    Bit.TRANSMITS,
    Bit.RECEIVES,
    Bit.RATE,
    Bit.FINE,
    Bit.TWO_DIMENSIONAL,
    Bit.WIDTH,
    Bit.LENGTH,
    Bit.SCAN,
    Bit.ECM,
    Bit.T6,
    Bit.PSA,
    Bit.SUPERFINE,
    Bit.R300,
    Bit.R400,
    Bit.INCH,
    Bit.METRIC,
    Bit.HALF_SCAN_15_4,
    Bit.SEP,
    Bit.SUB,
    Bit.PWD,
)
_DCS_USED = _used(
    Bit.RECEIVES,
    Bit.RATE,
    Bit.FINE,
    Bit.TWO_DIMENSIONAL,
    Bit.WIDTH,
    Bit.LENGTH,
    Bit.SCAN,
    Bit.ECM,
    Bit.FRAMES_OF_64,
    Bit.T6,
    Bit.SUPERFINE,
    Bit.R300,
    Bit.R400,
    Bit.INCH,
    Bit.SUB,
    Bit.PWD,
)


def other_bits(bits: Iterable[int], *, dcs: bool = False) -> frozenset[int]:
    """Those of ``bits`` that ``Facilities`` (with ``dcs``: ``Settings``) has no field for."""
    used = _DCS_USED if dcs else _DIS_USED
    return frozenset(b for b in bits if b not in used and not is_extend(b))


@dataclass(frozen=True, slots=True)
class Facilities:
    """The content of a DIS or DTC: the capabilities of a receiver.

    ``sep``, ``sub``, ``pwd`` and ``psa`` mean in a DIS that such frames are understood, in a DTC that
    they accompany it.
    """

    carriers: frozenset[Carrier] = _V27TER
    codings: frozenset[Coding] = frozenset({Coding.MH})
    resolutions: frozenset[Resolution] = frozenset({Resolution.STANDARD})
    width: PaperWidth = PaperWidth.A4
    length: PaperLength = PaperLength.A4
    scan: ScanTimes = field(default_factory=ScanTimes)
    receives: bool = True
    transmits: bool = False
    ecm: bool = False
    prefers_64: bool = False
    sep: bool = False
    sub: bool = False
    pwd: bool = False
    psa: bool = False
    other: frozenset[int] = frozenset()

    def encode(self) -> bytes:
        """The FIF.  What table 2 cannot express is adapted: V.17 alone becomes all rates, T.6 needs ECM."""
        bits = set(self.other)
        bits |= bits_with(_rate_code(self.carriers), Bit.RATE)
        bits |= bits_with(_WIDTH_CODES[self.width], Bit.WIDTH)
        bits |= bits_with(_LENGTH_CODES[self.length], Bit.LENGTH)
        code = _DIS_SCAN_CODES.get((self.scan.base_ms, self.scan.half_at_fine))
        if code is None:
            code = _DIS_SCAN_CODES[(self.scan.base_ms, False)]
        bits |= bits_with(code, Bit.SCAN)
        flags = {
            Bit.PREFERS_64: self.prefers_64,
            Bit.TRANSMITS: self.transmits,
            Bit.RECEIVES: self.receives,
            Bit.FINE: Resolution.FINE in self.resolutions,
            Bit.TWO_DIMENSIONAL: Coding.MR in self.codings,
            Bit.ECM: self.ecm,
            Bit.T6: self.ecm and Coding.MMR in self.codings,
            Bit.PSA: self.psa,
            Bit.SUPERFINE: Resolution.SUPERFINE in self.resolutions,
            Bit.R300: Resolution.R300 in self.resolutions,
            Bit.R400: bool(self.resolutions & {Resolution.R400, Resolution.R16_15}),
            Bit.INCH: Resolution.R400 in self.resolutions,
            Bit.METRIC: Resolution.R16_15 in self.resolutions,
            Bit.HALF_SCAN_15_4: self.scan.half_at_superfine,
            Bit.SEP: self.sep,
            Bit.SUB: self.sub,
            Bit.PWD: self.pwd,
        }
        bits |= {bit for bit, on in flags.items() if on}
        return octets_of(bits)

    @classmethod
    def decode(cls, fif: bytes) -> Facilities:
        """Decodes any FIF; never raises."""
        bits = bits_of(fif)
        resolutions = {Resolution.STANDARD}
        if Bit.FINE in bits:
            resolutions.add(Resolution.FINE)
        if Bit.SUPERFINE in bits:
            resolutions.add(Resolution.SUPERFINE)
        if Bit.R300 in bits:
            resolutions.add(Resolution.R300)
        if Bit.R400 in bits:
            # With one unit preferred only that one: the other would come out distorted (table 2 note 22).
            if Bit.INCH in bits or Bit.METRIC not in bits:
                resolutions.add(Resolution.R400)
            if Bit.METRIC in bits or Bit.INCH not in bits:
                resolutions.add(Resolution.R16_15)
        ecm = Bit.ECM in bits
        codings = {Coding.MH}
        if Bit.TWO_DIMENSIONAL in bits:
            codings.add(Coding.MR)
        if Bit.T6 in bits and ecm:  # table 2 note 9: T.6 needs ECM
            codings.add(Coding.MMR)
        base_ms, half = _DIS_SCAN[code_of(bits, Bit.SCAN)]
        return cls(
            carriers=_carriers(code_of(bits, Bit.RATE)),
            codings=frozenset(codings),
            resolutions=frozenset(resolutions),
            width=_DIS_WIDTHS[code_of(bits, Bit.WIDTH)],
            length=_LENGTHS[code_of(bits, Bit.LENGTH)],
            scan=ScanTimes(base_ms, half, Bit.HALF_SCAN_15_4 in bits),
            receives=Bit.RECEIVES in bits,
            transmits=Bit.TRANSMITS in bits,
            ecm=ecm,
            prefers_64=Bit.PREFERS_64 in bits,
            sep=Bit.SEP in bits,
            sub=Bit.SUB in bits,
            pwd=Bit.PWD in bits,
            psa=Bit.PSA in bits,
            other=other_bits(bits),
        )

    def describe(self) -> str:
        """One line for a trace."""
        words = [_rates_word(self.carriers)]
        words += [r.name.lower() for r in Resolution if r in self.resolutions]
        words += [c.value for c in Coding if c in self.codings]
        words += [f"width {self.width.value}", f"length {self.length.value}", _scan_word(self.scan)]
        flags = {
            "receives": self.receives,
            "ready to transmit": self.transmits,
            "ECM": self.ecm,
            "64 octet frames preferred": self.prefers_64,
            "SEP": self.sep,
            "SUB": self.sub,
            "PWD": self.pwd,
            "PSA": self.psa,
        }
        words += [word for word, on in flags.items() if on]
        words += [BIT_NAMES.get(bit, f"bit {bit}") for bit in sorted(self.other)]
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Settings:
    """The content of a DCS: what the transmitter has chosen for the next pages."""

    carrier: Carrier
    coding: Coding = Coding.MH
    resolution: Resolution = Resolution.STANDARD
    width: PaperWidth = PaperWidth.A4
    length: PaperLength = PaperLength.A4
    scan_ms: int = 0
    ecm: bool = False
    frame_octets: int = 256  # of ECM frames: 256 or 64
    sub: bool = False
    sid: bool = False
    other: frozenset[int] = frozenset()

    def encode(self) -> bytes:
        """The FIF."""
        bits = set(self.other) | {Bit.RECEIVES}
        bits |= bits_with(_DCS_RATE_CODES[self.carrier], Bit.RATE)
        bits |= bits_with(_WIDTH_CODES[self.width], Bit.WIDTH)
        bits |= bits_with(_LENGTH_CODES[self.length], Bit.LENGTH)
        bits |= bits_with(DCS_SCAN_CODES[self.scan_ms], Bit.SCAN)
        flags = {
            Bit.FINE: self.resolution is Resolution.FINE,
            Bit.TWO_DIMENSIONAL: self.coding is Coding.MR,
            Bit.ECM: self.ecm,
            Bit.FRAMES_OF_64: self.ecm and self.frame_octets == 64,
            Bit.T6: self.coding is Coding.MMR,
            Bit.SUPERFINE: self.resolution is Resolution.SUPERFINE,
            Bit.R300: self.resolution is Resolution.R300,
            Bit.R400: self.resolution in (Resolution.R400, Resolution.R16_15),
            Bit.INCH: self.resolution is Resolution.R400,
            Bit.SUB: self.sub,
            Bit.PWD: self.sid,
        }
        bits |= {bit for bit, on in flags.items() if on}
        return octets_of(bits)

    @classmethod
    def decode(cls, fif: bytes) -> Settings:
        """Decodes a FIF.  Raises FieldError for one shorter than two octets or with an unknown rate."""
        if len(fif) < 2:
            raise FieldError(f"a DCS of {len(fif)} octets")
        bits = bits_of(fif)
        carrier = _DCS_RATES.get(code_of(bits, Bit.RATE))
        if carrier is None:
            raise FieldError(f"a DCS with rate code {code_of(bits, Bit.RATE):04b}")
        ecm = Bit.ECM in bits
        if Bit.T6 in bits and ecm:
            coding = Coding.MMR
        else:
            coding = Coding.MR if Bit.TWO_DIMENSIONAL in bits else Coding.MH
        return cls(
            carrier=carrier,
            coding=coding,
            resolution=_dcs_resolution(bits),
            width=_DIS_WIDTHS[code_of(bits, Bit.WIDTH)],
            length=_LENGTHS[code_of(bits, Bit.LENGTH)],
            # Codes that halve the time are undefined in a DCS; the time only matters to the transmitter.
            scan_ms=_DCS_SCAN.get(code_of(bits, Bit.SCAN), 20),
            ecm=ecm,
            frame_octets=64 if ecm and Bit.FRAMES_OF_64 in bits else 256,
            sub=Bit.SUB in bits,
            sid=Bit.PWD in bits,
            other=other_bits(bits, dcs=True),
        )

    def describe(self) -> str:
        """One line for a trace."""
        words = [
            f"{self.carrier.modulation.value} {self.carrier.bit_rate}",
            self.resolution.name.lower(),
            self.coding.value,
            f"width {self.width.value}",
            f"length {self.length.value}",
            f"{self.scan_ms} ms",
        ]
        if self.ecm:
            words.append(f"ECM {self.frame_octets}")
        words += [word for word, on in (("SUB", self.sub), ("SID", self.sid)) if on]
        words += [BIT_NAMES.get(bit, f"bit {bit}") for bit in sorted(self.other)]
        return ", ".join(words)


def _dcs_resolution(bits: frozenset[int]) -> Resolution:
    """The finest resolution that is set: some machines set the lower ones along with it."""
    if Bit.R400 in bits:
        return Resolution.R400 if Bit.INCH in bits else Resolution.R16_15
    if Bit.R300 in bits:
        return Resolution.R300
    if Bit.SUPERFINE in bits:
        return Resolution.SUPERFINE
    return Resolution.FINE if Bit.FINE in bits else Resolution.STANDARD


class _Family(Enum):
    V17 = _V17
    V29 = _V29
    V27TER = _V27TER


def _rates_word(carriers: frozenset[Carrier]) -> str:
    present = (c.modulation.value for f in _Family for c in sorted(f.value & carriers, key=lambda c: c.name))
    return "/".join(dict.fromkeys(present))


def _scan_word(scan: ScanTimes) -> str:
    word = f"{scan.base_ms} ms"
    if scan.half_at_fine:
        word += ", half at 7.7"
    if scan.half_at_superfine:
        word += ", half at 15.4"
    return word
