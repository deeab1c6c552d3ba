"""The whole box as a program: started, stopped and killed from outside."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.configuration import open_box
from appliance.daemon.arguments import EXIT_IN_USE, EXIT_UNUSABLE, EXIT_USAGE
from appliance.settings import secrets
from bench.running import running

FAXBOX = [sys.executable, "-m", "appliance.cli"]


def faxbox(*words: str, data: Path, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FAXBOX, *words, "--data", str(data)],
        capture_output=True,
        text=True,
        check=False,
        **more,  # type: ignore[call-overload]
    )


@contextlib.contextmanager
def serving(data: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A running box, and its output until it was ready."""
    process = subprocess.Popen(
        [*FAXBOX, "serve", "--data", str(data), "--http", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if "ready" in line:
                break
        yield process, said
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        assert process.stderr is not None
        process.stderr.close()


def test_the_addresses_that_the_start_prints_answer(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, said):
        (line,) = (line for line in said if "interfaces are at" in line)
        (url,) = re.findall(r"http://\S+", line)
        there = [f"{url}/api/v1/openapi.json"]
        if "web pages" in line:
            there.append(f"{url}/")
        for each in there:
            with urllib.request.urlopen(each, timeout=60) as answer:
                assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0


def test_every_start_prints_the_same_setup_code_until_it_is_used_and_a_signal_stops_it_cleanly(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as (process, said):
        code = said[0].rsplit(maxsplit=1)[-1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0
    with serving(tmp_path) as (process, said):
        assert said[0].rstrip().endswith(f"code, not used yet: {code}")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 0
    box = open_box(tmp_path)
    try:
        assert secrets.redeem_setup_code(box.settings, code, "ada", "a long password")
    finally:
        box.close()
    with serving(tmp_path) as (process, said):
        assert not any("code" in line for line in said)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0


def test_a_second_box_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path):
        second = faxbox("serve", data=tmp_path)
    assert second.returncode == EXIT_IN_USE
    assert "another faxbox" in second.stderr


def test_an_address_that_cannot_be_had_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for address, advice in (
            (f"127.0.0.1:{port}", "another program listens"),
            ("192.0.2.1:8080", "no such address"),
        ):
            refused = faxbox("serve", "--http", address, data=tmp_path)
            assert refused.returncode == EXIT_UNUSABLE
            assert f"cannot listen on {address}: " in refused.stderr
            assert advice in refused.stderr
            assert "Errno" not in refused.stderr


def test_a_killed_box_starts_again(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, _):
        process.kill()
    with serving(tmp_path) as (_, said):
        assert "ready" in said[-1]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("settings.json", b"{"),
        ("settings.json", b""),
        ("settings.json", b"\xff\xfe\x00"),
        ("phonebook.json", b"[" * 100_000),
        ("spool.sqlite3", b"no database" * 1000),
    ],
    ids=["half", "empty", "no text", "deep", "spool"],
)
def test_a_damaged_file_is_named_instead_of_a_traceback(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    done = faxbox("serve", data=tmp_path)
    assert done.returncode == EXIT_UNUSABLE
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_made_beside_a_running_box_has_its_token_as_the_last_word(tmp_path: Path) -> None:
    with serving(tmp_path):
        done = faxbox("key", "add", "till", "--scope", "send", "--quota", "50", data=tmp_path)
        listed = faxbox("key", "list", data=tmp_path)
    token = done.stdout.split()[-1]
    box = open_box(tmp_path)
    try:
        found = secrets.find_key(box.settings, token)
    finally:
        box.close()
    assert found is not None
    assert found[1].pages_per_month == 50
    assert token not in listed.stdout
    assert "till" in listed.stdout
    assert faxbox("key", "add", "till", data=tmp_path).returncode == EXIT_USAGE
    assert faxbox("key", "remove", "till", data=tmp_path).returncode == 0


def test_settings_are_got_set_exported_and_imported(tmp_path: Path) -> None:
    assert faxbox("config", "set", "station.name", "Kanzlei Müller", data=tmp_path).returncode == 0
    assert faxbox("config", "get", "station.name", data=tmp_path).stdout == "Kanzlei Müller\n"
    wrong = faxbox("config", "set", "station.nmae", "x", data=tmp_path)
    assert (wrong.returncode, "no such setting" in wrong.stderr) == (EXIT_USAGE, True)
    exported = faxbox("config", "export", data=tmp_path).stdout
    assert json.loads(exported)["settings"]["station"]["name"] == "Kanzlei Müller"
    other = tmp_path / "other"
    assert faxbox("config", "import", "-", data=other, input=exported).returncode == 0
    assert faxbox("config", "get", "station.name", data=other).stdout == "Kanzlei Müller\n"
    assert faxbox("config", "import", "-", data=other, input="[]").returncode == EXIT_USAGE


@pytest.mark.parametrize("watchdog", [None, "200000"])
def test_systemd_is_told_that_the_box_is_ready_and_alive(tmp_path: Path, watchdog: str | None) -> None:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(120)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        if watchdog:
            environment["WATCHDOG_USEC"] = watchdog
        with serving(tmp_path / "data", **environment) as (process, _):
            assert sock.recv(100) == b"READY=1"
            if watchdog:
                assert sock.recv(100) == b"WATCHDOG=1"
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=120) == 0


def test_no_process_of_the_box_leaves_an_image_of_its_memory_when_it_crashes(tmp_path: Path) -> None:
    def as_many_as_allowed() -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    with running(tmp_path / "box", before=as_many_as_allowed) as box:
        pids = box.tree()
        assert len(pids) > 1
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)


@pytest.mark.parametrize("name", ["spool.sqlite3", "settings.json", "received", "."])
@pytest.mark.parametrize("mode", [0o000, 0o400])
def test_a_file_that_is_somebody_else_s_is_named_and_no_index_is_called_damaged(
    tmp_path: Path, name: str, mode: int
) -> None:
    """As after a command that root ran."""
    if shutil.which("setpriv") is None or os.geteuid():
        pytest.skip("needs root, whose right to open everything setpriv takes away")
    data = tmp_path / "box"
    open_box(data).close()
    (data / name).chmod(mode)
    plain = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    command = [*plain, *FAXBOX, "serve", "--data", str(data), "--http", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == EXIT_UNUSABLE
    assert f"{data / name} belongs to another user" in done.stderr
    assert "rebuild" not in done.stderr
