"""Reads transcripts of commands from a Markdown file, runs them against a real box, compares.

A transcript is a block fenced as ``console``: a command after ``$`` (``\\`` at a line's end, or an open
quotation, continues it), then what it said: the status line, then JSON, or nothing more.  Commands run
in a shell with ``$BOX`` (the box's address) and whatever variables the caller sets; a line
``$ NAME=$(…)`` keeps a variable for later commands.  Compared are the status, and the JSON's shape: the
same names, the same kinds of values; and values where they are words that a program would rely on.

To write the outputs anew: ``python -m tests.api.transcripts docs/api.md`` (with a box running; see
``main``).
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT_S = 240.0  # only for hangs
_FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ASSIGNMENT = re.compile(r"^([A-Z_]+)=")
# Members whose values are words to rely on, compared as they are.
WORDS = frozenset(
    {"code", "side", "retry", "state", "kind", "status", "repeated", "origin", "title", "scopes"}
)
# A command that waits for something is tried again for so long, seconds, when the document expects a
# state that has not come yet.
PATIENCE_S = 240.0
# Between two commands when outputs are written anew, seconds: what was asked for is done by then.
FILL_S = 1.5


@dataclass(frozen=True, slots=True)
class Step:
    """A command and what it is expected to say."""

    command: str
    expected: str


def steps(text: str) -> Iterator[Step]:
    """The steps of all transcripts of a document, in order."""
    for block in _FENCE.finditer(text):
        command: list[str] = []
        said: list[str] = []
        for line in block[1].splitlines():
            if line.startswith("$ "):
                if command:
                    yield Step("\n".join(command), "\n".join(said))
                command, said = [line[2:]], []
            elif command and (command[-1].endswith("\\") or "\n".join(command).count("'") % 2):
                command.append(line)
            else:
                said.append(line)
        if command:
            yield Step("\n".join(command), "\n".join(said))


class Shell:
    """Runs commands in succession; keeps the variables that they set."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._folder = folder
        self.variables = dict(variables)

    def run(self, command: str) -> str:
        """The output of the command.  Raises AssertionError when it failed."""
        name = _ASSIGNMENT.match(command)
        script = command + (f'\nprintf %s "${name[1]}"' if name else "")
        ran = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
        if name:
            self.variables[name[1]] = ran.stdout
            return ""
        return ran.stdout.replace("\r\n", "\n").rstrip("\n")


def compare(expected: str, said: str) -> list[str]:
    """The differences of the output in status or structure; empty when there are none."""
    if not expected:
        return []
    want_status, want_body = _split(expected)
    status, body = _split(said)
    if _code(want_status) != _code(status):
        return [f"status {status!r} instead of {want_status!r}: {said[:500]}"]
    if not want_body:
        return []
    try:
        want = json.loads(want_body)
    except ValueError:
        return [] if want_body.split("\n")[0] == body.split("\n")[0] else [f"{body!r} is not {want_body!r}"]
    return _differences(want, json.loads(body), "")


def _code(status: str) -> list[str]:
    """A status line without its words: they are for people, and Python 3.13 has others for 413 and 422."""
    return status.split(" ", 2)[:2]


def _split(text: str) -> tuple[str, str]:
    """Status line and body of an answer whose other header lines may be there or not."""
    if not text.startswith("HTTP/"):
        return "", text.strip()
    head, _, rest = text.partition("\n")
    lines = rest.split("\n")
    while lines and re.match(r"^[A-Za-z-]+: ", lines[0]):
        lines.pop(0)
    return head.strip(), "\n".join(lines).strip()


def _differences(want: Any, found: Any, path: str) -> list[str]:
    if isinstance(want, dict) and isinstance(found, dict):
        if want.keys() != found.keys():
            return [f"{path}: {sorted(found)} instead of {sorted(want)}"]
        return [line for name in want for line in _member(name, want[name], found[name], f"{path}.{name}")]
    if isinstance(want, list) and isinstance(found, list):
        if bool(want) != bool(found):
            return [f"{path}: {len(found)} entries instead of {len(want)}"]
        return _differences(want[0], found[0], f"{path}[0]") if want else []
    if isinstance(want, bool) or isinstance(found, bool):
        return [] if type(want) is type(found) else [f"{path}: {found!r} instead of {want!r}"]
    if isinstance(want, int | float) and isinstance(found, int | float):
        return []
    return [] if type(want) is type(found) else [f"{path}: {found!r} instead of {want!r}"]


def _member(name: str, want: Any, found: Any, path: str) -> list[str]:
    if name in WORDS and not isinstance(want, dict):
        return [] if want == found else [f"{path}: {found!r} instead of {want!r}"]
    if name in ("metadata", "facts", "data", "profile"):
        return [] if type(want) is type(found) else [f"{path}: {found!r} instead of {want!r}"]
    return _differences(want, found, path)


def follow(text: str, shell: Shell) -> None:
    """Runs every step; raises AssertionError at the first with other output."""
    for step in steps(text):
        end = time.monotonic() + PATIENCE_S
        while differences := compare(step.expected, shell.run(step.command)):
            words = "\n".join([step.command, *differences])
            assert _waits(step), words
            assert time.monotonic() < end, words
            time.sleep(0.3)


def _waits(step: Step) -> bool:
    """Whether a step may be repeated until its output is as expected: only reading ones."""
    return not re.search(r"-X|-d |-F |--data", step.command)


def fill(text: str, shell: Shell) -> str:
    """The document with what the commands say now, JSON indented, headers but the status left out."""

    def block(match: re.Match[str]) -> str:
        lines = []
        for step in steps(match[0]):
            time.sleep(FILL_S)
            said = shell.run(step.command)
            lines.append(f"$ {step.command}")
            if said:
                lines.append(_shown(said))
        return "```console\n" + "\n".join(lines) + "\n```"

    return _FENCE.sub(block, text)


def _shown(said: str) -> str:
    status, body = _split(said)
    try:
        body = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        body = "\n".join(body.split("\n")[:6])
    return "\n".join(part for part in (status, body) if part)


def main(document: Path) -> None:
    """Rewrites the outputs in ``document``, from a new box."""
    from tests.api.test_docs import shell_on_box

    with tempfile.TemporaryDirectory() as folder, shell_on_box(Path(folder)) as shell:
        document.write_text(fill(document.read_text(encoding="utf-8"), shell), encoding="utf-8")


if __name__ == "__main__":
    import sys

    main(Path(sys.argv[1]))
