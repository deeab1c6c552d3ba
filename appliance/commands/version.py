"""``faxbox version``: which build this is, and what it runs on."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
from pathlib import Path

import appliance

# The package's build writes it (image-build/deb/build.sh); a checkout has none.
BUILD_FILE = Path(appliance.__file__).with_name("build.txt")
_LIBRARIES = ("pjsua2", "pypdfium2", "pillow", "cheroot")


def build() -> str:
    """The version and how many commits are behind it, as the package is called; of a checkout its own."""
    try:
        return BUILD_FILE.read_text(encoding="ascii").strip()
    except OSError:
        return f"{appliance.__version__} (checkout)"


def versions() -> dict[str, str]:
    """This build and what it runs on, by name."""
    found = {"faxbox": build(), "python": platform.python_version(), "system": platform.platform()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


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
