"""``RouteReader``: reads the first page of received faxes whose routes depend on its content.

Such a fax waits some seconds until its words and barcodes were read, and is then delivered by the routes that
match.  A page that cannot be read counts as one without words and codes.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

from appliance import at_rest
from appliance.box import Box
from appliance.deliver.routing import NO_CONTENTS, Contents, contents_misfit
from appliance.deliver.settings import DeliveryRoute
from appliance.dispatch import code_reading, page_programs
from appliance.dispatch.arrivals import Arrivals
from appliance.dispatch.text_reading import PROGRAM, read_page
from appliance.documents.settings import ReadingSettings
from appliance.spool import contents, received
from appliance.spool.model import Received

_log = logging.getLogger(__name__)

# Limits for reading the codes of one page: CPU time and elapsed time in seconds, octets of
# output.
_CPU_S = 20
_CLOCK_S = 60.0
_ANSWER_LIMIT = 200_000


class RouteReader(Arrivals):
    """The service that decides on routes by content."""

    def __init__(self, box: Box) -> None:
        super().__init__(box, "read-routes", "the routes of received faxes wait", self.look_into)

    def look_into(self) -> None:
        """Reads every waiting fax and records the routes that match."""
        if at_rest.locked(self._box.data):
            return
        for fax in self._box.spool.read(contents.waiting):
            if self.stopping.is_set():
                return
            routes = self._box.settings.items(DeliveryRoute)
            try:
                found = self._contents_of(fax, list(routes.values()))
            except Exception:  # a bug here must not keep a fax from its recipients
                _log.exception("the first page of fax %s could not be looked into", fax.id)
                found = NO_CONTENTS
            fit = [each for each, route in routes.items() if contents_misfit(found, route) is None]
            self._box.spool.do(contents.end_wait, fax.id, fit, self._box.clock())

    def _contents_of(self, fax: Received, routes: list[DeliveryRoute]) -> Contents:
        """The words and codes on its first page, as far as ``routes`` have conditions on them."""
        pages = self._box.spool.read(received.pages, fax.id)
        if not pages:
            return NO_CONTENTS
        path = self._box.data / pages[0].path
        program = shutil.which(PROGRAM)
        words = ""
        if program is not None and any(route.words for route in routes):
            words = read_page(path, [program, "-l", self._box.settings.section(ReadingSettings).languages])
        codes: list[str] = []
        if code_reading.is_there() and any(route.barcode for route in routes):
            codes = _read_codes(path)
        return Contents(words, tuple(codes))


def _read_codes(path: Path) -> list[str]:
    """The texts of the codes on a page; none when they cannot be read."""
    try:
        code, said = page_programs.output_of(
            [sys.executable, "-m", code_reading.__name__, str(path)],
            cpu_s=_CPU_S,
            clock_s=_CLOCK_S,
        )
        found = json.loads(said[:_ANSWER_LIMIT]) if code == 0 else []
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        _log.warning("the codes of page %s could not be read: %s", path.name, type(error).__name__)
        return []
    return [str(code)[: code_reading.LONGEST_CODE] for code in found][: code_reading.MOST_CODES]
