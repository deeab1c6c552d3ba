"""A private cupsd for a test, without service, Avahi or root."""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import cups
import pytest

from tests.ports import free_port

LIMIT_S = 120.0  # only for hangs
CUPS = Path("/usr/lib/cups")
# RFC 8011 5.3.7.
_STATES = {
    3: "pending",
    4: "held",
    5: "processing",
    6: "stopped",
    7: "canceled",
    8: "aborted",
    9: "completed",
}
# A job does not come out of these by itself.
_STUCK = {6, 7, 8}
# Lines.
_LOG_TAIL = 120
# Of a cupsd that crashes while it adds a driverless queue.
_DRIVERLESS_TRIES = 5
# What a test's cupsd and its filters may write.
_ROOM = 16 * 1024 * 1024
Found = TypeVar("Found")
# Those that run now: what they said belongs to the report of a test that fails.
_running: list[Cups] = []


@dataclass
class Cups:
    """A running cupsd and the commands that talk to it."""

    root: Path
    port: int
    announced_at: str = ""  # address where shared queues are announced by DNS-SD; empty: none are
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
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def lp(self, *words: str) -> str:
        """Prints; the job's name, such as Fax-3."""
        return self.run("lp", *words).split()[3]

    def ended(self, job: str) -> str:
        """Waits until CUPS is done with a job; its words for how it ended."""
        self._wait(lambda: job not in self.run("lpstat", "-W", "not-completed", "-o"), f"{job} did not end")
        return self.run("lpstat", "-l", "-W", "completed", "-o").partition(job)[2].partition("\n\n")[0]

    def until(self, found: Callable[[], Found], title: str) -> Found:
        """Waits for what comes of a job; does not go on when CUPS has stopped, cancelled or aborted it."""
        return self._wait(found, f"nothing came of {title!r}", title)

    def _wait(self, found: Callable[[], Found], what: str, title: str | None = None) -> Found:
        end = time.monotonic() + LIMIT_S
        while True:
            stuck = title is not None and self._stuck(title)
            if value := found():
                return value
            assert not self._ended(), f"{what}, and cupsd has ended"
            assert not stuck, f"{what}, and CUPS does no more for it: {self._stands()}"
            assert time.monotonic() < end, f"{what}: {self._stands()}"
            time.sleep(0.05)

    def _stuck(self, title: str) -> bool:
        """Whether CUPS does no more for a job of this title."""
        return not self._ended() and any(
            job["job-state"] in _STUCK or "printer-stopped" in job["job-state-reasons"]
            for job in self._jobs().values()
            if job.get("job-name") == title
        )

    def be_the_default(self) -> None:
        """Makes it libcups' server of this thread, which reads CUPS_SERVER once alone, whoever asked then."""
        cups.setServer(self.server)

    def _jobs(self) -> dict[int, dict[str, Any]]:
        """What CUPS knows of our jobs: of others' it does not tell the titles."""
        wanted = ["job-id", "job-name", "job-state", "job-state-reasons", "job-printer-state-message"]
        connection = cups.Connection("127.0.0.1", self.port)
        found: dict[int, dict[str, Any]] = connection.getJobs(
            "all", my_jobs=True, requested_attributes=wanted
        )
        return found

    def _stands(self) -> str:
        """How the last jobs stand."""
        try:
            found = sorted(self._jobs().items())[-20:]
        except (cups.IPPError, RuntimeError) as error:
            ended = self.process and self.process.poll()
            return f"cupsd does not answer: {error} (exit status {ended})"
        return "; ".join(
            f"job {number} {_STATES[job['job-state']]} {job.get('job-state-reasons')}, "
            f"{job.get('job-name')!r}: {job.get('job-printer-state-message')!r}"
            for number, job in found
        )

    def said(self) -> str:
        """How jobs and queues stand and what the log says: for the report of a test that failed."""
        return "\n".join([self._stands(), self.run("lpstat", "-p", check=False), *self._log_tail()])

    def _log_tail(self) -> list[str]:
        """The log's end without what the waiting itself has put there."""
        lines = [line for line in self.log().splitlines() if "Limiting Get-Jobs" not in line]
        return lines[-_LOG_TAIL:]

    def add_driverless(self, queue: str, uri: str) -> None:
        """Adds a queue that asks its printer what it can do (``-m everywhere``), and starts cupsd anew.

        cupsd asks in a thread of its own when it has answered already.  Meanwhile it sends jobs unfiltered or
        aborts them ("Unable to convert file"), and as its threads share data without locks, cupsd 2.4
        crashes now and then.  One that starts reads what the thread has left on the disk.
        """
        description = self.root / "conf" / "ppd" / f"{queue}.ppd"
        printers = self.root / "conf" / "printers.conf"

        def described() -> bool:
            known = printers.read_text() if printers.exists() else ""
            found = known.partition(f"Printer {queue}>")[2].partition("</")[0]
            return description.exists() and all(
                f"\n{each}\n" in found for each in ("State Idle", "Accepting Yes")
            )

        for _ in range(_DRIVERLESS_TRIES):
            self.run("lpadmin", "-p", queue, "-E", "-v", uri, "-m", "everywhere", check=False)
            self._wait(lambda: described() or self._ended(), f"{queue} is not described")
            self.kill()
            self.start()
            if described():
                return
        raise AssertionError(f"{queue} is not described: cupsd ended {_DRIVERLESS_TRIES} times")

    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def log(self) -> str:
        """cupsd's log of errors so far."""
        log = self.root / "error_log"
        return log.read_text(errors="replace") if log.exists() else ""

    def start(self) -> None:
        words = ["/usr/sbin/cupsd", "-f", "-c", f"{self.root}/cupsd.conf"]
        words += ["-s", f"{self.root}/cups-files.conf"]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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
    for made in root.rglob("*"):
        made.chmod(0o755)  # whatever the umask: programs run as CUPS' user
    for shared in ("filter", "daemon", "cgi-bin", "notifier", "monitor"):
        (root / "bin" / shared).symlink_to(CUPS / shared)
    (root / "cupsd.conf").write_text(
        f"""LogLevel info
Listen 127.0.0.1:{cups.port}
Listen {root}/cups.sock
{_announcing(cups)}
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
    (root / "cups-files.conf").write_text(
        f"""User {_user()}
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
Printcap {root}/printcap
"""
    )
    for service in ("mime.types", "mime.convs"):
        source = Path("/usr/share/cups/mime", service)
        if source.exists():
            (root / "conf" / service).symlink_to(source)


def _announcing(cups: Cups) -> str:
    if not cups.announced_at:
        return "Browsing Off"
    return f"Listen {cups.announced_at}:{cups.port}\nBrowsing On\nBrowseLocalProtocols dnssd\nServerAlias *"


def _user() -> str:
    """As whom cupsd runs filters and backends."""
    return "lp" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def _place() -> Path:
    """A folder in which CUPS' user may write and run programs.

    Not pytest's own, nor any below a home; on a disk that is nearly full root alone may have room.
    """
    tried = [Path(tempfile.gettempdir()), Path("/var/tmp"), Path("/dev/shm")]
    program = f"head -c {_ROOM} /dev/zero > room && printf '#!/bin/sh\\n' > run && chmod 755 run && ./run"
    words = ["/bin/sh", "-c", program]
    if os.geteuid() == 0:
        words = ["setpriv", f"--reuid={_user()}", "--regid=lp", "--clear-groups", *words]
    for place in tried:
        probe = Path(tempfile.mkdtemp(prefix="faxbox-probe-", dir=place))
        try:
            probe.chmod(0o777)
            done = subprocess.run(words, cwd=probe, capture_output=True, timeout=LIMIT_S, check=False)
            if done.returncode == 0:
                return place
        finally:
            shutil.rmtree(probe, ignore_errors=True)
    raise AssertionError(f"{_user()} may not write or run programs in any of {tried}")


@functools.cache
def dies_of_blanks() -> bool:
    """Whether this cupsd crashes at a job with a blank in an option, as Debian's 2.4.2-3+deb12u10 does."""
    with running_cupsd() as probed:
        document = probed.root / "page.txt"
        document.write_text("page")
        probed.run("lpadmin", "-p", "probe", "-E", "-v", f"file://{probed.root}/printed", "-m", "raw")
        with contextlib.suppress(AssertionError):
            probed.ended(probed.lp("-d", "probe", "-o", "phone='99 90'", str(document)))
        return probed._ended()


@contextlib.contextmanager
def running_cupsd(announced_at: str = "") -> Iterator[Cups]:
    root = Path(tempfile.mkdtemp(prefix="faxbox-cups-", dir=_place()))
    root.chmod(0o755)
    made = Cups(root, free_port(), announced_at)
    try:
        _write(made)
        made.start()
        _running.append(made)
        yield made
    finally:
        if made in _running:
            _running.remove(made)
        made.kill()
        shutil.rmtree(root, ignore_errors=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Adds what CUPS said to the report of a test that failed; a conftest.py takes it over."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed:
        report.sections += [(f"CUPS at {each.server}", each.said()) for each in _running]
