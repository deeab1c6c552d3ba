"""A call by the command's own process: it renders the files and sends them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from appliance.commands.account import Account, TraceFile
from appliance.commands.arrived import SentPages, keep_arrival
from appliance.commands.lines import Practice, Way, way_to
from appliance.commands.sending import SendArguments, SendOutcome
from appliance.dispatch.causes import DOCUMENT_REMARKED, NO_LINE
from appliance.dispatch.desk import CallDesk
from appliance.documents.errors import DocumentError
from appliance.documents.options import HeaderLine, PageFormat, RenderOptions, Source
from appliance.documents.pages import DocumentPages
from appliance.documents.render import render
from appliance.documents.rendered import RenderedDocument
from appliance.lines.causes import LINE_STOPPED
from appliance.lines.line import LineKind, OutgoingCall, Refuse
from appliance.lines.practice.line import PracticeArrival
from appliance.remarks import Rule, verdict
from appliance.t4.page import CodedPage
from appliance.t30.conversation import PageDelivered
from appliance.t30.parameters import Accepts, CallParameters, CallResult, Capabilities, Phase, Progress, Role


def send(options: SendArguments, show: Callable[[str], None]) -> SendOutcome:
    """Renders the files and sends them.

    Raises DocumentError for a file that cannot be sent, OSError for a trace or folder that cannot be
    written.
    """
    with tempfile.TemporaryDirectory(prefix="faxbox-send-") as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch)
        trace = stack.enter_context(TraceFile(options.trace)) if options.trace is not None else None
        document = _render(options, folder / "document", show)
        return asyncio.run(_Sending(options, document, folder, trace, show).run())


def _render(options: SendArguments, target: Path, show: Callable[[str], None]) -> RenderedDocument:
    began = time.monotonic()
    header = HeaderLine(datetime.now().astimezone(), number=options.station_id) if options.header else None
    document = render(
        [Source(path, options.pages, path.name) for path in options.files],
        target,
        RenderOptions(
            format=PageFormat(options.quality.resolution), treatment=options.treatment, header=header
        ),
    )
    octets = sum(page.octets for page in document.pages)
    show(
        f"{document.total} fax page{'s' if document.total != 1 else ''} made in"
        f" {time.monotonic() - began:.1f} s: {options.quality.value}, {octets:,} bytes"
    )
    for remark in document.remarks:
        show(f"{remark.kind.weight.value}: {remark.words()}")
    rule = Rule.SEND if options.anyway else Rule.HOLD
    if verdict(document.remarks, lost=rule, noted=Rule.SEND) is not Rule.SEND:
        raise DocumentError(DOCUMENT_REMARKED, "--anyway sends it as it is")
    return document


class _Sending(CallDesk):
    """One call on its line."""

    def __init__(
        self,
        options: SendArguments,
        document: RenderedDocument,
        folder: Path,
        trace: TraceFile | None,
        show: Callable[[str], None],
    ) -> None:
        self._options = options
        self._document = document
        self._folder = folder
        self._trace = trace
        super().__init__()
        self._pages = DocumentPages(document)
        self._sent = SentPages(folder / "sent")
        self._account = Account(document.total, show)
        self._show = show
        self._arrivals: list[PracticeArrival] = []

    async def run(self) -> SendOutcome:
        options, loop = self._options, asyncio.get_running_loop()
        way = self._way()
        if way is None:
            return SendOutcome(CallResult(NO_LINE, phase=Phase.A), 0.0, 0, self._document.total)
        line = way.line
        call = OutgoingCall(
            way.number,
            CallParameters(
                Role.CALLS, station_id=options.station_id, capabilities=Capabilities(ecm=options.ecm)
            ),
        )
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        began = loop.time()
        await line.start(lambda _: Refuse(LINE_STOPPED))
        try:
            tap = self._trace.tap if self._trace is not None else None
            result = await line.place(call, self, tap)
            outcome = SendOutcome(result, loop.time() - began, self._account.octets, self._document.total)
            if options.out is not None and self._arrivals:
                outcome.arrived = keep_arrival(self._arrivals[0].tiff, self._sent, options.out)
        finally:
            await line.stop()
        return outcome

    def _way(self) -> Way | None:
        options = self._options
        practice = Practice(self._folder / "arrivals", self._arrivals.append, options.speed)
        way = way_to(options.number, practice, data=options.data, name=options.line)
        if way is not None and way.line.kind is LineKind.PRACTICE and options.speed != 1.0:
            self._show(f"(the practice line runs {options.speed:g} times faster than a telephone call)")
        return way

    def progress(self, line: Progress) -> None:
        self._account.hear(line)
        if self._trace is not None:
            self._trace.hear(line)

    async def page(self, ticket: int, number: int, accepts: Accepts) -> PageDelivered:
        page = await asyncio.to_thread(self._pages.get, number, accepts)
        if isinstance(page, CodedPage):
            self._sent.keep(number, page)
        return PageDelivered(ticket, page, self._pages.is_last(number))

    def _interrupt(self) -> None:
        self._show("cancelling …")
        self.cancel()
