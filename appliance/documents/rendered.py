"""A rendered document on disk: files of coded pages (MMR), and ``manifest.json``.

The manifest says where each page is and from which source it was made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from appliance import at_rest
from appliance.documents.geometry import PageSize
from appliance.documents.options import PLAIN, Look, RenderOptions, Source, options_from_json, options_to_json
from appliance.remarks import Remark, from_json, to_json
from appliance.t4.page import CodedPage, Coding, Resolution

MANIFEST = "manifest.json"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """Where page ``number`` (from 0) is stored, and the size of the page it was made from."""

    number: int
    file: str
    offset: int
    octets: int
    width: int
    rows: int
    size: PageSize
    source: int | None = None  # of ``sources``; None: the cover page
    source_page: int = 1


@dataclass(frozen=True, slots=True)
class RenderedDocument:
    """A rendered document on disk.  ``pages`` are some or all of the ``total`` pages of the fax.

    ``remarks`` say what is missing on those pages, or may look different.
    """

    directory: Path
    options: RenderOptions
    sources: tuple[Source, ...]
    total: int
    pages: tuple[RenderedPage, ...]
    remarks: tuple[Remark, ...] = ()

    @property
    def resolution(self) -> Resolution:
        """The resolution of its pages."""
        return self.options.format.resolution

    def coded_page(self, index: int) -> CodedPage:
        """Page ``index`` of ``pages`` as MMR.  Raises OSError when it cannot be read."""
        page = self.pages[index]
        with at_rest.open_file(self.directory / page.file) as file:
            file.seek(page.offset)
            data = file.read(page.octets)
        if len(data) != page.octets:
            raise OSError(f"{self.directory / page.file} ends within page {page.number + 1}")
        return CodedPage(Coding.MMR, self.resolution, page.width, page.rows, data)

    def coded_pages(self) -> Iterator[CodedPage]:
        """Every page, one at a time."""
        return (self.coded_page(index) for index in range(len(self.pages)))

    @classmethod
    def open(cls, directory: Path) -> RenderedDocument:
        """The document that `render` left in ``directory``.  Raises OSError or ValueError."""
        data = json.loads(at_rest.read_bytes(directory / MANIFEST))
        try:
            if data["version"] != _VERSION:
                raise ValueError(f"a manifest of version {data['version']}")
            return cls(
                directory,
                options_from_json(data["options"]),
                tuple(_source(s) for s in data["sources"]),
                data["total"],
                tuple(RenderedPage(**{**page, "size": PageSize(*page["size"])}) for page in data["pages"]),
                from_json(data.get("remarks", ())),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"{directory / MANIFEST} is damaged: {error!r}") from error

    def write_manifest(self, directory: Path) -> None:
        """Writes the manifest for pages that are in ``directory``."""
        data = {
            "version": _VERSION,
            "options": options_to_json(self.options),
            "sources": [
                {
                    "path": str(s.path),
                    "pages": s.pages,
                    "name": s.name,
                    "look": s.look.to_json(),
                    "media_type": s.media_type,
                }
                for s in self.sources
            ],
            "total": self.total,
            "pages": [{**asdict(p), "size": [p.size.width, p.size.height]} for p in self.pages],
            "remarks": to_json(self.remarks),
        }
        (directory / MANIFEST).write_text(json.dumps(data, indent=1), encoding="utf-8")


def _source(data: Mapping[str, Any]) -> Source:
    look = Look.from_json(data["look"]) if "look" in data else PLAIN
    return Source(Path(data["path"]), data["pages"], data["name"], look, data.get("media_type", ""))
