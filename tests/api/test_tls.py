"""TLS of the HTTP server: clients of Python and OpenSSL, slow clients, and clients without TLS."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from appliance.api.http_listener import SILENCE_S
from appliance.api.server import THREADS
from appliance.api.tls import FOLDER, STAND_IN, TlsError, load, make_certificate
from appliance.commands.running_box import RunningBox
from appliance.net.settings import HttpSettings
from tests.api.served import Served, serving

LIMIT_S = 120.0


def issue(folder: Path, authority: trustme.CA, *names: str) -> dict[str, str]:
    """Files with a certificate and its key, as the settings name them."""
    made = authority.issue_cert(*(names or ("localhost", "127.0.0.1")))
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.unlink(missing_ok=True)
    for blob in made.cert_chain_pems:
        blob.write_to_path(certificate, append=True)
    made.private_key_pem.write_to_path(key)
    return {"tls_certificate": str(certificate), "tls_key": str(key)}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> dict[str, str]:
    return issue(tmp_path_factory.mktemp("files"), authority)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("box"), http=files) as box:
        yield box


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def get(box: Served, context: ssl.SSLContext, path: str = "/api/v1/health") -> tuple[int, bytes]:
    connection = http.client.HTTPSConnection("localhost", box.port, timeout=LIMIT_S, context=context)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {box.admin}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def in_the_clear(box: Served, octets: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", box.port), timeout=LIMIT_S) as sock:
        sock.sendall(octets)
        said = b""
        while piece := sock.recv(65536):
            said += piece
        return said


def test_a_client_that_checks_the_certificate_is_served(secure: Served, authority: trustme.CA) -> None:
    assert get(secure, trusting(authority))[0] == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        get(secure, ssl.create_default_context())
    assert get(secure, trusting(authority))[0] == 200, "one that trusts nobody disturbs nobody"


def test_a_connection_is_kept_for_several_requests_large_and_small(
    secure: Served, authority: trustme.CA
) -> None:
    connection = http.client.HTTPSConnection(
        "localhost", secure.port, timeout=LIMIT_S, context=trusting(authority)
    )
    token = {"Authorization": f"Bearer {secure.admin}"}
    text = "x" * 200_000
    body = json.dumps({"to": ["9990"], "hold": True, "files": [{"content": "SGVsbG8="}], "tag": "t"})
    for method, path, content, status in (
        ("GET", "/openapi.json", None, 200),
        ("POST", "/faxes", body, 201),
        ("POST", "/covers/preview", json.dumps({"message": text}), 400),
        ("GET", "/health", None, 200),
    ):
        connection.request(method, "/api/v1" + path, content, {**token, "Content-Type": "application/json"})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Connection"]) == (status, None)
        answer.read()
    connection.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize(("version", "taken"), [("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)])
def test_only_versions_that_are_safe_are_spoken(secure: Served, version: str, taken: bool) -> None:
    server = f"127.0.0.1:{secure.port}"
    ran = subprocess.run(
        ["openssl", "s_client", "-connect", server, version, "-cipher", "ALL:@SECLEVEL=0"],
        input=b"",
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert (b"BEGIN CERTIFICATE" in ran.stdout) is taken


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (b"/api/v1/faxes?limit=2", b"box.local:8080"),
        (b"http://box.local:8080/api/v1/faxes?limit=2", b"other.local"),  # the target's host counts
    ],
)
def test_who_only_reads_in_the_clear_is_led_to_tls(secure: Served, target: bytes, host: bytes) -> None:
    request = b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
    said = in_the_clear(secure, request).decode()
    assert said.startswith("HTTP/1.1 307 ")
    assert "\r\nLocation: https://box.local:8080/api/v1/faxes?limit=2\r\n" in said
    assert "Strict-Transport-Security" not in said


@pytest.mark.parametrize("host", [b"box.local\tx", b"a b", b"evil/path", b"", b"user@host", b"x" * 300])
def test_an_invalid_host_header_is_refused_and_not_put_in_a_redirect(secure: Served, host: bytes) -> None:
    said = in_the_clear(secure, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"Location" not in said


def test_what_is_sent_in_the_clear_is_refused_and_not_done(secure: Served) -> None:
    body = b'{"name": "shop"}'
    said = in_the_clear(
        secure,
        b"POST /api/v1/keys HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
        % (secure.admin.encode(), len(body), body),
    )
    head, _, problem = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(problem)["code"] == "tls_needed"
    assert secure.box.settings.export()["lists"]["keys"] == {}


def test_slow_and_broken_handshakes_keep_nobody_waiting(secure: Served, authority: trustme.CA) -> None:
    """More silent clients than threads, and some that stop during the handshake."""
    hello = bytes.fromhex("16030100c8010000c40303")  # the beginning of a ClientHello
    silent = [socket.create_connection(("127.0.0.1", secure.port)) for _ in range(THREADS + 20)]
    begun = [socket.create_connection(("127.0.0.1", secure.port)) for _ in range(10)]
    try:
        for sock in begun:
            sock.sendall(hello)
        time.sleep(0.5)
        before = time.monotonic()
        assert get(secure, trusting(authority))[0] == 200
        assert time.monotonic() - before < SILENCE_S, "it waited for those who are silent"
        for sock in begun:  # and they are cut off
            sock.settimeout(LIMIT_S)
            assert sock.recv(1) in (b"", b"\x15")
    finally:
        for sock in (*silent, *begun):
            sock.close()


@pytest.mark.parametrize(
    "octets", [b"\x16" * 5000, b"\x16\x03\x01\xff\xff" + b"\0" * 70_000, b"\x80\x2e\x01", b"\0"]
)
def test_what_is_no_handshake_ends_its_connection_alone(
    secure: Served, authority: trustme.CA, octets: bytes
) -> None:
    sock = socket.create_connection(("127.0.0.1", secure.port), timeout=LIMIT_S)
    with sock, contextlib.suppress(OSError):  # it may be closed before all of it is sent
        sock.sendall(octets)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
    assert get(secure, trusting(authority))[0] == 200


def test_the_command_line_trusts_this_boxs_certificate_and_no_other(
    secure: Served, tmp_path: Path, files: dict[str, str]
) -> None:
    local = RunningBox(secure.box.data)
    assert local.url.startswith("https://")
    assert local.get("/health")["status"] == "ok"
    address = secure.box.data / "http.json"
    told = json.loads(address.read_text())
    other = issue(tmp_path, trustme.CA())
    address.write_text(json.dumps({**told, "certificate": other["tls_certificate"]}))
    try:
        with pytest.raises(Exception, match="verify failed"):
            RunningBox(secure.box.data).get("/health")
    finally:
        address.write_text(json.dumps(told))


def test_the_command_line_reaches_a_box_whose_certificate_has_expired(
    tmp_path: Path, authority: trustme.CA
) -> None:
    """Or is not valid yet, by a clock that was never set: it is this box's own all the same."""
    made = authority.issue_cert("localhost", not_after=datetime(2026, 1, 1, tzinfo=UTC))
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made.cert_chain_pems[0].write_to_path(certificate)
    made.private_key_pem.write_to_path(key)
    files = {"tls_certificate": str(certificate), "tls_key": str(key)}
    with serving(tmp_path / "box", http=files) as box:
        assert RunningBox(box.box.data).get("/health")["status"] == "ok"


def test_a_renewed_certificate_is_used_without_a_restart(tmp_path: Path) -> None:
    first, second = trustme.CA(), trustme.CA()
    settings = issue(tmp_path, first)
    with serving(tmp_path / "box", http=settings) as box:
        assert get(box, trusting(first))[0] == 200
        issue(tmp_path, second)

        def renewed() -> bool:
            try:
                return get(box, trusting(second))[0] == 200
            except ssl.SSLError:
                return False

        box.wait(renewed)
        # What cannot be used changes nothing.
        Path(settings["tls_key"]).write_text("rubbish")
        time.sleep(2.5)
        assert get(box, trusting(second))[0] == 200
        # Nor can it be set from afar; TLS can be switched off.
        refused = ask(box, second, "PATCH", "/settings/http", {"tls_certificate": "/nowhere.pem"})
        assert (refused["code"], refused["errors"][0]["path"]) == ("setting_invalid", "tls_certificate")
        ask(box, second, "PATCH", "/settings/http", {"tls_certificate": "", "tls_key": ""})
        box.wait(lambda: json.loads((tmp_path / "box" / "http.json").read_text())["url"].startswith("http:"))
        assert box.ask("GET", "/health").status == 200


def ask(box: Served, authority: trustme.CA, method: str, path: str, body: object) -> dict[str, Any]:
    context = trusting(authority)
    connection = http.client.HTTPSConnection("localhost", box.port, timeout=LIMIT_S, context=context)
    headers = {"Authorization": f"Bearer {box.admin}", "Content-Type": "application/json"}
    connection.request(method, f"/api/v1{path}", json.dumps(body), headers)
    found: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tls_certificate": "/nowhere/at.pem"}, "cannot be read"),
        ({"tls_certificate": ""}, "is not"),
        ({"tls_key": ""}, "PEM"),
        ({"tls_certificate": "/etc/hostname", "tls_key": "/etc/hostname"}, "PEM"),
    ],
)
def test_an_unusable_certificate_or_key_is_refused_with_the_reason(
    files: dict[str, str], change: dict[str, str], words: str
) -> None:
    with pytest.raises(TlsError, match=words):
        load(HttpSettings(**{**files, **change}))


def test_a_key_of_another_certificate_or_with_a_password_is_named(
    files: dict[str, str], authority: trustme.CA, tmp_path: Path
) -> None:
    other = issue(tmp_path, authority)
    with pytest.raises(TlsError, match="does not belong"):
        load(HttpSettings(files["tls_certificate"], other["tls_key"]))
    locked = tmp_path / "locked.pem"
    encrypt = ["openssl", "pkey", "-aes128", "-passout", "pass:secret", "-in", other["tls_key"]]
    subprocess.run([*encrypt, "-out", str(locked)], check=True, capture_output=True)
    with pytest.raises(TlsError, match="unprotected key"):
        load(HttpSettings(other["tls_certificate"], str(locked)))


@pytest.mark.parametrize("damage", ["gone", "cut", "another key"])
def test_a_box_whose_certificate_cannot_be_used_runs_with_one_of_its_own_until_it_is_mended(
    tmp_path: Path, authority: trustme.CA, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = issue(tmp_path, authority)
    certificate, key = Path(settings["tls_certificate"]), Path(settings["tls_key"])
    good = certificate.read_text()
    (tmp_path / "other").mkdir()
    other = issue(tmp_path / "other", authority)
    match damage:
        case "gone":
            certificate.unlink()
        case "cut":
            certificate.write_text(good[:200])
        case "another key":
            key.write_bytes(Path(other["tls_key"]).read_bytes())
    with serving(tmp_path / "box", http=settings) as box:
        own = tmp_path / "box" / FOLDER / STAND_IN / "certificate.pem"
        assert get(box, ssl.create_default_context(cafile=str(own)))[0] == 200
        assert "a certificate that the box has made stands in for it" in caplog.text
        if damage == "another key":
            certificate.write_text(Path(other["tls_certificate"]).read_text())
        else:
            certificate.write_text(good)
        end = time.monotonic() + LIMIT_S
        while True:
            with contextlib.suppress(ssl.SSLCertVerificationError):
                assert get(box, trusting(authority))[0] == 200
                break
            assert time.monotonic() < end, "the mended certificate is not used"
            time.sleep(0.1)
        kept = own.read_bytes()
    certificate.unlink()
    with serving(tmp_path / "box", http=settings):
        assert own.read_bytes() == kept  # browsers that were told to trust it need not be told again


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_certificate_made_here_serves_a_client_that_was_told_to_trust_it(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, ["localhost", "127.0.0.1", "::1", "fax.office.example"])
    assert [oct(path.stat().st_mode & 0o777) for path in (certificate, key)] == ["0o600", "0o600"]
    context = ssl.create_default_context(cafile=str(certificate))
    settings = {"tls_certificate": str(certificate), "tls_key": str(key)}
    with serving(tmp_path / "box", http=settings) as box:
        assert get(box, context)[0] == 200


@pytest.mark.parametrize("name", ["", "a b", "x/y", "-x", "a,DNS:evil.example", "x" * 300])
def test_no_certificate_is_made_for_an_invalid_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(TlsError):
        make_certificate(tmp_path, [name])
    assert not list(tmp_path.rglob("*.pem"))


def test_faxbox_certificate_makes_a_certificate_and_sets_it(tmp_path: Path) -> None:
    faxbox = [sys.executable, "-m", "appliance.cli"]
    ran = subprocess.run(
        [*faxbox, "certificate", "localhost", "192.0.2.7", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert ran.returncode == 0, ran.stderr
    show = [*faxbox, "config", "get", "http", "--data", str(tmp_path)]
    settings = json.loads(subprocess.run(show, capture_output=True, text=True, check=True).stdout)
    assert load(HttpSettings(**settings)) is not None


@pytest.mark.parametrize("leaving", ["closed", "garbled"])
def test_a_client_that_leaves_in_the_middle_is_no_fault_in_the_log(
    secure: Served, authority: trustme.CA, caplog: pytest.LogCaptureFixture, leaving: str
) -> None:
    plain = socket.create_connection(("127.0.0.1", secure.port), timeout=LIMIT_S)
    client = trusting(authority).wrap_socket(plain, server_hostname="localhost")
    path = "/api/v1/events" if leaving == "closed" else "/api/v1/faxes"
    head = f"{'GET' if leaving == 'closed' else 'POST'} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
    client.sendall(f"{head}Authorization: Bearer {secure.admin}\r\n\r\n".encode())
    if leaving == "closed":
        client.sendall(b"123456789")
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
        client.close()  # without close_notify, as a program that was killed
    else:
        with socket.socket(fileno=os.dup(client.fileno())) as below:
            below.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))  # no record of this connection
        client.close()
    for _ in range(5):
        secure.box.history.identify()
        time.sleep(0.3)
    assert [record.getMessage() for record in caplog.records if "socket.error" in record.getMessage()] == []
