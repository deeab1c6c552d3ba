"""Pages about the box itself: deliveries, and the doctor's findings."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Dialog, expect
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from appliance import image_update, language
from appliance.deliver.printer_words import lacks
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.settings import LineSettings
from appliance.spool.delivery import DeliveryFilter, NewDelivery
from tests.web.browser import Web
from tests.web.furnished import EVIL
from webui.pages import update
from webui.pages.deliveries import told

pytestmark = pytest.mark.realtime


def _failed_delivery(box: Web) -> int:
    """A delivery whose first try failed and whose next is far off; a stranger wrote what is in it."""
    outbox = box.served.box.outbox
    later = box.served.box.clock() + 1e6
    outbox.put(NewDelivery("email", f"{EVIL}@x.example", {"why": "result"}, (1e6,), not_before=later))
    ((delivery, _),) = outbox.search(DeliveryFilter())
    outbox.failed(delivery.id, f"500 {EVIL}", final=False)
    return delivery.id


def test_a_failed_delivery_is_seen_with_its_answer_and_made_once_more(box: Web) -> None:
    delivery = _failed_delivery(box)
    page = box.page()
    page.goto("/deliveries?show=pending&kind=email")
    row = page.locator(".log > li").filter(has_text="@x.example")
    expect(row).to_contain_text("Tries again")
    expect(row).to_contain_text("500 <img src=x")
    assert page.evaluate("window.bad") is None
    with page.expect_navigation():
        row.get_by_role("button", name="Send again").click()
    # The second try is made at once; the fax that it is about is not there.
    box.served.wait(lambda: len(box.served.box.outbox.with_tries(delivery)[1]) == 2)
    page.goto("/deliveries?show=failed")
    expect(row).to_contain_text("Given up")
    expect(row).to_contain_text("2 tries")
    expect(row).to_contain_text("The fax is no longer in the box.")


@pytest.mark.parametrize(
    ("language", "name", "wanted"),
    [
        ("en", "Office", "Printer Office ✕ does not print The printer has no paper. When there is some"),
        ("de", "Flur", "Drucker Flur ✕ druckt nicht Der Drucker hat kein Papier. Sobald welches da ist"),
    ],
)
def test_a_printer_without_paper_stands_on_the_page_of_the_lines(
    box: Web, language: str, name: str, wanted: str
) -> None:
    outbox, later = box.served.box.outbox, box.served.box.clock() + 1e6
    for reasons in ([], ["media-empty-error"]):
        outbox.put(NewDelivery("printer", name, {}, (1e6,), not_before=later))
        (delivery, _), *_ = outbox.search(DeliveryFilter(kind="printer", limit=1))
        outbox.failed(delivery.id, lacks(reasons, ""), final=False)
    page = box.page(language=language)
    page.goto("/lines")
    shown = " ".join(page.locator("section.line").filter(has_text=name).inner_text().split())
    assert shown.startswith(wanted)
    assert " 2 " in shown


def test_a_test_of_a_webhook_says_what_is_wrong_with_the_address(box: Web) -> None:
    page = box.page(language="de")
    page.goto("/deliveries")
    page.get_by_label("Adresse eines Webhooks").fill("ftp://shop.example/")
    page.get_by_role("button", name="Test senden").click()
    expect(page.locator(".fault")).to_have_text("nur http:// und https:// werden aufgerufen")


def test_the_doctor_shows_what_is_wrong_first_and_gives_a_bundle(box: Web) -> None:
    page = box.page()
    page.goto("/doctor")
    findings = page.locator("#findings > li")
    expect(findings.first).to_be_visible()
    marks = [each.strip()[:1] for each in page.locator("#findings .state").all_inner_texts()]
    order = ["✕", "!", "✓", "–"]
    assert marks == sorted(marks, key=order.index)
    assert "–" in marks or "✓" in marks
    with page.expect_download() as saved:
        page.get_by_role("link", name="Support bundle").click()
    assert saved.value.suggested_filename == "faxbox-support.zip"


def test_the_cover_editor_says_what_is_wrong_with_a_template_and_goes_on_when_it_is_right(box: Web) -> None:
    page = box.page()
    page.goto("/settings/covers/new")
    area, problem, picture = page.locator("[name=html]"), page.locator("#cover-problem"), "#cover-preview"
    area.fill("<p>{{nobody}}</p>")
    expect(problem).to_be_visible()
    expect(problem).to_contain_text("nobody")
    area.fill("<p>{{subject}}</p>")
    expect(problem).to_be_hidden()
    expect(page.locator(picture)).to_be_visible()


def test_the_front_panel_lights_on_a_page_as_a_fax_fails_and_its_button_puts_the_lamp_out(box: Web) -> None:
    page = box.page()
    page.goto("/panel")
    fault = page.locator(".lamps li").filter(has_text="Fault")
    expect(fault).to_contain_text("Nothing needs a person.")
    expect(page.get_by_role("button", name="Seen")).to_be_disabled()
    form = [("to", "9991"), ("max_tries", "1")]
    fax = box.served.form("/faxes", form, [("a.txt", b"busy")]).json["faxes"][0]["id"]
    assert box.served.ended(fax)["state"] == "failed"
    # The page hears of it by itself; the lamp's rhythm is the panel's own.
    expect(fault).to_contain_text("A fax has failed, or waits for a person.")
    beat = fault.locator("animate")
    expect(beat).to_have_attribute("keyTimes", "0;0.1")
    expect(beat).to_have_attribute("values", "1;0")
    expect(beat).to_have_attribute("dur", "2s")
    with page.expect_navigation():
        page.get_by_role("button", name="Seen").click()
    expect(fault).to_contain_text("Nothing needs a person.")
    expect(fault.locator("animate")).to_have_count(0)


def test_a_modem_that_no_line_uses_is_offered_on_the_page_of_the_lines(
    box: Web, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plugged: list[ListPortInfo] = []
    monkeypatch.setattr(list_ports, "comports", lambda: plugged)
    page = box.page()
    page.goto("/lines")
    modem = page.get_by_role("region", name="U.S. Robotics USR5637")
    expect(modem).to_have_count(0)
    port = ListPortInfo(str(tmp_path / "ttyACM7"), skip_link_detection=True)
    port.vid, port.pid = 0x0BAF, 0x0303
    plugged.append(port)
    page.reload()
    expect(modem).to_contain_text(f"This modem is plugged in at {port.device}, and no line uses it.")
    expect(modem.get_by_role("link", name="Make a line of it")).to_be_visible()
    line_id = box.served.box.settings.add(ClassOneModem(name="desk", device=port.device, enabled=False))
    try:
        page.reload()
        expect(modem).to_have_count(0)
    finally:
        box.served.box.settings.remove(LineSettings, line_id)


def test_what_a_try_met_is_told_in_the_reader_s_language_with_what_the_other_side_said() -> None:
    language.speak("de")
    try:
        said = told("Nothing was sent. The receiver did not take it. 500 Oh. No.")
        plain = told("Something else. 500")
    finally:
        language.speak("en")
    assert said == "Es wurde nichts gesendet. Der Empfänger hat es nicht angenommen. 500 Oh. No."
    assert plain == "Something else. 500"


@pytest.mark.parametrize(
    ("name", "older"),
    [
        ("faxbox-0.1.9-arm64.raucb", True),
        ("faxbox-0.2.0+12.gabc-arm64.raucb", True),
        ("faxbox-0.2.0+120.gabc-arm64 (1).raucb", False),
        ("faxbox-0.10.0-arm64.raucb", False),
        ("update.raucb", False),
    ],
)
def test_an_older_version_is_installed_after_a_warning(
    box: Web, monkeypatch: pytest.MonkeyPatch, name: str, older: bool
) -> None:
    monkeypatch.setattr(image_update, "is_image", lambda: True)
    monkeypatch.setattr(update, "build", lambda: "0.2.0+115.gdef")
    page = box.page()
    asked: list[str] = []

    def no(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", no)
    page.goto("/update")
    page.get_by_label("The update").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": b"hello"}
    )
    page.get_by_role("button", name="Install").click()
    assert ["older than 0.2.0+115.gdef" in each for each in asked] == [older]
