"""Decoding and encoding of DIS, DTC and DCS (T.30 table 2).

``Facilities`` is the content of a DIS or DTC, ``Settings`` that of a DCS.  Decoding is tolerant: short,
long and contradictory fields are read as the table's notes say; only a DCS with an unknown modulation
is refused.  Bits that the engine does not use are kept by number in ``other``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from appliance.t4.page import Coding, PaperLength, PaperWidth, Resolution
from appliance.t30.dce import Carrier
from appliance.t30.field_bits import (
    BIT_NAMES,
    LEAST_OCTETS,
    Bit,
    bits_of,
    bits_with,
    code_of,
    is_extend,
    octets_of,
)
from appliance.t30.field_codes import (
    DCS_RATE_CODES,
    DCS_RATES,
    DCS_SCAN,
    DCS_SCAN_CODES,
    DIS_SCAN,
    DIS_SCAN_CODES,
    DIS_WIDTHS,
    LENGTH_CODES,
    LENGTHS,
    V27TER_RATES,
    WIDTH_CODES,
    ScanTimes,
    carriers_of,
    rate_code,
    rates_word,
    scan_word,
)


class FieldError(ValueError):
    """A DCS that is too short or has an unknown rate: the far end's fault."""


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

    carriers: frozenset[Carrier] = V27TER_RATES
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
        bits |= bits_with(rate_code(self.carriers), Bit.RATE)
        bits |= bits_with(WIDTH_CODES[self.width], Bit.WIDTH)
        bits |= bits_with(LENGTH_CODES[self.length], Bit.LENGTH)
        code = DIS_SCAN_CODES.get((self.scan.base_ms, self.scan.half_at_fine))
        if code is None:
            code = DIS_SCAN_CODES[(self.scan.base_ms, False)]
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
        base_ms, half = DIS_SCAN[code_of(bits, Bit.SCAN)]
        return cls(
            carriers=carriers_of(code_of(bits, Bit.RATE)),
            codings=frozenset(codings),
            resolutions=frozenset(resolutions),
            width=DIS_WIDTHS[code_of(bits, Bit.WIDTH)],
            length=LENGTHS[code_of(bits, Bit.LENGTH)],
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
        words = [rates_word(self.carriers)]
        words += [r.name.lower() for r in Resolution if r in self.resolutions]
        words += [c.value for c in Coding if c in self.codings]
        words += [f"width {self.width.value}", f"length {self.length.value}", scan_word(self.scan)]
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
        bits |= bits_with(DCS_RATE_CODES[self.carrier], Bit.RATE)
        bits |= bits_with(WIDTH_CODES[self.width], Bit.WIDTH)
        bits |= bits_with(LENGTH_CODES[self.length], Bit.LENGTH)
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
        if len(fif) < LEAST_OCTETS:
            raise FieldError(f"a DCS of {len(fif)} octets")
        bits = bits_of(fif)
        carrier = DCS_RATES.get(code_of(bits, Bit.RATE))
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
            width=DIS_WIDTHS[code_of(bits, Bit.WIDTH)],
            length=LENGTHS[code_of(bits, Bit.LENGTH)],
            # Codes that halve the time are undefined in a DCS; the time only matters to the transmitter.
            scan_ms=DCS_SCAN.get(code_of(bits, Bit.SCAN), 20),
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
