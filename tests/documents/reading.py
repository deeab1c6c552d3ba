"""Whether a page has given words on it, read by tesseract."""

from __future__ import annotations

import io
import subprocess

from PIL import Image

from tests.documents.making import need

_READ: dict[bytes, str] = {}  # what was read of a page: several words are looked for on each


def read(page: Image.Image) -> str:
    """The words of ``page`` (0 black, 300 dpi), blanks and lines as one blank."""
    pixels = page.tobytes()
    if pixels not in _READ:
        file = io.BytesIO()
        page.convert("L").save(file, "PNG", dpi=(300, 300), compress_level=1)
        command = [need("tesseract"), "-", "-", "--psm", "4"]
        done = subprocess.run(command, input=file.getvalue(), check=True, capture_output=True, timeout=120)
        _READ[pixels] = " ".join(done.stdout.decode().split())
    return _READ[pixels]


def says(page: Image.Image, words: str) -> bool:
    return words in read(page)
