"""Boxes with prepared jobs for tests of the dispatcher."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from appliance.box import Box
from appliance.configuration import open_box
from appliance.dispatch.dispatcher import Dispatcher
from appliance.dispatch.pool import ManagedLine
from appliance.documents.options import RenderOptions, Source
from appliance.documents.render import render
from appliance.lines.line import Line
from appliance.numbers import NumberSettings
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.spool import preparing
from appliance.spool.model import Job, JobState
from appliance.spool.settings import SendingSettings

COMMON = "rendered/common"
PAGES = 3
NUMBER = "+493012345"
# Waits of a hundredth of a second, so that a test sees many tries.
QUICK = {
    "busy": [0.01] * 5,
    "no_answer": [0.01] * 4,
    "step_down": [0.01] * 8,
    "later": [0.01] * 3,
    "other_line": [0.01] * 4,
}


def render_common(folder: Path) -> None:
    """A rendered document of three pages in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "text.txt"
    text.write_text("\f".join(["one", "two", "three"]))
    render([Source(text)], folder / "common", RenderOptions())


def make_box(data: Path, rendered: Path, clock: Callable[[], float] = time.time) -> Box:
    box = open_box(data, clock=clock)
    box.settings.change(SendingSettings, QUICK)
    box.settings.change(NumberSettings, {"daily_calls": 0, "daily_calls_each": 0, "daily_abroad": 0})
    target = data / COMMON
    if not target.exists():
        target.symlink_to(rendered / "common", target_is_directory=True)
    return box


def submit(box: Box, *numbers: str, **more: object) -> list[Job]:
    """Submits and marks as prepared, with the common pages."""
    file = box.documents.store_file(b"x", name="x.txt", media_type="text/plain")
    to = tuple(To(number) for number in numbers or (NUMBER,))
    made = box.faxes.submit(Request("ada", to, (file,), **more))  # type: ignore[arg-type]
    box.spool.do(preparing.prepared, [job.id for job in made.jobs], COMMON, PAGES, box.clock())
    return list(made.jobs)


@contextlib.asynccontextmanager
async def dispatching(box: Box, *lines: Line, **more: object) -> AsyncIterator[Dispatcher]:
    managed = [line if isinstance(line, ManagedLine) else ManagedLine(line) for line in lines]
    dispatcher = Dispatcher(box, managed, **more)  # type: ignore[arg-type]
    await dispatcher.start()
    try:
        yield dispatcher
    finally:
        await dispatcher.stop()


async def until(condition: Callable[[], bool], limit_s: float = 60.0) -> None:
    """Waits until ``condition`` holds; fails after ``limit_s``, which only a hang reaches."""
    deadline = asyncio.get_running_loop().time() + limit_s
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError("it never came to that")
        await asyncio.sleep(0.01)


async def ended(box: Box, *made: Job) -> list[Job]:
    """The jobs, once all have ended."""
    await until(lambda: all(box.faxes.get(job.id).state.ended for job in made))
    return [box.faxes.get(job.id) for job in made]


def states(box: Box, made: list[Job]) -> list[JobState]:
    return [box.faxes.get(job.id).state for job in made]
