"""Reads fax pages with tesseract, which shares no code with the renderer."""

from __future__ import annotations

import subprocess
from pathlib import Path

from PIL import Image

from tests.documents.making import need


def words_on(page: Image.Image, scratch: Path, *, mode: int = 6) -> str:
    """The text that tesseract finds on ``page`` (0 black), in one line; ``mode`` is its page segmentation."""
    path = scratch / "read.png"
    page.resize((page.width * 2, page.height * 2)).save(path)
    command = [need("tesseract"), path, "-", "--psm", str(mode), "-l", "eng"]
    environment = {"OMP_THREAD_LIMIT": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, check=True, capture_output=True, timeout=120, env=environment)
    return " ".join(done.stdout.decode().split())
