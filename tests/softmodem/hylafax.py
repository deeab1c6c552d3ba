"""HylaFAX (Debian: hylafax-server, hylafax-client), an independent class-1 DTE, without its daemons.

Its packages want an MTA and services, which a test has no use for: they are unpacked into a directory
(``sh tests/softmodem/get-hylafax.sh DIR``) and its ``faxsend`` and ``faxgetty`` are run by hand in a spool
of the test's own.  Both insist on root, from which they step down to the user uucp.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from PIL import Image

from appliance.t4.page import Raster

ROOT = Path(os.environ.get("FAXBOX_HYLAFAX", Path(__file__).parents[2] / ".cache" / "hylafax"))
FAXSEND = ROOT / "usr/lib/hylafax/bin/faxsend"
FAXGETTY = ROOT / "usr/sbin/faxgetty"


def why_not() -> str:
    """Why HylaFAX cannot be run here, '' when it can."""
    if not FAXSEND.exists():
        return f"HylaFAX is not unpacked in {ROOT} (tests/softmodem/get-hylafax.sh)"
    if os.geteuid() != 0:
        return "HylaFAX's programs run as root only"
    return ""


_CONFIG = """\
FAXNumber: +49 30 88
LocalIdentifier: +49 30 88
CountryCode: 49
AreaCode: 30
LongDistancePrefix: 0
InternationalPrefix: 00
ServerTracing: 0xFFFF
SessionTracing: 0xFFFF
LogFileMode: 0644
RecvFileMode: 0644
DeviceMode: 0666
RingsBeforeAnswer: 1
SpeakerVolume: off
ModemType: Class1
ModemRate: 38400
ModemFlowControl: rtscts
ModemResetCmds: AT
MaxDialogAttempts: 3
Class1ECMSupport: {ecm}
Class1TMConnectDelay: 0
ModemResetDelay: 50
ModemSoftResetCmdDelay: 50
UUCPLockDir: {spool}/locks
"""


class Spool:
    """A HylaFAX spool for one modem port in ``directory``, which uucp must be able to enter."""

    def __init__(self, directory: Path, *, ecm: bool) -> None:
        self.path = directory
        for name in (
            "etc",
            "sendq",
            "doneq",
            "docq",
            "recvq",
            "log",
            "status",
            "tmp",
            "info",
            "dev",
            "bin",
            "client",
            "locks",
            "archive",
            "pollq",
        ):
            (directory / name).mkdir(parents=True)
        config = _CONFIG.format(ecm="yes" if ecm else "no", spool=directory)
        (directory / "etc" / "config").write_text(config)
        self._config = config
        (directory / "etc" / "xferfaxlog").touch()
        (directory / "bin" / "faxrcvd").write_text("#!/bin/sh\nexit 0\n")
        (directory / "bin" / "faxrcvd").chmod(0o755)
        (directory / "sendq" / "seqf").write_text("1")
        (directory / "log" / "seqf").write_text("1")
        (directory / "recvq" / "seqf").write_text("1")
        self._log = directory / "program.log"
        self._give_away()

    def _give_away(self) -> None:
        uucp = pwd.getpwnam("uucp")
        for path in [self.path, *self.path.rglob("*")]:
            os.chown(path, uucp.pw_uid, uucp.pw_gid)

    def _prepare_port(self, port: str) -> str:
        identity = port.removeprefix("/dev/").replace("/", "_")
        (self.path / "etc" / f"config.{identity}").write_text(self._config)
        uucp = pwd.getpwnam("uucp")
        os.chown(port, uucp.pw_uid, uucp.pw_gid)
        self._give_away()
        return identity

    def send(
        self, port: str, number: str, pages: list[Raster], *, mmr: bool, mr: bool = False
    ) -> subprocess.Popen[bytes]:
        """faxsend with one job of these pages."""
        identity = self._prepare_port(port)
        document = self.path / "docq" / "doc1.tif"
        images = [Image.frombytes("1", (p.width, p.rows), bytes(b ^ 0xFF for b in p.data)) for p in pages]
        resolution = (pages[0].resolution.x_dpi, pages[0].resolution.y_dpi)
        # Always MMR, which HylaFAX converts on the way: a G3 file of libtiff's would lose its last row in it.
        images[0].save(
            document,
            save_all=True,
            append_images=images[1:],
            compression="group4",
            dpi=resolution,
            tiffinfo={262: 0, 278: max(p.rows for p in pages)},
        )
        # Each page as its session parameters (vr, wd, ln, df packed into an octet) and what follows it.
        data_format = 3 if mmr else 1 if mr else 0
        packed = f"{1 | 2 << 4 | data_format << 6:02x}"
        handling = "".join(packed + ("P" if p is pages[-1] else "S") for p in pages)
        job = {
            "tts": "0",
            "killtime": "2000000000",
            "retrytime": "0",
            "state": "5",
            "npages": "0",
            "totpages": str(len(pages)),
            "nskip": "0",
            "skippages": "0",
            "ncover": "0",
            "coverpages": "0",
            "ntries": "0",
            "ndials": "0",
            "totdials": "0",
            "maxdials": "1",
            "tottries": "0",
            "maxtries": "1",
            "pagewidth": "0",
            "resolution": "196",
            "pagelength": "0",
            "priority": "127",
            "schedpri": "127",
            "minbr": "0",
            "desiredbr": "13",
            "desiredst": "0",
            "desiredec": "2",
            "desireddf": str(data_format),
            "desiredtl": "0",
            "useccover": "0",
            "usexvres": "1",
            "external": number,
            "number": number,
            "mailaddr": "root",
            "sender": "test",
            "jobid": "1",
            "jobtag": "",
            "pagehandling": handling,
            "modem": identity,
            "client": "localhost",
            "owner": "root",
            "groupid": "1",
            "jobtype": "facsimile",
            "notify": "none",
            "pagechop": "none",
            "fax": f"0::docq/{document.name}",
        }
        queued = self.path / "sendq" / "q1"
        queued.write_text("".join(f"{key}:{value}\n" for key, value in job.items()))
        self._give_away()
        return self._run([str(FAXSEND), "-m", identity, "sendq/q1"])

    def receive(self, port: str) -> subprocess.Popen[bytes]:
        """faxgetty on the port; received faxes come into recvq."""
        self._prepare_port(port)
        return self._run([str(FAXGETTY), "-q", str(self.path), port])

    def _run(self, command: list[str]) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "LD_LIBRARY_PATH": str(ROOT / "usr/lib/hylafax")}
        with self._log.open("ab") as out:
            return subprocess.Popen(
                command,
                cwd=self.path,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def stored(self) -> bool:
        """The session's log is closed: what was received is on disk."""
        return any("SESSION END" in f.read_text(errors="replace") for f in (self.path / "log").glob("c*"))

    @property
    def ready(self) -> bool:
        """faxgetty waits for rings."""
        return any("Running and idle" in f.read_text() for f in (self.path / "status").iterdir())

    def received(self) -> list[Path]:
        return sorted((self.path / "recvq").glob("fax*.tif"))

    def logs(self) -> str:
        """What HylaFAX wrote of its sessions, for a failing test."""
        texts = [self._log.read_text(errors="replace")] if self._log.exists() else []
        texts += [f.read_text(errors="replace") for f in sorted((self.path / "log").glob("c*"))]
        return "\n".join(texts)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
