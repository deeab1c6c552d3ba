"""``faxbox version``: prints the build and the versions of what it runs on."""

from __future__ import annotations

import argparse
import json

from appliance.doctor.versions import versions


def register(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``version`` to the command's words."""
    parser = words.add_parser("version", help="which build this is, and what it runs on")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """``faxbox version`` with its parsed arguments; the exit code."""
    found = versions()
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(f"{name:<10} {version}" for name, version in found.items()))
    return 0
