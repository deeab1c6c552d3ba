"""The log of deliveries, retries, test deliveries and passwords in URLs, over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import random
import socket
from collections.abc import Iterator
from typing import Any

import pypdfium2
import pytest
from PIL import Image

from appliance.deliver.settings import DeliverySettings
from appliance.net.settings import ApiSettings
from appliance.settings.accounts import ApiKey, Scope
from tests.api.served import Served, serving
from tests.api.test_faxes import new
from tests.deliver.making import Hook, hook_server, until

PASSWORD = "s3cret"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("deliveries")) as running:
        running.box.settings.change(ApiSettings, {"private_urls": True})
        yield running


def told(served: Served, hook: Hook, **more: Any) -> tuple[int, dict[str, Any]]:
    """A fax that ended and was told to ``hook`` once: its id and the delivery."""
    url = hook.url.replace("http://", f"http://shop:{PASSWORD}@")
    made = served.ask("POST", "/faxes", new("9990", callback_url=url), **more).json["faxes"][0]
    assert PASSWORD not in json.dumps(made)
    served.ended(made["id"])

    def found() -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = served.ask("GET", f"/deliveries?fax={made['id']}").json["deliveries"]
        return listed

    until(lambda: found() and found()[0]["tries"])
    return made["id"], found()[0]


def test_a_delivery_is_listed_with_its_tries_and_made_once_more_on_request(served: Served) -> None:
    with hook_server(Hook(answers=[500])) as hook:
        fax_id, delivery = told(served, hook)
        assert (delivery["kind"], delivery["event"]) == ("webhook", "fax.delivered")
        assert (delivery["state"], delivery["tries"][0]["ok"]) == ("pending", False)
        again = served.ask("POST", f"/deliveries/{delivery['id']}/again")
        assert again.status == 200
        read = f"/deliveries/{delivery['id']}"
        until(lambda: served.ask("GET", read).json["state"] == "done")
        served.ask("POST", f"/deliveries/{delivery['id']}/again")
        until(lambda: len(served.ask("GET", read).json["tries"]) == 3)
    assert {json.loads(body)["delivery"] for body in hook.bodies} == {delivery["id"]}
    listed = served.ask("GET", f"/deliveries?kind=webhook&state=done&fax={fax_id}&limit=1").json
    assert [each["id"] for each in listed["deliveries"]] == [delivery["id"]]
    assert served.ask("GET", f"/deliveries?kind=email&fax={fax_id}").json["deliveries"] == []
    assert served.ask("GET", "/deliveries/987654").status == 404


def test_deliveries_are_seen_and_repeated_by_their_owner_only(served: Served) -> None:
    ours, other = served.key("shop", Scope.SEND), served.key("other", Scope.SEND)
    with hook_server(Hook()) as hook:
        fax_id, delivery = told(served, hook, token=ours)
    assert served.ask("GET", f"/deliveries/{delivery['id']}", token=ours).status == 200
    assert served.ask("GET", f"/deliveries/{delivery['id']}", token=other).status == 404
    assert served.ask("POST", f"/deliveries/{delivery['id']}/again", token=other).status == 404
    assert served.ask("GET", f"/deliveries?fax={fax_id}&owner=shop", token=other).json["deliveries"] == []
    meter = served.key("meter", Scope.MONITOR)
    assert served.ask("GET", "/deliveries", token=meter).status == 403


def test_a_password_within_an_address_is_sent_and_never_shown(served: Served) -> None:
    with hook_server(Hook()) as hook:
        fax_id, delivery = told(served, hook)
        until(lambda: hook.headers)
        assert hook.headers[0]["Authorization"].startswith("Basic ")
        assert delivery["target"].startswith("http://shop:********@127.0.0.1")
        fax = served.ask("GET", f"/faxes/{fax_id}")
        assert (fax.json["callback_url"], PASSWORD in fax.content.decode()) == (delivery["target"], False)
        assert PASSWORD not in hook.bodies[0].decode()


def test_a_url_that_comes_back_with_its_password_masked_keeps_the_password_for_the_same_host_only(
    served: Served,
) -> None:
    served.key("masked", Scope.SEND)
    key_id, _ = next(each for each in served.box.settings.items(ApiKey).items() if each[1].name == "masked")
    url = f"https://ada:{PASSWORD}@shop.example/in"
    shown = served.ask("PATCH", f"/keys/{key_id}", {"webhook_url": url}).json["webhook_url"]
    assert shown == "https://ada:********@shop.example/in"

    def kept() -> str:
        return served.box.settings.item(ApiKey, key_id).webhook_url

    assert served.ask("PATCH", f"/keys/{key_id}", {"webhook_url": shown, "cover": ""}).status == 200
    assert kept() == url
    served.ask("PATCH", f"/keys/{key_id}", {"webhook_url": shown.replace("/in", "/out")})
    assert kept() == url.replace("/in", "/out")
    stolen = served.ask("PATCH", f"/keys/{key_id}", {"webhook_url": shown.replace("shop", "thief")})
    assert (stolen.status, kept()) == (422, url.replace("/in", "/out"))


def test_a_webhook_is_tried_with_a_signed_test_and_the_answer_shown(served: Served) -> None:
    served.key("tester", Scope.SEND)
    key_id, key = next(each for each in served.box.settings.items(ApiKey).items() if each[1].name == "tester")
    with hook_server(Hook(answers=[200, 503])) as hook:
        served.box.settings.update(ApiKey, key_id, {"webhook_url": hook.url})
        good = served.ask("POST", "/webhooks/test", {"key_id": key_id})
        assert good.json == {"accepted": True, "status": 200, "said": "said"}
        bad = served.ask("POST", "/webhooks/test", {"url": hook.url})
        assert (bad.status, bad.json["accepted"], bad.json["status"]) == (200, False, 503)
    stamp, signed = (part.partition("=")[2] for part in hook.headers[0]["X-Faxbox-Signature"].split(","))
    wanted = hmac.new(key.webhook_secret.encode(), f"{stamp}.".encode() + hook.bodies[0], hashlib.sha256)
    assert signed == wanted.hexdigest()
    assert json.loads(hook.bodies[0])["event"] == "test"
    with socket.socket() as deaf:  # bound, and not listening
        deaf.bind(("127.0.0.1", 0))
        nobody = served.ask("POST", "/webhooks/test", {"url": f"http://127.0.0.1:{deaf.getsockname()[1]}/"})
    assert (nobody.status, nobody.json["code"]) == (422, "url_unreachable")
    for wrong in ({}, {"url": hook.url, "key_id": key_id}):
        assert served.ask("POST", "/webhooks/test", wrong).status == 400
    assert served.ask("POST", "/webhooks/test", {"url": "ftp://x/"}).status == 422
    assert served.ask("POST", "/webhooks/test", {"key_id": 9876}).status == 404


def test_a_callback_gets_each_event_that_was_chosen_and_the_last_one_with_the_pdf(served: Served) -> None:
    chosen = ["queued", "waiting", "started", "page", "delivered"]
    with hook_server(Hook()) as hook:
        body = new("9990", callback_url=hook.url, callback_events=chosen, callback_pdf=True)
        fax_id = served.ask("POST", "/faxes", body).json["faxes"][0]["id"]
        served.ended(fax_id)
        until(lambda: len(hook.bodies) == len(chosen))
    said = sorted((json.loads(each) for each in hook.bodies), key=lambda each: int(each["delivery"]))
    assert [each["event"] for each in said] == [f"fax.{name}" for name in chosen]
    assert {each["fax"]["id"] for each in said} == {fax_id}
    assert [each.get("page") for each in said] == [None, None, None, 1, None]
    assert ["document" in each for each in said] == [False, False, False, False, True]
    document = said[-1]["document"]
    assert (document["name"], document["media_type"]) == (f"fax-{fax_id}.pdf", "application/pdf")
    assert len(pypdfium2.PdfDocument(base64.b64decode(document["content"]))) == 1


def test_a_keys_webhook_gets_the_chosen_events_and_no_pdf_above_the_limit(served: Served) -> None:
    token = served.key("chooser", Scope.SEND)
    key_id = next(
        key_id for key_id, key in served.box.settings.items(ApiKey).items() if key.name == "chooser"
    )
    with hook_server(Hook()) as hook:
        chosen = {"webhook_url": hook.url, "webhook_events": ["failed", "held"], "webhook_pdf": True}
        assert served.ask("PATCH", f"/keys/{key_id}", chosen).status == 200
        wrong = served.ask("PATCH", f"/keys/{key_id}", {"webhook_events": ["dreamt"]})
        assert wrong.status == 400
        served.box.settings.change(DeliverySettings, {"webhook_pdf_mb": 0.1})
        noise = io.BytesIO()
        Image.frombytes("L", (1700, 2200), random.Random(7).randbytes(1700 * 2200)).save(noise, "PNG")
        file = {"name": "noise.png", "content": base64.b64encode(noise.getvalue()).decode()}
        for more in ({"hold": True}, {"retry_waits": []}):
            body = {"to": ["9991"], "files": [file], "when_lost": "send", **more}
            made = served.ask("POST", "/faxes", body, token=token)
            assert made.status == 201
        until(lambda: len(hook.bodies) == 2)
    said = {each["event"]: each for each in map(json.loads, hook.bodies)}
    assert set(said) == {"fax.held", "fax.failed"}
    assert said["fax.held"]["fax"]["pages"] == 1
    assert said["fax.failed"]["document"]["content"] is None
