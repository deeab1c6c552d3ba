"""A machine in the emulator that starts from the image, with a shell and its web port on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ports import free_port

PROJECT = Path(__file__).parents[2]
IMAGE = PROJECT / "image-build/image"
DIST = PROJECT / "dist"
START_S = 900.0  # for hangs; some 90 s on a quiet machine
API = "/api/v1"
STICK_KIB = 32_768
# QEMU 10.0 with two emulated processors ends by an assertion of its own ("iotlb_to_section") once in some
# sixty starts: the machine is started again, as after one more power cut.
EMULATOR_FAULTS = (-signal.SIGABRT, 128 + signal.SIGABRT)
MOST_EMULATOR_FAULTS = 3
TAP_MAC = "52:54:00:fa:fb:0f"


NOT_CACHED = 75  # of make.sh
MAKE_S = 3600  # for hangs


@dataclass(frozen=True)
class Board:
    """A kind of machine that the image is for, as ``make.sh`` and ``run.sh`` name it."""

    architecture: str
    disk: str  # card, machine
    firmware: str  # card, uefi, bios

    def __str__(self) -> str:
        return f"{self.architecture}-{self.firmware}"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "FAXBOX_ARCHITECTURE": self.architecture}

    def make(self) -> tuple[Path, Path] | None:
        """The disk and one slot, made from what is cached; ``None`` without a base root file system."""
        command = [IMAGE / "make.sh", "--cached", "--quick", "--disk", self.disk]
        done = subprocess.run(
            command, env=self.environment, stdout=subprocess.PIPE, text=True, timeout=MAKE_S, check=False
        )
        if done.returncode == NOT_CACHED:
            return None
        assert done.returncode == 0
        made = Path(done.stdout.splitlines()[-1])
        return made, made.with_name(f"{made.stem.removesuffix('-vm')}.ext4")


CARD = Board("arm64", "card", "card")
BOARDS = (
    CARD,
    Board("amd64", "machine", "bios"),
    Board("amd64", "machine", "uefi"),
    Board("arm64", "machine", "uefi"),
)


def toolbox(*words: str) -> str:
    """Runs a command in the toolbox; what it printed."""
    done = subprocess.run(
        [IMAGE / "toolbox.sh", "run", *words], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def inside(path: Path) -> str:
    """A path of the checkout as the toolbox sees it."""
    return f"/project/{path.relative_to(PROJECT)}"


class Machine:
    """One card, and the machine that starts from it.

    ``updates`` is a second disk, read-only; ``serial`` the host's end of a USB serial port; ``tap`` a network
    device of the host, on which the guest has its second network interface.
    """

    def __init__(
        self, board: Board, image: Path, folder: Path, updates: Path, *, serial: str = "", tap: str = ""
    ) -> None:
        self._board = board
        self._devices = ["-device", "qemu-xhci"]
        if serial:
            self._devices += ["-chardev", f"serial,id=modem,path={serial}"]
            self._devices += ["-device", "usb-serial,chardev=modem"]
        if tap:
            self._devices += ["-netdev", f"tap,id=tap,ifname={tap},script=no,downscript=no"]
            self._devices += ["-device", f"virtio-net-pci,netdev=tap,romfile=,mac={TAP_MAC}"]
        # A USB stick as it comes from the shop, always plugged in.
        stick = folder / "stick.img"
        toolbox("mkfs.vfat", "-C", inside(stick), str(STICK_KIB))
        self._devices += ["-drive", f"file={inside(stick)},format=raw,if=none,id=stick"]
        self._devices += ["-device", "usb-storage,drive=stick,removable=on"]
        self.card = folder / "card.qcow2"
        self._key = folder / "key"
        self._updates = updates
        self._console = folder / "console.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._emulator_faults = 0
        self.token = ""
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._key)]
        subprocess.run(command, check=True)
        first = folder / "first.img"
        subprocess.run(["cp", "--sparse=always", image, first], check=True)
        # What an owner does before the first start: a key on the first partition, at 4 MiB.
        public = self._key.with_suffix(".pub").rename(folder / "ssh.pub")
        toolbox("mcopy", "-i", f"{inside(first)}@@4M", inside(public), "::")
        toolbox("qemu-img", "convert", "-q", "-O", "qcow2", inside(first), inside(self.card))
        toolbox("qemu-img", "resize", "-q", inside(self.card), "8G")
        first.unlink()

    def start(self) -> None:
        self.http, self.ssh = free_port(), free_port()
        more = f"file={inside(self._updates)},format=raw,if=none,id=updates,readonly=on"
        self._process = subprocess.Popen(
            [
                IMAGE / "run.sh",
                self._board.firmware,
                inside(self.card),
                str(self.http),
                "-drive",
                more,
                "-device",
                "virtio-blk-pci,drive=updates",
                *self._devices,
            ],
            env={**self._board.environment, "FAXBOX_FORWARD": f"tcp:127.0.0.1:{self.ssh}-:22"},
            stdin=subprocess.DEVNULL,
            stdout=self._console.open("ab"),
            start_new_session=True,
        )

    def pull_the_plug(self) -> None:
        """Ends the emulator at once: what the guest had not written is gone."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def health(self) -> dict[str, Any] | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{API}/health", timeout=10) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except (OSError, ValueError):
            return None

    def wait(self) -> None:
        """Until the box answers."""
        self.until(lambda: self.health() is not None)

    def locked(self) -> bool:
        """Whether the box shows the page that asks for the passphrase of its disk."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/", timeout=10) as answer:
                return b"The disk is locked" in answer.read()
        except OSError:
            return False

    def until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + START_S
        while not done():
            ended = None if self._process is None else self._process.poll()
            if ended in EMULATOR_FAULTS and self._emulator_faults < MOST_EMULATOR_FAULTS:
                self._emulator_faults += 1
                self.start()
            else:
                assert ended is None, "the emulator has ended"
            assert time.monotonic() < end, self._console.read_bytes()[-3000:].decode("utf-8", "replace")
            time.sleep(2)

    def shell(self, words: str, *, check: bool = True) -> str:
        """Runs a command in the guest as root; what it printed."""
        options = [
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "ConnectTimeout=300",
            "LogLevel=ERROR",
        ]
        command = ["ssh", "-i", str(self._key), "-p", str(self.ssh), *(f"-o{each}" for each in options)]
        done = subprocess.run(
            [*command, "root@127.0.0.1", words], capture_output=True, text=True, timeout=START_S, check=False
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def api(self, method: str, path: str, body: Any = None) -> Any:
        if not self.token:
            become = "setpriv --reuid=faxbox --regid=faxbox --clear-groups"
            said = self.shell(f"{become} faxbox key add tests --scope admin --data /var/lib/faxbox")
            self.token = said.split()[-1]
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http}{API}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                content = answer.read()
                return json.loads(content) if content else None
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{method} {path}: {refused.code} {refused.read().decode()}") from None
