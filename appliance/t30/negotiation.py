"""The capabilities that two stations share, and the choice and check of a DCS (T.30 table 2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.t4.page import SCAN_LINE_PIXELS, CodedPage, Coding, PaperLength, PaperWidth, Resolution
from appliance.t30.dce import Carrier
from appliance.t30.field_codes import DCS_SCAN_CODES, ScanTimes
from appliance.t30.fields import Facilities, Settings
from appliance.t30.ladder import rungs
from appliance.t30.parameters import Accepts, Capabilities

_WIDTHS = tuple(PaperWidth)
_LENGTHS = tuple(PaperLength)
# Recording lengths, mm (T.4 clause 2).
_LENGTH_MM = {PaperLength.A4: 297.0, PaperLength.B4: 364.0}
# A scanner's A4 page may be a few lines longer than 297 mm without being cut (T.4 clause 2: the
# receiver's loss is up to it).
_LENGTH_TOLERANCE_MM = 6.0


class FormatError(ValueError):
    """A page that the receiver cannot take in this call: the fault of our own side."""


def offer(
    own: Capabilities,
    *,
    transmits: bool = False,
    receives: bool = True,
    sub: bool = False,
    sep: bool = False,
) -> Facilities:
    """The content of our DIS or DTC: what we can receive."""
    codings = own.codings if own.ecm else own.codings - {Coding.MMR}
    return Facilities(
        carriers=own.carriers,
        codings=codings | {Coding.MH},
        resolutions=own.resolutions | {Resolution.STANDARD},
        width=own.width,
        length=own.length,
        scan=ScanTimes(min((t for t in DCS_SCAN_CODES if t >= own.scan_ms), default=max(DCS_SCAN_CODES))),
        receives=receives,
        transmits=transmits,
        ecm=own.ecm,
        prefers_64=own.ecm and own.ecm_frame_octets == 64,
        sep=sep,
        sub=sub,
        pwd=True,
    )


@dataclass(frozen=True, slots=True)
class Common:
    """What we, as transmitter, may use with this receiver.  ``carriers`` is best first."""

    carriers: tuple[Carrier, ...]
    codings: frozenset[Coding]
    resolutions: frozenset[Resolution]
    width: PaperWidth
    length: PaperLength
    scan: ScanTimes
    ecm: bool
    frame_octets: int

    @property
    def accepts(self) -> Accepts:
        """The part of it that matters to the source of the pages."""
        return Accepts(self.codings, self.resolutions, self.width, self.length)


def in_common(own: Capabilities, theirs: Facilities, first: Carrier | None = None) -> Common:
    """What both ends can do, ``first`` being the best carrier to use.  ``carriers`` may be empty."""
    ecm = own.ecm and theirs.ecm
    codings = own.codings & theirs.codings
    if not ecm:
        codings -= {Coding.MMR}
    return Common(
        carriers=rungs(own.carriers & theirs.carriers, first),
        codings=codings | {Coding.MH},
        resolutions=(own.resolutions & theirs.resolutions) | {Resolution.STANDARD},
        width=min(own.width, theirs.width, key=_WIDTHS.index),
        length=min(own.length, theirs.length, key=_LENGTHS.index),
        scan=theirs.scan,
        ecm=ecm,
        frame_octets=64 if theirs.prefers_64 else own.ecm_frame_octets,
    )


def paper_width(page: CodedPage) -> PaperWidth:
    """The recording width of a page.  Raises FormatError for a number of pixels not in T.30."""
    for width, pixels in SCAN_LINE_PIXELS.items():
        if pixels[page.resolution.x_dpi] == page.width:
            return width
    raise FormatError(f"{page.width} pixels at {page.resolution.x_dpi} dpi")


def paper_length(page: CodedPage) -> PaperLength:
    """The shortest recording length that holds the page."""
    millimetres = page.rows / page.resolution.y_dpi * 25.4
    for length, limit in _LENGTH_MM.items():
        if millimetres <= limit + _LENGTH_TOLERANCE_MM:
            return length
    return PaperLength.UNLIMITED


def settings_for(page: CodedPage, common: Common, carrier: Carrier) -> Settings:
    """The DCS for this page.

    Raises FormatError when the receiver cannot take its coding, resolution or width.  A page longer
    than the receiver's paper is announced at the receiver's length, which then cuts it or continues it
    on another sheet.
    """
    width = paper_width(page)
    if page.coding not in common.codings:
        raise FormatError(f"the receiver does not take {page.coding.value}")
    if page.resolution not in common.resolutions:
        raise FormatError(f"the receiver does not take {page.resolution.name.lower()} resolution")
    if _WIDTHS.index(width) > _WIDTHS.index(common.width):
        raise FormatError(f"the receiver does not take {width.value} width")
    return Settings(
        carrier=carrier,
        coding=page.coding,
        resolution=page.resolution,
        width=width,
        # Unlimited length is announced where the receiver has it: longer pages may follow without a new DCS.
        length=common.length
        if common.length is PaperLength.UNLIMITED
        else min(paper_length(page), common.length, key=_LENGTHS.index),
        # With ECM the receiver has a memory for the page and needs no fill (T.30 A.3).
        scan_ms=0 if common.ecm else common.scan.at(page.resolution),
        ecm=common.ecm,
        frame_octets=common.frame_octets if common.ecm else 256,
    )


def same_format(one: Settings, other: Settings) -> bool:
    """Whether a page with settings ``other`` may follow one with ``one`` without a new DCS (MPS, not EOM)."""
    return replace(one, carrier=other.carrier, length=other.length) == other


def refusal(settings: Settings, offered: Facilities) -> str | None:
    """Why a DCS that answers ``offered`` cannot be accepted, None when it can."""
    if settings.carrier not in offered.carriers:
        return f"{settings.carrier.name} was not offered"
    if settings.coding not in offered.codings:
        return f"{settings.coding.value} was not offered"
    high = {Resolution.R400, Resolution.R16_15}  # bit 43 offers both (table 2 note 22)
    offered_high = high if offered.resolutions & high else set()
    if settings.resolution not in offered.resolutions | offered_high:
        return f"{settings.resolution.name} was not offered"
    if _WIDTHS.index(settings.width) > _WIDTHS.index(offered.width):
        return f"width {settings.width.value} was not offered"
    if settings.ecm and not offered.ecm:
        return "ECM was not offered"
    unknown = settings.other & _MODES
    if unknown:
        return f"a mode that was not offered (bits {sorted(unknown)})"
    return None


# DCS bits that change what the image data are: uncompressed mode, T.43, plane interleave, voice, file
# transfers, character and mixed modes, JPEG, JBIG, T.44, 600 dpi and finer, T.45, T.89, sYCC.
_MODES = frozenset(
    {26, 36, 37, 38, 53, 54, 55, 57, 60, 62, 65, 68, 69, 78, 79, 92, 93, 94}
    | {105, 106, 107, 108, 109, 110, 111, 116, 123, 124, 125, 126, 127}
)
