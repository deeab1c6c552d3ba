"""``faxbox demo``: starts a box, sends and receives a fax over its practice line, and shows both."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance.commands.account import Account
from appliance.commands.arrived import compare, keep
from appliance.commands.demo_document import write_demo_pdf
from appliance.commands.running_box import BoxRefusedError, BoxUnreachableError, RunningBox, upload
from appliance.commands.send import add_speed_argument
from appliance.daemon.arguments import complain
from appliance.documents.rendered import RenderedDocument
from appliance.spool.folders import RENDERED

DEMO_NUMBER = "9990"
STATION_ID = "+49 30 555 0100"
BOX_FOLDER = "box"
# Limits for the start and stop of the box, and for a fax, seconds; they end hangs only.
START_S, STOP_S, FAX_S = 30.0, 20.0, 900.0
_LOOK_S = 0.1
# Folder in which a box's practice line stores what its far end received.
_ARRIVALS = "practice"
# The events that end a fax.
_SENT = frozenset({"job.delivered", "job.failed", "job.cancelled", "job.unknown"})
_RECEIVED = frozenset({"received.complete", "received.partial"})


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``demo`` to the command's words."""
    parser = words.add_parser("demo", help="start a box, send and receive a fax over its practice line")
    parser.add_argument("--to", default=DEMO_NUMBER, metavar="NUMBER", help="another practice number")
    parser.add_argument("--out", type=Path, default=Path("demo-output"), metavar="DIR")
    parser.add_argument("--http", default="127.0.0.1:0", metavar="HOST:PORT", help="where the box listens")
    add_speed_argument(parser)
    parser.add_argument("--keep", action="store_true", help="leave the box running until Ctrl-C")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """``faxbox demo`` with its parsed arguments; the exit code."""
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    data = out / BOX_FOLDER
    shutil.rmtree(data, ignore_errors=True)
    try:
        with _box(data, arguments.http, arguments.speed) as box:
            whole = _send(box, data, arguments.to, out) and _receive(box, out)
            if arguments.keep:
                _keep(box, data)
    except (BoxUnreachableError, BoxRefusedError, TimeoutError) as error:
        return complain(str(error), 1)
    print("the box has stopped")
    return 0 if whole else 1


@contextlib.contextmanager
def _box(data: Path, http: str, times: float) -> Iterator[RunningBox]:
    """A box of its own on ``data``, as ``faxbox serve`` runs it; stopped at the end."""
    command = [sys.executable, "-m", "appliance.cli"]
    data.mkdir(parents=True, exist_ok=True)
    for name, value in (("practice.speed", f"{times:g}"), ("station.station_id", STATION_ID)):
        subprocess.run([*command, "config", "set", name, value, "--data", str(data)], check=True)
    process = subprocess.Popen([*command, "serve", "--data", str(data), "--http", http])
    try:
        yield _answering(process, data)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _answering(process: subprocess.Popen[bytes], data: Path) -> RunningBox:
    begun = time.monotonic()
    while process.poll() is None and time.monotonic() - begun < START_S:
        with contextlib.suppress(BoxUnreachableError):
            box = RunningBox(data)
            box.get("/health")
            print(f"the box answered after {time.monotonic() - begun:.1f} s at {box.url}")
            return box
        time.sleep(_LOOK_S)
    raise BoxUnreachableError("the box did not start")


def _send(box: RunningBox, data: Path, number: str, out: Path) -> bool:
    """Hands in the demonstration's PDF and watches; True when all of it arrived as it was sent."""
    pdf = out / "demo.pdf"
    write_demo_pdf(pdf)
    print(f"the document: {pdf}")
    events = box.events()
    fax = box.post("/faxes", {"to": [number], "files": [upload(pdf.name, pdf.read_bytes())]})["faxes"][0]
    print(f"POST {box.url}/api/v1/faxes: accepted as fax {fax['id']}, on disk")
    account = Account(0, print)
    its_own = (event for event in events if event["fax_id"] == fax["id"])
    _watch(its_own, account, _SENT, "the fax did not end")
    fax = box.get(f"/faxes/{fax['id']}")
    took, pages = fax["seconds_on_line"], fax["pages_confirmed"]
    print(
        f"{fax['result']['sentence']} {pages} of {fax['pages']} pages in {took:.1f} s,"
        f" {account.octets:,} bytes"
    )
    arrivals = sorted((data / _ARRIVALS).glob("*.tif"))
    if not arrivals:
        print("nothing arrived at the far end")
        return False
    sent = RenderedDocument.open(data / RENDERED / fax["uuid"])
    arrived = keep(arrivals[-1], out, "arrived-there", compare(arrivals[-1], sent.coded_pages()))
    for line in arrived.sentences():
        print(line)
    return arrived.whole


def _receive(box: RunningBox, out: Path) -> bool:
    """Has the practice machine call the box; True when the fax is there."""
    print("now the practice machine calls the box")
    events = box.events()
    box.post("/practice/receive", {})
    last = _watch(events, Account(0, print), _RECEIVED, "the fax did not come")
    fax = box.get("/received")["received"][0]
    for name in ("pdf", "tiff"):
        (out / f"received.{name}").write_bytes(box.read(f"/received/{fax['id']}/{name}"))
    print(f"received {fax['pages']} page(s) from {fax['caller']}: {fax['result']['sentence']}")
    print(f"what was received: {out / 'received.tiff'}\n           as PDF: {out / 'received.pdf'}")
    return last == "received.complete"


def _keep(box: RunningBox, data: Path) -> None:
    print(f"the box stays up at {box.url} until Ctrl-C; a token for its APIs:")
    print(f"  {Path(sys.argv[0]).name} key add NAME --data {data}")
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


def _watch(events: Iterator[dict[str, Any]], account: Account, ends: frozenset[str], trouble: str) -> str:
    """Shows the events of the running call until one of ``ends``, which it returns.  Raises TimeoutError."""
    begun = time.monotonic()
    for event in events:
        kind: str = event["kind"]
        if kind == "call.progress":
            account.hear_event(event)
        elif kind == "job.waiting" and "pages" in event["data"]:  # not when it waits for another try
            account.expect(event["data"]["pages"])
        if kind in ends:
            return kind
        if time.monotonic() - begun > FAX_S:
            break
    raise TimeoutError(trouble)
