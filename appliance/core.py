"""The parts of the running box that services (HTTP, deliveries) use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from appliance.box import Box
from appliance.deliver.service import Deliveries
from appliance.dispatch.dispatcher import Dispatcher
from appliance.dispatch.practice import PracticeCaller


class Service(Protocol):
    """A part of the box with threads of its own: the HTTP server, deliveries."""

    def start(self) -> None:
        """Begins to work; returns at once."""

    def stop(self) -> None:
        """Ends within a bounded time and does not call the box afterwards.  Not called on the event loop."""


@dataclass(frozen=True, slots=True)
class Core:
    """What services may use: the box, and its event loop."""

    box: Box
    dispatcher: Dispatcher
    loop: asyncio.AbstractEventLoop
    practice: PracticeCaller
    deliveries: Deliveries


MakeService = Callable[[Core], Service]
