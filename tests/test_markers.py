"""Which tests a ``-m`` chooses, and what is made anew for a test that is run once more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AT_FULL_SIZE = "test_a_hundred_thousand_mutated_messages_are_read_or_refused"
OF_A_BOX = "test_clients_from_all_sides_break_no_fax_and_get_their_answers"
OTHER = "test_texts_are_cut_at_whole_letters"


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [("", {OTHER, OF_A_BOX}), ("not realtime", {OTHER}), ("full", {AT_FULL_SIZE})],
)
def test_a_full_size_runs_when_asked_for_and_a_box_is_in_real_time(asked: str, chosen: set[str]) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", "-m", asked]
    files = ["tests/ipp/test_codec.py", "tests/load/test_api_load.py"]
    done = subprocess.run([*command, *files], cwd=ROOT, check=True, capture_output=True, text=True)
    found = {name for name in (AT_FULL_SIZE, OF_A_BOX, OTHER) if name in done.stdout}
    assert found == chosen, done.stdout


SHARED = """
import pytest

MADE = []

@pytest.fixture(scope="module")
def call():
    MADE.append("")
    yield len(MADE)
    MADE.append("ended")

@pytest.fixture(scope="module")
def outcome(call):
    return call

def test_before(outcome):
    assert outcome == 1

def test_fails_once(outcome):
    assert outcome == 3

def test_after(outcome):
    assert outcome == 3
"""


def test_a_test_that_is_run_once_more_has_what_its_file_shares_made_anew(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_runtest_setup\n")
    (tmp_path / "test_shared.py").write_text(SHARED)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--reruns", "1", str(tmp_path)]
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), "-c", os.devnull],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "3 passed, 1 rerun" in done.stdout, done.stdout + done.stderr
