"""Files that commands write are readable only by their user, whatever the umask."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

from tests.deliver.making import make_box, receive, submit


def faxbox(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "appliance.cli", *words], capture_output=True, umask=0, check=False
    )
    assert done.returncode in (0, 1), done.stderr.decode()  # 1: the doctor found something


def test_files_that_commands_make_are_for_their_user_alone(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    box = make_box(data)
    submit(box)
    receive(box)
    box.close()
    out.mkdir(mode=0o700)
    (tmp_path / "passphrase").write_text("a passphrase that is long")
    secret = ("--passphrase-file", str(tmp_path / "passphrase"))
    faxbox("config", "set", "--data", str(data), "station.name", "Office")
    faxbox("doctor", "--data", str(data), "--bundle", str(out / "bundle.zip"))
    faxbox("backup", "--data", str(data), "--received", *secret, str(out / "box.faxbackup"))
    faxbox("spool", "rebuild", "--data", str(data))
    made = [path for folder in (data, out) for path in folder.rglob("*") if not path.is_symlink()]
    assert {"bundle.zip", "box.faxbackup", "spool.sqlite3"} <= {path.name for path in made}
    own_tests = {path for path in made if path.parent.name == "received"}  # written by this test itself
    open_to_others = [path for path in set(made) - own_tests if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert open_to_others == []
