"""What the running box is made of, as the services beside it (HTTP, deliveries) see it."""

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
    """Something with threads of its own beside the core: the HTTP server, deliveries."""

    def start(self) -> None: ...

    def stop(self) -> None:
        """Ends within a bound; afterwards it calls the box no more.  Called off the loop."""


@dataclass(frozen=True, slots=True)
class Core:
    """What services may use: the box, and the loop for what must run there."""

    box: Box
    dispatcher: Dispatcher
    loop: asyncio.AbstractEventLoop
    practice: PracticeCaller
    deliveries: Deliveries


MakeService = Callable[[Core], Service]
