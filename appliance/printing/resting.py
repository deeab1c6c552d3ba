"""``Resting``: items that failed are left alone for a while, so that they do not hold up the others."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Hashable, Iterator

from appliance.durable import DiskFullError
from appliance.spool.errors import SpoolClosedError, SpoolFailedError

_log = logging.getLogger(__name__)

# How long an item rests after a failure, and at most, seconds; after a bug, twice as long each time.
FIRST_REST_S, LONGEST_REST_S = 30.0, 1_800.0


class Resting:
    """The items that rest, by name.  For one thread; ``clock`` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rests: dict[Hashable, tuple[float, float]] = {}  # until when, and how long in all, seconds

    def rests(self, name: Hashable) -> bool:
        """Whether ``name`` rests now."""
        return name in self._rests and self._clock() < self._rests[name][0]

    def any_rested(self) -> bool:
        """Whether the rest of an item is over, so that it is to be tried again."""
        return any(until <= self._clock() for until, _ in self._rests.values())

    def failed(self, name: Hashable, *, longer: bool) -> float:
        """Lets ``name`` rest, twice as long as last time if ``longer``; returns how long, seconds."""
        before = self._rests[name][1] if longer and name in self._rests else 0.0
        rest = min(max(2 * before, FIRST_REST_S), LONGEST_REST_S)
        self._rests[name] = (self._clock() + rest, rest)
        return rest

    @contextlib.contextmanager
    def by_itself(self, name: Hashable, what: str) -> Iterator[None]:
        """Runs a block about ``name``; a failure is logged and lets it rest.

        ``what`` names the item in the log, such as "a printed document".

        Raises only SpoolClosedError.
        """
        try:
            yield
        except SpoolClosedError:
            raise
        except (DiskFullError, SpoolFailedError, OSError) as error:
            rest = self.failed(name, longer=False)
            _log.error("%s waits for %.0f s (%s): %s", what, rest, name, error)
        except Exception:  # a bug must not hold up the others
            rest = self.failed(name, longer=True)
            _log.exception("%s waits for %.0f s (%s)", what, rest, name)

    def keep(self, names: Collection[Hashable]) -> None:
        """Forgets all items but these."""
        self._rests = {name: rest for name, rest in self._rests.items() if name in names}
