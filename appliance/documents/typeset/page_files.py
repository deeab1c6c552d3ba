"""Fetches for WeasyPrint the files of a page, which come with it; nothing else is ever fetched."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from PIL import Image
from weasyprint.urls import URLFetcher, URLFetcherResponse

from appliance.documents.file_part import FilePart, part_key
from appliance.documents.pictures.modes import is_damaged
from appliance.documents.text.plain import decode
from appliance.documents.typeset.drawings import drawable
from appliance.documents.typeset.styles import PIE, for_paper
from appliance.remarks import CONTENT_DAMAGED, MOVEMENT_LEFT_OUT, PART_LEFT_OUT, PICTURES_LEFT_OUT, Remark

# The first octets of a picture, within which it says whether it is animated.
_BEFORE_PIXELS = 4096
_DRAWING = re.compile(
    rb"(?:\xef\xbb\xbf)?\s{0,100}(?:<\?xml[^>]{0,300}>|<!--|<!DOCTYPE\s+svg|<svg)", re.IGNORECASE
)


class PageFiles(URLFetcher):  # type: ignore[misc]
    """Serves ``data:`` addresses and the accompanying parts; everything else does not exist."""

    def __init__(self, parts: Mapping[str, FilePart]) -> None:
        super().__init__(allowed_protocols=["data"])
        self._parts = parts
        self._remote: set[str] = set()
        self.lacks = False  # whether a requested file was missing
        self._pies = False  # whether there is a conic gradient
        self._moves = False  # whether a picture is animated
        self._damaged: set[str] = set()  # addresses of pictures
        self._drawings: dict[Remark, None] = {}

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        scheme, _, rest = url.partition(":")
        match scheme.lower():
            case "data":
                response = super().fetch(url, headers)
                content = response.read()
                self._look_at(url, content)
                return URLFetcherResponse(url, self._drawable(content), response.headers)
            case "cid" if (part := self._parts.get(part_key(rest))) is not None:
                self._look_at(url, part.content)
                content = self._drawable(part.content)
                if part.media_type == "text/css":
                    content = for_paper(decode(content)[0]).encode()
                return URLFetcherResponse(url, content, {"Content-Type": part.media_type})
            case scheme_ if scheme_ == PIE:
                self._pies = True
            case scheme_ if scheme_ != "cid":
                self._remote.add(url[:200])
        self.lacks = True
        raise ValueError("nothing is fetched")

    def remarks(self, lost: Collection[str]) -> Iterator[Remark]:
        """Remarks on what was not fetched, and on damaged or animated pictures other than those in
        ``lost``.
        """
        yield from self._drawings
        if self._remote:
            yield Remark(PICTURES_LEFT_OUT, detail=f"{len(self._remote)} addresses")
        if self._moves:
            yield Remark(MOVEMENT_LEFT_OUT)
        if self._pies:
            yield Remark(PART_LEFT_OUT, detail="colours around a centre, as those of a pie chart")
        damaged = self._damaged.difference(lost)
        if damaged:
            yield Remark(CONTENT_DAMAGED, detail=f"{len(damaged)} of the page's own pictures")

    def _drawable(self, picture: bytes) -> bytes:
        """A drawing changed so that it can be drawn; any other file as it is."""
        if not _DRAWING.match(picture):
            return picture
        made, remarks = drawable(picture)
        self._drawings.update(dict.fromkeys(remarks))
        return made

    def _look_at(self, url: str, picture: bytes) -> None:
        self._moves |= _is_animated(picture)
        if is_damaged(picture):
            self._damaged.add(url)
            with Image.open(io.BytesIO(picture)) as shown:
                shown.load()  # one that fails is lost here, and not the page with it


def _is_animated(picture: bytes) -> bool:
    """Whether a GIF (version 89a, 23), PNG (its APNG extension) or WebP has several pictures."""
    if picture.startswith(b"GIF8"):
        return picture.count(b"\x21\xf9\x04") > 1
    beginning = picture[:_BEFORE_PIXELS]
    return (picture.startswith(b"\x89PNG") and b"acTL" in beginning) or (
        beginning[8:12] == b"WEBP" and b"ANIM" in beginning
    )
