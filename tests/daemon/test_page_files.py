"""Anything in the place of a page file: nothing hangs, nobody sees another's page, the box goes on."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.configuration import open_box
from appliance.doctor.data import files
from appliance.doctor.findings import Severity
from appliance.spool.filters import ReceivedFilter
from bench.running import Client, running
from tests.daemon.test_index_gone import receive

SECRET = b"what is elsewhere is nobody's to overwrite " * 100
ANSWER_S = 30.0  # only what hangs takes as long


def _bind(path: Path) -> None:
    short = path.parent / "s"
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(os.path.relpath(short))  # the path of a socket has 107 octets at most
    short.rename(path)


# What is put where a page was: it gets the place, another fax's page, and a file outside of the data folder.
STRANGE: dict[str, Callable[[Path, Path, Path], object]] = {
    "nothing": lambda place, page, outside: None,
    "an empty file": lambda place, page, outside: place.touch(),
    "noise": lambda place, page, outside: place.write_bytes(os.urandom(3000)),
    "a folder": lambda place, page, outside: place.mkdir(),
    "a pipe": lambda place, page, outside: os.mkfifo(place),
    "a socket": lambda place, page, outside: _bind(place),
    "a device": lambda place, page, outside: os.mknod(place, 0o020600, os.makedev(1, 5)),
    "a link to itself": lambda place, page, outside: place.symlink_to(place.name),
    "a link out of the folder": lambda place, page, outside: place.symlink_to(outside),
    "a link to another fax's page": lambda place, page, outside: place.symlink_to(page.name),
    "another fax's page": lambda place, page, outside: shutil.copyfile(page, place),
}


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, int]]:
    """A folder with a fax for each of them, which took its first page; the fax's id by what it was."""
    data = tmp_path_factory.mktemp("box") / "data"
    outside = data.parent / "outside"
    outside.write_bytes(SECRET)
    box = open_box(data)
    for _ in STRANGE:
        receive(box)
    receive(box)
    *faxes, other = sorted(box.inbox.search(ReceivedFilter()), key=lambda fax: fax.id)
    first = {fax.id: data / box.inbox.pages(fax.id)[0].path for fax in (*faxes, other)}
    box.close()
    ids = {}
    for fax, (what, put) in zip(faxes, STRANGE.items(), strict=True):
        first[fax.id].unlink()
        try:
            put(first[fax.id], first[other.id], outside)
        except PermissionError:
            pytest.skip("devices can be made by root alone")
        ids[what] = fax.id
    return data, outside, ids


def test_whatever_lies_where_a_page_belongs_nothing_hangs_and_all_else_goes_on(
    strange: tuple[Path, Path, dict[str, int]],
) -> None:
    data, outside, ids = strange
    (found,) = files(data)
    assert found.state is Severity.BROKEN
    # Noise and another fax's page are files: only who reads them sees what they are.
    assert found.detail.startswith(f"{len(ids) - 2}:")
    with running(data, {"practice.speed": "10"}) as box:
        client = Client(box.port, box.token)
        for what, number in ids.items():
            for path in ("pages/1", "pdf", "tiff"):
                said = client.ask("GET", f"/received/{number}/{path}")
                assert (said.status, said.json["code"]) == (410, "document_gone"), (what, path)
            assert client.ask("GET", f"/received/{number}/pages/2").status == 200, what
            forwarded = client.ask("POST", f"/received/{number}/forward", {"to": ["9990"]})
            assert forwarded.status == 410, what
        backup = client.ask("POST", "/backup", {"passphrase": "nine white horses", "received": True})
        assert backup.status == 200
        for what, number in ids.items():
            assert client.ask("POST", f"/received/{number}/erase").status == 200, what
        assert client.ask("GET", "/health").status == 200
        client.close()
    assert outside.read_bytes() == SECRET
    assert "Traceback" not in (data / "serve.log").read_text()
    assert len(list((data / "received").iterdir())) == 2, "the last fax alone has its files"


def test_rebuild_says_what_it_could_not_read_and_takes_the_rest(tmp_path: Path) -> None:
    data = tmp_path / "data"
    box = open_box(data)
    for _ in STRANGE:
        receive(box)
    faxes = box.inbox.search(ReceivedFilter())
    other, *firsts = [data / box.inbox.pages(fax.id)[0].path for fax in faxes]
    box.close()
    (tmp_path / "outside").write_bytes(SECRET)
    puts = {what: put for what, put in STRANGE.items() if "device" not in what and "another" not in what}
    for place, put in zip(firsts, puts.values(), strict=False):
        place.unlink()
        put(place, other, tmp_path / "outside")
    for suffix in ("", "-wal", "-shm"):
        (data / f"spool.sqlite3{suffix}").unlink(missing_ok=True)
    ran = subprocess.run(
        [sys.executable, "-m", "appliance.cli", "spool", "rebuild", "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert f"{len(faxes)} received faxes with {2 * len(faxes) - len(puts)} pages" in ran.stdout
