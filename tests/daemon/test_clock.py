"""``faxbox serve`` while the clock is set: a real process, observed from outside.

A library before the box's own shifts what the C library says of the time of day, and nothing else:
libfaketime shifts absolute sleeps on the monotonic clock, too, and Python's own then fail (EINVAL).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.configuration import open_settings
from appliance.spool.model import DAY_S
from appliance.spool.settings import StorageSettings
from bench import marked
from bench.running import NO_LIMITS, Client, _first_answer, add_key

YEAR_S = 365 * DAY_S
LIMIT_S = 120.0

pytestmark = [
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is installed"),
    pytest.mark.full,
]


SHIFTED = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long ahead(void) { const char *said = getenv("AHEAD_S"); return said ? atol(said) : 0; }

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += ahead();
    return failed;
}
int gettimeofday(struct timeval *now, void *zone) {
    struct timespec fine;
    clock_gettime(CLOCK_REALTIME, &fine);
    now->tv_sec = fine.tv_sec; now->tv_usec = fine.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *now) {
    struct timespec fine;
    clock_gettime(CLOCK_REALTIME, &fine);
    if (now) *now = fine.tv_sec;
    return fine.tv_sec;
}
"""


def _library(folder: Path) -> Path:
    """The library that shifts the time of day by AHEAD_S seconds."""
    made = folder / "shifted.so"
    if not made.exists():
        (folder / "shifted.c").write_text(SHIFTED)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", made, folder / "shifted.c", "-ldl"], check=True)
    return made


@contextlib.contextmanager
def _box(data: Path, ahead_s: float) -> Iterator[Client]:
    """A box whose clock is ``ahead_s`` seconds ahead; its monotonic clocks are the machine's."""
    store = open_settings(data)
    token = add_key(store, f"test {time.time_ns()}")
    (data / "http.json").unlink(missing_ok=True)
    env = {
        **os.environ,
        "LD_PRELOAD": str(_library(data.parent)),
        "AHEAD_S": f"{ahead_s:.0f}",
    }
    with (data / "serve.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "appliance.cli", "serve", "--data", str(data), "--http", "127.0.0.1:0"],
            stdout=log,
            stderr=log,
            env=env,
            text=True,
        )
    try:
        with contextlib.closing(Client(_first_answer(data, process), token)) as client:
            yield client
    finally:
        process.terminate()
        process.wait(60)


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.1)


@pytest.mark.timeout(400)
def test_a_start_with_a_clock_a_year_ahead_erases_nothing_and_says_so(tmp_path: Path) -> None:
    data = tmp_path / "box"
    data.mkdir()
    store = open_settings(data)
    for path, value in {**NO_LIMITS, "practice.speed": "10", "practice.wait_s": "0.2"}.items():
        store.set_path(path, value)
    kept = {"received_days": 30.0, "documents_days": 30.0, "journal_days": 60.0}
    store.change(StorageSettings, {**kept, "reserve_mb": 20, "warn_mb": 20})
    with _box(data, 0) as box:
        sent = box.send("9990", "a.tif", marked.document(1)).json["faxes"][0]["id"]
        box.ask("POST", "/practice/receive", {"caller": "4711"})
        _until(lambda: _state(box, sent) == "delivered" and _came_in(box))
        assert box.ask("GET", "/status").json["clock_doubted_s"] == 0
    for ahead_s in (YEAR_S, DAY_S, -DAY_S, 0):
        before = _copies(data)
        with _box(data, ahead_s) as box:
            _until(lambda before=before: _copies(data) != before)
            doubted_s = box.ask("GET", "/status").json["clock_doubted_s"]
            assert doubted_s == pytest.approx(max(0, ahead_s), abs=LIMIT_S * 10)
            assert _state(box, sent) == "delivered"
            (fax,) = _came_in(box)
            assert box.ask("GET", f"/received/{fax['id']}/pdf").content.startswith(b"%PDF")
            assert box.ask("GET", f"/faxes/{sent}/document").status == 200


def _state(box: Client, fax: int) -> str:
    return str(box.ask("GET", f"/faxes/{fax}").json["state"])


def _came_in(box: Client) -> list[dict[str, object]]:
    found = box.ask("GET", "/received?caller=4711").json["received"]
    return [fax for fax in found if fax["state"] == "complete"]


def _copies(data: Path) -> set[tuple[str, int, int]]:
    """The daily copies of the index: one is made after each start, once what has expired is deleted."""
    found = [(path, path.stat()) for path in (data / "copies").glob("*.sqlite3")]
    return {(path.name, state.st_ino, state.st_mtime_ns) for path, state in found}
