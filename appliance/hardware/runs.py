"""Hardware tests started from the web pages: ``faxbox hardware-test --json`` in a process of its own.

That process writes each result, each question to the person, and its end as a line of JSON, and reads answers
as lines of JSON.  When nobody reads any more, it restores what it changed, and ends.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from appliance.causes import CauseError
from appliance.hardware.causes import HARDWARE_TEST_ASKS_NOTHING, HARDWARE_TEST_UNDER_WAY

_log = logging.getLogger(__name__)

# Longest line of the other process, octets; reasons are limited and much shorter.
_LINE_OCTETS = 1 << 16
# Time for a stopped test to restore what it changed, such as a modem's line, seconds.
_STOP_S = 150.0
# The kind of question that asks to do something and needs no answer; and the answer yes.
REQUEST, YES = "does", "yes"


@dataclass(frozen=True, slots=True)
class RunProgress:
    """The progress of the last run.  ``question`` waits for an answer: its kind, its text, and the thing that
    it is about.

    ``verdict`` is empty until the run has ended, and stays so when it was stopped.
    """

    running: bool = False
    began_at: float = 0.0
    results: tuple[dict[str, Any], ...] = ()
    question: dict[str, str] | None = None
    verdict: str = ""
    report: Path | None = None  # the folder
    trouble: str = ""  # why it could not be completed


@dataclass
class Runs:
    """The runs of one box, one at a time.  Thread-safe."""

    data: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _progress: RunProgress = RunProgress()
    _process: subprocess.Popen[bytes] | None = None

    def start(self, words: Sequence[str], now: float) -> None:
        """Starts a run; ``words`` are options of ``faxbox hardware-test``.  Raises CauseError, OSError."""
        command = [sys.executable, "-m", "appliance.cli", "hardware-test", "--json"]
        with self._lock:
            if self._progress.running:
                raise CauseError(HARDWARE_TEST_UNDER_WAY)
            self._process = subprocess.Popen(
                [*command, "--data", str(self.data.resolve()), *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self._progress = RunProgress(running=True, began_at=now)
        threading.Thread(
            target=self._follow, args=(self._process,), name="hardware-test", daemon=True
        ).start()

    def progress(self) -> RunProgress:
        """The progress as last reported."""
        with self._lock:
            return self._progress

    def answer(self, text: str) -> None:
        """Answers the open question.  Raises CauseError."""
        with self._lock:
            question, process = self._progress.question, self._process
            if question is None or question["kind"] == REQUEST or process is None or process.stdin is None:
                raise CauseError(HARDWARE_TEST_ASKS_NOTHING)
            try:
                process.stdin.write(json.dumps({"answer": text}).encode() + b"\n")
                process.stdin.flush()
            except (OSError, ValueError):  # it has ended, or was stopped
                raise CauseError(HARDWARE_TEST_ASKS_NOTHING) from None
            self._progress = replace(self._progress, question=None)

    def stop(self) -> None:
        """Stops the current run, if there is one; it first restores what it changed."""
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        said: list[bytes] = []
        listener = threading.Thread(target=lambda: said.append(_end_of(process.stderr)), daemon=True)
        listener.start()
        while line := process.stdout.readline(_LINE_OCTETS):
            try:
                self._heard(json.loads(line))
            except (ValueError, KeyError, TypeError):
                _log.warning("the hardware test said something else: %r", line[:200])
        try:
            code = process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        listener.join(_STOP_S)
        complaint = b"".join(said).decode("utf-8", "replace").strip().splitlines()[-1:]
        with self._lock:
            trouble = "" if self._progress.verdict else (complaint or [f"It ended with {code}."])[0]
            self._progress = replace(self._progress, running=False, question=None, trouble=trouble)

    def _heard(self, told: dict[str, Any]) -> None:
        with self._lock:
            if "result" in told:
                self._progress = replace(
                    self._progress, results=(*self._progress.results, told["result"]), question=None
                )
            elif "question" in told:
                self._progress = replace(self._progress, question=told["question"])
            elif "verdict" in told:
                self._progress = replace(self._progress, verdict=told["verdict"], report=Path(told["folder"]))


class AtPipe:
    """The person, at the other end of standard input and output: in the web pages.

    When that end is closed, the run is interrupted, as by Ctrl-C.
    """

    def __init__(self) -> None:
        self._answers: SimpleQueue[str] = SimpleQueue()
        # A process that a shell starts in the background inherits that SIGINT is ignored, and would never
        # end.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=self._listen, name="answers", daemon=True).start()

    def sees(self, question: str, thing: str) -> bool:
        return self._asked("sees", question, thing) == YES

    def does(self, request: str, thing: str) -> None:
        tell({"question": {"kind": REQUEST, "words": request, "thing": thing}})

    def reads(self, question: str, thing: str) -> str:
        return self._asked("reads", question, thing)

    def _asked(self, kind: str, question: str, thing: str) -> str:
        tell({"question": {"kind": kind, "words": question, "thing": thing}})
        return self._answers.get()

    def _listen(self) -> None:
        while line := sys.stdin.readline(_LINE_OCTETS):
            self._answers.put(str(json.loads(line)["answer"]))
        os.kill(os.getpid(), signal.SIGINT)


def tell(what: dict[str, Any]) -> None:
    """Reports something to the box, as a line of JSON."""
    print(json.dumps(what), flush=True)


def _end_of(stream: IO[bytes] | None) -> bytes:
    """The last octets of a stream that is read to its end."""
    kept = b""
    while stream is not None and (piece := stream.read(_LINE_OCTETS)):
        kept = (kept + piece)[-_LINE_OCTETS:]
    return kept
