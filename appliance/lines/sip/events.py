"""Events from the SIP thread to the asyncio side, about calls and trunks."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.lines.sip.media_orders import SwitchOrder, UseAudio


@dataclass(frozen=True, slots=True)
class Ringing:
    """A provisional response: the call is on its way (180, 183...)."""

    code: int


@dataclass(frozen=True, slots=True)
class PendingInvite:
    """Our INVITE got a provisional response, from ``address:port``: it may be cancelled there."""

    invite: str
    server: str


@dataclass(frozen=True, slots=True)
class EarlyMedia:
    """The network sends audio before the answer (183 with SDP): where, and in which coding."""

    audio: UseAudio


@dataclass(frozen=True, slots=True)
class Connected:
    """The call is answered and confirmed; media orders follow."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order of the media switch that concerns media."""

    order: SwitchOrder


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call has ended.  ``code`` is the SIP status; ``ours``: it was generated on our side."""

    code: int
    reason: str
    ours: bool
    retry_after_s: float | None = None
    reason_of: tuple[str, int] | None = None  # the Reason header: protocol and cause (RFC 3326)
    unanswerable: str = ""  # what of a 401 or 407 no user name and password can answer


@dataclass(frozen=True, slots=True)
class Signalled:
    """A SIP message of the call, for the trace: its first line."""

    sent: bool
    line: str
    sdp: str = ""


CallEvent = Ringing | PendingInvite | EarlyMedia | Connected | Ordered | CallEnded | Signalled


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    """How the registration of a trunk went; ``code`` 0 means that it was not tried."""

    active: bool
    code: int
    reason: str
    server: str = ""  # address that answered; empty when none did, and ``code`` is our own
    retry_after_s: float | None = None
    unanswerable: str = ""  # what of a 401 or 407 no user name and password can answer
