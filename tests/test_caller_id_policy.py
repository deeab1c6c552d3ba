"""Which caller numbers may be used: the box's, a line's, the user's; the same at every door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.box import Box
from appliance.configuration import open_box
from appliance.lines.sip.settings import SipTrunk
from appliance.numbering.caller_id_policy import as_station_id, may_show, plain
from appliance.services.causes import CALLER_NOT_ALLOWED
from appliance.services.faxes import Request
from appliance.services.rules import RefusedError, To
from appliance.settings.accounts import User
from appliance.spool.model import Job
from appliance.spool.options import SendOptions
from appliance.station import StationSettings


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = open_box(tmp_path)
    station = {"station_id": "+49 30 1000", "further_numbers": ["+49 30 1001"]}
    box.settings.change(StationSettings, station)
    box.settings.add(SipTrunk(name="trunk", server="sip.example.net", caller_number="+49301002"))
    box.settings.add(User(name="ada", caller_number="030/1003"))
    box.settings.add(User(name="bob"))
    yield box
    box.close()


def send(box: Box, owner: str, **options: str) -> Job:
    file = box.documents.store_file(b"A letter", name="a.txt", media_type="text/plain")
    request = Request(owner, (To("+493012345"),), (file,), options=SendOptions(**options))  # type: ignore[arg-type]
    return box.faxes.submit(request).jobs[0]


@pytest.mark.parametrize(
    ("owner", "wanted", "shown"),
    [
        ("ada", "+49301000", "+49301000"),
        ("bob", "0049 30 1001", None),  # another number, by its digits
        ("bob", "+49-30-1001", "+49301001"),
        ("bob", "49 30 1002", "+49301002"),
        ("ada", "0301003", "0301003"),
        ("bob", "0301003", None),
        ("ada", "+1 900 555 0000", None),
        ("ada", "1" * 21, None),
    ],
)
def test_a_user_shows_numbers_of_the_box_and_their_own(
    box: Box, owner: str, wanted: str, shown: str | None
) -> None:
    assert box.accounts.shown_number(owner, wanted) == shown


def test_the_box_itself_refuses_what_a_door_lets_through(box: Box) -> None:
    for options in ({"caller_number": "+19005550000"}, {"station_id": "+1 900 5550000"}):
        with pytest.raises(RefusedError) as refused:
            send(box, "ada", **options)
        assert refused.value.cause is CALLER_NOT_ALLOWED


def test_a_user_with_a_number_shows_it_without_asking_and_others_show_the_boxs(box: Box) -> None:
    ada, bob = send(box, "ada").options, send(box, "bob").options
    assert (ada.caller_number, ada.station_id) == ("0301003", "0301003")
    assert (bob.caller_number, bob.station_id) == ("", "")


def test_a_fax_sent_again_shows_only_what_its_owner_still_may(box: Box) -> None:
    job = send(box, "bob", caller_number="+49301001")
    box.settings.change(StationSettings, {"further_numbers": []})
    assert box.faxes.resend(job.id).options.caller_number == ""


def test_a_box_without_numbers_leaves_it_to_the_line(tmp_path: Path) -> None:
    box = open_box(tmp_path)
    assert send(box, "ada", caller_number="+1 555 0100").options.caller_number == "+15550100"
    box.close()


@given(st.text(max_size=40), st.lists(st.text("0123456789+ ()/*#x", max_size=24), max_size=4))
def test_what_is_shown_is_always_one_of_the_known_numbers(wanted: str, known: list[str]) -> None:
    shown = may_show(wanted, known)
    if shown is not None and any(character.isdigit() for number in known for character in number):
        assert shown in {plain(number) for number in known}
    assert set(as_station_id(wanted)) <= set("+0123456789")
