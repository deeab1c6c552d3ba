"""``faxbox check``: what a line can do, in plain words and with advice."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import sys

from appliance.causes import LINE_STOPPED
from appliance.commands.account import Account
from appliance.commands.lines import trunk_named
from appliance.daemon.commands import add_data_argument, data_folder
from appliance.lines.line import Refuse
from appliance.lines.modem import check as modem
from appliance.lines.sip.check import TrunkReport, check_trunk
from appliance.lines.sip.line import SipLine
from appliance.lines.sip.settings import split_host_port
from appliance.settings.store import SettingsDamagedError

# Exit codes, as of ``check modem``: it can fax, it cannot, the command was wrong.
GOOD, TROUBLE, USAGE = 0, 1, 2
# A trunk on this machine is taken for a test rig that knows the practice numbers.
LOCAL_NUMBER = "9990"


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
        return _complain(str(error))
    if line is None:
        return _complain(f"the settings have no SIP line called {arguments.name!r}")
    number = arguments.to or (LOCAL_NUMBER if _is_local(line) else "")
    if not number:
        return _complain("say with --to which fax machine may be called")
    report = asyncio.run(_call(line, number))
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


def _is_local(line: SipLine) -> bool:
    host = split_host_port(line.trunk.server, "the server")[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _complain(sentence: str) -> int:
    print(f"faxbox: {sentence}", file=sys.stderr)
    return USAGE
