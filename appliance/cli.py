"""The command ``faxbox`` and its subcommands."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from appliance import __version__

# Each subcommand with the module that adds it.  Only the module of the given one is loaded, because the box
# and its panel run for months and would keep in memory what only others need.
_WORDS = {
    **{
        word: f"appliance.commands.{word}"
        for word in ("send", "practice", "check", "demo", "doctor", "panel", "printing", "spool", "erase")
    },
    **dict.fromkeys(("list", "show", "inbox", "cancel", "resend", "tail"), "appliance.commands.faxes"),
    **{word: f"appliance.commands.{word}" for word in ("config", "key", "certificate")},
    "setup-code": "appliance.commands.setup_code",
    "serve": "appliance.daemon.serving",
    **dict.fromkeys(("backup", "restore"), "appliance.commands.backup"),
    **{word: f"appliance.commands.{word}" for word in ("user", "line", "update")},
    "disk-lock": "appliance.commands.disk_lock",
    "hardware-test": "appliance.commands.hardware_test",
    **{word: f"appliance.commands.{word}" for word in ("version", "completion")},
}
# This one needs the modules of all others.
_ALL_WORDS = "completion"


class _Words(argparse._SubParsersAction):  # type: ignore[type-arg]  # no generic class when it runs
    """Subcommands whose own help begins with the sentence that the list of them has."""

    def add_parser(self, name: str, **more: Any) -> Any:
        sentence = str(more.get("help") or "")
        more.setdefault("description", sentence[:1].upper() + sentence[1:] + "." if sentence else None)
        return super().add_parser(name, **more)


class CommandLine(argparse.ArgumentParser):
    """A parser, and those of its subcommands, that names the most similar word for a mistyped one."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.register("action", "parsers", _Words)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        words = [str(word) for word in action.choices or ()]
        if words and value not in words:
            import difflib  # noqa: PLC0415 (for a mistake alone)

            for near in difflib.get_close_matches(str(value), words, 1):
                raise argparse.ArgumentError(action, f"there is no {value!r}; did you mean {near}?")
        super()._check_value(action, value)


# Subcommands whose files other users may read: received faxes in folders, files for CUPS.
_FOR_OTHERS = frozenset({"serve", "printing"})


# As a shell tells of a program that SIGPIPE ended.
_OUTPUT_CLOSED = 128 + signal.SIGPIPE


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the process's exit code.  ``arguments`` are the process's own when None."""
    parser = CommandLine(prog="faxbox", description="A fax machine for people who have no fax machine.")
    parser.add_argument("--version", action="version", version=f"faxbox {__version__}")
    words = parser.add_subparsers(title="words", required=True, metavar="WORD")
    given = sys.argv[1:] if arguments is None else list(arguments)
    for module in _modules_for(given[0] if given else ""):
        importlib.import_module(module).register(words)
    parsed = parser.parse_args(given)
    if given[0] not in _FOR_OTHERS:
        os.umask(0o077)  # faxes, settings, backups and bundles are for this user only
    # Shows each line at once, even if the output is a pipe.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(line_buffering=True)
    try:
        code: int = parsed.run(parsed)
    except BrokenPipeError:
        if given[0] in _FOR_OTHERS:
            raise
        # Whoever reads the output has enough of it (faxbox list | head).  Python flushes once more at
        # the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _OUTPUT_CLOSED
    return code


def _modules_for(word: str) -> tuple[str, ...]:
    """The module of this subcommand; for an unknown one all, so that help and error message name every
    subcommand.
    """
    return (_WORDS[word],) if word in _WORDS and word != _ALL_WORDS else tuple(dict.fromkeys(_WORDS.values()))


if __name__ == "__main__":
    sys.exit(main())
