"""A sequence of commands to an idle modem, and its answers.  No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.lines.modem.port import Information, Reply, Silence
from appliance.lines.modem.port_driver import PortDriver
from appliance.lines.modem.results import Result

# Final results of a command; RING, RINGING and the like are unsolicited.
_FINAL = frozenset(
    {
        Result.OK,
        Result.ERROR,
        Result.NO_CARRIER,
        Result.NO_DIALTONE,
        Result.BUSY,
        Result.NO_ANSWER,
        Result.CONNECT,
        Result.VOICE,
        Result.BLOCKED,
    }
)
MAX_LINES = 40
ABORT_S = 0.5


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One command, the lines of its answer, and its result: None without one in time."""

    command: str
    lines: tuple[str, ...]
    result: Result | None
    word: str  # the result as received


class Conversation(PortDriver):
    """Sends commands (given without AT) one after the other; ``exchanges`` collects the answers.

    A command without an answer is aborted and the next one sent; a second one without an answer ends it.
    """

    def __init__(self, commands: Sequence[str], *, within: float = 5.0) -> None:
        """``within``: seconds that each answer may take."""
        super().__init__()
        self._commands = list(commands)
        self._within = within
        self._lines: list[str] = []
        self._silences = 0
        self._aborting = False
        self.exchanges: list[Exchanged] = []

    @property
    def done(self) -> bool:
        """Whether all commands were answered, or given up."""
        return not self._commands

    def start(self, now: float) -> None:
        """Sends the first command."""
        self._next(now)

    def _next(self, now: float) -> None:
        self._lines = []
        if self._commands:
            self._port.command(self._commands[0], now, within=self._within)

    def handle_port(self, now: float) -> None:
        """Takes what the port has read; sends the next command after an answer."""
        while not self.done and (event := self._port.take_event()) is not None:
            if self._aborting:
                if isinstance(event, Silence):
                    self._aborting = False
                    self._next(now)
                continue
            match event:
                case Information(line) if len(self._lines) < MAX_LINES:
                    self._lines.append(line)
                case Reply(result, line) if result in _FINAL:
                    self._finished(result, line, now)
                case Silence():
                    self._finished(None, "", now)
                case _:
                    pass

    def _finished(self, result: Result | None, word: str, now: float) -> None:
        self.exchanges.append(Exchanged(self._commands.pop(0), tuple(self._lines), result, word))
        if result is None:
            self._silences += 1
            if self._silences > 1:
                self._commands.clear()
                return
            self._aborting = True
            self._port.abort(now, within=ABORT_S)
            return
        self._next(now)
