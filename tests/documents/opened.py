"""Reads the text of the pages made from a document with poppler's pdftotext."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import appliance.documents.typeset.typesetting  # noqa: F401 (imported before, as in the fork server)
from appliance.documents.labels import IN_ENGLISH, Labels
from appliance.documents.options import Limits, Paper
from appliance.documents.workers.sources import PageDrawer, open_source
from appliance.documents.workshop import Kept, Workshop
from appliance.remarks import Remark
from tests.documents.making import need, run


@dataclass(frozen=True)
class Opened:
    """``texts``: what each PDF that was made says, with its layout."""

    drawer: PageDrawer
    texts: tuple[str, ...]
    remarks: tuple[Remark, ...]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.texts).split())


def opened(
    folder: Path,
    content: bytes,
    name: str = "",
    media_type: str = "",
    labels: Labels = IN_ENGLISH,
    **limits: int,
) -> Opened:
    """Opens ``content`` as the worker does.  Raises DocumentError."""
    texts: list[str] = []
    with (folder / "typeset").open("w+b", buffering=0) as file:

        def report(key: str, kept: Kept) -> None:
            target = folder / "made.pdf"
            target.write_bytes(os.pread(file.fileno(), kept.octets, kept.offset))
            texts.append(run(need("pdftotext"), "-layout", target, "-").decode())

        bounds = Limits(**limits)
        workshop = Workshop(file.fileno(), folder, Paper.A4, bounds, known={}, report=report, labels=labels)
        drawer = open_source(content, name, media_type, workshop)
    pages = [None, *range(drawer.count)]
    return Opened(drawer, tuple(texts), tuple(each for page in pages for each in drawer.remarks(page)))
