"""The image in an emulator: start, faxes, printing, updates, a broken update, power cuts.

Needs root and a base root file system that ``make image`` left in the cache; skipped with a reason otherwise.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.image.machine import BOARDS, DIST, PROJECT, START_S, TAP_MAC, Board, Machine, inside, toolbox
from tests.lines.g711.far_end import page, tiff_of
from tests.lines.sip.far_end import FarEnd, Medium
from tests.softmodem.fixtures import tiff_rasters
from tests.softmodem.served import ServedExchange, served
from tests.softmodem.stations import FaxMachine
from tests.web.browser import OWNER, PASSWORD, chromium

# How often the plug is pulled; 50 at full length.
POWER_CUTS = int(os.environ.get("FAXBOX_POWER_CUTS", "3"))
LONGEST_BEFORE_A_CUT_S = 5.0  # a fax to the practice line takes some twenty
BEFORE_THE_END = {"queued", "preparing", "sending"}
SLOW_MS = 300_000  # for hangs
DISK_PASSPHRASE = "correct horse battery"
PROVEN_STARTS = 20  # boot-attempts of /etc/rauc/system.conf
LETTER = base64.b64encode(b"A letter").decode()

TAP = "faxbox-tap"
# For the link between the host and the guest's second network interface: networks for examples (RFC 5737).
# Some machines have an address in one of them, all the same.
EXAMPLE_NETWORKS = ("198.51.100.", "203.0.113.", "192.0.2.")
# Numbers of the telephone exchange that the guest's modem hangs on.
OURS, THEIRS = "1", "0305550123"
NUMBER = "+49305550123"

# Machines that start some ten times, in an emulator: the limit is for hangs.
pytestmark = [pytest.mark.full, pytest.mark.timeout(3 * 3600)]


@pytest.fixture(name="exchange", scope="module")
def _exchange() -> Iterator[ServedExchange]:
    with served() as exchange:
        yield exchange


@dataclass(frozen=True)
class Link:
    """A network between the host and the guest alone, and the addresses of both."""

    host: str
    guest: str


@pytest.fixture(name="link", scope="module")
def _link() -> Iterator[Link]:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    ours = subprocess.run(["ip", "-4", "address"], stdout=subprocess.PIPE, text=True, check=True).stdout
    network = next(each for each in EXAMPLE_NETWORKS if each not in ours)
    link = Link(f"{network}1", f"{network}2")
    ip = ["ip", "-batch", "-"]
    subprocess.run(["ip", "link", "delete", TAP], stderr=subprocess.DEVNULL, check=False)  # of a killed run
    made = f"tuntap add dev {TAP} mode tap\naddress add {link.host}/30 dev {TAP}\nlink set {TAP} up\n"
    subprocess.run(ip, input=made, text=True, check=True)
    try:
        yield link
    finally:
        subprocess.run(ip, input=f"link delete {TAP}\n", text=True, check=True)


@pytest.fixture(name="machine", scope="module", params=BOARDS, ids=str)
def _machine(exchange: ServedExchange, link: Link, request: pytest.FixtureRequest) -> Iterator[Machine]:
    board: Board = request.param
    made = board.make()
    if made is None:
        pytest.skip(f"no cached base root file system for {board.architecture}: run make image first")
    image, slot = made
    folder = DIST / f"tested-{os.getpid()}"
    folder.mkdir()
    updates = folder / "updates.img"
    script = inside(PROJECT / "tests/image/updates.sh")
    toolbox("sh", script, inside(slot), inside(updates), board.architecture)
    port = exchange.plug_in(folder / "modem", OURS)
    machine = Machine(board, image, folder, updates, serial=port.path, tap=TAP)
    machine.start()
    try:
        machine.wait()
        yield machine
    finally:
        machine.pull_the_plug()
        subprocess.run(["rm", "-rf", folder], check=True)


def usable(machine: Machine, name: str) -> bool:
    return any(line["usable"] for line in machine.api("GET", "/lines")["lines"] if line["name"] == name)


def fax(machine: Machine, to: str = "9990") -> int:
    document = {"name": "a.txt", "content": LETTER}
    made = machine.api("POST", "/faxes", {"to": [to], "files": [document]})
    number: int = made["faxes"][0]["id"]
    return number


def states(machine: Machine) -> dict[int, str]:
    return {each["id"]: each["state"] for each in machine.api("GET", "/faxes?limit=200")["faxes"]}


def all_ended(machine: Machine, faxes: set[int]) -> bool:
    """By one request: of a hundred and fifty faxes, one each would be more than the box allows a caller."""
    now = states(machine)  # "waiting": for the next try, of those that were cut off
    return all(now[each] not in {*BEFORE_THE_END, "waiting"} for each in faxes)


def received(machine: Machine) -> set[int]:
    """Faxes of which a page was confirmed: a call that is cut off before its first page leaves none."""
    came_in = machine.api("GET", "/received?limit=200")["received"]
    return {each["id"] for each in came_in if each["pages"]}


@contextlib.contextmanager
def line(machine: Machine, body: dict[str, Any]) -> Iterator[None]:
    made = machine.api("POST", "/line-settings", body)["id"]
    try:
        yield
    finally:
        machine.api("DELETE", f"/line-settings/{made}")


def delivered(machine: Machine, sent: int) -> None:
    """Waits for the fax's end.  A try that failed counts: nothing here is slow on the line."""

    def tried() -> bool:
        found = machine.api("GET", f"/faxes/{sent}")
        return found["tries"] > 0 or found["ended_at"] is not None

    machine.until(tried)
    machine.until(lambda: states(machine)[sent] not in BEFORE_THE_END)
    found = machine.api("GET", f"/faxes/{sent}")
    assert found["state"] == "delivered", found


def version(machine: Machine) -> str:
    return machine.shell("sed -n s/^IMAGE_VERSION=//p /usr/lib/os-release").strip()


def slot(machine: Machine) -> str:
    return machine.shell("grep -o 'rauc.slot=.' /proc/cmdline").strip()[-1]


def test_a_fresh_card_starts_without_a_failed_unit_and_grows_its_data_partition(machine: Machine) -> None:
    assert machine.shell("cat /run/faxbox-image/data").strip() == "good"
    assert "0 loaded units" in machine.shell("systemctl --failed --no-pager")
    assert machine.shell("findmnt -no FSTYPE /").strip() == "overlay"
    assert "data=journal" in machine.shell("findmnt -no OPTIONS /data")
    grown = int(machine.shell("df --output=size -m /data | tail -1"))
    assert grown > 4000  # the card has 8 GB


@contextlib.contextmanager
def browsing(machine: Machine) -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(base_url=f"http://127.0.0.1:{machine.http}", locale="en-GB")
        page.set_default_timeout(SLOW_MS)
        yield page


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name or e-mail address").fill(OWNER)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("header summary")).to_have_text(OWNER)


def test_its_owner_sets_it_up_in_a_browser_and_sees_a_test_fax_delivered(machine: Machine) -> None:
    code = machine.shell(
        "journalctl -u faxbox -o cat | grep -oE '[A-Z0-9]{4}(-[A-Z0-9]{4}){2}' | tail -1"
    ).strip()
    with browsing(machine) as page:
        page.goto("/")
        page.get_by_label("Set-up code").fill(code)
        page.get_by_label("Name to sign in with").fill(OWNER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Once more").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("header summary")).to_have_text(OWNER)
        page.goto("/setup")
        page.get_by_label("Name of your office").fill("Dr. Weiss")
        page.get_by_label("Your fax number").fill("+49 30 5550100")
        page.get_by_label("Country").select_option("DE")
        page.get_by_role("button", name="Save and go on").click()
        page.wait_for_url("**/setup/disk")
        page.goto("/setup/test")
        page.get_by_role("button", name="Send the test fax").click()
        page.wait_for_url("**/faxes/*")
        expect(page.locator("main")).to_contain_text("confirmed every page", timeout=SLOW_MS)


def test_it_sends_over_a_modem_on_its_usb_port(
    machine: Machine, exchange: ServedExchange, tmp_path: Path
) -> None:
    received = tmp_path / "received.tif"
    far = FaxMachine(receive=received)
    exchange.connect(THEIRS, far)
    body = {"type": "modem", "name": "telephone", "device": "/dev/ttyUSB0", "country_code": "49"}
    with line(machine, body):
        machine.until(lambda: usable(machine, "telephone"))
        delivered(machine, fax(machine, NUMBER))
    exchange.do(far.close)
    assert len(tiff_rasters(received)) == 1


@pytest.mark.parametrize("medium", [Medium.T38, Medium.AUDIO], ids=["t38", "g711"])
def test_it_sends_over_a_sip_trunk(machine: Machine, link: Link, tmp_path: Path, medium: Medium) -> None:
    machine.shell(
        f"dev=$(ip -o link | grep {TAP_MAC} | cut -d' ' -f2 | tr -d :); "
        f"ip address replace {link.guest}/30 dev $dev; ip link set $dev up"
    )

    async def talk() -> None:
        async with FarEnd(tmp_path, tiff_of(tmp_path, [page()]), 1, 1, medium, host=link.host) as far:
            body = {
                "type": "sip",
                "name": "trunk",
                "server": f"{link.host}:{far.port}",
                "register": False,
                "ask_every_s": 0,
                # That far end takes no offer of T.38 in the middle of a call.
                "media": "g711" if medium is Medium.AUDIO else "both",
            }
            # The trunk stays until the call has ended at both sides: a confirmed page is not yet a BYE.
            with line(machine, body):
                await asyncio.to_thread(lambda: delivered(machine, fax(machine, NUMBER)))
                status, tally = await far.finish()
            assert (status, tally.calls, tally.unhappy) == (0, 1, {})

    asyncio.run(talk())


def test_it_sends_its_first_fax_and_prints_through_its_own_queue(machine: Machine) -> None:
    sent = fax(machine)
    machine.shell("echo printed >/tmp/a.txt; lp -d Fax -o phone=9990 /tmp/a.txt")
    machine.until(lambda: max(states(machine)) > sent)
    printed = max(states(machine))
    machine.until(lambda: states(machine)[sent] == states(machine)[printed] == "delivered")


def test_a_strangers_update_is_refused(machine: Machine) -> None:
    machine.shell("mkdir -p /run/updates; mount -o ro /dev/vdb /run/updates")
    said = machine.shell("faxbox update /run/updates/stranger.raucb", check=False)
    assert "signature verification failed" in said
    assert "goes on with the version that it has" in said


def test_an_update_from_the_web_pages_is_taken_and_a_broken_one_leads_back_with_all_data(
    machine: Machine,
) -> None:
    before, first = states(machine), slot(machine)
    with browsing(machine) as page:
        sign_in(page)
        page.goto("/update")
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_label("The update").set_input_files(machine.card.with_name("newer.raucb"))
        page.get_by_role("button", name="Install").click()
        kept = page.get_by_text("Version newer was installed and works.")
        expect(kept).to_be_visible(timeout=START_S * 1000)
    second = slot(machine)
    assert (version(machine), second) == ("newer", "B" if first == "A" else "A")
    assert states(machine) == before
    starts_left = f"/usr/lib/faxbox-image/starter left {second}"
    machine.until(lambda: machine.shell(starts_left) == f"{PROVEN_STARTS}\n")

    machine.shell(
        "mkdir -p /run/updates; mount -o ro /dev/vdb /run/updates; faxbox update /run/updates/broken.raucb"
    )
    machine.shell("systemctl reboot", check=False)
    machine.until(lambda: machine.health() is None)
    machine.wait()
    assert (version(machine), slot(machine)) == ("newer", second)
    assert states(machine) == before
    machine.until(lambda: machine.api("GET", "/update")["step"] == "went_back")


def test_a_pulled_plug_loses_nothing_that_was_accepted(machine: Machine) -> None:
    before, accepted = set(states(machine)), set[int]()
    moments = random.Random(POWER_CUTS)
    for _ in range(POWER_CUTS):
        accepted |= {fax(machine) for _ in range(3)}
        machine.api("POST", "/practice/receive", {"caller": "5551234"})
        # In the midst of what the box then writes: pages, attempts, what comes in.
        time.sleep(moments.uniform(0, LONGEST_BEFORE_A_CUT_S))
        came_in = received(machine)
        machine.pull_the_plug()
        machine.start()
        machine.wait()
        assert before | accepted <= set(states(machine))
        assert came_in <= received(machine)
    machine.until(lambda: all_ended(machine, accepted))
    assert machine.shell("cat /run/faxbox-image/data").strip() == "good"


def test_its_owner_encrypts_the_disk_and_opens_it_in_a_browser_after_a_power_cut(machine: Machine) -> None:
    before = states(machine)
    with browsing(machine) as page:
        sign_in(page)
        page.goto("/disk-lock")
        page.on("dialog", lambda dialog: dialog.accept())
        page.locator("[name=passphrase]").fill(DISK_PASSPHRASE)
        page.get_by_label("Once more").fill(DISK_PASSPHRASE)
        page.get_by_role("button", name="Encrypt the disk").click()
        expect(page.get_by_text("a passphrase opens it at each start")).to_be_visible(timeout=SLOW_MS)
    assert states(machine) == before
    machine.pull_the_plug()
    machine.start()
    machine.until(machine.locked)
    assert "sqlite" not in machine.shell("ls /var/lib/faxbox; ls /data/keep/var/lib/faxbox", check=False)
    with browsing(machine) as page:
        page.goto("/")
        for given in ("a wrong passphrase", DISK_PASSPHRASE):
            page.get_by_label("Passphrase").fill(given)
            # A browser that closes at once takes a request back that is on its way.
            with page.expect_response(lambda response: response.request.method == "POST", timeout=SLOW_MS):
                page.keyboard.press("Enter")
            if given != DISK_PASSPHRASE:
                expect(page.get_by_text("This is not the passphrase.")).to_be_visible()
    machine.wait()
    assert states(machine) == before
    machine.until(lambda: "is running" in machine.shell("lpstat -r", check=False))


def test_a_stick_opens_the_disk_by_itself(machine: Machine) -> None:
    before = states(machine)
    with browsing(machine) as page:
        sign_in(page)
        page.goto("/disk-lock")
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_label("The present passphrase").fill(DISK_PASSPHRASE)
        page.get_by_label("A USB stick").check()
        page.get_by_role("button", name="Change what opens it").click()
        expect(page.get_by_text("a USB stick opens it at each start")).to_be_visible(timeout=SLOW_MS)
    machine.pull_the_plug()
    machine.start()
    machine.wait()
    assert states(machine) == before
    delivered(machine, fax(machine))


def test_what_the_panel_leaves_when_both_buttons_are_held_puts_it_back_to_the_state_of_delivery(
    machine: Machine,
) -> None:
    # The last test: the key for the shell is gone with everything else.
    machine.shell("mkdir -p /run/faxbox-panel; touch /run/faxbox-panel/factory-reset")

    def at_first_start() -> bool:  # before, the page for signing in
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{machine.http}/", timeout=60) as answer:
                return str(answer.url).endswith("/first-start")
        except OSError:  # it starts
            return False

    machine.until(at_first_start)
