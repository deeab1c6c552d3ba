"""``faxbox user`` with a running box."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from appliance.cli import main
from tests.api.served import Served, serving
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


def test_an_empty_list_is_said_where_no_program_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path) as served:
        data = ["--data", str(served.box.data)]
        capsys.readouterr()
        for words, none in (
            (["user", "list"], "There is no user yet"),
            (["key", "list"], "There is no key yet"),
            (["list"], "There is no such fax"),
        ):
            assert main([*words, *data]) == 0
            said = capsys.readouterr()
            assert (said.out, none in said.err) == ("", True), words
