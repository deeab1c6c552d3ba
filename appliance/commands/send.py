"""``faxbox send``: sends files to a number and shows the progress."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from appliance.causes import Cause, Side
from appliance.commands.account import TraceFile
from appliance.commands.direct_call import send
from appliance.commands.lines import ForbiddenNumberError
from appliance.commands.running_box import BoxRefusedError, BoxUnreachableError, RunningBox, upload
from appliance.commands.sending import SendArguments, SendOutcome
from appliance.commands.through_box import InterruptedFaxError, running_on, send_through
from appliance.daemon.arguments import DATA_VARIABLE, DEFAULT_DATA, bounded, complain
from appliance.documents.errors import DocumentError
from appliance.documents.options import Treatment
from appliance.lines.practice.numbers import script_for
from appliance.lines.sip.numbers import is_sip_address
from appliance.remarks import Rule
from appliance.settings.files import SettingsDamagedError
from appliance.spool.options import Quality
from appliance.station import STATION_ID_PATTERN

# Exit codes: 0 delivered, 1 not delivered, 2 the user's mistake (as argparse), 3 the box's fault.
DELIVERED, NOT_DELIVERED, USER_MISTAKE, BOX_FAULT = 0, 1, 2, 3

# Beyond this the scaled timers of T.30 are shorter than the pauses of a loaded processor.
MAX_SPEED = 50.0


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``send`` to the command's words."""
    parser = words.add_parser(
        "send",
        help="send files as one fax",
        description="Send files (PDF, Office files, pictures, e-mails, text) as one fax. Numbers 9990 to"
        " 9998 are practice numbers that never leave this machine. Where a box runs, it takes the fax,"
        " with its journal, tries and cover page. Where none runs, or with --direct, one call is made at"
        " once: over the lines of the box's folder (--data). A sip: address is called at its own host.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--to", dest="number", required=True, metavar="NUMBER", help="the number to dial")
    parser.add_argument(
        "--from",
        dest="station_id",
        default="",
        metavar="NUMBER",
        help="our own number: digits, + and spaces, at most 20",
    )
    _add_page_arguments(parser)
    parser.add_argument("--no-ecm", dest="ecm", action="store_false", help="without error correction")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="keep what arrived there as TIFF and PDF (practice numbers)"
    )
    parser.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        help="write frames and packets there: .pcap for tshark, else JSON",
    )
    add_speed_argument(parser)
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help=f"the box's folder (default ${DATA_VARIABLE}, else {DEFAULT_DATA}, where a box runs on it)",
    )
    parser.add_argument("--direct", action="store_true", help="one call, at once, without further tries")
    parser.add_argument(
        "--no-wait", dest="wait", action="store_false", help="hand it to the box, do not wait for its end"
    )
    parser.add_argument("--line", default="", metavar="NAME", help="this one of its lines")
    _add_cover_arguments(parser)
    parser.set_defaults(run=run)


def _add_page_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quality", choices=("standard", "fine", "superfine"), default=Quality.FINE.value)
    parser.add_argument(
        "--treatment",
        choices=[each.value for each in Treatment],
        default="auto",
        help="how grey becomes black and white",
    )
    parser.add_argument("--pages", default="", metavar="LIST", help="only these pages, such as 1-5,2")
    parser.add_argument(
        "--anyway", action="store_true", help="send even if the pages do not show all of the document"
    )
    parser.add_argument(
        "--no-header", dest="header", action="store_false", help="no line with date and sender on top"
    )


def _add_cover_arguments(parser: argparse.ArgumentParser) -> None:
    cover = parser.add_argument_group("cover page, made by the box that runs (left out: the usual one)")
    cover.add_argument("--cover", metavar="TEMPLATE", help="this template; standard is the box's own page")
    cover.add_argument("--no-cover", action="store_true", help="none, not even the usual one")
    cover.add_argument("--subject", default="", metavar="WORDS")
    cover.add_argument("--message", default="", metavar="WORDS")


def run(arguments: argparse.Namespace) -> int:
    """``faxbox send`` with its parsed arguments; the exit code."""
    if not re.fullmatch(STATION_ID_PATTERN, arguments.station_id):
        return complain("--from takes digits, + and spaces, at most 20 of them", USER_MISTAKE)
    given = {"template": arguments.cover, "subject": arguments.subject, "message": arguments.message}
    cover = {name: words for name, words in given.items() if words}
    if cover and arguments.no_cover:
        return complain("--no-cover goes with no other word about a cover page", USER_MISTAKE)
    options = {each.name: getattr(arguments, each.name) for each in fields(SendArguments)} | {
        "files": tuple(arguments.files),
        "quality": Quality(arguments.quality),
        "treatment": Treatment(arguments.treatment),
        "cover": cover or None,
    }
    return send_and_tell(SendArguments(**options), print)


def send_and_tell(options: SendArguments, show: Callable[[str], None]) -> int:
    """Sends, prints the result, and returns the exit code."""
    for file in options.files:
        if not file.is_file():
            return complain(f"{file}: there is no such file, or it is not one that can be read", USER_MISTAKE)
    if options.data is not None and not options.data.is_dir():
        return complain(f"{options.data}: there is no box's folder of this name", USER_MISTAKE)
    try:
        beside = _beside(options)
        if beside is not None:
            outcome = _through(beside, options, show)
            if outcome is None:
                return DELIVERED
        elif problem := _needs_box(options):
            return complain(problem, USER_MISTAKE)
        else:
            outcome = send(options, show)
    except InterruptedFaxError as error:
        return complain(str(error), NOT_DELIVERED)
    except (BoxRefusedError, BoxUnreachableError) as error:
        return complain(str(error), USER_MISTAKE)
    except DocumentError as error:
        which = f"{options.files[error.source]}: " if error.source is not None else ""
        return _say_cause(error.cause, which + error.detail)
    except ForbiddenNumberError as error:
        return _say_cause(error.cause, options.number)
    except (OSError, ValueError, SettingsDamagedError) as error:
        return complain(str(error), USER_MISTAKE)
    return _told(outcome, show)


def _told(outcome: SendOutcome, show: Callable[[str], None]) -> int:
    """Prints how a fax ended, and what arrived if that is known; returns the exit code."""
    result, arrived = outcome.result, outcome.arrived
    if result.cause.side is not Side.NONE:
        confirmed = f"{result.pages_sent} of {outcome.pages} pages were confirmed"
        code = _say_cause(result.cause, f"{confirmed} after {outcome.seconds:.0f} s")
    else:
        rate = f", {result.carrier.bit_rate} bit/s" if result.carrier else ""
        show(
            f"delivered: {result.pages_sent} of {outcome.pages} pages confirmed in {outcome.seconds:.1f} s"
            f"{f', {outcome.octets:,} bytes' if outcome.octets else ''}{rate}"
        )
        code = DELIVERED
    if arrived is not None:
        for line in arrived.sentences():
            show(line)
        if code == DELIVERED and not arrived.whole:
            code = BOX_FAULT
    return code


def _beside(options: SendArguments) -> RunningBox | None:
    """The running box that sends the fax; None when none runs, or when it is sent without one."""
    if is_sip_address(options.number):
        return None
    # These options need a practice line in the command's own process.
    own = options.direct or options.out is not None or options.speed != 1.0
    if own and (options.data is None or (script_for(options.number) is not None and not options.line)):
        return None
    return running_on(options.data or Path(os.environ.get(DATA_VARIABLE) or DEFAULT_DATA))


def _needs_box(options: SendArguments) -> str:
    """The sentence about a number or option that needs a box; empty when nothing does."""
    if options.data is None and not is_sip_address(options.number) and script_for(options.number) is None:
        return (
            "without a box only practice numbers and sip: addresses can be called: start one (faxbox serve),"
            " or name its folder with --data"
        )
    if options.cover or options.no_cover or not options.wait:
        return "cover pages and --no-wait need a box that runs: faxbox serve"
    return ""


def _through(box: RunningBox, options: SendArguments, show: Callable[[str], None]) -> SendOutcome | None:
    """Sends the files by the running box; returns None when the end is not waited for.

    Raises what ``send_through`` raises.
    """
    if options.trace is not None and options.trace.suffix == ".pcap":
        raise BoxRefusedError("A running box keeps the packets of its calls itself: see storage.packets.")
    pages = {"pages": [options.pages]} if options.pages else {}
    files = [upload(path.name, path.read_bytes()) | pages for path in options.files]
    request: dict[str, Any] = {
        "to": [options.number],
        "files": files,
        "quality": options.quality.value,
        "treatment": options.treatment.value,
        "ecm": options.ecm,
    }
    if options.anyway:
        request["when_lost"] = Rule.SEND.value
    if options.station_id:
        request["station_id"] = options.station_id
    if options.line:
        request["lines"] = [options.line]
    if not options.header:
        request["header"] = ""
    if options.cover is not None:
        request["cover"] = options.cover
    elif options.no_cover:
        request["cover"] = None
    show(f"(sent by the box that runs at {box.url})")
    if not options.wait:
        fax = box.post("/faxes", request)["faxes"][0]
        show(f"It is fax {fax['id']} of the box; how it goes: faxbox show {fax['id']}")
        return None
    # Only one process may register an account: a direct fax uses the lines of the box, too.
    through = send_through(box, request, show, once=options.direct)
    if options.trace is not None:
        with TraceFile(options.trace) as trace:
            for progress in through.trace:
                trace.hear(progress)
    return SendOutcome(through.result, through.seconds, 0, through.pages)


def _say_cause(cause: Cause, detail: str) -> int:
    detail = f" ({detail})" if detail else ""
    print(f"faxbox: {cause.sentence}{detail}\n        {cause.advice} [{cause.code}]", file=sys.stderr)
    return {Side.USER: USER_MISTAKE, Side.OURS: BOX_FAULT}.get(cause.side, NOT_DELIVERED)


def add_speed_argument(parser: argparse.ArgumentParser) -> None:
    """Adds ``--speed``, which the practice line runs at."""
    words = "run the practice line N times faster than a telephone call"
    parser.add_argument("--speed", type=bounded(float, 0.1, MAX_SPEED), default=1.0, metavar="N", help=words)
