"""Lock files: held, respected, released; those of dead processes are removed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.lines.modem.uucp_lock import PortHeldHereError, PortInUseError, PortLock


def test_a_lock_file_names_its_owner_until_it_is_released(tmp_path: Path) -> None:
    lock = PortLock("/dev/ttyACM7", tmp_path)
    file = tmp_path / "LCK..ttyACM7"
    assert file.read_text() == f"{os.getpid():10d}\n"
    with pytest.raises(PortHeldHereError):
        PortLock("/dev/ttyACM7", tmp_path)
    lock.release()
    lock.release()
    assert not file.exists()


def test_a_lock_file_of_a_dead_process_that_had_our_number_is_removed(tmp_path: Path) -> None:
    (tmp_path / "LCK..ttyACM7").write_text(f"{os.getpid():10d}\n")
    lock = PortLock("/dev/ttyACM7", tmp_path)
    lock.release()
    assert not (tmp_path / "LCK..ttyACM7").exists()


def test_a_port_of_ours_is_known_as_such_where_no_lock_file_can_be_written(tmp_path: Path) -> None:
    lock = PortLock("/dev/ttyS9", tmp_path / "nothing")
    with pytest.raises(PortHeldHereError):
        PortLock("/dev/ttyS9", tmp_path / "nothing")
    lock.release()
    PortLock("/dev/ttyS9", tmp_path / "nothing").release()


def test_a_port_whose_lock_names_a_living_process_is_in_use(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (tmp_path / "LCK..ttyS1").write_text(f"{other.pid:10d}\n")
        with pytest.raises(PortInUseError, match=str(other.pid)):
            PortLock("/dev/ttyS1", tmp_path)
        other.communicate(b"\n")
    PortLock("/dev/ttyS1", tmp_path).release()  # it has ended: its lock is nobody's


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\xff" * 5000, b"99999999999999999999"])
def test_a_lock_file_that_names_nobody_is_removed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "LCK..pts_3").write_bytes(content)
    lock = PortLock("/dev/pts/3", tmp_path)
    assert (tmp_path / "LCK..pts_3").read_text().strip() == str(os.getpid())
    lock.release()


def test_a_port_is_usable_where_no_lock_file_can_be_written(tmp_path: Path) -> None:
    PortLock("/dev/ttyS9", tmp_path / "nothing").release()
