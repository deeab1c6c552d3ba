"""``faxbox panel``: runs the front panel beside a box, draws it in the terminal, or shows its wiring."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from appliance.commands.running_box import BoxRefusedError, BoxUnreachableError, RunningBox
from appliance.daemon.arguments import add_data_argument, complain, data_folder
from appliance.panel import words
from appliance.panel.box_client import Api, ApiError, ButtonActions, Watcher
from appliance.panel.buttons import Button
from appliance.panel.model import BoxView
from appliance.panel.screen import lines, open_screen, own_address
from appliance.panel.service import Face, PanelService
from appliance.panel.settings import CATALOGUE, PanelSettings
from appliance.settings import secrets
from appliance.settings.store import SettingsStore

T = TypeVar("T")

# Environment variable with the runtime folder of the systemd unit (RuntimeDirectory=).
RUNTIME_VARIABLE = "RUNTIME_DIRECTORY"


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``panel`` to the command's words."""
    parser = words.add_parser("panel", help="run the front panel: lamps and buttons on GPIO pins")
    parser.add_argument(
        "--show", action="store_true", help="draw the panel in the terminal, keys are its buttons"
    )
    parser.add_argument(
        "--wiring", action="store_true", help="print how the panel is wired, as the settings say"
    )
    parser.add_argument("--drawing", type=Path, metavar="FILE", help="write a drawing of the wiring (SVG)")
    add_data_argument(parser)
    parser.set_defaults(run=run)


class _Running:
    """The running box's interface, with the errors that the panel knows."""

    def __init__(self, data: Path, store: SettingsStore) -> None:
        self._box = _translated(lambda: RunningBox(data, store))
        self.url = self._box.url

    def get(self, path: str) -> Any:
        return _translated(lambda: self._box.get(path))

    def post(self, path: str, content: dict[str, Any]) -> Any:
        return _translated(lambda: self._box.post(path, content))

    def events(self) -> Any:
        events = _translated(self._box.events)
        while True:
            try:
                yield next(events)
            except StopIteration:
                return
            except (OSError, ValueError) as error:
                raise ApiError(f"the box went away: {error}") from error


def _translated(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except (BoxUnreachableError, BoxRefusedError, OSError, ValueError) as error:
        raise ApiError(str(error)) from error


def running(data: Path, store: SettingsStore) -> Api:
    """The interface of the box that runs on ``data`` with the settings ``store``.  Raises ApiError."""
    return _Running(data, store)


def _new_setup_code(data: Path) -> str:
    from appliance.configuration import open_settings  # noqa: PLC0415 (every package with settings)

    return secrets.new_setup_code(open_settings(data))


def run(arguments: argparse.Namespace) -> int:
    """``faxbox panel`` with its parsed arguments; the exit code."""
    data = data_folder(
        arguments, may_be_new=arguments.wiring or arguments.drawing is not None, settings_lost=True
    )
    store = SettingsStore(data, CATALOGUE)
    settings = store.section(PanelSettings)
    if arguments.drawing is not None or arguments.wiring:
        return _show_wiring(settings, arguments.drawing)
    if arguments.show and not sys.stdin.isatty():
        return complain("--show needs a terminal", 64)
    if not arguments.show:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    _serve(data, store, settings, in_terminal=arguments.show)
    return 0


def _show_wiring(settings: PanelSettings, drawing: Path | None) -> int:
    """Writes the drawing to this file, or prints the table."""
    from appliance.panel import wiring  # noqa: PLC0415 (not for a panel that runs for months)

    if drawing is not None:
        drawing.write_text(wiring.drawing(settings), encoding="utf-8")
    else:
        sys.stdout.write(wiring.table(settings))
    return 0


def _serve(data: Path, store: SettingsStore, settings: PanelSettings, *, in_terminal: bool) -> None:
    from appliance.panel.board import Board, button_pins  # noqa: PLC0415 (gpiozero: for this command alone)

    def connect() -> Api:
        return running(data, store)

    def open_face(edge: Callable[[Button, bool], None]) -> Face:
        if not in_terminal:
            return Board(settings, edge)
        from appliance.panel.terminal import Terminal  # noqa: PLC0415 (for --show alone)

        return Terminal(service.panel, edge, service.stop)

    display = None if in_terminal else open_screen(settings)
    buttons = list(Button) if in_terminal else list(button_pins(settings))
    service = PanelService(
        len(settings.line_leds),
        buttons,
        open_face,
        view_changed=lambda view: display.show(lines(view)) if display is not None else None,
    )
    runtime = os.environ.get(RUNTIME_VARIABLE, "").partition(":")[0]
    hands = ButtonActions(
        connect,
        lambda: _new_setup_code(data),
        Path(runtime) if runtime else None,
        forward_to=settings.forward_to,
        printer=settings.printer,
    )

    def changed(view: BoxView) -> None:
        if display is not None or in_terminal:
            words.load(view.region)  # in the watcher's thread, so that the panel still answers its buttons
        service.box_is(view)

    watcher = Watcher(connect, changed, store=store, address=own_address)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop())
    try:
        service.run(hands, watcher)
    finally:
        if display is not None:
            display.close()
