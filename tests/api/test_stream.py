"""The event stream, read like a browser, octet by octet from a socket."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from appliance.api.context import STREAMS, STREAMS_EACH
from appliance.api.rest import stream
from appliance.settings.accounts import Scope
from tests.api.served import PREFIX, TIMEOUT_S, Served


@dataclass(frozen=True)
class Heard:
    id: str
    kind: str
    data: dict[str, object]


class Reader:
    """A client of the stream."""

    def __init__(self, served: Served, query: str = "", *, token: str = "", last: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {token or served.admin}"}
        if last:
            headers["Last-Event-ID"] = last
        self._connection.request("GET", f"{PREFIX}/events{query}", headers=headers)
        self.answer = self._connection.getresponse()

    def __iter__(self) -> Iterator[Heard]:
        fields: dict[str, str] = {}
        while line := self.answer.readline():
            text = line.decode().rstrip("\n")
            if text:
                name, _, value = text.partition(": ")
                fields[name] = value
            else:
                if "event" in fields:
                    yield Heard(fields.get("id", ""), fields["event"], json.loads(fields["data"]))
                fields = {}

    def until(self, kind: str) -> list[Heard]:
        heard = []
        for item in self:
            heard.append(item)
            if item.kind == kind:
                return heard
        raise AssertionError(f"the stream ended before {kind}")

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


def send(served: Served, token: str | None = None) -> int:
    made = served.form("/faxes", [("to", "9990")], [("a.txt", b"one")], token=token)
    fax_id: int = made.json["faxes"][0]["id"]
    return fax_id


def test_a_fax_is_followed_live_from_accepted_to_delivered(served: Served) -> None:
    reader = Reader(served)
    assert reader.answer.headers["Content-Type"].startswith("text/event-stream")
    fax_id = send(served)
    heard = reader.until("job.delivered")
    reader.close()
    kinds = [item.kind for item in heard if item.data["fax_id"] == fax_id]
    assert kinds[0] == "job.accepted"
    assert "call.progress" in kinds, "passing news goes out, too"
    kept = [int(item.id) for item in heard if item.id]
    assert kept == sorted(set(kept))


def test_a_reader_that_reconnects_gets_each_event_once(served: Served) -> None:
    reader = Reader(served)
    send(served)
    heard = reader.until("job.accepted")
    reader.close()
    last = heard[-1].id
    served.ended(send(served))
    again = Reader(served, last=last)
    missed = []
    for item in again:
        missed.append(item)
        if [each.kind for each in missed].count("job.delivered") == 2:
            break
    again.close()
    kept = [int(item.id) for item in missed if item.id]
    logged = [event.id for event in served.box.history.since(int(last))]
    assert kept == logged[: len(kept)]


def test_a_stream_can_begin_with_the_oldest_stored_event(served: Served) -> None:
    served.ended(send(served))
    reader = Reader(served, "?since=0")
    first = next(iter(reader))
    reader.close()
    assert (first.id, first.kind) == ("1", served.box.history.since(0)[0].kind)


def test_one_fax_can_be_followed_alone(served: Served) -> None:
    other, wanted = send(served), send(served)
    served.ended(other)
    served.ended(wanted)
    reader = Reader(served, f"?since=0&fax={wanted}")
    heard = reader.until("job.delivered")
    reader.close()
    assert {item.data["fax_id"] for item in heard} == {wanted}


def test_a_stream_has_only_events_of_its_readers_own_faxes(served: Served) -> None:
    token = served.key("listener", Scope.SEND)
    reader = Reader(served, token=token)
    served.ended(send(served))
    own = send(served, token)
    heard = reader.until("job.delivered")
    reader.close()
    assert {item.data["fax_id"] for item in heard if item.kind.startswith("job.")} == {own}


def test_a_key_without_the_scope_hears_nothing_of_received_faxes(served: Served) -> None:
    reader = Reader(served, "?since=0", token=served.key("deaf", Scope.SEND))
    served.ask("POST", "/practice/receive", {})
    served.wait(lambda: any(event.kind == "received.complete" for event in served.box.history.since(0)))
    send(served, served.key("deaf", Scope.SEND))
    heard = reader.until("job.delivered")
    reader.close()
    assert not any(item.kind.startswith("received.") for item in heard)


def test_a_key_without_the_scope_does_not_follow_calls_that_come_in(served: Served) -> None:
    deaf = Reader(served, token=served.key("deaf", Scope.SEND))
    hears = Reader(served, token=served.key("hears", Scope.RECEIVE))
    served.ask("POST", "/practice/receive", {})
    assert any(item.kind == "call.progress" for item in hears.until("received.complete"))
    send(served, served.key("deaf", Scope.SEND))
    heard = deaf.until("job.delivered")
    deaf.close()
    hears.close()
    assert all(item.data["fax_id"] for item in heard if item.kind == "call.progress")


def test_one_key_does_not_take_everybody_s_streams(served: Served) -> None:
    token = served.key("greedy", Scope.SEND)
    readers = [Reader(served, token=token) for _ in range(STREAMS_EACH)]
    refused = served.ask("GET", "/events", token=token)
    assert (refused.status, refused.json["code"]) == (429, "too_many_requests")
    assert refused.headers["Retry-After"]
    other = Reader(served)
    assert other.answer.status == 200
    for reader in (*readers, other):
        reader.close()


def test_streams_are_few_and_a_closed_one_makes_room(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.5)  # a beat finds out who is gone
    served.wait(lambda: served.server.context.streams.used == 0)
    tokens = [served.key(f"reader {number // STREAMS_EACH}", Scope.SEND) for number in range(STREAMS)]
    readers = [Reader(served, token=token) for token in tokens]
    assert {reader.answer.status for reader in readers} == {200}
    one_too_many = served.ask("GET", "/events")
    assert (one_too_many.status, one_too_many.json["code"]) == (503, "too_busy")
    assert served.ask("GET", "/status").status == 200, "requests are answered beside full streams"
    for reader in readers:
        reader.close()
    served.wait(lambda: served.server.context.streams.used == 0)


@pytest.mark.parametrize("last", ["x", "-1", "1" * 16])
def test_a_wrong_last_id_is_refused(served: Served, last: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.5)
    served.wait(lambda: served.server.context.streams.used == 0)  # those of other tests have gone
    assert served.ask("GET", "/events", headers={"Last-Event-ID": last}).status == 400
    assert served.server.context.streams.used == 0
