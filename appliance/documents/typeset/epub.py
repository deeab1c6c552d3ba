"""Electronic books (EPUB 3.3): web pages in a ZIP file, in the order of their spine.  Runs inside the worker
process only.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element, fromstring

from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_ENCRYPTED, DOCUMENT_TOO_MANY_PAGES
from appliance.documents.errors import DocumentError
from appliance.documents.file_part import FilePart, part_key
from appliance.documents.joined import DEEPEST, Joined, Opener, Opening
from appliance.documents.text.hypertext import as_html
from appliance.documents.text.plain import declared_charset, decode
from appliance.documents.typeset.source import TypesetSource, typeset_page
from appliance.documents.workshop import Workshop
from appliance.documents.zipped import read_entry, unzipped
from appliance.remarks import PAGES_MISSING, Remark

_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_STYLE = "text/css"
_PAGES = frozenset({"application/xhtml+xml", "text/html", "text/x-oeb1-document"})
# Fonts may be disguised; anything else that is encrypted needs a key (EPUB 3.3, 4.2.6.3.2 and 4.3).
_DISGUISES = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_LARGEST_LIST = 4 << 20  # octets of the container, the package document and the list of encrypted files
_DEEPEST_STYLES = 4  # style sheets that take in others
_MOST_CHAPTERS = 1000
# An address of another file, as pages and style sheets write it.
_ADDRESS = re.compile(
    r"""((?:(?<![\w-])(?:src|poster)|<link\b[^<>]{0,300}?\shref|<image\b[^<>]{0,300}?\s(?:xlink:)?href)\s*=\s*["']"""
    r"""|url\(\s*["']?|@import\s+["'])([^"'<>)]{1,500}?)(?=\s*["')])""",
    re.IGNORECASE,
)
_OF_NO_NAMESPACE = re.compile(r"\{[^}]*\}")


def open_epub(content: bytes, workshop: Workshop, open_source: Opener) -> Joined:
    """The pages of a book, each file of its spine beginning on a new one.

    Raises DocumentError: DOCUMENT_DAMAGED, DOCUMENT_ENCRYPTED, DOCUMENT_MEMORY, DOCUMENT_TOO_MANY_PAGES; that
    of its last file when none can be faxed.
    """
    if workshop.depth >= DEEPEST:
        raise DocumentError(DOCUMENT_DAMAGED, f"more than {DEEPEST} documents within each other")
    opening, most = Opening(workshop, open_source), workshop.limits.pages
    with unzipped(content) as archive:
        book = _Book(archive)
        for path in book.chapters():
            chapter, media_type = book.read(path), book.types.get(path, "")
            name = posixpath.basename(path)
            if not chapter:
                opening.left_out.append(Remark(PAGES_MISSING, detail=name))
            elif media_type in _PAGES:
                page, parts = book.page(chapter, path)
                opening.drawers.append(TypesetSource(typeset_page(page, workshop, parts)))
            else:
                opening.open_each([(chapter, name, media_type)])
            if sum(drawer.count for drawer in opening.drawers) > most:
                raise DocumentError(DOCUMENT_TOO_MANY_PAGES, f"a book of more than {most}")
    if not opening.drawers:
        said = opening.left_out[-1].words() if opening.left_out else "a book without a page"
        raise DocumentError(opening.refused, said)
    return Joined(opening.drawers, opening.left_out)


class _Book:
    """The files of a book; ``types``: what its manifest says of each."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Raises DocumentError: DOCUMENT_ENCRYPTED, and whatever is raised for a damaged list."""
        self._archive = archive
        self._there = {entry.filename: entry for entry in archive.infolist()}
        self.types: dict[str, str] = {}
        if any(method not in _DISGUISES for method in self._methods()):
            raise DocumentError(DOCUMENT_ENCRYPTED, "the book needs its reader's key")

    def read(self, path: str) -> bytes:
        """A file; empty when it is missing or damaged."""
        entry = self._there.get(path)
        return (entry and read_entry(self._archive, entry)) or b""

    def chapters(self) -> Iterator[str]:
        """The paths of the spine's files.  Raises DocumentError: DOCUMENT_TOO_MANY_PAGES."""
        package_at = next(
            (each.get("full-path", "") for each in self._list(_CONTAINER) if _named(each) == "rootfile"), ""
        )
        package, folder = self._list(package_at), posixpath.dirname(package_at)
        paths: dict[str, str] = {}
        for item in package:
            if _named(item) == "item":
                path = _path(folder, item.get("href", ""))
                paths[item.get("id", "")] = path
                self.types[path] = item.get("media-type", "")
        spine = [paths.get(each.get("idref", ""), "") for each in package if _named(each) == "itemref"]
        if len(spine) > _MOST_CHAPTERS:
            raise DocumentError(DOCUMENT_TOO_MANY_PAGES, f"a book of {len(spine)} files")
        yield from spine

    def page(self, chapter: bytes, path: str) -> tuple[str, dict[str, FilePart]]:
        """A page and the files that it shows, by their addresses in it."""
        parts: dict[str, FilePart] = {}
        text = as_html(decode(chapter, declared_charset(chapter) or "utf-8")[0])
        return self._with_parts(text, posixpath.dirname(path), parts, 0), parts

    def _with_parts(self, text: str, folder: str, parts: dict[str, FilePart], depth: int) -> str:
        """``text``, a page or a style sheet, with addresses under which its files are put into ``parts``."""

        def put(found: re.Match[str]) -> str:
            path = _path(folder, found[2].partition("#")[0])
            if path not in self._there or self.types.get(path, "") in _PAGES:
                return found[0]
            key = part_key(path)
            if key not in parts:
                content, media_type = self.read(path), self.types.get(path, "")
                parts[key] = FilePart(path, media_type, content)
                if media_type == _STYLE and depth < _DEEPEST_STYLES:
                    sheet = decode(content)[0]
                    sheet = self._with_parts(sheet, posixpath.dirname(path), parts, depth + 1)
                    parts[key] = FilePart(path, media_type, sheet.encode("utf-8", "replace"))
            return f"{found[1]}cid:{quote(path)}"

        return _ADDRESS.sub(put, text)

    def _methods(self) -> list[str]:
        """How files of the book are encrypted."""
        if _ENCRYPTION not in self._there:
            return []
        return [
            method.get("Algorithm", "")
            for data in self._list(_ENCRYPTION)
            if _named(data) == "EncryptedData"
            for method in data
            if _named(method) == "EncryptionMethod"
        ]

    def _list(self, path: str) -> list[Element]:
        """All elements of an XML file."""
        content = self.read(path)
        if not content or len(content) > _LARGEST_LIST:
            raise DocumentError(DOCUMENT_DAMAGED, f"{path or 'the list of files'} of {len(content)} octets")
        return list(fromstring(content).iter())


def _named(element: Element) -> str:
    return _OF_NO_NAMESPACE.sub("", str(element.tag))


def _path(folder: str, address: str) -> str:
    """The name in the archive of a file at ``address`` from a file in ``folder``."""
    return posixpath.normpath(posixpath.join(folder, unquote(address.strip())))
