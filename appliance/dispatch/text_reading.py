"""``TextReader``: recognises the text of received faxes with tesseract, for searches.

It needs the owner's setting and Debian's package tesseract-ocr.  It works in the background, one page after
the other, each in a process with limits; a page that cannot be read counts as one without words.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
from pathlib import Path

from appliance import at_rest
from appliance.box import Box
from appliance.dispatch import page_programs
from appliance.dispatch.arrivals import Arrivals
from appliance.documents.settings import ReadingSettings
from appliance.spool import received
from appliance.spool.errors import SpoolClosedError
from appliance.spool.model import Received

_log = logging.getLogger(__name__)

PROGRAM = "tesseract"
# Limits for one page: CPU time and elapsed time in seconds.
_CPU_S = 60
_CLOCK_S = 120.0
# Most characters kept of a page, and of a fax; a page of small type has 6000.
_PAGE_LIMIT = 20_000
_FAX_LIMIT = 500_000


class TextReader(Arrivals):
    """The service that recognises the text of received faxes."""

    def __init__(self, box: Box) -> None:
        super().__init__(box, "read-text", "the text of received faxes waits", self._read_all)

    def _read_all(self) -> None:
        while not self.stopping.is_set() and self.read_next():
            pass

    def read_next(self) -> bool:
        """Reads the newest unread fax; False when there is none or reading is off or impossible."""
        settings = self._box.settings.section(ReadingSettings)
        program = shutil.which(PROGRAM)
        if not settings.enabled or program is None or at_rest.locked(self._box.data):
            return False
        fax = self._box.spool.read(received.next_without_text)
        if fax is None:
            return False
        text = self._text_of(fax, [program, "-l", settings.languages])
        self._box.spool.do(received.set_text, fax.id, text)
        return True

    def _text_of(self, fax: Received, command: list[str]) -> str:
        pages = []
        for page in self._box.spool.read(received.pages, fax.id):
            if self.stopping.is_set():
                raise SpoolClosedError("stopping")
            pages.append(read_page(self._box.data / page.path, command))
        return received.PAGE_BREAK.join(pages)[:_FAX_LIMIT]


def read_page(path: Path, command: list[str]) -> str:
    """The words on a page, separated by blanks; empty when they cannot be read.

    ``command`` is the program and its options.
    """
    program, *options = command
    try:
        code, said = page_programs.output_of(
            ["nice", "-n", "19", program, str(path), "stdout", *options],
            cpu_s=_CPU_S,
            clock_s=_CLOCK_S,
            environment={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "OMP_THREAD_LIMIT": "1"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.warning("page %s could not be read: %s", path.name, type(error).__name__)
        return ""
    if code != 0:
        _log.warning("page %s could not be read: exit code %d", path.name, code)
    return " ".join(said.decode("utf-8", "replace").split())[:_PAGE_LIMIT]
