"""``Box``: the settings, the spool and the services over them; the one way in for every door.

A door (REST, web pages, printing, e-mail) reads a request, calls a service of the box, and words the answer;
it has no rules of its own and no access to the spool.  ``appliance.services`` lists the exceptions.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.lines.line import LineKind, LineState
from appliance.services.accounts import Accounts
from appliance.services.attention import Attention
from appliance.services.documents import Documents
from appliance.services.erasure import Erasure
from appliance.services.faxes import Faxes
from appliance.services.history import History
from appliance.services.inbox import Inbox
from appliance.services.notes import Notes
from appliance.services.outbox import Outbox
from appliance.services.polling import Polling
from appliance.services.rules import Clock, Rules
from appliance.settings.files import SETTINGS_FILE
from appliance.settings.secrets import SecretSettings
from appliance.settings.store import SettingsStore
from appliance.spool import jobs, received
from appliance.spool.age_clock import AgeClock
from appliance.spool.identity import require_settings
from appliance.spool.model import JobState, Room
from appliance.spool.room import RoomGuard
from appliance.spool.settings import StorageSettings
from appliance.spool.store import Spool
from appliance.spool.vault import open_vault


@dataclass(frozen=True, slots=True)
class LineReport:
    """A line's name, kind and state."""

    name: str
    kind: LineKind
    state: LineState


@dataclass(frozen=True, slots=True)
class Health:
    """``ok``: faxes are accepted and a line is usable.  ``damage``: what is wrong with the index of faxes."""

    ok: bool
    room: Room
    free_octets: int
    started_at: float
    lines: tuple[LineReport, ...]
    jobs: Mapping[JobState, int]  # those not ended
    unread: int
    damage: str = ""
    clock_doubted_s: float = 0.0  # how far the clock is ahead of the time that ages are counted from

    @property
    def accepting(self) -> bool:
        """Whether faxes to send are accepted."""
        return self.room is not Room.FULL and not self.damage


class Box:
    """The settings and the spool in folder ``data``, and what doors may do with them."""

    def __init__(self, data: Path, settings: SettingsStore, *, clock: Clock = time.time) -> None:
        self.data = data
        self.clock = clock
        self.settings = settings
        require_settings(data, data / SETTINGS_FILE)
        open_vault(data, settings.section(StorageSettings))
        self.spool = Spool(data, known_id=settings.section(SecretSettings).spool_id)
        with contextlib.ExitStack() as opened:
            opened.callback(self.spool.close)  # if the following finds it damaged
            if settings.section(SecretSettings).spool_id != self.spool.id:
                settings.change(SecretSettings, {"spool_id": self.spool.id})
            self.age_clock = AgeClock(self.spool, clock)
            self.spool.counted = self.counted
            self.guard = RoomGuard(data)
            self.started_at = clock()
            self.accounts = Accounts(self.settings, self.spool, self.counted)
            self.rules = Rules(self.settings, self.accounts, self.guard, lambda: not self.spool.damage)
            self.documents = Documents(self.spool, self.rules, clock)
            self.faxes = Faxes(self.spool, self.rules, self.documents, clock)
            self.inbox = Inbox(self.spool, self.accounts, clock)
            self.notes = Notes(self.spool, clock)
            self.outbox = Outbox(self.spool, clock)
            self.history = History(self.spool, clock)
            self.attention = Attention(self.spool, clock)
            self.polling = Polling(self.spool)
            self.erasure = Erasure(self.spool, self.faxes, self.inbox, self.rules, clock)
            self._lines_lock = threading.Lock()
            self._lines: tuple[LineReport, ...] = ()
            opened.pop_all()

    def close(self) -> None:
        """Closes the spool; later calls are refused."""
        self.spool.close()

    def counted(self) -> float:
        """Unix time for the day of quotas and limits."""
        return self.age_clock.counted()

    def lines(self) -> tuple[LineReport, ...]:
        """The lines in the order in which they are tried, with their last reported states."""
        with self._lines_lock:
            return self._lines

    def health(self) -> Health:
        """The state of disk, index, lines, faxes in hand and clock, now."""
        storage = self.settings.section(StorageSettings)
        room = self.guard.room(storage.reserve_mb, storage.warn_mb)
        lines, damage = self.lines(), self.spool.damage
        return Health(
            ok=room is not Room.FULL and not damage and any(line.state.usable for line in lines),
            room=room,
            free_octets=self.guard.free(),
            started_at=self.started_at,
            lines=lines,
            jobs={} if damage else self.spool.read(jobs.counts),
            unread=0 if damage else self.spool.read(received.unread),
            damage=damage,
            clock_doubted_s=self.age_clock.doubted_s,
        )

    # -- for the daemon ------------------------------------------------------------------------

    def show_lines(self, lines: tuple[LineReport, ...]) -> None:
        """Sets the states of the lines; called by the daemon."""
        with self._lines_lock:
            self._lines = lines

    def set_practice_numbers(self, numbers: Iterable[str]) -> None:
        """Sets the numbers of the practice line; called by the daemon."""
        self.rules.practice_numbers = frozenset(numbers)
