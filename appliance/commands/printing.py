"""``faxbox printing``: sets up the CUPS queues that print to fax, removes them, shows their state."""

from __future__ import annotations

import argparse
from pathlib import Path

from appliance.configuration import open_settings
from appliance.daemon.arguments import EXIT_UNUSABLE, add_data_argument, bounded, complain, data_folder
from appliance.net import own_address
from appliance.net.settings import HttpSettings
from appliance.printing import queues
from appliance.printing.cups_backend import DEFAULT_FOLDER
from appliance.printing.settings import PrintingSettings
from appliance.settings.fields import SettingError
from appliance.settings.files import SettingsDamagedError
from appliance.settings.store import SettingsStore


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``printing`` to the command's words."""
    parser = words.add_parser("printing", help="set up the printer queues Fax and FaxOut in CUPS")
    actions = parser.add_subparsers(dest="action", required=True)
    for name, text in (
        ("install", "put CUPS' backend and both queues in place; again changes nothing"),
        ("remove", "take them away"),
        ("status", "whether they are in place"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument(
            "--backends",
            type=Path,
            default=queues.BACKEND_FOLDER,
            metavar="DIR",
            help=f"CUPS' folder of backends (default {queues.BACKEND_FOLDER})",
        )
        add_data_argument(action)
    announcing = actions.add_parser(
        "announce", help="write avahi-daemon's records of the network printers; again after a change"
    )
    announcing.add_argument("--services", type=Path, metavar="DIR", help="avahi-daemon's folder of services")
    announcing.add_argument(
        "--port",
        type=bounded(int, 1, 65535),
        help="where computers reach the box (default: where it listens)",
    )
    add_data_argument(announcing)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """``faxbox printing``; the exit code."""
    try:
        store = open_settings(data_folder(arguments))
        if arguments.action == "announce":
            return _announce(store, arguments)
        folder = Path(store.section(PrintingSettings).folder or DEFAULT_FOLDER)
        if arguments.action == "install":
            queues.install(folder, arguments.backends)
            print("The queues Fax and FaxOut are in place.")
            return 0
        if arguments.action == "remove":
            queues.remove(arguments.backends)
            print("The queues Fax and FaxOut are gone.")
            return 0
        ready, lines = queues.status(folder, arguments.backends)
        print("\n".join(lines))
        return 0 if ready else 1
    except (queues.PrintingError, SettingError, SettingsDamagedError, OSError) as error:
        return complain(str(error), EXIT_UNUSABLE)


def _announce(store: SettingsStore, arguments: argparse.Namespace) -> int:
    """Raises OSError, PrintingError."""
    from appliance.api.ipp import announcing  # noqa: PLC0415 (as much as the whole box: the other words need it not)

    encrypted = bool(store.section(HttpSettings).tls_certificate)
    port = arguments.port or _listens_at(data_folder(arguments))
    records = announcing.records(store, port, encrypted=encrypted)
    announcing.announce(arguments.services or announcing.SERVICES_FOLDER, records)
    print("\n".join(records) or "The network printers are off (ipp.access): nothing is announced.")
    return 0


def _listens_at(data: Path) -> int:
    """The HTTP port of the box that runs, or ran last.  Raises PrintingError."""
    address = own_address.read(data)
    if address is None:
        raise queues.PrintingError("the box has not run yet: say --port")
    return address.port
