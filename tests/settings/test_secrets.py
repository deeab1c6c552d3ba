"""Names and passwords: no two look alike, and the cost of checking many passwords at once is bounded."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from appliance.configuration import open_settings
from appliance.settings import secrets
from appliance.settings.fields import SettingError
from appliance.settings.store import SettingsStore

PASSWORD = "a long password"


@pytest.fixture
def store(tmp_path: Path) -> SettingsStore:
    return open_settings(tmp_path)


@pytest.mark.parametrize("typed", ["ada", "Ada", "ada ", "ADA@office.example", " ada@Office.example "])
def test_a_name_is_taken_as_telephones_write_it(store: SettingsStore, typed: str) -> None:
    ada = secrets.add_user(store, "ada", PASSWORD, email="Ada@office.example")
    secrets.add_user(store, "bob", PASSWORD)
    found = secrets.find_user(store, typed, PASSWORD)
    assert found is not None
    assert found[0] == ada
    assert secrets.find_user(store, typed, "another password") is None
    assert secrets.find_user(store, "", PASSWORD) is None


@pytest.mark.parametrize("name", ["ada", "Ada", "ada ", "eve ", "shop"])
def test_no_two_users_look_alike_or_see_the_faxes_of_a_key(store: SettingsStore, name: str) -> None:
    secrets.add_user(store, "ada", PASSWORD)
    secrets.add_key(store, "shop")
    with pytest.raises(SettingError):
        secrets.add_user(store, name, PASSWORD)


@pytest.mark.parametrize("name", ["shop", "SHOP", "shop ", "ada"])
def test_no_two_keys_look_alike_or_see_the_faxes_of_a_user(store: SettingsStore, name: str) -> None:
    secrets.add_user(store, "ada", PASSWORD)
    secrets.add_key(store, "shop")
    with pytest.raises(SettingError):
        secrets.add_key(store, name)


def test_a_key_made_for_a_user_may_have_any_name(store: SettingsStore) -> None:
    secrets.add_user(store, "ada", PASSWORD)
    secrets.add_key(store, "ada", owner="ada")


def test_only_so_many_passwords_are_checked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = secrets.hash_password("a long password")
    lock, now, most = threading.Lock(), 0, 0
    as_many = threading.Event()
    real = hashlib.scrypt

    def slow(*arguments: Any, **more: Any) -> bytes:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == secrets.PASSWORDS_AT_ONCE:
                as_many.set()
        as_many.wait(60)
        time.sleep(0.02)  # for one too many
        try:
            return real(*arguments, **more)
        finally:
            with lock:
                now -= 1

    monkeypatch.setattr(hashlib, "scrypt", slow)
    with ThreadPoolExecutor(12) as pool:
        right = list(pool.map(secrets.check_password, ["a long password", "another one"] * 6, [hashed] * 12))
    assert right == [True, False] * 6
    assert most == secrets.PASSWORDS_AT_ONCE
