"""Avahi, ippfind and CUPS' driverless find the printers of a box and of its CUPS with the right kind."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.printing.neighbourhood import HOST

NEEDED = ("unshare", "ip", "avahi-daemon", "avahi-browse", "dbus-daemon", "ippfind", "driverless")
OWN_NETWORK = ["unshare", "--net", "--mount"]


def may_have_one() -> bool:
    """Whether programs get a network with a cable of its own here: root does."""
    if not all(map(shutil.which, NEEDED)):
        return False
    cable = ["ip", "link", "add", "here", "type", "veth", "peer", "name", "there"]
    return not subprocess.run([*OWN_NETWORK, *cable], check=False, capture_output=True).returncode


@pytest.mark.realtime
@pytest.mark.skipif(
    not may_have_one(),
    reason=f"not all of {', '.join(NEEDED)} are installed, or a network of its own may not be had: root may",
)
def test_other_programs_find_each_printer_in_the_network_as_what_it_is(tmp_path: Path) -> None:
    done = subprocess.run(
        [*OWN_NETWORK, sys.executable, "-m", "tests.printing.neighbourhood", str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    box, cups = (f"{HOST}:{found[each]}" for each in ("box", "cups"))
    records = {(each["kind"], f"{each['host']}:{each['port']}", each["path"]) for each in found["announced"]}
    assert {
        ("_ipp._tcp", box, "ipp/print"),
        ("_ipp._tcp", box, "ipp/to/1"),
        ("_fax-ipp._tcp", box, "ipp/faxout"),
        ("_ipp._tcp", cups, "printers/Fax"),
        ("_fax-ipp._tcp", cups, "printers/FaxOut"),
    } <= records
    kinds_of = {path: {kind for kind, _, at in records if at == path} for _, _, path in records}
    assert "_ipp._tcp" not in kinds_of["ipp/faxout"] | kinds_of["printers/FaxOut"], "no ordinary printer"
    assert "Fax to Weiss & Söhne" in {each["name"] for each in found["announced"]}

    ordinary = [f"ipp://{box}/ipp/print", f"ipp://{box}/ipp/to/1", f"ipp://{cups}/printers/Fax"]
    assert sorted(found["printers"]) == sorted(ordinary)
    assert sorted(found["airprint"]) == sorted(ordinary)
    assert sorted(found["faxes"]) == sorted(
        [f"{found['box']}/ipp/faxout", f"{found['cups']}/printers/FaxOut"]
    )
    assert found["asked"] == [f"{each} idle accepting-jobs none" for each in ordinary[:2]], "they answer"
    for name in ("faxbox%20Print%20to%20fax", "Fax%20to%20Weiss"):
        assert any(each.startswith(f"ipp://{name}") for each in found["driverless"]), found["driverless"]
