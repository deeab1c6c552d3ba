"""``faxbox practice receive``: makes the practice line call a running box."""

from __future__ import annotations

import argparse
from pathlib import Path

from appliance.commands.running_box import RunningBox, upload, with_box
from appliance.daemon.arguments import add_data_argument


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``practice`` to the command's words."""
    parser = words.add_parser("practice", help="use the practice line of a running box")
    actions = parser.add_subparsers(required=True, metavar="WHAT")
    receive = actions.add_parser("receive", help="have the practice machine send a fax to the box")
    receive.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="what it sends; a page of its own without any"
    )
    receive.add_argument("--caller", default="", metavar="NUMBER", help="the number it calls from")
    receive.add_argument("--dialled", default="", metavar="NUMBER", help="the number of ours it calls")
    add_data_argument(receive)
    receive.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """``faxbox practice receive`` with its parsed arguments; the exit code."""
    return with_box(_receive, arguments)


def _receive(box: RunningBox, arguments: argparse.Namespace) -> None:
    files = [upload(path.name, path.read_bytes()) for path in arguments.files]
    request = {"files": files, "caller": arguments.caller, "dialled": arguments.dialled}
    box.post("/practice/receive", {name: value for name, value in request.items() if value})
    print(f"The practice machine is calling; the fax will be at {box.url}/api/v1/received")
