"""A simulated call meets the same rules as a real one; the order of rules is set as a whole."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from appliance.deliver.routing import in_order, judge_junk, junk, refuses
from appliance.deliver.settings import DeliveryRoute, JunkRule
from appliance.lines.line import IncomingCall
from tests.api.served import Served

pytestmark = pytest.mark.realtime


def _try(served: Served, **query: str) -> dict[str, object]:
    found: dict[str, object] = served.ask("GET", "/rules/trial?" + urlencode(query)).json
    return found


def _whys(judged: object) -> list[tuple[str, str]]:
    assert isinstance(judged, list)
    return [(each["name"], each["why"]) for each in judged]


def test_a_trial_says_why_each_rule_applies_or_not_in_the_order_of_evaluation(served: Served) -> None:
    ids = [
        served.ask("POST", "/routes", body).json["id"]
        for body in (
            {"name": "off", "enabled": False},
            {"name": "surgery", "dialled": ["+4930"]},
            {"name": "rest"},
            {"name": "never"},
        )
    ]
    tried = _try(served, caller="+49401", dialled="0049301", line="practice")
    assert _whys(tried["routes"]) == [
        ("off", "off"),
        ("surgery", "fits"),
        ("rest", "after_last"),
        ("never", "after_last"),
    ]
    assert _whys(_try(served, dialled="+4989")["routes"])[1:3] == [("surgery", "dialled"), ("rest", "fits")]
    turned = ids[::-1]
    assert served.ask("POST", "/routes/order", {"ids": turned}).status == 204
    assert [key for key, _ in in_order(served.box.settings.items(DeliveryRoute))] == turned
    assert _whys(_try(served, dialled="+49301")["routes"])[0] == ("never", "fits")
    for wrong in (ids[1:], [*ids, ids[0]], [*ids[1:], 999]):
        assert served.ask("POST", "/routes/order", {"ids": wrong}).status == 400
    assert [key for key, _ in in_order(served.box.settings.items(DeliveryRoute))] == turned
    later = served.ask("POST", "/routes", {"name": "later"}).json["id"]
    assert [key for key, _ in in_order(served.box.settings.items(DeliveryRoute))] == [*turned, later]


def test_a_trial_takes_barcodes_and_words_of_the_page(served: Served) -> None:
    conditions = {"name": "invoices", "barcode": ["INV-"], "words": ["amount due"]}
    first = served.ask("POST", "/routes", conditions).json["id"]
    others = [key for key in served.box.settings.items(DeliveryRoute) if key != first]
    assert served.ask("POST", "/routes/order", {"ids": [first, *others]}).status == 204
    tried = [
        _try(served),
        _try(served, barcode="inv-4711"),
        _try(served, barcode="inv-4711", words="Amount  due: 7"),
    ]
    whys = [_whys(each["routes"])[0] for each in tried]
    assert whys == [("invoices", "barcode"), ("invoices", "words"), ("invoices", "fits")]
    assert served.ask("DELETE", f"/routes/{first}").status == 204


def test_a_trial_decides_as_a_real_call_does(served: Served) -> None:
    served.ask("POST", "/junk-rules", {"name": "far", "caller": ["+4999"]})
    served.ask("POST", "/junk-rules", {"name": "ours", "caller": ["+49991"], "allow": True})
    rules = served.box.settings.items(JunkRule)
    for caller in ("+49992", "+499912", "", "+1"):
        call = IncomingCall("practice", "1", caller)
        tried = _try(served, caller=caller, dialled="1", line="practice")
        assert (
            (tried["refused"] is not None)
            == (junk(call, rules) is not None)
            == refuses(judge_junk(call, rules))
        )
    refused = _try(served, caller="+49992")
    assert (refused["routes"], refused["user"]) == ([], "")
    assert _whys(_try(served, caller="+499912")["junk_rules"]) == [("far", "allowed"), ("ours", "fits")]
