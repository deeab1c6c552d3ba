"""Attempts to sign in without a right to: guessed passwords, forged addresses, eavesdropping."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from appliance.api.causes import SIGN_IN_PAUSED, SIGN_IN_REFUSED
from appliance.api.limits import SIGN_IN_TRIES, SIGN_IN_WINDOW_S, SignInGuard
from appliance.api.problems import ProblemError
from appliance.deliver.settings import MailInSettings, MailOutSettings
from appliance.lines.sip.settings import SipTrunk
from appliance.settings import secrets
from appliance.settings.accounts import Scope, User
from appliance.settings.fields import SettingError
from tests.api.processes import arguments_of_children
from tests.api.served import Served

PASSWORD = "correct horse battery"
# Guesses at the same time; more than the server looks at at once.
AT_ONCE = 40


@pytest.fixture(autouse=True)
def _no_failures_yet(served: Served) -> None:
    served.server.context.sign_ins = SignInGuard()


def at_once(ask: Callable[[int], int]) -> Counter[int]:
    """The statuses of many requests that are sent together."""
    gate = threading.Barrier(AT_ONCE)
    statuses: Counter[int] = Counter()
    lock = threading.Lock()

    def one(number: int) -> None:
        gate.wait()
        status = ask(number)
        with lock:
            statuses[status] += 1

    threads = [threading.Thread(target=one, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def forged(number: int) -> dict[str, str]:
    """Headers of a proxy for a client at another address, different for each ``number``."""
    address = f"198.51.100.{number}"
    return {
        "X-Forwarded-For": address,
        "Forwarded": f"for={address}",
        "X-Real-IP": address,
        "X-Client-IP": address,
        "True-Client-IP": address,
        "REMOTE-ADDR": address,
    }


def test_guesses_at_the_setup_code_are_limited_over_many_connections_and_forged_addresses(
    served: Served,
) -> None:
    code = secrets.new_setup_code(served.box.settings)

    def guess(number: int) -> int:
        body = {"code": f"AAAA-BBBB-{number:04}", "name": "mallory", "password": PASSWORD}
        return served.ask("POST", "/setup", body, token="", headers=forged(number)).status

    assert at_once(guess) == {401: SIGN_IN_TRIES, 429: AT_ONCE - SIGN_IN_TRIES}
    right = {"code": code, "name": "root", "password": PASSWORD}
    assert served.ask("POST", "/setup", right, token="").status == 429, "not even the right one in between"
    served.server.context.sign_ins = SignInGuard()  # its time has passed
    assert served.ask("POST", "/setup", right, token="").status == 201


def test_simultaneous_password_guesses_are_limited_like_successive_ones(served: Served) -> None:
    secrets.add_user(served.box.settings, "paula", PASSWORD)

    def guess(number: int) -> int:
        body = {"name": "paula", "password": f"wrong password {number}"}
        return served.ask("POST", "/sessions", body, token="", headers=forged(number)).status

    assert at_once(guess) == {401: SIGN_IN_TRIES, 429: AT_ONCE - SIGN_IN_TRIES}
    refused = [
        entry
        for entry in served.box.history.audit_log(who="", before_id=None, limit=200)
        if entry.action == "sign_in.refused"
    ]
    assert {entry.address for entry in refused} == {"127.0.0.1"}, "nobody names their own address"


def test_many_correct_sign_ins_at_once_all_succeed(served: Served) -> None:
    secrets.add_user(served.box.settings, "quentin", PASSWORD)
    body = {"name": "quentin", "password": PASSWORD}
    assert at_once(lambda _: served.ask("POST", "/sessions", body, token="").status) == {201: AT_ONCE}


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_all_addresses_of_one_subscriber_share_their_tries(one: str, other: str, together: bool) -> None:
    guard = SignInGuard()
    for _ in range(SIGN_IN_TRIES):
        with pytest.raises(ProblemError, match="sign_in_refused"), guard.guess(one, 0.0):
            raise ProblemError(SIGN_IN_REFUSED)
    if together:
        with pytest.raises(ProblemError, match="sign_in_paused"):
            guard.check(other, 1.0)
    else:
        guard.check(other, 1.0)


def test_the_advice_after_too_many_sign_ins_says_how_long_the_pause_is() -> None:
    assert "five minutes" in SIGN_IN_PAUSED.advice
    assert SIGN_IN_WINDOW_S == 5 * 60


def test_a_sign_in_costs_the_same_whether_or_not_there_is_such_a_user(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts operations, because times depend on the load of the machine."""
    store = served.box.settings
    secrets.add_user(store, "rosa", PASSWORD, email="rosa@example.com")
    store.add(User(name="no-password"))
    store.update(User, secrets.add_user(store, "disabled", PASSWORD), {"disabled": True})
    work: list[tuple[Any, ...]] = []
    scrypt = hashlib.scrypt

    def counted(password: bytes, **how: Any) -> bytes:
        work.append((how["n"], how["r"], how["p"], len(how["salt"]), how.get("dklen", 64)))
        return scrypt(password, **how)

    monkeypatch.setattr(hashlib, "scrypt", counted)
    said = set()
    costs = {}
    for name in ("rosa", "rosa@example.com", "no-password", "disabled", "nobody"):
        work.clear()
        answer = served.ask("POST", "/sessions", {"name": name, "password": "wrong password"}, token="")
        said.add((answer.status, answer.json["code"]))
        costs[name] = tuple(work)
    assert len(set(costs.values())) == 1, costs
    assert said == {(401, "sign_in_refused")}


# The stream; what tests/api/test_doctor.py looks through.
WITHOUT_END_OR_SLOW = ("/events", "/doctor", "/bundle")
SECRET_WORDS = {
    "the trunk's password": "trunk-Secret-5151",
    "the mail server's password": "mail-Secret-6262",
    "a user's password": "user-Secret-7373",
    "a wrong password": "wrong-Secret-8484",
    "a password in the place of the name": "name-Secret-9595",
}


def test_no_secret_stands_in_logs_tables_exports_or_the_audit(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    words = dict(SECRET_WORDS)
    store = served.box.settings
    trunk = {"server": "127.0.0.1:9", "username": "box", "password": words["the trunk's password"]}
    made = served.ask("POST", "/lines", {"kind": "sip_trunk", "name": "t", "enabled": False, **trunk})
    if made.status != 201:
        store.add(SipTrunk(name="t", enabled=False, server="127.0.0.1", password=trunk["password"]))
    store.change(MailOutSettings, {"password": words["the mail server's password"]})
    secrets.add_user(store, "sven", words["a user's password"])
    for name, password in (
        ("sven", "a user's password"),
        ("sven", "a wrong password"),
        (words["a password in the place of the name"], "a wrong password"),
    ):
        served.ask("POST", "/sessions", {"name": name, "password": words[password]}, token="")
    words["a key's token"] = served.key("secretive", Scope.ADMIN)
    words["a key's token that is wrong"] = "fxb_wrong-Secret-4040"
    words["the local ticket"] = served.admin
    served.ask("GET", "/me", token=words["a key's token that is wrong"])
    words["a sign-in"] = served.ask(
        "POST", "/sessions", {"name": "sven", "password": words["a user's password"]}, token=""
    ).json["token"]
    for entry in store.items(User).values():
        if entry.password_hash:
            words[f"the hash of {entry.name}"] = entry.password_hash
    made_secrets = store.section(secrets.SecretSettings)
    words["the key of sessions"] = made_secrets.session_key
    words["the key of webhooks"] = made_secrets.webhook_key
    told = {"the log": caplog.text}
    routes = served.ask("GET", "/openapi.json").json["paths"]
    for path, methods in routes.items():
        if "get" in methods and "{" not in path and not path.endswith(WITHOUT_END_OR_SLOW):
            told[f"GET {path}"] = served.ask("GET", path.removeprefix("/api/v1")).content.decode("latin-1")
    told["the log, afterwards"] = caplog.text
    assert len(told) > 20
    found = [(where, what) for where, text in told.items() for what, word in words.items() if word in text]
    assert found == []


def test_no_secret_stands_in_the_process_list(served: Served) -> None:
    """Every user of the machine can read the arguments of processes."""
    made = served.box.settings.section(secrets.SecretSettings)
    words = [served.admin, made.session_key, made.webhook_key, *SECRET_WORDS.values()]
    found = arguments_of_children()
    assert not [word for word in words for arguments in found.values() if word in arguments]
    assert found, "the exchange is a process of the box"


@pytest.mark.parametrize(
    "address", ["a@b.example\r\nBcc: x@y.example", "a@b.example\nRCPT TO:<x>", "a\r@b.example"]
)
def test_a_line_break_in_an_address_adds_no_line_to_an_e_mail(served: Served, address: str) -> None:
    body = {"name": "lena", "password": PASSWORD, "email": address}
    assert served.ask("POST", "/users", body).status == 400
    with pytest.raises(SettingError):
        served.box.settings.change(MailInSettings, {"imap_username": address})


@pytest.mark.parametrize(
    "number", ["0301;+FCLASS=0", "0301\rATH", "0301\nATD0900", "+++ATH", "0301@b", "0301^"]
)
def test_a_number_adds_no_command_to_what_a_modem_gets(served: Served, number: str) -> None:
    body = {"to": [number], "files": [{"content": "YQ=="}], "hold": True}
    made = served.ask("POST", "/faxes", body)
    if made.status != 201:
        assert made.status in (400, 422)
        return
    dialled = made.json["faxes"][0]["number"]
    assert re.fullmatch(r"[+0-9*#,]+", dialled), "what is dialled has letters of numbers only"
