"""``kill -9`` on the whole running box at random times of a mixed load, checked from outside.

The box sends, broadcasts, cancels, receives, tells webhooks, sends e-mail and writes to a folder, while it
is killed again and again: its main process alone, all its processes at once, or while it starts.  The
judges know nothing from the box: a listener on the wire (``wire``) saw what was confirmed, the webhook's
receiver and the mail server have what they took, the clients know what they were answered.

Six lives always, five hundred with FAXBOX_SWEEP=1 (FAXBOX_KILLS=N for another number).
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.configuration import open_box, open_settings
from appliance.deliver.settings import DeliveryRoute, DeliverySettings, MailOutSettings, Security
from appliance.durable import PART_SUFFIX
from appliance.settings import secrets
from appliance.spool.folders import DOCUMENTS, FOLDERS, RENDERED
from appliance.spool.identity import DATABASE_NAME
from appliance.t4.tiff import FaxTiff
from bench import marked
from bench.running import NO_LIMITS, Client, add_key
from tests.daemon.keeping import keeper_of
from tests.deliver.mailing import PostOffice, post_office
from tests.deliver.making import Hook, hook_server
from tests.load.wire import Call, Wire

LIVES = int(os.environ.get("FAXBOX_KILLS") or (500 if os.environ.get("FAXBOX_SWEEP") else 6))
SEED = 20_261_123
SETTINGS = {
    **NO_LIMITS,
    "practice.speed": "10",
    "practice.calls_at_once": "12",
    "practice.wait_s": "0.2",
    "api.private_urls": "true",
    "sending.max_tries": "50",
}
# Faxes that have not ended at most: the load waits for the lines.
BACKLOG = 9
GONE_S = 60.0
FINISH_S = 300.0
_ENDED = ("delivered", "failed", "cancelled", "unknown")
# Marks the box's processes, whoever's children they are, in their environment.
_MARK = "FAXBOX_KILL_TEST"


@dataclass
class Wanted:
    """A fax that a client hands in, perhaps to several: ``ids`` once it was accepted."""

    serial: int
    numbers: tuple[str, ...]
    station_id: str
    body: bytes
    ids: tuple[int, ...] = ()
    cancelled: bool = False  # the box said yes
    asked_cancel: bool = False


@dataclass
class World:
    """What everybody but the box knows."""

    data: Path
    token: str
    chance: random.Random
    hook: Hook
    run: int
    faxes: list[Wanted] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    calls: list[tuple[int, Call]] = field(default_factory=list)  # with the life that they were in
    missed: int = 0  # packets on the wire that the listener did not hear
    complaints: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def new_fax(self) -> Wanted:
        with self.lock:
            serial = len(self.faxes)
            kind = self.chance.random()
            numbers: tuple[str, ...] = ("9990",)
            pages = 1
            if kind < 0.15:
                numbers, pages = ("9993",), 2
            elif kind < 0.3:
                numbers = ("9990", "9998", "9997")
            elif kind < 0.4:
                numbers = ("9995",)
            station_id = f"7{self.run:05}{serial:06}"
            content = base64.b64encode(marked.document(serial % marked.MOST, pages)).decode()
            body = json.dumps(
                {
                    "to": list(numbers),
                    "files": [{"name": "a.tif", "content": content}],
                    "quality": "standard",
                    "station_id": station_id,
                    "callback_url": self.hook.url,
                }
            ).encode()
            fax = Wanted(serial, numbers, station_id, body)
            self.faxes.append(fax)
            return fax

    def new_caller(self) -> str:
        with self.lock:
            self.callers.append(f"8{self.run:05}{len(self.callers):06}")
            return self.callers[-1]


@dataclass
class Life:
    process: subprocess.Popen[bytes]
    client_port: int = 0


@pytest.mark.timeout(0 if LIVES > 20 else 600)
def test_killed_whole_at_any_instant_the_box_keeps_every_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passing = tmp_path / "tmp"
    passing.mkdir()
    mark = f"{tmp_path}-{os.getpid()}"
    monkeypatch.setenv(_MARK, mark)
    monkeypatch.setenv("TMPDIR", str(passing))
    with post_office() as office, hook_server(Hook()) as hook, _listening() as wire:
        world = _world(tmp_path, hook, office)
        kinds: Counter[str] = Counter()
        for life in range(LIVES):
            kinds[_live(world, life, mark)] += 1
            if wire is not None:
                world.calls += [(life, call) for call in wire.take()]
        _finish(world, mark, office)
        if wire is not None:
            world.calls += [(LIVES, call) for call in wire.take()]
            world.missed = wire.missed()
    print(dict(kinds))
    _judge(world, office, passing)
    assert world.complaints == []


# -- lives ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _listening() -> Iterator[Wire | None]:
    """None where nobody may listen on the wire: then only the other judges speak."""
    try:
        wire = Wire()
    except PermissionError:
        yield None
        return
    with contextlib.closing(wire):
        yield wire


def _world(tmp_path: Path, hook: Hook, office: PostOffice) -> World:
    data, folder = tmp_path / "box", tmp_path / "folder"
    data.mkdir()
    folder.mkdir()
    store = open_settings(data)
    secrets.first_start(store)
    for path, value in SETTINGS.items():
        store.set_path(path, value)
    store.change(
        MailOutSettings,
        {
            "server": "127.0.0.1",
            "port": office.port,
            "security": Security.NONE,
            "sender": "box@fax.example",
        },
    )
    store.change(DeliverySettings, {"webhook_waits": (1.0,) * 5, "email_waits": (1.0,) * 5})
    store.add(DeliveryRoute(name="all", emails=("ada@example.com",), folder=str(folder)))
    return World(
        data, add_key(store, "load"), random.Random(SEED), hook, random.SystemRandom().randrange(100_000)
    )


def _start(world: World) -> subprocess.Popen[bytes]:
    with (world.data / "serve.log").open("ab") as output:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "appliance.cli",
                "serve",
                "--data",
                str(world.data),
                "--http",
                "127.0.0.1:0",
            ],
            stdout=output,
            stderr=output,
        )


def _port(world: World, process: subprocess.Popen[bytes]) -> int:
    """The port of the box that was just started, once it answers."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            url = json.loads((world.data / "http.json").read_text())["url"]
            port = int(url.rstrip("/").rpartition(":")[2])
            if Client(port, "").ask("GET", "/health").status == HTTPStatus.OK:
                return port
        time.sleep(0.01)
    raise AssertionError("the box did not come up")


def _live(world: World, life: int, mark: str) -> str:
    """One life and its end; answers how it ended."""
    (world.data / "http.json").unlink(missing_ok=True)
    process = _start(world)
    if life % 8 == 7:
        kind = "starting"
        time.sleep(world.chance.uniform(0.1, 1.5))
        _kill(process, mark, whole=life % 16 == 7)
    else:
        kind = "whole" if life % 2 else "main"
        port = _port(world, process)
        stop = threading.Event()
        clients = [
            threading.Thread(target=work, args=(world, port, stop, random.Random(life)), daemon=True)
            for work in (_sender, _caller, _looker)
        ]
        for client in clients:
            client.start()
        # A call takes two seconds: most lives end in it, some after it.
        time.sleep(world.chance.uniform(0.1, 6.0 if life % 4 == 1 else 2.5))
        _kill(process, mark, whole=kind == "whole")
        stop.set()
        for client in clients:
            client.join(30)
    _dead(world, life, mark)
    return kind


def _kill(process: subprocess.Popen[bytes], mark: str, *, whole: bool) -> None:
    """SIGKILL for the main process, or for all of the box's as nearly at once as can be."""
    pids = _processes(mark) if whole else [process.pid]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _processes(mark: str) -> list[int]:
    """All living processes of the box, orphans too."""
    wanted = f"{_MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def _dead(world: World, life: int, mark: str) -> None:
    """Looks at what the dead box left."""
    end = time.monotonic() + GONE_S
    while left := _processes(mark):
        if time.monotonic() > end:
            words = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ") for pid in left]
            world.complaints.append(f"life {life}: {words} live on")
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    database = sqlite3.connect(world.data / DATABASE_NAME)
    try:
        answer = database.execute("PRAGMA integrity_check").fetchone()[0]
        if answer != "ok":
            world.complaints.append(f"life {life}: {answer}")
        there = {row[0] for row in database.execute("SELECT id FROM job")}
    finally:
        database.close()
    missing = [job for fax in world.faxes for job in fax.ids if job not in there]
    if missing:
        world.complaints.append(f"life {life}: accepted and lost: {missing}")


# -- clients -------------------------------------------------------------------------------------------

_CUT_OFF = (OSError, http.client.HTTPException, ValueError)


def _sender(world: World, port: int, stop: threading.Event, chance: random.Random) -> None:
    """Hands in what an earlier life may not have heard, then new faxes; takes some back."""
    with contextlib.closing(Client(port, world.token)) as client, contextlib.suppress(*_CUT_OFF):
        for fax in [fax for fax in world.faxes if not fax.ids]:
            _hand_in(world, client, fax)
        while not stop.is_set():
            if client.unfinished() < BACKLOG:
                fax = world.new_fax()
                _hand_in(world, client, fax)
                if chance.random() < 0.15:
                    stop.wait(chance.uniform(0, 1.2))
                    _cancel(client, fax)
            stop.wait(0.03)


def _hand_in(world: World, client: Client, fax: Wanted) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": fax.station_id}
    reply = client.ask("POST", "/faxes", fax.body, headers=headers)
    if reply.status not in (HTTPStatus.CREATED, HTTPStatus.OK):
        world.complaints.append(f"fax {fax.serial}: {reply.status} {reply.content[:200]!r}")
        return
    ids = tuple(each["id"] for each in reply.json["faxes"])
    if len(ids) != len(fax.numbers):
        world.complaints.append(f"fax {fax.serial} to {fax.numbers} became {ids}")
    fax.ids = ids


def _cancel(client: Client, fax: Wanted) -> None:
    fax.asked_cancel = True
    for job in fax.ids:
        fax.cancelled |= client.ask("POST", f"/faxes/{job}/cancel").status == HTTPStatus.OK


def _caller(world: World, port: int, stop: threading.Event, chance: random.Random) -> None:
    """Has faxes of two pages come in."""
    contents = [base64.b64encode(marked.document(1, pages)).decode() for pages in (1, 2)]
    with contextlib.closing(Client(port, world.token)) as client, contextlib.suppress(*_CUT_OFF):
        while not stop.is_set():
            files = [{"name": "in.tif", "content": chance.choice(contents)}]
            client.ask("POST", "/practice/receive", {"caller": world.new_caller(), "files": files})
            stop.wait(chance.uniform(0.2, 1.0))


def _looker(world: World, port: int, stop: threading.Event, chance: random.Random) -> None:
    with contextlib.closing(Client(port, world.token)) as client, contextlib.suppress(*_CUT_OFF):
        while not stop.is_set():
            for path in ("/faxes?limit=20", "/received?limit=20", "/health"):
                if client.ask("GET", path).status != HTTPStatus.OK:
                    world.complaints.append(f"{path} is not answered")
            stop.wait(0.1)


# -- the last life, and the judges ---------------------------------------------------------------------


def _finish(world: World, mark: str, office: PostOffice) -> None:
    """A life in peace: everything comes to its end, and the box stops by itself."""
    (world.data / "http.json").unlink(missing_ok=True)
    process = _start(world)
    port = _port(world, process)
    with contextlib.closing(Client(port, world.token)) as client:
        for fax in [fax for fax in world.faxes if not fax.ids]:
            _hand_in(world, client, fax)
        end = time.monotonic() + FINISH_S
        while time.monotonic() < end and (client.unfinished() or _pending(world)):
            time.sleep(0.3)
        # Whatever the lives before had time for: one fax comes in whole.
        client.ask("POST", "/practice/receive", {"caller": world.new_caller()})
        while time.monotonic() < end and (_pending(world) or not _came_in(client, world.callers[-1])):
            time.sleep(0.3)
        if client.unfinished() or _pending(world):
            world.complaints.append(f"{client.unfinished()} faxes, {_pending(world)} deliveries do not end")
    process.send_signal(signal.SIGTERM)
    try:
        if process.wait(60):
            world.complaints.append(f"the box ended with {process.returncode}")
    except subprocess.TimeoutExpired:
        world.complaints.append("the box does not stop")
        process.kill()
        process.wait()
    _dead(world, LIVES, mark)


def _came_in(client: Client, caller: str) -> bool:
    found = client.ask("GET", f"/received?caller={caller}").json["received"]
    return any(fax["state"] == "complete" for fax in found)


def _pending(world: World) -> int:
    database = sqlite3.connect(world.data / DATABASE_NAME)
    try:
        count = database.execute("SELECT COUNT(*) FROM outbox WHERE state = 'pending'").fetchone()[0]
    finally:
        database.close()
    return int(count)


def _judge(world: World, office: PostOffice, passing: Path) -> None:
    box = open_box(world.data)
    try:
        states = _judge_sent(world, box)
        _judge_webhooks(world, box)
        _judge_received(world, box, office)
        _judge_files(world, box, passing)
    finally:
        box.close()
    log = (world.data / "serve.log").read_text(errors="replace")
    if "Traceback" in log:
        world.complaints.append("Traceback in the log: " + log[log.index("Traceback") :][:2000])
    print(
        f"{LIVES} lives, {len(world.faxes)} faxes: {dict(states)}; {len(world.calls)} calls on the wire,"
        f" {len(world.callers)} callers, {len(world.hook.bodies)} webhooks, {len(office.taken)} e-mails"
    )
    assert states["delivered"]


def _judge_sent(world: World, box: Box) -> Counter[str]:
    calls: dict[tuple[str, str], list[tuple[int, Call]]] = defaultdict(list)
    for life, call in world.calls:
        calls[call.tsi, call.csi.rpartition(" ")[2]].append((life, call))
    states: Counter[str] = Counter()
    seen_unknown = 0
    for fax in world.faxes:
        for number, job_id in zip(fax.numbers, fax.ids, strict=True):
            job = box.faxes.get(job_id)
            states[job.state.value] += 1
            say = f"fax {job_id} to {number}, {job.state.value}{', cancel asked' * fax.asked_cancel}: "
            if job.state.value not in _ENDED:
                world.complaints.append(say + "has not ended")
            if job.state.value == "cancelled" and not fax.asked_cancel:
                world.complaints.append(say + "by nobody")
            over, doubtful = False, False
            for life, call in calls.get((fax.station_id, number), []):
                if over and (call.signals or call.tsi):
                    world.complaints.append(say + f"called again in life {life} after its confirmation")
                if doubtful and call.last_page_ended:
                    world.complaints.append(say + f"sent again in life {life} after its end was signalled")
                over |= call.confirmed
                doubtful |= call.last_page_ended
            seen_unknown += over and job.state.value == "unknown"
            if over and job.state.value not in ("delivered", "unknown"):
                world.complaints.append(say + "was confirmed on the wire")
            heard_all = calls and not world.missed and number != "9995"
            if heard_all and job.state.value == "delivered" and not over:
                world.complaints.append(say + "nobody saw that on the wire")
    print(f"{seen_unknown} of the unknown were confirmed on the wire")
    return states


def _judge_webhooks(world: World, box: Box) -> None:
    told: dict[tuple[int, str], set[int]] = defaultdict(set)
    for body in world.hook.bodies:
        try:
            said = json.loads(body)
        except ValueError:
            continue  # the box died in the middle of it
        told[said["fax"]["id"], said["event"].removeprefix("fax.")].add(said["delivery"])
    for (fax, event), deliveries in told.items():
        if len(deliveries) != 1:
            world.complaints.append(f"fax {fax}, {event}: told under the ids {deliveries}")
    for wanted in world.faxes:
        for job_id in wanted.ids:
            if (job_id, box.faxes.get(job_id).state.value) not in told:
                world.complaints.append(f"nobody was told of fax {job_id}")


def _judge_received(world: World, box: Box, office: PostOffice) -> None:
    database = sqlite3.connect(world.data / DATABASE_NAME)
    rows = database.execute(
        "SELECT received.id, caller, state, COUNT(path) FROM received LEFT JOIN received_page"
        " ON received_id = received.id GROUP BY received.id"
    ).fetchall()
    paths = [row[0] for row in database.execute("SELECT path FROM received_page")]
    database.close()
    pages: Counter[str] = Counter()
    for _, caller, state, count in rows:
        pages[caller] += count
        if state == "receiving":
            world.complaints.append(f"the call of {caller} has no end")
    for _, call in world.calls:
        if call.tsi in world.callers and call.confirmations() > pages[call.tsi]:
            world.complaints.append(f"{call.tsi}: {call.confirmations()} confirmed, {pages[call.tsi]} here")
    for path in paths:
        with FaxTiff(world.data / path) as tiff:
            if not tiff.raster(0).rows:
                world.complaints.append(f"{path} is empty")
    kept = {row[0] for row in rows if row[3]}
    mailed: Counter[str] = Counter(message["Message-ID"] for _, _, message in office.taken)
    folder = sorted(path.name for path in (world.data.parent / "folder").iterdir())
    if sorted(int(name.rpartition("_")[2].removesuffix(".pdf")) for name in folder) != sorted(kept):
        world.complaints.append(f"{len(kept)} faxes, {len(folder)} in the folder: {folder[:3]}")
    if len(mailed) != len(kept):
        world.complaints.append(f"{len(kept)} faxes, {len(mailed)} different e-mails")
    assert kept


def _judge_files(world: World, box: Box, passing: Path) -> None:
    """Nothing piles up: neither in the box's folder nor where the system has passing files."""
    keeper = keeper_of(box, time.time)
    torn = keeper.sweep_orphans(age_s=-1)
    parts = [path for folder in FOLDERS for path in (world.data / folder).rglob(f"*{PART_SUFFIX}")]
    rest = sorted(path.name for path in passing.iterdir())
    print(f"{torn} files torn off, {len(parts)} parts, {len(rest)} passing: {rest[:5]}")
    if parts:
        world.complaints.append(f"parts are left: {parts[:5]}")
    if rest:
        world.complaints.append(f"{len(rest)} passing files are left: {rest[:5]}")
    with contextlib.closing(sqlite3.connect(world.data / DATABASE_NAME)) as database:
        documents = database.execute("SELECT COUNT(*) FROM document").fetchone()[0]
        rendered = database.execute("SELECT COUNT(DISTINCT rendered_path) FROM job").fetchone()[0]
    if len(list((world.data / DOCUMENTS).iterdir())) > documents:
        world.complaints.append("documents that no row names")
    if len(list((world.data / RENDERED).iterdir())) > rendered:
        world.complaints.append("fax pages that no row names")
