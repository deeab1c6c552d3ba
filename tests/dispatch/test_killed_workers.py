"""A document whose worker is killed, for example for lack of memory, is retried a limited number of times."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.configuration import open_box
from appliance.dispatch import prepare
from appliance.dispatch.prepare import Preparer
from appliance.documents.causes import DOCUMENT_WORKER_KILLED
from appliance.documents.render import KILLED_TRIES
from appliance.documents.workers import fork_server, rendering
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.spool.model import Job, JobState

LIMIT_S = 120.0  # only for hangs
ROUNDS = (len(prepare.AGAIN_KILLED_S) + 1) * KILLED_TRIES


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    monkeypatch.setattr(prepare, "AGAIN_KILLED_S", tuple(0.05 for _ in prepare.AGAIN_KILLED_S))
    box = open_box(tmp_path / "data")
    preparer = Preparer(box)
    preparer.start()
    try:
        yield box
    finally:
        preparer.stop()
        box.close()


def killing(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """The first ``most`` workers are killed as soon as they are there; how many were, filled as it goes."""
    killed: list[int] = []

    def start(files: list[int]) -> fork_server.Worker:
        worker = fork_server.start_worker(files)
        if len(killed) < most:
            worker.kill()
            killed.append(len(killed))
        return worker

    monkeypatch.setattr(rendering, "start_worker", start)
    return killed


def prepared(box: Box) -> Job:
    """A fax of one document, once it is no longer being prepared."""
    file = box.documents.store_file(b"Dear Bob", name="letter.txt", media_type="text/plain")
    (job,) = box.faxes.submit(Request(owner="ada", to=(To("+493012345"),), files=(file,))).jobs
    end = time.monotonic() + LIMIT_S
    while box.faxes.get(job.id).state is JobState.PREPARING:
        assert time.monotonic() < end, "it was prepared again and again"
        time.sleep(0.02)
    return box.faxes.get(job.id)


def test_a_document_whose_worker_is_killed_each_time_ends_with_a_true_cause(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = killing(monkeypatch, 10 * ROUNDS)
    job = prepared(box)
    assert (job.state, job.cause) == (JobState.FAILED, DOCUMENT_WORKER_KILLED)
    assert len(killed) == ROUNDS


def test_a_document_whose_worker_is_killed_until_there_is_memory_again_goes_out(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = killing(monkeypatch, ROUNDS - 1)
    assert prepared(box).state is JobState.WAITING
    assert len(killed) == ROUNDS - 1


def test_while_no_thread_can_be_started_a_fax_waits_and_is_prepared_afterwards(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at a limit of processes (pids of a cgroup, RLIMIT_NPROC)."""
    monkeypatch.setattr(prepare, "AGAIN_S", 0.05)
    refused: list[str] = []
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if len(refused) < 3:
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    assert prepared(box).state is JobState.WAITING
    assert len(refused) == 3
