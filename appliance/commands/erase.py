"""``faxbox erase``: erases a fax, or everything about a number, for good."""

from __future__ import annotations

import argparse

from appliance.commands.running_box import RunningBox, with_box
from appliance.daemon.arguments import EXIT_USAGE, add_data_argument, bounded, complain


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``erase`` to the command's words."""
    parser = words.add_parser("erase", help="erase a fax, or everything about a number, for good")
    parser.add_argument("what", choices=["fax", "received", "number"], help="what it is")
    parser.add_argument("which", help="the number of the fax, or the number as it is dialled")
    add_data_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """``faxbox erase``; the exit code.  The box must run."""
    if arguments.what != "number":
        try:
            arguments.which = bounded(int, 1)(arguments.which)
        except argparse.ArgumentTypeError as error:
            return complain(str(error), EXIT_USAGE)
    return with_box(_erase, arguments)


def _erase(box: RunningBox, arguments: argparse.Namespace) -> None:
    if arguments.what == "number":
        done = box.post("/erasures", {"number": arguments.which})
        print(f"Erased: {done['faxes']} faxes sent, {done['received']} received.")
        if done["left"]:
            print(f"Still under way: {done['left']}. Cancel them, then erase again.")
        return
    kind = "faxes" if arguments.what == "fax" else "received"
    box.post(f"/{kind}/{arguments.which}/erase", {})
    print(f"Erased: fax {arguments.which}.")
