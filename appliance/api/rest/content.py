"""Answers with the content of a fax, sent or received: pictures, files, the trace of a call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appliance import at_rest
from appliance.api import page_export
from appliance.api.context import TURN_WAIT_S
from appliance.api.problems import ProblemError
from appliance.api.rest.routes import Answer, Call, Parameter
from appliance.api.rest.schemas import array, choice, integer
from appliance.documents.causes import DOCUMENT_GONE
from appliance.spool.model import PACKETS
from appliance.t4.page import CodedPage, Raster

TRACE_OCTETS = 16 << 20
SIZE = Parameter("size", choice("full", "small"), "pixel for pixel as on the line, or a small picture")


def picture(call: Call, page: CodedPage | Raster, key: str) -> bytes:
    """The page in the format that the request asks for; ``key`` identifies the page permanently."""

    def drawn(small: bool) -> bytes:
        with call.context.drawers.of(1, TURN_WAIT_S):
            return page_export.png(page, small=small)

    if call.query.get("size") == "small":
        return call.context.pictures.get(key, lambda: drawn(small=True))
    return drawn(small=False)


def bundled(call: Call, together: Callable[[], Path], archive: Callable[[], Path]) -> Answer:
    """The PDF of ``together`` or the ZIP of ``archive``, as the request asks, as a file to save."""
    if call.query.get("format") == "zip":
        path, kind, name = archive(), "application/zip", "faxes.zip"
    else:
        path, kind, name = together(), "application/pdf", "faxes.pdf"
    return Answer(temporary_file=path, media_type=kind, headers=saved_as(name))


def shown_as(name: str) -> dict[str, str]:
    """The header by which a browser shows a file under ``name`` rather than saving it."""
    return {"Content-Disposition": f'inline; filename="{name}"'}


def saved_as(name: str) -> dict[str, str]:
    """The header by which a browser saves a file under ``name``."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def trace_of(call: Call, path: str) -> Answer:
    """The trace of a call, as lines of JSON.  Raises ProblemError."""
    try:
        if not path:
            raise FileNotFoundError
        with (call.box.data / path).open("rb") as file:
            return Answer(content=file.read(TRACE_OCTETS))
    except OSError:
        raise ProblemError(DOCUMENT_GONE, "the account of this call is not kept") from None


def packets_of(call: Call, trace_path: str) -> Answer:
    """The packets of the call with this trace, as pcap.  Raises ProblemError."""
    name = Path(trace_path).stem
    try:
        if not name:
            raise FileNotFoundError
        with at_rest.open_file(call.box.data / PACKETS / f"{name}.pcap") as file:
            return Answer(content=file.read(TRACE_OCTETS))
    except OSError:
        raise ProblemError(DOCUMENT_GONE, "the packets of this call were not kept") from None


# The most faxes in one download.
BUNDLE = 100
BUNDLED = (
    Parameter("ids", array(integer(1), BUNDLE), "of these faxes"),
    Parameter("format", choice("pdf", "zip"), "pdf when left out"),
)
BUNDLE_MEDIA = ("application/pdf", "application/zip")
PCAP = ("application/vnd.tcpdump.pcap",)
LINES_OF_JSON = ("application/x-ndjson",)
