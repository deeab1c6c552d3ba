"""Passwords: the cost of checking many at once is bounded."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from appliance.settings import secrets


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
