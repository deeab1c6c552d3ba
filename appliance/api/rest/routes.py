"""A route of the own interface as data, and its handler's input and output."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from appliance.api.auth import Caller
from appliance.api.causes import NOT_FOUND
from appliance.api.context import Context, address_of
from appliance.api.intake import Form
from appliance.api.problems import ProblemError
from appliance.api.request import JSON_TYPE, Environ
from appliance.box import Box
from appliance.services.causes import NOT_PERMITTED
from appliance.settings.accounts import Scope

T = TypeVar("T")
Schema = Mapping[str, Any]

PREFIX = "/api/v1"
# The parts of a path that are integers; the others are texts.
NUMBERS = frozenset({"id", "page", "number"})


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed all checks of its route."""

    context: Context
    environ: Environ
    given: Caller | None
    arguments: Mapping[str, Any]  # parts of the path: integers and texts
    query: Mapping[str, Any]  # the given parameters, with the types of their schemas
    body: Any = None  # JSON, checked; of a form with files: its fields
    form: Form | None = None  # set when the request is a form with files

    @property
    def box(self) -> Box:
        """The box that answers."""
        return self.context.box

    @property
    def caller(self) -> Caller:
        """Who sends the request, in a route that is not open."""
        assert self.given is not None
        return self.given

    @property
    def address(self) -> str:
        """The client's IP address."""
        return address_of(self.environ)

    def header(self, name: str) -> str:
        """A request header, empty when it is missing."""
        return str(self.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))

    def item(self, kind: type[T], title: str, item_id: int | None = None) -> T:
        """The entry of a list of settings with this id, by default the path's.

        Raises ProblemError when there is none; ``title`` names the kind of entry in it.
        """
        wanted = self.arguments["id"] if item_id is None else item_id
        found = self.box.settings.items(kind).get(wanted)
        if found is None:
            raise ProblemError(NOT_FOUND, f"there is no {title} {wanted}")
        return found

    def require_still(self) -> None:
        """Raises ProblemError when the caller may do less than when the call began."""
        now = self.context.caller(self.environ)
        if not now.may_the_same(self.caller):
            raise ProblemError(NOT_PERMITTED, "what this key or sign-in may do was changed")

    def note(self, action: str, *, object: str = "", detail: str = "") -> None:
        """Notes in the audit log what the sender of this request did."""
        who = self.given.who if self.given is not None else ""
        self.context.audit(self.environ, who, action, object=object, detail=detail)


@dataclass(frozen=True, slots=True)
class Answer:
    """A handler's answer: JSON data (``body``), octets, a stream, or a file that is deleted after sending."""

    body: Any = None
    status: int | None = None  # None: the route's own
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    stream: Iterable[bytes] | None = None
    temporary_file: Path | None = None
    media_type: str = ""  # empty: the first of the route's


def created(body: Any, place: str) -> Answer:
    """The answer of a call that made what is now at ``place``, a path of the interface."""
    return Answer(body, headers={"Location": PREFIX + place})


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query.  Lists are given with commas or by repeating the parameter."""

    name: str
    schema: Schema
    help: str


@dataclass(frozen=True, slots=True)
class Route:
    """One call of the interface.  ``path`` is written as in OpenAPI."""

    method: str
    path: str
    name: str  # operationId
    summary: str
    handler: Handler
    tag: str
    scope: Scope | None = None  # None: any valid key or sign-in
    open: bool = False  # no authentication
    query: tuple[Parameter, ...] = ()
    headers: tuple[Parameter, ...] = ()
    body: Schema | None = None
    body_required: bool = True
    # The same as a form with files; its binary properties are the files.  Without ``body``, the handler reads
    # it.
    form: Schema | None = None
    answer: Schema | None = None  # of the JSON; None: no content, or ``media``
    media: tuple[str, ...] = (JSON_TYPE,)
    status: int = 200
    example: Any = None  # of the body
    help: str = ""


class Routes(list[Route]):
    """The routes of a module; calling it makes a decorator that adds one for its handler.

    The operation's name is the handler's (``list_faxes``: listFaxes).  The first line of the handler's
    docstring is its summary, what follows is its description: both are public, in OpenAPI and on the page of
    the interface.  ``tag`` and ``scope`` are those of every route that names no other; ``more``: fields of
    ``Route``.
    """

    def __init__(self, tag: str, scope: Scope | None = None) -> None:
        super().__init__()
        self._shared = {"tag": tag, "scope": scope}

    def __call__(self, method: str, path: str, **more: Any) -> Callable[[Handler], Handler]:
        def add(handler: Handler) -> Handler:
            first, *others = handler.__name__.split("_")
            summary, _, description = inspect.cleandoc(handler.__doc__ or "").partition("\n\n")
            documented = {
                "name": first + "".join(map(str.capitalize, others)),
                "summary": summary.removesuffix("."),
                "help": " ".join(description.split()),
            }
            fields: dict[str, Any] = {**self._shared, **documented, **more}
            self.append(Route(method, path, handler=handler, **fields))
            return handler

        return add
