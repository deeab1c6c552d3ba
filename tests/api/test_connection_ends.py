"""A closed connection leaves no data that is still to be sent."""

from __future__ import annotations

import gc
import socket
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from cheroot.makefile import StreamReader, StreamWriter

from appliance.api.http_connection import Connection
from tests.api.served import Served


def a_file(sock: socket.socket, mode: str, size: int) -> Any:
    return (StreamReader if "r" in mode else StreamWriter)(sock, mode, size)


def test_answer_that_nobody_took_is_not_sent_through_a_closed_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: complaints.append(str(what.exc_value)))
    ours, theirs = socket.socketpair()
    theirs.close()
    connection = Connection(
        SimpleNamespace(stopping=False, peercreds_enabled=False, peercreds_resolve_enabled=False),
        ours,
        a_file,
    )
    writer = connection.wfile
    with pytest.raises(BrokenPipeError):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    connection.close()
    assert writer.closed
    del connection, writer
    gc.collect()
    assert complaints == []


def test_small_answer_is_sent_at_once_with_its_head(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    write = StreamWriter.write

    def noted(self: StreamWriter, octets: bytes) -> Any:
        sent.append(octets)
        return write(self, octets)

    monkeypatch.setattr(StreamWriter, "write", noted)
    assert served.ask("GET", "/health", token="").status == 200
    assert served.ask("GET", "/nothing/here").status == 404
    assert [octets[:9] for octets in sent] == [b"HTTP/1.1 "] * 2
    assert all(octets.endswith(b"}") for octets in sent)
