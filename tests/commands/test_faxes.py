"""The faxes of a running box at the keyboard, asked through its own interface."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.cli import main
from appliance.net import own_address
from appliance.net.own_address import OwnAddress
from tests.api.served import Served, serving

END_S = 60  # for hangs

pytestmark = pytest.mark.realtime


@pytest.fixture(name="served", scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("box")) as served:
        yield served


@pytest.fixture(name="sent", scope="module")
def _sent(served: Served) -> list[int]:
    """Two faxes that have ended: one delivered, one to a number that is busy."""
    made = []
    for number in ("9990", "9991"):
        answer = served.form("/faxes", [("to", number), ("max_tries", "1")], [("a.txt", b"A letter")])
        made.append(answer.json["faxes"][0]["id"])
    for fax in made:
        served.ended(fax)
    return made


def run(served: Served, *words: object) -> int:
    return main([*map(str, words), "--data", str(served.box.data)])


def test_list_shows_the_newest_first_with_what_happened(
    served: Served, sent: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(served, "list") == 0
    head, newest, older, *_ = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "ID"
    assert newest.split()[0] == str(sent[1])
    assert "9991" in newest
    assert "busy" in newest
    assert "delivered" in older


def test_json_is_what_the_interface_shows(
    served: Served, sent: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(served, "list", "--state", "delivered", "--json") == 0
    (fax,) = json.loads(capsys.readouterr().out)
    assert fax == {
        name: value for name, value in served.ask("GET", f"/faxes/{sent[0]}").json.items() if name in fax
    }
    assert run(served, "show", sent[1], "--json") == 0
    assert json.loads(capsys.readouterr().out) == served.ask("GET", f"/faxes/{sent[1]}").json


def test_show_tells_what_happened_and_what_to_do(
    served: Served, sent: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(served, "show", sent[1]) == 0
    said = capsys.readouterr().out
    result = served.ask("GET", f"/faxes/{sent[1]}").json["result"]
    assert result["sentence"] in said
    assert result["advice"] in said
    assert "Try 1:" in said


def test_resend_goes_to_another_number_and_cancel_stops_it(
    served: Served, sent: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    with served.no_second_try():
        assert run(served, "resend", sent[0], "--to", "9991", "--json") == 0
        (again,) = json.loads(capsys.readouterr().out)
        assert (again["resent_from"], again["to"]["number"]) == (sent[0], "9991")
        assert run(served, "cancel", again["id"]) == 0
        assert str(again["id"]) in capsys.readouterr().out
        assert served.ended(again["id"])["state"] == "cancelled"


def test_the_inbox_says_what_is_new(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert served.ask("POST", "/practice/receive", {}).status < 300
    served.wait(
        lambda: any(each["ended_at"] is not None for each in served.ask("GET", "/received").json["received"])
    )
    assert run(served, "inbox", "--unread") == 0
    said = capsys.readouterr().out
    assert "new practice" in said
    (fax,) = served.ask("GET", "/received").json["received"]
    assert run(served, "show", fax["id"], "--received") == 0
    assert f"Received fax: {fax['id']}".split() == capsys.readouterr().out.splitlines()[0].split()


def test_tail_tells_what_happens_as_it_happens(served: Served) -> None:
    command = [sys.executable, "-m", "appliance.cli", "tail", "--json", "--data", str(served.box.data)]
    tail = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        assert tail.stdout is not None
        # Whatever is handed in once the stream is up is told.
        served.wait(lambda: served.server.context.streams.used > 0)
        made = served.form("/faxes", [("to", "9990")], [("a.txt", b"A letter")])
        fax = made.json["faxes"][0]["id"]
        while (seen := json.loads(tail.stdout.readline()))["fax_id"] != fax:
            pass
        assert seen["kind"]
    finally:
        tail.kill()
        tail.wait(END_S)


def test_an_unknown_fax_and_a_box_that_does_not_run_are_said_in_a_sentence(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(served, "show", 999_999) == 1
    assert "faxbox: " in capsys.readouterr().err
    (tmp_path / "box").mkdir()
    assert main(["list", "--data", str(tmp_path / "box")]) == 3
    assert "no box is running" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("config", "get"),
        ("config", "set", "practice.speed", "2"),
        ("key", "add", "k"),
        ("setup-code",),
        ("user", "password", "x"),
        ("spool", "check"),
        ("erase", "number", "1"),
        ("practice", "receive"),
    ],
)
def test_a_mistyped_folder_is_a_mistake_and_no_new_box(
    tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--data", str(tmp_path / "typo")])
    assert ended.value.code == 64
    assert "typo" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("list",), "The faxes that were handed in, the newest first."),
        (("config", "set"), "Change a setting."),
        (("line", "add", "sip"), "A SIP trunk."),
    ],
)
def test_the_help_of_a_word_says_what_it_does(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    assert sentence in capsys.readouterr().out


def test_the_help_names_the_states_of_faxes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["list", "--help"])
    assert "needs_number" in capsys.readouterr().out


ANSWERS_OF_OTHERS = {
    "a web server": b"HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Length: 9\r\n\r\n<h1>?</h1>",
    "a page": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
    "another interface": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "the box, killed": b"HTTP/1.1 200 OK\r\nServer: faxbox\r\nContent-Length: 99\r\n\r\n{",
}


@pytest.mark.parametrize("answer", ANSWERS_OF_OTHERS.values(), ids=ANSWERS_OF_OTHERS)
@pytest.mark.parametrize(
    "words", [("list",), ("tail",), ("erase", "fax", "1"), ("practice", "receive"), ("user", "list")]
)
def test_a_box_that_is_gone_and_whose_port_another_program_has_is_no_running_box(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], answer: bytes, words: tuple[str, ...]
) -> None:
    shutil.copy(served.box.data / "settings.json", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        own_address.tell(tmp_path, OwnAddress(f"http://127.0.0.1:{server.getsockname()[1]}"))

        def respond() -> None:
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(answer)

        thread = threading.Thread(target=respond)
        thread.start()
        code = main([*words, "--data", str(tmp_path)])
        thread.join()
    said = capsys.readouterr().err
    assert code == 3 or (words == ("tail",) and b"faxbox" in answer)
    assert code == 0 or (said.startswith("faxbox: ") and said.endswith("start it with: faxbox serve\n"))


@pytest.mark.parametrize("what", ["fax", "received"])
def test_what_is_no_number_of_a_fax_is_not_erased(
    served: Served, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    assert run(served, "erase", what, "abc") == 64
    assert "'abc': a whole number of at least 1 is needed" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told_by_name(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(served, "practice", "receive", "/nowhere/letter.pdf") == 78
    assert "/nowhere/letter.pdf" in capsys.readouterr().err


def test_a_fax_that_is_not_there_or_has_ended_is_called_a_fax(
    served: Served, sent: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(served, "show", 4711) == 1
    assert "(no fax 4711)" in capsys.readouterr().err
    assert run(served, "cancel", sent[0]) == 1
    assert f"(fax {sent[0]} is delivered:" in capsys.readouterr().err
