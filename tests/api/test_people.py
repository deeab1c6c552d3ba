"""Users, keys, signing in, the set-up code; lists and settings."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import quote

import pyotp
import pytest

from appliance.api import auth, signing_in
from appliance.api.limits import SIGN_IN_TRIES, SignInGuard
from appliance.api.sessions import SESSIONS_FILE, Sessions
from appliance.configuration import open_settings
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.sip.settings import SipTrunk
from appliance.numbers import NumberSettings
from appliance.settings import secrets
from appliance.settings.accounts import Scope, User, UserRole
from appliance.settings.fields import SettingError
from appliance.settings.tickets import issue_local_ticket
from appliance.spool import ledger
from tests.api.served import Reply, Served

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _no_failures_yet(served: Served) -> None:
    served.server.context.sign_ins = SignInGuard()


def test_the_setup_code_makes_one_administrator(served: Served) -> None:
    code = secrets.new_setup_code(served.box.settings)
    body = {"code": "AAAA-BBBB-CCCC", "name": "root", "password": PASSWORD}
    assert served.ask("POST", "/setup", body, token="").status == 401
    made = served.ask("POST", "/setup", {**body, "code": code.lower()}, token="")
    assert (made.status, made.json["role"]) == (201, "admin")
    assert served.ask("GET", "/users", token=made.json["token"]).status == 200
    assert served.ask("POST", "/setup", {**body, "code": code, "name": "other"}, token="").status == 401


def test_a_sign_in_lasts_until_the_password_changes(served: Served) -> None:
    made = served.ask("POST", "/users", {"name": "ada", "password": PASSWORD, "email": "ada@example.com"})
    assert made.status == 201
    assert "password" not in made.content.decode()
    for name in ("ada", "ada@example.com"):
        ticket = served.ask("POST", "/sessions", {"name": name, "password": PASSWORD}, token="")
        assert ticket.status == 201
    token = ticket.json["token"]
    assert served.ask("GET", "/me", token=token).json["scopes"] == ["receive", "send"]
    assert served.ask("GET", "/users", token=token).status == 403
    served.ask("PATCH", f"/users/{made.json['id']}", {"password": "another horse battery"})
    assert served.ask("GET", "/me", token=token).status == 401


def test_everybody_changes_their_own_password_and_nobody_elses(served: Served) -> None:
    assert served.ask("POST", "/users", {"name": "eve", "password": PASSWORD}).status == 201
    signed_in = served.ask("POST", "/sessions", {"name": "eve", "password": PASSWORD}, token="").json["token"]

    def change(old: str, new: str, token: str) -> int:
        return served.ask("POST", "/me/password", {"old": old, "new": new}, token=token).status

    assert change("not the old one", "a better horse battery", signed_in) == 401
    assert change(PASSWORD, "short", signed_in) == 400
    assert change(PASSWORD, "a better horse battery", served.key("some key", Scope.ADMIN)) == 403
    good = {"old": PASSWORD, "new": "a better horse battery"}
    made = served.ask("POST", "/me/password", good, token=signed_in)
    assert made.status == 200
    assert served.ask("GET", "/me", token=signed_in).status == 401, "what the old password opened is shut"
    assert served.ask("GET", "/me", token=made.json["token"]).json["who"] == "user:eve"
    for _ in range(SIGN_IN_TRIES):
        change("a guess at it", "a better horse battery", made.json["token"])
    assert change("a better horse battery", PASSWORD, made.json["token"]) == 429


def test_a_disabled_users_tickets_and_keys_are_refused(served: Served) -> None:
    user_id = served.ask("POST", "/users", {"name": "bob", "password": PASSWORD}).json["id"]
    ticket = served.ask("POST", "/sessions", {"name": "bob", "password": PASSWORD}, token="").json["token"]
    key = served.ask("POST", "/keys", {"name": "bobs", "owner": "bob"}).json["token"]
    assert served.ask("GET", "/me", token=key).json["owner"] == "bob"
    served.ask("PATCH", f"/users/{user_id}", {"disabled": True})
    assert [served.ask("GET", "/me", token=token).status for token in (ticket, key)] == [401, 401]


def test_a_ticket_cannot_be_changed_or_outlive_its_end(served: Served) -> None:
    store, sessions = served.box.settings, served.server.context.sessions
    user_id = secrets.add_user(store, "carl", PASSWORD)
    now = time.time()
    ticket = sessions.begin(user_id, now, 60)
    assert auth.caller_of(store, sessions, ticket, now + 59).who == "user:carl"
    assert ticket.partition(".")[2] not in (served.box.data / SESSIONS_FILE).read_text()
    local = issue_local_ticket(store, now, 60)
    prefix, secret = ticket.split(".")
    end, signature = local.removeprefix("fxl_").split(".")
    forged = [
        f"{prefix}.{secret[:-1]}",
        f"{prefix}.",
        f"fxt_.{secret}",
        "fxt_",
        "fxt_..",
        f"fxl_{int(end) + 1}.{signature}",
        f"fxl_{end}.{signature[:-1]}",
        f"fxl_{10**20}.{signature}",
        f"fxl_{end}.{'é' * 10}",
        "fxl_",
        "x" * 10_000,
        "",
    ]
    for token in forged:
        with pytest.raises(Exception, match="not_signed_in"):
            auth.caller_of(store, sessions, token, now)
    for token in (ticket, local):
        with pytest.raises(Exception, match="not_signed_in"):
            auth.caller_of(store, sessions, token, now + 60)
    again = Sessions(served.box.data, store)
    assert again.find(ticket, now + 59) is not None, "a restart of the box signs nobody out"
    store.update(User, user_id, {"password_hash": secrets.hash_password("another good one")})
    assert again.find(ticket, now + 59) is None


def test_guessing_is_slowed_down(served: Served) -> None:
    for _ in range(SIGN_IN_TRIES):
        wrong = served.ask("POST", "/sessions", {"name": "ada", "password": "wrong password"}, token="")
        assert (wrong.status, wrong.json["code"]) == (401, "sign_in_refused")
    stopped = served.ask("POST", "/sessions", {"name": "ada", "password": PASSWORD}, token="")
    assert (stopped.status, stopped.json["code"]) == (429, "sign_in_paused")
    assert 1 <= int(stopped.headers["Retry-After"]) <= 301
    assert served.ask("GET", "/me").status == 200, "whoever has a good token is not locked out"


def test_a_key_is_made_shown_once_and_taken_out_of_use(served: Served) -> None:
    made = served.ask("POST", "/keys", {"name": "shop", "scopes": ["send"], "pages_per_month": 100})
    assert made.status == 201
    token = made.json["token"]
    shown = served.ask("GET", f"/keys/{made.json['id']}")
    assert token not in shown.content.decode()
    assert "token_hash" not in shown.json
    assert "webhook_secret" not in shown.json
    assert served.ask("GET", "/me", token=token).json["scopes"] == ["send"]
    changed = served.ask("PATCH", f"/keys/{made.json['id']}", {"scopes": ["receive"]})
    assert changed.json["scopes"] == ["receive"]
    again = served.ask("POST", "/keys", {"name": "shop"})
    assert (again.status, again.json["code"]) == (422, "setting_invalid")
    assert served.ask("DELETE", f"/keys/{made.json['id']}").status == 204
    assert served.ask("GET", "/me", token=token).status == 401


def test_the_last_administrator_stays(served: Served) -> None:
    admins = [user for user in served.ask("GET", "/users").json["users"] if user["role"] == "admin"]
    other = served.ask("POST", "/users", {"name": "second", "password": PASSWORD, "role": "admin"}).json["id"]
    for user in admins:
        assert served.ask("DELETE", f"/users/{user['id']}").status == 204
    assert served.ask("DELETE", f"/users/{other}").status == 409
    assert served.ask("PATCH", f"/users/{other}", {"role": "user"}).status == 409
    assert served.ask("PATCH", f"/users/{other}", {"disabled": True}).status == 409
    assert served.ask("PATCH", f"/users/{other}", {"full_name": "Second"}).status == 200


def at_once(requests: Sequence[Callable[[], Reply]]) -> list[int]:
    """The statuses of requests that are made at the same time."""
    start = threading.Barrier(len(requests))

    def make(request: Callable[[], Reply]) -> int:
        start.wait()
        return request().status

    with ThreadPoolExecutor(len(requests)) as threads:
        return sorted(threads.map(make, requests))


def test_of_administrators_who_are_demoted_or_deleted_at_once_one_stays(served: Served) -> None:
    before = {
        user_id for user_id, user in served.box.settings.items(User).items() if user.role is UserRole.ADMIN
    }
    pair = [
        secrets.add_user(served.box.settings, name, PASSWORD, role=UserRole.ADMIN) for name in ("x1", "x2")
    ]
    for user_id in before:
        served.box.settings.update(User, user_id, {"disabled": True})
    try:
        for _ in range(5):
            for user_id in pair:
                served.box.settings.update(User, user_id, {"role": "admin"})
            statuses = at_once(
                [partial(served.ask, "PATCH", f"/users/{user_id}", {"role": "user"}) for user_id in pair]
            )
            assert statuses == [200, 409]
        for user_id in pair:
            served.box.settings.update(User, user_id, {"role": "admin"})
        assert at_once([partial(served.ask, "DELETE", f"/users/{user_id}") for user_id in pair]) == [204, 409]
    finally:
        for user_id in before:
            served.box.settings.update(User, user_id, {"disabled": False})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users", {"name": "Twin", "password": PASSWORD}),
        ("/keys", {"name": "Twin-key", "scopes": ["send"]}),
        ("/covers", {"name": "Twin-cover", "html": "<p>x</p>"}),
        ("/line-settings", {"type": "sip", "name": "twin-line", "server": "192.0.2.1"}),
    ],
)
def test_of_equal_names_given_at_once_one_is_taken(
    served: Served, path: str, body: dict[str, object]
) -> None:
    refused = 422 if path in {"/users", "/keys"} else 400
    assert at_once([partial(served.ask, "POST", path, body)] * 6) == [201] + [refused] * 5


def test_a_password_changed_in_two_windows_at_once_is_that_of_the_one_that_succeeded(served: Served) -> None:
    secrets.add_user(served.box.settings, "two-windows", PASSWORD)
    signed_in = {"name": "two-windows", "password": PASSWORD}
    tokens = [served.ask("POST", "/sessions", signed_in, token="").json["token"] for _ in range(2)]
    statuses = at_once(
        [
            partial(
                served.ask,
                "POST",
                "/me/password",
                {"old": PASSWORD, "new": f"{PASSWORD} {token}"},
                token=token,
            )
            for token in tokens
        ]
    )
    assert statuses == [200, 401]


def test_a_key_does_not_become_that_of_the_user_of_its_name(served: Served) -> None:
    for name in ("namesake", "its-owner"):
        secrets.add_user(served.box.settings, name, PASSWORD)
    key_id, _ = secrets.add_key(served.box.settings, "namesake", owner="its-owner")
    refused = served.ask("PATCH", f"/keys/{key_id}", {"owner": ""})
    assert (refused.status, refused.json["code"]) == (422, "setting_invalid"), refused.content
    assert served.ask("PATCH", f"/keys/{key_id}", {"owner": "namesake"}).status == 200
    with pytest.raises(SettingError, match="there is no such user"):
        secrets.add_key(served.box.settings, "nobodys", owner="gone")


def test_a_recovery_code_used_twice_at_once_opens_once(served: Served) -> None:
    codes = ["AAAA1111", "BBBB2222"]
    user_id = secrets.add_user(served.box.settings, "lost-app", PASSWORD)
    served.box.settings.update(
        User,
        user_id,
        {"totp_secret": "JBSWY3DPEHPK3PXP", "recovery_codes": [secrets.hash_token(code) for code in codes]},
    )
    asked = {"name": "lost-app", "password": PASSWORD}
    written: list[str] = []
    served.box.settings.listen(lambda: written.append("settings"))
    assert served.ask("POST", "/sessions", {**asked, "code": "CCCC3333"}, token="").status == 401
    assert written == []
    statuses = at_once(
        [partial(served.ask, "POST", "/sessions", {**asked, "code": code}, token="") for code in codes * 3]
    )
    assert statuses == [201, 201, 401, 401, 401, 401]
    assert served.box.settings.item(User, user_id).recovery_codes == ()


def test_a_code_of_the_app_opens_once_whether_or_not_the_box_was_restarted(served: Served) -> None:
    secret = pyotp.random_base32()
    user_id = secrets.add_user(served.box.settings, "with-app", PASSWORD)
    served.box.settings.update(User, user_id, {"totp_secret": secret})
    asked = {"name": "with-app", "password": PASSWORD, "code": pyotp.TOTP(secret).now()}
    assert served.ask("POST", "/sessions", asked, token="").status == 201
    again = served.ask("POST", "/sessions", asked, token="")
    assert (again.status, again.json["code"]) == (401, "code_wrong")
    # What a box that starts now reads from the disk.
    used = open_settings(served.box.settings.folder).item(User, user_id).app_step
    assert used == signing_in.app_code_step(secret, asked["code"], time.time())


def test_contacts_are_private_or_shared(served: Served) -> None:
    ida, ivo = served.key("ida", Scope.SEND), served.key("ivo", Scope.SEND)
    own = served.ask("POST", "/contacts", {"number": "9990", "first_name": "Eve"}, token=ida)
    assert (own.status, own.json["owner"]) == (201, "ida")
    path = f"/contacts/{own.json['id']}"
    assert served.ask("GET", path, token=ivo).status == 404
    assert served.ask("PATCH", path, {"first_name": "x"}, token=ivo).status == 404
    assert served.ask("PATCH", path, {"owner": "ivo"}, token=ida).status == 403
    assert served.ask("POST", "/contacts", {"number": "9990", "owner": "ida"}, token=ivo).status == 403
    shared = served.ask("POST", "/contacts", {"number": "9991"}).json["id"]
    assert served.ask("GET", f"/contacts/{shared}", token=ivo).status == 200
    assert served.ask("DELETE", f"/contacts/{shared}", token=ivo).status == 403
    to_another = served.ask("POST", "/groups", {"name": "g", "contact_ids": [4711]}, token=ida)
    assert to_another.status == 400
    assert served.ask("DELETE", path, token=ida).status == 204
    assert served.ask("GET", path, token=ida).status == 404


def test_secrets_of_lines_and_settings_are_masked_and_kept(served: Served) -> None:
    body = {"name": "trunk", "type": "sip", "server": "127.0.0.1", "password": "hush", "enabled": False}
    line = served.ask("POST", "/line-settings", body)
    assert line.json["password"] == "********"
    path = f"/line-settings/{line.json['id']}"
    changed = served.ask("PATCH", path, {"password": "********", "position": 5})
    assert (changed.json["password"], changed.json["position"]) == ("********", 5)
    assert served.box.settings.item(SipTrunk, line.json["id"]).password == "hush"
    assert "secrets" not in served.ask("GET", "/settings").json
    assert served.ask("GET", "/settings/secrets").status == 404
    wrong = served.ask("PATCH", "/settings/station", {"time_zone": "Mars/Olympus"})
    assert (wrong.status, wrong.json["errors"][0]["path"]) == (422, "station.time_zone")
    assert served.ask("PATCH", "/settings/station", {"nmae": "x"}).status == 400
    assert served.ask("PATCH", "/settings/station", {"name": "Ada & Co"}).json["name"] == "Ada & Co"


def test_what_was_learned_about_a_number_is_listed_and_can_be_deleted(served: Served) -> None:
    learned = ledger.Destination("+4930123", 2, None, {"ecm": False}, time.time())
    served.box.spool.do(ledger.save_destination, learned)
    found = served.ask("GET", "/destinations").json["destinations"]
    assert [entry["number"] for entry in found] == ["+4930123"]
    assert served.ask("GET", "/destinations/%2B4930123").json == found[0]
    assert served.ask("DELETE", "/destinations/%2B4930123").status == 204
    assert served.ask("GET", "/destinations/%2B4930123").status == 404
    assert served.ask("DELETE", "/destinations/%2B4930123").status == 404
    assert served.ask("GET", "/destinations").json["destinations"] == []


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        ("/line-settings", {"name": "practice", "type": "modem"}, "name"),
        ("/line-settings", {"name": "taken", "type": "modem"}, "name"),
        (
            "/line-settings",
            {"name": "odd", "type": "modem", "modem_quirks": ["nothing=1"]},
            "line.modem_quirks",
        ),
        ("/line-settings", {"name": "odd", "type": "modem", "modem_speed": 12345}, "line.modem_speed"),
        ("/line-settings", {"name": "odd", "type": "sip", "server": "a", "pulse": True}, "line.pulse"),
        ("/line-settings", {"name": "odd", "type": "modem", "server": "a"}, "line.server"),
        ("/routes", {"name": "r", "user": "nobody"}, "user"),
        ("/routes", {"name": "r", "webhook_url": "ftp://example.com/"}, "webhook_url"),
        ("/routes", {"name": "r", "webhook_style": "other"}, "webhook_style"),
        ("/keys", {"name": "k", "webhook_url": "http://exa mple.com/"}, "webhook_url"),
        ("/keys", {"name": "k", "webhook_style": "other"}, "webhook_style"),
        ("/keys", {"name": "k", "cover": "nowhere"}, "cover"),
        ("/keys", {"name": "k", "owner": "nobody"}, "owner"),
    ],
)
def test_an_entry_that_could_not_work_is_refused_with_its_field(
    served: Served, path: str, body: dict[str, object], wrong: str | None
) -> None:
    served.box.settings.add(ClassOneModem(name="taken", enabled=False))
    before = served.box.settings.export()
    refused = served.ask("POST", path, body)
    assert refused.status in (400, 422), refused.content
    assert [each["path"] for each in refused.json.get("errors", [])] == ([wrong] if wrong else [])
    assert served.box.settings.export() == before


def test_a_user_whom_a_route_names_cannot_be_deleted(served: Served) -> None:
    user = served.ask("POST", "/users", {"name": "frida", "password": PASSWORD}).json
    route = served.ask("POST", "/routes", {"name": "to frida", "user": "frida", "dialled": ["+4930"]}).json
    kept = served.ask("DELETE", f"/users/{user['id']}")
    assert (kept.status, kept.json["code"]) == (409, "still_needed")
    assert [each["problem"] for each in kept.json["errors"]] == [
        "The rule to frida gives faxes to this user."
    ]
    served.ask("DELETE", f"/routes/{route['id']}")
    assert served.ask("DELETE", f"/users/{user['id']}").status == 204


def test_a_user_made_anew_under_the_same_name_has_their_faxes_again(served: Served) -> None:
    new = {"name": "greta", "password": PASSWORD}
    user = served.ask("POST", "/users", new).json["id"]

    def token() -> str:
        signed_in: str = served.ask("POST", "/sessions", new, token="").json["token"]
        return signed_in

    fax = {"to": ["9990"], "files": [{"content": "YQ=="}], "hold": True}
    made = served.ask("POST", "/faxes", fax, token=token()).json["faxes"][0]["id"]
    assert served.ask("DELETE", f"/users/{user}").status == 204
    assert served.ask("POST", "/users", new).status == 201
    assert [each["id"] for each in served.ask("GET", "/faxes", token=token()).json["faxes"]] == [made]


def test_a_checked_number_has_the_name_of_its_contact_in_any_spelling(served: Served) -> None:
    served.box.settings.change(NumberSettings, {"region": "DE"})
    try:
        contact = {"number": "0431 / 555 12 34", "last_name": "Kiel"}
        made = served.ask("POST", "/contacts", contact)
        for written in ("+49 431 5551234", "00494315551234", "04315551234"):
            checked = served.ask("GET", f"/numbers/check?number={quote(written)}").json
            assert (checked["dial"], checked["name"]) == ("+494315551234", "Kiel"), written
        assert served.ask("GET", "/numbers/check?number=04315551235").json["name"] == ""
        assert served.ask("DELETE", f"/contacts/{made.json['id']}").status == 204
    finally:
        served.box.settings.change(NumberSettings, {"region": ""})
