"""Decisions about received faxes and calls, and their use in a running box."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.box import Box
from appliance.core import Core
from appliance.daemon.main import run
from appliance.deliver.causes import JUNK_CALL
from appliance.deliver.routing import Contents, Why, judge_routes, junk, routes_of, waits_for_contents
from appliance.deliver.settings import DeliveryRoute, JunkRule
from appliance.lines.line import IncomingCall
from appliance.lines.practice.settings import PracticeSettings
from appliance.settings.accounts import User
from appliance.spool import ledger, outbox
from appliance.spool.delivery import OutboxState
from appliance.spool.filters import ReceivedFilter
from appliance.spool.model import Received
from tests.deliver.making import Hook, hook_server, make_box, until
from tests.spool.samples import sample_received


def fax(**facts: str) -> Received:
    known = {"caller": "+4940777", "dialled": "+4930555", "tsi": "+49 40 777", "sub_address": "17"}
    return sample_received(**{**known, **facts})


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({}, True),
        ({"dialled": ("+4930",)}, True),
        ({"dialled": ("004930 5",)}, True),
        ({"dialled": ("+4940", "+493055")}, True),
        ({"dialled": ("555",)}, False),
        ({"caller": ("+49 (40)".replace(" ", "").replace("(", "").replace(")", ""),)}, True),
        ({"caller": ("*",)}, False),
        ({"tsi": ("+4940777",)}, True),
        ({"tsi": ("40777",)}, False),
        ({"sub_address": ("17",)}, True),
        ({"sub_address": ("1",)}, False),
        ({"line": ("trunk", "modem")}, True),
        ({"line": ("modem",)}, False),
        ({"dialled": ("+4930",), "caller": ("+4989",)}, False),
        ({"enabled": False}, False),
    ],
)
def test_a_route_is_taken_when_all_its_conditions_fit(conditions: dict[str, object], fits: bool) -> None:
    route = DeliveryRoute(name="r", **conditions)  # type: ignore[arg-type]
    assert routes_of(fax(), {1: route}) == ([route] if fits else [])


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        ({"barcode": ("INV-",)}, Why.FITS),
        ({"barcode": ("inv-4711",)}, Why.FITS),
        ({"barcode": ("4711",)}, Why.BARCODE),
        ({"words": ("purchase order",)}, Why.FITS),
        ({"words": ("toner", "Order no")}, Why.FITS),
        ({"words": ("toner",)}, Why.WORDS),
        ({"words": ("order",), "barcode": ("x",)}, Why.BARCODE),
    ],
)
def test_what_is_on_the_page_is_a_condition_like_others(conditions: dict[str, object], why: Why) -> None:
    route = DeliveryRoute(name="r", **conditions)  # type: ignore[arg-type]
    contents = Contents("Purchase\nOrder  No 7", ("other", "INV-4711"))
    assert [each.why for each in judge_routes(fax(), {1: route}, contents)] == [why]
    assert routes_of(fax(), {1: route}) == []
    assert routes_of(fax(), {1: route}, {1}) == [route]


def test_a_fax_waits_for_its_page_only_where_that_may_decide() -> None:
    by_code = DeliveryRoute(name="code", position=2, barcode=("1",))
    assert waits_for_contents(fax(), {1: by_code})
    assert waits_for_contents(fax(), {1: by_code, 2: DeliveryRoute(name="before", position=1, last=False)})
    assert not waits_for_contents(fax(), {1: by_code, 2: DeliveryRoute(name="before", position=1)})
    assert not waits_for_contents(fax(), {1: DeliveryRoute(name="code", barcode=("1",), dialled=("9",))})
    assert not waits_for_contents(fax(), {1: DeliveryRoute(name="code", barcode=("1",), enabled=False)})


@pytest.mark.parametrize("caller", ["", "anonymous", "Anonymous", " Unavailable "])
def test_a_star_stands_for_callers_who_show_no_number(caller: str) -> None:
    route = DeliveryRoute(name="r", caller=("*",))
    assert routes_of(fax(caller=caller), {1: route}) == [route]
    assert routes_of(fax(caller=caller), {1: DeliveryRoute(name="r", caller=("+49",))}) == []


def test_routes_are_taken_in_order_up_to_the_last() -> None:
    first = DeliveryRoute(name="archive", position=1, last=False)
    second = DeliveryRoute(name="sales", position=2, dialled=("+4930",))
    third = DeliveryRoute(name="rest", position=3)
    assert routes_of(fax(), {1: third, 2: second, 3: first}) == [first, second]
    assert routes_of(fax(dialled="+4989"), {1: third, 2: second, 3: first}) == [first, third]


def call(caller: str = "+4940777", name: str = "") -> IncomingCall:
    return IncomingCall(line="trunk", dialled="+4930555", caller=caller, caller_name=name)


@pytest.mark.parametrize(
    ("rules", "caller", "refused"),
    [
        ([], call(), False),
        ([JunkRule(name="n")], call(), False),
        ([JunkRule(name="n", caller=("+4940",))], call(), True),
        ([JunkRule(name="n", caller=("0049 40".replace(" ", ""),))], call(), True),
        ([JunkRule(name="n", caller=("*",))], call(""), True),
        ([JunkRule(name="n", caller=("*",))], call(), False),
        ([JunkRule(name="n", caller_name="toner")], call(name="Cheap TONER now"), True),
        ([JunkRule(name="n", caller=("+4940",), dialled=("+4989",))], call(), False),
        ([JunkRule(name="n", line=("modem",))], call(), False),
        (
            [JunkRule(name="n", caller=("+49",)), JunkRule(name="ours", caller=("+4940",), allow=True)],
            call(),
            False,
        ),
        ([JunkRule(name="n", caller=("+49",), enabled=False)], call(), False),
    ],
)
def test_a_call_is_junk_when_a_rule_with_a_condition_fits_and_none_allows_it(
    rules: list[JunkRule], caller: IncomingCall, refused: bool
) -> None:
    assert junk(caller, dict(enumerate(rules, 1))) is (JUNK_CALL if refused else None)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_whatever_a_network_says_of_a_call_is_decided(caller: str, name: str, dialled: str) -> None:
    knocking = IncomingCall(line="l", dialled=dialled, caller=caller, caller_name=name)
    rules = {
        1: JunkRule(name="n", caller=("+49", "*"), dialled=("1",)),
        2: JunkRule(name="m", caller_name="x"),
    }
    assert junk(knocking, rules) in (None, JUNK_CALL)
    routes = {1: DeliveryRoute(name="r", caller=("*", "0"), last=False), 2: DeliveryRoute(name="all")}
    assert routes_of(fax(caller=caller, dialled=dialled, tsi=name), routes)[-1].name == "all"


def test_a_running_box_refuses_junk_unanswered_and_routes_what_it_takes(tmp_path: Path) -> None:
    """With a whole box, called by the practice machine."""
    box = make_box(tmp_path / "data")
    box.settings.add(User(name="ada"))
    box.settings.change(PracticeSettings, {"speed": 10.0})
    box.settings.add(JunkRule(name="toner", caller=("0190",)))
    folder = tmp_path / "share"
    folder.mkdir()
    try:
        with hook_server(Hook()) as hook:
            box.settings.add(
                DeliveryRoute(
                    name="r", dialled=("555",), user="ada", webhook_url=hook.url, folder=str(folder)
                )
            )
            asyncio.run(_calls(box))
            refusals = [each for each in box.spool.read(ledger.audit_log) if each.action == "call.refused"]
            assert [(each.object, each.address) for each in refusals] == [("junk_call", "0190 123")]
            (taken,) = box.inbox.search(ReceivedFilter(empty=True))
            assert (taken.caller, taken.owner) == ("040777", "ada")
            assert [json.loads(body)["fax"]["id"] for body in hook.bodies] == [taken.id]
            assert [path.name.split("_")[2:] for path in folder.iterdir()] == [["040777", f"{taken.id}.pdf"]]
    finally:
        box.close()


async def _calls(box: Box) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    problems: list[BaseException] = []

    def call_in(core: Core) -> None:
        try:
            junk_call = core.practice(caller="0190 123", dialled="555")
            assert junk_call.pages_received == 0
            assert box.inbox.search(ReceivedFilter(empty=True)) == []
            core.practice(caller="040777", dialled="555")
            (taken,) = box.inbox.search(ReceivedFilter())
            made = [OutboxState.DONE] * 2
            until(lambda: [each.state for each in box.spool.read(outbox.of_fax, taken.id)] == made)
        except BaseException as error:
            problems.append(error)
        finally:
            loop.call_soon_threadsafe(stop.set)

    await run(
        box, stop, started=lambda core: threading.Thread(target=call_in, args=(core,), daemon=True).start()
    )
    assert problems == []
