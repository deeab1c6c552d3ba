"""Which build this is, and what it runs on."""

from __future__ import annotations

import importlib.metadata
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
