"""A running box takes printed documents when the backend signals it, and ends on a signal."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from appliance.configuration import open_box
from appliance.printing import cups_backend
from appliance.printing.folder import LOOK_EVERY_S, REST_S, PrintFolder
from appliance.printing.queues import make_folder
from appliance.printing.settings import PrintingSettings
from appliance.printing.wake import Wake

LIMIT_S = 120.0  # only for hangs


def print_to(folder: Path) -> int:
    done = subprocess.run(
        [sys.executable, cups_backend.__file__, "1", "ada", "title", "1", ""],
        env={"DEVICE_URI": f"faxbox:{folder}", "CUPS_SERVER": "/nowhere"},
        input=b"%PDF-1.4 %%EOF",
        timeout=LIMIT_S,
        check=False,
    )
    return done.returncode


def test_a_backend_ends_the_waiting_of_a_box(tmp_path: Path) -> None:
    make_folder(tmp_path)
    wake = Wake()
    wake.wait(str(tmp_path), 0)  # opens the pipe
    assert print_to(tmp_path) == cups_backend.TAKEN
    assert wake.wait(str(tmp_path), 2 * LIMIT_S)
    wake.close()


def test_ending_the_waiting_is_told_from_a_signal_of_a_backend(tmp_path: Path) -> None:
    wake = Wake()
    threading.Timer(0.1, wake.end).start()
    assert not wake.wait(str(tmp_path), 2 * LIMIT_S)
    wake.close()


@pytest.mark.parametrize("instead", ["nothing", "a file", "a link"])
def test_without_a_pipe_the_backend_hands_over_all_the_same(tmp_path: Path, instead: str) -> None:
    other = tmp_path / "other"
    other.write_text("untouched")
    folder = tmp_path / "print"
    make_folder(folder)
    pipe = folder / cups_backend.WAKE_NAME
    pipe.unlink()
    if instead == "a file":
        pipe.write_text("untouched")
    elif instead == "a link":
        pipe.symlink_to(other)
    wake = Wake()
    assert wake.wait(str(folder), 0)
    wake.close()
    assert print_to(folder) == cups_backend.TAKEN
    assert len(list(folder.glob(f"*{cups_backend.ENTRY_SUFFIX}"))) == 1
    assert other.read_text() == "untouched"
    assert instead != "a file" or pipe.read_text() == "untouched"


def test_a_pipe_that_is_made_anew_is_found(tmp_path: Path) -> None:
    wake = Wake()
    for _ in range(2):
        (tmp_path / cups_backend.WAKE_NAME).unlink(missing_ok=True)
        make_folder(tmp_path)
        wake.wait(str(tmp_path), 0)
        assert print_to(tmp_path) == cups_backend.TAKEN
        assert wake.wait(str(tmp_path), 2 * LIMIT_S)
    wake.close()


@pytest.mark.parametrize("installed", [True, False])
def test_box_looks_rarely_where_backends_signal_and_where_nothing_is_set_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    printed = tmp_path / "print"
    if installed:
        make_folder(printed)
    box = open_box(tmp_path / "data")
    box.settings.change(PrintingSettings, {"folder": str(printed)})
    waits: list[float] = []
    looked = threading.Event()
    wait = Wake.wait

    def noted(self: Wake, folder: str, seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 2:
            looked.set()
        return wait(self, folder, seconds)

    monkeypatch.setattr(Wake, "wait", noted)
    service = PrintFolder(box)
    service.start()
    assert looked.wait(LIMIT_S)
    service.stop()
    box.spool.close()
    assert waits == [LOOK_EVERY_S, REST_S]
