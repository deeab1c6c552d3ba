"""The options of the renderer: plain data with checks and JSON.

The same data is passed to the worker process, so everything here can be written as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from appliance.documents.labels import Labels
from appliance.language import one_line
from appliance.t4.page import PaperLength, PaperWidth, Resolution


class Treatment(Enum):
    """How grey becomes black and white."""

    AUTO = "auto"  # chosen for each region of a page
    TEXT = "text"  # threshold everywhere
    PHOTO = "photo"  # halftone everywhere


class Straighten(Enum):
    """Which pictures are replaced by the page that is seen on them (see ``straighten``)."""

    NONE = "none"
    TAKEN = "taken"  # those that a camera made, according to their EXIF data
    ANY = "any"


class Paper(Enum):
    """Sheets (width, height in mm) for documents without a size of their own: text and cover pages."""

    A4 = (210.0, 297.0)
    LETTER = (215.9, 279.4)
    LEGAL = (215.9, 355.6)


# Countries whose offices use Letter, not A4 (CLDR, paperSize US-Letter).
_LETTER_REGIONS = frozenset(
    ("BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE")
)


def usual_paper(region: str) -> Paper:
    """The sheet that offices use in a country (two capital letters; empty: unknown)."""
    return Paper.LETTER if region in _LETTER_REGIONS else Paper.A4


@dataclass(frozen=True, slots=True)
class PageFormat:
    """The finest resolution and the largest size a page may have; each page uses what it needs of it."""

    resolution: Resolution = Resolution.FINE
    width: PaperWidth = PaperWidth.A3
    length: PaperLength = PaperLength.UNLIMITED

    @property
    def label(self) -> str:
        """A short name that can be part of a file's name."""
        return f"{self.resolution.name.lower()}-{self.width.value.lower()}-{self.length.value.lower()}"


# Steps of lightness in each direction.
LIGHTEST = 3


@dataclass(frozen=True, slots=True)
class Look:
    """The changes to a page: ``turn`` quarters clockwise, a ``treatment`` that differs from the rest of the
    fax, ``lightness`` in steps (below 0: darker).
    """

    turn: int = 0
    treatment: Treatment | None = None
    lightness: int = 0

    def to_json(self) -> dict[str, Any]:
        """As JSON; the inverse of ``from_json``."""
        treatment = self.treatment.value if self.treatment is not None else None
        return {"turn": self.turn, "treatment": treatment, "lightness": self.lightness}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Look:
        """The inverse of `to_json`.  Raises KeyError, TypeError or ValueError on anything else."""
        treatment = data["treatment"]
        return cls(
            int(data["turn"]) % 4,
            Treatment(treatment) if treatment is not None else None,
            max(-LIGHTEST, min(LIGHTEST, int(data["lightness"]))),
        )


PLAIN = Look()


@dataclass(frozen=True, slots=True)
class Source:
    """One file to send.

    ``pages`` is a selection such as ``1-5,2`` (empty: all).  ``name`` is the file's name as given by the
    sender, ``media_type`` the declared type; the content decides what the file is (see ``sniff``).
    """

    path: Path
    pages: str = ""
    name: str = ""
    look: Look = PLAIN
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class HeaderLine:
    """The line at the top of each page: ``moment`` must carry the sender's time zone."""

    moment: datetime
    sender: str = ""
    number: str = ""

    def __post_init__(self) -> None:
        if self.moment.tzinfo is None:
            raise ValueError("the header's moment has no time zone")


@dataclass(frozen=True, slots=True)
class CoverPage:
    """The fields of a cover page; empty ones are left out.  The page count is filled in.

    ``template`` is the HTML of an owner's template (see ``markup``); empty: the built-in page.
    """

    to_name: str = ""
    to_number: str = ""
    from_name: str = ""
    from_number: str = ""
    subject: str = ""
    message: str = ""
    date: str = ""
    time: str = ""
    to_company: str = ""
    from_company: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one rendering may use before its worker is stopped."""

    file_octets: int = 100 << 20  # of one source
    pages: int = 500  # pages of the fax, cover included
    # Memory beyond what the fork server has, of a worker and its children together: of one that is alone, and
    # of each of several.  Two, or one, are below 400 MB with the fork server's own 115 (qpdf's 15 with them).
    memory_octets: int = 256 << 20
    share_octets: int = 120 << 20
    cpu_seconds: int = 240  # of one worker
    wall_seconds: float = 300.0  # of the whole rendering
    page_seconds: float = 60.0  # without a new page
    output_octets: int = 200 << 20  # coded pages of one worker
    image_pixels: int = 120_000_000  # of one picture: A3 at 600 dpi is 70 million


MOST_DARKNESS = 100  # either way


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How a document becomes fax pages.  Raises ValueError for a darkness out of bounds."""

    format: PageFormat = field(default_factory=PageFormat)
    treatment: Treatment = Treatment.AUTO
    paper: Paper = Paper.A4
    header: HeaderLine | None = None
    cover: CoverPage | None = None
    darkness: int = 0  # -100 (lighter) to 100 (darker)
    straighten: Straighten = Straighten.TAKEN
    labels: Labels = field(default_factory=dict)  # of cover page, e-mails, invitations and cards

    def __post_init__(self) -> None:
        if not -MOST_DARKNESS <= self.darkness <= MOST_DARKNESS:
            raise ValueError(f"a darkness of {self.darkness}")


# Control characters are removed from users' messages before they reach a page.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
LONGEST_FIELD = 200  # characters of a one-line field
LONGEST_MESSAGE = 20_000  # characters of a cover page's message


def clean_line(text: str) -> str:
    """``one_line``, at most ``LONGEST_FIELD`` characters."""
    return one_line(text)[:LONGEST_FIELD]


def clean_message(text: str) -> str:
    """Several lines (``\\n``, tabs kept), at most ``LONGEST_MESSAGE`` characters."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:LONGEST_MESSAGE]


def options_to_json(options: RenderOptions) -> dict[str, Any]:
    """``options`` as what ``json.dumps`` takes."""
    header, cover = options.header, options.cover
    return {
        "resolution": options.format.resolution.name,
        "width": options.format.width.name,
        "length": options.format.length.name,
        "treatment": options.treatment.value,
        "darkness": options.darkness,
        "paper": options.paper.name,
        "straighten": options.straighten.value,
        "labels": dict(options.labels),
        "header": header
        and {"moment": header.moment.isoformat(), "sender": header.sender, "number": header.number},
        "cover": cover and {name: getattr(cover, name) for name in CoverPage.__slots__},
    }


def options_from_json(data: Mapping[str, Any]) -> RenderOptions:
    """The inverse of `options_to_json`.  Raises KeyError, TypeError or ValueError on anything else."""
    header, cover = data["header"], data["cover"]
    return RenderOptions(
        format=PageFormat(
            Resolution[data["resolution"]], PaperWidth[data["width"]], PaperLength[data["length"]]
        ),
        treatment=Treatment(data["treatment"]),
        darkness=int(data.get("darkness", 0)),  # documents of older versions have none
        paper=Paper[data["paper"]],
        straighten=Straighten(data.get("straighten", Straighten.NONE.value)),  # as above
        labels={str(word): str(label) for word, label in data.get("labels", {}).items()},  # as above
        header=header
        and HeaderLine(datetime.fromisoformat(header["moment"]), header["sender"], header["number"]),
        cover=cover and CoverPage(**cover),
    )
