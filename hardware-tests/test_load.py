"""Load: faxes are sent continuously, for an hour by default (--minutes)."""

from __future__ import annotations

import base64
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from appliance.hardware.rig import BoxInterface, BrokenError, Rig

# Faxes sent at the same time.
AT_ONCE = 4
LOOK_EVERY_S = 1.0
# Seconds for the faxes that are under way at the end.
REST_S = 900.0
_ENDED = frozenset({"delivered", "failed", "cancelled", "unknown"})
_PAGE = base64.b64encode(("faxbox hardware test: load\n" * 40).encode()).decode()


def test_load(rig: Rig, box: BoxInterface, measured: Callable[[str], None]) -> None:
    """Under load every fax is delivered."""
    if not rig.load_s:
        pytest.skip("no time was given for it (--minutes)")
    end = time.monotonic() + rig.load_s
    open_faxes: set[int] = set()
    ended: list[dict[str, Any]] = []
    begun = 0
    while open_faxes or not begun or time.monotonic() < end:
        while len(open_faxes) < AT_ONCE and (not begun or time.monotonic() < end):
            request = {"to": [rig.load_to], "max_tries": 1, "files": [{"name": "load.txt", "content": _PAGE}]}
            open_faxes.add(box.post("/faxes", request)["faxes"][0]["id"])
            begun += 1
        now = [box.get(f"/faxes/{fax}") for fax in open_faxes]
        ended += [fax for fax in now if fax["state"] in _ENDED]
        open_faxes -= {fax["id"] for fax in ended}
        if time.monotonic() > end + REST_S:
            raise BrokenError(
                f"Faxes that have not ended: {len(open_faxes)}.", "faxbox doctor looks at the box."
            )
        time.sleep(LOOK_EVERY_S)
    bad = [fax for fax in ended if fax["state"] != "delivered"]
    measured(f"{len(ended)} faxes: {dict(Counter(fax['state'] for fax in ended))}")
    if bad:
        result = bad[0]["result"] or {}
        raise BrokenError(
            f"{len(bad)} of {begun} faxes were not delivered: {result.get('sentence', bad[0]['state'])}",
            str(result.get("advice", "")),
        )
