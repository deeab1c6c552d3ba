"""HTTPS: certificates are checked against the name in the URL, the connection goes to the checked address."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import trustme

from appliance.causes import STOPPING
from appliance.net import http
from appliance.net.causes import URL_TIMED_OUT, URL_UNTRUSTED
from appliance.net.http import FetchError, fetch, post
from appliance.net.watchdog import Watchdog

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextlib.contextmanager
def https_server(
    authority: trustme.CA, name: str, names: list[str], not_after: datetime | None = None
) -> Iterator[int]:
    """A TLS server with a certificate for ``name``; ``names`` gets the names that clients ask for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_after=not_after).configure_cert(context)
    context.sni_callback = lambda sock, asked, _: names.append(str(asked))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                with contextlib.suppress(OSError), context.wrap_socket(peer, server_side=True) as tls:
                    tls.recv(65536)
                    tls.sendall(ANSWER)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that this machine trusts."""
    made = trustme.CA()
    real = ssl.create_default_context

    def context() -> ssl.SSLContext:
        default = real()
        made.configure_trust(default)
        return default

    monkeypatch.setattr(http.ssl, "create_default_context", context)
    return made


def get(port: int, host: str = "hooks.example") -> bytes:
    return fetch(
        f"https://{host}:{port}/",
        limit_octets=10,
        timeout_s=60,
        allow_private=True,
        resolver=lambda *_: ["127.0.0.1"],
    ).content


def test_the_certificate_is_for_the_name_and_the_address_is_the_one_that_was_checked(
    authority: trustme.CA,
) -> None:
    names: list[str] = []
    with https_server(authority, "hooks.example", names) as port:
        assert get(port) == b"ok"
    assert names == ["hooks.example"]


def test_a_certificate_for_another_name_is_refused(authority: trustme.CA) -> None:
    with https_server(authority, "other.example", []) as port, pytest.raises(FetchError) as caught:
        get(port)
    assert caught.value.cause is URL_UNTRUSTED
    assert "ertificate" in caught.value.detail


def test_a_certificate_of_a_stranger_s_authority_is_refused(authority: trustme.CA) -> None:
    with https_server(trustme.CA(), "hooks.example", []) as port, pytest.raises(FetchError) as caught:
        get(port)
    assert caught.value.cause is URL_UNTRUSTED


def test_a_certificate_that_has_expired_is_refused(authority: trustme.CA) -> None:
    past = datetime(2026, 1, 1, tzinfo=UTC)
    with https_server(authority, "hooks.example", [], past) as port, pytest.raises(FetchError) as caught:
        get(port)
    assert (caught.value.cause, "expired" in caught.value.detail) == (URL_UNTRUSTED, True)


def test_a_server_that_never_finishes_the_handshake_is_left_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(FetchError) as caught:
        fetch(
            f"https://127.0.0.1:{listener.getsockname()[1]}/",
            limit_octets=10,
            timeout_s=0.5,
            allow_private=True,
        )
    assert caught.value.cause is URL_TIMED_OUT


def test_a_server_that_drips_through_the_handshake_is_left_at_the_deadline() -> None:
    """Each octet is there in time, the whole never is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            peer, _ = listener.accept()
            with peer, contextlib.suppress(OSError):
                peer.sendall(b"\x16\x03\x03\x40\x00")
                while True:
                    peer.sendall(b"\0")
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(FetchError) as caught:
            fetch(
                f"https://127.0.0.1:{listener.getsockname()[1]}/",
                limit_octets=10,
                timeout_s=0.5,
                allow_private=True,
            )
    assert caught.value.cause is URL_TIMED_OUT
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_stop_ends_a_request_that_runs_and_refuses_the_next(scheme: str) -> None:
    halt = Watchdog()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/"

        def pull() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(1)
                halt.expire()
                peer.recv(65536)

        puller = threading.Thread(target=pull, daemon=True)
        puller.start()
        begun = time.monotonic()
        for _ in range(2):
            with pytest.raises(FetchError) as caught:
                fetch(url, limit_octets=10, timeout_s=100, allow_private=True, halt=halt)
            assert caught.value.cause is STOPPING
        assert time.monotonic() - begun < 50
        puller.join(10)


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(ANSWER)

        threading.Thread(target=serve, daemon=True).start()
        answer = post(
            f"http://two.example:{port}/",
            b"x",
            {},
            timeout_s=60,
            allow_private=True,
            resolver=lambda *_: ["127.0.0.9", "127.0.0.1"],
        )
    assert answer.accepted


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
        b"HTTP/1.1 200 " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
        b"HTTP/9.9 999 ?\r\n\r\n",
        b"\0" * 10_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\n",
        b"SSH-2.0-x\r\n",
    ],
    ids=["continue", "status line", "headers", "version", "zeros", "chunk", "length", "ssh"],
)
def test_what_is_no_http_ends_as_an_error_in_words_or_an_answer(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer, contextlib.suppress(OSError):
                peer.recv(65536)
                peer.sendall(said)
                peer.shutdown(socket.SHUT_WR)
                peer.recv(65536)

        threading.Thread(target=serve, daemon=True).start()
        with contextlib.suppress(FetchError):
            got = fetch(
                f"http://127.0.0.1:{listener.getsockname()[1]}/",
                limit_octets=1000,
                timeout_s=60,
                allow_private=True,
            )
            assert len(got.content) <= 1000


@pytest.mark.parametrize("name", ["X\r\nInjected", "X y"])
def test_headers_cannot_be_smuggled_in(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(FetchError):
        post(
            f"http://127.0.0.1:{listener.getsockname()[1]}/",
            b"",
            {name: "1\r\nEvil: 2"},
            timeout_s=60,
            allow_private=True,
        )


def test_a_server_that_drips_its_answer_over_tls_is_left_at_the_deadline(authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example").configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        with contextlib.suppress(OSError):
            peer, _ = listener.accept()
            with context.wrap_socket(peer, server_side=True) as tls:
                tls.recv(65536)
                for octet in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 600:
                    tls.sendall(bytes((octet,)))
                    time.sleep(0.05)

    threading.Thread(target=drip, daemon=True).start()
    begun = time.monotonic()
    with contextlib.closing(listener), pytest.raises(FetchError) as caught:
        fetch(
            f"https://hooks.example:{listener.getsockname()[1]}/",
            limit_octets=10,
            timeout_s=1.0,
            allow_private=True,
            resolver=lambda *_: ["127.0.0.1"],
        )
    assert caught.value.cause is URL_TIMED_OUT
    assert time.monotonic() - begun < 20
