"""``faxbox certificate``: a certificate of the box's own, for TLS."""

from __future__ import annotations

import argparse

from appliance.configuration import open_settings
from appliance.daemon.arguments import EXIT_USAGE, add_data_argument, complain, data_folder, settles


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``certificate`` to the command's words."""
    certificate = words.add_parser(
        "certificate", help="make a certificate of the box's own and use it for TLS"
    )
    certificate.add_argument("names", nargs="+", metavar="NAME", help="names and addresses of the box")
    add_data_argument(certificate)
    certificate.set_defaults(run=settles(run))


def run(arguments: argparse.Namespace) -> int:
    """Makes a key and a self-signed certificate, and sets them in the settings; the exit code."""
    from appliance.api.certificate import make  # noqa: PLC0415
    from appliance.api.tls import TlsError  # noqa: PLC0415

    data = data_folder(arguments)
    try:
        certificate = make(open_settings(data), data, arguments.names)
    except TlsError as error:
        return complain(str(error), EXIT_USAGE)
    print(
        f"The web pages and interfaces speak TLS now, with {certificate}.  Nobody else has signed it: "
        "browsers warn until they are told to trust it."
    )
    return 0
