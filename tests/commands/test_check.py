"""``faxbox check trunk``: over a real call between two SIP stacks, and what is wrong with the command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.ports import free_port, is_bound

START_S, CALL_S = 120, 240


def faxbox(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "appliance.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=CALL_S, check=False)


def make_box(data: Path, server: str, **sip: object) -> None:
    line = {"name": "trunk", "type": "sip", "server": server, "register": False, "peers": ["127.0.0.1"]}
    settings = {"settings": {"sip": {"bind": "127.0.0.1", **sip}}, "lists": {"lines": {"1": line}}}
    file = data.with_suffix(".json")
    file.write_text(json.dumps(settings), encoding="utf-8")
    done = faxbox("config", "import", file, "--data", data)
    assert done.returncode == 0, done.stderr


def usable_lines(data: Path) -> list[str]:
    """The lines that the box on ``data`` calls usable; none while it is starting."""
    listed = faxbox("line", "list", "--json", "--data", data)
    return [line["name"] for line in json.loads(listed.stdout) if line["usable"]] if listed.stdout else []


def test_a_trunk_is_named_and_a_number_given_unless_it_is_local(tmp_path: Path) -> None:
    make_box(tmp_path / "box", "sip.example.invalid")
    nobody = faxbox("check", "trunk", "other", "--data", tmp_path / "box")
    assert nobody.returncode == 2
    assert "no SIP line called 'other'" in nobody.stderr
    no_number = faxbox("check", "trunk", "trunk", "--data", tmp_path / "box")
    assert no_number.returncode == 2
    assert "--to" in no_number.stderr


def test_the_check_says_in_words_what_the_trunk_offers(tmp_path: Path) -> None:
    pytest.importorskip("pjsua2")
    port = free_port()
    make_box(tmp_path / "far", "127.0.0.1:9", udp_port=port)
    make_box(tmp_path / "near", f"127.0.0.1:{port}")
    serve = [sys.executable, "-m", "appliance.cli", "serve", "--data", str(tmp_path / "far")]
    far = subprocess.Popen([*serve, "--http", "127.0.0.1:0"])
    try:
        begun = time.monotonic()
        # The trunk is there a moment after its port.
        while not (is_bound(port) and "trunk" in usable_lines(tmp_path / "far")):
            assert time.monotonic() - begun < START_S
            time.sleep(0.1)
        done = faxbox("check", "trunk", "trunk", "--data", tmp_path / "near")
    finally:
        far.send_signal(signal.SIGTERM)
        far.wait(START_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "T.38 works" in done.stdout
    assert "A page went through" in done.stdout
