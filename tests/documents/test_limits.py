"""Limits are enforced, and a dying worker affects nothing else."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import functools
import io
import json
import os
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from appliance.causes import Cause, Side
from appliance.documents.bounded import Bounds
from appliance.documents.causes import (
    DOCUMENT_DAMAGED,
    DOCUMENT_EMPTY,
    DOCUMENT_ENCRYPTED,
    DOCUMENT_MEMORY,
    DOCUMENT_MISLABELLED,
    DOCUMENT_PAGES_MISSING,
    DOCUMENT_STORAGE,
    DOCUMENT_TIMED_OUT,
    DOCUMENT_TOO_LARGE,
    DOCUMENT_TOO_MANY_PAGES,
    DOCUMENT_WORKER_DIED,
)
from appliance.documents.errors import DocumentError
from appliance.documents.options import Limits, Paper, Source
from appliance.documents.render import render
from appliance.documents.rendered import RenderedDocument
from appliance.documents.workers import fork_server, rendering
from appliance.documents.workers import places as places_module
from appliance.documents.workers.fork_server import stop_fork_server, warm
from appliance.documents.workers.places import Places, memory_octets, places_for
from appliance.documents.workshop import Workshop
from appliance.remarks import PAGES_MISSING
from tests.documents.conftest import Rendered
from tests.documents.making import A4, need, pdf, photograph, run, save, words

GOOD = pdf([(*A4, words(*A4))])


def refused(
    tmp_path: Path, content: bytes, limits: Limits | None = None, *, pages: str = "", name: str = "x"
) -> Cause:
    """The cause for which ``content`` is refused; nothing is left, and the next document is fine."""
    (tmp_path / "source").write_bytes(content)
    (tmp_path / "out").mkdir(exist_ok=True)
    with pytest.raises(DocumentError) as refusal:
        render([Source(tmp_path / "source", pages, name)], tmp_path / "out" / "fax", limits=limits)
    assert list((tmp_path / "out").iterdir()) == []
    assert refusal.value.source == 0 or refusal.value.cause.side is Side.OURS or not refusal.value.source
    (tmp_path / "good").write_bytes(GOOD)
    with tempfile.TemporaryDirectory(dir=tmp_path) as fine:
        assert render([Source(tmp_path / "good")], Path(fine) / "fax").total == 1
    return refusal.value.cause


def test_an_encrypted_pdf_is_named(tmp_path: Path) -> None:
    need("qpdf")
    (tmp_path / "open.pdf").write_bytes(GOOD)
    run("qpdf", "--encrypt", "secret", "owner", "256", "--", tmp_path / "open.pdf", tmp_path / "locked.pdf")
    assert refused(tmp_path, (tmp_path / "locked.pdf").read_bytes()) is DOCUMENT_ENCRYPTED


@pytest.mark.parametrize("passwords", [("", "owner"), ("secret", "")], ids=["users", "owners"])
def test_a_pdf_that_opens_without_password_is_sent(
    rendered: Rendered, tmp_path: Path, passwords: tuple[str, str]
) -> None:
    need("qpdf")
    (tmp_path / "open.pdf").write_bytes(GOOD)
    lock = ("--encrypt", *passwords, "256", "--allow-insecure", "--")
    run("qpdf", *lock, tmp_path / "open.pdf", tmp_path / "locked.pdf")
    assert rendered((tmp_path / "locked.pdf").read_bytes()).total == 1


def _page_with_a_font(mark: bytes) -> bytes:
    """A page with an embedded font whose file is unique."""
    font = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf").read_bytes() + mark
    source = f"url(data:font/ttf;base64,{base64.b64encode(font).decode()})"
    style = f"@font-face{{font-family:own;src:{source}}} p{{font-family:own}}"
    return f"<html><style>{style}</style><p>Dear colleague</p></html>".encode()


def test_what_a_document_brings_is_unpacked_nowhere_but_in_its_own_folder(tmp_path: Path) -> None:
    mark = os.urandom(16)
    (tmp_path / "letter.html").write_bytes(_page_with_a_font(mark))
    target = tmp_path / "out" / "fax"
    target.parent.mkdir()
    render([Source(tmp_path / "letter.html", name="letter.html")], target)
    assert {path.suffix for path in target.iterdir()} == {".mmr", ".json"}
    elsewhere = Path(tempfile.gettempdir()).glob("weasyprint-*/*")
    assert not [path for path in elsewhere if _ends_with(path, mark)]


def _ends_with(path: Path, mark: bytes) -> bool:
    try:
        return path.read_bytes().endswith(mark)
    except OSError:
        return False  # somebody else's, and gone meanwhile


def _png(width: int, height: int) -> bytes:
    """A PNG that claims this size and holds zeros for all of it when small enough, else a few."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    data = zlib.compress(bytes(min((width + 1) * height, 1 << 20)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", DOCUMENT_EMPTY),
        (bytes(100), DOCUMENT_EMPTY),
        (b"%PDF-1.7\nnothing else", DOCUMENT_DAMAGED),
        (GOOD[:100], DOCUMENT_DAMAGED),
        (pdf([], kids=""), DOCUMENT_EMPTY),
        (b"\x89PNG\r\n\x1a\n" + b"rubbish" * 50, DOCUMENT_DAMAGED),
        (save(photograph(300, 300), "PNG")[:5000], DOCUMENT_DAMAGED),
        (save(photograph(300, 300), "JPEG")[:3000], DOCUMENT_DAMAGED),
        (b"\xff\xd8\xff\xe0rubbish", DOCUMENT_DAMAGED),
        (b"II*\0\x08\0\0\0\0\0\0\0\0\0", DOCUMENT_EMPTY),
        (b"II*\0\xff\xff\xff\x7f", DOCUMENT_DAMAGED),
        (_png(60_000, 60_000), DOCUMENT_TOO_LARGE),
        (_png(1_000_000, 200), DOCUMENT_TOO_LARGE),
    ],
)
def test_damaged_empty_and_gigantic_files_are_named(tmp_path: Path, content: bytes, cause: Cause) -> None:
    assert refused(tmp_path, content) is cause
    assert cause.side is Side.USER


def test_a_program_called_pdf_is_refused_as_mislabelled(tmp_path: Path) -> None:
    assert refused(tmp_path, b"MZ\x90\0" + bytes(range(256)), name="bill.pdf") is DOCUMENT_MISLABELLED


def test_a_file_beyond_the_size_limit_is_not_even_read(tmp_path: Path) -> None:
    assert refused(tmp_path, GOOD + bytes(60_000), Limits(file_octets=50_000)) is DOCUMENT_TOO_LARGE


def test_a_document_with_too_many_pages_is_refused_whatever_its_kind(tmp_path: Path) -> None:
    many = pdf([(*A4, "")] * 12)
    assert refused(tmp_path, many, Limits(pages=10)) is DOCUMENT_TOO_MANY_PAGES
    assert refused(tmp_path, b"line\f" * 30, Limits(pages=10)) is DOCUMENT_TOO_MANY_PAGES
    frame, out = Image.new("1", (200, 200), 1), io.BytesIO()
    frame.save(out, "TIFF", save_all=True, append_images=[frame] * 11, compression="group4")
    assert refused(tmp_path, out.getvalue(), Limits(pages=10)) is DOCUMENT_TOO_MANY_PAGES


def test_selected_pages_of_a_document_beyond_the_limit_are_made(rendered: Rendered) -> None:
    assert rendered(pdf([(*A4, "")] * 30), pages="28-30", limits=Limits(pages=10)).total == 3


def test_of_a_pdf_that_claims_too_many_pages_those_that_are_there_are_made(
    tmp_path: Path, rendered: Rendered
) -> None:
    lying = GOOD.replace(b"/Count 1/", b"/Count 100000/")
    document = rendered(lying)
    assert document.total == 1
    assert [remark.kind for remark in document.remarks] == [PAGES_MISSING]
    assert refused(tmp_path, lying, pages="99999") is DOCUMENT_PAGES_MISSING


def test_a_page_box_of_any_size_makes_a_page(rendered: Rendered) -> None:
    for box in [(14400, 14400), (200_000, 3), (0.5, 0.5)]:
        document = rendered(pdf([(*box, "0 0 1 1 re f")]))
        assert document.pages[0].rows <= 6160


def test_a_flate_bomb_ends_in_its_worker(tmp_path: Path) -> None:
    # 0.9 GB of zeros as one picture's data
    packer = zlib.compressobj(1)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(900)]
    bomb = b"".join([*parts, packer.flush()])
    body = (
        b"10 0 obj\n<</Type/XObject/Subtype/Image/Width 40000/Height 40000/ColorSpace/DeviceGray"
        b"/BitsPerComponent 8/Filter/FlateDecode/Length %d>>stream\n%s\nendstream\nendobj\n"
        % (len(bomb), bomb)
    )
    content = pdf([(*A4, "q 500 0 0 500 20 20 cm /X Do Q")], extra=body).replace(
        b"/Resources<<", b"/Resources<</XObject<</X 10 0 R>>"
    )
    # the offsets have moved: a damaged cross-reference table, which pdfium rebuilds
    (tmp_path / "bomb.pdf").write_bytes(content)
    # A process of its own: the peak that getrusage(2) tells is that of the largest child there ever was.
    told = run(sys.executable, "-c", PEAK, tmp_path / "bomb.pdf", tmp_path / "fax", MEMORY_OCTETS)
    cause, small, peak = json.loads(told)
    assert cause in {None, DOCUMENT_MEMORY.code, DOCUMENT_WORKER_DIED.code, DOCUMENT_DAMAGED.code}
    assert small < peak < MEMORY_OCTETS, "the worker is what was measured, and it kept to its limit"


MEMORY_OCTETS = 400 << 20

# Prints why it was refused (or null), the peak of fork server and workers in octets, before and after.
PEAK = """
import json, resource, sys
from pathlib import Path
from appliance.documents.errors import DocumentError
from appliance.documents.workers.fork_server import stop_fork_server, warm
from appliance.documents.options import Limits, Source
from appliance.documents.render import render

def peak():
    stop_fork_server()  # only children that were waited for count, and theirs
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024

warm()
small, cause = peak(), None
try:
    render([Source(Path(sys.argv[1]))], Path(sys.argv[2]), limits=Limits(memory_octets=int(sys.argv[3])))
except DocumentError as error:
    cause = error.cause.code
print(json.dumps([cause, small, peak()]))
"""


def test_memory_is_limited(tmp_path: Path) -> None:
    picture = save(Image.new("RGB", (9000, 9000), "grey"), "PNG", dpi=(600, 600))
    cause = refused(tmp_path, picture, Limits(memory_octets=200 << 20))
    assert cause in {DOCUMENT_MEMORY, DOCUMENT_WORKER_DIED}


@functools.cache
def slow() -> bytes:
    """A PDF whose one page takes seconds; made once, by the first test that wants it."""
    curves = "0 0 m 600000 850000 l 3 9 l 500000 7 l b* \n" * 400_000
    return pdf([(*A4, "0.001 0 0 0.001 0 0 cm\n" + curves)])


def test_wall_time_is_limited(tmp_path: Path) -> None:
    assert refused(tmp_path, slow(), Limits(wall_seconds=1.0)) is DOCUMENT_TIMED_OUT


def test_time_for_one_page_is_limited(tmp_path: Path) -> None:
    assert refused(tmp_path, slow(), Limits(page_seconds=1.0)) is DOCUMENT_TIMED_OUT


def test_cpu_time_is_limited(tmp_path: Path) -> None:
    assert refused(tmp_path, slow(), Limits(cpu_seconds=1)) is DOCUMENT_TIMED_OUT


def test_output_is_limited(tmp_path: Path) -> None:
    content = save(photograph(1600, 2200), "PNG", dpi=(200, 200))
    assert refused(tmp_path, content, Limits(output_octets=20_000)) is DOCUMENT_TOO_LARGE


def test_storage_that_cannot_be_written_is_ours(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(GOOD)
    with pytest.raises(DocumentError) as refusal:
        render([Source(tmp_path / "good")], tmp_path / "nowhere" / "fax")
    assert refusal.value.cause is DOCUMENT_STORAGE
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "something").touch()
    with pytest.raises(DocumentError):
        render([Source(tmp_path / "good")], tmp_path / "there")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good", "there"]


def _workers() -> set[int]:
    """Processes below this one that are not its own children: what the fork server has forked."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(stat.parent.name)] = int(parent)
    own = os.getpid()
    return {pid for pid, parent in parents.items() if parents.get(parent) == own}


def _waits_for_a_lock(pid: int) -> bool:
    """Whether process ``pid`` waits for a lock that another holds (proc_locks(5))."""
    return any(
        words[1:3] == ["->", "POSIX"] and int(words[5]) == pid
        for words in map(str.split, Path("/proc/locks").read_text().splitlines())
    )


def _kill_at_the_first_page(
    monkeypatch: pytest.MonkeyPatch, with_signal: signal.Signals, most: int
) -> list[int]:
    """Kills the first ``most`` workers when they claim their first page, certain on a machine of any speed.

    The claims are locked by this process until the worker, which has opened its document by then, waits
    for the lock; only then is it killed.  Returns the list of those killed, filled as it goes.
    """
    killed: list[int] = []

    def start(files: list[int]) -> fork_server.Worker:
        if len(killed) >= most:
            return fork_server.start_worker(files)
        fcntl.lockf(files[1], fcntl.LOCK_EX)
        worker = fork_server.start_worker(files)
        pid = worker._pid
        killed.append(pid)

        def kill() -> None:
            while not _waits_for_a_lock(pid):
                time.sleep(0.01)
            os.kill(pid, with_signal)

        threading.Thread(target=kill, daemon=True).start()
        return worker

    monkeypatch.setattr(rendering, "start_worker", start)
    return killed


@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGSEGV])
def test_a_document_whose_worker_was_killed_once_is_made_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_signal: signal.Signals
) -> None:
    (tmp_path / "long").write_bytes(pdf([(*A4, words(*A4))] * 6))
    killed = _kill_at_the_first_page(monkeypatch, with_signal, 1)
    made = render([Source(tmp_path / "long")], tmp_path / "fax")
    assert made.total == 6
    assert len(killed) == 1


@pytest.mark.full  # the second worker has 8 s for a page, which a busy machine may not give
def test_a_document_whose_worker_stands_still_is_made_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "long").write_bytes(pdf([(*A4, words(*A4))] * 6))
    stopped = _kill_at_the_first_page(monkeypatch, signal.SIGSTOP, 1)
    made = render([Source(tmp_path / "long")], tmp_path / "fax", limits=Limits(page_seconds=8.0), workers=1)
    assert made.total == 6
    assert len(stopped) == 1
    assert "stands still" in caplog.text


def test_who_waits_long_for_a_place_says_why(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places_module, "LATE_S", 0.01)
    places = Places(1)

    def work() -> None:
        with places.first(alone=False):
            pass

    with places.first(alone=False):
        thread = threading.Thread(target=work)
        thread.start()
        while "1 of 1 places are taken" not in caplog.text:
            time.sleep(0.01)
    thread.join()


def test_workers_have_together_what_a_small_board_has() -> None:
    gigabyte = 1 << 30
    assert places_for(768 << 20, 4, gigabyte) == 1
    assert places_for(768 << 20, 4, 8 * gigabyte) == 4
    assert places_for(768 << 20, 2, 64 * gigabyte) == 2
    places, most, now = Places(2), 0, 0

    def work(alone: bool) -> None:
        nonlocal most, now
        with places.first(alone=alone):
            now += 2 if alone else 1
            most = max(most, now)
            with places.further(3) as more:
                assert more == 0 or not alone
                time.sleep(0.01)
            now -= 2 if alone else 1

    threads = [threading.Thread(target=work, args=(number % 3 == 0,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


@pytest.mark.parametrize(
    ("groups", "limits"),
    [
        (
            "0::/box.slice/box.service\n",
            {"box.slice/memory.max": "max", "box.slice/box.service/memory.max": "9"},
        ),
        (
            "0::/box.slice/box.service\n",
            {"box.slice/memory.max": "9", "box.slice/box.service/memory.max": "max"},
        ),
        ("5:cpu:/\n4:memory:/box\n0::/\n", {"memory/box/memory.limit_in_bytes": "9"}),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9"}),
    ],
)
def test_memory_that_the_box_may_not_have_is_not_counted(
    tmp_path: Path, groups: str, limits: dict[str, str]
) -> None:
    (tmp_path / "groups").write_text(groups)
    for name, limit in limits.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{limit}\n")
    assert memory_octets(tmp_path, tmp_path / "groups") == 9
    assert memory_octets(tmp_path / "none", tmp_path / "groups") > 1 << 20


def test_a_document_that_kills_its_worker_twice_is_refused_and_the_parent_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good").write_bytes(GOOD)
    killed = _kill_at_the_first_page(monkeypatch, signal.SIGSEGV, 2)
    with pytest.raises(DocumentError) as refusal:
        render([Source(tmp_path / "good")], tmp_path / "fax", workers=1)
    assert len(killed) == 2
    assert refusal.value.cause is DOCUMENT_WORKER_DIED
    assert refusal.value.cause.side is Side.OURS
    assert render([Source(tmp_path / "good")], tmp_path / "fax").total == 1


def test_no_worker_and_no_descriptor_outlives_a_rendering(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(GOOD)
    (tmp_path / "bad").write_bytes(GOOD[:100])
    warm()
    files = os.listdir("/proc/self/fd")
    for number in range(5):
        render([Source(tmp_path / "good")], tmp_path / f"fax{number}")
        with pytest.raises(DocumentError):
            render([Source(tmp_path / "good"), Source(tmp_path / "bad")], tmp_path / "never")
    assert len(_workers()) <= rendering.PLACES.total  # spare ones
    assert len(os.listdir("/proc/self/fd")) <= len(files)


def test_the_worker_inherits_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAXBOX_SECRET", "hush")
    secret = (tmp_path / "secret").open("w")
    os.set_inheritable(secret.fileno(), True)
    stop_fork_server()
    seen: dict[str, list[str]] = {}
    hidden: list[int] = []

    def look(made: int, total: int) -> None:
        for pid in _workers():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended while we looked
                try:
                    environment = Path(f"/proc/{pid}/environ").read_text().split("\0")
                except PermissionError:
                    hidden.append(pid)
                    continue
                folder = Path(f"/proc/{pid}/fd")
                files = [os.readlink(entry) for entry in folder.iterdir()]
                # Neither a spare worker nor one that ends.
                if any(name.endswith("pages-0.mmr") for name in files):
                    seen["files"], seen["environment"] = files, environment

    (tmp_path / "good").write_bytes(pdf([(*A4, words(*A4))] * 30))
    render([Source(tmp_path / "good")], tmp_path / "fax", workers=1, progress=look)
    secret.close()
    if os.geteuid() != 0:
        assert hidden, "not even its own user may look into it"
        return
    assert "LANG=C.UTF-8" in seen["environment"]
    assert not [entry for entry in seen["environment"] if "hush" in entry]
    assert [name for name in seen["files"] if name.endswith("pages-0.mmr")]
    assert not [name for name in seen["files"] if name.endswith("/secret")]


def test_a_killed_fork_server_is_started_again(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(GOOD)
    render([Source(tmp_path / "good")], tmp_path / "one")
    process = fork_server._fork_server._process
    assert process is not None
    process.kill()
    process.wait()
    render([Source(tmp_path / "good")], tmp_path / "two")
    assert RenderedDocument.open(tmp_path / "two").total == 1


def test_invalid_messages_of_a_worker_refuse_its_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good").write_bytes(GOOD)
    for number, said in enumerate(
        [
            "nonsense",
            "[1]",
            '{"total": 0}',
            '{"total": 1000000}',
            '{"total": 1}\n{"done": true}',
            '{"total": 1}\n{"page": 0, "offset": 0, "octets": 9, "width": 1728, "rows": 9, "size": [1, 1]}',
            '{"total": 1}\n{"page": 0, "offset": 0, "octets": -5, "width": 1728, "rows": 9, "size": [1, 1]}',
            '{"total": 1}\n{"page": 0, "offset": 0, "octets": 0, "width": 1, "rows": 9, "size": [1, 1]}',
            '{"error": "no such cause", "detail": "", "source": 0}',
            "x" * 100_000,
        ]
    ):

        def liar(files: list[int], said: str = said) -> fork_server.Worker:
            worker = fork_server.start_worker(files)
            worker.kill()
            ours, its = socket.socketpair()
            its.sendall(said.encode() + b"\n")
            its.close()
            worker.channel.close()
            worker.channel = ours
            return worker

        monkeypatch.setattr(rendering, "start_worker", liar)
        with pytest.raises(DocumentError) as refusal:
            render([Source(tmp_path / "good")], tmp_path / f"fax{number}", workers=1)
        assert refusal.value.cause is DOCUMENT_WORKER_DIED


@pytest.mark.parametrize(
    ("work", "cause"),
    [
        (lambda: 1 / 0, DOCUMENT_DAMAGED),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), DOCUMENT_DAMAGED),
        (lambda: os.kill(os.getpid(), signal.SIGXCPU), DOCUMENT_TIMED_OUT),
        (lambda: time.sleep(9), DOCUMENT_TIMED_OUT),
    ],
)
def test_a_document_at_which_a_library_fails_is_not_called_slow(
    tmp_path: Path, work: Callable[[], Any], cause: Cause
) -> None:
    with (tmp_path / "typeset").open("w+b", buffering=0) as file:
        workshop = Workshop(
            file.fileno(), tmp_path, Paper.A4, Limits(), known={}, report=lambda key, kept: None
        )
        with pytest.raises(DocumentError) as refused:
            workshop.once("page", b"", work, Bounds(cpu_seconds=5, wall_seconds=0.5))
    assert refused.value.cause is cause
