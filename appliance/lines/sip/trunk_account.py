"""The pjsua2 account of a trunk.  For the SIP thread only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pjsua2 as pj

from appliance.lines.sip import messages
from appliance.lines.sip.callbacks import contained
from appliance.lines.sip.codes import FORBIDDEN
from appliance.lines.sip.events import RegistrationChanged
from appliance.lines.sip.session import body_of
from appliance.lines.sip.signalling import CallRef, StackOfCalls, TrunkCall

_log = logging.getLogger(__name__)

# A registration that ends sooner counts as none, seconds.  pjproject renews one 5 s before its end, and a
# shorter one the more often the shorter it is: twice a second where it is kept for one.
SHORTEST_KEPT_S = 5


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


class StackOfAccounts(StackOfCalls, Protocol):
    """The methods of the stack that accounts and calls use."""

    calls: set[TrunkCall]  # SIP thread only

    def call_offered(self, offered: OfferedCall) -> None:
        """A call came in.  On the SIP thread."""

    def post(self, order: Callable[[], None]) -> None:
        """Has ``order`` called on the SIP thread, after its callbacks."""

    def answered(self, trunk: str) -> None:
        """A trunk's server answered OPTIONS.  On the SIP thread."""

    def registration_changed(self, trunk: str, change: RegistrationChanged) -> None:
        """A registrar answered, or did not.  On the SIP thread."""


class TrunkAccount(pj.Account):  # type: ignore[misc]
    """An account of the stack: one per trunk."""

    def __init__(self, stack: StackOfAccounts, trunk: str) -> None:
        super().__init__()
        self._stack = stack
        self.trunk = trunk
        self._signing_off = False  # the answer to it tells nothing of the trunk

    def failed(self) -> None:
        """Nothing to end; the log has it."""

    @contained
    def onRegState(self, prm: Any) -> None:  # noqa: N802 - pjsua2's name
        """pjsua2's callback: a registration succeeded or failed."""
        if self._signing_off:
            self._signing_off = False
            return
        code, kept_s = int(prm.code), int(prm.expiration)
        reason = str(prm.reason) or (pj.Endpoint.instance().utilStrError(prm.status) if prm.status else "")
        message = str(prm.rdata.wholeMsg)
        kept = kept_s >= SHORTEST_KEPT_S and not messages.keeps_no_contact(message)
        if code // 100 == 2 and not kept and kept_s > 0:
            self._stack.post(self._sign_off)
        active = code // 100 == 2 and kept
        change = RegistrationChanged(
            active,
            code,
            reason,
            str(prm.rdata.srcAddress),
            retry_after_s=messages.retry_after_s(message),
            unanswerable=messages.unanswerable(code, message),
        )
        self._stack.registration_changed(self.trunk, change)

    def sign_in(self) -> None:
        """Registers now, where the account registers at all and is not about to."""
        if self.getInfo().regIsConfigured:
            try:
                self.setRegistration(True)
            except pj.Error as error:
                _log.info("%s: signing in: %s", self.trunk, error.info(False))

    def _sign_off(self) -> None:
        """Ends a registration that is kept too shortly, and with it its renewals."""
        try:
            self.setRegistration(False)
        except pj.Error as error:
            _log.info("%s: signing off: %s", self.trunk, error.info(False))
        else:
            self._signing_off = True

    def ask_options(self, uri: str) -> None:
        """Sends OPTIONS to the trunk's server.  Raises pj.Error."""
        prm = pj.SendRequestParam()
        prm.method = "OPTIONS"
        prm.txOption.targetUri = uri
        self.sendRequest(prm)

    @contained
    def onSendRequest(self, prm: Any) -> None:  # noqa: N802
        """pjsua2's callback: an answer to OPTIONS arrived."""
        event = prm.e
        if event.type == pj.PJSIP_EVENT_TSX_STATE and event.body.tsxState.type == pj.PJSIP_EVENT_RX_MSG:
            self._stack.answered(self.trunk)

    @contained
    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        """pjsua2's callback: an INVITE arrived."""
        call = TrunkCall(self, self._stack, prm.callId)
        # A body that the stack did not accept as SDP counts as none.
        call.offer = body_of(prm.rdata.wholeMsg) if call.getInfo().remOfferer else ""
        self._stack.calls.add(call)
        source, message = str(prm.rdata.srcAddress), str(prm.rdata.wholeMsg)
        self._stack.call_offered(OfferedCall(call.ref, self.trunk, source, message))

    @contained
    def onIncomingSubscribe(self, prm: Any) -> None:  # noqa: N802
        """pjsua2's callback: refuses every subscription."""
        # Nobody watches the box by SIP; each subscription would take memory until it expires.
        prm.code = FORBIDDEN
