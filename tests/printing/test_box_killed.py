"""kill -9 of box, cupsd and backend at random while people print by CUPS and over IPP: one fax per job."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.api.ipp.words import Operation
from appliance.configuration import open_box
from appliance.ipp import codec
from appliance.ipp.codec import Decoder, MessageError
from appliance.net.own_address import FILE_NAME as ADDRESS_FILE
from appliance.printing.cups_backend import ENTRY_SUFFIX
from appliance.printing.settings import IppAccess, IppSettings, PrintingSettings
from appliance.spool.filters import JobFilter
from tests.api_ipp.requests import request, to
from tests.deliver.making import make_box
from tests.printing.cupsd import Cups, running_cupsd
from tests.printing.killing import kill_backend, kill_cupsd, printed
from tests.printing.test_cups import LIMIT_S, pdf, printing, until

pytestmark = [pytest.mark.realtime, pytest.mark.full, pytest.mark.timeout(3600)]
ROUNDS = 100
# What is killed next dies after so long at most, seconds: in its start or at its work.
LONGEST_LIFE_S = 8.0
# Between two prints, or two tries of one.
PAUSE_S = 0.2
ANSWER_S = 30.0
# A backend lives some hundredths of a second: it is looked for so often, seconds.
CATCH_S = 0.005
# Print jobs that may wait in CUPS: what is printed faster than that would only be waited for at the end.
MOST_WAITING = 6


class KilledBox:
    """``faxbox serve``, which dies at random: its main process alone, or all of them."""

    def __init__(self, cups: Cups, data: Path) -> None:
        self.cups, self.data = cups, data
        self.folder = cups.root / "print"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["-m", "appliance.cli", "serve", "--data", str(self.data), "--http", "127.0.0.1:0"]
        with (self.data / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words], stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, *, all_of_it: bool) -> None:
        assert self.process is not None
        assert self.process.poll() is None, (self.data / "serve.log").read_text()[-3000:]
        if all_of_it:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait()

    def print_by_ipp(self, title: str, document: bytes) -> bool:
        """Whether the box answered that it has it."""
        body = request(Operation.PRINT_JOB, to("tel:9990"), job_name=codec.name(title)) + document
        try:
            url = json.loads((self.data / ADDRESS_FILE).read_text())["url"]
            port = int(url.rstrip("/").rpartition(":")[2])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
            with contextlib.closing(connection):
                connection.request("POST", "/ipp/faxout", body, {"Content-Type": "application/ipp"})
                answer = connection.getresponse()
                decoder = Decoder()
                decoder.feed(answer.read())
        except (OSError, ValueError, http.client.HTTPException, MessageError):
            return False
        return answer.status == 200 and decoder.message is not None and decoder.message.code < 0x100


def waiting(cups: Cups) -> list[str]:
    """What cupsd has not handed over yet; nothing while it is not there."""
    return cups.run("lpstat", "-W", "not-completed", "-o", check=False).splitlines()


def caught_backend(cups: Cups, chance: random.Random) -> bool:
    """Whether a backend ran within some seconds, and was killed."""
    end = time.monotonic() + LONGEST_LIFE_S
    while not kill_backend(cups, chance):
        if time.monotonic() > end:
            return False
        time.sleep(CATCH_S)
    return True


def faxes_of(data: Path) -> Counter[str]:
    """How many faxes there are of each print job."""
    box, found, before = open_box(data), Counter[str](), None
    while page := box.faxes.search(JobFilter(before_id=before, limit=500)):
        found.update(str(job.metadata["print_title"]) for job in page)
        before = page[-1].id
    box.close()
    return found


@pytest.fixture
def box(tmp_path: Path) -> Iterator[KilledBox]:
    with running_cupsd() as cups:
        data = tmp_path / "box"
        made = make_box(data)
        made.settings.change(PrintingSettings, {"folder": str(cups.root / "print")})
        made.settings.change(IppSettings, {"access": IppAccess.NETWORK.value})
        made.close()
        assert printing(cups, data, "install").returncode == 0
        killed = KilledBox(cups, data)
        killed.start()
        yield killed
        if killed.process is not None and killed.process.poll() is None:
            killed.kill(all_of_it=True)


def test_what_is_printed_while_the_whole_box_is_killed_is_one_fax_each(
    box: KilledBox, tmp_path: Path
) -> None:
    rounds = int(os.environ.get("FAXBOX_ROUNDS", ROUNDS))
    document = pdf(tmp_path / "a.pdf", 1)
    chance, killing, cups_up = random.Random(11), threading.Event(), threading.Lock()
    killing.set()
    wanted: list[str] = []
    killed: Counter[str] = Counter()

    def by_cups() -> None:
        for number in itertools.count():
            if not killing.is_set():
                return
            until(lambda: len(waiting(box.cups)) < MOST_WAITING, "CUPS does not hand over")
            with cups_up:
                printed(box.cups, f"cups {number}", document)
            wanted.append(f"cups {number}")
            time.sleep(PAUSE_S)

    def by_ipp() -> None:
        """Who gets no answer prints again."""
        for number in itertools.count():
            if not killing.is_set():
                return
            while not box.print_by_ipp(f"ipp {number}", document.read_bytes()):
                time.sleep(PAUSE_S)
            wanted.append(f"ipp {number}")
            time.sleep(PAUSE_S)

    people = [threading.Thread(target=each, daemon=True) for each in (by_cups, by_ipp)]
    for person in people:
        person.start()
    while killed.total() < rounds:
        time.sleep(chance.random() * LONGEST_LIFE_S)
        victim = chance.choice(("box", "box's main process", "cupsd", "backend"))
        if victim == "cupsd":
            with cups_up:
                kill_cupsd(box.cups)
        elif victim == "backend":
            if not caught_backend(box.cups, chance):
                continue
        else:
            box.kill(all_of_it=victim == "box")
            box.start()
        killed[victim] += 1
    killing.clear()
    for person in people:
        person.join(LIMIT_S)
        assert not person.is_alive()
    until(lambda: not waiting(box.cups), "CUPS did not hand all over")
    until(lambda: not list(box.folder.glob(f"*{ENTRY_SUFFIX}")), "the box does not take what was printed")
    box.kill(all_of_it=True)
    found = faxes_of(box.data)
    by_way = Counter(title.partition(" ")[0] for title in wanted)
    print(f"killed: {dict(killed)}; print jobs: {dict(by_way)}")
    assert set(by_way) == {"cups", "ipp"}
    assert found == Counter(wanted)
