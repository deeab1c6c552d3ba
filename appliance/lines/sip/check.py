"""The check of a trunk: one real call with one short page, and what it showed (``check_report``).

Used by ``faxbox check trunk NAME [--to NUMBER]``; the caller brings a started line.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from appliance.lines.line import OutgoingCall
from appliance.lines.sip.check_report import CallWatcher, TrunkReport, report
from appliance.lines.sip.line import SipLine
from appliance.t4.coding import encode
from appliance.t4.page import CodedPage, Coding, Raster, Resolution
from appliance.t30.memory import MemoryOwner, ignore
from appliance.t30.parameters import CallParameters, Progress, Role

# How long the check waits for a trunk to register, seconds.
REGISTER_LIMIT_S = 10.0
# The page that is sent: a few ruled lines, enough for a training and a block at any rate.
_ROWS, _WIDTH = 120, 1728


async def check_trunk(
    line: SipLine,
    number: str,
    *,
    progress: Callable[[Progress], None] = ignore,
    station_id: str = "",
) -> TrunkReport:
    """Places a call to ``number`` over the line, sends one short page, and reports what happened.

    The owner of the number must expect the fax.  Faults of the trunk are reported, not raised.
    """
    deadline = time.monotonic() + REGISTER_LIMIT_S
    while not line.state().usable and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    watcher = CallWatcher(progress)
    state = line.state()
    call = OutgoingCall(number, CallParameters(Role.CALLS, station_id))
    result = await line.place(call, MemoryOwner([_page()], progress=watcher))
    return report(watcher, result, line.trunk.media, state.sentence, line.state().last_error)


def _page() -> CodedPage:
    rows = b"".join(_row(row) for row in range(_ROWS))
    return encode(Raster(_WIDTH, _ROWS, rows, Resolution.STANDARD), Coding.MH)


def _row(row: int) -> bytes:
    """Two black rows in twenty, a margin left free."""
    octets = _WIDTH // 8
    return bytes(8) + b"\xff" * (octets - 16) + bytes(8) if row % 20 < 2 else bytes(octets)
