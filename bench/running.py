"""A real box (``faxbox serve``) in a separate process, and clients that use it over HTTP.

Measurements and load tests reach the box from outside, over loopback.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.configuration import open_settings
from appliance.net.own_address import FILE_NAME as ADDRESS_FILE
from appliance.settings import secrets
from appliance.settings.accounts import Scope, UserRole
from appliance.settings.store import SettingsStore

# Time limit for the start of a box, seconds.
START_LIMIT_S = 60.0
ANSWER_S = 120.0
STOP_S = 30.0
# A connection that has been idle for longer than this is not reused, seconds: the box may close it.
KEPT_S = 2.0
# The limits of a key keep one client from overloading the box, which is intended here.
NO_LIMITS = {
    "api.requests_per_hour": "0",
    "api.burst": "0",
    "api.requests_at_once": "1000",
}
PREFIX = "/api/v1"
_BOUNDARY = "a-boundary-that-no-file-has"
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Running:
    """A running box.  ``ready_s``: from its start to its first response, seconds."""

    data: Path
    process: subprocess.Popen[str]
    port: int
    token: str
    ready_s: float

    def client(self) -> Client:
        return Client(self.port, self.token)

    def tree(self) -> list[int]:
        """The ids of the box's process and of all those it has started."""
        return _tree(self.process.pid)

    def memory_mib(self) -> float:
        """Memory of all its processes, MiB; shared memory counts once (PSS)."""
        return sum(pss_mib(pid) for pid in self.tree())

    def cpu_s(self) -> float:
        """Processor seconds of all its running processes, and of those that it has reaped."""
        return sum(_cpu_s(pid) for pid in self.tree())


def add_key(store: SettingsStore, name: str) -> str:
    """A key for everything, of the administrator "load", who is made when missing; returns its token."""
    if secrets.user_named(store, "load") is None:
        secrets.add_user(store, "load", secrets.hash_token(name), role=UserRole.ADMIN)
    return secrets.add_key(store, name, scopes=(Scope.SEND, Scope.RECEIVE, Scope.ADMIN), owner="load")[1]


@contextlib.contextmanager
def running(
    data: Path,
    settings: Mapping[str, str] | None = None,
    log: Path | None = None,
    *,
    before: Callable[[], object] | None = None,
) -> Iterator[Running]:
    """A box on folder ``data`` with these settings besides ``NO_LIMITS``; stopped at the end.

    Its output goes to ``log``, or to ``serve.log`` in ``data`` when that is None.  ``before`` is called in
    its process before ``exec``.  Raises RuntimeError when it does not start.
    """
    data.mkdir(parents=True, exist_ok=True)
    store = open_settings(data)
    for path, value in {**NO_LIMITS, **(settings or {})}.items():
        store.set_path(path, value)
    token = add_key(store, f"load {time.time_ns()}")
    (data / ADDRESS_FILE).unlink(missing_ok=True)
    begun = time.monotonic()
    with (log or data / "serve.log").open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance.cli", "serve", "--data", str(data), "--http", "127.0.0.1:0"],
            stdout=output,
            stderr=output,
            text=True,
            preexec_fn=before,  # noqa: PLW1509 - what tests give it takes no lock
        )
    try:
        port = _first_answer(data, process)
        yield Running(data, process, port, token, time.monotonic() - begun)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _first_answer(data: Path, process: subprocess.Popen[str]) -> int:
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            url = json.loads((data / ADDRESS_FILE).read_text())["url"]
            port = int(url.rstrip("/").rpartition(":")[2])
            if Client(port, "").ask("GET", "/health").status == http.client.OK:
                return port
        time.sleep(0.005)
    raise RuntimeError(f"the box on {data} did not come up")


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Client:
    """One client of the box with one persistent connection.  Not thread-safe."""

    port: int
    token: str
    _connection: http.client.HTTPConnection | None = field(default=None, init=False)
    _used_at: float = field(default=0.0, init=False)

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Makes a request; sends ``body`` as JSON unless it is octets.  Raises OSError, HTTPException."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent.update(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if time.monotonic() - self._used_at > KEPT_S:
            self.close()
        self._used_at = time.monotonic()
        for last in (False, True):
            fresh = self._connection is None
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
            try:
                self._connection.request(method, PREFIX + path, body, sent)
                answer = self._connection.getresponse()
                return Reply(answer.status, dict(answer.headers), answer.read())
            except (OSError, http.client.HTTPException):
                self.close()
                # The connection may have been closed between two requests; no response is lost by that.
                if fresh or last or method != "GET":
                    raise
        raise AssertionError

    def send(self, to: str, name: str, content: bytes, **fields: str) -> Reply:
        """Submits a fax as a form with one file."""
        body = form_body({"to": to, **fields}, [(name, content)])
        kind = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        return self.ask("POST", "/faxes", body, headers=kind)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of a metric that have these labels."""
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        return sum(value for found, value in self._samples(name) if wanted <= found)

    def _samples(self, name: str) -> list[tuple[set[str], float]]:
        """The labels and values of a metric, all of one moment."""
        lines = self.ask("GET", "/metrics").content.decode().splitlines()
        found = [sample for line in lines if (sample := _SAMPLE.fullmatch(line)) and sample[1] == name]
        return [(set((sample[2] or "").split(",")), float(sample[3])) for sample in found]

    def unfinished(self) -> int:
        """The number of faxes to send that have not ended; those with unknown result wait for a person."""
        return int(sum(value for _, value in self._samples("faxbox_jobs")))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def form_body(fields: Mapping[str, str], files: list[tuple[str, bytes]]) -> bytes:
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts += [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()


def _tree(pid: int) -> list[int]:
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _tree(int(child))
    return found


def pss_mib(pid: int) -> float:
    """Memory of one process with its part of shared memory (PSS), MiB."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _cpu_s(pid: int) -> float:
    """proc(5), stat: utime, stime, cutime and cstime are fields 14 to 17."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / _CLOCK_TICKS
    return 0.0
