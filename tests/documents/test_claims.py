"""Several workers share the pages of one job."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest

from appliance.documents.causes import DOCUMENT_UNSUPPORTED
from appliance.documents.options import PLAIN, Limits, RenderOptions, options_to_json
from appliance.documents.workers.fork_server import start_worker
from appliance.documents.workers.worker import CLAIM, claim
from tests.documents.making import pdf

WORKERS, PAGES = 4, 20_000

CLAIMS = f"""
import sys
from appliance.documents.workers.worker import claim
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


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_a_worker_that_is_told_the_pages_of_the_files_opens_only_those_it_draws(
    tmp_path: Path, told: bool
) -> None:
    (tmp_path / "unreadable").write_bytes(bytes(range(256)))
    (tmp_path / "whole.pdf").write_bytes(pdf([(595, 842, "BT /F 14 Tf 60 600 Td (Type) Tj ET")]))
    (tmp_path / "claims").write_bytes(CLAIM.pack(1))  # the first page is another worker's
    names = ("unreadable", "whole.pdf")
    files = [(tmp_path / name).open("w+b", buffering=0) for name in ("output", "typeset")]
    files.insert(1, (tmp_path / "claims").open("r+b", buffering=0))
    files += [(tmp_path / name).open("rb", buffering=0) for name in names]
    look = PLAIN.to_json()
    job = {
        "sources": [{"pages": "", "name": name, "look": look, "media_type": ""} for name in names],
        "scratch": str(tmp_path),
        "typeset": {},
        "options": options_to_json(RenderOptions()),
        "limits": asdict(Limits()),
        "alone": True,
        "range": (0, None),
        "counts": [1, 1] if told else [],
    }
    worker = start_worker([file.fileno() for file in files])
    try:
        worker.channel.sendall(json.dumps(job).encode() + b"\n")
        worker.channel.settimeout(60)
        with worker.channel.makefile("rb") as lines:
            said = [json.loads(line) for line in iter(lines.readline, b"")]
    finally:
        worker.close()
        for file in files:
            file.close()
    if told:
        assert [each["page"] for each in said if "page" in each] == [1]
        assert said[-1] == {"done": True}
    else:
        assert said[-1]["error"] == DOCUMENT_UNSUPPORTED.code
