"""A real ``faxbox serve`` on loopback, and plain HTTP towards it."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from appliance.configuration import open_settings
from appliance.lines.practice.settings import PracticeSettings
from appliance.net.settings import ApiSettings
from appliance.settings import secrets
from appliance.settings.accounts import Scope
from appliance.spool.settings import SendingSettings
from appliance.station import StationSettings

USER, PASSWORD = "ada", "a long password of hers"
OWN_NUMBER = "+493012345"
# Longest a practice fax takes when the machine is busy, seconds: only for hangs.
PATIENCE_S = 240.0


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class RunningBox:
    """A box in ``data``; ``key`` may send and receive, ``ada`` is a user."""

    data: Path
    key: str = ""
    admin_key: str = ""
    url: str = ""
    _process: subprocess.Popen[str] | None = None
    _said: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        store = open_settings(self.data)
        store.change(PracticeSettings, {"speed": 10.0, "wait_s": 0.2, "calls_at_once": 8})
        store.change(StationSettings, {"station_id": "+49 30 12345", "name": "Test"})
        # Tests make many requests within a second; what the limits do has tests of its own.
        store.change(ApiSettings, {"requests_per_hour": 0, "burst": 0, "private_urls": True})
        store.change(SendingSettings, {"max_tries": 2})
        _, self.key = secrets.add_key(store, "client")
        _, self.admin_key = secrets.add_key(store, "boss", scopes=(Scope.ADMIN,))
        secrets.add_user(store, USER, PASSWORD, email="ada@example.com")

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "appliance.cli",
                "serve",
                "--data",
                str(self.data),
                "--http",
                "127.0.0.1:0",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.append(line)
            if "ready" in line:
                break
        else:
            raise AssertionError("".join(self._said))
        threading.Thread(target=self._drain, daemon=True).start()
        self.url = json.loads((self.data / "http.json").read_text())["url"]

    def _drain(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.append(line)

    @property
    def said(self) -> str:
        return "".join(self._said)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(120) == 0, self.said

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    @contextlib.contextmanager
    def practice(self, **changes: Any) -> Iterator[None]:
        """Changes the practice line temporarily, for calls that begin meanwhile."""
        before = self.boss("GET", "/settings/practice").json
        # A new number of calls at once shows when the new line is there.
        self._change_practice({"calls_at_once": before["calls_at_once"] + 1, **changes})
        try:
            yield
        finally:
            self._change_practice({name: before[name] for name in ("calls_at_once", *changes)})

    def _change_practice(self, changes: Mapping[str, Any]) -> None:
        self.boss("PATCH", "/settings/practice", changes)
        wanted = [changes["calls_at_once"]]
        until(lambda: [each["capacity"] for each in self.boss("GET", "/lines").json["lines"]] == wanted)

    def boss(self, method: str, path: str, data: Any = None) -> Reply:
        """A call of the own interface by an administrator, which succeeds."""
        headers = {"Authorization": f"Bearer {self.admin_key}", "Content-Type": "application/json"}
        body = None if data is None else json.dumps(data).encode()
        reply = self.call(method, f"/api/v1{path}", body, headers)
        assert reply.status < 300, reply
        return reply

    def receive_practice_fax(self) -> None:
        """Has the practice line call the box."""
        assert self.boss("POST", "/practice/receive", {}).status == 202


def until(what: Callable[[], Any], *, patience: float = PATIENCE_S) -> Any:
    """The first true answer of ``what``."""
    end = time.monotonic() + patience
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def form(
    fields: Mapping[str, str], files: Mapping[str, tuple[str, str, bytes]] | None = None
) -> tuple[bytes, str]:
    """A multipart form as RFC 7578 has it, and its Content-Type."""
    boundary = "----practice7d1"
    lines: list[bytes] = []
    for name, value in fields.items():
        lines += [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode(),
            value.encode(),
            b"\r\n",
        ]
    for name, (filename, kind, content) in (files or {}).items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        lines += [head.encode(), f"Content-Type: {kind}\r\n\r\n".encode(), content, b"\r\n"]
    lines.append(f"--{boundary}--\r\n".encode())
    return b"".join(lines), f"multipart/form-data; boundary={boundary}"


def small_pdf(pages: int = 1) -> bytes:
    """A PDF of blank pages with a box on each, written by hand."""
    kids = " ".join(f"{3 + 2 * index} 0 R" for index in range(pages))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count {pages}/Kids[{kids}]>>".encode()]
    for index in range(pages):
        stream = f"q 4 w 72 72 {200 + 20 * index} 300 re S Q".encode()
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {4 + 2 * index} 0 R>>".encode()
        )
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    running = RunningBox(tmp_path_factory.mktemp("box"))
    running.prepare()
    running.start()
    try:
        yield running
        assert "Traceback" not in running.said
        running.stop()
    finally:
        running.kill()
