"""Each modem of the settings: its identification, and whether its telephone line works."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Iterator

import pytest

from appliance.hardware.rig import BrokenError, Rig
from appliance.hardware.suite import RIG, parametrize
from appliance.lines.modem import check as modem
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.settings import LineSettings

# Seconds within which a running box releases a line that was taken out of use, once its calls have ended.
RELEASE_S = 120.0
_CABLE = "Look at its cable, and at its name in the settings."


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "line_id" in metafunc.fixturenames:
        lines = metafunc.config.stash[RIG].store.items(LineSettings)
        found = [number for number, line in lines.items() if isinstance(line, ClassOneModem)]
        names = [lines[number].name for number in found]
        parametrize(metafunc, "line_id", found, names, none="no modem is set up")


@pytest.fixture
def line(rig: Rig, line_id: int) -> Iterator[ClassOneModem]:
    """The modem, which the running box does not use during the test."""
    found = rig.store.items(LineSettings)[line_id]
    assert isinstance(found, ClassOneModem)
    if rig.box is None or not found.enabled:
        yield found
        return
    rig.store.update(LineSettings, line_id, {"enabled": False})
    try:
        end = time.monotonic() + RELEASE_S
        while any(each["name"] == found.name for each in rig.box.get("/lines")["lines"] if each["usable"]):
            if time.monotonic() > end:
                pytest.skip("the line had a call all the time")
            time.sleep(0.5)
        yield found
    finally:
        rig.store.update(LineSettings, line_id, {"enabled": True})


def test_modem(line: ClassOneModem, measured: Callable[[str], None]) -> None:
    """The modem identifies itself, can fax, and detects a dial tone."""
    said: list[str] = []
    asked = Namespace(
        port=line.device,
        no_line=False,
        call="",
        prefix=line.outside_prefix,
        blind=line.blind,
        pulse=line.pulse,
    )
    code = modem.check(asked, said.append)
    measured(" ".join(said[1:2]))
    if code != modem.EXIT_GOOD:
        trouble = [each for each in said if not each.startswith(("Advice", "  "))]
        advice = next((each.removeprefix("Advice: ") for each in said if each.startswith("Advice")), _CABLE)
        raise BrokenError(" ".join(trouble), advice)
