"""Limits: requests per caller, attempts to sign in, memory and streams in use.

Nothing here reads a clock: ``now`` is monotonic, in seconds.  Everything is thread-safe and bounded: a
stranger cannot make these tables grow, the least recently seen entries are dropped.
"""

from __future__ import annotations

import contextlib
import ipaddress
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.api.causes import SIGN_IN_PAUSED, TOO_MANY_REQUESTS
from appliance.api.problems import ProblemError
from appliance.causes import Cause
from appliance.net.addresses import read_address
from appliance.net.settings import ApiSettings
from appliance.services.causes import TOO_BUSY

HOUR_S = 3600.0
BURST_S = 1.0
# Callers that are remembered: keys and users, far more than a box has.
CALLERS = 1000
# A request beyond its caller's limit of simultaneous ones may try again after so long, seconds.
PLACE_RETRY_S = 1.0

# Failed sign-ins for one address: so many within a period, seconds, then none until its end.
SIGN_IN_TRIES = 10
SIGN_IN_WINDOW_S = 300.0  # the advice of SIGN_IN_PAUSED says so in words
# The same for malformed content of open calls.
BROKEN_TRIES = 60
BROKEN_WINDOW_S = 60.0
ADDRESSES = 4096
# Bits of an IPv6 address that the subscriber does not choose (RFC 6177).
SUBSCRIBER_BITS = 64


@dataclass(slots=True)
class _Record:
    """A caller's requests; the hour is counted in slices, so that a busy caller needs no more memory."""

    slices: deque[tuple[float, int]] = field(default_factory=deque)
    recent: deque[float] = field(default_factory=deque)
    in_hand: int = 0


# A slice of the sliding hour: a request counts for an hour, rounded up to one slice.
_SLICE_S = 60.0


class RequestLimiter:
    """Limits each caller's requests: per hour, at once, and in a burst."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: OrderedDict[str, _Record] = OrderedDict()

    @contextlib.contextmanager
    def request(self, who: str, settings: ApiSettings, now: float) -> Iterator[None]:
        """Counts one request of ``who``; the block is its duration.

        Raises ProblemError (TOO_MANY_REQUESTS) with the waiting time; a refused request does not count.
        """
        with self._lock:
            record = self._record(who)
            self._admit(record, settings, now)
            record.in_hand += 1
        try:
            yield
        finally:
            with self._lock:
                record.in_hand -= 1

    def _record(self, who: str) -> _Record:
        record = self._records.get(who)
        if record is None:
            record = self._records[who] = _Record()
            for name, old in list(self._records.items())[: max(0, len(self._records) - CALLERS)]:
                if not old.in_hand:
                    del self._records[name]
        self._records.move_to_end(who)
        return record

    @staticmethod
    def _admit(record: _Record, settings: ApiSettings, now: float) -> None:
        while record.recent and record.recent[0] <= now - BURST_S:
            record.recent.popleft()
        while record.slices and record.slices[0][0] <= now - HOUR_S - _SLICE_S:
            record.slices.popleft()
        if record.in_hand >= settings.requests_at_once:
            raise _too_many(f"{settings.requests_at_once} requests at once", PLACE_RETRY_S)
        if settings.burst and len(record.recent) >= settings.burst:
            raise _too_many(f"{settings.burst} requests within a second", record.recent[0] + BURST_S - now)
        if settings.requests_per_hour:
            spent = sum(count for _, count in record.slices)
            if spent >= settings.requests_per_hour:
                wait = record.slices[0][0] + HOUR_S + _SLICE_S - now
                raise _too_many(f"{settings.requests_per_hour} requests an hour", wait)
        if settings.burst:
            record.recent.append(now)
        if record.slices and now - record.slices[-1][0] < _SLICE_S:
            start, count = record.slices[-1]
            record.slices[-1] = (start, count + 1)
        else:
            record.slices.append((now, 1))


def _too_many(limit: str, wait: float, cause: Cause = TOO_MANY_REQUESTS) -> ProblemError:
    return ProblemError(cause, f"at most {limit}", retry_after=max(0.0, wait))


class SignInGuard:
    """Slows down addresses that guess passwords, codes or tokens, or send malformed content.

    IPv6 addresses of one network of 64 bits count as one, since one subscriber has them all.
    """

    def __init__(
        self,
        tries: int = SIGN_IN_TRIES,
        window_s: float = SIGN_IN_WINDOW_S,
        what: str = "failed sign-ins",
        cause: Cause = SIGN_IN_PAUSED,
    ) -> None:
        self._tries, self._window_s, self._what, self._cause = tries, window_s, what, cause
        self._changed = threading.Condition()
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._in_hand: Counter[str] = Counter()  # guesses being checked

    @contextlib.contextmanager
    def guess(self, address: str, now: float) -> Iterator[None]:
        """Holds one guess within the block; ProblemError raised within means that it failed.

        Simultaneous guesses get no more tries than consecutive ones: those beyond the rest wait for the
        result of the others.  Raises ProblemError as ``check``.
        """
        source = _source(address)
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._count(source, now) + self._in_hand[source] < self._tries
                    or not self._in_hand[source]
                )
            )
            self._require_left(source, now)
            self._in_hand[source] += 1
        try:
            yield
        except ProblemError:
            self.failed(address, now)
            raise
        finally:
            with self._changed:
                self._in_hand[source] -= 1
                if not self._in_hand[source]:
                    del self._in_hand[source]
                self._changed.notify_all()

    def check(self, address: str, now: float) -> None:
        """Raises ProblemError (the guard's cause) for an address that failed too often."""
        with self._changed:
            self._require_left(_source(address), now)

    def failed(self, address: str, now: float) -> None:
        """Notes a failed sign-in."""
        with self._changed:
            failures = self._failures.setdefault(_source(address), deque(maxlen=self._tries))
            failures.append(now)
            self._failures.move_to_end(_source(address))
            while len(self._failures) > ADDRESSES:
                self._failures.popitem(last=False)

    def _require_left(self, source: str, now: float) -> None:
        if self._count(source, now) >= self._tries:
            wait = self._failures[source][0] + self._window_s - now
            raise _too_many(f"{self._tries} {self._what} within {self._window_s:.0f} s", wait, self._cause)

    def _count(self, source: str, now: float) -> int:
        failures = self._failures.get(source)
        if failures is None:
            return 0
        while failures and failures[0] <= now - self._window_s:
            failures.popleft()
        if not failures:
            del self._failures[source]
        return len(failures)


def _source(address: str) -> str:
    """The address or network under which failures of ``address`` are counted."""
    ip = read_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((ip, SUBSCRIBER_BITS), strict=False))
    return address if ip is None else str(ip)


class Budget:
    """An amount (octets, streams) that may be in use at once, shared by all threads.

    One caller may have at most three quarters of it; the rest is for others.
    """

    def __init__(self, total: int, what: str) -> None:
        self._free = total
        self._total = total
        self._what = what
        self._each = max(1, total * 3 // 4)
        self._of_caller: Counter[str] = Counter()
        self._changed = threading.Condition()

    @property
    def used(self) -> int:
        """The amount in use."""
        return self._total - self._free

    def take(self, amount: int, wait_s: float) -> None:
        """Takes ``amount`` (at most all), waiting up to ``wait_s`` seconds.

        Raises ProblemError (TOO_BUSY).  Return the same amount with ``give``.
        """
        amount = min(amount, self._total)
        with self._changed:
            if not self._changed.wait_for(lambda: self._free >= amount, wait_s):
                raise ProblemError(TOO_BUSY, self._what, retry_after=5)
            self._free -= amount

    def give(self, amount: int) -> None:
        """Returns an amount that was taken."""
        with self._changed:
            self._free += min(amount, self._total)
            self._changed.notify_all()

    @contextlib.contextmanager
    def of(self, amount: int, wait_s: float, who: str = "") -> Iterator[None]:
        """Takes ``amount`` for the duration of the block; with ``who``, within one caller's share."""
        if who:
            amount = min(amount, self._each)
            with self._changed:
                part = self._each - amount
                if not self._changed.wait_for(lambda: self._of_caller[who] <= part, wait_s):
                    raise ProblemError(TOO_BUSY, self._what, retry_after=5)
                self._of_caller[who] += amount
        try:
            self.take(amount, wait_s)
            try:
                yield
            finally:
                self.give(amount)
        finally:
            if who:
                with self._changed:
                    self._of_caller[who] -= amount
                    if not self._of_caller[who]:
                        del self._of_caller[who]
                    self._changed.notify_all()


class CallerPlaces:
    """A number of places for each caller, so that one caller cannot take those of all others."""

    def __init__(self, each: int, what: str) -> None:
        self._each = each
        self._what = what
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def take(self, who: str) -> None:
        """Takes a place.  Raises ProblemError (TOO_MANY_REQUESTS).  Return it with ``give``."""
        with self._lock:
            if self._taken[who] >= self._each:
                raise _too_many(f"{self._each} {self._what}", PLACE_RETRY_S)
            self._taken[who] += 1

    def give(self, who: str) -> None:
        """Returns a place that was taken."""
        with self._lock:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]
