"""Live progress of a call as lines of text, and its trace as a file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Self

from appliance.lines.pcap import PcapWriter
from appliance.t30.parameters import Progress


class Account:
    """Words the progress of a call for the person who waits for it.

    ``pages``: number of pages of the fax, 0 when unknown.  ``show`` gets each line.
    """

    def __init__(self, pages: int, show: Callable[[str], None]) -> None:
        self._pages = pages
        self._show = show
        self._remote = ""
        self._page_began: dict[int, float] = {}
        self._began: float | None = None  # each line has a clock of its own
        self.octets = 0  # of coded pages, those sent again counted again

    def expect(self, pages: int) -> None:
        """Sets the number of pages, once it is known."""
        self._pages = pages

    def say(self, words: str) -> None:
        """Shows a line that is not about a call."""
        self._show(words)

    def hear_event(self, event: Mapping[str, Any]) -> None:
        """Takes an event ``call.progress`` of the box."""
        facts = dict(event["data"])
        at = datetime.fromisoformat(event["at"]).timestamp()
        self.hear(Progress(at, facts.pop("event"), tuple(facts.items())))

    def hear(self, progress: Progress) -> None:
        """A ``Progress`` callback."""
        facts = dict(progress.fields)
        line = self._line(progress.event, facts, progress.at)
        if self._began is None:
            self._began = progress.at
        if line:
            self._show(f"{progress.at - self._began:7.1f} s  {line}")

    def _line(self, event: str, facts: dict[str, str | int | float | bool], at: float) -> str:
        match event:
            case "dialled":
                return f"dialled {facts['number']}"
            case "ringing":
                return "it rings"
            case "answered":
                return "answered"
            case "remote_id":
                self._remote = str(facts["id"]).strip()
            case "dis":
                return f"DIS from {self._remote or 'a machine without a name'}: {facts['facilities']}"
            case "dcs":
                return f"agreed: {facts['settings']}"
            case "training":
                return f"training at {facts['rate']} bit/s ({facts['modulation']})"
            case "trained":
                return f"trained at {facts['rate']} bit/s"
            case "step_down":
                return f"trained badly: down to {facts['rate']} bit/s ({facts['modulation']})"
            case "page_sending":
                return self._page_sending(facts, at)
            case "ppr":
                return f"page {facts['page']}: {facts['frames']} damaged frames are sent again"
            case "rtn":
                return f"page {facts['page']} arrived damaged: it is sent again"
            case "receiver_not_ready":
                return "the receiver asks to wait"
            case "page_confirmed":
                number = int(facts["page"])
                took = at - self._page_began.get(number, at)
                return f"page {number}{self._of()} confirmed after {took:.1f} s"
            case "page_receiving":
                return f"page {facts['page']} comes in"
            case "page_received":
                return f"page {facts['page']} received, answered {facts['reply']}"
        return ""

    def _page_sending(self, facts: dict[str, str | int | float | bool], at: float) -> str:
        number = int(facts["page"])
        self._page_began[number] = at
        self.octets += int(facts["octets"])
        correction = "with error correction" if facts["ecm"] else "without error correction"
        return (
            f"page {number}{self._of()}: {facts['rows']} rows, {int(facts['octets']):,} bytes"
            f" {facts['coding']}, {correction} …"
        )

    def _of(self) -> str:
        return f" of {self._pages}" if self._pages else ""


class TraceFile:
    """A call's trace in a file: pcap when the name ends so, else a line of JSON for each event and packet.

    Raises OSError when the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._pcap: PcapWriter | None = None
        self._file: IO[bytes] = path.open("wb")
        self._began = time.time()
        if path.suffix == ".pcap":
            self._pcap = PcapWriter(self._file, self._began)
        else:
            self._write({"at": 0.0, "event": "began", "time": self._began})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def hear(self, progress: Progress) -> None:
        """A ``Progress`` callback."""
        if self._pcap is None:
            self._write({"at": round(progress.at, 4), "event": progress.event, **dict(progress.fields)})

    def tap(self, at: float, leaves: bool, octets: bytes) -> None:
        """A ``Tap``."""
        if self._pcap is not None:
            self._pcap.tap(at, leaves, octets)
        else:
            event = "datagram_sent" if leaves else "datagram_received"
            self._write({"at": round(at, 4), "event": event, "octets": octets.hex()})

    def _write(self, line: dict[str, object]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
