"""Requests to servers that lie, send slowly, redirect and rebind, over real sockets on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from appliance.documents.causes import DOCUMENT_TOO_LARGE
from appliance.net.addresses import is_public
from appliance.net.causes import URL_NOT_ALLOWED, URL_TIMED_OUT, URL_UNREACHABLE
from appliance.net.http import FetchError, fetch, post

Answer = Callable[[socket.socket, bytes], None]


@contextlib.contextmanager
def server(answer: Answer) -> Iterator[int]:
    """A server that reads one request head a connection and hands the socket over; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(60)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                with peer, contextlib.suppress(OSError):
                    peer.settimeout(60)
                    head = b""
                    while b"\r\n\r\n" not in head:
                        piece = peer.recv(65536)
                        if not piece:
                            break
                        head += piece
                    answer(peer, head)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def says(text: bytes) -> Answer:
    return lambda peer, _: peer.sendall(text)


def get(port: int, path: str = "/a.pdf", *, limit_octets: int = 1000, timeout_s: float = 60) -> bytes:
    url = f"http://127.0.0.1:{port}{path}"
    return fetch(url, limit_octets=limit_octets, timeout_s=timeout_s, allow_private=True).content


def test_a_document_comes_with_its_name_and_type() -> None:
    text = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nContent-Length: 4\r\n\r\n%PDF"
    with server(says(text)) as port:
        url = f"http://127.0.0.1:{port}/papers/a%20b.pdf?x=1"
        got = fetch(url, limit_octets=10, timeout_s=60, allow_private=True)
    assert (got.content, got.media_type, got.name) == (b"%PDF", "application/pdf", "a b.pdf")


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + bytes(5000),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"400\r\n" + bytes(1024) + b"\r\n") * 9,
    ],
    ids=["announced", "unannounced", "chunked"],
)
def test_a_document_beyond_the_limit_is_not_taken(text: bytes) -> None:
    with server(says(text)) as port, pytest.raises(FetchError) as caught:
        get(port)
    assert caught.value.cause is DOCUMENT_TOO_LARGE


def test_a_document_that_breaks_off_is_not_taken_for_whole() -> None:
    text = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nabc"
    with server(says(text)) as port, pytest.raises(FetchError) as caught:
        get(port)
    assert caught.value.cause is URL_UNREACHABLE


def drip(peer: socket.socket, _: bytes) -> None:
    for octet in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 4000:  # 200 s of it
        peer.sendall(bytes((octet,)))
        time.sleep(0.05)


def test_a_server_that_drips_is_left_at_the_deadline() -> None:
    begun = time.monotonic()
    with server(drip) as port, pytest.raises(FetchError) as caught:
        get(port, timeout_s=0.5)
    assert caught.value.cause is URL_TIMED_OUT
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a",
        "file:///etc/passwd",
        "http:///x",
        "http://user:pw@example.com/",
        "http://example.com:25/",
        "http://exa mple.com/",
        "http://[::1",
        "gopher://x",
        "",
    ],
)
def test_malformed_and_forbidden_urls_are_not_requested(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        fetch(url, limit_octets=10, timeout_s=1, allow_private=True)
    assert caught.value.cause is URL_NOT_ALLOWED


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "100.64.0.1",
        "::127.0.0.1",
        "rubbish",
    ],
)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(address)


def test_a_name_that_leads_inside_is_refused_before_connecting() -> None:
    with server(says(b"HTTP/1.1 200 OK\r\n\r\nsecret")) as port, pytest.raises(FetchError) as caught:
        fetch(f"http://fax.example:{port}/", limit_octets=99, timeout_s=60, resolver=lambda *_: ["127.0.0.1"])
    assert caught.value.cause is URL_NOT_ALLOWED


def test_the_name_is_looked_up_once_so_a_second_answer_cannot_lead_inside() -> None:
    asked: list[str] = []

    def rebinding(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as port:
        url = f"http://a.example:{port}/"
        fetch(url, limit_octets=9, timeout_s=60, allow_private=True, resolver=rebinding)
    assert asked == ["a.example"]


def test_a_redirect_leads_inside_only_as_far_as_the_first_address_could() -> None:
    def moved(peer: socket.socket, _: bytes) -> None:
        peer.sendall(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n")

    with server(moved) as port, pytest.raises(FetchError) as caught:
        get(port)
    assert caught.value.cause is URL_NOT_ALLOWED


def test_a_fourth_redirect_is_not_followed() -> None:
    requests: list[bytes] = []

    def round_and_round(peer: socket.socket, head: bytes) -> None:
        requests.append(head)
        peer.sendall(b"HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n")

    with server(round_and_round) as port, pytest.raises(FetchError):
        get(port)
    assert len(requests) == 4


def test_a_webhook_does_not_follow_redirects_and_keeps_the_answer_short() -> None:
    text = b"HTTP/1.1 307 Go\r\nLocation: http://10.0.0.1/\r\n\r\n" + b"x" * 100_000
    with server(says(text)) as port:
        answer = post(f"http://127.0.0.1:{port}/", b"{}", {"X-A": "b"}, timeout_s=60, allow_private=True)
    assert answer.status == 307
    assert not answer.accepted
    assert answer.answer.startswith("→ http://10.0.0.1/ xxx")
    assert len(answer.answer) == 4096


def test_a_redirected_webhook_says_where_to_also_when_it_is_a_path() -> None:
    with server(says(b"HTTP/1.1 308 Moved\r\nLocation: /fax\r\nContent-Length: 0\r\n\r\n")) as port:
        answer = post(f"http://127.0.0.1:{port}/hook", b"{}", {}, timeout_s=60, allow_private=True)
    assert answer.answer == f"→ http://127.0.0.1:{port}/fax"


def test_the_words_of_a_webhooks_answer_control_no_terminal() -> None:
    with server(says(b"HTTP/1.1 500 No\r\n\r\n\x1b[2Joops\r\nINFO all is well\xe2\x80\xae")) as port:
        answer = post(f"http://127.0.0.1:{port}/", b"{}", {}, timeout_s=60, allow_private=True)
    assert answer.answer == "[2Joops INFO all is well"


def test_interim_answers_before_the_answer_count_for_nothing() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    with server(says(early + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere")) as port:
        answer = post(f"http://127.0.0.1:{port}/", b"{}", {}, timeout_s=60, allow_private=True)
        assert (answer.accepted, answer.answer) == (True, "there")
        assert get(port) == b"there"
