"""``Pictures``: a cache of small pictures of pages, for lists that are looked at again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

# Octets of all of them together: a hundred or so.
KEPT_OCTETS = 2 << 20


class Pictures:
    """The pictures asked for last, by key; a page never changes.  Thread-safe."""

    def __init__(self, most: int = KEPT_OCTETS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._octets = 0

    def get(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The picture under ``key``, made by ``make`` if it is not cached.  Raises what ``make`` raises."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            if key not in self._kept and len(made) <= self._most:
                self._kept[key] = made
                self._octets += len(made)
                while self._octets > self._most:
                    _, oldest = self._kept.popitem(last=False)
                    self._octets -= len(oldest)
        return made
