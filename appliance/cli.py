"""The command ``faxbox``: one word for each thing it does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from appliance import __version__
from appliance.commands import (
    check,
    demo,
    doctor,
    erase,
    panel,
    practice,
    printing,
    send,
    spool,
    version,
)
from appliance.daemon import commands as daemon


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the process's exit code.  ``arguments`` are the process's own when None."""
    parser = argparse.ArgumentParser(
        prog="faxbox", description="A fax machine for people who have no fax machine."
    )
    parser.add_argument("--version", action="version", version=f"faxbox {__version__}")
    words = parser.add_subparsers(title="words", required=True, metavar="WORD")
    for word in (send, practice, check, demo, doctor, panel, printing, spool, erase, daemon, version):
        word.register(words)
    parsed = parser.parse_args(arguments)
    # Lines appear as they happen also when the output is a pipe.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(line_buffering=True)
    code: int = parsed.run(parsed)
    return code


if __name__ == "__main__":
    sys.exit(main())
