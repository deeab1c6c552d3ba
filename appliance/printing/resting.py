"""``Resting``: what could not be dealt with rests by itself, and the others go on."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Hashable, Iterator

from appliance.durable import DiskFullError
from appliance.spool.errors import SpoolClosedError, SpoolFailedError

_log = logging.getLogger(__name__)

# After a failure something rests so long; a bug of ours twice as long after each further one, seconds.
FIRST_REST_S, LONGEST_REST_S = 30.0, 1_800.0


class Resting:
    """What rests, by its name: for one thread.  ``clock`` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rests: dict[Hashable, tuple[float, float]] = {}  # until when, and how long that is

    def rests(self, name: Hashable) -> bool:
        return name in self._rests and self._clock() < self._rests[name][0]

    def any_rested(self) -> bool:
        """Whether something is to be tried again now."""
        return any(until <= self._clock() for until, _ in self._rests.values())

    def failed(self, name: Hashable, *, longer: bool) -> float:
        """Lets it rest, twice as long as last time if ``longer``; how long, seconds."""
        before = self._rests[name][1] if longer and name in self._rests else 0.0
        rest = min(max(2 * before, FIRST_REST_S), LONGEST_REST_S)
        self._rests[name] = (self._clock() + rest, rest)
        return rest

    @contextlib.contextmanager
    def by_itself(self, name: Hashable, what: str) -> Iterator[None]:
        """What goes wrong meanwhile lets ``name`` rest, and is logged; ``what``: "a printed document".

        Raises SpoolClosedError alone.
        """
        try:
            yield
        except SpoolClosedError:
            raise
        except (DiskFullError, SpoolFailedError, OSError) as error:
            rest = self.failed(name, longer=False)
            _log.error("%s waits for %.0f s (%s): %s", what, rest, name, error)
        except Exception:  # a bug here must not keep the others
            rest = self.failed(name, longer=True)
            _log.exception("%s waits for %.0f s (%s)", what, rest, name)

    def keep(self, names: Collection[Hashable]) -> None:
        """Forgets all but these."""
        self._rests = {name: rest for name, rest in self._rests.items() if name in names}
