"""What the doors of foreign styles share: one way of handling a request, worded by each style.

A style's door is a bottle application that passes everything to ``ForeignDoor.carry``: authentication,
rate limits, the content within its limits, the handler, and the style's wording of whatever is raised
on the way.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import bottle

from appliance.api import intake, page_export, request
from appliance.api.auth import Caller
from appliance.api.context import CONTENT_WAIT_S, LOOK_AGAIN_S, OPEN_OCTETS, SAFE, Context
from appliance.api.door import problem_behind
from appliance.api.foreign_fields import require_plus
from appliance.api.intake import StoredUpload
from appliance.api.problems import ProblemError, problem_of
from appliance.box import Box
from appliance.services.causes import NOT_PERMITTED
from appliance.settings.units import MB
from appliance.spool.filters import ReceivedFilter
from appliance.spool.model import Received

JSON = "application/json"
PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class ForeignAnswer:
    """What a handler returns: JSON data, or octets of another type."""

    data: Any = None
    content: bytes | None = None
    media_type: str = JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        """The octets of the answer's content."""
        return self.content if self.content is not None else json.dumps(self.data).encode()


def file_answer(content: bytes, media_type: str, name: str) -> ForeignAnswer:
    """An answer with a file to save under ``name``."""
    return ForeignAnswer(
        content=content,
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@dataclass(slots=True)
class Content:
    """A request's fields, whatever its content type, and the files that came as form parts.

    A handler removes the files it uses from ``uploads``; the others are deleted.
    """

    fields: Any
    texts: dict[str, list[str]] = field(default_factory=dict)
    uploads: list[tuple[str, StoredUpload]] = field(default_factory=list)


class ForeignDoor(bottle.Bottle):  # type: ignore[misc]
    """Base of the foreign doors.  A style defines the form of its errors."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.config["json.enable"] = False
        self.context = context

    @property
    def box(self) -> Box:
        """The box that answers."""
        return self.context.box

    def refuse(self, problem: ProblemError) -> ForeignAnswer:
        """The answer to a request that ended with ``problem``, in the style's form."""
        raise NotImplementedError

    def token(self, environ: dict[str, Any]) -> str | None:
        """The caller's token where the style carries it elsewhere; None: in the Authorization header."""
        return None

    def carry(self, handler: Callable[[Caller], ForeignAnswer]) -> bytes:
        """Runs an authenticated request within the caller's limits; returns the body."""
        environ = bottle.request.environ

        def known() -> ForeignAnswer:
            began = time.monotonic()
            caller = self.context.caller(environ, self.token(environ))
            with self.context.limiter.request(caller.who, self.context.settings, time.monotonic()):
                answer = handler(caller)
            # What a call has changed is answered all the same: it may be the caller's own password.
            if environ["REQUEST_METHOD"] in SAFE and time.monotonic() - began >= LOOK_AGAIN_S:
                self.require_still(caller)
            return answer

        return self.say(known)

    def sender(self) -> Caller:
        """Who sends the current request.  Raises ProblemError."""
        environ = bottle.request.environ
        return self.context.caller(environ, self.token(environ))

    def require_still(self, caller: Caller) -> None:
        """Raises ProblemError when ``caller`` may do less now than before a long upload."""
        now = self.sender()
        if not now.may_the_same(caller):
            raise ProblemError(NOT_PERMITTED, "what this key or sign-in may do was changed")

    def say(self, handler: Callable[[], ForeignAnswer]) -> bytes:
        """Runs ``handler`` and sets the response to its answer, or to the refusal; returns the body."""
        try:
            answer = handler()
        except Exception as error:
            problem = problem_of(error)
            answer = self.refuse(problem)
            for name, value in problem.all_headers().items():
                bottle.response.set_header(name, value)
        bottle.response.status = answer.status
        bottle.response.content_type = answer.media_type
        for name, value in answer.headers.items():
            bottle.response.set_header(name, value)
        return answer.body()

    def default_error_handler(self, error: Any) -> bytes:
        """The answer to a request that failed, in the interface's form (Bottle's hook)."""
        problem = problem_behind(error)
        answer = self.refuse(problem)
        error.status = answer.status
        error.content_type = answer.media_type
        for name, value in problem.all_headers().items():
            error.set_header(name, value)
        return answer.body()

    @contextlib.contextmanager
    def open_content(self) -> Iterator[Content]:
        """The content of a call without authentication: small, without files, counted when malformed.

        Raises ProblemError.
        """
        environ = bottle.request.environ
        with self.context.open_call(environ):
            kind = request.media_type(environ)
            if kind == intake.MULTIPART_TYPE:
                form = intake.read_multipart(self.context, environ, limit=OPEN_OCTETS, most_files=0)
                found = Content(dict[str, Any](), form.fields)
            elif kind == request.FORM_TYPE:
                found = Content(dict[str, Any](), request.read_form(environ, OPEN_OCTETS))
            else:
                found = Content(request.read_json(environ, OPEN_OCTETS, required=False) or {})
        yield found

    @contextlib.contextmanager
    def content(self, *, required: bool = False) -> Iterator[Content]:
        """The request's content: JSON, a form, or a form with files; files that remain are deleted.

        Raises ProblemError, and as ``intake.read_multipart``.
        """
        environ, caller = bottle.request.environ, self.sender()
        kind = request.media_type(environ)
        limit = self.context.settings.request_mb * MB
        if kind == intake.MULTIPART_TYPE:
            form = intake.read_multipart(self.context, environ)
            found = Content(dict[str, Any](), form.fields, list(form.files))
            try:
                self.require_still(caller)
                yield found
            finally:
                intake.discard(self.context, [taken for _, taken in found.uploads])
            return
        if kind == request.FORM_TYPE:
            form_text = request.form_text(environ)
            require_plus(form_text)
            self.require_still(caller)
            yield Content(dict[str, Any](), request.form_fields(form_text))
            return
        length = request.declared_length(environ)
        if length is not None and length > limit:
            raise request.too_large(limit)
        # The text and what it decodes to are in memory together.
        octets = 2 * (limit if length is None else length)
        with self.context.content.of(octets, CONTENT_WAIT_S, caller.who):
            value = request.read_json(environ, limit, required=required)
            self.require_still(caller)
            yield Content({} if value is None else value)

    def audit(self, caller: Caller, action: str, object: str = "", detail: str = "") -> None:
        """Notes in the audit log what the sender of the current request did."""
        self.context.audit(bottle.request.environ, caller.who, action, object=object, detail=detail)


def visible_received(box: Box, caller: Caller, wanted: ReceivedFilter) -> list[Received]:
    """The matching received faxes that ``caller`` may see (their own and unassigned), newest first."""
    return box.inbox.search(replace(wanted, owner=caller.sees))


def received_pdf(box: Box, fax: Received) -> bytes:
    """A received fax as PDF.  Raises ProblemError."""
    path = page_export.received_pdf(box, fax, box.inbox.pages(fax.id))
    try:
        return path.read_bytes()
    finally:
        path.unlink(missing_ok=True)
