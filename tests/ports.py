"""Free ports for servers that need a fixed port at their start."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Where to look: above the fixed ports of what is tested (SIP 5060, media 4000 to 4999, T.38 examples 6004).
_FIRST, _LAST = 10_000, 65_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES = 2_000

_chance = random.Random()  # its own: tests that seed the common one would all get the same ports
_taken: set[int] = set()
# The octet at a port's number is locked by the process that asked for it, as long as that lives (fcntl(2)).
_locks = (Path(tempfile.gettempdir()) / f"faxbox-test-ports-{os.getuid()}").open("wb")


def free_port() -> int:
    """A port that is free with UDP and TCP, and stays so until something takes it on purpose."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first of ``count`` free ports in a row.

    None is an ephemeral one, which the system could give to anybody at any time, and nobody else who
    asks here gets it as long as this process lives.
    """
    low, high = map(int, _EPHEMERAL.read_text().split())
    for _ in range(_TRIES):
        first = _chance.randrange(_FIRST, _LAST - count)
        row = range(first, first + count)
        if not _taken.isdisjoint(row) or (row[-1] >= low and first <= high):
            continue
        with contextlib.suppress(OSError):
            for port in row:
                fcntl.lockf(_locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
                _try(port)
            _taken.update(row)
            return first
    raise RuntimeError(f"no {count} free ports in a row")


def is_bound(port: int) -> bool:
    """Whether some process of this machine has this UDP port."""
    for table in ("udp", "udp6"):
        with contextlib.suppress(FileNotFoundError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                if int(line.split()[1].rpartition(":")[2], 16) == port:
                    return True
    return False


def _try(port: int) -> None:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("", port))
