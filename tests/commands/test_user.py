"""``faxbox user`` with a running box."""

from __future__ import annotations

import io
import json

import pytest

from appliance.cli import main
from tests.api.served import Served
from tests.commands.test_faxes import _served  # a fixture

__all__ = ["_served"]


def test_users_are_added_listed_and_removed_by_the_running_box(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ["--data", str(served.box.data)]
    monkeypatch.setattr("sys.stdin", io.StringIO("a long enough word\n"))
    assert main(["user", "add", "dora", "--role", "reader", *data]) == 0
    assert main(["user", "list", "--json", *data]) == 0
    listed = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert [(user["name"], user["role"]) for user in listed] == [("dora", "reader")]
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["user", "add", "eve", *data]) == 1
    assert main(["user", "remove", "dora", *data]) == 0
    assert main(["user", "remove", "dora", *data]) == 1
