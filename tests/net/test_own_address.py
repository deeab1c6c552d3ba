"""The file that says where a running box listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.net import own_address
from appliance.net.own_address import FILE_NAME, OwnAddress


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"url": 5}',
        '{"url": "ftp://127.0.0.1"}',
        '{"url": "http://127.0.0.1:port"}',
        '{"url": "http://127.0.0.1:99999"}',
        '{"url": "http://[::1"}',
    ],
)
def test_a_damaged_file_is_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    assert own_address.read(tmp_path) is None


def test_what_was_told_is_read_until_it_is_forgotten(tmp_path: Path) -> None:
    told = OwnAddress("https://0.0.0.0", "a certificate")
    own_address.tell(tmp_path, told)
    assert own_address.read(tmp_path) == told
    assert (told.host, told.port, told.is_encrypted) == ("127.0.0.1", 443, True)
    own_address.forget(tmp_path)
    assert own_address.read(tmp_path) is None
