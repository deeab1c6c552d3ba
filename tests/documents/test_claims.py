"""Several workers share the pages of one job."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from appliance.documents.worker import CLAIM, claim

WORKERS, PAGES = 4, 20_000

CLAIMS = f"""
import sys
from appliance.documents.worker import claim
sys.stdin.readline()
while (number := claim(int(sys.argv[1]))) < {PAGES}:
    print(number)
"""


def test_no_page_is_claimed_twice_and_none_left_out() -> None:
    """As the fork server has it: the workers have not only the same file but the same open file."""
    with tempfile.TemporaryFile(buffering=0) as claims:
        claims.write(CLAIM.pack(0))
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", CLAIMS, str(claims.fileno())],
                pass_fds=[claims.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[2],
            )
            for _ in range(WORKERS)
        ]
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
        claimed = [int(number) for worker in workers for number in worker.communicate()[0].split()]
        assert sorted(claimed) == list(range(PAGES))
        assert claim(claims.fileno()) == PAGES + WORKERS
