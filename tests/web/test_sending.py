"""A fax is composed, previewed, sent as previewed, and followed until it arrives."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Dialog, Page, expect

from appliance.lines.practice.settings import PracticeSettings
from appliance.spool.filters import JobFilter
from appliance.spool.model import JobState
from tests.api.served import SYSTEM_ZONE, TIMEOUT_S
from tests.web.browser import Web
from tests.web.views import View

pytestmark = pytest.mark.realtime


def letter(folder: Path, pages: int = 2) -> Path:
    """A TIFF with a different picture on each page."""
    path = folder / "letter.tiff"
    sheets = []
    for number in range(pages):
        sheet = Image.new("L", (860, 1100), 255)
        draw = ImageDraw.Draw(sheet)
        draw.rectangle((100, 200, 400 + 200 * number, 420), fill=90)
        draw.text((120, 500), f"Page {number + 1}", fill=0, font_size=60)
        sheets.append(sheet)
    sheets[0].save(path, save_all=True, append_images=sheets[1:], dpi=(100, 100))
    return path


def begin(page: Page, document: Path, number: str = "9990") -> None:
    """The first page with a recipient and a document."""
    page.goto("/")
    page.locator("#to-input").fill(number)
    page.keyboard.press("Enter")
    expect(page.locator(".chosen li")).to_have_count(1)
    page.locator("#choose").set_input_files(document)
    expect(page.locator("#pages img").first).to_be_visible()
    settled(page)


def settled(page: Page) -> None:
    """What was changed is made."""
    expect(page.locator("#paper")).to_have_attribute("aria-busy", "false")


def picture_of(page: Page, number: int) -> Image.Image:
    """The pixels that the browser shows, as black and white."""
    address = page.locator("#pages img").nth(number - 1).get_attribute("src")
    assert address is not None
    content = page.request.get(address).body()
    return Image.open(io.BytesIO(content)).convert("1")


def of_page(view: View, word: str, number: int) -> str:
    """The name of a button of a page of the preview."""
    return f"{view.said(word)}: {view.said('Page')} {number}"


def arrivals(box: Web) -> list[Path]:
    """What the practice machine at 9990 has received, the oldest first."""
    return sorted((box.served.box.data / "practice").glob("9990-*.tif"))


def test_the_pages_of_the_preview_arrive_bit_for_bit(box: Web, tmp_path: Path, view: View) -> None:
    before = set(arrivals(box))
    page = view.page(box)
    begin(page, letter(tmp_path))
    view.press(page.get_by_role("button", name=of_page(view, "Turn", 2)))
    settled(page)
    view.press(page.get_by_role("button", name=of_page(view, "Darker", 1)))
    settled(page)
    view.press(page.get_by_role("button", name=of_page(view, "Up", 2)))
    settled(page)
    seen = [picture_of(page, number) for number in (1, 2)]
    assert seen[0].tobytes() != seen[1].tobytes()
    view.press(view.button(page, "Send"))
    page.wait_for_url("**/faxes/*")
    expect(page.locator("#state .state")).to_contain_text(view.said("Sent"))
    expect(page.locator(".timeline")).to_contain_text(
        view.said("Page {page} of {pages} confirmed.", page=2, pages=2)
    )
    confirmed = view.said("The other machine confirmed every page: {time}.").partition("{")[0]
    expect(page.locator("#state")).to_contain_text(confirmed)
    # What spandsp at the other end made a file of.
    (received,) = [each for each in arrivals(box) if each not in before]
    with Image.open(received) as file:
        assert file.n_frames == len(seen)
        for number, picture in enumerate(seen):
            file.seek(number)
            arrived = file.convert("1")
            assert picture.size == arrived.size
            assert picture.tobytes() == arrived.tobytes()
    assert box.served.ask("GET", "/previews").json["previews"] == [], "what was sent is no draft any more"


def test_a_draft_survives_a_closed_browser_with_all_that_was_said(
    box: Web, tmp_path: Path, view: View
) -> None:
    name = f"dora-{view.id}"
    page = view.page(box, name)
    begin(page, letter(tmp_path), "9991")
    view.field(page, "With a cover page").check()
    view.field(page, "Subject").fill("A draft")
    view.field(page, "Hold it until I say so").check()
    settled(page)
    view.press(page.get_by_role("button", name=of_page(view, "Leave out", 3)))
    settled(page)
    page.context.close()
    later = view.page(box, name)
    later.clock.install()
    later.goto("/")
    expect(later.locator("#pages img")).to_have_count(2)
    expect(later.locator(".chosen")).to_contain_text("9991")
    expect(view.field(later, "Subject")).to_have_value("A draft")
    expect(view.field(later, "Hold it until I say so")).to_be_checked()
    view.press(view.button(later, "Put back"))
    expect(later.locator("#pages img")).to_have_count(3)
    stranger = box.page("eric")
    stranger.goto("/")
    expect(stranger.locator(".empty")).to_be_visible()
    # The ten seconds of "Undo" do not pass by on a busy machine.
    later.clock.pause_at(later.evaluate("Date.now() + 3600000") / 1000)
    view.press(view.button(later, "Throw away and start over"))
    view.press(view.button(later, "Undo"))
    expect(later.locator("#pages img")).to_have_count(3)


def test_a_number_that_rules_forbid_is_told_while_it_is_typed(box: Web) -> None:
    page = box.page()
    page.goto("/")
    page.locator("#to-input").fill("112")
    expect(page.locator("#to-said")).to_contain_text("The box never dials emergency numbers.")
    page.keyboard.press("Enter")
    expect(page.locator(".chosen li")).to_have_count(0)


def endless(folder: Path) -> Path:
    """A page that no coding makes small: in real time it is minutes on the line."""
    path = folder / "endless.tiff"
    noise = random.Random(7).randbytes(1728 // 8 * 2200)
    Image.frombytes("1", (1728, 2200), noise).save(path, dpi=(204, 196))
    return path


@pytest.fixture
def real_time(box: Web) -> Iterator[None]:
    """Practice calls take as long as real ones."""
    before = box.served.box.settings.section(PracticeSettings).speed
    box.served.box.settings.change(PracticeSettings, {"speed": 1.0})
    yield
    box.served.box.settings.change(PracticeSettings, {"speed": before})


@pytest.mark.usefixtures("real_time")
def test_pasted_numbers_are_recipients_of_their_own(box: Web) -> None:
    page = box.page()
    page.goto("/")
    to = page.get_by_label("To", exact=True)
    to.fill("9990, 9991; 112; 9992")
    to.press("Enter")
    expect(to).to_have_value("112")
    expect(page.locator("main")).to_contain_text("never dials emergency numbers")
    expect(page.locator("li", has_text="9992")).to_have_count(1)
    expect(page.get_by_role("button", name="Remove: 9990", exact=True)).to_be_visible()


def test_rows_pasted_from_a_spreadsheet_are_recipients_with_their_names(box: Web) -> None:
    page = box.page()
    page.goto("/")
    rows = "Dr. Ada\t9990\nBerlin\t10115\t0303\r\n9991\nEve\t0301\t0302\nTotal\n"
    page.locator("#to-input").evaluate(
        """(field, text) => {
          const held = new DataTransfer();
          held.setData("text/plain", text);
          const how = { clipboardData: held, bubbles: true, cancelable: true };
          field.dispatchEvent(new ClipboardEvent("paste", how));
        }""",
        rows,
    )
    expect(page.locator(".chosen li")).to_have_count(3)
    expect(page.locator(".chosen li").first).to_contain_text("Dr. Ada · 9990")
    expect(page.locator(".chosen li").nth(1)).to_contain_text("0303")
    # Which of two numbers, and what has none, is not guessed.
    expect(page.locator("#to-input")).to_have_value("Eve | 0301 | 0302; Total")
    expect(page.locator("#to-said")).to_contain_text("Eve | 0301 | 0302: ")


def test_a_fax_that_is_sent_while_numbers_are_checked_goes_to_all_of_them(box: Web, tmp_path: Path) -> None:
    page = box.page()
    begin(page, letter(tmp_path))
    page.route("**/numbers/check*", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.locator("#to-input").fill("9991; 9992")
    page.locator("#to-input").press("Enter")
    with page.expect_request("**/api/v1/faxes") as sent:
        page.get_by_role("button", name="Send", exact=True).click()
    assert [each["number"] for each in sent.value.post_data_json["to"]] == ["9990", "9991", "9992"]


def test_a_fax_is_cancelled_in_mid_page_and_sent_again_to_another_number(
    box: Web, tmp_path: Path, view: View
) -> None:
    page = view.page(box, "carl")
    begin(page, endless(tmp_path))
    with box.served.box.history.listen() as news:
        view.press(view.button(page, "Send"))
        page.wait_for_url("**/faxes/*")
        fax_id = int(page.url.rpartition("/")[2])
        # The page is under way, and will be for minutes.
        while True:
            each = news.get(TIMEOUT_S)
            assert each is not None, "the call never came to its page"
            if each.fax_id == fax_id and each.data.get("event") == "page_sending":
                break
    page.once("dialog", lambda asked: asked.accept())
    view.press(view.button(page, "Cancel"))
    expect(page.locator("#state .state")).to_contain_text(view.said("Cancelled"))
    job = box.served.box.faxes.get(fax_id)
    assert (job.state, job.pages_confirmed) == (JobState.CANCELLED, 0)
    view.press(page.locator("#state [data-open=again]"))
    page.locator("#again input").fill("9991")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: not address.endswith(f"/{fax_id}"))
    expect(page.get_by_role("heading", name="9991")).to_be_visible()
    page.once("dialog", lambda asked: asked.accept())
    view.press(view.button(page, "Cancel"))
    expect(page.locator("#state .state")).to_contain_text(view.said("Cancelled"))


def test_nobody_gets_at_a_preview_of_somebody_else(box: Web, tmp_path: Path) -> None:
    reply = box.served.form("/previews", [], [("a.tiff", letter(tmp_path).read_bytes())])
    assert reply.status == 201, reply.content
    preview = reply.json["id"]
    user_id = box.add_user("mallory")
    token = box.served.server.context.sessions.begin(user_id, box.served.box.clock(), 600)
    for method, path, body in (
        ("GET", f"/previews/{preview}", None),
        ("GET", f"/previews/{preview}/pages/1", None),
        ("PATCH", f"/previews/{preview}", {"quality": "fine"}),
        ("DELETE", f"/previews/{preview}", None),
        ("POST", "/faxes", {"to": ["9990"], "preview_id": preview}),
    ):
        assert box.served.ask(method, path, body, token=token).status == 404, path
    assert box.served.ask("GET", "/previews", token=token).json == {"previews": []}


def test_a_page_that_is_not_there_is_refused_and_the_preview_stays(box: Web, tmp_path: Path) -> None:
    preview = box.served.form("/previews", [], [("a.tiff", letter(tmp_path).read_bytes())]).json["id"]
    for page in ({"file": 0, "page": 3}, {"file": 1, "page": 1}):
        reply = box.served.ask("PATCH", f"/previews/{preview}", {"pages": [page]})
        assert reply.status == 400, reply.content
    assert len(box.served.ask("GET", f"/previews/{preview}").json["pages"]) == 2


def test_who_sends_without_a_network_is_told_to_press_again_and_then_one_fax_goes(
    box: Web, tmp_path: Path
) -> None:
    page = box.page("yuri")
    begin(page, letter(tmp_path, 1))
    button = page.get_by_role("button", name="Send", exact=True)
    page.context.set_offline(True)
    button.click()
    expect(page.get_by_role("alert").first).to_contain_text("press once more")
    page.context.set_offline(False)
    button.click()
    page.wait_for_url("**/faxes/*")
    assert len(box.served.box.faxes.search(JobFilter(owner="yuri"))) == 1


def test_on_a_slow_link_a_file_s_name_and_progress_are_seen_and_leaving_is_asked_about(
    box: Web, tmp_path: Path, view: View
) -> None:
    path = letter(tmp_path).rename(tmp_path / "laboratory.tiff")
    page = view.page(box, f"{view.id}-wanda")
    page.goto("/")
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000}
    network.send("Network.emulateNetworkConditions", slow)
    page.locator("h1").click()  # browsers ask nobody who has done nothing on the page
    page.locator("#choose").set_input_files(path)
    expect(page.locator(".handing")).to_contain_text("laboratory.tiff")
    page.wait_for_function(
        "() => (({ value }) => value > 0 && value < 100)(document.querySelector('.handing progress'))"
    )
    expect(page.locator("#working")).to_be_hidden()
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.evaluate("location.reload()")
    page.wait_for_timeout(200)
    network.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    expect(page.locator("#pages img").first).to_be_visible()
    assert asked == ["beforeunload"]
    expect(page.locator(".handing")).to_be_hidden()
    settled(page)
    page.reload()
    expect(page.locator("#files")).to_contain_text("laboratory.tiff")


@pytest.mark.parametrize(
    ("zone", "typed"),
    [
        ("Europe/Berlin", "2030-12-01T08:30"),
        ("Europe/Berlin", "2030-07-01T08:30"),
        ("Europe/Berlin", "2030-03-31T03:10"),  # ten minutes after clocks have changed
        ("", "2030-08-01T08:30"),  # the system's
    ],
)
def test_the_time_that_is_typed_is_the_box_s_wherever_the_browser_is(
    box: Web, tmp_path: Path, zone: str, typed: str
) -> None:
    owner = f"sent-{typed[:7]}"
    box.served.ask("PATCH", "/settings/station", {"time_zone": zone})
    there = ZoneInfo(zone) if zone else None
    try:
        page = box.page(owner, timezone_id="Pacific/Kiritimati")
        begin(page, letter(tmp_path, 1))
        shown = page.locator("#end").inner_text()
        hours = [datetime.now(there) + timedelta(minutes=each) for each in range(-4, 5)]
        assert any(f"{each:%H:%M}" in shown for each in hours), shown
        page.get_by_role("radio", name="Later").check()
        page.get_by_label("Not before").fill(typed)
        expect(page.locator("#zone")).to_contain_text(f"In the box's time zone, {zone}")
        page.get_by_role("button", name="Send later").click()
        page.wait_for_url("**/faxes/*")
        (job,) = box.served.box.faxes.search(JobFilter(owner=owner))
        assert job.scheduled_at == datetime.fromisoformat(typed).replace(tzinfo=there).timestamp()
        expect(page.locator("main")).to_contain_text(typed[-5:])
    finally:
        box.served.ask("PATCH", "/settings/station", {"time_zone": ""})
        box.served.wait(lambda: os.environ.get("TZ") == SYSTEM_ZONE)


def test_of_a_draft_in_two_tabs_nothing_is_sent_that_was_not_seen(
    box: Web, tmp_path: Path, view: View
) -> None:
    owner = f"{view.id}-zoe"
    here = view.page(box, owner)
    begin(here, letter(tmp_path, 1))
    there = here.context.new_page()
    there.goto("/")
    expect(there.locator("#pages img")).to_have_count(1)
    settled(there)
    there.locator("#choose").set_input_files(letter(tmp_path, 2))
    expect(there.locator("#pages img")).to_have_count(3)
    settled(there)
    view.press(view.button(here, "Send"))
    told = "The pages were changed meanwhile, perhaps in another window."
    expect(here.get_by_role("alert").first).to_contain_text(view.said(told))
    expect(here.locator("#pages img")).to_have_count(3)
    assert box.served.box.faxes.search(JobFilter(owner=owner)) == []
    view.press(view.button(here, "Send"))
    here.wait_for_url("**/faxes/*")
    there.locator("#choose").set_input_files(letter(tmp_path, 1))
    gone = "This draft is not here any more: it was sent or thrown away, perhaps in another window."
    expect(there.get_by_role("alert").first).to_contain_text(view.said(gone))
    assert len(box.served.box.faxes.search(JobFilter(owner=owner))) == 1


def test_what_a_file_is_called_is_shown_as_text(box: Web, tmp_path: Path) -> None:
    page = box.page("xena")
    name = tmp_path / '<img src=x onerror="window.bad=1">.tiff'
    letter(tmp_path).rename(name)
    begin(page, name)
    expect(page.locator("#files")).to_contain_text("<img src=x")
    assert page.evaluate("window.bad") is None


def test_of_a_fax_that_was_cut_off_the_rest_is_sent_with_one_press(
    box: Web, tmp_path: Path, view: View
) -> None:
    form = [("to", "9993"), ("max_tries", "1")]
    made = box.served.form("/faxes", form, [("a.tiff", letter(tmp_path, 3).read_bytes())])
    cut_off = made.json["faxes"][0]["id"]
    assert box.served.ended(cut_off)["pages_confirmed"] == 1
    page = view.page(box)
    page.goto(f"/faxes/{cut_off}")
    view.press(page.get_by_role("button", name="2-3"))
    page.wait_for_url(lambda address: "/faxes/" in address and not address.endswith(f"/{cut_off}"))
    expect(page.locator("#sheets img")).to_have_count(2)
    rest = int(page.url.rpartition("/")[2])
    assert box.served.ask("GET", f"/faxes/{rest}").json["pages"] == 2


def test_a_second_press_while_the_next_page_loads_sends_nothing_again(box: Web) -> None:
    served = box.served
    fax_id = served.ask("POST", "/faxes", {"to": ["9990"], "files": [{"content": "QQ=="}]}).json["faxes"][0][
        "id"
    ]
    served.ended(fax_id)
    page = box.page()
    page.goto(f"/faxes/{fax_id}")
    page.locator("[data-open=again]").click()
    # The next page does not come: the first press was answered, and the old page is still there.
    page.route(
        f"{box.url}/faxes/*",
        lambda route: route.abort("aborted") if route.request.is_navigation_request() else route.continue_(),
    )
    send = page.locator("#again button.main")
    with page.expect_response("**/resend"):
        send.click(no_wait_after=True)
    page.wait_for_timeout(300)
    send.click(no_wait_after=True)
    page.wait_for_timeout(500)
    again = [fax for fax in served.ask("GET", "/faxes").json["faxes"] if fax["resent_from"] == fax_id]
    assert len(again) == 1
