"""The options of ``faxbox send`` and its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from appliance.commands.arrived import Arrived
from appliance.documents.options import Treatment
from appliance.spool.options import Quality
from appliance.t30.parameters import CallResult


@dataclass(frozen=True, slots=True)
class SendArguments:
    """The options of ``faxbox send``, each called as the parsed argument that it comes from."""

    files: tuple[Path, ...]
    number: str
    station_id: str = ""
    quality: Quality = Quality.FINE
    treatment: Treatment = Treatment.AUTO
    pages: str = ""
    anyway: bool = False  # though something of the document is lost
    header: bool = True
    ecm: bool = True
    out: Path | None = None
    trace: Path | None = None
    speed: float = 1.0
    data: Path | None = None  # folder of a box, for its lines
    line: str = ""  # name of one of them
    direct: bool = False
    wait: bool = True
    cover: dict[str, str] | None = None  # fields of the cover page; None: the usual one
    no_cover: bool = False


@dataclass(slots=True)
class SendOutcome:
    """The outcome of ``faxbox send``."""

    result: CallResult
    seconds: float  # from dialling to the end
    octets: int  # of coded pages
    pages: int
    arrived: Arrived | None = None  # the far end's copy, when the line can show it
