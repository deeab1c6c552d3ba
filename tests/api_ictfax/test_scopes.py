"""Attacks on both foreign interfaces by users with fewer rights: every call, with ids of others' objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from appliance.api.context import Context
from appliance.api.ictfax.door import IctfaxDoor
from appliance.configuration import open_box, open_settings
from appliance.settings import secrets
from appliance.settings.accounts import Scope, UserRole
from tests.api_ictfax.client import Client, sign_in
from tests.api_ifax.client import ask
from tests.api_ifax.running import PASSWORD, RunningBox, small_pdf, until

OPEN = {"/authenticate", "/authenticate/cancel"}
IFAX_CALLS = {
    "fax-send": Scope.SEND,
    "fax-cancel": Scope.SEND,
    "fax-resend": Scope.SEND,
    "fax-status": None,
    "inbound/fax-list": Scope.RECEIVE,
    "inbound/fax-list-all": Scope.RECEIVE,
    "inbound/fax-download": Scope.RECEIVE,
    "inbound/number-list": Scope.RECEIVE,
}
# What anybody who is known may read: about themselves, or nothing in it.
ABOUT_THEMSELVES = {"/accounts", "/users"}
# Lists that hold what the caller may see, and nothing when that is nothing.
OWN_LISTS = {"/transmissions", "/faxes", "/fax"}


class Owned:
    """A box in which ada has one of everything."""

    def __init__(self, box: RunningBox) -> None:
        self.box = box
        store = open_settings(box.data)
        self.keys = {
            scope: secrets.add_key(store, f"only-{scope.value}", scopes=(scope,))[1]
            for scope in (Scope.SEND, Scope.RECEIVE, Scope.MONITOR)
        }
        secrets.add_user(store, "rita", PASSWORD, role=UserRole.READER)
        secrets.add_user(store, "sam", PASSWORD, role=UserRole.SENDER)
        secrets.add_user(store, "eve", PASSWORD)
        ada = Client(box, sign_in(box))
        self.ada = ada
        document = ada.document()
        program = ada.made("/programs/sendfax", {"name": "letter", "document_id": document})
        contact = ada.made("/contacts", {"first_name": "Bob", "phone": "9990"})
        group = ada.made("/groups", {"name": "all"})
        ada.ask("PUT", f"/contacts/{contact}/link/{group}")
        fax = ada.transmission()
        ada.send(fax)
        assert ada.ended(fax) == "completed"
        box.receive_practice_fax()

        def arrived() -> list[int]:
            return [fax["id"] for fax in ada.get("/fax/received") if fax["status"] == "received"]

        self.received = until(arrived)[0]
        self.ids = {
            "document_id": document,
            "program_id": program,
            "contact_id": contact,
            "group_id": group,
            "transmission_id": fax,
            "fax_id": fax,
            "campaign_id": ada.made("/campaigns", {"program_id": program, "group_id": group}),
            "account_id": ada.get("/accounts")[0]["account_id"],
            "user_id": ada.get("/users")[0]["user_id"],
            "provider_id": 1,
        }

    def address(self, rule: str) -> str:
        return re.sub(r"<(\w+):re:[^>]+>", lambda found: str(self.ids[found[1]]), rule)

    def state(self) -> str:
        """All of ada's objects, for comparison."""
        paths = ("/documents", "/programs", "/contacts", "/groups", "/campaigns", "/transmissions", "/users")
        return json.dumps([self.ada.get(path) for path in paths])


@pytest.fixture(scope="module")
def owned(box: RunningBox) -> Owned:
    return Owned(box)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[str, str]]]:
    """Every call of the ICTFax style: method and rule."""
    folder: Path = tmp_path_factory.mktemp("routes")
    box = open_box(folder)
    try:
        routes = IctfaxDoor(cast(Context, SimpleNamespace(box=box))).routes
        yield [(each.method, each.rule) for each in routes if not each.rule.endswith("/")]
    finally:
        box.close()


def _status(client: Client, method: str, path: str) -> int:
    body = {"name": "mine", "phone": "9990", "title": "mine"} if method in ("POST", "PUT") else None
    if path.endswith("/media") and body:
        return client.ask(method, path, body=small_pdf(), kind="application/pdf").status
    return client.ask(method, path, body).status


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_stranger_gets_nothing_at_any_call(owned: Owned, calls: list[tuple[str, str]], token: str) -> None:
    stranger = Client(owned.box, token)
    assert len(calls) > 70
    for method, rule in calls:
        if rule not in OPEN:
            assert _status(stranger, method, owned.address(rule)) == 401, (method, rule)


@pytest.mark.parametrize("who", ["monitor", "rita", "sam", "eve"])
def test_no_call_of_another_user_or_key_reads_or_changes_a_users_things(
    owned: Owned, calls: list[tuple[str, str]], who: str
) -> None:
    before = owned.state()
    token = owned.keys.get(Scope(who)) if who in {each.value for each in Scope} else None
    caller = Client(owned.box, token or sign_in(owned.box, who))
    for method, rule in calls:
        if rule in OPEN:
            continue
        status = _status(caller, method, owned.address(rule))
        assert status < 500, (method, rule)
        if "<" in rule:
            assert status in {400, 403, 404, 412}, (method, rule, status)
        elif who == "monitor" and rule not in ABOUT_THEMSELVES | OWN_LISTS:
            assert status in {403, 412}, (method, rule, status)
    assert owned.state() == before


def test_who_may_only_send_reads_no_received_fax(owned: Owned) -> None:
    for token in (owned.keys[Scope.SEND], sign_in(owned.box, "sam")):
        sender = Client(owned.box, token)
        fax = owned.received
        for path in (
            f"/fax/{fax}",
            f"/fax/{fax}/media",
            f"/transmissions/{fax}",
            f"/transmissions/{fax}/results",
            f"/documents/{1_000_000_000 + fax}/media",
            "/fax/received",
        ):
            assert sender.ask("GET", path).status in {403, 404}, path
        assert sender.ask("DELETE", f"/transmissions/{fax}").status in {403, 404}
        for path in ("/fax", "/transmissions", "/faxes"):
            assert fax not in [each.get("id", each.get("transmission_id")) for each in sender.get(path)]


def test_who_may_only_read_sends_nothing(owned: Owned, calls: list[tuple[str, str]]) -> None:
    key = owned.keys[Scope.RECEIVE]
    assert owned.received in [each["id"] for each in Client(owned.box, key).get("/fax/received")]
    for token in (key, sign_in(owned.box, "rita")):
        reader = Client(owned.box, token)
        for method, rule in calls:
            if method in ("POST", "PUT") and rule not in OPEN:
                assert _status(reader, method, owned.address(rule)) in {403, 404}, (method, rule)


def test_the_ifax_style_keeps_the_same_scopes(owned: Owned) -> None:
    sent, received = owned.ids["fax_id"], owned.received
    for scope, key in owned.keys.items():
        for call, needed in IFAX_CALLS.items():
            for job in (sent, received):
                body = {"jobId": job, "transactionId": job, "faxNumber": "9990"}
                status = ask(owned.box, call, body, key=key).status
                if needed is not None and needed is not scope:
                    assert status == 400, (scope, call)
                elif job == sent and call != "fax-send" and "list" not in call:
                    assert status in {400, 404}, (scope, call)
    eve = ask(owned.box, "fax-status", {"jobId": sent}, key=sign_in(owned.box, "eve"))
    assert eve.status == 404
    sender = ask(owned.box, "fax-status", {"jobId": received}, key=owned.keys[Scope.SEND])
    assert sender.status in {400, 404}
