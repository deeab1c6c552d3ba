"""schemathesis over the OpenAPI document: no 5xx, no answer that the document does not describe.

By default a seeded sample of requests for each call, where one list and one section of the settings
stand for all, which are the same code; FAXBOX_SWEEP=1 tries everything, and much more of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from appliance.api.rest.openapi import describe_all
from appliance.api.rest.table import ROUTES
from appliance.net.settings import ApiSettings, HttpSettings
from appliance.spool.settings import StorageSettings
from tests.api.served import Served, serving

SWEEP = bool(os.environ.get("FAXBOX_SWEEP"))
EXAMPLES = 60 if SWEEP else 3

DOCUMENT = describe_all(ROUTES)
# It has no end; tests/api/test_stream.py reads it.
UNENDING = "streamEvents"
# It would heat the machine of the tests and fax for an hour; tests/api/test_hardware_test.py tries parts.
WHOLE_MACHINE = "startHardwareTest"
ALIKE = re.compile("/(settings/(?!station)|groups|covers|line-settings|routes|junk-rules|favourite-printers)")
PATHS = [
    path
    for path, calls in DOCUMENT["paths"].items()
    if (SWEEP or not ALIKE.match(path)) and any(call["operationId"] != UNENDING for call in calls.values())
]


def json_that_does_not_fit_is_refused(context: Any, answer: Any, case: Any) -> bool | None:
    """schemathesis's own check, where what it means to send is what arrives.

    In a form null is the text "null", in a query an empty list is nothing, and 413 is a refusal, too.
    """
    if case.media_type != "application/json" or answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return None
    found: bool | None = checks.negative_data_rejection(context, answer, case)
    return found


CHECKS = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.unsupported_method,
    json_that_does_not_fit_is_refused,
)


@pytest.fixture(params=PATHS)
def one_path(request: pytest.FixtureRequest) -> Any:
    """The document's part for one path.  The test generates its requests: collection stays cheap."""
    # schemathesis 4.32 looks for the test's name under an attribute that pytest 9.2 has no more.
    request.node._nodeid = request.node.nodeid
    return schemathesis.openapi.from_dict(
        {**DOCUMENT, "paths": {request.param: DOCUMENT["paths"][request.param]}}
    )


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("box")) as served:
        # A URL that a generated request names is not looked for long.
        served.box.settings.change(ApiSettings, {"fetch_s": 1.0})
        served.form("/documents", [("name", "a")], [("a.txt", b"one")])
        served.form("/faxes", [("to", "9990")], [("a.txt", b"one")])
        served.ask("POST", "/practice/receive", {})
        yield served


@pytest.fixture
def settled(box: Served) -> Iterator[Served]:
    """The box, whose settings are put back afterwards: generated ones may switch everything off."""
    before = box.box.settings.export(secrets=True)
    yield box
    box.box.settings.load(before)
    # A certificate that was made is not taken out by settings that name none.
    box.box.settings.change(HttpSettings, {"tls_certificate": "", "tls_key": ""})
    box.wait(lambda: box.ask("GET", "/openapi.json", token="").status == HTTPStatus.OK)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Keeps the connection, and does not look for proxies and passwords of this machine each time."""
    with requests.Session() as made:
        made.trust_env = False
        yield made


@schemathesis.pytest.from_fixture("one_path").exclude(operation_id=[UNENDING, WHOLE_MACHINE]).parametrize()
@seed(20260711)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_call_answers_as_the_document_says(
    case: Any, settled: Served, session: requests.Session
) -> None:
    keep_usable(settled)
    answer = case.call(
        session=session,
        base_url=f"http://127.0.0.1:{settled.port}/api/v1",
        headers={"Authorization": f"Bearer {settled.admin}"},
        timeout=120,
    )
    case.validate_response(answer, checks=CHECKS)


USABLE: dict[type[object], dict[str, object]] = {
    ApiSettings: {
        "requests_per_hour": 0,
        "burst": 0,
        "requests_at_once": 1000,
        "request_mb": 20,
        "fetch_s": 1.0,
        "private_urls": False,
    },
    StorageSettings: {"reserve_mb": 20, "warn_mb": 20},
}


def keep_usable(served: Served) -> None:
    """A generated change of the limits must not make all further requests 429 or 507."""
    store = served.box.settings
    for kind, values in USABLE.items():
        section = store.section(kind)
        if any(getattr(section, name) != value for name, value in values.items()):
            store.change(kind, values)


def test_the_document_that_is_served_is_the_one_that_is_tested(box: Served) -> None:
    assert box.ask("GET", "/openapi.json", token="").json == DOCUMENT
