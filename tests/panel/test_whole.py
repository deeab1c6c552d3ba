"""The panel with a real box and its practice line: the process, its threads, its simulated pins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from appliance.commands.panel import running
from appliance.exchange.remote import RemoteLine
from appliance.lines.practice.settings import PracticeSettings
from appliance.panel import wiring
from appliance.panel.board import Board, lamp_pins
from appliance.panel.box_client import POWEROFF_FILE, RESET_FILE, ApiError, ButtonActions, Watcher
from appliance.panel.buttons import HOLD_POWER_S, HOLD_S, PRESS_LIMIT_S, QUIET_S, Button
from appliance.panel.core import Order
from appliance.panel.lamps import LANGUAGE, Lamp
from appliance.panel.service import PanelService
from appliance.panel.settings import PanelSettings
from appliance.settings import secrets
from tests.api.served import Served, serving

PROJECT = Path(__file__).parents[2]
HANG_S = 180.0
SETTINGS = PanelSettings(forward_to="9990")
PRESS_S = 0.1
SLOWEST, FAST = 1.0, 10.0  # speeds of the practice line
NOBODY = "9992"  # rings and is never answered: on no machine is such a fax delivered before it is cancelled


@pytest.fixture(scope="module", name="served")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("box")) as served:
        yield served


class Rig:
    """A panel on simulated pins beside a box."""

    def __init__(self, served: Served, runtime: Path) -> None:
        self.factory = gpiozero.Device.pin_factory = MockFactory()
        self.service = PanelService(
            2, Button, lambda edge: Board(SETTINGS, edge), started=time.monotonic() - HANG_S
        )
        self.runtime = runtime
        connect = lambda: running(served.box.data, served.box.settings)  # noqa: E731 (the rig's own)
        new_code = lambda: secrets.new_setup_code(served.box.settings)  # noqa: E731 (the rig's own)
        self.hands = ButtonActions(connect, new_code, runtime, forward_to=SETTINGS.forward_to)
        self._watcher = Watcher(connect, self.service.box_is, store=served.box.settings)
        self._thread = threading.Thread(
            target=self.service.run, args=(self.hands, self._watcher), daemon=True
        )
        self._thread.start()

    def lit(self, lamp: Lamp) -> bool:
        return bool(self.factory.pin(lamp_pins(SETTINGS)[lamp]).state)

    def press(self, pin: int | None) -> None:
        """A press; a finger that a busy machine held up until it was none presses again."""
        begun = time.monotonic()
        self.hold(pin, PRESS_S)
        while time.monotonic() - begun > PRESS_LIMIT_S:
            time.sleep(QUIET_S)
            begun = time.monotonic()
            self.hold(pin, PRESS_S)

    def hold(self, pin: int | None, seconds: float) -> None:
        contact = self.factory.pin(pin)
        contact.drive_low()
        time.sleep(seconds)
        contact.drive_high()

    def close(self) -> None:
        self.service.stop()
        self._thread.join(HANG_S)
        self.factory.reset()
        gpiozero.Device.pin_factory = None


@pytest.fixture(name="rig")
def _rig(served: Served, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(served, tmp_path)
    try:
        until(lambda: rig.lit(Lamp.POWER))
        yield rig
    finally:
        rig.close()


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + HANG_S
    while not done():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def practice_at(served: Served, speed: float) -> None:
    """Sets the practice line's speed and waits until the box has made the line anew."""
    served.box.settings.change(PracticeSettings, {"speed": speed})

    def settled() -> bool:
        lines = [managed.line for managed in served.core.dispatcher.pool.lines]
        return any(
            isinstance(line, RemoteLine)
            and isinstance(line.spec.settings, PracticeSettings)
            and line.spec.settings.speed == speed
            and line.state().usable
            for line in lines
        )

    served.wait(settled)


def send(served: Served, number: str) -> int:
    made = served.form("/faxes", [("to", number)], [("letter.txt", b"a letter")])
    assert made.status == 201, made.content
    fax: int = made.json["faxes"][0]["id"]
    return fax


@pytest.fixture(name="slow_line")
def _slow_line(served: Served) -> Iterator[None]:
    """The practice line at its slowest: it rings for a minute where nobody answers."""
    practice_at(served, SLOWEST)
    yield
    practice_at(served, FAST)


@pytest.mark.realtime
@pytest.mark.usefixtures("slow_line")
def test_sending_lights_the_activity_lamp_and_a_press_cancels_it(rig: Rig, served: Served) -> None:
    fax = send(served, NOBODY)
    until(lambda: rig.lit(Lamp.ACTIVITY))
    rig.press(SETTINGS.cancel_button)
    assert served.ended(fax)["state"] == "cancelled"


@pytest.mark.realtime
@pytest.mark.usefixtures("slow_line")
def test_holding_the_cancel_button_cancels_all(rig: Rig, served: Served) -> None:
    faxes = [send(served, NOBODY) for _ in range(3)]
    until(lambda: rig.lit(Lamp.ACTIVITY))
    rig.hold(SETTINGS.cancel_button, HOLD_S + 0.3)
    assert [served.ended(fax)["state"] for fax in faxes] == ["cancelled"] * 3


@pytest.mark.realtime
def test_a_failed_fax_lights_the_fault_lamp_and_a_press_sends_it_again(rig: Rig, served: Served) -> None:
    fax = served.form("/faxes", [("to", "9991"), ("max_tries", "1")], [("a.txt", b"busy")]).json["faxes"][0][
        "id"
    ]
    assert served.ended(fax)["state"] == "failed"
    until(lambda: rig.lit(Lamp.FAULT))
    rig.press(SETTINGS.retry_button)

    def sent_again_and_failed() -> bool:
        faxes = served.ask("GET", "/faxes").json["faxes"]
        return any(each["resent_from"] == fax and each["state"] == "failed" for each in faxes)

    served.wait(sent_again_and_failed)
    rig.hold(SETTINGS.retry_button, HOLD_S + 0.3)  # seen, both of them
    until(lambda: rig.service.panel.view.wants_person == 0)


@pytest.mark.realtime
def test_a_received_fax_lights_the_inbox_lamp_and_a_press_forwards_it(rig: Rig, served: Served) -> None:
    assert not rig.lit(Lamp.INBOX)
    assert served.ask("POST", "/practice/receive", {}).status < 300
    until(lambda: rig.lit(Lamp.INBOX))
    served.wait(lambda: served.ask("GET", "/received").json["received"][0]["ended_at"] is not None)
    before = {fax["id"] for fax in served.ask("GET", "/faxes").json["faxes"]}
    rig.press(SETTINGS.newest_button)
    served.wait(lambda: {fax["id"] for fax in served.ask("GET", "/faxes").json["faxes"]} > before)


@pytest.mark.realtime
def test_holding_the_power_button_asks_systemd_to_shut_down(rig: Rig) -> None:
    rig.hold(SETTINGS.power_button, HOLD_POWER_S + 0.3)
    until((rig.runtime / POWEROFF_FILE).exists)


@pytest.mark.realtime
def test_both_buttons_held_ask_systemd_to_put_a_box_of_the_image_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("appliance.panel.buttons.RESET_S", 0.5)
    unit = tmp_path / "faxbox-image-reset.path"
    monkeypatch.setattr("appliance.panel.box_client.RESET_UNIT", unit)
    with pytest.raises(ApiError, match="was not made from the image"):
        rig.hands.carry_out(Order.RESET)
    unit.touch()
    pins = [rig.factory.pin(pin) for pin in (SETTINGS.cancel_button, SETTINGS.power_button)]
    for pin in pins:
        pin.drive_low()
    until((rig.runtime / RESET_FILE).exists)
    for pin in pins:
        pin.drive_high()


@pytest.mark.realtime
def test_a_storm_of_presses_does_what_one_press_does(rig: Rig, served: Served) -> None:
    before = len(served.ask("GET", "/faxes").json["faxes"])
    contact = rig.factory.pin(SETTINGS.newest_button)
    for _ in range(500):
        contact.drive_low()
        contact.drive_high()
    time.sleep(0.3)  # there is nothing to wait for: nothing happens
    assert len(served.ask("GET", "/faxes").json["faxes"]) <= before + 1
    until(lambda: rig.lit(Lamp.POWER))


def panel_process(data: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "appliance.cli", "panel", "--data", str(data)],
        cwd=PROJECT,
        env={**os.environ, "GPIOZERO_PIN_FACTORY": "mock"},
        stderr=subprocess.PIPE,
    )


def _killed_during_faxes(served: Served, times: int) -> None:
    faxes = []
    for _ in range(times):
        process = panel_process(served.box.data)
        faxes.append(send(served, "9990"))
        time.sleep(0.2 + (len(faxes) % 7) * 0.1)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert {served.ended(fax)["state"] for fax in faxes} == {"delivered"}


@pytest.mark.realtime
def test_the_panel_killed_again_and_again_touches_no_fax(served: Served) -> None:
    _killed_during_faxes(served, 5)


@pytest.mark.full
def test_the_panel_killed_a_hundred_times_touches_no_fax(served: Served) -> None:
    _killed_during_faxes(served, 100)


@pytest.mark.realtime
def test_the_process_ends_when_it_is_told_to(served: Served) -> None:
    process = panel_process(served.box.data)
    assert process.stderr is not None
    while b"the panel is on" not in (line := process.stderr.readline()):
        assert line, "it ended by itself"
    process.terminate()
    _, said = process.communicate(timeout=HANG_S)
    assert process.returncode == 0, said


def test_the_documentation_shows_the_wiring_and_the_language_as_they_are() -> None:
    told = "run python -m appliance.panel.wiring docs"
    page = (PROJECT / "docs/panel.md").read_text(encoding="utf-8")
    assert wiring.table(PanelSettings()) in page, told
    for meaning in LANGUAGE:
        assert f"| {meaning.lamp} | {meaning.pattern.name} | {meaning.sentence} |" in page, told
    assert (PROJECT / "docs/pictures/panel-wiring.svg").read_text(encoding="utf-8") == wiring.drawing(
        PanelSettings()
    )
