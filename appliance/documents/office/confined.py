"""Finds other programs (LibreOffice, Ghostscript) that turn a document into a PDF, and confines them.

Each run has a temporary folder of its own, limits, no network where the kernel allows that, and ends with
the worker.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from appliance import limited
from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_TIMED_OUT
from appliance.documents.errors import DocumentError
from appliance.documents.workshop import Workshop

_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000  # linux/sched.h
# Folders of LibreOffice's own programs; the one on the PATH is a script that starts two more processes.
_FOLDERS = ("/usr/lib/libreoffice/program", "/opt/libreoffice/program")
_PATH = "/usr/bin:/bin"
# The files with a program's output and its complaints, and how many octets of each are read.
_SAID, _COMPLAINTS, _SAID_OCTETS = ".said", ".complaints", 64 << 10


def find_program(name: str) -> str | None:
    """The path of the program ``name``, None when it is not installed."""
    return shutil.which(name, path=":".join((*_FOLDERS, _PATH)))


class Bench:
    """A temporary folder for one run: files in, a program, a PDF out.  A context manager."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._folder: Path | None = None

    def __enter__(self) -> Bench:
        self._folder = Path(tempfile.mkdtemp(prefix=".run-", dir=self._workshop.scratch))
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def folder(self) -> Path:
        """The folder in which the child works."""
        assert self._folder is not None
        return self._folder

    def run(self, command: Sequence[str], seconds: float) -> int:
        """Runs ``command``; returns its exit code, -SIGKILL when it took longer than ``seconds``."""
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        memory_octets = self._workshop.limits.memory_octets
        with (
            (self.folder / _SAID).open("wb") as said,
            (self.folder / _COMPLAINTS).open("wb") as complaints,
            subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=complaints,
                env={
                    "PATH": _PATH,
                    "LANG": "C.UTF-8",
                    "HOME": str(self.folder),
                    "TMPDIR": str(temporary),
                    "FONTCONFIG_FILE": os.environ.get("FONTCONFIG_FILE", "/etc/fonts/fonts.conf"),
                    "SAL_USE_VCLPLUGIN": "svp",
                },
                preexec_fn=lambda: _confine(memory_octets),  # noqa: PLW1509 (the worker has one thread)
            ) as process,
        ):
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                return -signal.SIGKILL

    def pdf_of(
        self, command: Sequence[str], made: Path, seconds: float, title: str, lacked: Callable[[Bench], bool]
    ) -> bytes:
        """The PDF that ``command`` of the program ``title`` writes to ``made``.

        ``lacked`` tells whether a run that failed was refused memory.

        Raises DocumentError (DOCUMENT_TIMED_OUT, DOCUMENT_DAMAGED), MemoryError.
        """
        code = self.run(command, seconds)
        if code == -signal.SIGKILL:
            raise DocumentError(DOCUMENT_TIMED_OUT, title)
        if code != 0 and lacked(self):
            raise MemoryError(title)
        pdf = made.read_bytes() if code == 0 and made.is_file() else b""
        if not pdf.startswith(b"%PDF-"):
            raise DocumentError(DOCUMENT_DAMAGED, f"{title} made no PDF of it (exit code {code})")
        return pdf

    def said(self) -> bytes:
        """The beginning of the last program's output."""
        return self._beginning(_SAID)

    def complaints(self) -> bytes:
        """The beginning of what the last program said of its errors."""
        return self._beginning(_COMPLAINTS)

    def _beginning(self, name: str) -> bytes:
        with (self.folder / name).open("rb") as file:
            return file.read(_SAID_OCTETS)


def _confine(memory_octets: int) -> None:
    """Runs in the child before the program begins.

    The program has its worker's limit of memory, ends with us, and has no network where that is possible.
    """
    limited.lower(resource.RLIMIT_DATA, memory_octets)
    limited.control(limited.END_WITH_PARENT)
    libc = ctypes.CDLL(None)
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
