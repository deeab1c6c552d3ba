"""Where the server of a running box listens: a file in the data folder, for programs on the same machine."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from appliance import durable

FILE_NAME = "http.json"
# The header ``Server`` of each of its answers.
SERVER_NAME = "faxbox"
# RFC 9110 4.2: the port where an address has none.
_PORTS = {"http": 80, "https": 443}
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """The server's URL and, when it is encrypted, its certificate (PEM).

    Raises ValueError for a URL that is none of a server.
    """

    url: str
    certificate: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(str(self.url))
        if parts.scheme not in _PORTS or parts.port == 0:  # a port that is none raises ValueError
            raise ValueError(f"not an address of a server: {self.url}")

    @property
    def is_encrypted(self) -> bool:
        """Whether it is served by TLS."""
        return urlsplit(self.url).scheme == "https"

    @property
    def host(self) -> str:
        """Where this machine reaches it."""
        host = urlsplit(self.url).hostname or "127.0.0.1"
        return _ANY_ADDRESS.get(host, host)

    @property
    def port(self) -> int:
        """The TCP port."""
        parts = urlsplit(self.url)
        return parts.port or _PORTS[parts.scheme]


def tell(data: Path, address: OwnAddress) -> None:
    """Writes the file.  Raises OSError."""
    durable.write_file(data / FILE_NAME, json.dumps(asdict(address)).encode())


def read(data: Path) -> OwnAddress | None:
    """The address of the box that runs on folder ``data``; None when none runs, or the file is damaged."""
    try:
        return OwnAddress(**json.loads((data / FILE_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def forget(data: Path) -> None:
    """Removes the file.  Raises OSError."""
    (data / FILE_NAME).unlink(missing_ok=True)
