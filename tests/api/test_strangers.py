"""Attacks from outside: strangers cannot occupy the box, and revocation affects open connections."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.api.http_listener import STRANGERS
from appliance.api.limits import BROKEN_TRIES, BROKEN_WINDOW_S, SignInGuard
from appliance.settings.accounts import ApiKey, Scope
from appliance.spool.filters import JobFilter
from tests.api.served import Served
from tests.api.test_stream import Reader

FAXBOX = [sys.executable, "-m", "appliance.cli"]
MORE_THAN_ALL_PLACES = STRANGERS + 40


@pytest.fixture(autouse=True)
def _forgotten(served: Served) -> None:
    """Resets the limits by address: all tests use the same one."""
    served.server.context.broken = SignInGuard(BROKEN_TRIES, BROKEN_WINDOW_S)


def opened(served: Served, head: str, body: bytes = b"") -> socket.socket:
    """A connection that has sent ``head`` and a part of its content."""
    sock = socket.create_connection(("127.0.0.1", served.port), timeout=60)
    sock.sendall(head.encode() + body)
    return sock


@contextlib.contextmanager
def held(served: Served, count: int, head: str, body: bytes = b"") -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(opened(served, head, body)) for _ in range(count)]


def answer(sock: socket.socket) -> bytes:
    said = b""
    with contextlib.suppress(OSError):
        while piece := sock.recv(65536):
            said += piece
    return said


def hand_in(served: Served) -> int:
    """The status of a hand-in with a fax of 160 kB."""
    text = b"All work and no play makes Jack a dull boy.\n" * 4000
    return served.form("/faxes", [("to", "9990"), ("hold", "true")], [("long.txt", text)]).status


TRICKLE = (
    "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    "Content-Length: {}\r\n\r\n"
)


def test_sign_ins_that_never_end_keep_nobody_from_the_box(served: Served) -> None:
    with held(served, MORE_THAN_ALL_PLACES, TRICKLE.format(40), b'{"name"'):
        began = time.monotonic()
        assert served.ask("GET", "/health", token="").status == 200
        assert hand_in(served) == 201
        assert time.monotonic() - began < 60  # a hang would take the strangers' whole time


def test_heads_that_never_end_keep_nobody_from_the_box(served: Served) -> None:
    with held(served, MORE_THAN_ALL_PLACES, "GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX-A: "):
        assert hand_in(served) == 201


def test_a_strangers_length_takes_no_memory_from_callers(served: Served) -> None:
    huge = TRICKLE.format(90_000_000)
    with held(served, 3, huge, b"{"):
        assert served.server.context.content.used == 0
        assert hand_in(served) == 201


def test_an_open_call_is_answered_within_seconds_and_takes_little(served: Served) -> None:
    with opened(served, TRICKLE.format(40), b'{"name"') as slow:
        assert b" 408 " in answer(slow)[:20]
    big = json.dumps({"name": "ada", "password": "x" * 70_000}).encode()
    assert served.ask("POST", "/sessions", big, token="").status == 413


def test_a_strangers_form_is_not_put_on_the_disk(served: Served) -> None:
    before = len(list((served.box.data / "documents").iterdir()))
    head = (
        "POST /ictfax/api/authenticate HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    )
    part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\n' + b"x" * 40_000
    with held(served, 5, head, part) as sockets:
        for sock in sockets:
            assert re.match(rb"HTTP/1.1 4\d\d ", answer(sock))
        assert len(list((served.box.data / "documents").iterdir())) == before


def test_broken_sign_ins_count_against_their_address(served: Served) -> None:
    statuses = [served.ask("POST", "/sessions", b"{", token="").status for _ in range(BROKEN_TRIES + 2)]
    assert statuses == [400] * BROKEN_TRIES + [429, 429]


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Length: 2\r\nContent-Length: 30",
        "Content-Length: 30\r\nContent-Length: 2",
        "Content-Length: +2",
        "Content-Length: 1_0",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 2",
        "Content-Length: 2, 30",
        "Host: y\r\nContent-Length: 2",
        # What some read as one field, and others as another or as none.
        "Content-Length : 2",
        "Content-Length\t: 2",
        " Content-Length: 2",
        "Content-Length:\r\n 2",
        "Transfer-Encoding:\r\n chunked",
        "X-A: a\rContent-Length: 2",
        "X-A: a\0\r\nContent-Length: 2",
        "Content-Length: 2\r\nTransfer-Encoding: \x0bchunked",
        "(Content-Length: 2",
        "Transfer-Encoding: ,",
        "Transfer-Encoding:",
        "Transfer-Encoding: chunked, chunked",
    ],
)
def test_a_request_of_ambiguous_length_is_refused_and_nothing_behind_it_is_read(
    served: Served, fields: str
) -> None:
    head = f"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{fields}\r\n\r\n"
    smuggled = b"{}GET /api/v1/causes/busy HTTP/1.1\r\nHost: x\r\n\r\n"
    with opened(served, head, smuggled) as sock:
        said = answer(sock)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "head",
    [
        "POST /api/v1/sessions HTTP/1.0\r\nConnection: Keep-Alive\r\nTransfer-Encoding: chunked",
        "POST /api/v1/sessions HTTP/1.1\r\nContent-Length: 2",  # without Host
    ],
)
def test_what_its_version_of_http_forbids_is_refused_and_nothing_behind_it_is_read(
    served: Served, head: str
) -> None:
    smuggled = b"{}GET /api/v1/causes/busy HTTP/1.1\r\nHost: x\r\n\r\n"
    with opened(served, head + "\r\n\r\n", smuggled) as sock:
        said = answer(sock)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("word", ["close", "Close", "TE, close"])
def test_a_client_that_wants_no_more_is_left_in_any_spelling(served: Served, word: str) -> None:
    head = f"GET /api/v1/causes/busy HTTP/1.1\r\nHost: x\r\nConnection: {word}\r\n\r\n"
    with opened(served, head) as sock:
        sock.settimeout(5)  # a connection that is kept stays open for longer
        said = b""
        while piece := sock.recv(65536):
            said += piece
    assert said.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("word", ["100-continue", "100-Continue"])
def test_a_client_that_asks_whether_to_go_on_is_answered_in_any_spelling(served: Served, word: str) -> None:
    fields = f"Content-Type: application/json\r\nContent-Length: 2\r\nExpect: {word}"
    with opened(served, f"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n") as sock:
        sock.settimeout(5)  # so long the box waits for the content before it gives the client up
        assert sock.recv(100).startswith(b"HTTP/1.1 100 ")


def test_a_name_with_an_underscore_is_not_the_one_with_a_hyphen(served: Served) -> None:
    fields = "Content_Length: 30\r\nTransfer_Encoding: chunked\r\nContent-Length: 2"
    head = f"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{fields}\r\n\r\n"
    following = b"GET /api/v1/causes/busy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with opened(served, head, b"{}" + following) as sock:
        said = answer(sock)
    assert said.count(b"HTTP/1.1 ") == 2
    assert b'"code": "busy"' in said


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/ictfax/api/authenticate", "application/json"),
        ("/v1/customer/fax-send", "application/json"),
        ("/ipp/faxout", "application/ipp"),
        ("/api/v1/setup", "application/json"),
        ("/", "application/x-www-form-urlencoded"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_contents_that_trickle_into_any_door_keep_nobody_from_the_box(
    served: Served, path: str, kind: str, chunked: bool
) -> None:
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 40"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n{length}\r\n\r\n"
    with held(served, MORE_THAN_ALL_PLACES, head, b"28\r\n{" if chunked else b"{"):
        assert hand_in(served) == 201
        assert served.server.context.content.used == 0


def test_requests_in_a_row_without_end_whose_answers_nobody_reads_keep_nobody_from_the_box(
    served: Served,
) -> None:
    row = b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n" * 2000
    with contextlib.ExitStack() as stack:
        for _ in range(MORE_THAN_ALL_PLACES):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=60))
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                while True:  # until nobody takes more
                    sock.send(row)
        for _ in range(3):
            assert hand_in(served) == 201


def test_a_stream_ends_when_its_key_is_revoked(served: Served) -> None:
    for number, revoke in enumerate(
        (
            lambda key_id: served.box.settings.remove(ApiKey, key_id),
            lambda key_id: served.box.settings.update(ApiKey, key_id, {"disabled": True}),
            lambda key_id: served.box.settings.update(ApiKey, key_id, {"scopes": ("monitor",)}),
        )
    ):
        token = served.key(f"revoked-{number}", Scope.SEND, Scope.ADMIN)
        reader = Reader(served, token=token)
        keys = served.box.settings.items(ApiKey)
        key_id = next(each for each, key in keys.items() if key.name == f"revoked-{number}")
        revoke(key_id)
        made = served.ask("POST", "/faxes", {"to": ["9990"], "files": [{"content": "YQ=="}], "hold": True})
        fax_id = made.json["faxes"][0]["id"]
        assert all(heard.data["fax_id"] != fax_id for heard in reader)  # and it comes to its end
        reader.close()


def test_a_stream_ends_when_its_password_is_changed(served: Served) -> None:
    made = served.ask("POST", "/users", {"name": "olga", "password": "a long enough word", "role": "user"})
    assert made.status == 201, made.content
    signed_in = served.ask("POST", "/sessions", {"name": "olga", "password": "a long enough word"}, token="")
    reader = Reader(served, token=signed_in.json["token"])
    user_id = made.json["id"]
    assert served.ask("PATCH", f"/users/{user_id}", {"password": "another long word"}).status == 200
    assert list(reader) == []
    reader.close()


@pytest.mark.parametrize(
    ("path", "header", "body"),
    [
        (
            "/api/v1/faxes",
            "Authorization: Bearer {}",
            {"to": ["9990"], "files": [{"content": "YQ=="}], "hold": True},
        ),
        ("/v1/customer/fax-send", "accessToken: {}", {"faxNumber": "9990", "fileData": "YQ=="}),
        ("/ictfax/api/documents", "Authorization: Bearer {}", {"name": "from a key that is gone"}),
    ],
)
def test_an_upload_that_outlives_its_key_is_not_taken(
    served: Served, path: str, header: str, body: dict[str, object]
) -> None:
    name = f"slow-{path.split('/')[1]}"
    token, content = served.key(name, Scope.SEND), json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\n{header.format(token)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    with opened(served, head, content[:10]) as sock:
        served.wait(lambda: served.server.context.content.used > 0)
        key_id = next(each for each, key in served.box.settings.items(ApiKey).items() if key.name == name)
        served.box.settings.remove(ApiKey, key_id)
        sock.sendall(content[10:])
        assert re.match(rb"HTTP/1.1 40[13] ", answer(sock))
    assert not served.box.faxes.search(JobFilter(owner=name))
    assert not served.box.documents.search(name)


def test_practice_faxes_are_made_by_administrators_alone_and_marked(served: Served) -> None:
    files = [{"name": "a.txt", "content": "aGVsbG8="}]
    forged = {"files": files, "caller": "+493012345"}
    token = served.key("receiver", Scope.RECEIVE, Scope.SEND)
    assert served.ask("POST", "/practice/receive", forged, token=token).status == 403
    assert served.ask("POST", "/practice/receive", forged).status == 202

    def came() -> bool:
        return any(fax["caller"] == "+493012345" for fax in served.ask("GET", "/received").json["received"])

    served.wait(came)
    assert all(fax["practice"] for fax in served.ask("GET", "/received").json["received"])


def test_nobody_learns_which_contacts_of_others_there_are(served: Served) -> None:
    mine, theirs = served.key("gina", Scope.SEND), served.key("hugo", Scope.SEND)
    private = served.ask("POST", "/contacts", {"number": "9990", "owner": "hugo"}, token=theirs).json["id"]
    absent = private + 1000

    def said(path: str, body: dict[str, object], contact_id: int) -> tuple[int, str]:
        reply = served.ask(
            "POST", path, json.loads(json.dumps(body).replace('"ID"', str(contact_id))), token=mine
        )
        return reply.status, re.sub(rf"\b{contact_id}\b", "ID", json.dumps(reply.json.get("errors")))

    for path, body in (
        ("/groups", {"name": "g", "owner": "gina", "contact_ids": ["ID"]}),
        ("/faxes", {"to": [{"contact": "ID"}], "files": [{"content": "YQ=="}]}),
    ):
        assert said(path, body, private) == said(path, body, absent), path


@pytest.mark.realtime
def test_a_box_with_few_files_to_open_and_a_loose_umask_answers_and_keeps_its_files_to_itself(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o777)
    data.chmod(0o777)

    def loose() -> None:
        os.umask(0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    process = subprocess.Popen(
        [*FAXBOX, "serve", "--data", str(data), "--http", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=loose,  # noqa: PLW1509 - one thread only at this point of the child
    )
    assert process.stdout is not None
    try:
        said = ""
        for line in process.stdout:
            said += line
            if "ready" in line:
                break
        found = re.search(r"http://127\.0\.0\.1:(\d+)", said)
        assert found is not None, said
        threading.Thread(target=process.stdout.read, daemon=True).start()
        port = int(found[1])
        with contextlib.ExitStack() as stack:
            for _ in range(80):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
                sock.sendall(b"GET /api/v1/causes/busy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert answer(sock).startswith(b"HTTP/1.1 200 ")
        open_to_others = [
            path for path in (data, *data.rglob("*")) if stat.S_IMODE(path.lstat().st_mode) & 0o077
        ]
        assert open_to_others == []
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()
