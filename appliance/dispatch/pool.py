"""``LinePool``: the lines in the owner's order, and reports of their states to the box."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from appliance.box import Box, LineReport
from appliance.dispatch.causes import NO_LINE, NOT_RECEIVING
from appliance.dispatch.full_lines import FullLines
from appliance.dispatch.rules import LineView
from appliance.language import marked
from appliance.lines.line import Accept, IncomingCall, Line, LineKind, LineState, Refuse
from appliance.numbering.plan import Plan
from appliance.numbers import NumberSettings, plan_for
from appliance.spool import decisions

# Interval of the checks whether a line that is being retired has no more calls, seconds.
RETIRE_LOOK_S = 0.5
# Its status sentence meanwhile, and when it is closed.
RETIRING = marked(
    "Its settings were changed or it was removed: it takes no more calls, and closes after the last one."
)
CLOSED = marked("The line is closed.")


@dataclass(frozen=True, slots=True)
class ManagedLine:
    """A line with its owner's settings."""

    line: Line
    send: bool = True
    receive: bool = True
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    caller_number: str = ""
    plan: Callable[[NumberSettings], Plan] = plan_for  # numbering plan of the place where it is connected

    @property
    def practice(self) -> bool:
        """Whether its calls stay within the box."""
        return self.line.kind is LineKind.PRACTICE


class LinePool:
    """The lines of a box.  ``take`` decides on incoming calls; ``changed`` is called upon changes."""

    def __init__(
        self,
        box: Box,
        lines: list[ManagedLine],
        take: Callable[[ManagedLine, IncomingCall], Accept | Refuse],
        changed: Callable[[], None],
    ) -> None:
        self._box = box
        self._take = take
        self._changed = changed
        self._retiring: list[ManagedLine] = []
        self._stopping = False
        self.lines = lines

    async def start(self) -> None:
        """Opens the lines."""
        for managed in self.lines:
            await self._open(managed)
        self.report()

    def stopping(self) -> None:
        """To be called when the box stops: lines being retired are left to ``close``."""
        self._stopping = True

    async def close(self) -> None:
        """Closes all lines, those that are being retired included."""
        for managed in [*self.lines, *self._retiring]:
            await managed.line.stop()

    async def adopt(self, managed: ManagedLine) -> None:
        """Opens a line and adds it."""
        await self._open(managed)
        self.lines.append(managed)
        self._wake_waiting()
        self._changed()

    async def retire(self, managed: ManagedLine) -> None:
        """Removes a line, and closes it when its calls have ended.

        Until then it takes no calls, and is reported with its calls and the reason.
        """
        self.lines.remove(managed)
        self._retiring.append(managed)
        self._changed()
        while managed.line.state().calls and not self._stopping:
            await asyncio.sleep(RETIRE_LOOK_S)
        if not self._stopping:
            await managed.line.stop()
            self._retiring.remove(managed)
            self._changed()

    def arrange(self, order: Sequence[Line]) -> None:
        """Sets the order in which lines are tried."""
        places = {id(line): place for place, line in enumerate(order)}
        self.lines.sort(key=lambda managed: places.get(id(managed.line), len(places)))

    def named(self, name: str) -> ManagedLine:
        """The line of this name.  StopIteration when there is none."""
        return next(managed for managed in self.lines if managed.line.name == name)

    def views(self, in_use: Sequence[ManagedLine], full: FullLines) -> list[LineView]:
        """The lines for the rules; ``in_use``: the line of each call that the box has placed."""
        views = []
        numbers = self._box.settings.section(NumberSettings)
        for managed in self.lines:
            state = managed.line.state()
            ours = sum(1 for each in in_use if each is managed)
            views.append(
                LineView(
                    name=managed.line.name,
                    kind=managed.line.kind,
                    usable=state.usable,
                    free=0 if full.resting(managed.line.name) else state.capacity - max(state.calls, ours),
                    send=managed.send,
                    allow=managed.allow,
                    deny=managed.deny,
                    plan=managed.plan(numbers),
                )
            )
        return views

    def report(self) -> None:
        """Reports the states of the lines to the box, and each change as a transient event."""
        box = self._box
        now = (*map(_report, self.lines), *map(_last_report, self._retiring))
        before = {report.name: report for report in box.lines()}
        up = {name for name, report in before.items() if report.state.usable}
        box.show_lines(now)
        for report in now:
            if report != before.pop(report.name, None):
                self._tell(report.name, report.state)
        for report in before.values():
            self._tell(report.name, LineState(False, 0, report.state.capacity, CLOSED))
        if any(report.state.usable and report.name not in up for report in now):
            self._wake_waiting()

    def _tell(self, name: str, state: LineState) -> None:
        data = {"line": name, "usable": state.usable, "calls": state.calls, "sentence": state.sentence}
        self._box.spool.announce(self._box.clock(), "line.state", None, "", data)

    def _wake_waiting(self) -> None:
        """A line has become usable: has the jobs considered that wait for one."""
        if not self._stopping:
            self._box.spool.write(decisions.wake, NO_LINE, self._box.clock())

    async def _open(self, managed: ManagedLine) -> None:
        def taker(call: IncomingCall) -> Accept | Refuse:
            if any(each is managed for each in self._retiring):
                return Refuse(NOT_RECEIVING)  # on its way out
            return self._take(managed, call)

        await managed.line.start(taker)


def _report(managed: ManagedLine) -> LineReport:
    return LineReport(managed.line.name, managed.line.kind, managed.line.state())


def _last_report(managed: ManagedLine) -> LineReport:
    """The report of a line that is being retired."""
    report = _report(managed)
    return replace(report, state=replace(report.state, usable=False, sentence=RETIRING))
