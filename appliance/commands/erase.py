"""``faxbox erase``: erases a fax, or everything about a number, for good."""

from __future__ import annotations

import argparse

from appliance.commands.running_box import BoxRefusedError, BoxUnreachableError, RunningBox
from appliance.daemon.arguments import add_data_argument, complain, data_folder


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``erase`` to the command's words."""
    parser = words.add_parser("erase", help="erase a fax, or everything about a number, for good")
    parser.add_argument("what", choices=["fax", "received", "number"], help="what it is")
    parser.add_argument("which", help="the number of the fax, or the number as it is dialled")
    add_data_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """``faxbox erase``; the exit code.  The box must run."""
    which: str = arguments.which
    try:
        box = RunningBox(data_folder(arguments))
        if arguments.what == "number":
            done = box.post("/erasures", {"number": which})
            print(f"Erased: {done['faxes']} faxes sent, {done['received']} received.")
            if done["left"]:
                print(f"Still under way: {done['left']}. Cancel them, then erase again.")
            return 0
        kind = "faxes" if arguments.what == "fax" else "received"
        box.post(f"/{kind}/{int(which)}/erase", {})
    except (BoxUnreachableError, BoxRefusedError, ValueError) as error:
        return complain(str(error), 1)
    print(f"Erased: fax {which}.")
    return 0
