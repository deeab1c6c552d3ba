"""The files of a request, from its form or its JSON, stored."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from appliance import at_rest
from appliance.api import intake
from appliance.api.context import Context
from appliance.api.intake import Form, StoredUpload
from appliance.api.problems import Flaw, problem_at, too_many
from appliance.api.rest.checking import flaw, invalid
from appliance.api.rest.routes import Call
from appliance.documents.errors import DocumentError
from appliance.language import said
from appliance.net.http import FetchError
from appliance.services.causes import TOO_MANY_FILES


def files_of(
    context: Context, given: Sequence[Mapping[str, Any]], form: Form | None, *, known: int = 0
) -> list[StoredUpload]:
    """All files of a request: those of its form, and those named by its JSON, which are stored now.

    ``known``: how many there already are.  Raises ProblemError when there are none, or more than a fax may
    have, and as ``store_files``; a form's files stay the form's then.
    """
    uploads = [taken for _, taken in form.files] if form is not None else []
    most = context.settings.files_per_fax
    if known + len(given) + len(uploads) > most:
        raise too_many(TOO_MANY_FILES, "files", most)
    stored = [*uploads, *store_files(context, given)]
    if not stored:
        raise flaw("files", said("a file is needed"))
    return stored


@contextlib.contextmanager
def form_with_one_file(call: Call, field: str, limit: int) -> Iterator[tuple[Form, BinaryIO]]:
    """The form of a request of at most ``limit`` octets, and the file in it, open; it is deleted afterwards.

    The file may be of any kind.  ``field`` is its name in the form.  Raises ProblemError, and as
    `intake.read_multipart`.
    """
    form = intake.read_multipart(call.context, call.environ, limit=limit, most_files=1, any_kind=True)
    try:
        call.require_still()
        if not form.files:
            raise flaw(field, said("a file is needed"))
        with at_rest.open_file(call.box.data / form.files[0][1].file.path) as file:
            yield form, file
    finally:
        intake.discard(call.context, [taken for _, taken in form.files])


def store_files(context: Context, given: Sequence[Mapping[str, Any]]) -> list[StoredUpload]:
    """Stores the files of a JSON request.  Raises ProblemError; then nothing is kept."""
    flaws = [
        Flaw(f"files[{position}]", said("either content or url is needed"))
        for position, file in enumerate(given)
        if ("content" in file) == ("url" in file)
    ]
    if flaws:
        raise invalid(*flaws)
    stored: list[StoredUpload] = []
    with intake.discarded_on_error(context, stored):
        for position, file in enumerate(given):
            stored.append(_store(context, file, f"files[{position}]"))
    return stored


def _store(context: Context, file: Mapping[str, Any], path: str) -> StoredUpload:
    pages = tuple(file.get("pages", ()))
    try:
        if "url" in file:
            return intake.store_url(context, file["url"], name=file.get("name", ""), pages=pages)
        return intake.store_base64(
            context,
            file["content"],
            name=file.get("name", ""),
            media_type=file.get("media_type", ""),
            pages=pages,
        )
    except (DocumentError, FetchError) as error:
        raise problem_at(error, path) from error
