"""A received fax carries the name that the phone book has for its caller."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.configuration import open_box
from appliance.dispatch.dispatcher import Dispatcher
from appliance.dispatch.pool import ManagedLine
from appliance.numbers import NumberSettings
from appliance.phonebook import Contact
from appliance.services.contacts import contact_with
from appliance.spool.filters import ReceivedFilter
from tests.dispatch.fake_line import FakeLine


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = open_box(tmp_path)
    box.settings.change(NumberSettings, {"region": "DE"})
    for contact in (
        Contact("+494315551234", last_name="Dr. Brandt"),
        Contact("+4930998877", last_name="of Ada's own", owner="ada"),
        Contact("+493012345678", company="City lab"),
    ):
        box.settings.add(contact)
    return box


def _received_from(box: Box, caller: str) -> str:
    async def scenario() -> None:
        line = FakeLine()
        dispatcher = Dispatcher(box, [ManagedLine(line)])
        await dispatcher.start()
        await line.ring(caller, 1)
        await asyncio.wait(dispatcher.reception.tasks) if dispatcher.reception.tasks else None
        await dispatcher.stop()

    asyncio.run(scenario())
    (fax,) = box.inbox.search(ReceivedFilter())
    assert fax.caller == caller
    return fax.caller_name


@pytest.mark.parametrize(
    ("caller", "name"),
    [
        ("+494315551234", "Dr. Brandt"),
        ("04315551234", "Dr. Brandt"),  # as a trunk of the country gives it
        ("00494315551234", "Dr. Brandt"),
        ("+493012345678", "City lab"),
        ("+4943155512345", ""),  # a longer number is somebody else's
        ("5551234", ""),
        ("+4930998877", ""),  # whose contact is one user's own
        ("", ""),
        ("anonymous", ""),
    ],
)
def test_the_name_of_a_caller_is_that_of_the_shared_phone_book(box: Box, caller: str, name: str) -> None:
    assert _received_from(box, caller) == name


def test_a_contact_of_ones_own_is_found_for_its_owner(box: Box) -> None:
    may: Callable[[str], bool] = {"", "ada"}.__contains__
    found = contact_with("030 998877", "+4930998877", box.rules, may)
    assert found is not None
    assert found.name == "of Ada's own"
