"""Pending deliveries are dropped for users who were disabled, removed or lost a right meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.deliver.settings import DeliverySettings
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey, Scope, User, UserRole
from appliance.spool import outbox
from appliance.spool.delivery import Delivery, OutboxState
from tests.deliver.mailing import post_office
from tests.deliver.making import Hook, fail, hook_server, make_box, receive, submit, until
from tests.deliver.test_email_out import delivering, set_up

WAIT_S = 1.5
LATER = "451 come back later"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = make_box(tmp_path / "data")
    secrets.first_start(made.settings)
    waits = [WAIT_S]
    made.settings.change(DeliverySettings, {"webhook_waits": waits, "email_waits": waits})
    yield made
    made.close()


def deliveries_of(box: Box, fax_id: int) -> list[Delivery]:
    return box.spool.read(outbox.of_fax, fax_id)


def ended(box: Box, fax_id: int) -> Delivery:
    """The fax's only delivery, once it was tried, and once more or not at all."""
    until(lambda: deliveries_of(box, fax_id)[0].state is not OutboxState.PENDING)
    (found,) = deliveries_of(box, fax_id)
    return found


def _make(
    box: Box, values: Mapping[str, object] | None, kind: type[ApiKey] | type[User], item_id: int
) -> None:
    """Makes a change to a key or user; None removes it."""
    if values is None:
        box.settings.remove(kind, item_id)
    else:
        box.settings.update(kind, item_id, values)


CHANGES: dict[str, Mapping[str, object] | None] = {
    "removed": None,
    "disabled": {"disabled": True},
    "reads no more": {"scopes": ("send",)},
    "told elsewhere": {"webhook_url": "http://127.0.0.1:9/"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_webhook_that_waits_is_not_told_to_a_revoked_key(box: Box, change: str) -> None:
    key_id, _ = secrets.add_key(box.settings, "shop")
    with hook_server(Hook(answers=[503])) as hook, delivering(box):
        box.settings.update(ApiKey, key_id, {"webhook_url": hook.url})
        fax = receive(box)
        until(lambda: deliveries_of(box, fax.id)[0].tries == 1)
        _make(box, CHANGES[change], ApiKey, key_id)
        found = ended(box, fax.id)
        assert (found.state, len(hook.bodies)) == (OutboxState.DROPPED, 1)
        assert "key" in found.last_error


def test_the_callback_that_came_with_a_fax_is_told_whatever_becomes_of_its_key(box: Box) -> None:
    key_id, _ = secrets.add_key(box.settings, "shop")
    with hook_server(Hook(answers=[503])) as hook, delivering(box):
        job = submit(box, callback_url=hook.url, key="shop")
        fail(box, job)
        until(lambda: deliveries_of(box, job.id)[0].tries == 1)
        box.settings.remove(ApiKey, key_id)
        assert ended(box, job.id).state is OutboxState.DONE


@pytest.mark.parametrize("values", [{"disabled": True}, {"role": UserRole.SENDER}])
def test_a_key_hears_of_received_faxes_no_more_than_its_user_may(box: Box, values: dict[str, object]) -> None:
    secrets.add_user(box.settings, "ada", "a long enough word")
    user_id = next(iter(box.settings.items(User)))
    key_id, _ = secrets.add_key(box.settings, "adas", owner="ada", scopes=(Scope.RECEIVE,))
    with hook_server(Hook()) as hook, delivering(box):
        box.settings.update(ApiKey, key_id, {"webhook_url": hook.url})
        heard = receive(box)
        until(lambda: deliveries_of(box, heard.id)[0].state is OutboxState.DONE)
        box.settings.update(User, user_id, values)
        assert deliveries_of(box, receive(box).id) == []


USER_CHANGES: dict[str, Mapping[str, object] | None] = {
    "removed": None,
    "disabled": {"disabled": True},
    "moved": {"email": "ada@new.example"},
}


@pytest.mark.parametrize("change", USER_CHANGES)
def test_an_email_that_waits_is_not_sent_to_a_user_who_is_none_any_more(box: Box, change: str) -> None:
    secrets.add_user(box.settings, "ada", "a long enough word")
    user_id = next(iter(box.settings.items(User)))
    box.settings.update(User, user_id, {"email": "ada@office.example"})
    with post_office() as office, delivering(box):
        office.answers += [LATER]
        set_up(box, office, results="always")
        job = submit(box, owner="ada")
        fail(box, job)
        until(lambda: deliveries_of(box, job.id)[0].tries == 1)
        _make(box, USER_CHANGES[change], User, user_id)
        found = ended(box, job.id)
        assert (found.state, office.taken) == (OutboxState.DROPPED, [])
        assert "user" in found.last_error
