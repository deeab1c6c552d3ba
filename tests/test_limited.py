"""Limits that a process sets for itself when its parent allows less."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

OURS, LESS = 768 << 20, 600 << 20
NOBODY = 65534
PROGRAM = f"""
import os, resource, sys
from appliance import limited
allowed = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
limited.end_first()
if os.geteuid() == 0:
    os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
limited.lower(resource.RLIMIT_AS, {OURS})
limited.lower(resource.RLIMIT_CPU, 60, 70)
print(*resource.getrlimit(resource.RLIMIT_AS), *resource.getrlimit(resource.RLIMIT_CPU))
print(open("/proc/self/oom_score_adj").read())
"""


@pytest.mark.parametrize(("allowed", "left"), [(LESS, LESS), (resource.RLIM_INFINITY, OURS)])
def test_a_lower_limit_of_who_started_the_box_stands_and_is_no_fault(allowed: int, left: int) -> None:
    """As ``ulimit -v`` or systemd's LimitAS: without privileges, raising it again is refused."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(allowed)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    limits, score = done.stdout.split("\n")[:2]
    assert limits == f"{left} {left} 60 70"
    assert score == "1000"
