"""``faxbox disk-lock``: encryption of the image's data; mostly called by the image's systemd units."""

from __future__ import annotations

import argparse
import os

from appliance.api.tls import FOLDER, stand_in
from appliance.daemon.arguments import complain, read_secret
from appliance.disk_lock import owner, root
from appliance.disk_lock.lock_file import LockFileError, OpenedBy, WrongKeyError
from appliance.disk_lock.owner import LockStep, Reason

DONE, REFUSED, USAGE = 0, 1, 2


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``disk-lock`` to the command's words."""
    parser = words.add_parser("disk-lock", help="encryption of what the image keeps on its disk")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("status", help="whether the disk is encrypted, and what opens it")
    actions.add_parser("open", help="open it with its passphrase, as the web page does at the start")
    actions.add_parser("start", help="for the unit that runs before the services")
    actions.add_parser("stick", help="for the rule that a plugged-in stick triggers")
    actions.add_parser("opened", help="for the unit that starts what has waited")
    actions.add_parser("carry-out", help="for the unit that does what the web page was told")
    parser.set_defaults(run=disk_lock)


def disk_lock(arguments: argparse.Namespace) -> int:
    """``faxbox disk-lock`` with its parsed arguments; the exit code."""
    if not owner.is_image():
        return complain(
            "This machine was not made from the image; an encrypted disk (LUKS) serves it better", USAGE
        )
    if arguments.action == "status":
        return _status()
    if os.geteuid() != 0:
        return complain("only root may do that", USAGE)
    try:
        match arguments.action:
            case "open":
                return _open()
            case "start":
                if not root.start():
                    print("The disk is encrypted: it waits for its passphrase or its stick.")
            case "stick":
                root.stick_plugged_in()
            case "opened":
                root.disk_opened()
            case "carry-out":
                _carry_out()
    except LockFileError as error:
        return complain(str(error), USAGE)
    return DONE


def _carry_out() -> None:
    try:
        request = owner.take_request()
    except ValueError as error:
        owner.tell(LockStep.FAILED, Reason.FAULT, str(error))
        return
    if request is not None:
        stand_in(owner.FOLDER / FOLDER)  # of the page that takes the passphrase
        root.carry_out(request)


def _status() -> int:
    state = owner.state()
    if state.opened_by is None:
        print("The disk is not encrypted.")
    else:
        by = "a passphrase" if state.opened_by is OpenedBy.PASSPHRASE else "a USB stick"
        print(f"The disk is encrypted and opened by {by}; it is {'locked' if owner.locked() else 'open'}.")
    return DONE


def _open() -> int:
    if not owner.locked():
        print("The disk is open.")
        return DONE
    try:
        owner.open_with(read_secret("Passphrase: ").encode())
    except WrongKeyError:
        return complain("this is not the passphrase", REFUSED)
    root.disk_opened()
    return DONE
