"""The lock has each dependency with a hash, in an allowed version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[1]
LOCK = (PROJECT / "image-build/requirements.lock").read_text()
_PROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
# The box reads barcodes wherever it is installed as a package.
DEPENDENCIES = [*_PROJECT["dependencies"], *_PROJECT["optional-dependencies"]["codes"]]
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)((?:.*\\\n.*--hash.*)+)", re.MULTILINE)


def _plain(name: str) -> str:
    """PEP 503: how names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


PINNED = {_plain(name): (version, hashes) for name, version, hashes in _PINNED.findall(LOCK)}


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_each_dependency_is_locked_in_a_version_that_is_allowed(dependency: str) -> None:
    wanted = Requirement(dependency)
    assert _plain(wanted.name) in PINNED, "make lock"
    version, hashes = PINNED[_plain(wanted.name)]
    assert wanted.specifier.contains(version, prereleases=True), "make lock"
    assert "--hash=sha256:" in hashes
