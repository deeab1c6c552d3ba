"""Requests that are wrong, huge, slow, cut off or hostile: the right error, and nothing else disturbed."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.api import http_connection, http_request, limits
from appliance.net.settings import ApiSettings
from appliance.settings.accounts import Scope
from tests.api.served import TIMEOUT_S, Served, form_body

HOST = "Host: x\r\n"


@pytest.fixture(autouse=True)
def undisturbed(served: Served) -> Iterator[None]:
    """Checks after a test that the box responds and has leaked neither threads nor memory."""
    yield
    assert served.ask("GET", "/health", token="").status == 200
    served.wait(lambda: served.server.context.content.used == 0)


@contextlib.contextmanager
def connected(served: Served, timeout: float = TIMEOUT_S) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", served.port), timeout=timeout) as sock:
        yield sock


def answer(sock: socket.socket) -> tuple[int, str]:
    """Status and code of what comes back until the connection ends; (0, "") for nothing."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(65536):
            received += piece
    if not received:
        return 0, ""
    head, _, body = received.partition(b"\r\n\r\n")
    with contextlib.suppress(ValueError):
        return int(head.split()[1]), json.loads(body)["code"]
    return int(head.split()[1]), ""


def say(served: Served, *pieces: bytes) -> tuple[int, str]:
    with connected(served) as sock:
        for piece in pieces:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(piece)
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
        return answer(sock)


def post(served: Served, more: str, body: bytes = b"", *, path: str = "/faxes") -> tuple[int, str]:
    """A POST by the administrator with further header lines."""
    head = f"POST /api/v1{path} HTTP/1.1\r\n{HOST}Authorization: Bearer {served.admin}\r\n{more}\r\n"
    return say(served, head.encode("latin-1"), body)


@pytest.mark.parametrize(
    ("octets", "statuses"),
    [
        (b"\r\n\r\n", {0, 400}),
        (b"\x00\x01\x02\xff\r\n\r\n", {400}),
        (b"GET\r\n\r\n", {400}),
        (b"GET / HTTP/9.9\r\n\r\n", {505}),
        (b"GET /api/v1/health HTTP/1.-1\r\nHost: x\r\n\r\n", {505}),
        (b"GET /api/v1/health FTP/1.1\r\n\r\n", {400}),
        (b"GET /api/v1/health HTTP/1.1\nHost: x\n\n", {400}),
        (b"GET /api/v1/health HTTP/1.1\r\n\r\n", {400}),
        (b"GET /api/v1/health HTTP/1.1\r\nno colon here\r\n\r\n", {400}),
        (b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {414}),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 40_000 + b"\r\n\r\n", {413}),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 20_000 + b"\r\n", {413}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {0, 400}),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {505}),
        (b"A" * 100_000, {400, 414}),
    ],
)
def test_what_is_not_http_gets_an_error_and_an_end(served: Served, octets: bytes, statuses: set[int]) -> None:
    status, code = say(served, octets)
    assert status in statuses
    assert code.startswith("request_") or not status
    assert code != "request_fault", "a fault of the client's is not the box's mistake"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"http://127.0.0.1/api/v1/numbers/check?number=112", 200),
        (b"HTTPS://fax.example:8443/api/v1/faxes", 200),
        (b"http://[::1]:80/api/v1/faxes", 200),
        (b"http://fax.example", 404),
        (b"http://fax.example?x=1", 404),
        (b"http://ada:secret@fax.example/api/v1/faxes", 400),
        (b"http:///api/v1/faxes", 400),
        (b"//api/v1/faxes", 404),
        (b"http://fax.example//api/v1/faxes", 404),
        (b"http:/api/v1/faxes", 400),
        (b"ftp://fax.example/api/v1/faxes", 400),
        (b"http://fax.example/api/v1/faxes#part", 400),
    ],
)
def test_a_target_in_absolute_form_is_the_path_in_it(served: Served, target: bytes, status: int) -> None:
    head = f" HTTP/1.1\r\n{HOST}Authorization: Bearer {served.admin}\r\nConnection: close\r\n\r\n"
    with connected(served) as sock:
        sock.sendall(b"GET " + target + head.encode())
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    assert int(received.split()[1]) == status


def test_a_target_in_absolute_form_needs_a_host_field_and_is_that_of_one_request_only(served: Served) -> None:
    head = b"GET http://fax.example/api/v1/health HTTP/1.1\r\n"
    assert say(served, head + b"\r\n") == (400, "request_invalid")
    assert say(served, head + b"Host: a\r\nHost: b\r\n\r\n") == (400, "request_invalid")
    with connected(served) as sock:
        # The second request on the connection has a target of the usual form, and is its own.
        sock.sendall(head + b"Host: x\r\n\r\n")
        sock.sendall(b"GET /api/v1/health HTTP/1.1\r\nConnection: close\r\n\r\n")
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 400 " in received


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ("Content-Type: application/json\r\nContent-Length: 10\r\n", b"{", 408, "request_incomplete"),
        ("Content-Type: application/json\r\nContent-Length: -1\r\n", b"{}", 400, "request_invalid"),
        ("Content-Type: application/json\r\nContent-Length: 2x\r\n", b"{}", 400, "request_invalid"),
        (
            "Content-Type: application/json\r\nContent-Length: 999999999999999999999\r\n",
            b"{}",
            400,
            "request_invalid",
        ),
        ("Content-Type: application/json\r\nContent-Length: 3\r\n", b"{]}", 400, "request_invalid"),
        ("Content-Type: application/json\r\nContent-Length: 2\r\n", b"\xff\xfe", 400, "request_invalid"),
        ("Content-Type: text/plain\r\nContent-Length: 2\r\n", b"{}", 415, "media_type_unsupported"),
        ("Content-Type: \xff\xfe;;;=\r\nContent-Length: 2\r\n", b"{}", 415, "media_type_unsupported"),
        ("Content-Type: application/json\r\n", b"", 400, "request_invalid"),
        (
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
            b'5\r\n{"to"\r\n',
            408,
            "request_incomplete",
        ),
        (
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
            b"zz\r\n",
            408,
            "request_incomplete",
        ),
        (
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
            b"-5\r\n",
            408,
            "request_incomplete",
        ),
        (
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
            b"FFFFFFFFFFFFFFFF\r\n",
            408,
            "request_incomplete",
        ),
        (
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
            b"2\r\n{}XX0\r\n\r\n",
            408,
            "request_incomplete",
        ),
        (
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
            b"A" * 100_000,
            408,
            "request_incomplete",
        ),
        ("Content-Type: application/json\r\nTransfer-Encoding: gzip\r\n", b"{}", 501, "request_invalid"),
        ("Content-Type: multipart/form-data\r\nContent-Length: 2\r\n", b"{}", 400, "request_invalid"),
        (
            'Content-Type: multipart/form-data; boundary=""\r\nContent-Length: 2\r\n',
            b"{}",
            400,
            "request_invalid",
        ),
        (
            f"Content-Type: multipart/form-data; boundary={'b' * 500}\r\nContent-Length: 2\r\n",
            b"{}",
            400,
            "request_invalid",
        ),
        (
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 20\r\n",
            b"--y\r\n\r\n",
            408,
            "request_incomplete",
        ),
        (
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5\r\n",
            b"--x\r\n",
            400,
            "request_invalid",
        ),
        (
            "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n",
            b"{}",
            415,
            "media_type_unsupported",
        ),
        (
            "Content-Type: multipart/form-data; boundary=x\r\nContent-Encoding: br\r\nContent-Length: 5\r\n",
            b"--x\r\n",
            415,
            "media_type_unsupported",
        ),
    ],
)
def test_a_damaged_content_is_refused(
    served: Served, headers: str, body: bytes, status: int, code: str
) -> None:
    assert post(served, headers, body) == (status, code)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[" * 90_000, "not JSON"),
        (b'{"to": ' + b'{"a":' * 90_000, "not JSON"),
        (b'{"to": [NaN]}', "not JSON"),
        (b'{"to": [' + b"9" * 100_000 + b"]}", "not JSON"),
        (b'{"to": ["\\ud800"]}', "surrogate"),
        (b'{"to": ["9990"], "tag": "\\u0000"}', "NUL"),
        (b'{"to": ["9990"], "metadata": {"\\udfff": 1}}', "surrogate"),
        (b'{"to": ["9990"], "max_tries": 1e400}', "too large"),
        (b'{"to": ["9990"], "metadata": {"a": -1e999}}', "too large"),
        (b'{"to": ["9990"], "metadata": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}", "nested"),
    ],
)
def test_json_that_would_break_something_is_refused(served: Served, body: bytes, words: str) -> None:
    reply = served.ask("POST", "/faxes", body, headers={"Content-Type": "application/json"})
    assert reply.status == 400
    assert words in reply.json["detail"]


@pytest.mark.parametrize("value", [b"[]", b"{}", b"0"])
def test_json_of_millions_of_values_is_refused(served: Served, value: bytes) -> None:
    body = b'{"to": [' + (value + b",") * 3_000_000 + value + b"]}"
    test_json_that_would_break_something_is_refused(served, body, "more than 100000 values")


def test_a_request_of_more_than_the_limit_is_refused_and_the_client_hears_it(served: Served) -> None:
    huge = b"x" * 25_000_000
    head = f"Content-Type: application/json\r\nContent-Length: {len(huge)}\r\n"
    assert post(served, head, huge) == (413, "request_too_large")
    chunks = b"".join(b"%x\r\n" % 1_000_000 + b"y" * 1_000_000 + b"\r\n" for _ in range(22)) + b"0\r\n\r\n"
    assert post(served, "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", chunks) == (
        413,
        "request_too_large",
    )
    before = sorted((served.box.data / "documents").iterdir())
    form = form_body([("to", "9990")], [("a.txt", b"z" * 21_000_000)])
    reply = served.ask(
        "POST",
        "/faxes",
        form,
        headers={"Content-Type": "multipart/form-data; boundary=a-boundary-that-no-file-has"},
    )
    assert (reply.status, reply.json["code"]) == (413, "request_too_large")
    assert sorted((served.box.data / "documents").iterdir()) == before


def test_a_form_of_many_parts_or_a_long_field_is_refused(served: Served) -> None:
    many = served.form("/faxes", [("to", "9990")] * 300, [("a.txt", b"one")])
    assert (many.status, many.json["code"]) == (400, "request_invalid")
    files = served.form("/faxes", [("to", "9990")], [("a.txt", b"one")] * 21)
    assert (files.status, files.json["code"]) == (422, "too_many_files")
    assert files.json["errors"] == [{"path": "files", "problem": "at most 20 entries are allowed"}]
    long = served.form("/faxes", [("to", "9990"), ("tag", "x" * 100_000)], [("a.txt", b"one")])
    assert (long.status, long.json["code"]) == (413, "request_too_large")


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "..\\..\\boot.ini",
        "/etc/shadow",
        "a\0b.txt",
        "",
        ".",
        "..",
        "x" * 5000 + ".txt",
        "a\r\nb.txt",
        "\u202etxt.exe",
        "CON",
    ],
)
def test_a_files_name_never_becomes_a_path(served: Served, name: str) -> None:
    body = {"files": [{"name": name[:255], "content": "aGVsbG8="}]}
    reply = served.ask("POST", "/documents", body)
    if "\0" in name:
        assert reply.status == 400
        return
    assert reply.status == 201, reply.content
    stored = reply.json["files"][0]["name"]
    assert stored
    assert not set(stored) & set("/\\\r\n\0")
    inside = {path.resolve().is_relative_to(served.box.data) for path in served.box.data.rglob("*")}
    assert inside == {True}


def test_a_strangers_content_is_never_read(served: Served) -> None:
    """The response arrives before any octet of the announced content is sent."""
    with connected(served) as sock:
        sock.sendall(
            b"POST /api/v1/faxes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 10000000\r\n\r\n"
        )
        sock.settimeout(TIMEOUT_S)
        assert b" 401 " in sock.recv(4096)


def test_slow_heads_are_cut_off_and_others_are_served_meanwhile(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_request, "HEAD_LIMIT_S", 1.5)
    ended: list[float] = []

    def drip() -> None:
        began = time.monotonic()
        with connected(served) as sock, contextlib.suppress(OSError):
            sock.settimeout(0.2)
            while time.monotonic() - began < TIMEOUT_S:
                sock.sendall(b"G" if time.monotonic() - began < 0.2 else b"E")
                with contextlib.suppress(TimeoutError):
                    if not sock.recv(4096):
                        break
        ended.append(time.monotonic() - began)

    slow = [threading.Thread(target=drip) for _ in range(20)]
    for thread in slow:
        thread.start()
    time.sleep(0.5)
    assert served.ask("GET", "/status").status == 200
    for thread in slow:
        thread.join()
    assert len(ended) == 20
    assert max(ended) < TIMEOUT_S / 2


def test_a_slow_content_is_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connection, "CONTENT_LIMIT_S", 1.5)
    with connected(served) as sock:
        sock.sendall(
            f"POST /api/v1/faxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.admin}\r\n"
            "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n".encode()
        )
        stopped = threading.Event()

        def drip() -> None:
            while not stopped.wait(0.1):
                with contextlib.suppress(OSError):
                    sock.sendall(b" ")

        thread = threading.Thread(target=drip)
        thread.start()
        assert answer(sock) == (408, "request_incomplete")
        stopped.set()
        thread.join()


def test_a_client_that_goes_away_in_the_middle_leaves_nothing(served: Served) -> None:
    before = sorted((served.box.data / "documents").iterdir())
    whole = form_body([("to", "9990")], [("a.txt", b"z" * 500_000)])
    head = (
        f"POST /api/v1/faxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {served.admin}\r\n"
        "Content-Type: multipart/form-data; boundary=a-boundary-that-no-file-has\r\n"
        f"Content-Length: {len(whole)}\r\n\r\n"
    ).encode()

    def files_begun() -> list[Path]:
        return list(served.box.data.rglob("*.part"))

    for part in (0, 100, 100_000, len(whole) - 1):
        with connected(served) as sock:
            sock.sendall(head + whole[:part])
            if part >= 100_000:
                served.wait(lambda: bool(files_begun()))
        served.wait(lambda: not files_begun())
    # A file whose part was whole is there for a moment, until the form turns out not to be.
    served.wait(lambda: sorted((served.box.data / "documents").iterdir()) == before)


def test_a_client_that_does_not_read_its_answer_is_given_up(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            sock = stack.enter_context(connected(served))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            sock.sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        assert served.ask("GET", "/health", token="").status == 200


def test_the_limits_of_a_key_answer_429_and_other_keys_go_on(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    greedy, modest = served.key("greedy", Scope.SEND), served.key("modest", Scope.SEND)
    settings = served.box.settings
    try:
        settings.change(ApiSettings, {"requests_per_hour": 5})
        statuses = [served.ask("GET", "/me", token=greedy).status for _ in range(8)]
        assert statuses == [200] * 5 + [429] * 3
        refused = served.ask("GET", "/me", token=greedy)
        assert refused.json["code"] == "too_many_requests"
        assert 3000 < int(refused.headers["Retry-After"]) <= 3700
        assert served.ask("GET", "/me", token=modest).status == 200
        settings.change(ApiSettings, {"requests_per_hour": 0, "burst": 3})
        monkeypatch.setattr(limits, "BURST_S", 600.0)  # however slow the machine is
        burst = [served.ask("GET", "/me", token=modest).status for _ in range(5)]
        assert burst.count(429) == 2
        monkeypatch.setattr(limits, "BURST_S", 0.5)
        served.wait(lambda: served.ask("GET", "/me", token=modest).status == 200)
    finally:
        settings.change(ApiSettings, {"requests_per_hour": 0, "burst": 0})


def test_only_so_many_requests_of_a_key_are_in_hand_at_once(served: Served) -> None:
    settings = served.box.settings
    token = served.key("parallel", Scope.SEND)
    settings.change(ApiSettings, {"requests_at_once": 2})
    head = (
        f"POST /api/v1/faxes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    ).encode()
    try:
        with connected(served) as first, connected(served) as second:
            first.sendall(head)
            second.sendall(head)
            served.wait(lambda: served.ask("GET", "/me", token=token).status == 429)
            refused = served.ask("GET", "/me", token=token)
            assert refused.json["detail"] == "at most 2 requests at once"
        served.wait(lambda: served.ask("GET", "/me", token=token).status == 200)
    finally:
        settings.change(ApiSettings, {"requests_at_once": 1000})
