"""Received faxes on paper: a private cupsd prints to a file; its other queue is stopped."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.deliver import printer
from appliance.deliver.printer import PrinterDeliverer
from appliance.deliver.worker import DeliveryError
from appliance.spool.model import Delivery, OutboxState
from tests.deliver.making import make_box, receive
from tests.printing.cupsd import Cups, running_cupsd

pytestmark = pytest.mark.realtime


@pytest.fixture(scope="module")
def cups() -> Iterator[Cups]:
    with running_cupsd() as running:
        paper = running.root / "paper"
        paper.mkdir()
        paper.chmod(0o777)
        script = running.backends / "paper"
        script.write_text(f'#!/bin/sh\n[ $# = 0 ] && exit 0\ncat ${{6:-}} > "{paper}/$1.pdf"\n')
        script.chmod(0o700)  # so CUPS runs it as the owner: its own user may have no room left on the disk
        broken = running.backends / "broken"
        broken.write_text("#!/bin/sh\n[ $# = 0 ] && exit 0\nexit 1\n")
        broken.chmod(0o700)
        for name in ("Office", "Stopped"):
            running.run("lpadmin", "-p", name, "-E", "-v", "paper:/", "-m", "raw")
        broken_queue = ("-p", "Broken", "-E", "-v", "broken:/", "-m", "raw")
        running.run("lpadmin", *broken_queue, "-o", "printer-error-policy=abort-job")
        running.run("cupsdisable", "Stopped")
        yield running


@pytest.fixture
def box(tmp_path: Path, cups: Cups, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    monkeypatch.setenv("CUPS_SERVER", cups.server)
    made = make_box(tmp_path)
    yield made
    made.close()


def delivery(fax: int, target: str, number: int = 1) -> Delivery:
    now = time.time()
    return Delivery(
        number, "printer", target, {}, (60.0,), fax, "", OutboxState.PENDING, 0, now, now, None, ""
    )


def papers(cups: Cups) -> int:
    return len(os.listdir(cups.root / "paper"))


def test_a_fax_is_done_when_the_paper_is_and_a_second_try_prints_nothing(box: Box, cups: Cups) -> None:
    fax, before = receive(box), papers(cups)
    deliver = PrinterDeliverer(box)
    said = deliver(delivery(fax.id, "Office"))
    assert said.startswith("Office, job ")
    assert deliver(delivery(fax.id, "Office")) == said
    assert papers(cups) == before + 1
    assert (cups.root / "paper" / f"{said.rpartition(' ')[2]}.pdf").read_bytes().startswith(b"%PDF")


def test_a_printer_that_is_stopped_is_told_in_words_and_later_prints_once(
    box: Box, cups: Cups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printer, "TRY_S", 1.0)
    fax, before, deliver = receive(box), papers(cups), PrinterDeliverer(box)
    with pytest.raises(DeliveryError, match="The fax waits for Stopped: it is stopped"):
        deliver(delivery(fax.id, "Stopped", 7))
    cups.run("cupsenable", "Stopped")
    monkeypatch.setattr(printer, "TRY_S", 60.0)
    deliver(delivery(fax.id, "Stopped", 7))
    assert papers(cups) == before + 1


def test_a_printer_that_cups_gave_up_on_is_told_from_a_person_who_cancelled(
    box: Box, cups: Cups, monkeypatch: pytest.MonkeyPatch
) -> None:
    fax, deliver = receive(box), PrinterDeliverer(box)
    with pytest.raises(DeliveryError, match="Broken did not print the fax: CUPS tried several times"):
        deliver(delivery(fax.id, "Broken", 8))
    cups.run("cupsdisable", "Stopped")
    monkeypatch.setattr(printer, "TRY_S", 1.0)
    with pytest.raises(DeliveryError, match="The fax waits for Stopped"):
        deliver(delivery(fax.id, "Stopped", 9))
    monkeypatch.setattr(printer, "TRY_S", 60.0)
    monkeypatch.setattr(printer.time, "sleep", lambda _: cups.run("cancel", "-a", "Stopped"))
    with pytest.raises(DeliveryError, match="Stopped did not print the fax: somebody cancelled it there"):
        deliver(delivery(fax.id, "Stopped", 9))


def test_a_printer_that_is_not_there_is_named(box: Box) -> None:
    with pytest.raises(DeliveryError, match="CUPS has no printer called Nowhere"):
        PrinterDeliverer(box)(delivery(receive(box).id, "Nowhere"))
