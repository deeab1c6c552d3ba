"""The own webhook and the REST interface show one and the same fax."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.deliver.settings import DeliveryRoute
from appliance.net.settings import ApiSettings
from tests.api.served import Served, serving
from tests.deliver.making import Hook, hook_server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("hooked")
    with serving(folder) as box:
        box.box.settings.change(ApiSettings, {"private_urls": True})
        yield box


def test_a_sent_fax_is_told_as_the_interface_shows_it(served: Served) -> None:
    with hook_server(Hook()) as hook:
        files = [{"name": "a.txt", "content": "aGVsbG8="}]
        said = {"to": ["9990"], "files": files, "callback_url": hook.url, "metadata": {"order": 7}}
        made = served.ask("POST", "/faxes", said).json["faxes"][0]
        served.ended(made["id"])
        served.wait(lambda: bool(hook.bodies))
    told = json.loads(hook.bodies[0])
    assert set(told) == {"event", "delivery", "at", "fax"}
    assert told["event"] == "fax.delivered"
    assert told["fax"] == served.ask("GET", f"/faxes/{made['id']}").json


def test_a_received_fax_is_told_as_the_interface_shows_it(served: Served) -> None:
    with hook_server(Hook()) as hook:
        served.box.settings.add(DeliveryRoute(name="all", webhook_url=hook.url))
        files = [{"name": "a.txt", "content": "aGVsbG8="}]
        assert served.ask("POST", "/practice/receive", {"files": files, "caller": "+4930777"}).status == 202
        served.wait(lambda: bool(hook.bodies))
    told = json.loads(hook.bodies[0])
    assert told["event"] == "fax.received"
    shown = served.ask("GET", f"/received/{told['fax']['id']}").json
    assert told["fax"] == shown
    assert shown["caller"] == "+4930777"
