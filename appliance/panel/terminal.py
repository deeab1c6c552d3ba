"""The panel drawn in a terminal, with keys for buttons: the panel without a board."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable

from appliance.panel import screen, words
from appliance.panel.buttons import HOLD_POWER_S, HOLD_S, Button
from appliance.panel.core import Panel
from appliance.panel.lamps import AnyLamp, Lamp, LineLamp, Meaning

# Key: its button, and for how long it counts as held, seconds; a terminal does not report a key's release.
KEYS: dict[str, tuple[Button, float]] = {
    "c": (Button.CANCEL, 0.2),
    "C": (Button.CANCEL, HOLD_S + 0.2),
    "n": (Button.NEWEST, 0.2),
    "r": (Button.RETRY, 0.2),
    "R": (Button.RETRY, HOLD_S + 0.2),
    "P": (Button.POWER, HOLD_POWER_S + 0.2),
}
QUIT = frozenset("q\x03\x04")

_COLOURS: dict[AnyLamp, str] = {Lamp.POWER: "32", Lamp.ACTIVITY: "33", Lamp.INBOX: "34", Lamp.FAULT: "31"}
_GREEN = "32"
_LIT, _DARK = "●", "○"


def label(lamp: AnyLamp) -> str:
    """The caption of a lamp."""
    return f"line {lamp.line + 1}" if isinstance(lamp, LineLamp) else lamp.value


def draw(
    lit: dict[AnyLamp, bool], said: dict[AnyLamp, Meaning], display: tuple[str, ...], region: str = ""
) -> list[str]:
    """The panel as lines of text without colours, in the language of the country ``region``."""
    rows = [
        f"{_LIT if lit[lamp] else _DARK} {label(lamp):<9} {words.word(meaning.sentence, region)}"
        for lamp, meaning in said.items()
    ]
    box = [f"┌{'─' * (screen.LETTERS + 2)}┐"]
    box += [f"│ {line:<{screen.LETTERS}} │" for line in display]
    box.append(f"└{'─' * (screen.LETTERS + 2)}┘")
    return [*rows, "", *box]


class Terminal:
    """A face for ``PanelService``: draws on standard output, reads keys from standard input."""

    def __init__(self, panel: Panel, edge: Callable[[Button, bool], None], quit: Callable[[], None]) -> None:
        self._panel = panel
        self._edge = edge
        self._quit = quit
        self._drawn = 0
        self._text: list[str] = []
        self._closed = threading.Event()
        self._before = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None
        if self._before is not None:
            tty.setcbreak(sys.stdin)
        threading.Thread(target=self._read_keys, name="keys", daemon=True).start()

    def show(self, lit: dict[AnyLamp, bool], sounds: bool) -> None:
        """Redraws the panel in place when it changed."""
        said = self._panel.meanings()
        view = self._panel.view
        text = [*draw(lit, said, screen.lines(view), view.region), "", words.word(words.KEYS, view.region)]
        if text == self._text:
            return
        self._text = text
        up = f"\x1b[{self._drawn}A" if self._drawn else ""
        colours = {row: _COLOURS.get(lamp, _GREEN) for row, lamp in enumerate(said)}
        painted = [
            f"\x1b[2K\x1b[{colours[row]}m{line[0]}\x1b[0m{line[1:]}" if row in colours else f"\x1b[2K{line}"
            for row, line in enumerate(text)
        ]
        sys.stdout.write(up + "\n".join(painted) + "\n" + ("\a" if sounds else ""))
        sys.stdout.flush()
        self._drawn = len(text)

    def close(self) -> None:
        """Restores the terminal."""
        self._closed.set()
        if self._before is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def _read_keys(self) -> None:
        while not self._closed.is_set():
            ready, _, _ = select.select([sys.stdin], [], [], 0.2)
            if not ready:
                continue
            keys = os.read(sys.stdin.fileno(), 16).decode(errors="replace")
            if not keys or any(key in QUIT for key in keys):
                self._quit()
                return
            for key in keys:
                if key in KEYS:
                    button, seconds = KEYS[key]
                    threading.Thread(target=self._press, args=(button, seconds), daemon=True).start()

    def _press(self, button: Button, seconds: float) -> None:
        self._edge(button, True)
        time.sleep(seconds)
        self._edge(button, False)
