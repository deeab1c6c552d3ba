"""The parameters of a call and its result, the same for every kind of line.

Plain data.  The messages exchanged during the call are in ``conversation``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from appliance.causes import Cause
from appliance.t4.page import CodedPage, Coding, PaperLength, PaperWidth, Raster, Resolution
from appliance.t30.dce import Carrier


class Role(Enum):
    """Which end of the call this station is; either may send pages (polling)."""

    CALLS = "calls"
    ANSWERS = "answers"


ALL_CARRIERS = frozenset(Carrier) - {Carrier.V21}


def carrier_of(facts: Mapping[str, Any]) -> Carrier | None:
    """The image carrier that a call's facts name by ``modulation`` and ``bit_rate``; None without one."""
    named = facts.get("modulation"), facts.get("bit_rate")
    return next((each for each in ALL_CARRIERS if (each.modulation.value, each.bit_rate) == named), None)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this station offers in its DIS or DTC, and may use in its DCS."""

    carriers: frozenset[Carrier] = ALL_CARRIERS
    codings: frozenset[Coding] = frozenset(Coding)
    resolutions: frozenset[Resolution] = frozenset(Resolution)
    width: PaperWidth = PaperWidth.A3
    length: PaperLength = PaperLength.UNLIMITED
    scan_ms: int = 0  # minimum time of a scan line at 3.85 line/mm, ms (T.30 table 2, bits 21 to 23)
    ecm: bool = True
    ecm_frame_octets: int = 256  # 256 or 64, of frames that we send; we accept both


@dataclass(frozen=True, slots=True)
class CallParameters:
    """The parameters of one fax call.

    A calling station sends its pages; with ``poll`` it then asks for the far end's pages, or only does that
    when it has none of its own.  An answering station receives; with ``offers_pages`` it also sends them to a
    caller that polls.
    """

    role: Role
    station_id: str = ""  # CSI, TSI or CIG: up to 20 of digits, +, space
    capabilities: Capabilities = field(default_factory=Capabilities)
    poll: bool = False
    sub_address: str = ""  # SUB, up to 20 characters
    # Calling: SEP to send, up to 20 characters.  Answering: the SEP by which a caller gets the document on
    # offer.
    selective_polling: str = ""
    password: str = ""  # PWD or SID to send, up to 20 characters
    required_password: str = ""  # PWD or SID that the far end must send to get or leave pages
    offers_pages: bool = False  # answering: there is a document for a caller that polls
    # Numbers (from 0) of pages that begin a document: EOM and phase B precede them, whatever their format.
    documents_begin: frozenset[int] = frozenset()
    asks_to_end_last_page: bool = False  # sending: request AskToEndLastPage and wait for permission
    accepts_sub_address: bool = True
    resend_last_page: bool = False  # after RTN to EOP train and send the page again; T.30 ends the call
    quick: bool = False  # use the lower end of T.30's tolerances until an error occurs (``pace``)
    nsf: bytes = b""  # FIF of the non-standard frame to send: NSF with DIS, NSC with DTC; none when empty
    first_carrier: Carrier | None = None  # fastest carrier to use; None: the best in common
    # Answering: names of the documents on offer.  The caller's SEP selects one, and is reported as the
    # progress "selective_polling" before the first request; the empty name is for callers without SEP.
    on_offer: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Accepts:
    """The formats of a page that may be used with the receiver of this call.

    A page may be delivered in any of them; the format may change from page to page.
    """

    codings: frozenset[Coding]
    resolutions: frozenset[Resolution]
    width: PaperWidth
    length: PaperLength


@dataclass(frozen=True, slots=True)
class ReceivedPage:
    """A received page.

    ``page`` is the coded page as received with ECM, or the repaired raster of a page without ECM or of one
    that does not decode.  ``bad_rows`` counts damaged rows, ``longest_bad_run`` the most in succession.
    """

    page: CodedPage | Raster
    bad_rows: int = 0
    longest_bad_run: int = 0


class Phase(Enum):
    """T.30 figure 1."""

    A = "A"  # call establishment
    B = "B"  # identification, negotiation, training
    C = "C"  # message
    D = "D"  # end of message, confirmation
    E = "E"  # release


@dataclass(slots=True)
class CallResult:
    """How the call ended, and what was transferred; during the call its station fills one in."""

    cause: Cause
    pages_sent: int = 0  # confirmed by the far end
    pages_received: int = 0  # confirmed by us
    remote_id: str = ""  # CSI, TSI or CIG of the far end
    sub_address: str = ""  # SUB that the far end sent
    selective_polling: str = ""  # SEP that the far end sent
    carrier: Carrier | None = None  # the last image carrier in use
    ecm: bool = False
    retrainings: int = 0
    frames_repeated: int = 0  # ECM frames sent again, or asked for again, on PPR
    bad_rows: int = 0
    quick_failed: bool = False  # a quick call met an error: use nominal times for this destination
    phase: Phase = Phase.E  # the phase in which the call ended
    last_page_out: bool = False  # the end of the last page was signalled: the far end may have all pages

    @property
    def bit_rate(self) -> int:
        """Of the last image carrier in use, bit/s; 0 without one."""
        return self.carrier.bit_rate if self.carrier else 0

    @property
    def facts(self) -> dict[str, Any]:
        """What was agreed and measured, as it is stored with the call."""
        return {
            "bit_rate": self.bit_rate,
            "modulation": self.carrier.modulation.value if self.carrier else "",
            "ecm": self.ecm,
            "retrainings": self.retrainings,
            "frames_repeated": self.frames_repeated,
        }


@dataclass(frozen=True, slots=True)
class Progress:
    """A progress event: ``event`` is one of the words of ``trace.EVENTS`` or of a line, with its fields."""

    at: float  # the call's clock, seconds
    event: str
    fields: Sequence[tuple[str, str | int | float | bool]] = ()
