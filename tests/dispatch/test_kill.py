"""kill -9 at random times under mixed load: no accepted fax is lost, no confirmed fax is sent twice.

Forty kills always; five hundred with FAXBOX_SWEEP=1.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from appliance.daemon.main import recover
from appliance.lines.line import OutgoingCall
from appliance.spool.filters import JobFilter, ReceivedFilter
from appliance.spool.model import JobState, ReceivedState
from appliance.t4.tiff import FaxTiff
from tests.daemon.keeping import keeper_of
from tests.dispatch.crash_worker import PAGES
from tests.dispatch.fake_line import FakeLine
from tests.dispatch.making import dispatching, ended, make_box, render_common

KILLS = 500 if os.environ.get("FAXBOX_SWEEP") else 40
SEED = 20_240_229
MOST_EVENTS = 60  # of one life


@dataclass
class Truth:
    """The view from outside: the far ends, and the clients whose fax was accepted."""

    accepted: dict[int, str] = field(default_factory=dict)
    whole: Counter[str] = field(default_factory=Counter)  # by number: how often it got its last page
    got: list[tuple[str, int]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def hear(self, line: str) -> None:
        match line.split():
            case ["accepted", job_id, number]:
                self.accepted[int(job_id)] = number
            case ["mcf", number, _, last]:
                self.whole[number] += int(last)
            case ["got", caller, page]:
                self.got.append((caller, int(page)))
            case ["child" | "gone" | "sound", *_]:
                pass
            case _:
                self.complaints.append(line)


def kill_again_and_again(data: Path, rendered: Path, truth: Truth) -> None:
    chance = random.Random(SEED)
    fork_server = subprocess.Popen(
        [sys.executable, "-m", "tests.dispatch.crash_worker", str(data), str(rendered)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert fork_server.stdin is not None
    assert fork_server.stdout is not None
    with contextlib.closing(fork_server.stdin), contextlib.closing(fork_server.stdout):
        for seed in range(KILLS):
            fork_server.stdin.write(f"{seed}\n")
            fork_server.stdin.flush()
            # Now and then within the recovery itself, else once the load has told of so much.
            after = chance.randrange(MOST_EVENTS)
            for line in fork_server.stdout:
                truth.hear(line)
                if line.startswith("child"):
                    pid, events = int(line.split()[1]), 0
                    if seed % 8 == 0:
                        os.kill(pid, signal.SIGKILL)
                elif line.startswith("gone"):
                    break
                elif seed % 8:
                    events += 1
                    if events == after + 1:
                        pause = chance.uniform(0.0, 0.01)
                        threading.Timer(pause, os.kill, (pid, signal.SIGKILL)).start()
    fork_server.wait()


def test_killed_at_any_instant_the_box_loses_nothing_and_sends_nothing_twice(tmp_path: Path) -> None:
    data, rendered = tmp_path / "data", tmp_path / "rendered"
    render_common(rendered)
    make_box(data, rendered).close()
    truth = Truth()
    kill_again_and_again(data, rendered, truth)
    assert truth.complaints == []
    assert len(truth.accepted) > KILLS // 4
    assert truth.got

    def confirmed(call: OutgoingCall, page: int, last: bool) -> None:
        truth.whole[call.number] += last

    box = make_box(data, rendered)
    try:
        recover(box)

        async def finish() -> None:
            async with dispatching(box, FakeLine(capacity=20, confirmed=confirmed)):
                await ended(box, *[box.faxes.get(job_id) for job_id in truth.accepted])

        asyncio.run(finish())

        final = Counter[JobState]()
        for job_id, number in truth.accepted.items():
            job = box.faxes.get(job_id)
            final[job.state] += 1
            assert job.number == number
            assert truth.whole[number] <= 1, f"job {job_id} was sent {truth.whole[number]} times"
            assert job.state in (JobState.DELIVERED, JobState.UNKNOWN)
            if job.state is JobState.DELIVERED:
                assert truth.whole[number] == 1
        assert final[JobState.DELIVERED] > final[JobState.UNKNOWN]

        received = {}
        before = None
        while page := box.inbox.search(ReceivedFilter(empty=True, before_id=before, limit=500)):
            received.update({fax.caller: fax for fax in page})
            before = page[-1].id
        for caller, number in truth.got:
            fax = received[caller]
            if number == PAGES - 1:
                assert fax.state is ReceivedState.COMPLETE
            assert fax.state in (ReceivedState.COMPLETE, ReceivedState.PARTIAL)
            file = box.inbox.pages(fax.id)[number]
            with FaxTiff(box.data / file.path) as tiff:
                assert tiff.raster(0).data == bytes([number]) * (216 * 4)

        # Nothing lies about that no row names, but what the kills tore off, and that is swept away.
        keeper = keeper_of(box, time.time)
        keeper.sweep_orphans(age_s=-1)
        assert keeper.sweep_orphans(age_s=-1) == 0
        assert len(list((data / "documents").iterdir())) == len(box.faxes.search(JobFilter(limit=1000))) or (
            len(truth.accepted) > 900
        )
    finally:
        box.close()
