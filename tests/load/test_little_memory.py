"""A box limited to 200 MB of memory, with the largest accepted document at each door.

The kernel holds the box to that (a memory cgroup).  Each door says yes or no in words, the box goes on, and
what was accepted ends with a cause.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import random
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.client import HTTPConnection
from pathlib import Path

import pytest
from PIL import Image

from appliance.configuration import open_settings
from appliance.ipp import codec
from appliance.printing import cups_backend
from appliance.printing.queues import make_folder
from appliance.settings import secrets
from appliance.settings.accounts import Scope, User, UserRole
from bench import marked
from bench.running import Client, running
from tests.api_ipp.requests import request, to
from tests.ports import free_port

LIMIT = 200 << 20
BUSY = "9991"  # what is made into pages rings there once: no page of noise need be sent
PASSWORD = "correct horse battery"
# Doors that take a document of that size: REST, web, IPP, the print queue, the scan folder.
TAKEN = 5
ENDS = {"busy", "document_too_large", "document_memory", "document_worker_killed", "needs_number"}
FINISH_S = 900.0  # only for hangs
SETTINGS = {
    "practice.speed": "10",
    "practice.wait_s": "0.2",
    "sending.max_tries": "1",
    "ipp.access": "users",
    "mail_in.message_mb": "10",  # one of 25 MB takes more than such a box has (docs/security.md)
    "mail_in.listen": "true",
    "mail_in.listen_bind": "127.0.0.1",
    "mail_in.networks": "127.0.0.0/8",
}
Door = Callable[[bytes, str], str]


@contextlib.contextmanager
def little_memory(octets: int) -> Iterator[tuple[Callable[[], None], Callable[[], int]]]:
    """What puts a process under the limit, and what tells how often memory ran out."""
    root = Path("/sys/fs/cgroup")
    first = (root / "memory").is_dir()
    group = (root / "memory" if first else root) / f"faxbox-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / ("memory.limit_in_bytes" if first else "memory.max")).write_text(str(octets))
    except OSError:
        pytest.skip("a memory cgroup of its own may not be made here")

    def join() -> None:
        (group / "cgroup.procs").write_text(str(os.getpid()))

    def killed() -> int:
        words = (group / ("memory.oom_control" if first else "memory.events")).read_text().split()
        return int(words[words.index("oom_kill") + 1])

    try:
        yield join, killed
    finally:
        _until(lambda: not Path(group / "cgroup.procs").read_text())
        group.rmdir()


def noise(megabytes: float) -> bytes:
    """A picture that hardly compresses: as many octets as a door takes."""
    side = int((megabytes * 1e6) ** 0.5)
    file = io.BytesIO()
    Image.frombytes("L", (side, side), random.Random(1).randbytes(side * side)).save(file, "PNG")
    return file.getvalue()


class Doors:
    """Each way in, as its clients put it; says what the answer was."""

    def __init__(self, port: int, token: str, mail_port: int, printed: Path, scanned: Path) -> None:
        self._port, self._token, self._mail_port = port, token, mail_port
        self._printed, self._scanned = printed, scanned

    def all(self) -> dict[str, Door]:
        return {
            "rest": self.rest,
            "web": self.web,
            "ictfax": self.ictfax,
            "ifax": self.ifax,
            "ipp": self.ipp,
            "e-mail": self.e_mail,
            "print queue": self.print_queue,
            "scan folder": self.scan_folder,
        }

    def rest(self, content: bytes, name: str) -> str:
        reply = Client(self._port, self._token).send(BUSY, name, content)
        return f"{reply.status} {reply.json.get('code', '')}"

    def web(self, content: bytes, name: str) -> str:
        """Signed in, as the pages do."""
        given = {"name": "ada", "password": PASSWORD}
        token = Client(self._port, "").ask("POST", "/sessions", given).json["token"]
        reply = Client(self._port, token).send(BUSY, name, content)
        return f"{reply.status} {reply.json.get('code', '')}"

    def ictfax(self, content: bytes, name: str) -> str:
        given = json.dumps({"username": "ada", "password": PASSWORD}).encode()
        said = self._post("/ictfax/api/authenticate", given, "application/json")
        token = json.loads(said[1])["token"]
        as_ada = {"Authorization": f"Bearer {token}"}
        made = self._post("/ictfax/api/documents", b'{"name": "big"}', "application/json", as_ada)
        path = f"/ictfax/api/documents/{int(made[1])}/media"
        return f"{self._post(path, content, 'image/png', as_ada)[0]}"

    def ifax(self, content: bytes, name: str) -> str:
        file = {"fileName": name, "fileData": base64.b64encode(content).decode()}
        body = json.dumps({"faxNumber": BUSY, "faxData": [file]}).encode()
        status, said = self._post(
            "/v1/customer/fax-send", body, "application/json", {"accessToken": self._token}
        )
        return f"{status} {json.loads(said).get('message', '')}"

    def ipp(self, content: bytes, name: str) -> str:
        asked = request(0x0002, to(f"tel:{BUSY}"), job_name=codec.name(name))  # Print-Job
        basic = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()
        status, said = self._post(
            "/ipp/faxout", asked + content, "application/ipp", {"Authorization": f"Basic {basic}"}
        )
        return f"{status} {said[2:4].hex()}"

    def e_mail(self, content: bytes, name: str) -> str:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "ada@office.example", f"{BUSY}@fax.box", name
        message.set_content("see the picture")
        message.add_attachment(content, maintype="image", subtype="png", filename=name)
        try:
            with smtplib.SMTP("127.0.0.1", self._mail_port, timeout=FINISH_S) as smtp:
                smtp.send_message(message)
        except smtplib.SMTPResponseException as error:
            return f"{error.smtp_code} {error.smtp_error!r}"
        except (smtplib.SMTPServerDisconnected, ConnectionError) as error:
            return f"closed: {error}"
        return "250"

    def print_queue(self, content: bytes, name: str) -> str:
        done = subprocess.run(
            [sys.executable, cups_backend.__file__, "1", "ada", name, "1", ""],
            env={"DEVICE_URI": f"faxbox:{self._printed}", "CUPS_SERVER": "/nowhere"},
            input=content,
            timeout=FINISH_S,
            check=False,
        )
        return f"{done.returncode}"

    def scan_folder(self, content: bytes, name: str) -> str:
        (self._scanned / f"{BUSY}_{name}").write_bytes(content)
        return "there"

    def _post(
        self, path: str, body: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        with contextlib.closing(HTTPConnection("127.0.0.1", self._port, timeout=FINISH_S)) as connection:
            connection.request("POST", path, body, {"Content-Type": kind, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_with_200_mb_each_door_takes_its_largest_document_or_says_why_not(tmp_path: Path) -> None:
    data, printed, scanned = tmp_path / "box", tmp_path / "printed", tmp_path / "scanned"
    data.mkdir()
    scanned.mkdir()
    make_folder(printed)
    mail_port = free_port()
    store = open_settings(data)
    secrets.add_user(store, "ada", PASSWORD, role=UserRole.ADMIN)
    (ada,) = store.items(User)
    store.update(User, ada, {"email": "ada@office.example"})
    secrets.add_key(store, "integration", scopes=(Scope.SEND, Scope.RECEIVE), owner="ada")
    more = {
        "mail_in.listen_port": str(mail_port),
        "printing.folder": str(printed),
        "scans.folder": str(scanned),
        "scans.settled_s": "1",
    }
    with little_memory(LIMIT) as (join, killed), running(data, SETTINGS | more, before=join) as box:
        doors = Doors(box.port, box.token, mail_port, printed, scanned)
        client = box.client()
        content = noise(19.0)
        for door, hand_in in doors.all().items():
            print(f"{door:12} {len(content) / 1e6:5.1f} MB: {hand_in(content, 'noise.png')}", flush=True)
            assert box.process.poll() is None
            _until(lambda: not _in_hand(client))
        # What was printed and scanned is handed in some time after it lies there.
        _until(lambda: len(_ends(client)) == TAKEN and not _in_hand(client))
        ends = _ends(client)
        print(ends)
        print(f"memory ran out {killed()} times; the box's own process has {_own_mb(box.process.pid):.0f} MB")
        small = client.send("9990", "a.tif", marked.document(1), quality="standard").json["faxes"][0]["id"]
        _until(lambda: not _in_hand(client))
        assert client.ask("GET", f"/faxes/{small}").json["state"] == "delivered"
        assert all(end in ENDS for end in ends.values()), ends
        client.close()
    assert "Traceback" not in (data / "serve.log").read_text()


def _ends(client: Client) -> dict[int, str]:
    """How each fax ended by now, or its state."""
    faxes = [
        client.ask("GET", f"/faxes/{each['id']}").json
        for each in client.ask("GET", "/faxes?limit=100").json["faxes"]
    ]
    return {fax["id"]: fax["result"]["code"] if fax["result"] else fax["state"] for fax in faxes}


def _in_hand(client: Client) -> float:
    """Faxes on their way; what was printed or scanned without a number waits for a person."""
    states = ("preparing", "waiting", "sending")
    return sum(client.metric("faxbox_jobs", state=state) for state in states)


def _own_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + FINISH_S
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.3)
