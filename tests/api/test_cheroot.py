"""The internals of cheroot that the server overrides are unchanged.

cheroot promises nothing about them.  When this fails after an update: read the modules ``http_*`` of
``appliance/api`` beside the new cheroot, then note the new digests.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from cheroot.makefile import StreamReader
from cheroot.server import HTTPConnection, HTTPRequest, HTTPServer, KnownLengthRFile
from cheroot.workers.threadpool import ThreadPool, WorkerThread

from appliance.api import http_connection, http_listener
from appliance.api.http_request import HttpRequest

# Of each part that is overridden, called or relied on: the beginning of its source's SHA-256.
KNOWN = {
    HTTPRequest.__init__: "b299756eb761",
    HTTPRequest.parse_request: "fd297093b3c1",
    HTTPRequest.read_request_line: "ad024dacbe48",
    HTTPRequest.read_request_headers: "d94b865cedce",
    HTTPRequest.respond: "a71b8810e591",
    HTTPRequest.send_headers: "2e37be5c9ddc",
    HTTPRequest.simple_response: "d20570295d74",
    HTTPRequest.write: "acec0baee308",
    HTTPRequest.ensure_headers_sent: "e7ac3fb76278",
    HTTPConnection.__init__: "20161cb1b494",
    HTTPConnection.communicate: "ff86a120f871",
    HTTPConnection.close: "ecd6c8fa60cb",
    HTTPServer.bind: "d6dfdca221d6",
    HTTPServer.process_conn: "e9f50753c337",
    HTTPServer.error_log: "b730a20b5005",
    KnownLengthRFile: "173e63b6179b",
    StreamReader.has_data: "51ff219c8851",
    ThreadPool.__init__: "62cb8a6f8309",
    ThreadPool.put: "0f0daf5b7df4",
    ThreadPool.grow: "446864dabf15",
    ThreadPool._spawn_worker: "97b8ab5c680a",
    ThreadPool.stop: "a2d0b8e5662d",
    WorkerThread.run: "d27ab31845b3",
}


def digest(part: Any) -> str:
    return hashlib.sha256(inspect.getsource(part).encode()).hexdigest()[:12]


@pytest.mark.parametrize("part", KNOWN, ids=lambda part: part.__qualname__)
def test_an_inner_part_of_cheroot_is_as_it_was(part: Callable[..., Any]) -> None:
    version = importlib.metadata.version("cheroot")
    assert digest(part) == KNOWN[part], f"cheroot {version} has another {part.__qualname__}"


def test_every_override_is_watched() -> None:
    ours = (
        HttpRequest,
        http_connection._TlsReader,
        http_connection.Connection,
        http_listener.CherootServer,
        http_listener.Workers,
    )
    watched = {part.__qualname__.rpartition(".")[2] for part in KNOWN}
    for kind in ours:
        base = kind.__mro__[1]
        overridden = {name for name, value in vars(kind).items() if inspect.isfunction(value)} & set(
            dir(base)
        )
        assert overridden <= watched, kind
