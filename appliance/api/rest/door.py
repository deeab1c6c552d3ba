"""The door ``/api/v1``: passes each request through the checks of its route to its handler."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bottle

from appliance.api import intake, request
from appliance.api.auth import Caller
from appliance.api.causes import CONDITION_NOT_MET
from appliance.api.context import CONTENT_WAIT_S, LOOK_AGAIN_S, OPEN_OCTETS, SAFE, Context
from appliance.api.door import Door, WsgiApplication
from appliance.api.problems import ProblemError, problem_of
from appliance.api.rest.checking import Checker, QueryReader, from_fields, require
from appliance.api.rest.openapi import describe_all
from appliance.api.rest.routes import NUMBERS, Answer, Call, Route
from appliance.api.rest.table import ROUTES
from appliance.settings.units import MB

_PIECE_OCTETS = 64 * 1024
# The parts of a path: ids, and names after percent-decoding.
_NUMBER = "[0-9]{1,15}"
_TEXT = "[^/]{1,100}"


def make_rest(context: Context) -> WsgiApplication:
    """The own interface as a WSGI application."""
    door = Door()

    @functools.cache
    def document() -> bytes:
        return json.dumps(describe_all(ROUTES)).encode()

    @door.get("/openapi.json")  # type: ignore[untyped-decorator]
    def openapi() -> bytes:
        bottle.response.content_type = request.JSON_TYPE
        return document()

    for route in ROUTES:
        runner = _Runner(route, context)
        door.route(_bottle_path(route.path), route.method, runner)
    made: WsgiApplication = door
    return made


def _bottle_path(path: str) -> str:
    def part(match: re.Match[str]) -> str:
        name = match[1]
        return f"<{name}:re:{_NUMBER if name in NUMBERS else _TEXT}>"

    return re.sub(r"\{(\w+)\}", part, path)


class _Runner:
    """Runs the requests of one route."""

    def __init__(self, route: Route, context: Context) -> None:
        self._route = route
        self._context = context
        self._query = QueryReader(route.query)
        self._body = Checker(route.body) if route.body is not None else None

    def __call__(self, **arguments: str) -> Any:
        try:
            return self._run(bottle.request.environ, arguments)
        except Exception as error:
            return Door.say(problem_of(error), bottle.response)

    def _run(self, environ: request.Environ, texts: dict[str, str]) -> Any:
        route, context = self._route, self._context
        given: Caller | None = None
        began = time.monotonic()
        with contextlib.ExitStack() as held:
            if not route.open:
                given = context.caller(environ)
                held.enter_context(context.limiter.request(given.who, context.settings, time.monotonic()))
                if route.scope is not None:
                    given.require(route.scope)
            # RFC 9110 13.1.1: who relies on a condition must not believe that it held.
            if environ.get("HTTP_IF_MATCH", "*").strip() != "*":
                raise ProblemError(CONDITION_NOT_MET)
            arguments = {
                name: int(text) if name in NUMBERS else request.check_text(text)
                for name, text in texts.items()
            }
            query = self._query.read(request.read_query(environ))
            call = Call(context, environ, given, arguments, query)
            answer = route.handler(self._with_body(call, held))
            if given is not None and time.monotonic() - began >= LOOK_AGAIN_S:
                _require_still(call, answer)
            return self._say(answer)

    def _with_body(self, call: Call, held: contextlib.ExitStack) -> Call:
        route, environ = self._route, call.environ
        if self._body is None:
            return call
        form = None
        if route.open:
            with call.context.open_call(environ):
                body: Any = request.read_json(environ, OPEN_OCTETS, required=route.body_required)
                require(self._body, body)
            return replace(call, body=body)
        if route.form is not None and request.media_type(environ) == intake.MULTIPART_TYPE:
            form = intake.read_multipart(call.context, environ)
            # A handler takes over the files it uses; those of a failed request are deleted.
            held.push(_unless_done(call.context, form))
            body = from_fields(route.body or {}, form.fields)
        else:
            limit = call.context.settings.request_mb * MB
            declared = request.declared_length(environ)
            octets = limit if declared is None else min(limit, declared)
            held.enter_context(call.context.content.of(2 * octets, CONTENT_WAIT_S, call.caller.who))
            body = request.read_json(environ, limit, required=route.body_required)
        require(self._body, body)
        # The caller's rights may have changed during a long upload.
        call.require_still()
        return replace(call, body=body, form=form)

    def _say(self, answer: Answer) -> Any:
        response = bottle.response
        response.status = answer.status or self._route.status
        response.content_type = answer.media_type or self._route.media[0]
        response.set_header("Cache-Control", "no-store")
        for name, value in answer.headers.items():
            response.set_header(name, value)
        if answer.content is not None:
            return answer.content
        if answer.stream is not None:
            return answer.stream
        if answer.temporary_file is not None:
            response.set_header("Content-Length", str(answer.temporary_file.stat().st_size))
            return _TemporaryFile(answer.temporary_file)
        if answer.body is None:
            return b""
        return json.dumps(answer.body, ensure_ascii=False).encode()


def _require_still(call: Call, answer: Answer) -> None:
    """Raises ProblemError when what was read or made for the caller is no longer theirs to have.

    What a call has changed is answered all the same: it may be the caller's own password.
    """
    if answer.temporary_file is None and call.environ["REQUEST_METHOD"] not in SAFE:
        return
    try:
        call.require_still()
    except ProblemError:
        if answer.temporary_file is not None:
            answer.temporary_file.unlink(missing_ok=True)
        raise


def _unless_done(context: Context, form: intake.Form) -> Any:
    def leave(kind: type[BaseException] | None, *_: object) -> bool:
        if kind is not None:
            intake.discard(context, [taken for _, taken in form.files])
        return False

    return leave


class _TemporaryFile(Iterable[bytes]):
    """A file's content; the file is deleted when it was sent, or the client is gone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._file.read(_PIECE_OCTETS):
            yield piece

    def close(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)
