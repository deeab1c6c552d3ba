"""A page shows changes from between its rendering and the start of its event stream."""

from __future__ import annotations

import base64
import contextlib
import socket
import struct
import threading

import pytest
from playwright.sync_api import Route, expect

from tests.web.browser import Web

pytestmark = pytest.mark.realtime


def _held(box: Web) -> str:
    """The address of a fax that waits for its release."""
    file = {"name": "letter.txt", "content": base64.b64encode(b"Dear Bob").decode()}
    fax = {"to": ["9990"], "files": [file], "hold": True}
    [made] = box.served.ask("POST", "/faxes", fax).json["faxes"]
    address = f"/faxes/{made['id']}"
    box.served.wait(lambda: box.served.ask("GET", address).json["state"] == "held")
    return address


@pytest.mark.parametrize("windows", [1, 2], ids=["alone", "beside one that hears already"])
def test_a_change_between_loading_a_page_and_its_first_event_is_shown(box: Web, windows: int) -> None:
    address = _held(box)
    page = box.page()
    if windows == 2:
        page.goto(address)
        page = page.context.new_page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/live.js", hold)
    page.goto(address, wait_until="commit")
    state = page.locator("#state .state")
    expect(state).to_be_visible()
    while not held:
        page.wait_for_timeout(20)
    before = state.inner_text()
    assert box.served.ask("POST", f"{address}/cancel", {}).status == 200
    box.served.ended(int(address.rpartition("/")[2]))
    assert state.inner_text() == before
    for route in held:
        route.continue_()
    expect(state).to_contain_text("Cancelled")


def test_a_change_is_shown_although_the_page_could_not_be_fetched_at_first(box: Web) -> None:
    address = _held(box)
    page = box.page()
    page.goto(address)
    state = page.locator("#state .state")
    page.wait_for_timeout(1000)  # the first look after the start of the stream
    failed: list[Route] = []

    def first_fails(route: Route) -> None:
        if failed:
            route.continue_()
        else:
            failed.append(route)
            route.abort()

    page.route(f"**{address}", first_fails)
    assert box.served.ask("POST", f"{address}/cancel", {}).status == 200
    expect(state).to_contain_text("Cancelled")
    assert failed


def test_a_page_whose_shared_stream_never_begins_follows_the_box_by_itself(box: Web) -> None:
    address = _held(box)
    page = box.page()
    page.add_init_script("window.SharedWorker = class { port = new MessageChannel().port1; }")
    page.goto(address)
    expect(page.locator("#state .state")).to_be_visible()
    assert box.served.ask("POST", f"{address}/cancel", {}).status == 200
    expect(page.locator("#state .state")).to_contain_text("Cancelled")


class _Relay:
    """Between a browser and a box.

    After ``cut`` open connections are as those to a machine that lost its power and started again:
    they stay silent, and what is sent on them is reset (RFC 9293 3.5.2).
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open: list[tuple[socket.socket, socket.socket]] = []
        self._dead: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._dead.update(each for pair in self._open for each in pair)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for pair in self._open:
            for each in pair:
                each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                browser, _ = self._listening.accept()
                box = socket.create_connection(("127.0.0.1", self._port))
                self._open.append((browser, box))
                threading.Thread(target=self._asked, args=(browser, box), daemon=True).start()
                threading.Thread(target=self._answered, args=(browser, box), daemon=True).start()

    def _asked(self, browser: socket.socket, box: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := browser.recv(1 << 16):
                if browser in self._dead:
                    browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    browser.close()
                    return
                box.sendall(octets)
            box.shutdown(socket.SHUT_WR)

    def _answered(self, browser: socket.socket, box: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := box.recv(1 << 16):
                if browser not in self._dead:
                    browser.sendall(octets)
            if browser not in self._dead:
                browser.shutdown(socket.SHUT_WR)


def test_a_page_finds_the_box_again_that_lost_its_power_without_a_word(box: Web) -> None:
    file = {"name": "letter.txt", "content": base64.b64encode(b"Dear Bob").decode()}
    fax = {"to": ["9990"], "files": [file], "hold": True}
    [made] = box.served.ask("POST", "/faxes", fax).json["faxes"]
    address = f"/faxes/{made['id']}"
    box.served.wait(lambda: box.served.ask("GET", address).json["state"] == "held")
    relay = _Relay(box.served.port)
    try:
        page = box.page()
        page.add_init_script("delete window.SharedWorker")  # its clock would be its own
        page.add_init_script(
            "addEventListener('refreshed', () => { document.documentElement.dataset.again = ''; }, true)"
        )
        page.clock.install()
        page.goto(f"http://127.0.0.1:{relay.port}{address}")
        # As each page does once it hears of events.
        expect(page.locator("html[data-again]")).to_be_attached()
        state = page.locator("#state .state")
        before = state.inner_text()
        relay.cut()
        assert box.served.ask("POST", f"{address}/cancel", {}).status == 200
        box.served.ended(int(address.rpartition("/")[2]))
        assert state.inner_text() == before
        page.clock.fast_forward(60_000)
        expect(state).to_contain_text("Cancelled")
    finally:
        relay.close()
