"""The message posted to a one-step fax's ``callback_url``, over a real connection."""

from __future__ import annotations

import pytest

from appliance.configuration import open_settings
from appliance.net.settings import ApiSettings
from tests.api_ictfax.client import Client
from tests.api_ifax.listener import Listener
from tests.api_ifax.running import RunningBox, form, small_pdf, until


def one_step(box: RunningBox, to: str, callback_url: str) -> int:
    body, kind = form(
        {"to": to, "from": "+493012345", "callback_url": callback_url},
        {"file": ("a.pdf", "application/pdf", small_pdf(2))},
    )
    found: int = Client(box, box.key).ask("POST", "/fax/send", body=body, kind=kind).json["job_id"]
    return found


@pytest.mark.parametrize(
    ("number", "status", "pages"), [("9990", "sent", 2), ("9991", "busy", 0), ("9992", "failed", 0)]
)
def test_the_end_of_a_fax_is_posted_to_its_callback(
    box: RunningBox, number: str, status: str, pages: int
) -> None:
    with Listener() as listener:
        made = one_step(box, number, f"{listener.url}/done?case=7")
        post = listener.wait()[0]
        assert post.path == "/done?case=7"
        assert post.headers["content-type"] == "application/json"
        told = post.json
        assert (told["job_id"], told["status"], told["pages"]) == (made, status, pages)
        assert told == Client(box, box.key).get(f"/fax/{made}")
        assert len(listener.posted) == 1


def test_a_callback_into_the_local_network_is_not_called_unless_allowed(box: RunningBox) -> None:
    settings = open_settings(box.data)
    settings.change(ApiSettings, {"private_urls": False})
    try:
        with Listener() as listener:
            made = one_step(box, "9990", listener.url)
            until(lambda: Client(box, box.key).get(f"/fax/{made}")["status"] == "sent")
            deliveries = box.call(
                "GET", f"/api/v1/faxes/{made}/deliveries", None, {"Authorization": f"Bearer {box.key}"}
            )
            assert deliveries.status == 200, deliveries
            until(lambda: _tried(box, made))
            assert listener.posted == []
    finally:
        settings.change(ApiSettings, {"private_urls": True})


def _tried(box: RunningBox, fax_id: int) -> bool:
    reply = box.call(
        "GET", f"/api/v1/faxes/{fax_id}/deliveries", None, {"Authorization": f"Bearer {box.key}"}
    )
    return any(len(each["tries"]) for each in reply.json["deliveries"])
