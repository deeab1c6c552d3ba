"""What a caller of the engine says about a call, and what it hears back when the call has ended.

Everything here is plain data: a T.38 call, a modem call and a foreign test harness all fill in the
same ``CallParameters`` and read a ``CallResult``.  What is said in between is in ``conversation``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from appliance.causes import Cause
from appliance.t4.page import CodedPage, Coding, PaperLength, PaperWidth, Raster, Resolution
from appliance.t30.dce import Carrier


class Role(Enum):
    CALLS = "calls"
    ANSWERS = "answers"


ALL_CARRIERS = frozenset(Carrier) - {Carrier.V21}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this station owns up to in its DIS or DTC, and will use in its DCS."""

    carriers: frozenset[Carrier] = ALL_CARRIERS
    codings: frozenset[Coding] = frozenset(Coding)
    resolutions: frozenset[Resolution] = frozenset(Resolution)
    width: PaperWidth = PaperWidth.A3
    length: PaperLength = PaperLength.UNLIMITED
    scan_ms: int = 0  # minimum time of a scan line at 3.85 line/mm, ms (T.30 table 2, bits 21 to 23)
    ecm: bool = True
    ecm_frame_octets: int = 256  # 256 or 64: what we send; we take both


@dataclass(frozen=True, slots=True)
class CallParameters:
    """One fax call, seen from this end.

    A calling station with pages sends them; with ``poll`` it asks for the far end's pages instead
    (and may do both: send, then poll).  An answering station receives; with pages on offer it also
    sends them to a caller that polls.
    """

    role: Role
    station_id: str = ""  # CSI, TSI or CIG: up to 20 of digits, +, space
    capabilities: Capabilities = field(default_factory=Capabilities)
    poll: bool = False
    sub_address: str = ""  # SUB, up to 20
    # Calling: SEP, up to 20.  Answering: the name of what is on offer, which goes to who sends it as SEP.
    selective_polling: str = ""
    password: str = ""  # PWD that we send, up to 20
    required_password: str = ""  # PWD (or SID) that the far end must send before it gets or leaves pages
    offers_pages: bool = False  # answering: there is a document for a caller that polls
    # Page numbers (from 0) that begin a document: EOM and phase B before them, whatever their format.
    documents_begin: frozenset[int] = frozenset()
    asks_to_end_last_page: bool = False  # sending: says AskToEndLastPage, and waits for permission
    accepts_sub_address: bool = True
    resend_last_page: bool = False  # after RTN to EOP train and send it again; T.30 has the call end
    quick: bool = False  # use T.30's tolerances downwards, as long as the far end bears it (``pace``)
    nsf: bytes = b""  # FIF of the non-standard frame to send: NSF with DIS, NSC with DTC; none when empty
    first_carrier: Carrier | None = None  # upper bound of the first training; None = best in common
    # Answering: the names of several documents; fetched is the one whose name comes as SEP (told of before as
    # the progress "selective_polling").  An empty one is for callers that name nothing.
    on_offer: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Accepts:
    """What the receiving end can take, both ends' capabilities and this call's fall-backs considered.

    Whoever delivers a page picks its format from it; formats may change from page to page.
    """

    codings: frozenset[Coding]
    resolutions: frozenset[Resolution]
    width: PaperWidth
    length: PaperLength


@dataclass(frozen=True, slots=True)
class ReceivedPage:
    """A page as it came in.

    ``page`` is the coded page as received with ECM, or the repaired raster of a page without.
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


@dataclass(frozen=True, slots=True)
class CallResult:
    """How the call ended."""

    cause: Cause
    pages_sent: int = 0  # pages the far end confirmed
    pages_received: int = 0  # pages that we confirmed
    remote_id: str = ""  # CSI, TSI or CIG of the far end
    sub_address: str = ""  # SUB that the far end sent
    selective_polling: str = ""  # SEP that the far end sent
    carrier: Carrier | None = None  # the last one in use
    ecm: bool = False
    retrainings: int = 0
    frames_repeated: int = 0  # ECM frames sent again on PPR
    bad_rows: int = 0
    quick_failed: bool = False  # the far end did not bear a quick call
    phase: Phase = Phase.E  # where it was when it ended
    last_page_out: bool = False  # the end of the last page was signalled: the far end may hold all of it


@dataclass(frozen=True, slots=True)
class Progress:
    """A line of the live account and of the trace: ``event`` is a stable word, ``fields`` its facts."""

    at: float  # the call's clock, seconds
    event: str
    fields: Sequence[tuple[str, str | int | float | bool]] = ()
