"""Every transcript in docs/api.md matches a real box, and every call is documented."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from appliance.api.rest.table import ROUTES
from appliance.configuration import open_settings
from appliance.lines.practice.settings import PracticeSettings
from appliance.net.settings import ApiSettings
from appliance.settings import secrets
from appliance.settings.accounts import Scope
from tests.api.transcripts import Shell, follow, steps

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
FAXBOX = [sys.executable, "-m", "appliance.cli"]
LETTER = "Dear Sir,\n\nplease find our offer on the next page.\n\fOur offer: 42.\n"


@contextlib.contextmanager
def shell_on_box(folder: Path) -> Iterator[Shell]:
    """A shell beside a running ``faxbox serve``: ``$BOX``, ``$KEY`` (may do everything), ``letter.txt``."""
    data = folder / "data"
    data.mkdir()
    (folder / "letter.txt").write_text(LETTER, encoding="utf-8")

    store = open_settings(data)
    # Practice calls never wait for one another, however slowly the machine carries them.
    store.change(PracticeSettings, {"speed": 10.0, "wait_s": 0.5, "calls_at_once": 64})
    store.change(ApiSettings, {"requests_per_hour": 0, "burst": 0})
    _, token = secrets.add_key(store, "office", scopes=(Scope.ADMIN,))
    process = subprocess.Popen(
        [*FAXBOX, "serve", "--data", str(data), "--http", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        said = ""
        for line in process.stdout:
            said += line
            if "ready" in line:
                break
        box = re.search(r"http://\S+", said)
        code = re.search(r"administrator: (\S+)", said)
        assert box is not None
        assert code is not None
        yield Shell(folder, {"PATH": os.environ["PATH"], "BOX": box[0], "KEY": token, "CODE": code[1]})
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def test_every_transcript_is_true(tmp_path: Path) -> None:
    with shell_on_box(tmp_path) as shell:
        follow(DOCUMENT.read_text(encoding="utf-8"), shell)


def test_every_call_has_a_transcript() -> None:
    commands = [step.command for step in steps(DOCUMENT.read_text(encoding="utf-8"))]
    asked = [_call(command) for command in commands if "/api/v1" in command]
    missing = [
        f"{route.method} {route.path}"
        for route in ROUTES
        if not any(verb == route.method and re.fullmatch(_pattern(route.path), path) for verb, path in asked)
        # One section of the settings, and one list, stands for all.
        and not re.match(
            r"/(settings/(?!station)|groups|covers|line-settings|routes|junk-rules|favourite-printers)",
            route.path,
        )
    ]
    assert missing == []


def _call(command: str) -> tuple[str, str]:
    method = re.search(r"-X (\w+)", command)
    path = re.search(r"/api/v1(/[^\s\"?']*)", command)
    assert path is not None, command
    default = "POST" if re.search(r" -d | -F |--data", command) else "GET"
    return (method[1] if method else default), path[1]


def _pattern(path: str) -> str:
    return re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
