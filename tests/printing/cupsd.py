"""A cupsd of a test's own: no service, no Avahi, and root is not needed."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.ports import free_port

LIMIT_S = 90.0  # only for hangs
CUPS = Path("/usr/lib/cups")


@dataclass
class Cups:
    """A running cupsd and the commands that talk to it."""

    root: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def backends(self) -> Path:
        return self.root / "bin" / "backend"

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.port}"

    def run(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            words,
            env={**os.environ, "CUPS_SERVER": self.server, "LC_ALL": "C.UTF-8", **self.environment},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr, self.log()[-3000:])
        return done.stdout

    def lp(self, *words: str) -> str:
        """Prints; the job's name, such as Fax-3."""
        return self.run("lp", *words).split()[3]

    def ended(self, job: str) -> str:
        """Waits until CUPS is done with a job; its words for how it ended."""
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            if job not in self.run("lpstat", "-W", "not-completed", "-o"):
                return (
                    self.run("lpstat", "-l", "-W", "completed", "-o").partition(job)[2].partition("\n\n")[0]
                )
            time.sleep(0.1)
        raise AssertionError(self.log()[-3000:])

    def log(self) -> str:
        return (self.root / "error_log").read_text(errors="replace")

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                "/usr/sbin/cupsd",
                "-f",
                "-c",
                str(self.root / "cupsd.conf"),
                "-s",
                str(self.root / "cups-files.conf"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + LIMIT_S
        while "scheduler is running" not in self.run("lpstat", "-r", check=False):
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < end
            time.sleep(0.05)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def _write(cups: Cups) -> None:
    root = cups.root
    for folder in ("bin/backend", "spool/tmp", "cache", "state", "conf/ppd", "conf/ssl"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for shared in ("filter", "daemon", "cgi-bin", "notifier", "monitor"):
        (root / "bin" / shared).symlink_to(CUPS / shared)
    (root / "cupsd.conf").write_text(
        f"""LogLevel info
Listen 127.0.0.1:{cups.port}
Listen {root}/cups.sock
Browsing Off
DefaultShared Yes
WebInterface No
PreserveJobFiles No
PreserveJobHistory Yes
MaxJobs 0
JobRetryInterval 1
DirtyCleanInterval 0
DefaultAuthType None
<Location />
Order allow,deny
Allow localhost
</Location>
<Policy default>
JobPrivateAccess default
JobPrivateValues default
SubscriptionPrivateAccess default
SubscriptionPrivateValues default
<Limit All>
Order deny,allow
</Limit>
</Policy>
"""
    )
    mine = pwd.getpwuid(os.geteuid()).pw_name
    user = "lp" if os.geteuid() == 0 else mine
    (root / "cups-files.conf").write_text(
        f"""User {user}
Group lp
SystemGroup lpadmin root
FileDevice Yes
Sandboxing relaxed
ServerRoot {root}/conf
ServerBin {root}/bin
DataDir /usr/share/cups
DocumentRoot /usr/share/cups/doc-root
RequestRoot {root}/spool
TempDir {root}/spool/tmp
CacheDir {root}/cache
StateDir {root}/state
ErrorLog {root}/error_log
AccessLog {root}/access_log
PageLog {root}/page_log
Printcap
"""
    )
    for service in ("mime.types", "mime.convs"):
        source = Path("/usr/share/cups/mime", service)
        if source.exists():
            (root / "conf" / service).symlink_to(source)


@contextlib.contextmanager
def running_cupsd() -> Iterator[Cups]:
    # Not pytest's own folder: CUPS' user must get into it.
    root = Path(tempfile.mkdtemp(prefix="faxbox-cups-"))
    root.chmod(0o755)
    cups = Cups(root, free_port())
    try:
        _write(cups)
        cups.start()
        yield cups
    finally:
        cups.kill()
        shutil.rmtree(root, ignore_errors=True)
