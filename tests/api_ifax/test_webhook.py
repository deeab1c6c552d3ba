"""The message to an iFax style client at the end of a fax, over a real connection."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.configuration import open_settings
from appliance.deliver.settings import DeliverySettings
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey
from appliance.spool import outbox
from appliance.spool.connection import connect
from appliance.spool.delivery import Delivery, OutboxState
from tests.api_ifax.client import ask, ended, send, status
from tests.api_ifax.listener import Listener
from tests.api_ifax.running import RunningBox, until

SECRET = "a secret that both sides know"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[RunningBox]:
    """A box that is prepared but not started."""
    box = RunningBox(tmp_path)
    box.prepare()
    yield box
    box.kill()


def tell(box: RunningBox, url: str, style: str = "") -> None:
    """Sets ``url`` as the address for the client's notifications."""
    store = open_settings(box.data)
    number, _ = secrets.find_key(store, box.key) or (0, None)
    store.update(ApiKey, number, {"webhook_url": url, "webhook_secret": SECRET, "webhook_style": style})


def deliveries(box: RunningBox, job_id: int) -> list[Delivery]:
    with contextlib.closing(connect(box.data / "spool.sqlite3")) as db:
        return outbox.of_fax(db, job_id)


def test_the_timetable_is_that_of_the_style_by_default() -> None:
    assert DeliverySettings().webhook_waits == tuple(60.0 * minutes for minutes in (5, 10, 20, 30, 60))


def test_a_sent_fax_is_told_and_signed(client: RunningBox) -> None:
    with Listener() as listener:
        tell(client, f"{listener.url}/hook")
        client.start()
        good, bad = send(client, faxQuality="Low"), send(client, faxNumber="9991", faxQuality="Low")
        posts = {post.json["data"]["jobId"]: post for post in listener.wait(2)}
        for job_id in (good, bad):
            post = posts[job_id]
            expected = hmac.new(SECRET.encode(), post.body, hashlib.sha256).hexdigest()
            assert post.headers["x-ifax-signature"] == expected
            assert post.headers["content-type"] == "application/json"
            assert post.path == "/hook"
            # The flat form, for receivers of this style that read no further.
            flat = {**status(client, job_id), "direction": "outbound", "success": job_id == good}
            assert {name: post.json[name] for name in flat} == flat
            assert set(post.json) == {*flat, "event", "timestamp", "data"}
            assert post.json["event"] == "fax.completed"
            assert post.json["data"] == status(client, job_id)
            assert post.json["timestamp"] == post.json["data"]["faxCallEnd"]
        assert posts[good].json["data"]["faxStatus"] == "delivered"
        assert posts[bad].json["data"]["faxStatus"] == "failed"


def test_a_received_fax_is_told_in_this_style_to_those_who_chose_it(client: RunningBox) -> None:
    with Listener() as listener:
        tell(client, listener.url, "ifax")
        client.start()
        client.receive_practice_fax()
        post = listener.wait()[0]
        assert post.json["event"] == "fax.completed"
        data = post.json["data"]
        assert (data["direction"], data["faxStatus"], data["faxTotalPages"]) == ("received", "delivered", 1)
        assert data == status(client, data["jobId"])
        # The flat form, which published receivers of this style read.
        flat = {
            name: value for name, value in post.json.items() if name not in ("event", "timestamp", "data")
        }
        assert flat == {
            **data,
            "direction": "inbound",
            "jobId": data["jobId"],
            "transactionId": data["transactionId"],
            "fromNumber": data["fromNumber"],
            "toNumber": data["toNumber"],
            "faxReceivedPages": 1,
            "faxStatus": "received",
            "faxCallStart": data["faxCallStart"],
            "faxCallEnd": data["faxCallEnd"],
            "message": data["message"],
            "code": 0,
            "success": True,
        }
        ids = {"jobId": str(data["jobId"]), "transactionId": str(data["transactionId"])}
        assert ask(client, "inbound/fax-download", ids).json["status"] == 1


def test_name_and_password_in_the_address_are_sent_as_basic_credentials(client: RunningBox) -> None:
    with Listener() as listener:
        tell(client, listener.url.replace("//", "//hook:s%40cret@") + "/fax")
        client.start()
        send(client, faxQuality="Low")
        post = listener.wait()[0]
        assert post.path == "/fax"
        assert post.headers["authorization"] == f"Basic {base64.b64encode(b'hook:s@cret').decode()}"
        assert post.headers["host"] == listener.url.removeprefix("http://")


def test_a_failed_delivery_is_tried_again_with_the_same_octets(client: RunningBox) -> None:
    with Listener(500, 503, 200) as listener:
        tell(client, listener.url)
        open_settings(client.data).change(DeliverySettings, {"webhook_waits": [1.0, 1.0, 1.0]})
        client.start()
        job_id = send(client, faxQuality="Low")
        posts = listener.wait(3)
        assert len({post.body for post in posts}) == 1
        assert len({post.headers["x-ifax-signature"] for post in posts}) == 1
        until(lambda: [delivery.state for delivery in deliveries(client, job_id)] == [OutboxState.DONE])
        assert len(listener.posted) == 3


def test_the_timetable_goes_on_after_a_kill(client: RunningBox) -> None:
    with Listener(500, 200) as listener:
        tell(client, listener.url)
        open_settings(client.data).change(DeliverySettings, {"webhook_waits": [4.0, 300.0]})
        client.start()
        job_id = send(client, faxQuality="Low")
        listener.wait(1)
        until(lambda: any(delivery.tries >= 1 for delivery in deliveries(client, job_id)))
        client.kill()
        client.start()
        posts = listener.wait(2)
        assert posts[1].at - posts[0].at > 3.0
        assert posts[0].body == posts[1].body
        assert ended(client, job_id)["faxStatus"] == "delivered"
