"""A client generated from the OpenAPI document performs the tasks of an office on a box."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from appliance.api.rest.openapi import describe_all
from appliance.api.rest.table import ROUTES
from tests.api.served import Served

pytestmark = pytest.mark.realtime

GENERATE_S = 300  # for hangs
# The generator's own setting for the kinds of octets that it does not know by name.
OCTETS = ("application/pdf", "image/png", "image/tiff", "application/zip", "application/vnd.tcpdump.pcap")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Imports modules of the generated client by their names."""
    folder = tmp_path_factory.mktemp("client")
    document, config = folder / "openapi.json", folder / "config.json"
    document.write_text(json.dumps(describe_all(ROUTES)), encoding="utf-8")
    overrides = {
        "content_type_overrides": dict.fromkeys(OCTETS, "application/octet-stream"),
        "post_hooks": [],
    }
    config.write_text(json.dumps(overrides), encoding="utf-8")
    command = [Path(sys.executable).with_name("openapi-python-client"), "generate", "--meta", "none"]
    places = ["--path", document, "--config", config, "--output-path", folder / "office_client"]
    made = subprocess.run(
        [*map(str, command), *map(str, places)],
        capture_output=True,
        text=True,
        timeout=GENERATE_S,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "Unable to" not in made.stdout, made.stdout
    assert "Failure to" not in made.stdout, made.stdout
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"office_client.{name}")
    sys.path.remove(str(folder))


def test_a_generated_python_client_makes_every_kind_of_call(served: Served, office: Any) -> None:
    client = office("client").AuthenticatedClient(
        base_url=f"http://127.0.0.1:{served.port}/api/v1", token=served.admin, timeout=None
    )

    def call(tag: str, name: str, *path: Any, **more: Any) -> Any:
        answer = office(f"api.{tag}.{name}").sync_detailed(*path, client=client, **more)
        assert answer.status_code < 300, answer.content
        return answer.parsed

    models, types = office("models"), office("types")
    letter = types.File(payload=BytesIO(b"Dear Sir or Madam"), file_name="a.txt", mime_type="text/plain")
    sent = call("faxes", "create_fax", body=models.NewFaxForm(to=["9990"], file=[letter])).faxes[0]
    again = {"to": ["9990"], "files": [{"name": "b.txt", "content": "SGVsbG8="}]}
    call("faxes", "create_fax", body=models.NewFax.from_dict(again), idempotency_key="order-1")
    assert call(
        "faxes", "create_fax", body=models.NewFax.from_dict(again), idempotency_key="order-1"
    ).repeated
    served.ended(sent.id)
    assert call("faxes", "read_fax", sent.id).state == "delivered"
    assert sent.id in [fax.id for fax in call("faxes", "list_faxes").faxes]
    assert call("faxes", "read_fax_page", sent.id, 1).payload.read().startswith(b"\x89PNG")
    assert call("faxes", "read_fax_document", sent.id).payload.read().startswith(b"%PDF")
    assert call("faxes", "read_fax_confirmation", sent.id).payload.read().startswith(b"%PDF")
    held = models.NewFax.from_dict({**again, "hold": True})
    waiting = call("faxes", "create_fax", body=held).faxes[0]
    assert call("faxes", "cancel_fax", waiting.id).state == "cancelled"
    assert call("faxes", "resend_fax", sent.id).id != sent.id
    call("received", "practice_receive", body=models.PracticeReceiveBody.from_dict({"files": again["files"]}))
    served.wait(lambda: bool(call("received", "list_received").received))
    arrived = call("received", "list_received").received[0]
    served.ask("GET", f"/received/{arrived.id}")
    served.wait(lambda: call("received", "read_received", arrived.id).state == "complete")
    assert call("received", "read_received_pdf", arrived.id).payload.read().startswith(b"%PDF")
    assert call("received", "read_received_tiff", arrived.id).payload.read().startswith(b"II*")
    read = models.ChangeReceivedBody.from_dict({"read": True})
    assert call("received", "change_received", arrived.id, body=read).read
    call("received", "delete_received", arrived.id)
    assert call("system", "read_status") is not None


def test_a_change_by_a_generated_client_changes_what_it_names_and_nothing_else(
    served: Served, office: Any
) -> None:
    client = office("client").AuthenticatedClient(
        base_url=f"http://127.0.0.1:{served.port}/api/v1", token=served.admin, timeout=None
    )
    before = served.ask("GET", "/settings/sending").json
    served.ask("PATCH", "/settings/sending", {"max_tries": 9})
    change = office("models").SendingChange(ring_s=45.0)
    answer = office("api.settings.change_sending_settings").sync_detailed(client=client, body=change)
    assert answer.status_code == 200, answer.content
    after = served.ask("GET", "/settings/sending").json
    assert after == {**before, "max_tries": 9, "ring_s": 45.0}
