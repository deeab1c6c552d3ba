"""Stored thumbnails."""

from __future__ import annotations

import pytest

from appliance.api.pictures import Pictures


def test_a_picture_is_made_once_and_the_one_longest_unasked_goes_first() -> None:
    pictures, made = Pictures(most=30), []

    def get(key: str) -> bytes:
        def make() -> bytes:
            made.append(key)
            return key.encode() * 10

        return pictures.get(key, make)

    for key in "abcabc":
        assert get(key) == key.encode() * 10
    assert made == ["a", "b", "c"]
    get("a")
    get("d")  # b is the one that was not asked for longest
    get("a")
    get("b")
    assert made == ["a", "b", "c", "d", "b"]


def test_what_cannot_be_made_or_kept_is_not_remembered() -> None:
    pictures = Pictures(most=30)
    with pytest.raises(ZeroDivisionError):
        pictures.get("a", lambda: bytes(1 // 0))
    assert pictures.get("a", lambda: b"a" * 31) == b"a" * 31
    assert pictures.get("a", lambda: b"b") == b"b"
