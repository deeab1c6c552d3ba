"""The packets of calls: recorded for failed calls, all or none, within a size limit."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.lines import packets
from appliance.lines.packets import FIRST_OCTETS, LAST_OCTETS, CallPackets
from appliance.spool.settings import StorageSettings
from tests.api.served import Served
from tests.api.test_faxes import new

# Magic of pcap, microseconds, either byte order; a file without packets has only these 24 octets.
MAGIC = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4")


def test_the_packets_of_a_call_that_went_wrong_are_there_and_dissect(served: Served, tmp_path: Path) -> None:
    fax = served.ask("POST", "/faxes", new("9996", max_tries=1)).json["faxes"][0]
    assert served.ended(fax["id"])["state"] != "delivered"
    path = f"/faxes/{fax['id']}/attempts/1/packets"
    served.wait(lambda: served.ask("GET", path).status == 200)
    kept = served.ask("GET", path)
    assert kept.headers["Content-Type"] == "application/vnd.tcpdump.pcap"
    assert kept.content[:4] in MAGIC
    assert len(kept.content) > 2000
    assert served.ask("GET", f"/faxes/{fax['id']}/attempts/2/packets").status == 404
    if shutil.which("tshark"):
        file = tmp_path / "call.pcap"
        file.write_bytes(kept.content)
        said = subprocess.run(
            ["tshark", "-d", "udp.port==6004,t38", "-r", str(file), "-Y", "t38"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "UDPTL" in said or "T.38" in said


def test_the_packets_of_a_call_that_went_well_are_kept_when_the_owner_wants_them(served: Served) -> None:
    settings = served.box.settings
    try:
        for wanted, status in (("failed", 410), ("all", 200), ("none", 410)):
            settings.change(StorageSettings, {"packets": wanted})
            fax = served.ask("POST", "/faxes", new("9990")).json["faxes"][0]
            assert served.ended(fax["id"])["state"] == "delivered"
            path = f"/faxes/{fax['id']}/attempts/1/packets"
            if status == 200:
                served.wait(lambda path=path: served.ask("GET", path).status == 200)  # type: ignore[misc]
            assert served.ask("GET", path).status == status
    finally:
        settings.change(StorageSettings, {"packets": "failed"})


def test_of_a_long_call_the_beginning_and_the_end_are_kept(tmp_path: Path) -> None:
    kept = CallPackets(1000.0)
    for number in range(10_000):
        kept.tap(number * 0.03, bool(number % 2), number.to_bytes(4, "big") * 100)
    kept.write(tmp_path / "packets" / "call.pcap")
    content = (tmp_path / "packets" / "call.pcap").read_bytes()
    assert len(content) < (FIRST_OCTETS + LAST_OCTETS) * 1.3
    assert (0).to_bytes(4, "big") * 100 in content
    assert (9_999).to_bytes(4, "big") * 100 in content
    assert (3_000).to_bytes(4, "big") * 100 not in content


def test_of_many_calls_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "MOST_FILES", 5)
    for number in range(12):
        kept = CallPackets(0.0)
        kept.tap(0.0, True, b"x")
        path = tmp_path / f"{number:02}.pcap"
        kept.write(path)
        os.utime(path, (number, number))
    kept.write(tmp_path / "99.pcap")
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "08.pcap",
        "09.pcap",
        "10.pcap",
        "11.pcap",
        "99.pcap",
    ]


def test_a_disk_that_is_full_harms_no_fax(tmp_path: Path) -> None:
    (tmp_path / "packets").write_text("a file where the folder should be")
    kept = CallPackets(0.0)
    kept.tap(0.0, True, b"x")
    kept.write(tmp_path / "packets" / "call.pcap")  # says so in the log
