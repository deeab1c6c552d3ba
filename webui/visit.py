"""A page's input and output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from webui import drawing
from webui.reader import Reader


@dataclass(frozen=True, slots=True)
class Response:
    """Content, status, headers.  ``cookie``: (token, seconds) of a session; an empty token ends one."""

    content: bytes = b""
    status: int = 200
    media_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookie: tuple[str, int] | None = None


class Visit(Reader):
    """A request for a page, which a template answers."""

    def page(self, template: str, /, *, status: int = 200, **values: Any) -> Response:
        """An answer with the template filled in."""
        return Response(drawing.draw(template, self, values).encode(), status)


def go(path: str, *, cookie: tuple[str, int] | None = None) -> Response:
    """Redirects the browser to another page of ours (RFC 9110 15.4.4)."""
    return Response(status=303, headers={"Location": path}, cookie=cookie)


def with_query(path: str, asked: Mapping[str, str | int | None]) -> str:
    """``path`` with a query of those parameters that have a value."""
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{path}?{query}" if query else path


Show = Callable[[Visit], Response]


@dataclass(frozen=True, slots=True)
class Page:
    """A page: ``path`` as bottle writes it.  ``scopes``: one of these is needed; empty: any sign-in.

    ``open``: no sign-in is needed.  ``method`` POST is for forms that begin or end a session; all other
    changes go through the API.
    """

    path: str
    show: Show
    method: str = "GET"
    scopes: tuple[str, ...] = ()
    open: bool = False
