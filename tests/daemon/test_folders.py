"""A data folder of another user or of a running box is not changed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from appliance.configuration import open_box

SOMEBODY_ELSE = 65534  # nobody


def looked_at(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Owner, mode, time of change and content of all files."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(state.st_mode) else b""
        found[str(path)] = (state.st_uid, state.st_mode, state.st_mtime_ns, content)
    return found


def opened_by_somebody_else(data: Path) -> str:
    """The name of the error that opening it there raises."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        said = "it was opened"
        try:
            os.setgroups([])
            os.setgid(SOMEBODY_ELSE)
            os.setuid(SOMEBODY_ELSE)
            open_box(data).close()
        except BaseException as error:
            said = type(error).__name__
        finally:
            os.write(write, said.encode())
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as answer:
        return answer.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_another_users_box_is_not_opened_and_not_changed(tmp_path: Path, mode: int) -> None:
    data = tmp_path / "data"
    open_box(data).close()
    data.chmod(mode)
    for folder in (tmp_path, *tmp_path.parents[:2]):  # the way there is open: the folder itself decides
        folder.chmod(0o755)
    before = looked_at(data)
    assert opened_by_somebody_else(data) == "PermissionError"
    assert looked_at(data) == before


def test_a_folder_that_a_box_runs_on_is_not_opened_and_not_changed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    box = open_box(data)
    try:
        before = looked_at(data)
        with pytest.raises(BlockingIOError):
            open_box(data)
        assert looked_at(data) == before
    finally:
        box.close()
