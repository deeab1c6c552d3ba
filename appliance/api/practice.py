"""Faxes from the practice line on request, each in a thread, a few at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from appliance.box import Box
from appliance.dispatch.making import sources
from appliance.dispatch.practice import CALLER, PracticeCaller
from appliance.documents.errors import DocumentError
from appliance.lines.practice.settings import PracticeSettings
from appliance.spool.model import SourceFile

_log = logging.getLogger(__name__)

CALLS_AT_ONCE = 4


class PracticeCalls:
    """Starts calls from the practice machine to the box."""

    def __init__(self, box: Box, caller: PracticeCaller) -> None:
        self._box = box
        self._caller = caller
        self._free = threading.BoundedSemaphore(CALLS_AT_ONCE)

    def start(self, files: Sequence[SourceFile], *, caller: str = "", dialled: str = "") -> bool:
        """Starts a call that sends ``files``, which are deleted afterwards.  False: too many calls now."""
        if not self._box.settings.section(PracticeSettings).enabled or not self._free.acquire(blocking=False):
            return False
        order = (list(files), caller or CALLER, dialled)
        try:
            threading.Thread(target=self._run, args=order, name="practice", daemon=True).start()
        except RuntimeError as error:
            _log.warning("a practice call did not take place: %s", error)
            self._free.release()
            return False
        return True

    def _run(self, files: Sequence[SourceFile], caller: str, dialled: str) -> None:
        try:
            result = self._caller(sources(self._box.data, files), caller=caller, dialled=dialled)
            _log.info("a practice call from %s ended: %s", caller, result.cause.code)
        except (DocumentError, LookupError, OSError) as error:  # OSError: the disk is full
            _log.warning("a practice call did not take place: %s", error)
        except Exception:
            _log.exception("a practice call failed")
        finally:
            self._box.documents.discard_files(files)
            self._free.release()
