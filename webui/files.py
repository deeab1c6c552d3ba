"""Style sheet and scripts: read once, with a digest in their address, cached by browsers for good."""

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
# A static import; one that is loaded on demand, import("…"), does not count.
_IMPORT = re.compile(r'^import .* from "\./([\w-]+\.js)";$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file as it is served."""

    content: bytes
    packed: bytes  # gzip
    media_type: str


class Files:
    """All files.  ``prefix`` is their folder in the address space; it differs for each version."""

    def __init__(self) -> None:
        self._files: dict[str, ServedFile] = {}
        digest = hashlib.sha256()
        for path in sorted(FOLDER.iterdir()):
            if path.suffix in _TYPES:
                content = path.read_bytes()
                digest.update(content)
                self._files[path.name] = ServedFile(
                    content, gzip.compress(content, mtime=0), _TYPES[path.suffix]
                )
        self.prefix = f"/static/{digest.hexdigest()[:12]}"

    def get(self, name: str) -> ServedFile | None:
        """The file of this name; None when there is none."""
        return self._files.get(name)

    def imports(self, name: str) -> frozenset[str]:
        """The modules that a script imports, directly or indirectly.  Raises KeyError."""
        found: set[str] = set()
        ahead = {name}
        while ahead:
            module = ahead.pop()
            named = set(_IMPORT.findall(self._files[module].content.decode()))
            ahead |= named - found
            found |= named
        return frozenset(found)


FILES = Files()
