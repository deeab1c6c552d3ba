"""The check of a SIP trunk in the first start: a real call that the provider refuses, explained."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipSettings
from tests.web.browser import Web, noticed
from tests.web.views import View

pytestmark = pytest.mark.realtime

_COPIED = ("via", "from", "call-id", "cseq")


def _refuse(provider: socket.socket, methods: list[str], stopping: threading.Event) -> None:
    """Answers every request of SIP with 403 (RFC 3261 21.4.4)."""
    while not stopping.is_set():
        try:
            octets, peer = provider.recvfrom(65_536)
        except TimeoutError:
            continue
        lines = octets.decode("utf-8", "replace").split("\r\n")
        method = lines[0].partition(" ")[0]
        methods.append(method)
        if method in ("ACK", "SIP/2.0", ""):
            continue
        answer = ["SIP/2.0 403 Forbidden"]
        for line in lines[1:]:
            name = line.partition(":")[0].strip().lower()
            if name in _COPIED:
                answer.append(line)
            elif name == "to":
                answer.append(f"{line};tag=provider")
        answer += ["Content-Length: 0", "", ""]
        provider.sendto("\r\n".join(answer).encode(), peer)


@pytest.fixture
def provider() -> Iterator[tuple[int, list[str]]]:
    """A provider that lets nobody call: its port, and what it was asked."""
    methods: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(0.2)
        stopping = threading.Event()
        thread = threading.Thread(target=_refuse, args=(listening, methods, stopping), daemon=True)
        thread.start()
        yield listening.getsockname()[1], methods
        stopping.set()
        thread.join()


def test_a_trunk_that_refuses_is_told_in_words_with_what_to_ask(
    box: Web, provider: tuple[int, list[str]], view: View
) -> None:
    german = view.language == "de"
    port, methods = provider
    store = box.served.box.settings
    for line_id in store.items(LineSettings):
        store.remove(LineSettings, line_id)
    store.change(SipSettings, {"udp_port": 0})  # a box of another test may have 5060
    page = view.page(box)
    page.goto("/setup/line")
    template = page.locator("details.template").last
    template.locator("summary").click()
    name = f"provider-{view.id}"  # each its own: a line that is made anew under its name may be called before
    template.locator("[name=name]").fill(name)
    template.locator("[name=server]").fill(f"127.0.0.1:{port}")
    template.locator("button").click()
    check = page.get_by_role("heading", name=f"{name} prüfen" if german else f"Check {name}")
    expect(check).to_be_visible()
    page.locator("[name=to]").fill("+49 30 7654321" if german else "+49 30 7654322")
    page.get_by_role("button", name="Jetzt prüfen" if german else "Check it now").click()
    expect(page.locator("#state .bad")).to_contain_text(
        "Es kam kein Fax durch." if german else "No fax got through."
    )
    assert "INVITE" in methods
    report = page.locator("#report")
    expect(report).to_contain_text("Was zu tun ist" if german else "What to do")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    report.get_by_role("button", name="Kopieren" if german else "Copy").click()
    noticed(page, "Kopiert." if german else "Copied.")
    asked = page.evaluate("navigator.clipboard.readText()")
    assert "T.38" in asked
    assert ("Die Prüfung des Trunks ergab:" if german else "The check of the trunk says:") in asked

    # Later, from the page of the lines.
    page.goto("/lines")
    line = page.get_by_role("region", name=name)
    view.press(line.locator("summary"))
    view.field(line, "Its fax number").fill("+49 30 7654323")
    before = methods.count("INVITE")
    view.press(view.button(line, "Check it now"))
    page.wait_for_url("**/setup/check/*")
    expect(page.locator("#state .bad")).to_contain_text(view.said("No fax got through."))
    assert methods.count("INVITE") > before
