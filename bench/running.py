"""A real box (``faxbox serve``) in a process of its own, and clients that speak to it over HTTP.

Measurements and load tests see the box as the world does: from outside, over loopback.
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
from appliance.net.settings import ADDRESS_FILE
from appliance.settings import secrets
from appliance.settings.accounts import Scope

# A box that says nothing for so long will not come, seconds.
START_LIMIT_S = 60.0
ANSWER_S = 120.0
STOP_S = 30.0
# A connection that has been idle for longer is not used again, seconds: the box may be about to close it.
KEPT_S = 2.0
# The limits of a key keep one client from drowning the box; here that is what is wanted.
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
    """A box that runs.  ``ready_s``: from its start to its first answer to a request."""

    data: Path
    process: subprocess.Popen[str]
    port: int
    token: str
    ready_s: float

    def client(self) -> Client:
        return Client(self.port, self.token)

    def tree(self) -> list[int]:
        """The box's process and all those it has started."""
        return _tree(self.process.pid)

    def memory_mib(self) -> float:
        """Memory of all its processes, what they share counted once (PSS), MiB."""
        return sum(pss_mib(pid) for pid in self.tree())

    def cpu_s(self) -> float:
        """Processor time of all its processes that are alive, and of those that it has reaped."""
        return sum(_cpu_s(pid) for pid in self.tree())


@contextlib.contextmanager
def running(
    data: Path,
    settings: Mapping[str, str] | None = None,
    log: Path | None = None,
    *,
    before: Callable[[], object] | None = None,
) -> Iterator[Running]:
    """A box on folder ``data`` with these settings besides ``NO_LIMITS``; stopped at the end.

    What it prints goes to ``log``, ``serve.log`` in ``data`` when None.  ``before`` is called in its process
    before it is the box.
    Raises RuntimeError when it does not come up.
    """
    data.mkdir(parents=True, exist_ok=True)
    store = open_settings(data)
    for path, value in {**NO_LIMITS, **(settings or {})}.items():
        store.set_path(path, value)
    _, token = secrets.add_key(
        store, f"load {time.time_ns()}", scopes=(Scope.SEND, Scope.RECEIVE, Scope.ADMIN), owner="load"
    )
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
    """One client of the box with one connection, kept open.  Not for several threads."""

    port: int
    token: str
    _connection: http.client.HTTPConnection | None = field(default=None, init=False)
    _used_at: float = field(default=0.0, init=False)

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request; ``body`` goes as JSON unless it is octets.  Raises OSError, HTTPException."""
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
                # A kept connection may have been closed between two requests; it is no answer that is lost.
                if fresh or last or method != "GET":
                    raise
        raise AssertionError

    def send(self, to: str, name: str, content: bytes, **fields: str) -> Reply:
        """Hands in a fax as a form with one file."""
        body = form_body({"to": to, **fields}, [(name, content)])
        kind = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        return self.ask("POST", "/faxes", body, headers=kind)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of a metric that have these labels."""
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        total = 0.0
        for line in self.ask("GET", "/metrics").content.decode().splitlines():
            found = _SAMPLE.fullmatch(line)
            if found and found[1] == name and wanted <= set((found[2] or "").split(",")):
                total += float(found[3])
        return total

    def unfinished(self) -> int:
        """Faxes to send that have not ended; those whose fate is unknown wait for a person."""
        states = ("held", "preparing", "needs_number", "waiting", "sending")
        return int(sum(self.metric("faxbox_jobs", state=state) for state in states))

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
    """Memory of one process, its part of what it shares with others (PSS), MiB."""
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
