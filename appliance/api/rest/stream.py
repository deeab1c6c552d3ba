"""The event stream: the box's events as server-sent events.

Each stream occupies a thread, so their number is limited (``context.STREAMS``).  A client that reconnects
sends the last id it saw and misses none of the kept events; a slow one loses only transient ones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator

from appliance.api.context import Context
from appliance.api.problems import ProblemError
from appliance.api.rest.checking import flaw
from appliance.api.rest.routes import Answer, Call
from appliance.api.rest.views import event_view
from appliance.language import said
from appliance.settings.accounts import Scope
from appliance.spool.errors import NotFoundError, SpoolClosedError
from appliance.spool.model import Event, TransientEvent

# Time between two heartbeats, seconds: they keep proxies from closing and detect clients that are gone.
HEARTBEAT_S = 15.0
# Time within which a stop of the box is noticed, seconds.
LOOK_S = 1.0
# The wait that a reconnecting client is asked for, milliseconds.
RETRY_MS = 3000
# The most streams of one browser session: its windows share one, abandoned ones are ended.
SESSION_STREAMS = 3
_BATCH = 500
# A comment; for a page's script, which cannot see comments, an event, so that it notices when the box loses
# power.  It contains its own interval.
_HEARTBEAT = b":\n\n"
_PAGE_HEARTBEAT = f"event: alive\ndata: {json.dumps({'every_s': HEARTBEAT_S})}\n\n".encode()


def stream_events(call: Call) -> Answer:
    """Stream the events live.

    Server-sent events: the kind is the event's name, its data is an `Event` as JSON.
    """
    since = call.query.get("since")
    last = call.header("Last-Event-ID")
    if last:
        if not (last.isascii() and last.isdecimal()) or len(last) > 15:
            raise flaw("Last-Event-ID", said("the id of an event is needed"))
        since = int(last)
    # Browsers keep streams of closed pages open until something is sent.
    if call.caller.session_id:
        end_oldest(call.context, call.caller.session_id)
    else:
        call.context.own_streams.take(call.caller.who)
    try:
        call.context.streams.take(1, 0)
    except BaseException:
        if not call.caller.session_id:
            call.context.own_streams.give(call.caller.who)
        raise
    made = _Stream(call, since, call.query.get("fax"))
    if call.caller.session_id:
        call.context.session_streams.setdefault(call.caller.session_id, []).append(made)
    return Answer(
        stream=made,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def end_oldest(context: Context, session_id: str) -> None:
    """Ends the oldest streams of a session where one more would be too many."""
    mine = context.session_streams.get(session_id, [])
    for old in mine[: max(0, len(mine) - SESSION_STREAMS + 1)]:
        old.ended = True


class _Stream:
    """The octets of one stream; ``close`` gives its place back."""

    def __init__(self, call: Call, since: int | None, fax_id: int | None) -> None:
        self._call = call
        self._context = context = call.context
        self._caller = call.caller
        self._fax_id = fax_id
        # A browser passes on an event with a name only to a script that knows the name.
        self._named = call.query.get("named") is not False
        # Listening begins before the log is read, so that no event is missed.  Without ``since`` the stream
        # begins here, not with its first octets: by then its reader may have read the state already.
        self._listener = context.box.history.listen()
        self._last = context.box.history.last_id() if since is None else since
        self._from_log = since is not None
        self._closed = False
        self.ended = False  # another stream takes its place
        self._octets = self._make()

    def __iter__(self) -> Iterator[bytes]:
        return self._octets

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._octets.close()
            self._listener.close()
            self._context.streams.give(1)
            if self._caller.session_id:
                mine = self._context.session_streams.get(self._caller.session_id, [])
                if self in mine:
                    mine.remove(self)
                if not mine:
                    self._context.session_streams.pop(self._caller.session_id, None)
            else:
                self._context.own_streams.give(self._caller.who)

    def _make(self) -> Generator[bytes, None, None]:
        yield f"retry: {RETRY_MS}\n\n".encode()
        if self._from_log:
            yield from self._log()
        spoken = time.monotonic()
        while not self._context.stopping.is_set() and not self.ended:
            item = self._listener.get(LOOK_S)
            if not self._still_known():
                return
            if self._listener.missed:
                self._listener.missed = False
                yield from self._log()
            if item is not None and not self._seen(item) and self._shows(item):
                yield self._octets_of(item)
                spoken = time.monotonic()
            elif time.monotonic() - spoken >= HEARTBEAT_S:
                yield _PAGE_HEARTBEAT if self._caller.session_id else _HEARTBEAT
                spoken = time.monotonic()

    def _log(self) -> Iterator[bytes]:
        """The kept events after the last that the client saw."""
        while not self._context.stopping.is_set():
            try:
                batch = self._context.box.history.since(self._last, self._caller.sees, _BATCH)
            except SpoolClosedError:
                return
            if not self._still_known():
                return
            for event in batch:
                self._last = event.id
                if self._shows(event):
                    yield self._octets_of(event)
            if len(batch) < _BATCH:
                return

    def _still_known(self) -> bool:
        """Whether the caller may read as much as before; if not, the stream ends."""
        try:
            self._call.require_still()
        except ProblemError:
            return False
        return True

    def _seen(self, item: Event | TransientEvent) -> bool:
        if not isinstance(item, Event):
            return False
        if item.id <= self._last:
            return True
        self._last = item.id
        return False

    def _shows(self, item: Event | TransientEvent) -> bool:
        if self._fax_id is not None and item.fax_id != self._fax_id:
            return False
        if not self._caller.may_use(item.owner):
            return False
        kind = item.kind.partition(".")[0]
        if kind == "job":
            return self._caller.may(Scope.SEND)
        # An incoming call has no fax yet that its trace could name.
        if kind == "received" or (kind == "call" and item.fax_id is None):
            return self._caller.may(Scope.RECEIVE) and self._sees_received(item)
        return True

    def _sees_received(self, item: Event | TransientEvent) -> bool:
        """Whether the reader may hear of a received fax: their own, or an unassigned one they may read."""
        owner = self._caller.sees
        if owner is None or item.owner == owner or self._context.box.accounts.sight(owner).unassigned:
            return True
        if item.fax_id is None:
            return False
        try:
            self._context.box.inbox.get(item.fax_id, owner, deleted=True)
        except (NotFoundError, SpoolClosedError):
            return False
        return True

    def _octets_of(self, item: Event | TransientEvent) -> bytes:
        lines = [f"id: {item.id}"] if isinstance(item, Event) else []
        if self._named:
            lines.append(f"event: {item.kind}")
        lines.append(f"data: {json.dumps(event_view(item), default=str)}")
        return ("\n".join(lines) + "\n\n").encode()
