"""References to calls of the SIP thread, and what its objects need of the stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from appliance.lines.sip.events import Ended, RegistrationChanged

if TYPE_CHECKING:
    from appliance.lines.sip.signalling import TrunkCall


@dataclass(eq=False, slots=True)
class CallRef:
    """A reference to a call of the SIP thread, for other threads.

    Only the SIP thread uses its content, and clears it when the call is over.  So call objects are always
    destroyed there: on another thread their destruction would take the stack's locks and block SIP for good.
    """

    call: TrunkCall | None
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class OfferedCall:
    """An incoming INVITE and its call."""

    call: CallRef
    account: str
    source: str  # address and port
    message: str

    @property
    def address(self) -> str:
        """The IP address that the INVITE came from."""
        return self.source.rpartition(":")[0].strip("[]")


class Owner(Protocol):
    """What accounts and calls need of the stack that owns them."""

    calls: set[TrunkCall]  # SIP thread only

    def order(self, ref: CallRef, what: Callable[[TrunkCall], None]) -> None:
        """Has ``what`` done with a call on the SIP thread, unless it is gone.  From any thread."""

    def forget(self, call: TrunkCall) -> None:
        """A call is over: its object may go.  On the SIP thread."""

    def call_offered(self, offered: OfferedCall) -> None:
        """A call came in.  On the SIP thread."""

    def answered(self, trunk: str) -> None:
        """A trunk's server answered OPTIONS.  On the SIP thread."""

    def registration_changed(self, trunk: str, change: RegistrationChanged) -> None:
        """A registrar answered, or did not.  On the SIP thread."""
