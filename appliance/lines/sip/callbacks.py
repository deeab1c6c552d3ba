"""Callbacks of pjsua2: an exception in one is logged, and ends that call alone."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar

_log = logging.getLogger(__name__)

_Method = TypeVar("_Method", bound=Callable[..., Any])


def contained(method: _Method) -> _Method:
    """A callback's exception would be printed and lost: log it, end this call, let SIP go on."""

    @functools.wraps(method)
    def guarded(self: Any, *arguments: Any) -> Any:
        try:
            return method(self, *arguments)
        except Exception:
            _log.exception("SIP callback %s failed", method.__name__)
            self.failed()
            return None

    return guarded  # type: ignore[return-value]
