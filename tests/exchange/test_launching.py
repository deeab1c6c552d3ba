"""The exchange process that a starting box forks: what it inherits, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

# Forks an exchange in a process with one thread and a file that is its own, and tells what became of it.
_SCRIPT = """
import contextlib, json, logging, os, sys, time
from pathlib import Path
from appliance.exchange import launching

ours = open("/dev/zero")
launched = launching.fork(logging.INFO)
here = Path("/proc") / str(launched.process.pid)
while (here / "comm").read_text().strip() != "faxbox-exchange":
    time.sleep(0.01)
files = []
for each in (here / "fd").iterdir():
    with contextlib.suppress(FileNotFoundError):  # it has just been closed
        files.append(os.readlink(each))
modules = [name for name in sys.modules if name.startswith(("appliance.spool", "appliance.api", "webui"))]
if sys.argv[1] == "kill":
    launched.process.kill()
else:
    launched.sock.close()
code = launched.process.wait(60)
print(json.dumps([files, modules, code, launched.process.wait()]))
"""


@pytest.mark.parametrize(("end", "code"), [("kill", -signal.SIGKILL), ("close", 0)])
def test_a_forked_exchange_holds_nothing_of_the_box_and_ends_with_its_channel(end: str, code: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _SCRIPT, end], capture_output=True, text=True, timeout=120, check=True
    )
    files, modules, ended, again = json.loads(ran.stdout)
    assert "/dev/zero" not in files
    assert "/dev/null" in files  # its standard input
    assert not modules  # what only the box needs is not there yet
    assert (ended, again) == (code, code)
    assert not ran.stderr
