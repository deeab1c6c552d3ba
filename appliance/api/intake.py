"""Documents on their way into the box: uploads, base64, URLs; each is stored durably and checked at once.

Every function stores through ``Box.store_file`` and returns ``StoredUpload``; when the request is refused
later, ``discard`` deletes its files.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import unquote

import multipart

from appliance.api import request
from appliance.api.causes import MEDIA_TYPE_UNSUPPORTED, REQUEST_INVALID, REQUEST_TOO_LARGE
from appliance.api.context import CONTENT_WAIT_S, Context
from appliance.api.problems import ProblemError, too_many
from appliance.documents.causes import DOCUMENT_TOO_LARGE
from appliance.documents.sniff import sniff
from appliance.documents.text.plain import whole_characters
from appliance.net import http
from appliance.services.causes import TOO_MANY_FILES
from appliance.settings.units import MB
from appliance.spool.model import SourceFile

# Octets of a file that are examined to tell its kind; the renderer, in its own process, sees all of it.
HEAD_OCTETS = 64 * 1024
# Characters of a form field that is no file, and the number of fields besides recipients.
FIELD_LIMIT = 64 * 1024
FIELDS = 64
NAME_LIMIT = 255
DEFAULT_NAME = "document"
MULTIPART_TYPE = "multipart/form-data"
# RFC 2046 5.1.1: at most 70 characters.
BOUNDARY_LIMIT = 70
# Values of Content-Transfer-Encoding that change nothing; RFC 7578 4.7 deprecates it.
_PLAIN = frozenset({"", "7bit", "8bit", "binary"})
# RFC 5987 3.2.1, whose charsets are these two.
_EXTENDED_NAME = re.compile(r""";\s*filename\*\s*=\s*"?(utf-8|iso-8859-1)'[^']*'([^\s;"]+)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """A stored file and the SHA-256 of its content."""

    file: SourceFile
    digest: str


@dataclass(slots=True)
class Form:
    """A form with files: each field's values in order, and the files with their fields' names."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: list[tuple[str, StoredUpload]] = field(default_factory=list)

    def first(self, name: str) -> str:
        """The field's first value, empty when it has none."""
        return self.fields.get(name, [""])[0]


def clean_name(name: str) -> str:
    """The file name given by the client, without folders and control characters, never empty."""
    last = name.replace("\\", "/").rpartition("/")[2]
    printable = "".join(letter for letter in last if letter.isprintable() and not _is_surrogate(letter))
    return printable.strip()[:NAME_LIMIT] or DEFAULT_NAME


def store(
    context: Context,
    content: bytes | Iterable[bytes],
    *,
    name: str,
    media_type: str,
    pages: tuple[str, ...] = (),
    limit: int | None = None,
    any_kind: bool = False,
) -> StoredUpload:
    """Stores a file that came in.  ``any_kind``: also one that cannot be faxed.

    Raises ProblemError (DOCUMENT_TOO_LARGE), DocumentError for an empty file or a kind that cannot be
    faxed, DiskFullError; then nothing is kept.
    """
    digest = hashlib.sha256()
    head = bytearray()
    whole = 0

    def watched() -> Iterator[bytes]:
        nonlocal whole
        for piece in (content,) if isinstance(content, bytes) else content:
            digest.update(piece)
            whole += len(piece)
            if limit is not None and whole > limit:
                raise ProblemError(DOCUMENT_TOO_LARGE, f"at most {limit / MB:g} MB")
            if len(head) < HEAD_OCTETS:
                head.extend(piece[: HEAD_OCTETS - len(head)])
            yield piece

    file = context.box.documents.store_file(
        watched(), name=clean_name(name), media_type=request.clean_media_type(media_type), pages=pages
    )
    if not any_kind:
        with discarded_on_error(context, [file]):
            start = bytes(head) if whole <= HEAD_OCTETS else whole_characters(bytes(head))
            sniff(start, file.name, file.media_type)
    return StoredUpload(file, digest.hexdigest())


def store_base64(
    context: Context, text: str, *, name: str, media_type: str = "", pages: tuple[str, ...] = ()
) -> StoredUpload:
    """Stores a file that came as base64 (RFC 4648 4 or 5, line breaks allowed).  Raises as ``store``."""
    try:
        compact = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
        content = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ProblemError(REQUEST_INVALID, f"the content of {clean_name(name)} is not base64") from None
    return store(context, content, name=name, media_type=media_type, pages=pages)


def store_url(context: Context, url: str, *, name: str = "", pages: tuple[str, ...] = ()) -> StoredUpload:
    """Fetches a document and stores it.  Raises FetchError, and as ``store``."""
    settings = context.settings
    limit = settings.request_mb * MB
    with context.content.of(limit, CONTENT_WAIT_S):
        fetched = http.fetch(
            url,
            limit_octets=limit,
            timeout_s=settings.fetch_s,
            allow_private=settings.private_urls,
            halt=context.halt,
        )
        return store(
            context, fetched.content, name=name or fetched.name, media_type=fetched.media_type, pages=pages
        )


def store_content(context: Context, environ: request.Environ, *, name: str) -> StoredUpload:
    """Stores a request's whole content as a file.  Raises as ``store`` and ``request.pieces``."""
    limit = context.settings.request_mb * MB
    return store(
        context, request.pieces(environ, limit), name=name, media_type=str(environ.get("CONTENT_TYPE", ""))
    )


def discard(context: Context, files: Iterable[SourceFile | StoredUpload]) -> None:
    """Deletes stored files of a request that was refused."""
    context.box.documents.discard_files(
        file.file if isinstance(file, StoredUpload) else file for file in files
    )


@contextlib.contextmanager
def discarded_on_error(context: Context, files: Sequence[SourceFile | StoredUpload]) -> Iterator[None]:
    """Deletes the files, those added meanwhile too, if the request is refused here."""
    try:
        yield
    except BaseException:
        discard(context, files)
        raise


def read_multipart(
    context: Context,
    environ: request.Environ,
    *,
    limit: int | None = None,
    most_files: int | None = None,
    any_kind: bool = False,
) -> Form:
    """Reads a form with files; each file goes straight to the disk.

    ``limit`` (octets) and ``most_files``: as the settings say when None.  ``any_kind``: also files that
    cannot be faxed.

    Raises ProblemError, and as ``store``; then none of its files is kept.
    """
    reader = _FormReader(context, environ, limit, most_files, any_kind)
    try:
        return reader.read()
    except BaseException:
        discard(context, [taken for _, taken in reader.form.files])
        raise


class _FormReader:
    """Turns the parser's events into fields and stored files."""

    def __init__(
        self,
        context: Context,
        environ: request.Environ,
        limit: int | None,
        most_files: int | None,
        any_kind: bool,
    ) -> None:
        self.form = Form()
        self._any_kind = any_kind
        self._context = context
        self._environ = environ
        settings = context.settings
        self._most_files = settings.files_per_fax if most_files is None else most_files
        self._most_parts = FIELDS + settings.recipients_per_fax + settings.files_per_fax + 1
        self._limit = settings.request_mb * MB if limit is None else limit
        self._events = self._parse(_boundary(environ))

    def read(self) -> Form:
        try:
            for event in self._events:
                assert isinstance(event, multipart.MultipartSegment)
                self._take(event)
        except multipart.MultipartError as error:
            raise ProblemError(REQUEST_INVALID, f"the form is damaged: {error}") from None
        return self.form

    def _parse(self, boundary: str) -> Iterator[Any]:
        # Without strict: what other clients do and the RFC would not is taken, as everywhere.  At its
        # end the parser complains about a form without one.
        with multipart.PushMultipartParser(boundary, max_segment_count=self._most_parts) as parser:
            for piece in request.pieces(self._environ, self._limit):
                yield from parser.parse(piece)

    def _content(self) -> Iterator[bytes]:
        """What follows of the present part."""
        for event in self._events:
            if event is None:
                return
            yield bytes(event)

    def _take(self, part: Any) -> None:
        name = request.check_text(part.name or "")
        encoding = part.header("Content-Transfer-Encoding", "").lower()
        if encoding not in _PLAIN:
            problem = f"the part {name[:64]!r} is encoded ({encoding[:20]}): send its octets as they are"
            raise ProblemError(REQUEST_INVALID, problem)
        filename = _file_name(part)
        if filename is None:
            text = self._text(name)
            self.form.fields.setdefault(name, []).append(text)
            return
        content = self._content()
        first = next(content, b"")
        if not filename and not first:
            return  # a browser's field for a file that nobody chose
        if len(self.form.files) >= self._most_files:
            raise too_many(TOO_MANY_FILES, "files", self._most_files)
        taken = store(
            self._context,
            itertools.chain((first,), content),
            name=filename,
            media_type=part.header("Content-Type", ""),
            any_kind=self._any_kind,
        )
        self.form.files.append((name, taken))

    def _text(self, name: str) -> str:
        raw = bytearray()
        for piece in self._content():
            raw += piece
            if len(raw) > FIELD_LIMIT:
                raise ProblemError(REQUEST_TOO_LARGE, f"the field {name[:64]!r} has more than {FIELD_LIMIT}")
        try:
            return request.check_text(raw.decode())
        except UnicodeDecodeError:
            raise ProblemError(REQUEST_INVALID, f"the field {name[:64]!r} is not UTF-8") from None


def _file_name(part: Any) -> str | None:
    """The name of a file in a form; None when the part is a field.

    RFC 7578 4.2 forbids the form of RFC 5987, which clients write nevertheless for names beyond ASCII.
    """
    extended = _EXTENDED_NAME.search(part.header("Content-Disposition", ""))
    if extended is None:
        filename: str | None = part.filename
        return filename
    return unquote(extended[2], extended[1], "replace")


def _boundary(environ: request.Environ) -> str:
    header = Message()
    header["Content-Type"] = str(environ.get("CONTENT_TYPE", "")).replace("\r", " ").replace("\n", " ")
    boundary = header.get_param("boundary")
    if header.get_content_type() != MULTIPART_TYPE:
        raise ProblemError(MEDIA_TYPE_UNSUPPORTED, f"{MULTIPART_TYPE} is needed")
    if not isinstance(boundary, str) or not boundary.isascii() or not 0 < len(boundary) <= BOUNDARY_LIMIT:
        raise ProblemError(REQUEST_INVALID, "the form has no usable boundary")
    return boundary


def sources(files: Sequence[StoredUpload]) -> tuple[SourceFile, ...]:
    """The stored files, as a request to the box names them."""
    return tuple(taken.file for taken in files)


def _is_surrogate(letter: str) -> bool:
    return "\ud800" <= letter <= "\udfff"
