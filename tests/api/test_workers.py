"""The threads of the HTTP server: few when idle, one for each active connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from appliance.api.http_listener import Workers

HANG_S = 60.0
AT_START, MOST = 2, 6


class Held:
    """A connection that is at work until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.closed = threading.Event()

    def communicate(self) -> bool:
        self.begun.set()
        self.go_on.wait(HANG_S)
        return False

    def close(self) -> None:
        self.closed.set()


@pytest.fixture(name="workers")
def _workers() -> Iterator[Any]:
    server = SimpleNamespace(stats={"Enabled": False, "Worker Threads": {}}, ready=True)
    server.requests = Workers(server, min=AT_START, max=MOST, accepted_queue_size=100)
    server.requests.start()
    yield server.requests
    server.requests.stop(HANG_S)


def held(workers: Any, count: int) -> list[Held]:
    connections = [Held() for _ in range(count)]
    for connection in connections:
        workers.put(connection)
    return connections


def finish(connections: list[Held]) -> None:
    for connection in connections:
        connection.go_on.set()
    for connection in connections:
        assert connection.closed.wait(HANG_S)


def test_each_connection_has_a_thread_though_the_others_never_end(workers: Any) -> None:
    connections = held(workers, MOST)
    assert all(connection.begun.wait(HANG_S) for connection in connections)
    assert len(workers._threads) == MOST
    finish(connections)


def test_there_are_no_more_threads_than_the_most_and_nobody_who_waits_is_forgotten(workers: Any) -> None:
    connections = held(workers, 3 * MOST)
    finish(connections)
    assert len(workers._threads) == MOST


def test_connections_in_succession_start_no_further_thread(workers: Any) -> None:
    for _ in range(10 * AT_START):
        finish(held(workers, 1))
    # One that has closed its connection may not have said so yet when the next comes: one more, once.
    assert len(workers._threads) <= AT_START + 1


def test_where_no_thread_can_be_had_those_that_there_are_do_the_work(
    workers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(workers, "_spawn_worker", refused)
    finish(held(workers, 2 * MOST))
    assert len(workers._threads) == AT_START
