"""Reads the state of the running box and carries out what a button asks for, over its REST interface."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

from appliance.panel.core import Order
from appliance.panel.model import BoxContact, BoxView, Condition, line_views
from appliance.settings.secrets import SecretSettings, present_setup_code
from appliance.settings.store import SettingsStore

_log = logging.getLogger(__name__)

# Longest time between two readings of the state, seconds: a full disk or a lost line may cause no event.
POLL_S = 10.0
# Least time between two readings of the state, seconds: events come in bursts.
LEAST_S = 0.3
# Time between two attempts to reach a box that does not answer, seconds.
LOOK_S = 1.0
# A box that stopped may be starting again; after so long without an answer it counts as lost, seconds.
LOST_S = 20.0
# The most faxes that one press of the cancel button cancels.
MOST = 100
# The event by which a client asks the box to make itself known: all lamps flash.
SHOW_ITSELF = "box.identify"
# A file in the box's runtime folder that systemd watches for (faxbox-poweroff.path).
POWEROFF_FILE = "poweroff"
# The same for a factory reset; only the SD-card image has a unit that watches for it.
RESET_FILE = "factory-reset"
RESET_UNIT = Path("/usr/lib/systemd/system/faxbox-image-reset.path")


class ApiError(Exception):
    """The box did not answer, or refused; the message is a sentence for the user."""


class Api(Protocol):
    """A running box's REST interface below ``/api/v1``.  Each method raises ApiError."""

    def get(self, path: str) -> Any:
        """The answer's JSON."""

    def post(self, path: str, content: dict[str, Any]) -> Any:
        """The answer's JSON; ``content`` is sent as JSON."""

    def events(self) -> Iterator[Mapping[str, Any]]:
        """The events from now on; ends when the box stops."""


# Connects to the running box.  Raises ApiError when none runs.
Connect = Callable[[], Api]


class Watcher:
    """Two threads that keep a ``BoxView`` up to date and call ``changed`` with each new one.

    ``address`` returns this machine's address on its network, for the display.
    """

    def __init__(
        self,
        connect: Connect,
        changed: Callable[[BoxView], None],
        *,
        store: SettingsStore | None = None,
        address: Callable[[], str] = lambda: "",
    ) -> None:
        self._connect = connect
        self._changed = changed
        self._store = store
        self._address = address
        self._view = BoxView()
        self._stop = threading.Event()
        self._stale = threading.Event()
        self._shown = 0
        self._silent_since: float | None = None
        self._threads = [
            threading.Thread(target=self._follow, name="events", daemon=True),
            threading.Thread(target=self._refresh, name="status", daemon=True),
        ]

    def start(self) -> None:
        """Starts its threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tells its threads to end; does not wait for them."""
        self._stop.set()
        self._stale.set()

    def look_again(self) -> None:
        """Reads the state again at once, after an action."""
        self._stale.set()

    def _follow(self) -> None:
        """Follows the events; each makes the view stale."""
        while not self._stop.is_set():
            with contextlib.suppress(ApiError):
                for event in self._connect().events():
                    if self._stop.is_set():
                        return
                    _log.debug("event %s", event.get("kind"))
                    self._shown += event.get("kind") == SHOW_ITSELF
                    self._stale.set()
            self._stale.set()
            self._stop.wait(LOOK_S)

    def _refresh(self) -> None:
        while not self._stop.is_set():
            try:
                view = self._read(self._connect())
                self._silent_since = None
            except ApiError as error:
                _log.debug("%s", error)
                view = self._silent()
            if view != self._view:
                self._view = view
                self._changed(view)
            answers = view.contact is BoxContact.ANSWERS
            self._stop.wait(LEAST_S)
            self._stale.wait(POLL_S if answers else LOOK_S)
            self._stale.clear()

    def _silent(self) -> BoxView:
        """The view of a box that does not answer: starting if it never did, else stopping, then lost."""
        if self._view.contact is BoxContact.STARTING:
            return self._view
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        lost = now - self._silent_since > LOST_S
        return replace(self._view, contact=BoxContact.LOST if lost else BoxContact.STOPPING)

    def _read(self, api: Api) -> BoxView:
        found = api.get("/panel")
        store = self._store
        return BoxView(
            contact=BoxContact.ANSWERS,
            condition=Condition(found["status"]),
            lines=line_views(found["lines"]),
            sending=tuple(found["sending"]),
            receiving=found["receiving"],
            unread=found["unread"],
            wants_person=found["wants_person"],
            setup=store is not None and bool(store.section(SecretSettings).setup_code_hash),
            address=self._address(),
            setup_code=present_setup_code(store) if store is not None else "",
            region=found["region"],
            shown=self._shown,
        )


@dataclass(frozen=True, slots=True)
class ButtonActions:
    """Carries out what a button asks for.  ``runtime``: the runtime folder that systemd watches."""

    connect: Connect
    new_setup_code: Callable[[], str]
    runtime: Path | None
    forward_to: str = ""
    printer: str = ""

    def carry_out(self, order: Order) -> str:
        """Carries out ``order``; returns a sentence that says what was done.

        Raises ApiError with the reason when it cannot be done.
        """
        match order:
            case Order.CANCEL_ONE:
                return self._cancel(self._faxes("sending")[:1])
            case Order.CANCEL_ALL:
                return self._cancel(self._faxes("sending", "preparing", "waiting"))
            case Order.HAND_ON_NEWEST:
                return self._hand_on()
            case Order.RETRY_FAILED:
                return self._retry()
            case Order.SHUT_DOWN:
                return self._shut_down()
            case Order.RESET:
                return self._put_back()
            case Order.SET_UP:
                return self.new_setup_code()
            case Order.SEEN:
                self.connect().post("/panel/looked", {})
                return "The failed faxes have been seen."

    def _faxes(self, *states: str) -> list[dict[str, Any]]:
        """The faxes in these states, newest first, without those scheduled for later."""
        query = urlencode([("state", state) for state in states] + [("limit", str(MOST))])
        found: list[dict[str, Any]] = self.connect().get(f"/faxes?{query}")["faxes"]
        now = _moment(time.time())
        return [fax for fax in found if fax["state"] == "sending" or fax["scheduled_at"] <= now]

    def _cancel(self, faxes: list[dict[str, Any]]) -> str:
        if not faxes:
            raise ApiError("No fax is being sent.")
        api = self.connect()
        for fax in faxes:
            api.post(f"/faxes/{fax['id']}/cancel", {})
        return f"{len(faxes)} cancelled."

    def _hand_on(self) -> str:
        api = self.connect()
        found = api.get(f"/received?limit={MOST}")["received"]
        found = [fax for fax in found if fax["ended_at"] and fax["pages"]]  # not one still being received
        if not found:
            raise ApiError("No fax has come in yet.")
        fax = found[0]["id"]
        if self.forward_to:
            api.post(f"/received/{fax}/forward", {"to": [self.forward_to]})
            return f"Fax {fax} goes to {self.forward_to}."
        api.post(f"/received/{fax}/print", {"printer": self.printer} if self.printer else {})
        return f"Fax {fax} is being printed."

    def _retry(self) -> str:
        api = self.connect()
        found = api.get("/faxes?state=failed&limit=1")["faxes"]
        if not found:
            raise ApiError("No fax has failed.")
        again = api.post(f"/faxes/{found[0]['id']}/resend", {})
        return f"Fax {found[0]['id']} is sent again as {again['id']}."

    def _shut_down(self) -> str:
        self._ask_systemd(POWEROFF_FILE, "it cannot be shut down from here")
        return "The box shuts down."

    def _put_back(self) -> str:
        if not RESET_UNIT.exists():
            raise ApiError("This machine was not made from the image: delete its data folder instead.")
        self._ask_systemd(RESET_FILE, "it cannot be put back from here")
        return "The box starts anew as it was delivered; all faxes and settings are gone."

    def _ask_systemd(self, file: str, refusal: str) -> None:
        """Makes a file that a systemd unit watches for.

        Raises ApiError with ``refusal`` when no unit does, or when the file cannot be made.
        """
        if self.runtime is None:
            raise ApiError(f"This box is not run by systemd, so that {refusal}.")
        try:
            (self.runtime / file).touch()
        except OSError as error:
            raise ApiError(f"The panel could not tell systemd: {error}") from error


def _moment(at: float) -> str:
    """Unix time as the REST interface writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
