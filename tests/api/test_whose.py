"""For each call of the interface: objects of other users cannot be seen, fetched or guessed.

Ada has one of everything.  Others call every route on it, and on what there never was: both answers are the
same but for the name, so that nobody learns what there is.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from appliance.api.rest.examples import EXAMPLES
from appliance.api.rest.routes import Route
from appliance.api.rest.table import ROUTES
from appliance.net.settings import ApiSettings
from appliance.settings import secrets
from appliance.settings.accounts import ROLE_SCOPES, Scope, User, UserRole
from tests.api.served import Reply, Served, serving

PASSWORD = "correct horse battery"
# Stands in everything of Ada's that has words.
MARK = "Lovelace-and-nobody-else"
NEVER = 900_000  # an id that nothing has
# Routes with a body whose example names what is not here: another that is whole.
BODIES = {
    "mailReceived": {"to": "ada@office.example"},
    "readReceived": None,
    "forwardReceived": {"to": ["9990"]},
    "forwardFax": {"to": ["9990"]},
    "giveNumbers": {"to": ["9990"]},
    "resendFax": {},
    "changeGroup": {"name": "mine"},
}
STRANGERS = {
    "a member": {"role": UserRole.USER},
    "a reader of other numbers": {"role": UserRole.READER, "reads_numbers": ("+4940",)},
    "a sender": {"role": UserRole.SENDER},
}
# What everybody who sends shares, and what is one's own by who asks.
SHARED = {"/covers/{id}", "/covers/{id}/preview", "/causes/{code}"}


@dataclass(frozen=True)
class Hers:
    """A box with Ada's objects; ``ids`` by the beginning of a path, of which the longest match counts."""

    served: Served
    ids: dict[str, str]
    note: dict[str, str]
    tokens: dict[str, str]

    def path(self, route: Route, *, there: bool) -> str:
        """The path of a route, with the id of Ada's object or of one that never existed."""
        kind = max((kind for kind in self.ids if route.path.startswith(kind)), key=len)
        own = self.ids[kind]
        never = re.sub(r"[0-9a-f]", "0", own) if len(own) > 20 else str(NEVER)
        values = {"page": "1", "number": "1", "note": self.note.get(kind, "1") if there else str(NEVER)}
        return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], own if there else never), route.path)


@pytest.fixture(scope="module")
def hers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hers]:
    with serving(tmp_path_factory.mktemp("box")) as served:
        served.box.settings.change(ApiSettings, {"private_urls": True})
        yield _furnished(served)


def _furnished(served: Served) -> Hers:
    store = served.box.settings
    secrets.add_user(store, "ada", PASSWORD, role=UserRole.USER)
    for name, more in STRANGERS.items():
        given = dict(more)
        role = given.pop("role")
        assert isinstance(role, UserRole)
        user_id = secrets.add_user(store, name.replace(" ", "-"), PASSWORD, role=role)
        if given:
            store.update(User, user_id, given)
    tokens = {
        name: served.ask(
            "POST", "/sessions", {"name": name.replace(" ", "-"), "password": PASSWORD}, token=""
        ).json["token"]
        for name in STRANGERS
    }
    ada = served.ask("POST", "/sessions", {"name": "ada", "password": PASSWORD}, token="").json["token"]
    file = {"name": f"{MARK}.txt", "content": base64.b64encode(MARK.encode()).decode()}

    def made(path: str, body: object, token: str = ada) -> dict[str, object]:
        reply = served.ask("POST", path, body, token=token)
        assert reply.status in (200, 201, 202), (path, reply.content)
        found: dict[str, object] = reply.json
        return found

    sent = {
        "to": ["9990"],
        "files": [file],
        "tag": MARK,
        "callback_url": f"http://127.0.0.1:{served.port}/told",
    }
    fax = made("/faxes", sent)["faxes"][0]["id"]  # type: ignore[index]
    waiting = made("/needs-number", {"files": [file], "tag": MARK})["faxes"][0]["id"]  # type: ignore[index]
    contact = made("/contacts", {"number": "9991", "last_name": MARK, "owner": "ada"})["id"]
    group = made("/groups", {"name": MARK, "owner": "ada", "contact_ids": [contact]})["id"]
    made("/practice/receive", {"caller": "+49301234", "files": [file]}, served.admin)
    served.ended(fax)
    served.wait(
        lambda: any(each["state"] == "complete" for each in served.ask("GET", "/received").json["received"])
    )
    received = served.ask("GET", "/received").json["received"][0]["id"]
    served.ask("PATCH", f"/received/{received}", {"owner": "ada"})
    notes = {
        path: str(made(f"{path}/{of}/notes", {"text": MARK})["id"])
        for path, of in (("/faxes", fax), ("/received", received))
    }
    deliveries = f"/deliveries?fax={fax}"
    served.wait(lambda: bool(served.ask("GET", deliveries).json["deliveries"]))
    ids = {
        "/faxes": fax,
        "/faxes/{id}/numbers": waiting,
        "/needs-number": waiting,
        "/received": received,
        "/previews": made("/previews", {"files": [file], "form": {"note": MARK}})["id"],
        "/documents": made("/documents", {"name": MARK, "files": [file]})["id"],
        "/contacts": contact,
        "/groups": group,
        "/deliveries": served.ask("GET", deliveries).json["deliveries"][0]["id"],
        "/me/sessions": served.ask("GET", "/me/sessions", token=ada).json["sessions"][0]["id"],
    }
    return Hers(served, {kind: str(value) for kind, value in ids.items()}, notes, {**tokens, "ada": ada})


def _with_object(route: Route) -> bool:
    return "{" in route.path and route.path not in SHARED and not route.open


THINGS = [route for route in ROUTES if _with_object(route) and route.scope is not Scope.ADMIN]


def _asked(hers: Hers, route: Route, who: str, *, there: bool) -> Reply:
    body = BODIES.get(route.name, EXAMPLES.get(route.name, route.example))
    if body is None and route.body is not None and route.body_required:
        body = {}
    return hers.served.ask(
        route.method, hers.path(route, there=there), body, token=hers.tokens[who] if who else ""
    )


def test_the_owner_reads_every_thing_that_the_other_tests_ask_for(hers: Hers) -> None:
    """Without this the tests below would prove nothing."""
    for route in THINGS:
        if route.method == "GET" and not route.path.endswith("/packets"):  # of calls that failed alone
            assert _asked(hers, route, "ada", there=True).status == 200, route.name


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("route", THINGS, ids=lambda route: route.name)
def test_anothers_thing_is_answered_like_one_that_does_not_exist(hers: Hers, route: Route, who: str) -> None:
    own, never = (_asked(hers, route, who, there=there) for there in (True, False))
    assert own.status in (403, 404), own.content
    assert MARK.encode() not in own.content
    told = [re.sub(rb"\d{4}-\d\d-\d\dT[^\"]*|\d+", b"", reply.content) for reply in (own, never)]
    assert (own.status, told[0]) == (never.status, told[1])


def test_requests_of_strangers_have_changed_nothing(hers: Hers) -> None:
    """Runs last: everything still exists unchanged."""
    for kind in ("/faxes", "/needs-number", "/received", "/contacts", "/groups", "/deliveries"):
        if kind == "/needs-number":
            assert hers.served.ask("GET", f"/faxes/{hers.ids[kind]}").json["state"] == "needs_number"
        else:
            assert hers.served.ask("GET", f"{kind}/{hers.ids[kind]}").status == 200, kind


LISTS = [
    route
    for route in ROUTES
    if route.method == "GET" and "{" not in route.path and route.scope is not Scope.ADMIN and not route.open
]


@pytest.mark.parametrize("who", STRANGERS)
def test_no_list_has_entries_of_another_owner(hers: Hers, who: str) -> None:
    for route in LISTS:
        if route.name == "streamEvents":
            continue  # it has no end; tests/api/test_stream.py holds whose events it tells
        asked = {
            "bundleFaxes": f"?ids={hers.ids['/faxes']}",
            "bundleReceived": f"?ids={hers.ids['/received']}",
            "checkNumber": "?number=9991",
        }
        query = asked.get(route.name, "?q=Lovelace" if route.name == "listRecipients" else "")
        reply = hers.served.ask("GET", route.path + query, token=hers.tokens[who])
        assert reply.status < 500
        assert MARK.encode() not in reply.content, route.name


@pytest.mark.parametrize("who", STRANGERS)
def test_no_call_is_answered_beyond_ones_role(hers: Hers, who: str) -> None:
    role = STRANGERS[who]["role"]
    assert isinstance(role, UserRole)
    for route in ROUTES:
        if route.open or route.scope is None or route.scope in ROLE_SCOPES[role]:
            continue
        path = re.sub(r"\{\w+\}", "1", route.path)
        body = BODIES.get(route.name, EXAMPLES.get(route.name, route.example))
        reply = hers.served.ask(route.method, path, body, token=hers.tokens[who])
        assert reply.status == 403, (route.name, reply.content)


def test_nothing_but_the_open_calls_is_answered_without_a_sign_in(hers: Hers) -> None:
    for route in ROUTES:
        if route.open:
            continue
        path = re.sub(r"\{\w+\}", "1", route.path)
        reply = hers.served.ask(route.method, path, EXAMPLES.get(route.name, route.example), token="")
        assert reply.status == 401, (route.name, reply.content)
