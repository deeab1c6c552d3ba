"""A separate network in which a box and a CUPS announce printers, and independent programs browse.

A program that ``test_announced`` starts within ``unshare --net --mount``: the network has two ends of a cable
and nobody else in it, and D-Bus, Avahi and /etc are its own.  It prints what was found, as JSON.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from appliance.net.own_address import FILE_NAME as ADDRESS_FILE
from appliance.phonebook import Contact
from appliance.printing.settings import FavouritePrinter, IppAccess, IppSettings, PrintingSettings
from tests.deliver.making import make_box
from tests.printing.cupsd import Cups, running_cupsd

ADDRESS, HOST = "192.168.77.1", "office.local"
LIMIT_S = 120.0  # only for hangs
# What a search waits for answers, seconds: it is repeated until all are there.
SEARCH_S = "2"
_NETWORK = f"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir "$1/services"
mount --bind "$1/services" /etc/avahi/services
# Names of the network are found without nss-mdns.
echo "127.0.0.1 localhost\n{ADDRESS} {HOST}" > "$1/hosts"
mount --bind "$1/hosts" /etc/hosts
ip link set lo up
ip link add here type veth peer name there
ip address add {ADDRESS}/24 dev here
ip link set here up
ip link set there up
"""
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context="default">
<allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
</policy></busconfig>
"""
_AVAHI = f"""[server]
host-name={HOST.partition(".")[0]}
use-ipv6=no
allow-interfaces=here
"""


@contextmanager
def program(*words: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as said:
        running = subprocess.Popen(words, stdout=said, stderr=said)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(LIMIT_S)


def said(*words: str) -> list[str]:
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    return done.stdout.splitlines()


def until(found: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + LIMIT_S
    while not found():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def announced(records: int) -> list[dict[str, str]]:
    """What avahi-browse finds, once that many services are there."""
    found: list[dict[str, str]] = []

    def looked() -> bool:
        lines = {line for line in said("avahi-browse", "-atrpk") if line.startswith("=;")}
        found.clear()
        for line in sorted(lines):
            _, _, _, name, kind, _, host, _, port, *texts = line.split(";", 9)
            path = re.search(r'"rp=([^"]*)"', ";".join(texts))
            written = re.sub(r"\\([0-9]{3})", lambda code: chr(int(code[1])), name).encode("latin-1").decode()
            found.append(
                {"name": written, "kind": kind, "host": host, "port": port, "path": path[1] if path else ""}
            )
        return len(found) >= records

    until(looked, "too little is announced")
    return found


def found_by(*words: str, lines: int) -> list[str]:
    """What a program finds, once it is that many lines."""
    found: list[str] = []

    def looked() -> bool:
        found[:] = sorted(said(*words))
        return len(found) >= lines

    until(looked, f"{words} found too little")
    return found


def ippfind(*words: str, lines: int) -> list[str]:
    return found_by("ippfind", "-T", SEARCH_S, *words, lines=lines)


def served(stack: ExitStack, folder: Path, prints: Path) -> int:
    """A box with a favourite's printer; its port."""
    data = folder / "box"
    box = make_box(data)
    box.settings.change(IppSettings, {"access": IppAccess.NETWORK.value})
    box.settings.change(PrintingSettings, {"folder": str(prints)})
    contact = box.settings.add(Contact(number="9990", last_name="Weiss & Söhne"))
    box.settings.add(FavouritePrinter(contact_id=contact))
    box.close()
    words = [sys.executable, "-m", "appliance.cli", "serve", "--data", str(data), "--http", f"{ADDRESS}:0"]
    running = stack.enter_context(program(*words, log=folder / "serve.log"))

    def up() -> bool:
        assert running.poll() is None, (folder / "serve.log").read_text()
        return (data / ADDRESS_FILE).exists()

    until(up, "the box does not start")
    return int(json.loads((data / ADDRESS_FILE).read_text())["url"].rstrip("/").rpartition(":")[2])


def faxbox(folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", "appliance.cli", *words, "--data", str(folder / "box")]
    subprocess.run(command, check=True, timeout=LIMIT_S, stdout=subprocess.DEVNULL)


def install(folder: Path, cups: Cups) -> None:
    os.environ["CUPS_SERVER"] = cups.server
    faxbox(folder, "printing", "install", "--backends", str(cups.backends))


def main(folder: Path) -> None:
    subprocess.run(["sh", "-c", _NETWORK, "network", str(folder)], check=True, stdout=sys.stderr)
    with ExitStack() as stack:
        # A CUPS in a root file system of its own sees this folder.
        passing = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faxbox-bus-")))
        passing.chmod(0o755)
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={passing}/bus"
        (passing / "bus.conf").write_text(_BUS.format(passing / "bus"))
        (passing / "avahi.conf").write_text(_AVAHI)
        bus = ["dbus-daemon", f"--config-file={passing}/bus.conf", "--nofork"]
        stack.enter_context(program(*bus, log=folder / "bus.log"))
        until((passing / "bus").exists, "D-Bus does not start")
        avahi = [
            "avahi-daemon",
            "--no-drop-root",
            "--no-chroot",
            "--no-rlimits",
            "-f",
            f"{passing}/avahi.conf",
        ]
        stack.enter_context(program(*avahi, log=folder / "avahi.log"))
        until(_answers, "Avahi does not start")
        cups = stack.enter_context(running_cupsd(ADDRESS))
        port = served(stack, folder, cups.root / "print")
        faxbox(folder, "printing", "announce", "--port", str(port))
        install(folder, cups)
        browsed = announced(5)
        searches: dict[str, Callable[[], list[str]]] = {
            "printers": lambda: ippfind("_ipp._tcp", lines=3),
            # It makes no address of a fax's: this is what the record says.
            "faxes": lambda: ippfind(
                "_fax-ipp._tcp", "--exec", "echo", "{service_port}/{txt_rp}", ";", lines=2
            ),
            "airprint": lambda: ippfind("_ipp._tcp,_universal", lines=3),
            "asked": lambda: ippfind("_ipp._tcp", "--port", str(port), "--ls", lines=2),
            "driverless": lambda: found_by("driverless", lines=2),
        }
        with ThreadPoolExecutor(len(searches)) as people:
            results = {name: people.submit(search) for name, search in searches.items()}
        found: dict[str, Any] = {name: result.result() for name, result in results.items()}
        found |= {"box": port, "cups": cups.port, "announced": browsed}
    print(json.dumps(found))


def _answers() -> bool:
    """Whether Avahi does."""
    asked = subprocess.run(["avahi-browse", "-aktp"], capture_output=True, timeout=LIMIT_S, check=False)
    return asked.returncode == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
