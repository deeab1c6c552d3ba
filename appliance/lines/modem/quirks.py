"""Deviations of modems from T.31, in a table keyed by their identification; drivers use the values only.

Rows come from public notes and prototypes; none of the makers' names below was tried on its hardware
by this project, the behaviours are played by a scripted modem in tests/lines/modem.  An owner may lay
further settings over the row (``Quirks`` is plain data).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

from appliance.t30.dce import Carrier


class FlowControl(Enum):
    """How the modem holds back the bytes of a page.

    Software flow control is not among them: the kernel would take its two octets out of what is received, and
    in many modems it is broken.
    """

    AUTO = "auto"  # in settings only: as in the table
    RTS_CTS = "rts/cts"
    NONE = "none"  # CDC-ACM modems whose USB end-point does it


class QuietBefore(Enum):
    """How the silence before we transmit is kept (75 ± 20 ms, T.30 5.3.2.2)."""

    LISTEN = "+FRS"  # the modem waits until the line has been silent: knows the far carrier is gone
    SEND = "+FTS"  # the modem sends silence
    WAIT = "wait"  # we wait: the modem can do neither within a call


@dataclass(frozen=True, slots=True)
class Quirks:
    """Properties of one kind of modem.  The defaults are T.31 as written."""

    quiet_before: QuietBefore = QuietBefore.LISTEN
    quiet_ms: int = 70  # the silence before each signal of ours
    quiet_limit_ms: int = 1000  # limit of waiting for silence, since a noisy line is never silent
    quiet_before_tcf_ms: int = 70  # between DCS and the training check
    quiet_after_page_ms: int = 70  # after a page or ECM block (PPM, PPS, EOP follow)
    training_ms: int = 0  # +FTM: CONNECT comes this long before training is over; hold the data so long
    connect_on_any_carrier: bool = False  # +FRH: CONNECT means energy of any kind
    frh_retries: int = 30  # how often +FRH is issued again on a NO CARRIER that comes at once
    frh_retry_ms: int = 50  # pause before it is
    frm_retries: int = 5  # +FRM issued again on ERROR or +FCERROR within ``frm_retry_ms`` of the command
    frm_retry_ms: int = 150
    adaptive_reception: bool = False  # AT+FAR=1 works: V.21 instead of the page comes as +FRH:3, CONNECT
    bare_dle: bool = False  # DLE not doubled in V.21 frames
    trust_modem_fcs: bool = False  # the FCS octets in frames are wrong or absent; OK or ERROR decides
    fcs_octets: int = 2  # FCS octets delivered with a frame
    abort_ms: int = 200  # limit for OK after CAN; afterwards the command counts as aborted
    send: frozenset[Carrier] | None = None  # carriers that it can send, in place of +FTM=?
    receive: frozenset[Carrier] | None = None  # carriers that it can receive, in place of +FRM=?
    flow: FlowControl = FlowControl.RTS_CTS
    flow_commands: tuple[str, ...] = ()  # tried in this order before class 1; ERROR does no harm
    after_class1: tuple[str, ...] = ()  # sent again after +FCLASS=1, which resets them
    speed: int = 115200  # bit/s between us and the modem; 19200 under-runs at 14400
    ecm_frame_octets: int = 256  # 256 or 64


_NO_V17 = frozenset({Carrier.V27TER_2400, Carrier.V27TER_4800, Carrier.V29_7200, Carrier.V29_9600})


@dataclass(frozen=True, slots=True)
class QuirkRow:
    """One row: ``pattern`` is searched (case ignored) in the modem's identity."""

    name: str
    pattern: str
    quirks: Quirks
    reason: str


T31 = Quirks()

TABLE: tuple[QuirkRow, ...] = (
    QuirkRow(
        "Software modem (spandsp)",
        r"\bspandsp\b",
        replace(T31, flow=FlowControl.NONE, adaptive_reception=False),
        "A pseudo-terminal paces by itself.",
    ),
    QuirkRow(
        "U.S. Robotics",
        r"U\.?\s?S\.?\s?Robotics|\bUSR\b|\b5637\b|\b5633\b|3Com.*Courier",
        replace(
            T31,
            quiet_before=QuietBefore.WAIT,
            flow_commands=("&H1&I0&R2",),
            after_class1=("&H1&I0&R2",),
            quiet_after_page_ms=90,
        ),
        "Its firmware resets on +FRS within a call; +FCLASS=1 forgets hardware flow control.",
    ),
    QuirkRow(
        "Conexant and Rockwell",
        r"Conexant|Rockwell|\bCX[0-9]{5}|\bRC[0-9]{3,}|\bV1\.[0-9]+.*-V9[02]",
        replace(T31, adaptive_reception=True, flow_commands=("&K3",)),
        "Adaptive reception (+FAR=1) works and saves a time-out when V.21 comes instead of a page.",
    ),
    QuirkRow(
        "Lucent and Agere",
        r"Lucent|Agere|\bLT ?V\.?9",
        replace(
            T31,
            training_ms=400,
            connect_on_any_carrier=True,
            flow_commands=("&K3", "\\Q3"),
        ),
        "CONNECT on +FTM precedes training; CONNECT on +FRH comes on any energy, NO CARRIER follows.",
    ),
    QuirkRow(
        "Mainpine",
        r"Mainpine|\bIQ ?Express",
        replace(T31, training_ms=400, connect_on_any_carrier=True),
        "As Lucent, whose chips it builds on.",
    ),
    QuirkRow(
        "MultiTech",
        r"Multi-?Tech|\bMT[0-9]{4}",
        replace(T31, flow_commands=("&K3", "\\Q3"), quiet_after_page_ms=90),
        "Hardware flow control is off by default; EOP needs more silence before it.",
    ),
    QuirkRow(
        "Zoom",
        r"\bZoom\b|\b3095\b",
        replace(T31, adaptive_reception=True, flow_commands=("&K3",)),
        "Conexant inside.",
    ),
    QuirkRow(
        "ZyXEL Omni",
        r"ZyXEL|\bOmni\b",
        replace(T31, flow_commands=("&H3",)),
        "Its own word for hardware flow control.",
    ),
    QuirkRow(
        "Smart Link and other host-driven modems",
        r"Smart ?Link|\bSL[0-9]{4}|slmodem",
        replace(T31, send=_NO_V17, receive=_NO_V17, quiet_before=QuietBefore.SEND, training_ms=200),
        "Claims V.17 and fails in it.",
    ),
)


def quirks_for(identity: str) -> tuple[str, Quirks]:
    """Name and quirks of the row for a modem's identity; T.31 as written without a matching row."""
    for row in TABLE:
        if re.search(row.pattern, identity, re.IGNORECASE):
            return row.name, row.quirks
    return "A modem without known peculiarities", T31


# How T.31 names a carrier in +FTM and +FRM (T.31 table 3).
_LONG: dict[Carrier, int] = {
    Carrier.V27TER_2400: 24,
    Carrier.V27TER_4800: 48,
    Carrier.V29_7200: 72,
    Carrier.V29_9600: 96,
    Carrier.V17_7200: 73,
    Carrier.V17_9600: 97,
    Carrier.V17_12000: 121,
    Carrier.V17_14400: 145,
}
_CARRIER_OF = {code: carrier for carrier, code in _LONG.items()}
MODULATION_V21 = 3


def modulation_code(carrier: Carrier, *, short_train: bool) -> int:
    """T.31's number for a fast carrier; V.17 with short training has one of its own (T.31 table 3)."""
    code = _LONG[carrier]
    is_v17 = carrier.modulation.value == "V.17"
    return code + 1 if short_train and is_v17 else code


def carrier_of(code: int) -> Carrier | None:
    """The carrier with this number (long training), None for any other number."""
    return _CARRIER_OF.get(code)
