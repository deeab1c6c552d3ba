"""The build and the versions of what it runs on."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path

import appliance

# Written by the package's build (image-build/deb/build.sh); a checkout has none.
BUILD_FILE = Path(appliance.__file__).with_name("build.txt")
_LIBRARIES = ("pjsua2", "pypdfium2", "pillow", "cheroot")


def build() -> str:
    """The version of the package, with the number of commits; of a checkout the project's version."""
    try:
        return BUILD_FILE.read_text(encoding="ascii").strip()
    except OSError:
        return f"{appliance.__version__} (checkout)"


def versions() -> dict[str, str]:
    """Versions by name: this build and what it runs on."""
    found = {"faxbox": build(), "python": platform.python_version(), "system": platform.platform()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "missing"
    return found
