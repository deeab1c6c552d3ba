"""Webhooks to real HTTP servers on loopback: content, times, retries, forbidden targets."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.deliver.service import Deliveries
from appliance.deliver.settings import DeliveryRoute, DeliverySettings
from appliance.deliver.styles import FaxEvent, SignedBody
from appliance.deliver.webhook import WebhookDeliverer, make_styles
from appliance.deliver.worker import DeliveryError
from appliance.net import http
from appliance.net.settings import ApiSettings
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey
from appliance.spool import decisions, outbox
from appliance.spool.delivery import Delivery, OutboxState
from appliance.spool.model import Job
from tests.deliver.making import START, Clock, Hook, fail, hook_server, make_box, receive, submit, until

KEY = "shop"


@contextlib.contextmanager
def delivering(box: Box) -> Iterator[Deliveries]:
    deliveries = Deliveries(box)
    deliveries.start()
    try:
        yield deliveries
    finally:
        deliveries.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def box(tmp_path: Path, clock: Clock) -> Iterator[Box]:
    made = make_box(tmp_path / "data", clock)
    secrets.first_start(made.settings)
    yield made
    made.close()


def deliveries_of(box: Box, fax_id: int) -> list[Delivery]:
    return box.spool.read(outbox.of_fax, fax_id)


def only(box: Box, job: Job) -> Delivery:
    (delivery,) = deliveries_of(box, job.id)
    return delivery


def test_a_failed_fax_is_told_to_its_callback_with_the_cause_and_a_signature(box: Box) -> None:
    _, _ = secrets.add_key(box.settings, KEY)
    secret = next(key.webhook_secret for key in box.settings.items(ApiKey).values())
    with hook_server(Hook()) as hook, delivering(box):
        job = submit(box, callback_url=hook.url, key=KEY, tag="order-7", metadata={"n": 7})
        fail(box, job)
        until(lambda: only(box, job).state is OutboxState.DONE)
    said = json.loads(hook.bodies[0])
    assert said["event"] == "fax.failed"
    assert said["fax"]["id"] == job.id
    assert said["fax"]["tag"] == "order-7"
    assert said["fax"]["metadata"] == {"n": 7}
    assert said["fax"]["result"]["code"] == "busy"
    assert said["fax"]["result"]["sentence"].endswith(".")
    stamp, given = (part.partition("=")[2] for part in hook.headers[0]["X-Faxbox-Signature"].split(","))
    wanted = hmac.new(secret.encode(), f"{stamp}.".encode() + hook.bodies[0], hashlib.sha256).hexdigest()
    assert given == wanted
    assert only(box, job).payload["key"] == KEY
    tried = box.spool.read(outbox.tries, only(box, job).id)
    assert [(each.ok, each.detail) for each in tried] == [(True, "200 said")]


def test_an_account_hears_of_all_its_faxes_and_of_no_other_account_s(box: Box) -> None:
    key_id, _ = secrets.add_key(box.settings, KEY)
    secrets.add_key(box.settings, "other")
    with hook_server(Hook()) as hook, delivering(box):
        box.settings.update(ApiKey, key_id, {"webhook_url": hook.url})
        ours, theirs = submit(box, key=KEY, owner=KEY), submit(box, key="other", owner="other")
        fail(box, theirs)
        fail(box, ours)
        until(lambda: hook.bodies)
        assert only(box, ours)
        assert deliveries_of(box, theirs.id) == []
    assert [json.loads(body)["fax"]["id"] for body in hook.bodies] == [ours.id]


def test_one_address_named_twice_is_told_once(box: Box) -> None:
    key_id, _ = secrets.add_key(box.settings, KEY)
    box.settings.update(ApiKey, key_id, {"webhook_url": "http://127.0.0.1:9/x"})
    Deliveries(box)
    job = submit(box, key=KEY, callback_url="http://127.0.0.1:9/x")
    fail(box, job)
    assert len(deliveries_of(box, job.id)) == 1


def test_the_style_of_the_interface_that_took_the_fax_words_the_webhook(box: Box) -> None:
    heard: list[FaxEvent] = []

    def style(_: Box, ended: FaxEvent, secret: str) -> SignedBody:
        heard.append(ended)
        return SignedBody(b"mine:" + secret.encode(), {"X-Mine": "yes"})

    secrets.add_key(box.settings, KEY)
    secret = next(key.webhook_secret for key in box.settings.items(ApiKey).values())
    with hook_server(Hook()) as hook, delivering(box) as deliveries:
        deliveries.styles.register("ifax", style)
        job = submit(box, callback_url=hook.url, origin="ifax", key=KEY)
        fail(box, job)
        until(lambda: only(box, job).state is OutboxState.DONE)
    assert hook.bodies == [b"mine:" + secret.encode()]
    assert hook.headers[0]["X-Mine"] == "yes"
    assert (heard[0].event, heard[0].at) == ("job.failed", START)


def test_a_style_with_a_fault_fails_the_try_and_not_the_box(box: Box) -> None:
    def style(_: Box, __: FaxEvent, ___: str) -> SignedBody:
        raise KeyError("a bug")

    with hook_server(Hook()) as hook, delivering(box) as deliveries:
        deliveries.styles.register("ifax", style)
        job = submit(box, callback_url=hook.url, origin="ifax")
        fail(box, job)
        until(lambda: only(box, job).tries == 1)
        other = submit(box, callback_url=hook.url)
        fail(box, other)
        until(lambda: only(box, other).state is OutboxState.DONE)
    assert "fault of this box" in only(box, job).last_error


def test_a_webhook_is_tried_again_after_5_10_20_30_and_60_minutes_and_then_given_up(
    box: Box, clock: Clock
) -> None:
    with hook_server(Hook(answers=[500] * 6)) as hook, delivering(box) as deliveries:
        job = submit(box, callback_url=hook.url)
        fail(box, job)
        moments = [clock.now]
        for number, minutes in enumerate((5, 10, 20, 30, 60), 1):
            until(lambda n=number: only(box, job).tries == n)
            assert only(box, job).next_try_at == clock.now + minutes * 60
            clock.now += minutes * 60 - 1
            deliveries._worker.wake()
            time.sleep(0.05)
            assert len(hook.bodies) == number, "not a second too early"
            clock.now += 1
            moments.append(clock.now)
            deliveries._worker.wake()
        until(lambda: only(box, job).state is OutboxState.FAILED)
    tried = box.spool.read(outbox.tries, only(box, job).id)
    assert [each.at for each in tried] == moments
    assert all(not each.ok and "500" in each.detail for each in tried)
    assert len(set(hook.bodies)) == 1, "every try says the same"


def test_the_timetable_goes_on_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    with hook_server(Hook(answers=[503])) as hook:
        first = make_box(tmp_path / "d", clock)
        with delivering(first):
            job = submit(first, callback_url=hook.url)
            fail(first, job)
            until(lambda: only(first, job).tries == 1)
        first.close()
        clock.now += 299
        second = make_box(tmp_path / "d", clock)
        try:
            with delivering(second) as deliveries:
                time.sleep(0.1)
                assert len(hook.bodies) == 1
                clock.now += 1
                deliveries._worker.wake()
                until(lambda: only(second, job).state is OutboxState.DONE)
            assert len(hook.bodies) == 2
        finally:
            second.close()


def test_a_clock_that_is_set_back_delays_no_delivery_by_more_than_its_timetable(
    box: Box, clock: Clock
) -> None:
    with hook_server(Hook(answers=[503])) as hook, delivering(box) as deliveries:
        job = submit(box, callback_url=hook.url)
        fail(box, job)
        until(lambda: only(box, job).tries == 1)
        clock.now -= 5 * 86400
        deliveries._worker.wake()
        until(lambda: only(box, job).state is OutboxState.DONE)


def test_a_delivery_that_was_put_in_before_the_clock_was_set_back_is_made_at_the_next_start(
    box: Box, clock: Clock
) -> None:
    with hook_server(Hook()) as hook:
        Deliveries(box)
        job = submit(box, callback_url=hook.url)
        fail(box, job)
        clock.now -= 5 * 86400
        with delivering(box):
            until(lambda: only(box, job).state is OutboxState.DONE)


def test_an_end_that_recovery_finds_is_told_too(tmp_path: Path) -> None:
    first = make_box(tmp_path / "d")
    job = submit(first, callback_url="http://127.0.0.1:9/")
    first.close()
    second = make_box(tmp_path / "d")
    try:
        Deliveries(second)
        second.spool.do(decisions.cancel, job.id, second.clock())
        assert only(second, job).payload["event"] == "job.cancelled"
    finally:
        second.close()


def test_a_redirect_is_a_failed_try_and_is_not_followed(box: Box) -> None:
    with hook_server(Hook(answers=[302])) as hook, delivering(box):
        job = submit(box, callback_url=hook.url)
        fail(box, job)
        until(lambda: only(box, job).tries == 1)
    assert len(hook.bodies) == 1
    assert "302" in only(box, job).last_error


def test_an_address_that_is_gone_is_not_tried_again(box: Box) -> None:
    with hook_server(Hook(answers=[410])) as hook, delivering(box):
        job = submit(box, callback_url=hook.url)
        fail(box, job)
        until(lambda: only(box, job).state is OutboxState.FAILED)
    assert len(hook.bodies) == 1


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:192.168.0.1", "fe80::1", "0.0.0.0"]
)
def test_nothing_is_sent_to_a_private_address_unless_the_owner_allows_it(box: Box, address: str) -> None:
    box.settings.change(ApiSettings, {"private_urls": False})
    deliver = WebhookDeliverer(box, make_styles(), resolver=lambda host, port: [address])
    Deliveries(box)
    job = submit(box, callback_url="http://hooks.example.com/")
    fail(box, job)
    with pytest.raises(DeliveryError, match="Nothing was sent"):
        deliver(only(box, job))


def test_a_name_is_looked_up_once_so_that_rebinding_gains_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """127.0.0.1 stands for the public server, 127.0.0.2 for one that must never be reached."""
    box.settings.change(ApiSettings, {"private_urls": False})
    monkeypatch.setattr(http, "is_public", lambda address: address == "127.0.0.1")
    asked: list[str] = []

    def rebinding(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with hook_server(Hook()) as hook:
        Deliveries(box)
        port = hook.url.split(":")[2].split("/")[0]
        job = submit(box, callback_url=f"http://rebind.example.com:{port}/")
        fail(box, job)
        deliver = WebhookDeliverer(box, make_styles(), resolver=rebinding)
        assert deliver(only(box, job)) == "200 said"
        assert asked == ["rebind.example.com"]
        assert hook.headers[0]["Host"] == f"rebind.example.com:{port}"
        with pytest.raises(DeliveryError, match="Nothing was sent"):
            deliver(only(box, job))
    assert len(hook.bodies) == 1


def test_a_mixed_answer_of_public_and_private_addresses_is_refused(box: Box) -> None:
    box.settings.change(ApiSettings, {"private_urls": False})
    deliver = WebhookDeliverer(box, make_styles(), resolver=lambda *_: ["93.184.216.34", "127.0.0.1"])
    Deliveries(box)
    job = submit(box, callback_url="http://both.example.com/")
    fail(box, job)
    with pytest.raises(DeliveryError, match="Nothing was sent"):
        deliver(only(box, job))


def test_an_endless_answer_is_cut_off_and_counts_by_its_status(box: Box) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def endless() -> None:
        peer, _ = listener.accept()
        with peer, contextlib.suppress(OSError):
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                peer.sendall(b"x" * 65536)

    thread = threading.Thread(target=endless, daemon=True)
    thread.start()
    with listener, delivering(box):
        job = submit(box, callback_url=f"http://127.0.0.1:{listener.getsockname()[1]}/")
        fail(box, job)
        until(lambda: only(box, job).state is OutboxState.DONE)
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", 200),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nok", 200),
        (b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nok", 503),
        (b"HTTP/1.1 200 OK\r\nX-Never: end", None),
        (b"\x00\x1b[2Jgarbage\r\n\r\n", None),
    ],
)
def test_an_answer_that_stays_open_counts_by_its_status_once_its_head_is_there(
    answer: bytes, status: int | None
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def odd() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(answer)
            done.wait(30)

    thread = threading.Thread(target=odd, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    try:
        with listener:
            if status is not None:
                assert http.post(url, b"{}", {}, timeout_s=1, allow_private=True).status == status
            else:
                with pytest.raises(http.FetchError) as caught:
                    http.post(url, b"{}", {}, timeout_s=1, allow_private=True)
                assert caught.value.detail.isprintable()
    finally:
        done.set()
        thread.join(60)


def test_a_receiver_that_never_answers_costs_one_try_and_holds_up_nobody(box: Box) -> None:
    box.settings.change(DeliverySettings, {"webhook_s": 1.0})
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, hook_server(Hook()) as hook, delivering(box):
        # Two of four workers at most are for the silent one: for 30 s, while the quick one takes none.
        slow = [submit(box, callback_url=f"http://127.0.0.1:{silent.getsockname()[1]}/") for _ in range(60)]
        for job in slow:
            fail(box, job)
        quick = submit(box, callback_url=hook.url)
        fail(box, quick)
        until(lambda: only(box, quick).state is OutboxState.DONE)
        tried = sum(only(box, job).tries for job in slow)
        assert tried < len(slow)
        until(lambda: only(box, slow[0]).tries == 1)
    assert "took too long" in only(box, slow[0]).last_error


def test_deliveries_under_way_are_bounded_for_each_target_and_in_all(box: Box) -> None:
    gate = threading.Event()
    with hook_server(Hook(hold=gate)) as one, delivering(box):
        made = [submit(box, callback_url=one.url) for _ in range(8)]
        for job in made:
            fail(box, job)
        until(lambda: one.at_once == 2)
        time.sleep(0.1)
        assert one.most_at_once == 2
        gate.set()
        until(lambda: all(only(box, job).state is OutboxState.DONE for job in made))
    assert len(one.bodies) == 8


def test_a_received_fax_is_told_to_the_keys_that_may_see_it_and_to_its_route(box: Box) -> None:
    with hook_server(Hook()) as owner_s, hook_server(Hook()) as other_s, hook_server(Hook()) as route_s:
        for name, hook in (("ada", owner_s), ("bob", other_s)):
            key_id, _ = secrets.add_key(box.settings, name)
            box.settings.update(ApiKey, key_id, {"webhook_url": hook.url})
        box.settings.add(DeliveryRoute(name="r", dialled=("+4930",), user="ada", webhook_url=route_s.url))
        with delivering(box):
            fax = receive(box, caller="+4940777", dialled="+4930555", tsi="+49 40 777", sub_address="12")
            until(lambda: all(each.state is OutboxState.DONE for each in deliveries_of(box, fax.id)))
    assert box.inbox.get(fax.id).owner == "ada"
    assert (len(owner_s.bodies), len(other_s.bodies), len(route_s.bodies)) == (1, 0, 1)
    said = json.loads(route_s.bodies[0])
    assert said["event"] == "fax.received"
    assert said["fax"]["owner"] == "ada"
    assert said["fax"]["caller"] == "+4940777"
    assert said["fax"]["sub_address"] == "12"
    assert said["fax"]["result"]["side"] == "none"
    assert said["fax"]["state"] == "complete"


def test_a_call_without_a_page_is_told_to_nobody(box: Box) -> None:
    key_id, _ = secrets.add_key(box.settings, "ada")
    box.settings.update(ApiKey, key_id, {"webhook_url": "http://127.0.0.1:9/"})
    Deliveries(box)
    fax = receive(box, pages=0, complete=False)
    assert deliveries_of(box, fax.id) == []


def test_a_stop_waits_for_the_delivery_under_way_and_begins_no_other(box: Box) -> None:
    gate = threading.Event()
    with hook_server(Hook(hold=gate)) as hook:
        deliveries = Deliveries(box)
        deliveries.start()
        made = [submit(box, callback_url=hook.url) for _ in range(4)]
        for job in made:
            fail(box, job)
        until(lambda: hook.at_once == 2)
        stopping = threading.Thread(target=deliveries.stop)
        stopping.start()
        until(lambda: deliveries._worker._stopping)
        gate.set()
        stopping.join(60)
        assert not stopping.is_alive()
    states = [only(box, job).state for job in made]
    assert states.count(OutboxState.DONE) == 2
    assert states.count(OutboxState.PENDING) == 2
