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
