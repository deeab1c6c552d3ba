"""Makes the lines in the settings, in the owner's order, the practice line last."""

from __future__ import annotations

import asyncio
import functools
import logging

from appliance.box import Box
from appliance.dispatch.pool import LinePool, ManagedLine
from appliance.exchange.making import check_line
from appliance.exchange.messages import LineSpec
from appliance.exchange.remote import Exchange, RemoteLine
from appliance.lines.practice.numbers import PRACTICE_NUMBERS
from appliance.lines.practice.settings import PRACTICE_NAME, PracticeSettings
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipSettings
from appliance.numbers import plan_for
from appliance.station import StationSettings

_log = logging.getLogger(__name__)

PRACTICE_FOLDER = "practice"
# Folder for what was learned of each trunk.
LEARNED_FOLDER = "learned"
# Interval of comparing the settings with the lines, seconds.
FOLLOW_S = 2.0


class Lines:
    """The lines in the settings; ``follow`` applies changes while the box runs.

    A line with a wrong setting is left out, with an error in the log.
    """

    def __init__(self, box: Box, exchange: Exchange) -> None:
        self._box = box
        self._exchange = exchange
        # By name: the settings of a line, and the line (None where they are wrong).
        self._made: dict[str, tuple[LineSettings | PracticeSettings, ManagedLine | None]] = {}
        self._changes: dict[str, asyncio.Task[None]] = {}

    def build(self) -> list[ManagedLine]:
        """All lines, in the owner's order, the practice line last."""
        self._use_zone()
        for name, settings in self._wanted().items():
            self._made[name] = (settings, self._make(settings))
        return [managed for _, managed in self._made.values() if managed is not None]

    async def follow(self, pool: LinePool) -> None:
        """Changes the dispatcher's lines as the settings change, until cancelled."""
        try:
            while True:
                await asyncio.sleep(FOLLOW_S)
                self._use_zone()
                self._compare(pool)
        finally:
            for task in self._changes.values():
                task.cancel()

    def _use_zone(self) -> None:
        self._exchange.use_zone(self._box.settings.section(StationSettings).time_zone)

    def _compare(self, pool: LinePool) -> None:
        wanted = self._wanted()
        self._changes = {name: task for name, task in self._changes.items() if not task.done()}
        for name in [*wanted, *self._made]:
            settings = wanted.get(name)
            if name in self._changes or settings == self._made.get(name, (None,))[0]:
                continue
            self._changes[name] = asyncio.create_task(self._change(pool, name, settings))

    async def _change(
        self, pool: LinePool, name: str, settings: LineSettings | PracticeSettings | None
    ) -> None:
        _, old = self._made.get(name, (None, None))
        if old is not None:
            await pool.retire(old)
        self._made.pop(name, None)
        if settings is not None:
            new = self._make(settings)
            self._made[name] = (settings, new)
            if new is not None:
                await pool.adopt(new)
        order = [self._made[each][1] for each in self._wanted() if each in self._made]
        pool.arrange([managed.line for managed in order if managed is not None])
        _log.info("the line %s follows its new settings", name)

    def _wanted(self) -> dict[str, LineSettings | PracticeSettings]:
        """The settings of each line by name, in order."""
        settings = self._box.settings
        entries = sorted(settings.items(LineSettings).items(), key=lambda item: (item[1].position, item[0]))
        wanted: dict[str, LineSettings | PracticeSettings] = {}
        for _, entry in entries:
            if entry.enabled and entry.name not in wanted and entry.name != PRACTICE_NAME:
                wanted[entry.name] = entry
        practice = settings.section(PracticeSettings)
        if practice.enabled:
            wanted[PRACTICE_NAME] = practice
        self._box.set_practice_numbers(PRACTICE_NUMBERS if practice.enabled else ())
        return wanted

    def _make(self, settings: LineSettings | PracticeSettings) -> ManagedLine | None:
        section = self._box.settings.section(SipSettings)
        if isinstance(settings, PracticeSettings):
            return ManagedLine(self._remote(PRACTICE_NAME, settings, section))
        try:
            check_line(settings, section)
        except ValueError as error:
            _log.error("the line %s cannot be used: %s", settings.name, error)
            return None
        line = self._remote(settings.name, settings, section)
        return ManagedLine(
            line,
            send=settings.send,
            receive=settings.receive,
            allow=settings.allow,
            deny=settings.deny,
            caller_number=settings.caller_number,
            plan=functools.partial(plan_for, line=settings),
        )

    def _remote(
        self, name: str, settings: LineSettings | PracticeSettings, section: SipSettings
    ) -> RemoteLine:
        data = self._box.data
        # A line's name is one of a file, too: letters, digits, and no dot at its beginning.
        learned = data / LEARNED_FOLDER / f"{name}.json"
        spec = LineSpec(name, settings, section, data / PRACTICE_FOLDER, learned.absolute())
        return RemoteLine(self._exchange, spec)
