"""The state of a trunk: whether it takes calls, how that is known and since when.  No I/O.

A trunk is ready once it has answered something (a registration, a call, OPTIONS), until it stops answering.
A trunk that answers everything but calls is distinguished from one that is down: only an answered call, or
time, ends its pause.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from appliance.causes import Cause
from appliance.language import Filled, filled
from appliance.lines.sip.causes import SIP_AUTHENTICATION, SIP_CERTIFICATE
from appliance.lines.sip.events import RegistrationChanged
from appliance.lines.sip.messages import MAX_WORDS
from appliance.lines.sip.outcomes import CERTIFICATE_ERROR

# A 503 with Retry-After takes the trunk out of use for as long as it says, within reason; a registrar that
# sends it with any refusal is asked again then.
MAX_PAUSE_S = 600.0
# How long a trunk that did not answer a call is not used: doubled each time, up to a limit; any answer ends
# the pause.  Without it every fax would wait the 32 s of RFC 3261's timer B.
# A refused registration is tried again after the same times: the fault may be the registrar's and pass, and
# one that counts wrong passwords is not to lock our address.
FIRST_REST_S, MAX_REST_S = 30.0, 600.0
# Interval of asking it during the pause; it is also asked as soon as a call has had no answer for some time.
ASK_RESTING_S = 10.0
ASK_IN_CALL_S = 4.0
# After so many rests each is the longest: 2 ** 1024 would be more than a number holds.
_MOST_RESTS = 10


def _time_of_day() -> str:
    return time.strftime("%H:%M")


class Standing:
    """See the module.  ``server`` is the trunk's name in sentences; times are those of one monotonic
    clock."""

    def __init__(self, server: str, *, registers: bool, clock: Callable[[], str] = _time_of_day) -> None:
        self._server = server
        self._registers = registers
        self._clock = clock
        self._registration: RegistrationChanged | None = None
        self._registered_at = ""
        self._refusals = 0  # of registrations in a row
        self._sign_in_at = float("inf")  # when to register again after a refusal
        self._answered_at = ""  # time of day of the last proof
        self._proven_at = float("-inf")
        self._silent_since = ""  # time of day from which on it answers nothing, or no calls
        self._ignores_calls = False  # it answers, but no calls
        self._paused_until = 0.0
        self._rest_until = 0.0
        self._rests = 0
        self._asked_at = float("-inf")
        self.last_error = ""

    @property
    def registered(self) -> bool:
        """Whether the registrar accepted us last, and nothing has shown since that it is gone."""
        if self._registration is None or not self._registration.active:
            return False
        return self._ignores_calls or not self._silent_since

    def answered(self, now: float) -> None:
        """The trunk answered a request other than a call, with any status."""
        self._answered_at, self._proven_at = self._clock(), now
        if not self._ignores_calls:
            self._silent_since, self._rest_until, self._rests = "", 0.0, 0

    def call_answered(self, now: float) -> None:
        """The trunk answered a call of ours, with any status."""
        self._ignores_calls = False
        self.answered(now)

    def registration_changed(self, change: RegistrationChanged, now: float) -> None:
        """The registrar answered, or did not."""
        was = self.registered
        self._registration = change
        if change.active:
            self.answered(now)
            self.last_error = ""
            self._refusals, self._sign_in_at = 0, float("inf")
            if not was:
                self._registered_at = self._clock()
        else:
            if change.server:
                self.answered(now)
            self.last_error = registration_words(change)
            wait_s = _rest_s(self._refusals)
            if change.retry_after_s is not None:
                wait_s = min(max(change.retry_after_s, ASK_RESTING_S), MAX_PAUSE_S)
            self._sign_in_at = now + wait_s
            self._refusals += 1

    def fell_silent(self, now: float, called_at: float) -> None:
        """A call that began at ``called_at`` got no answer from the trunk."""
        self._ignores_calls = self._proven_at >= called_at  # it answered something else meanwhile
        self._silent_since = self._silent_since or self._clock()
        self._rest_until = now + _rest_s(self._rests)
        self._rests += 1

    def pause(self, retry_after_s: float, now: float) -> None:
        """The trunk asked for no calls for a while (503 with Retry-After)."""
        self._paused_until = now + min(retry_after_s, MAX_PAUSE_S)

    def wants_to_ask(self, now: float, every_s: float, *, unanswered: bool = False) -> bool:
        """Whether the trunk should be asked (OPTIONS, or a registration) now; counts as asked then.

        ``every_s``: how often one that answers is asked; 0: never.  ``unanswered``: a call gets no answer.
        """
        if unanswered or (self._silent_since and not self._ignores_calls):
            due = now >= self._asked_at + ASK_RESTING_S
        elif self._registers:
            due = now >= self._sign_in_at
        else:
            due = every_s > 0 and now >= max(self._proven_at, self._asked_at) + every_s
        if due:
            self._asked_at = now
            self._sign_in_at = now + MAX_REST_S  # sooner or never by what the registrar answers
        return due

    def condition(self, now: float) -> tuple[bool, str]:
        """Whether calls may be placed, and the sentence for the owner."""
        server = self._server
        pause_s = self._paused_until - now
        if pause_s > 0:
            return False, filled(
                "{server} asked for no calls for another {seconds} seconds.",
                server=server,
                seconds=f"{pause_s:.0f}",
            )
        if self._ignores_calls:
            if now < self._rest_until:
                return False, filled(
                    "{server} answers, but no call since {since}; the next is tried in {seconds} seconds.",
                    server=server,
                    since=self._silent_since,
                    seconds=f"{self._rest_until - now:.0f}",
                )
            return True, filled(
                "{server} answers, but no call since {since}; the next fax tries it.",
                server=server,
                since=self._silent_since,
            )
        if self._registers:
            return self._registered_condition()
        if self._silent_since:
            if now < self._rest_until:
                return False, filled(
                    "{server} has not answered since {since}; it is asked again every {seconds} seconds.",
                    server=server,
                    since=self._silent_since,
                    seconds=f"{ASK_RESTING_S:.0f}",
                )
            return True, filled(
                "{server} has not answered since {since}; the next fax tries it.",
                server=server,
                since=self._silent_since,
            )
        if not self._answered_at:
            return True, filled(
                "Not proven yet: {server} has not answered anything so far (without registration).",
                server=server,
            )
        return True, filled(
            "Ready for calls over {server} (without registration): it answered at {time}.",
            server=server,
            time=self._answered_at,
        )

    def _registered_condition(self) -> tuple[bool, str]:
        server = self._server
        if self._registration is None:
            return False, filled("Registering with {server}.", server=server)
        if not self._registration.active:
            return False, filled("Not registered with {server}.", server=server)
        if not self._silent_since:
            return True, filled(
                "Registered with {server} since {time}.", server=server, time=self._registered_at
            )
        return False, filled(
            "Registered with {server} at {time}, but it has not answered since {since}; signing in again.",
            server=server,
            time=self._registered_at,
            since=self._silent_since,
        )


def sentence(text: str) -> str:
    """The message of a library as a sentence."""
    text = text.strip()
    if not text:
        return ""
    ended = text if text.endswith((".", "!", "?")) else f"{text}."
    return ended[0].upper() + ended[1:]


def with_status(cause: Cause, code: int, reason: str) -> str:
    """The sentence of a call's end with the trunk's own words: ``The number is busy (486 Busy Here).``"""
    return _with_words(filled(cause.sentence), code, reason)


def registration_words(change: RegistrationChanged) -> str:
    """Why a registration failed, as a sentence."""
    answered = bool(change.server)
    match change.code:
        case _ if change.unanswerable:
            what = filled(
                "{sentence}: {why}.", sentence=filled(SIP_AUTHENTICATION.sentence), why=change.unanswerable
            )
        case 401 | 403 | 407:
            what = filled("The trunk does not accept the user name or password.")
        case 404:
            what = filled("The trunk does not know this user.")
        case code if code // 100 == 2:
            what = filled("The trunk takes the registration but does not keep it.")
        case code if code // 100 == 5 and answered:
            what = filled("The trunk reported a fault of its own.")
        case 408 if not answered:
            return filled("The trunk does not answer: check its server name, port and transport.")
        case 408 | 0:
            what = filled("The trunk does not answer.")
        case _ if not answered and CERTIFICATE_ERROR in change.reason:
            what = filled(SIP_CERTIFICATE.sentence)
        case 502 | 503:
            what = filled("The trunk cannot be reached.")
        case _:
            what = filled("The trunk refused the registration.")
    return _with_words(what, change.code, change.reason)


def _with_words(what: Filled, code: int, reason: str) -> Filled:
    words = "".join(character for character in reason if character.isprintable()).strip()[:MAX_WORDS]
    words = f"{code} {words}".strip() if code else words
    return filled("{sentence} ({words}).", sentence=what, words=words)


def _rest_s(rests: int) -> float:
    """How long the next rest is after so many."""
    return min(FIRST_REST_S * 2.0 ** min(rests, _MOST_RESTS), MAX_REST_S)
