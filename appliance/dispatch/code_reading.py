"""Barcodes and QR codes on a received page, by zxing-cpp, if that is installed.

Run as a program with the path of a page it prints their texts as a JSON list, so that decoding can run in a
process with limits.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

LIBRARY = "zxingcpp"
# Limits: codes of a page, and characters of one (the largest QR code has 4,296).
MOST_CODES = 20
LONGEST_CODE = 4_300
# A page with fewer rows an inch than this has pixels that are twice as high as wide.
_COARSE_DPI = 150
# Pixels of a page that are searched, after its rows were doubled: twice an A3 page at fine.
_MOST_PIXELS = 20_000_000


def is_there() -> bool:
    """Whether the library is installed."""
    return importlib.util.find_spec(LIBRARY) is not None


def codes_on(path: Path) -> list[str]:
    """The texts of the codes on a page.  Raises OSError or ValueError for a damaged file."""
    # Imported here so that only the process that reads a page loads them.
    import zxingcpp  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    with Image.open(path, formats=["TIFF"]) as image:
        page = image.crop((0, 0, image.width, min(image.height, _MOST_PIXELS // image.width // 2)))
        _, down = image.info.get("dpi", (0, 0))
    page = page.convert("L")
    if 0 < float(down) < _COARSE_DPI:
        page = page.resize((page.width, 2 * page.height))
    found = [code.text[:LONGEST_CODE] for code in zxingcpp.read_barcodes(page) if code.valid and code.text]
    return list(dict.fromkeys(found))[:MOST_CODES]


if __name__ == "__main__":
    json.dump(codes_on(Path(sys.argv[1])), sys.stdout)
