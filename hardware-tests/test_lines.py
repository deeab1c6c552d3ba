"""Lines: each is ready; a page goes over each trunk, and from each line to each other one (--number)."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from appliance.commands.through_box import send_through
from appliance.hardware.rig import BoxInterface, BrokenError
from appliance.hardware.suite import RIG, parametrize
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipTrunk

# Seconds within which a new trunk registers, and within which a received page is stored.
READY_S, ARRIVAL_S = 30.0, 60.0


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rig = metafunc.config.stash[RIG]
    lines = [line for line in rig.store.items(LineSettings).values() if line.enabled]
    if "line" in metafunc.fixturenames:
        parametrize(metafunc, "line", lines, [line.name for line in lines], none="no line is set up")
    if "trunk" in metafunc.fixturenames:
        trunks = [line.name for line in lines if isinstance(line, SipTrunk)]
        parametrize(metafunc, "trunk", trunks, trunks, none="no SIP trunk is set up")
    if "caller" in metafunc.fixturenames:
        pairs = list(permutations(rig.numbers, 2))
        ids = [f"{a} to {b}" for a, b in pairs]
        parametrize(metafunc, "caller,called", pairs, ids, none="no two lines' numbers are told (--number)")


def test_ready(box: BoxInterface, line: LineSettings, measured: Callable[[str], None]) -> None:
    """The line is ready: a trunk is registered, a modem answers."""
    end = time.monotonic() + READY_S
    while not (state := _state(box, line.name))["usable"] and time.monotonic() < end:
        if state["last_error"]:
            break
        time.sleep(0.3)
    measured(state["sentence"])
    if not state["usable"]:
        raise BrokenError(
            f"{line.name}: {state['sentence']} {state['last_error']}".strip(),
            "faxbox check trunk, or check modem, looks at it step by step.",
        )


def test_page_over_trunk(
    box: BoxInterface, trunk: str, pytestconfig: Any, measured: Callable[[str], None]
) -> None:
    """The trunk delivers a page to a fax machine (--to)."""
    number = pytestconfig.stash[RIG].fax_to
    if not number:
        pytest.skip("no fax machine is named that expects a page (--to)")
    _send(box, trunk, number, measured)


def test_page_between(box: BoxInterface, caller: str, called: str, pytestconfig: Any, measured: Any) -> None:
    """A page sent over one line of the box is received on another, complete."""
    before = {fax["id"] for fax in box.get("/received?limit=100")["received"]}
    _send(box, caller, pytestconfig.stash[RIG].numbers[called], measured)
    end = time.monotonic() + ARRIVAL_S
    while time.monotonic() < end:
        found = [fax for fax in box.get("/received?limit=100")["received"] if fax["id"] not in before]
        if any(fax["line"] == called and fax["pages"] == 1 and fax["ended_at"] for fax in found):
            return
        time.sleep(0.5)
    raise BrokenError(
        f"The page that {caller} sent did not come in on {called}.", "Look at the number of that line."
    )


def _send(box: BoxInterface, line: str, number: str, measured: Callable[[str], None]) -> None:
    page = base64.b64encode(f"faxbox hardware test: a page over {line}.\n".encode()).decode()
    request = {"to": [number], "lines": [line], "files": [{"name": "test.txt", "content": page}]}
    through = send_through(box, request, lambda _: None)  # type: ignore[arg-type]
    if through.result.cause.code != "delivered":
        raise BrokenError(through.result.cause.sentence, through.result.cause.advice)
    rate = through.result.carrier.bit_rate if through.result.carrier else 0
    measured(f"{rate} bit/s, {through.seconds:.0f} s on the line")


def _state(box: BoxInterface, name: str) -> dict[str, Any]:
    found = [line for line in box.get("/lines")["lines"] if line["name"] == name]
    missing = {"usable": False, "sentence": "The box does not run this line.", "last_error": ""}
    return dict(found[0]) if found else missing
