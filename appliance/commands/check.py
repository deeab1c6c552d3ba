"""``faxbox check``: checks a line and prints findings and advice."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import time
from typing import Any

from appliance.commands.account import Account
from appliance.commands.lines import trunk_named
from appliance.commands.running_box import BoxRefusedError, BoxUnreachableError, RunningBox, line_of, upload
from appliance.commands.through_box import running_on, send_through
from appliance.daemon.arguments import add_data_argument, complain, data_folder
from appliance.lines.causes import LINE_STOPPED
from appliance.lines.line import Refuse
from appliance.lines.modem import check as modem
from appliance.lines.sip.check import REGISTER_LIMIT_S, check_trunk
from appliance.lines.sip.check_report import CallWatcher, TrunkReport, report
from appliance.lines.sip.line import SipLine
from appliance.lines.sip.settings import split_host_port
from appliance.settings.files import SettingsDamagedError

# Exit codes, as of ``check modem``: it can fax, it cannot, the command was wrong.
GOOD, TROUBLE, USAGE = 0, 1, 2
# A trunk whose server is this machine is assumed to be a test set-up with the practice numbers.
LOCAL_NUMBER = "9990"
# Interval of asking a running box whether its line is ready, seconds.
ASK_EVERY_S = 0.2
# The page that a running box sends for the check.
_PAGE = b"faxbox check trunk: this page only shows that faxes get through.\n"


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``check`` to the command's words."""
    parser = words.add_parser("check", help="look at a line and say what it can do")
    lines = parser.add_subparsers(required=True, metavar="LINE")
    modem.register(lines)
    trunk = lines.add_parser("trunk", help="call over a SIP trunk, send a page, say what the trunk offers")
    trunk.add_argument("name", metavar="NAME", help="a SIP line of the box's settings")
    trunk.add_argument(
        "--to", default="", metavar="NUMBER", help="a fax machine whose owner expects a test page"
    )
    add_data_argument(trunk)
    trunk.set_defaults(run=check)


def check(arguments: argparse.Namespace) -> int:
    """``faxbox check trunk`` with its parsed arguments; the exit code."""
    try:
        line = trunk_named(data_folder(arguments), arguments.name)
    except (OSError, ValueError, SettingsDamagedError) as error:
        return complain(str(error), USAGE)
    if line is None:
        return complain(f"the settings have no SIP line called {arguments.name!r}", USAGE)
    beside = running_on(data_folder(arguments))
    # A running box would dial its own practice line with that number.
    number = arguments.to or (LOCAL_NUMBER if beside is None and _is_local(line) else "")
    if not number:
        return complain("say with --to which fax machine may be called", USAGE)
    try:
        report = asyncio.run(_call(line, number)) if beside is None else _through(beside, line, number)
    except (BoxRefusedError, BoxUnreachableError) as error:
        return complain(str(error), USAGE)
    for sentence in report.findings:
        print(sentence)
    for sentence in report.advice:
        print(f"Advice: {sentence}")
    return GOOD if report.usable else TROUBLE


async def _call(line: SipLine, number: str) -> TrunkReport:
    await line.start(lambda _: Refuse(LINE_STOPPED))
    try:
        return await check_trunk(line, number, progress=Account(1, print).hear)
    finally:
        await line.stop()


def _through(box: RunningBox, line: SipLine, number: str) -> TrunkReport:
    """The check through the running box, since a second registration would replace that of the box."""
    # A box that was just started may still be registering.
    deadline = time.monotonic() + REGISTER_LIMIT_S
    while not (before := _state(box, line.name))["usable"] and time.monotonic() < deadline:
        time.sleep(ASK_EVERY_S)
    watcher = CallWatcher()
    request = page_request(line.name, number, "check.txt", _PAGE)
    through = send_through(box, request, print)
    for progress in through.trace:
        watcher(progress)
    return report(
        watcher, through.result, line.trunk.media, before["sentence"], _state(box, line.name)["last_error"]
    )


def page_request(line: str, number: str, name: str, text: bytes) -> dict[str, Any]:
    """A NewFax of the REST API: one text to a number over this line alone."""
    return {
        "to": [number],
        "lines": [line],
        "files": [upload(name, text)],
    }


def _state(box: RunningBox, name: str) -> dict[str, Any]:
    found = line_of(box, name)
    if found is None:
        raise BoxRefusedError(f"The box does not run the line {name}: it is switched off or set wrongly.")
    return found


def _is_local(line: SipLine) -> bool:
    host = split_host_port(line.trunk.server)[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
