"""Runs of the suite in processes of their own that are forked from one that has imported what they need.

A process that begins with its imports takes a second of a processor for them; the suite itself takes a tenth.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from appliance import cli
from appliance.configuration import open_settings
from appliance.hardware import report, signing, suite
from appliance.hardware.rig import Rig

HANG_S = 240.0
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["weasyprint", "appliance.commands.hardware_test", "tests.hardware.forked", "tests.hardware.panel_rig"]
)


def forked(
    work: Callable[..., int],
    *given: Any,
    output: Path,
    environment: Mapping[str, str] | None = None,
    answers: str = "",
) -> int:
    """The exit code of a process that does ``work(*given)``; what it prints is in the file ``output``.

    ``answers`` is what somebody types.
    """
    all_of_it = {**os.environ, **(environment or {})}
    process = _FORKS.Process(target=_child, args=(work, given, output, all_of_it, answers))
    process.start()
    process.join(HANG_S)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError(output.read_text())
    return process.exitcode


def _child(
    work: Callable[..., int], given: tuple[Any, ...], output: Path, environment: dict[str, str], answers: str
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    sys.stdin = io.StringIO(answers)
    with output.open("wb") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    sys.exit(work(*given))


def command(*words: object) -> int:
    """``faxbox hardware-test`` with these words."""
    return cli.main(["hardware-test", *map(str, words)])


def on_a_folder(out: Path, part: str, data: Path, more: Mapping[str, Any]) -> int:
    """Tests one part on a rig with these fields, such as a machine that is a folder."""
    return tested(out, part, Rig(data, open_settings(data), **more))


def tested(out: Path, part: str, rig: Rig) -> int:
    """Tests one part of the rig, and writes the report."""
    key = signing.box_key(rig.data)
    made = report.document(suite.run(rig, [part]), key, station="", build="", began=0.0, ended=0.0)
    report.write(out, made, key)
    return int(made["verdict"] != report.GREEN)
