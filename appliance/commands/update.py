"""``faxbox update``: installs a new version of the image on the inactive half of the card."""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path

from appliance.causes import cause_of
from appliance.daemon.arguments import complain
from appliance.image_update import INSTALL, REFUSALS
from appliance.image_update import REFUSED as UNKNOWN_REFUSAL

DONE, REFUSED, USAGE = 0, 1, 2


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``update`` to the command's words."""
    parser = words.add_parser("update", help="install a new version of the image")
    parser.add_argument("file", type=Path, metavar="FILE", help="the update, a file that ends in .raucb")
    parser.add_argument("--older", action="store_true", help="also a version older than the one that runs")
    parser.add_argument("--restart", action="store_true", help="start the new version at once")
    parser.set_defaults(run=update)


def update(arguments: argparse.Namespace, *, install: Path = INSTALL, user: int | None = None) -> int:
    """``faxbox update`` with its parsed arguments; the exit code.  ``user``: who runs it, root when 0."""
    if not install.exists():
        return complain(
            "This machine was not made from the image; it is updated with: apt install ./faxbox_VERSION.deb",
            USAGE,
        )
    if not arguments.file.is_file():
        return complain(f"there is no file {arguments.file}", USAGE)
    if (os.geteuid() if user is None else user) != 0:
        return complain("only root may install an update", USAGE)
    older = ["--older"] if arguments.older else []
    code = subprocess.run([install, *older, arguments.file], check=False).returncode
    if code:
        cause = cause_of(REFUSALS.get(code, UNKNOWN_REFUSAL))
        return complain(
            f"{cause.sentence} {cause.advice} The box goes on with the version that it has.", REFUSED
        )
    if arguments.restart:
        print("The new version is installed; the box starts it now.")
        return subprocess.run(["systemctl", "reboot"], check=False).returncode
    print("The new version is installed; the box takes it at its next start.")
    return DONE
