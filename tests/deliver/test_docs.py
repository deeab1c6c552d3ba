"""docs/deliveries.md against the code: the signature check on a real webhook, the lists, the commands."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

from appliance.configuration import open_box, open_settings
from appliance.deliver.service import Deliveries
from appliance.deliver.settings import DeliveryRoute, DeliverySettings, JunkRule
from appliance.deliver.styles import FaxEvent
from appliance.deliver.webhook import own_style
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey
from appliance.spool import jobs, outbox
from appliance.spool.delivery import OutboxState
from tests.deliver.making import Hook, fail, hook_server, make_box, receive, submit, until

TEXT = (Path(__file__).parents[2] / "docs" / "deliveries.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL)


def check() -> Callable[..., bool]:
    (program,) = blocks("python")
    names: dict[str, Callable[..., bool]] = {}
    exec(compile(program, "docs/deliveries.md", "exec"), names)
    return names["is_from_the_box"]


def test_the_signature_check_takes_what_the_box_sends_and_nothing_else(tmp_path: Path) -> None:
    box = make_box(tmp_path / "data")
    secrets.add_key(box.settings, "shop")
    secret = next(key.webhook_secret for key in box.settings.items(ApiKey).values())
    deliveries = Deliveries(box)
    deliveries.start()
    try:
        with hook_server(Hook()) as hook:
            job = submit(box, callback_url=hook.url, key="shop")
            fail(box, job)
            until(lambda: box.spool.read(outbox.of_fax, job.id)[0].state is OutboxState.DONE)
    finally:
        deliveries.stop()
        box.close()
    body, header = hook.bodies[0], hook.headers[0]["X-Faxbox-Signature"]
    now = float(header.split(",")[0][2:])
    genuine = check()
    assert genuine(secret, header, body, now)
    assert not genuine("other", header, body, now)
    assert not genuine(secret, header, body + b" ", now)
    assert not genuine(secret, header, body, now + 301)
    for rubbish in ("", "t=,v1=", "t=1", "v1=x", "t=-1,v1=0", "t=" + "9" * 5000):
        assert not genuine(secret, rubbish, body, now)


def keys_of(value: object) -> object:
    return {key: keys_of(each) for key, each in value.items()} if isinstance(value, dict) else None


def test_the_webhook_has_the_fields_that_the_text_names(tmp_path: Path) -> None:
    (shown,) = (json.loads(block) for block in blocks("json") if '"event"' in block)
    box = make_box(tmp_path / "data")
    try:
        job = submit(box)
        fail(box, job)
        job = box.spool.read(jobs.get, job.id)
        said = json.loads(own_style(box, FaxEvent("job.failed", 0.0, 1, job), "s").body)
        assert keys_of(said) == keys_of(shown)
        fax = receive(box)
        came = json.loads(own_style(box, FaxEvent("received.complete", 0.0, 1, fax), "s").body)
    finally:
        box.close()
    for word in ("caller", "caller_name", "sub_address", "owner", "bad_rows", "started_at", "page_list"):
        assert word in came["fax"]
        assert f"`{word}`" in TEXT


def test_the_lists_that_the_text_shows_can_be_imported(tmp_path: Path) -> None:
    store = open_settings(tmp_path)
    for block in blocks("json"):
        if '"lists"' in block:
            store.load(json.loads(block))
    assert [route.name for route in store.items(DeliveryRoute).values()] == ["archive", "sales"]
    assert [rule.allow for rule in store.items(JunkRule).values()] == [False, True]


def test_the_commands_that_the_text_shows_are_taken(tmp_path: Path) -> None:
    store = open_settings(tmp_path)
    lines = [line for block in blocks("console") for line in block.splitlines()]
    assert len(lines) == 7
    for line in lines:
        _, faxbox, config, word, path, *value = shlex.split(line)
        assert (faxbox, config, word) == ("faxbox", "config", "set")
        assert len(value) == (0 if store.is_secret(path) else 1)  # what is secret is asked for
        store.set_path(path, *(value or ["secret"]))


def test_the_timetables_that_the_text_names_are_the_defaults() -> None:
    waits = DeliverySettings()
    assert [wait / 60 for wait in waits.webhook_waits] == [5, 10, 20, 30, 60]
    assert [wait / 60 for wait in waits.email_waits] == [1, 5, 15, 60, 240, 720]
    assert waits.folder_waits == waits.email_waits


def test_every_setting_that_the_text_names_is_there(tmp_path: Path) -> None:
    known = open_settings(tmp_path).get_path()
    named = re.findall(r"`(deliveries|mail_out|mail_in|api)\.([a-z_]+)`", TEXT)
    assert len(named) > 15
    for section, name in named:
        assert name in known[section], f"{section}.{name}"


def test_what_was_set_up_can_be_carried_to_another_box(tmp_path: Path) -> None:
    box = open_box(tmp_path / "one")
    box.settings.add(DeliveryRoute(name="r", folder="/srv"))
    box.settings.add(JunkRule(name="j", caller=("*",)))
    exported = box.settings.export(secrets=True)
    box.close()
    other = open_settings(tmp_path / "two")
    other.load(exported)
    assert other.export(secrets=True) == exported
