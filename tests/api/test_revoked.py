"""Revocation ends open requests at every door: downloads, responses in progress, uploads."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyotp
import pytest

from appliance.api.context import COOKIE, LOOK_AGAIN_S
from appliance.api.signing_in import HalfWay
from appliance.ipp.codec import Decoder
from appliance.ipp.model import Tag, Value
from appliance.printing.settings import IppAccess, IppSettings, PrintUser
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey, Scope, User, UserRole
from appliance.spool.filters import JobFilter
from tests.api.served import Served
from tests.api_ipp.requests import request, to
from tests.deliver.making import receive

PASSWORD = "a long enough word"
PAGES = 12  # of noise, a quarter of a megabyte each
PRINT_JOB = 2
# A reader in a hurry to take as little as possible: octets in one go, and the wait between two.
PIECE, PAUSE_S = 20_000, 0.1
# Octets on their way to the reader when the connection ends: what its own machine has buffered.
ON_THE_WAY = 400_000


@pytest.fixture(scope="module")
def fax_id(served: Served) -> int:
    """A large received fax that is everyone's."""
    return receive(served.box, pages=PAGES, noise=True).id


def slow_reader(served: Served, head: str) -> tuple[socket.socket, int]:
    """A connection with a small buffer whose response has begun, and its Content-Length, 0 without one."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sock.settimeout(60)
    sock.connect(("127.0.0.1", served.port))
    sock.sendall(head.encode())
    said = b""
    while b"\r\n\r\n" not in said:
        said += sock.recv(4096)
    assert said.startswith(b"HTTP/1.1 200"), said[:300]
    length = re.search(rb"(?i)content-length: (\d+)", said)
    return sock, int(length[1]) if length else 0


def taken_after(sock: socket.socket) -> int:
    """The number of octets read of a response that ends soon: slowly at first, then at full speed."""
    taken, slow_until = 0, time.monotonic() + 4 * LOOK_AGAIN_S
    with contextlib.suppress(ConnectionError):
        while piece := sock.recv(PIECE):
            taken += len(piece)
            if time.monotonic() < slow_until:
                time.sleep(PAUSE_S)
    sock.close()
    return taken


def get(path: str, header: str) -> str:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n"


REST_PDF = ("/api/v1/received/{}/pdf", "Authorization: Bearer {}")
DOWNLOADS = {
    "pdf": REST_PDF,
    "tiff": ("/api/v1/received/{}/tiff", "Authorization: Bearer {}"),
    "zip": ("/api/v1/received-bundle?format=zip&ids={}", "Authorization: Bearer {}"),
    "ifax": ("/v1/customer/inbound/fax-download?jobId={}", "accessToken: {}"),
    "ictfax": ("/ictfax/api/fax/{}/media", "Authorization: Bearer {}"),
}


def of_key(change: Callable[[Served, int], object]) -> Callable[[Served, str], None]:
    def revoke(served: Served, name: str) -> None:
        change(served, next(i for i, key in served.box.settings.items(ApiKey).items() if key.name == name))

    return revoke


REVOKED = {
    "removed": of_key(lambda served, key: served.box.settings.remove(ApiKey, key)),
    "disabled": of_key(lambda served, key: served.box.settings.update(ApiKey, key, {"disabled": True})),
    "narrowed": of_key(lambda served, key: served.box.settings.update(ApiKey, key, {"scopes": ("send",)})),
}


# Each door once, and each way of revoking at two of them.
_TRIED = [(download, "removed") for download in DOWNLOADS]
_TRIED += [(download, revoked) for download in ("pdf", "ictfax") for revoked in ("disabled", "narrowed")]


@pytest.mark.parametrize(("download", "revoked"), _TRIED)
def test_a_download_ends_when_its_key_is_revoked(
    served: Served, fax_id: int, download: str, revoked: str
) -> None:
    name = f"{download}-{revoked}"
    token = served.key(name, Scope.RECEIVE)
    path, header = DOWNLOADS[download]
    sock, length = slow_reader(served, get(path.format(fax_id), header.format(token)))
    assert length > 4 * ON_THE_WAY
    REVOKED[revoked](served, name)
    assert taken_after(sock) < ON_THE_WAY + 4 * LOOK_AGAIN_S / PAUSE_S * PIECE < length


def user(served: Served, name: str, role: UserRole = UserRole.USER, **more: object) -> int:
    made = served.ask("POST", "/users", {"name": name, "password": PASSWORD, "role": role.value, **more})
    assert made.status == 201, made.content
    return int(made.json["id"])


def signed_in(served: Served, name: str) -> str:
    made = served.ask("POST", "/sessions", {"name": name, "password": PASSWORD}, token="")
    return str(made.json["token"])


USER_CHANGES: dict[str, dict[str, object]] = {
    "disabled": {"disabled": True},
    "another password": {"password": "another long word"},
    "another role": {"role": "sender"},
    "reads less": {"reads_numbers": ["+4940"]},
}


@pytest.mark.parametrize("changed", USER_CHANGES)
def test_a_download_of_a_browser_ends_when_its_user_may_no_longer(
    served: Served, fax_id: int, changed: str
) -> None:
    name = f"who-{list(USER_CHANGES).index(changed)}"
    wanted = fax_id
    if changed == "reads less":
        user_id = user(served, name, UserRole.READER, reads_numbers=["+4930"])
        wanted = receive(served.box, pages=PAGES, noise=True, dialled="+4930555").id
    else:
        user_id = user(served, name)
    token = signed_in(served, name)
    sock, length = slow_reader(served, get(REST_PDF[0].format(wanted), f"Cookie: {COOKIE}={token}"))
    assert served.ask("PATCH", f"/users/{user_id}", USER_CHANGES[changed]).status == 200
    assert taken_after(sock) < ON_THE_WAY + 4 * LOOK_AGAIN_S / PAUSE_S * PIECE < length


def test_a_download_by_name_and_password_ends_when_the_password_is_changed(
    served: Served, fax_id: int
) -> None:
    user_id = user(served, "basil")
    proof = "Authorization: Basic " + base64.b64encode(f"basil:{PASSWORD}".encode()).decode()
    sock, length = slow_reader(served, get(DOWNLOADS["ictfax"][0].format(fax_id), proof))
    assert served.ask("PATCH", f"/users/{user_id}", {"password": "another long word"}).status == 200
    assert taken_after(sock) < ON_THE_WAY + 4 * LOOK_AGAIN_S / PAUSE_S * PIECE < length


def test_a_backup_under_way_ends_when_its_administrator_is_one_no_more(served: Served, fax_id: int) -> None:
    user_id = user(served, "former", UserRole.ADMIN)
    asked = {"passphrase": "a passphrase that is long", "received": True}
    whole = len(served.ask("POST", "/backup", asked).content)
    body = json.dumps(asked)
    head = (
        f"POST /api/v1/backup HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {signed_in(served, 'former')}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    user(served, "latter", UserRole.ADMIN)
    sock, _ = slow_reader(served, head)
    assert served.ask("PATCH", f"/users/{user_id}", {"role": "user"}).status == 200
    assert taken_after(sock) < ON_THE_WAY + 4 * LOOK_AGAIN_S / PAUSE_S * PIECE < whole


def test_an_answer_that_was_long_in_the_making_is_not_given_to_a_revoked_key(
    served: Served, fax_id: int
) -> None:
    token = served.key("patient", Scope.RECEIVE)
    with ThreadPoolExecutor(1) as pool:
        with served.server.context.drawers.of(1, 60):  # the picture waits for its turn
            asked = pool.submit(served.ask, "GET", f"/received/{fax_id}/pages/1", token=token)
            time.sleep(2 * LOOK_AGAIN_S)
            REVOKED["removed"](served, "patient")
        assert asked.result().status == 401


def test_who_changes_their_own_password_slowly_is_answered(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    user(served, "slowpoke")
    token, plain = signed_in(served, "slowpoke"), secrets.hash_password

    def slow(password: str) -> str:
        time.sleep(1.5 * LOOK_AGAIN_S)
        return plain(password)

    monkeypatch.setattr(secrets, "hash_password", slow)
    said = served.ask("POST", "/me/password", {"old": PASSWORD, "new": "another long word"}, token=token)
    assert said.status in (200, 204), said.content


def test_a_form_that_outlives_its_key_is_not_taken(served: Served) -> None:
    token, body = served.key("slow-form", Scope.SEND), b"faxNumber=9990&fileData=YQ=="
    head = (
        f"POST /v1/customer/fax-send HTTP/1.1\r\nHost: x\r\naccessToken: {token}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as sock:
        sock.sendall(head.encode() + body[:5])
        time.sleep(0.5)  # its head is read and its sender known
        REVOKED["removed"](served, "slow-form")
        sock.sendall(body[5:])
        assert re.match(rb"HTTP/1.1 40[13] ", sock.recv(65536))
    assert not served.box.faxes.search(JobFilter(owner="slow-form"))


def test_a_print_job_that_outlives_its_password_is_not_taken(served: Served) -> None:
    served.box.settings.change(IppSettings, {"access": IppAccess.USERS.value})
    user_id = user(served, "printer")
    proof = base64.b64encode(f"printer:{PASSWORD}".encode()).decode()
    octets = request(
        PRINT_JOB, to("tel:9990"), document_format=(Value(Tag.MIME_TYPE, "image/jpeg"),), user="printer"
    )
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.putrequest("POST", "/ipp/faxout")
    connection.putheader("Content-Type", "application/ipp")
    connection.putheader("Authorization", f"Basic {proof}")
    connection.putheader("Content-Length", str(len(octets) + 1000))
    connection.endheaders()
    connection.send(octets + b"\xff\xd8" + b"\0" * 498)
    context = served.server.context
    served.wait(lambda: bool(context.sessions.of_user(user_id, context.now())))  # it is known who prints
    assert served.ask("PATCH", f"/users/{user_id}", {"password": "another long word"}).status == 200
    connection.send(b"\0" * 500)
    decoder = Decoder()
    decoder.feed(connection.getresponse().read())
    connection.close()
    assert decoder.message is not None
    assert decoder.message.code >= 0x400  # RFC 8010 3.4.3: an error
    assert not served.box.faxes.search(JobFilter(owner="printer"))


def test_a_deleted_users_keys_are_gone_with_the_user(served: Served) -> None:
    user_id = user(served, "leaver", UserRole.SENDER)
    token = served.key("leavers", Scope.SEND, Scope.RECEIVE, owner="leaver")
    assert served.ask("GET", "/received", token=token).status == 403  # a sender's key reads nothing
    assert served.ask("DELETE", f"/users/{user_id}").status == 204
    assert served.ask("GET", "/received", token=token).status == 401
    assert served.ask("GET", "/me", token=token).status == 401


def test_a_user_in_whose_name_others_print_is_not_deleted(served: Served) -> None:
    user_id = user(served, "named")
    entry = served.box.settings.add(PrintUser(user="named", from_user="rolf"))
    assert served.ask("DELETE", f"/users/{user_id}").status == 409
    served.box.settings.remove(PrintUser, entry)
    assert served.ask("DELETE", f"/users/{user_id}").status == 204


def test_an_authenticator_app_ends_the_sign_ins_that_were_made_without_a_code(served: Served) -> None:
    user(served, "tina")
    own, other = signed_in(served, "tina"), signed_in(served, "tina")
    proof = {"Authorization": "Basic " + base64.b64encode(f"tina:{PASSWORD}".encode()).decode()}

    def by_password() -> int:
        return served.ask("GET", "/faxes", token="", headers=proof, prefix="/ictfax/api").status

    assert by_password() == 200
    secret = served.ask("POST", "/me/app", token=own).json["secret"]
    code = pyotp.TOTP(secret).now()
    body = {"password": PASSWORD, "secret": secret, "code": code}
    assert served.ask("PUT", "/me/app", body, token=own).status == 200
    assert served.ask("GET", "/me", token=own).status == 200
    assert served.ask("GET", "/me", token=other).status == 401
    assert by_password() != 200


def test_a_sign_in_that_waits_for_its_code_ends_when_the_password_changes_or_the_user_is_disabled() -> None:
    half_way, ada = HalfWay(), User(name="ada", password_hash="of the old one", totp_secret="A")
    word = half_way.begin(1, ada, 0.0)
    assert half_way.user_of(word, {1: ada}, 1.0) == 1
    assert half_way.user_of(word, {1: replace(ada, password_hash="of the new one")}, 1.0) is None
    assert half_way.user_of(word, {1: replace(ada, disabled=True)}, 1.0) is None
    assert half_way.user_of(word, {}, 1.0) is None
