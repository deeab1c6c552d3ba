"""``faxbox check``: what a line can do, in plain words and with advice."""

from __future__ import annotations

import argparse

from appliance.lines.modem import check as modem


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``check`` to the command's words."""
    parser = words.add_parser("check", help="look at a line and say what it can do")
    lines = parser.add_subparsers(required=True, metavar="LINE")
    modem.register(lines)
