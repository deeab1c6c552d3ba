"""The request for a page, and who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.api.auth import Caller
from appliance.api.causes import NOT_FOUND
from appliance.api.context import Context, address_of, session_cookie
from appliance.api.problems import ProblemError
from appliance.api.request import Environ, last_of_each, read_form, read_query
from appliance.box import Box
from appliance.language import Formatter
from appliance.numbers import NumberSettings
from appliance.settings.accounts import Scope, User
from appliance.station import StationSettings


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page, and the request for it.  ``caller`` is None when nobody is signed in."""

    context: Context
    environ: Environ
    caller: Caller | None
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def box(self) -> Box:
        """The box whose pages these are."""
        return self.context.box

    @property
    def who(self) -> Caller:
        """Who sends the request, on a page that needs a sign-in."""
        assert self.caller is not None
        return self.caller

    @property
    def user(self) -> User | None:
        """The signed-in user, None without."""
        user_id = self.caller.user_id if self.caller is not None else None
        return self.box.settings.items(User).get(user_id) if user_id is not None else None

    @property
    def path(self) -> str:
        """The path of the request."""
        return str(self.environ.get("PATH_INFO", "/"))

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address; of a repeated one the last.  Raises ProblemError."""
        return last_of_each(read_query(self.environ))

    @property
    def before(self) -> int | None:
        """The id in the address before which a list goes on; None without a usable one."""
        text = self.query.get("before", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None

    def number(self, name: str) -> int:
        """An integer in the path.  Raises ProblemError (NOT_FOUND)."""
        text = self.arguments[name]
        if not (text.isascii() and text.isdecimal()) or len(text) > 15:
            raise ProblemError(NOT_FOUND)
        return int(text)

    def form(self) -> dict[str, str]:
        """The fields of a form without files.  Raises ProblemError."""
        return last_of_each(read_form(self.environ))

    @property
    def address(self) -> str:
        """The client's IP address."""
        return address_of(self.environ)

    def may(self, *scopes: str) -> bool:
        """Whether the signed-in user has one of these scopes."""
        return self.caller is not None and any(self.caller.may(Scope(scope)) for scope in scopes)

    @property
    def page_token(self) -> str:
        """The token that the page's scripts send; empty when nobody is signed in."""
        token = session_cookie(self.environ)
        return self.context.sessions.page_token(token) if self.caller is not None and token else ""

    def writer(self) -> Formatter:
        """Formats dates and numbers for this reader."""
        region = self.box.settings.section(NumberSettings).region
        return self.box.settings.section(StationSettings).writer(region)
