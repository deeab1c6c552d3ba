"""The ICTFax style against random requests: clear errors, nothing broken.

A larger number is tried with FAXBOX_SWEEP=1.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api_ictfax.client import Client
from tests.api_ifax.running import RunningBox, small_pdf

EXAMPLES = 2000 if os.environ.get("FAXBOX_SWEEP") else 100
_values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(["9990", "outbound", "1", 1, "2"])
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.none(), max_size=2)
    | st.fixed_dictionaries({"content": st.text(max_size=9), "name": st.text(max_size=3)})
)
_names = st.sampled_from(
    [
        "name",
        "description",
        "first_name",
        "last_name",
        "phone",
        "email",
        "document_id",
        "program_id",
        "contact_id",
        "account_id",
        "title",
        "direction",
        "try_allowed",
        "delay",
        "timestamp",
        "username",
        "to",
        "from",
        "callback_url",
        "file",
        "files",
        "file_name",
        "group_id",
        "passwd",
        "active",
    ]
)
_fields = st.dictionaries(_names, _values, max_size=6)
_paths = st.sampled_from(
    [
        "/documents",
        "/documents/1",
        "/documents/1/media",
        "/contacts",
        "/contacts/1",
        "/programs/sendfax",
        "/programs/1",
        "/transmissions",
        "/transmissions/1",
        "/transmissions/1/send",
        "/transmissions/1/schedule",
        "/transmissions/1/results",
        "/faxes",
        "/fax",
        "/fax/1",
        "/fax/send",
        "/accounts",
        "/accounts/1",
        "/users",
        "/users/1",
        "/programs/1/transmissions",
        "/programs/faxtoemail",
        "/programs/1000000001",
        "/transmissions/1/clone",
        "/groups",
        "/groups/1",
        "/groups/1/contacts",
        "/contacts/1/link/1",
        "/campaigns",
        "/campaigns/1",
        "/campaigns/1/start",
        "/campaigns/1/stop",
        "/campaigns/1/start/schedule",
        "/statistics",
        "/providers",
        "/dids",
        "/nothing",
        "/documents/1000000001/media",
        "/documents/999999999999999",
        "/fax/999999999999999/media",
    ]
)
_query = st.dictionaries(
    st.sampled_from(
        ["title", "status", "limit", "before_id", "service_flag", "direction", "contact_id", "name"]
    ),
    st.text("0123456789abcdefü-.% ", max_size=12),
    max_size=3,
)


@pytest.fixture(scope="module", params=["key", "administrator"])
def client(box: RunningBox, request: pytest.FixtureRequest) -> Client:
    client = Client(box, box.key if request.param == "key" else box.admin_key)
    # The ids that random requests hit upon.
    client.transmission()
    contact, group = client.made("/contacts", {"phone": "9990"}), client.made("/groups", {"name": "x"})
    client.ask("PUT", f"/contacts/{contact}/link/{group}")
    return client


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=_paths,
    fields=_fields | _values,
    query=_query,
)
def test_random_requests_are_answered_in_the_words_of_the_style(
    client: Client, method: str, path: str, fields: Any, query: dict[str, str]
) -> None:
    from urllib.parse import urlencode

    where = f"{path}?{urlencode(query)}" if query else path
    reply = client.ask(method, where, None if method == "GET" else fields)
    assert reply.status < 500, reply
    if reply.status >= 400:
        error = reply.json["error"]
        assert error["code"] == reply.status
        assert error["message"]


@settings(
    max_examples=EXAMPLES // 2,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    path=st.sampled_from(["/documents", "/documents/1/media", "/fax/send", "/contacts", "/authenticate"]),
    body=st.binary(max_size=200),
    kind=st.sampled_from(
        [
            "application/json",
            "application/pdf",
            "image/png",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "",
            "/",
        ]
    ),
)
def test_random_octets_do_no_harm(client: Client, path: str, body: bytes, kind: str) -> None:
    # What happens to be text may be a text document, or a form.
    assert client.ask("POST", path, body=body, kind=kind).status < 500


def test_a_chunked_upload_is_taken(box: RunningBox, client: Client) -> None:
    import http.client
    from urllib.parse import urlsplit

    document = client.document(empty=True)
    parts = urlsplit(box.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    pdf = small_pdf()
    connection.request(
        "PUT",
        f"/ictfax/api/documents/{document}/media",
        iter([pdf[:100], pdf[100:]]),
        {"Authorization": f"Bearer {client.token}", "Content-Type": "application/pdf"},
        encode_chunked=True,
    )
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, str(document).encode())
    connection.close()
    assert client.ask("GET", f"/documents/{document}/media").body == pdf


def test_the_box_still_sends_after_all_this(box: RunningBox, client: Client) -> None:
    made = client.transmission()
    client.send(made)
    assert client.ended(made) == "completed"
    assert "Traceback" not in box.said
