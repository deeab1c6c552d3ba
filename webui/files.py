"""Style sheet and scripts: read once, named by what is in them, kept by browsers for good."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# A module that is needed at once; one that is imported on demand, import("…"), is not.
_IMPORT = re.compile(r'^import .* from "\./([\w-]+\.js)";$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    packed: bytes  # gzip
    media_type: str


class Files:
    """All of them.  ``prefix`` is their folder in the address space; another version has another one."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        digest = hashlib.sha256()
        for path in sorted(FOLDER.iterdir()):
            if path.suffix in _TYPES:
                content = path.read_bytes()
                digest.update(content)
                self._files[path.name] = File(content, gzip.compress(content, mtime=0), _TYPES[path.suffix])
        self.prefix = f"/static/{digest.hexdigest()[:12]}"

    def get(self, name: str) -> File | None:
        return self._files.get(name)

    def imports(self, name: str) -> frozenset[str]:
        """The modules that a script needs, those that they need included.  Raises KeyError."""
        found: set[str] = set()
        ahead = {name}
        while ahead:
            module = ahead.pop()
            named = set(_IMPORT.findall(self._files[module].content.decode()))
            ahead |= named - found
            found |= named
        return frozenset(found)


FILES = Files()
