"""Import of the phone book in a browser: changes are shown first."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Dialog, expect

from appliance.phonebook import Contact, table
from appliance.phonebook.cards import decoded
from appliance.printing.settings import FavouritePrinter
from tests.web.browser import Web, noticed
from tests.web.views import View

pytestmark = pytest.mark.realtime

# A name that would be a script if it could.
CARDS = """BEGIN:VCARD
VERSION:3.0
N:Lovelace;Ada
ORG:Analytical Engines
TEL;TYPE=FAX:+49 (30) 111
END:VCARD
BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Gr=C3=BCn;<img src=x onerror="window.bad=1">
TEL;WORK;FAX:+49 30 222
END:VCARD
BEGIN:VCARD
VERSION:4.0
FN:Eve Else
TEL;TYPE=fax:+49 30 333
END:VCARD
BEGIN:VCARD
VERSION:3.0
FN:Nobody
END:VCARD
"""


def test_an_import_is_seen_before_it_is_done_and_what_is_saved_can_be_read(
    box: Web, tmp_path: Path, view: View
) -> None:
    store = box.served.box.settings
    store.revise((Contact,), lambda lists: lists[Contact].items.clear())
    store.add(Contact("+4930111", "Ada", "Lovelace"))
    store.add(Contact("030 99 333", "Eve", "Else"))
    before = dict(store.items(Contact))
    file = tmp_path / "people.vcf"
    file.write_text(CARDS, encoding="utf-8")

    page = view.page(box)
    page.goto("/settings/contacts")
    view.press(view.link(page, "Import"))
    view.field(page, "A file with contacts").set_input_files(file)
    view.press(view.button(page, "Look at it"))
    rows = page.locator("#steps tr")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text(view.said("Not taken"))
    expect(rows.nth(0)).to_contain_text("17")
    expect(rows.nth(1)).to_contain_text("030 99 333")  # the same name has another number
    expect(rows.nth(1).get_by_role("checkbox")).not_to_be_checked()
    expect(rows.nth(2)).to_contain_text("Analytical Engines")
    assert dict(store.items(Contact)) == before
    assert page.evaluate("window.bad") is None
    expect(page.locator("#import-now")).to_contain_text("2")
    view.press(page.locator("#import-now"))
    page.wait_for_url("**/settings/contacts")
    after = list(store.items(Contact).values())
    assert [(each.number, each.company) for each in after] == [
        ("+4930111", "Analytical Engines"),
        ("030 99 333", ""),
        ("+49 30 222", ""),
    ]
    view.press(page.locator(".button-menu summary"))
    with page.expect_download() as saved:
        page.get_by_role("link", name="(CSV)").click()
    saved.value.save_as(tmp_path / "saved.csv")
    cards = table.read(decoded((tmp_path / "saved.csv").read_bytes()))
    assert {card.number for card in cards} == {each.number for each in after}


def test_the_phone_book_is_searched_and_sorted_however_letters_are_written(box: Web) -> None:
    for last, first, number in (
        ("Zabel", "Anna", "81"),
        ("Özdemir", "Änne", "82"),
        ("Müller", "Jürgen", "83"),
    ):
        given = {"last_name": last, "first_name": first, "number": f"+49 30 5550{number}"}
        assert box.served.ask("POST", "/contacts", given).status == 201
    offered = box.served.ask("GET", "/recipients?q=mueller").json["recipients"]
    assert [each["name"] for each in offered] == ["Jürgen Müller"]
    page = box.page()
    page.goto("/settings/contacts")
    names = page.locator("tbody tr td:first-child")
    assert [name for name in names.all_inner_texts() if name in ("Zabel", "Özdemir", "Müller")] == [
        "Müller",
        "Özdemir",
        "Zabel",
    ]
    page.get_by_role("searchbox").fill("OZDEMIR")
    page.keyboard.press("Enter")
    expect(names).to_have_text(["Özdemir"])
    page.get_by_role("searchbox").fill("nobody of this name")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing fits.")).to_be_visible()


def test_two_people_who_change_one_entry_keep_what_the_other_wrote(box: Web) -> None:
    made = box.served.ask("POST", "/contacts", {"number": "+49 30 555077", "company": "Engines"}).json["id"]
    first, second = box.page(), box.page()
    for page in (first, second):
        page.goto(f"/settings/contacts/{made}")
        expect(page.locator("[name=company]")).to_have_value("Engines")
    first.locator("[name=company]").fill("Looms")
    second.locator("[name=last_name]").fill("Babbage")
    for page in (first, second):
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_url("**/settings/contacts")
    kept = box.served.ask("GET", f"/contacts/{made}").json
    assert (kept["company"], kept["last_name"]) == ("Looms", "Babbage")


def test_a_browser_that_keeps_nothing_for_pages_can_change_a_setting(box: Web) -> None:
    page = box.page()
    page.add_init_script("""for (const name of ["sessionStorage", "localStorage"]) {
        Object.defineProperty(window, name, { get() { throw new DOMException("", "SecurityError"); } });
    }""")
    page.goto("/settings/station")
    page.locator("[name=name]").fill("Surgery")
    page.get_by_role("button", name="Save", exact=True).click()
    noticed(page, "Saved.")
    assert box.served.ask("GET", "/settings/station").json["name"] == "Surgery"


def test_who_would_replace_what_somebody_else_has_just_written_is_asked(box: Web, view: View) -> None:
    made = box.served.ask("POST", "/contacts", {"number": "+49 30 555078", "company": "Engines"}).json["id"]
    page = view.page(box)
    page.goto(f"/settings/contacts/{made}")
    box.served.ask("PATCH", f"/contacts/{made}", {"company": "Looms"})
    page.locator("[name=company]").fill("Mills")
    asked: list[str] = []

    def no(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", no)
    view.press(view.button(page, "Save"))
    expect(view.button(page, "Save")).to_be_enabled()
    assert [f"{view.said('Company')}: Looms" in each for each in asked] == [True]
    assert box.served.ask("GET", f"/contacts/{made}").json["company"] == "Looms"
    page.once("dialog", lambda dialog: dialog.accept())
    view.press(view.button(page, "Save"))
    page.wait_for_url("**/settings/contacts")
    assert box.served.ask("GET", f"/contacts/{made}").json["company"] == "Mills"


def test_a_setting_is_changed_and_changed_back_without_loading_the_page_again(box: Web) -> None:
    page = box.page()
    page.goto("/settings/station")
    for name in ("Office", "Practice", "Office"):
        page.locator("[name=name]").fill(name)
        with page.expect_response("**/api/v1/settings/station") as answered:
            page.get_by_role("button", name="Save", exact=True).click()
        assert answered.value.request.post_data_json == {"name": name}
        assert box.served.ask("GET", "/settings/station").json["name"] == name


def test_a_file_without_contacts_is_refused_and_another_can_be_chosen(box: Web, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(b"\x00\x01 what is this?")
    page = box.page()
    page.goto("/settings/contacts/import")
    page.get_by_label("A file with contacts").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("alert")).to_contain_text("The file holds no contacts that can be read.")
    file.write_text("number;name\n+49 30 777;Zoe\n")
    page.get_by_label("A file with contacts").set_input_files(file)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Look at it").press("Enter")
    expect(page.get_by_role("button", name="Import 1 person")).to_be_enabled()


@pytest.mark.full
@pytest.mark.parametrize(
    ("language", "make", "away"),
    [
        ("en", "Make a printer of it", "Take it away"),
        ("de", "Einen Drucker daraus machen", "Wegnehmen"),
    ],
)
def test_an_entry_becomes_a_printer_in_one_press(box: Web, language: str, make: str, away: str) -> None:
    store = box.served.box.settings
    contact = store.add(Contact("9990", last_name="Weiss"))
    page = box.page(language=language)
    page.goto(f"/settings/contacts/{contact}")
    page.get_by_role("button", name=make).click()
    address = page.locator("code", has_text="ipp://")
    expect(address).to_be_visible()
    (number,) = (key for key, each in store.items(FavouritePrinter).items() if each.contact_id == contact)
    assert address.inner_text() == f"ipp://127.0.0.1:{box.served.port}/ipp/to/{number}"
    page.once("dialog", lambda asked: asked.accept())
    page.get_by_text(away, exact=True).click()
    expect(page.get_by_role("button", name=make)).to_be_visible()
    assert number not in store.items(FavouritePrinter)


# Where the + of a number is, and its first digit, in the last text of an element.
_PLACES = """element => {
    const text = element.lastChild;
    const at = (sign) => {
        const range = document.createRange();
        range.setStart(text, text.data.indexOf(sign));
        range.setEnd(text, text.data.indexOf(sign) + 1);
        return range.getBoundingClientRect().left;
    };
    return [at("+"), at("9")];
}"""


def test_names_of_any_length_and_direction_stay_on_a_phone_s_page(box: Web) -> None:
    long = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenversicherungsanstalt"
    for first, last, number in (("Friederike", long, "9991"), ("محمد", "الخوارزمي", "+966112345678")):
        body = {"first_name": first, "last_name": last, "company": long, "number": number}
        assert box.served.ask("POST", "/contacts", body).status == 201
    turned = {"last_name": "Schalom", "company": "עיריית תל אביב", "number": "+97231234567"}
    assert box.served.ask("POST", "/contacts", turned).status == 201
    page = box.page(phone=True)
    page.goto("/settings/groups/new")
    too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(too_wide)
    # The + of the number stands before it, at the right of the name.
    label = page.locator("label", has_text="الخوارزمي")
    places = label.evaluate(_PLACES)
    assert places[0] < places[1]
    page.goto("/")
    # A company's name that runs the other way does not turn the number after it.
    page.get_by_label("To", exact=True).fill("schalom")
    offered = page.get_by_role("option", name="Schalom").locator("span")
    places = offered.evaluate(_PLACES)
    assert places[0] < places[1]
    page.get_by_label("To", exact=True).fill("")
    page.get_by_label("To", exact=True).press_sequentially("Donau")
    page.get_by_role("option").first.wait_for()
    assert not page.evaluate(too_wide)
    assert page.get_by_role("option").first.evaluate("option => option.scrollWidth <= option.clientWidth")
