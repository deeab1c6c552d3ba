"""Which tests a ``-m`` chooses: full sizes only when asked for, and no running box without ``realtime``."""

from __future__ import annotations

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
