"""efax (Debian package efax), an independent class-1 DTE, on a soft modem's port."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

from appliance.t4.coding import encode
from appliance.t4.page import Coding, Raster

EFAX = shutil.which("efax")


# efax puts blank rows in front of each page it sends, and its header into them and the image's first
# rows; a blank header leaves only the former.
BLANK_ROWS = 20


def write_pages(directory: Path, pages: list[Raster]) -> list[Path]:
    """One G3 TIFF a page, the only kind efax sends as it is.

    efax reads from the strip to the end of the file, so the strip comes last and ends with RTC.
    """
    paths = []
    for number, page in enumerate(pages, 1):
        data = encode(page, Coding.MH).data
        entries = {
            256: page.width,
            257: page.rows,
            258: 1,
            259: 3,
            262: 0,
            266: 1,
            273: 0,
            277: 1,
            278: page.rows,
            279: len(data),
            282: 0,
            283: 0,
            292: 0,
            296: 2,
        }
        behind = 8 + 2 + 12 * len(entries) + 4
        entries[282], entries[283], entries[273] = behind, behind + 8, behind + 16
        ifd = struct.pack("<H", len(entries))
        for tag, value in entries.items():
            ifd += struct.pack("<HHII", tag, 5 if tag in (282, 283) else 4, 1, value)
        ratios = struct.pack("<IIII", page.resolution.x_dpi, 1, page.resolution.y_dpi, 1)
        path = directory / f"efax-{number}.tif"
        path.write_bytes(b"II*\0" + struct.pack("<I", 8) + ifd + bytes(4) + ratios + data)
        paths.append(path)
    return paths


def start_sending(
    port: str, number: str, pages: list[Path], log: Path, *, rate: int = 5
) -> subprocess.Popen[bytes]:
    """Dials and sends.  ``rate``: 1 is 4800, 3 is 9600, 5 is 14400 bit/s."""
    return _start(port, log, rate, ["-t", f"T{number}", *map(str, pages)])


def start_receiving(port: str, prefix: Path, log: Path, *, rate: int = 5) -> subprocess.Popen[bytes]:
    """Answers at once; pages become ``prefix``.001 and so on."""
    return _start(port, log, rate, ["-r", str(prefix)])


def _start(port: str, log: Path, rate: int, rest: list[str]) -> subprocess.Popen[bytes]:
    assert EFAX is not None
    with log.open("wb") as out:
        return subprocess.Popen(
            [
                EFAX,
                "-d",
                port,
                "-o1",
                "-v",
                "ewinchmrt",
                "-l",
                "+49 30 77",
                "-h",
                " ",
                "-c",
                f"1,{rate},0,2,0,0,0,0",
                *rest,
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=log.parent,
        )
