"""The subcommand ``serve``: starts the exchange, then the box.

The exchange is forked before the box's own modules are imported, so that they take no memory there.
"""

from __future__ import annotations

import argparse
import logging
import resource

from appliance import durable, limited
from appliance.daemon.arguments import EXIT_UNUSABLE, SYSTEMD, add_data_argument, complain, data_folder
from appliance.exchange import launching

DEFAULT_HTTP = "127.0.0.1:8080"


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``serve`` to the command's words."""
    serve = words.add_parser("serve", help="run the whole box in the foreground")
    add_data_argument(serve)
    serve.add_argument(
        "--http",
        metavar="HOST:PORT",
        default=DEFAULT_HTTP,
        help=f"where the web pages and interfaces listen (default {DEFAULT_HTTP}); {SYSTEMD}: on the sockets "
        "that systemd opened",
    )
    serve.add_argument("--verbose", action="store_true", help="say more about what happens")
    serve.set_defaults(run=serve_command)


def serve_command(arguments: argparse.Namespace) -> int:
    """Runs the box until SIGTERM or SIGINT; the exit code."""
    data = data_folder(arguments, may_be_new=True)
    durable.keep_private()
    limited.lower(resource.RLIMIT_CORE, 0)  # a core dump would contain pages, passwords and the key
    level = logging.DEBUG if arguments.verbose else logging.INFO
    try:
        launched = launching.fork(level)
    except OSError as error:
        return complain(f"the program that carries the calls cannot be started: {error}", EXIT_UNUSABLE)
    from appliance.daemon.box_process import serve  # noqa: PLC0415 - see above

    return serve(data, arguments.http, level, launched)
