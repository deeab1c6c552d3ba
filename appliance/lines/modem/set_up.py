"""The commands that set a modem up before a call, and how quickly it answers them."""

from __future__ import annotations

from appliance.lines.modem.dialling import DialRules, call_progress_command
from appliance.lines.modem.quirks import Quirks

SET_UP_TRIES = 3
# A modem that took long once (after a reset) must not slow down the whole call.
LATENCY_LIMIT_S = 1.0


class SetUp:
    """See the module.  ``commands`` are those to come, the one that was given first; more may be added."""

    def __init__(self, rules: DialRules, quirks: Quirks, *, speaker: bool) -> None:
        self.commands = [
            "E0V1Q0",
            "M1" if speaker else "M0",
            call_progress_command(rules),
            *quirks.flow_commands,
            "+FCLASS=1",
            *quirks.after_class1,
        ]
        if quirks.adaptive_reception:
            self.commands.append("+FAR=1")
        self._tries = 0
        self._given_at = 0.0
        self._took_s: list[float] = []

    @property
    def latency_s(self) -> float:
        """The slowest answer to a command that needs nothing from the line, within reason."""
        return min(max(self._took_s, default=0.0), LATENCY_LIMIT_S)

    @property
    def round_trip_s(self) -> float:
        """The quickest answer: what the way to the modem and back takes."""
        return min(self._took_s, default=0.0)

    def next(self, now: float) -> str:
        """The command to give at ``now``, seconds; empty when the modem is set up."""
        self._given_at = now
        return self.commands[0] if self.commands else ""

    def answered(self, now: float, *, refused: bool) -> bool:
        """The modem answered; False where it refused what no fax can do without."""
        if refused and self.commands[0].startswith("+FCLASS="):
            return False
        self._took_s.append(now - self._given_at)
        self._tries = 0
        del self.commands[0]
        return True

    def again(self) -> bool:
        """It did not answer; whether the command is worth giving again."""
        self._tries += 1
        return self._tries < SET_UP_TRIES
