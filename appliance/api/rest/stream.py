"""The event stream: what happens in the box, as server-sent events.

Each stream keeps a thread, so there are few (``context.STREAMS``).  A reader that comes back says the
last id it saw and misses nothing that is kept; one that is slow loses passing news only.
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
from appliance.spool.model import Event, News

# Without news, a sign of life goes out so often, seconds: keeps proxies from closing, finds clients gone.
HEARTBEAT_S = 15.0
# How soon a stop of the box is noticed, seconds.
LOOK_S = 1.0
# How long a reconnecting client is asked to wait, milliseconds.
RETRY_MS = 3000
# Streams of one browser: its windows share one, those that are left behind end.
SESSION_STREAMS = 3
_BATCH = 500
# A comment; to a page's script, which cannot hear comments, an event: without one it never learns that the
# machine at the other end lost power.  It says how often it comes.
_HEARTBEAT = b":\n\n"
_PAGE_HEARTBEAT = f"event: alive\ndata: {json.dumps({'every_s': HEARTBEAT_S})}\n\n".encode()


def stream(call: Call) -> Answer:
    since = call.query.get("since")
    last = call.header("Last-Event-ID")
    if last:
        if not (last.isascii() and last.isdecimal()) or len(last) > 15:
            raise flaw("Last-Event-ID", said("the id of an event is needed"))
        since = int(last)
    # Browsers leave streams behind, of pages that are gone, until these have something to say.
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
        # A browser hears an event with a name only where its script knows that name.
        self._named = call.query.get("named") is not False
        # Listening begins before the log is read, so that nothing falls between.  Without ``since`` the
        # stream begins here, not when its first octets go out: by then its reader may have looked already.
        self._listener = context.box.history.listen()
        self._last = context.box.history.last_id() if since is None else since
        self._from_log = since is not None
        self._closed = False
        self.ended = False  # to be: another took its place
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
        """The kept events after the last that was seen."""
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
        """Whether the caller may read on; one who may do less than before begins anew, with what is left."""
        try:
            self._call.require_still()
        except ProblemError:
            return False
        return True

    def _seen(self, item: Event | News) -> bool:
        if not isinstance(item, Event):
            return False
        if item.id <= self._last:
            return True
        self._last = item.id
        return False

    def _shows(self, item: Event | News) -> bool:
        if self._fax_id is not None and item.fax_id != self._fax_id:
            return False
        if self._caller.sees is not None and item.owner not in ("", self._caller.sees):
            return False
        kind = item.kind.partition(".")[0]
        if kind == "job":
            return self._caller.may(Scope.SEND)
        # A call that comes in has no fax yet that its account could name.
        if kind == "received" or (kind == "call" and item.fax_id is None):
            return self._caller.may(Scope.RECEIVE) and self._sees_received(item)
        return True

    def _sees_received(self, item: Event | News) -> bool:
        """Of faxes that were given to nobody a reader hears only of those that are theirs to read."""
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

    def _octets_of(self, item: Event | News) -> bytes:
        lines = [f"id: {item.id}"] if isinstance(item, Event) else []
        if self._named:
            lines.append(f"event: {item.kind}")
        lines.append(f"data: {json.dumps(event_view(item), default=str)}")
        return ("\n".join(lines) + "\n\n").encode()
