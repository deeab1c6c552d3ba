"""A library before the C library of a process: writes below a folder fail while a file says so."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* FAULT names a file; while it is there, it says an errno and which paths have it. */
static int fails(int fd) {
    const char *said = getenv("FAULT");
    char link[64], path[512], part[256];
    int number, after = errno;
    FILE *file = said ? fopen(said, "re") : NULL;
    if (!file) { errno = after; return 0; }
    int read = fscanf(file, "%d %255s", &number, part);
    fclose(file);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (read == 2 && length > 0) {
        path[length] = 0;
        if (strstr(path, part)) { errno = number; return 1; }
    }
    errno = after;
    return 0;
}
#define REAL(name) static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name)
ssize_t write(int fd, const void *from, size_t count) {
    REAL(write); return fd > 2 && fails(fd) ? -1 : real(fd, from, count);
}
ssize_t pwrite(int fd, const void *from, size_t count, off_t at) {
    REAL(pwrite); return fails(fd) ? -1 : real(fd, from, count, at);
}
ssize_t pwrite64(int fd, const void *from, size_t count, off64_t at) {
    REAL(pwrite64); return fails(fd) ? -1 : real(fd, from, count, at);
}
int fsync(int fd) { REAL(fsync); return fails(fd) ? -1 : real(fd); }
int fdatasync(int fd) { REAL(fdatasync); return fails(fd) ? -1 : real(fd); }
"""


class FaultyDisk:
    """The disk below the paths that a fault names, for processes that are started after it was made."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        if shutil.which("cc") is None:
            pytest.skip("no C compiler is installed")
        library = folder / "faulty.so"
        (folder / "faulty.c").write_text(SOURCE)
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-o", library, folder / "faulty.c", "-ldl"], check=True, timeout=60
        )
        self._says = folder / "fault"
        monkeypatch.setenv("LD_PRELOAD", str(library))
        monkeypatch.setenv("FAULT", str(self._says))

    def fail(self, error: int, part: str) -> None:
        """Writes and fsyncs of paths that contain ``part`` fail with ``error`` from now on."""
        new = self._says.with_suffix(".new")
        new.write_text(f"{error} {part}")
        new.rename(self._says)

    def heal(self) -> None:
        self._says.unlink()
