"""Every page: no serious findings of axe-core, no foreign scripts, small size."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.language import DOMAIN, FOLDER
from appliance.settings.accounts import UserRole
from appliance.spool.model import JobState, ReceivedState
from tests.web.browser import OWNER, PASSWORD, Web, web
from tests.web.furnished import Furnished, furnish, made_from_the_image
from tests.web.pages import PAGES, Seen
from webui import catalogue

pytestmark = pytest.mark.realtime

AXE = (Path(__file__).parent / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
# On the wire: page, style sheet and scripts, for the first visit.
FIRST_PAGE_OCTETS = 100_000
# What makes a page scroll sideways, empty when nothing does.
_TOO_WIDE = """
document.documentElement.scrollWidth <= innerWidth + 1 ? "" :
  [...document.querySelectorAll("main *")]
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
    .map((each) => each.outerHTML.slice(0, 120)).slice(0, 3).join(" | ") || "?"
"""
# Words that stand in two lines, of the words that a line has room for.
_BROKEN_WORDS = """() => {
const found = [], walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
for (let node; (node = walk.nextNode()); ) {
  if (node.parentElement.closest("code, pre")) continue;
  for (const word of node.data.matchAll(/[\\p{L}\\p{N}]{2,16}(?![^\\s])/gu)) {
    if (word.index && /\\S/.test(node.data[word.index - 1])) continue;
    const range = document.createRange();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    const boxes = [...range.getClientRects()].filter((box) => box.width > 0);
    const lines = new Set(boxes.map((box) => Math.round(box.top)));
    if (lines.size > 1) found.push(word[0]);
  }
}
return found.slice(0, 5).join(" ");
}"""

# Forms of scripts that a browser sends by itself, should the scripts fail, as a part of the address.
_SENT_IN_ADDRESSES = """() => [...document.forms]
    .filter((form) => !form.hasAttribute("action") && form.method !== "post")
    .map((form) => form.outerHTML.slice(0, 120)).join(" | ")"""
# What a screen reader cannot name, or not tell from its neighbours: tables, and buttons and links of rows.
_UNNAMED = """() => {
const text = (each) => each?.getAttribute("aria-label") ?? each?.textContent.trim() ?? "";
const named = (each) => each.hasAttribute("aria-labelledby") ?
  each.getAttribute("aria-labelledby").split(" ").every((id) => text(document.getElementById(id))) :
  each.getAttribute("aria-label") || each.caption?.textContent.trim();
const found = [...document.querySelectorAll("table")].filter((each) => !named(each));
for (const list of document.querySelectorAll("tbody, ol, ul")) {
  const rows = [...list.children].map((row) => [...row.querySelectorAll("button")]);
  const names = new Set();
  for (const row of rows) {
    const here = row.map((button) => [text(button), button]);
    found.push(...here.filter(([name]) => names.has(name)).map(([, button]) => button));
    for (const [name] of here) names.add(name);
  }
}
return found.map((each) => each.outerHTML.slice(0, 160)).join(" | ");
}"""
# What is current or chosen and looks like the others of its kind where the system's colours replace ours.
_LOOKS_LIKE_OTHERS = """() => {
const chosen = "[aria-current], [aria-selected=true], .chosen:not(ul)";
const look = (each) => {
  const style = getComputedStyle(each), sides = ["Top", "Right", "Bottom", "Left"];
  return [style.outline, style.backgroundColor, ...sides.map((side) => style[`border${side}`])].join();
};
return [...document.querySelectorAll(chosen)].filter((each) =>
  [...each.parentElement.children].some((other) =>
    other.tagName === each.tagName && !other.matches(chosen) && look(other) === look(each)))
  .map((each) => each.outerHTML.slice(0, 120)).join(" | ");
}"""


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[Web, Furnished]]:
    with made_from_the_image(), web(tmp_path_factory.mktemp("box"), browser) as made:
        made.add_user(OWNER, UserRole.ADMIN)
        yield made, furnish(made, evil=True)


# What axe-core looks at that another theme can change.
OF_COLOUR = ("color-contrast", "link-in-text-block")
OTHER: dict[str, Any] = {"light": "dark", "dark": "light"}


def faults(page: Page, theme: str) -> list[str]:
    """What axe-core calls serious or critical, in ``theme`` and, of colours, in the other one."""
    # Not as a script of the page: its rules forbid that.
    page.evaluate(AXE)
    found = _violations(page, {})
    page.emulate_media(color_scheme=OTHER[theme])
    found += [f"{OTHER[theme]}: {each}" for each in _violations(page, {"runOnly": OF_COLOUR})]
    page.emulate_media(color_scheme=OTHER[OTHER[theme]])
    return found


def _violations(page: Page, asked: dict[str, object]) -> list[str]:
    found = page.evaluate("asked => axe.run({resultTypes: ['violations'], ...asked})", asked)
    return [
        f"{page.url}: {each['id']}: {each['nodes'][0]['html'][:200]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("theme", "phone"), [("light", False), ("dark", True)])
def test_every_page_is_for_everybody_and_shows_what_strangers_wrote_as_text(
    lived_in: tuple[Web, Furnished], theme: str, phone: bool
) -> None:
    box, furnished = lived_in
    signed_in = box.page(theme=theme, phone=phone)
    stranger = box.page("", theme=theme, phone=phone)
    found: list[str] = []
    for seen in PAGES:
        page = stranger if seen.who == "nobody" else signed_in
        answer = page.goto(furnished.path(seen.path))
        assert answer is not None
        assert answer.status == (404 if seen.name == "nothing-here" else 200), seen.path
        found += faults(page, theme)
        if page.evaluate("window.bad") is not None:
            found.append(f"{seen.path}: a stranger's script ran")
        if sent := page.evaluate(_SENT_IN_ADDRESSES):
            found.append(f"{seen.path}: without scripts, what is typed is sent in the address: {sent}")
        if unnamed := page.evaluate(_UNNAMED):
            found.append(f"{seen.path}: has no name of its own: {unnamed}")
        wide = page.evaluate(_TOO_WIDE)
        if wide:
            found.append(f"{seen.path}: wider than the window: {wide}")
        broken = page.evaluate(_BROKEN_WORDS)
        if broken:
            found.append(f"{seen.path}: words in two lines: {broken}")
    assert found == []
    box.close_windows()


def test_what_is_chosen_is_seen_where_the_system_s_colours_replace_ours(
    lived_in: tuple[Web, Furnished],
) -> None:
    """Forced colours, such as the high contrast of Windows, replace grounds and tints."""
    box, furnished = lived_in
    page = box.page(forced_colors="active")
    found = []
    for seen in PAGES:
        if seen.who == "nobody":
            continue
        page.goto(furnished.path(seen.path))
        if alike := page.evaluate(_LOOKS_LIKE_OTHERS):
            found.append(f"{seen.path}: {alike}")
    assert found == []
    page.goto("/")
    page.get_by_role("combobox", name="To").fill("999")
    expect(page.locator("#to-list [role=option]")).not_to_have_count(0)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#to-list [aria-selected=true]")).to_have_css("outline-width", "2px")
    box.close_windows()


def test_paper_is_white_without_forms_and_no_number_is_in_two_lines(lived_in: tuple[Web, Furnished]) -> None:
    box, _ = lived_in
    entry = {"number": "+49431123456789", "last_name": "Hohenlohe-Langenburg", "company": "University " * 9}
    assert box.served.ask("POST", "/contacts", entry).status == 201
    page = box.page(theme="dark", viewport={"width": 718, "height": 1000})  # A4 without its margins
    page.goto("/")
    page.emulate_media(media="print")
    expect(page.locator("#send")).to_be_hidden()
    expect(page.locator("body")).to_have_css("color", "rgb(29, 28, 26)")
    page.goto("/settings/contacts")
    number = page.get_by_role("cell", name="+49431123456789")
    assert (
        number.evaluate("""cell => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size;
    }""")
        == 1
    )
    box.close_windows()


def test_every_page_fits_a_narrow_window_in_the_language_with_the_long_words(
    lived_in: tuple[Web, Furnished],
) -> None:
    """320 pixels (WCAG 2.2, 1.4.10): also what 1280 are when a page is enlarged to 400 %."""
    box, furnished = lived_in
    page = box.page(language="de")
    page.set_viewport_size({"width": 320, "height": 640})
    found = []
    for seen in PAGES:
        if seen.who != "nobody":
            page.goto(furnished.path(seen.path))
            if wide := page.evaluate(_TOO_WIDE):
                found.append(f"{seen.path}: {wide}")
    assert found == []
    box.close_windows()


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_navigation_is_whole_in_every_window_however_long_its_words_are(
    lived_in: tuple[Web, Furnished], language: str
) -> None:
    box, _ = lived_in
    box.add_user("katharina", UserRole.ADMIN, full_name="Katharina Oppermann-Liebich")
    page = box.page("katharina", language=language)
    page.goto("/received")
    for width in (320, 390, 420, 421, 640, 641, 701, 768, 820, 1000, 1001, 1280):
        page.set_viewport_size({"width": width, "height": 600})
        cut_off = page.evaluate(
            "(each => each.scrollWidth - each.clientWidth)(document.querySelector('.top nav'))"
        )
        assert cut_off == 0, (language, width)
    box.close_windows()


class _Texts(HTMLParser):
    """What of a page is shown or read out, piece by piece; not what is code, or said to be English."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[bool] = []  # of each element whether it is left out

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [
            given[name] or "" for name in ("aria-label", "placeholder", "title", "alt") if name in given
        ]
        if tag not in _EMPTY:
            self._open.append(tag in ("script", "style", "code", "pre") or given.get("lang") == "en")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _EMPTY:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._open):
            self.found.append(data)


_EMPTY = {"meta", "link", "input", "img", "br", "hr", "col", "line", "rect", "path", "circle", "polyline"}


def _texts(page: str) -> list[str]:
    parser = _Texts()
    parser.feed(page)
    return [" ".join(text.split()) for text in parser.found]


_CODES = {each.value for each in (*JobState, *ReceivedState) if "_" in each.value}
# Letters that a sentence has besides its places: fewer, such as "{a} of {b}", fit names of all kinds.
_LEAST_LETTERS = 4


def _english(code: str) -> re.Pattern[str]:
    """Fits every sentence of the catalogue that is no word of the language ``code``, its places filled."""
    place = re.compile(r"%\(\w+\)s|\{\w+\}")
    pairs: list[tuple[str, str]] = []
    for message in catalogue.read(FOLDER / code / "LC_MESSAGES" / f"{DOMAIN}.po"):
        if isinstance(message.id, str):
            pairs.append((message.id, str(message.string)))
        else:
            pairs += zip(message.id, message.string, strict=True)
    theirs = {other for _, other in pairs}
    fits = []
    for english, _ in pairs:
        text = " ".join(english.split())
        letters = sum(map(str.isalpha, place.sub("", text)))
        if english not in theirs and letters >= (_LEAST_LETTERS if place.search(text) else 2):
            fits.append(".+".join(re.escape(piece) for piece in place.split(text)))
    return re.compile("|".join(fits))


@pytest.mark.parametrize("code", ["de"])
def test_no_page_says_a_sentence_of_ours_in_english(lived_in: tuple[Web, Furnished], code: str) -> None:
    box, furnished = lived_in
    english = _english(code)
    user_id = box.add_user(OWNER)
    token = box.served.server.context.sessions.begin(user_id, box.served.box.clock(), 600)
    found: list[str] = []
    for seen in PAGES:
        headers = {"Accept-Language": code}
        if seen.who != "nobody":
            headers["Cookie"] = f"faxbox={token}"
        reply = box.served.ask("GET", furnished.path(seen.path), token="", prefix="", headers=headers)
        texts = _texts(reply.content.decode())
        assert texts, seen.name
        # A code of the interface, such as needs_number, is no word in any language.
        found += [f"{seen.name}: {text}" for text in texts if english.fullmatch(text) or text in _CODES]
    assert found == []


def test_the_first_page_is_light_on_the_wire(lived_in: tuple[Web, Furnished]) -> None:
    box, _ = lived_in
    page = box.page()
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    sizes: list[int] = []  # on the wire, heads included
    network.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    page.goto("/")
    page.wait_for_load_state("load")
    assert 0 < sum(sizes) < FIRST_PAGE_OCTETS
    box.close_windows()


def test_the_first_page_after_signing_in_asks_the_network_for_itself_alone(
    lived_in: tuple[Web, Furnished],
) -> None:
    """One round trip to usable: style sheet and scripts came while somebody typed their password."""
    box, _ = lived_in
    page = box.page("")
    page.goto("/sign-in")
    page.wait_for_load_state("load")
    page.wait_for_function(
        "() => [...document.querySelectorAll('link[rel=modulepreload]')].every((link) =>"
        " performance.getEntriesByName(link.href).some((entry) => entry.responseEnd > 0))"
    )
    page.get_by_label("Name or e-mail address").fill(OWNER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("combobox", name="To")).to_be_focused()
    page.wait_for_load_state("load")
    # What the browser had is of no size on the wire.  What follows events is there for later.
    loaded = page.evaluate(
        "performance.getEntriesByType('resource').map((each) => [each.name, each.transferSize])"
        ".filter(([name]) => /\\.(js|css)$/.test(name) && !name.includes('/stream'))"
    )
    assert len(loaded) > 5
    assert [name for name, octets in loaded if octets] == []
    box.close_windows()


def test_a_page_names_all_its_scripts_itself_so_that_they_come_in_one_round_trip(
    lived_in: tuple[Web, Furnished],
) -> None:
    box, furnished = lived_in
    page = box.page()
    for path in ("/", "/received", "/faxes/{fax}"):
        page.goto(furnished.path(path))
        page.wait_for_load_state("load")
        named = page.evaluate(
            "[...document.querySelectorAll('link[href], script[src]')].map((each) => each.href || each.src)"
        )
        loaded = page.evaluate(
            "performance.getEntriesByType('resource').map((each) => each.name)"
            ".filter((name) => name.includes('/static/'))"
        )
        # What follows events is there for later.
        late = {address for address in loaded if "/stream" in address}
        assert set(loaded) - set(named) - late == set(), path
        assert len(loaded) > 5
    box.close_windows()


# Each place that somebody else can write into: what stands before their script there, and where it is seen.
PLACES = {
    "station id": ("", "/received/{received}", "<dd>"),
    "caller's name": ("", "/received", "<b>"),
    "machine that answered": ("", "/faxes/{fax}", "<dd>"),
    "name of a recipient": ("", "/sent", "<b>"),
    "subject": ("Findings", "/sent", ""),
    "tag": ("lab", "/sent", ""),
    "tag of a document without a number": ("scan", "/waiting", ""),
    "phone book": ("Babbage", "/settings/contacts", ""),
    "company": ("Engines", "/settings/contacts", ""),
    "group": ("Colleagues", "/settings/groups", ""),
    "rule": ("withheld", "/settings/junk", ""),
    "route": ("front desk", "/settings/routes", ""),
    "our own name": ("Dr. Lovelace", "/settings/station", ""),
    "audit log": ("", "/audit", ""),
    "note on a received fax": ("rang", "/received/{received}", ""),
    "note on a sent fax": ("sent twice", "/faxes/{fax}", ""),
    "full name of a user": ("Grace", "/settings/users", ""),
    "template of a cover page": ("</textarea>", "/settings/covers/1", ""),
    "e-mail address": ("", "/deliveries", ""),
}


@pytest.mark.parametrize("place", sorted(PLACES))
def test_a_script_that_a_stranger_wrote_stands_there_as_text(
    lived_in: tuple[Web, Furnished], place: str
) -> None:
    box, furnished = lived_in
    before, path, around = PLACES[place]
    user_id = box.add_user(OWNER, UserRole.ADMIN)
    token = box.served.server.context.sessions.begin(user_id, box.served.box.clock(), 600)
    reply = box.served.ask(
        "GET", furnished.path(path), token="", prefix="", headers={"Cookie": f"faxbox={token}"}
    )
    page = reply.content.decode()
    script = "<script>window.bad" if before.startswith("<") else "<img src=x onerror="
    assert around + html.escape(before + script) in page, page
    assert script not in page


# -- who may see what ------------------------------------------------------------------------------


def _status(box: Web, name: str, path: str) -> int:
    user_id = box.add_user(name)
    token = box.served.server.context.sessions.begin(user_id, box.served.box.clock(), 600)
    reply = box.served.ask("GET", path, token="", prefix="", headers={"Cookie": f"faxbox={token}"})
    return reply.status


_EVERYBODYS = {"about", "account", "account-app", "interface"}
_SENDING = {"send", "sent", "waiting", "import"} | {
    f"{what}-{listed}" for what in ("list", "new") for listed in ("contacts", "groups")
}
# What opens for whom; every other page stays closed.
ROLES = {
    UserRole.READER: _EVERYBODYS | {"received"},
    UserRole.SENDER: _EVERYBODYS | _SENDING,
    UserRole.USER: _EVERYBODYS | _SENDING | {"received", "received-fax"},  # it was given to nobody
}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_its_pages_and_no_others(lived_in: tuple[Web, Furnished], role: UserRole) -> None:
    box, furnished = lived_in
    box.add_user(f"a-{role.value}", role)
    found = {
        seen.name: _status(box, f"a-{role.value}", furnished.path(seen.path))
        for seen in PAGES
        if seen.who != "nobody"
    }
    assert {name for name, status in found.items() if status == 200} == ROLES[role]
    closed = {name: status for name, status in found.items() if name not in ROLES[role]}
    if role is UserRole.READER:
        assert closed.pop("send") == 303  # the first page of who reads is Received
    assert set(closed.values()) <= {403, 404}, closed


def test_pages_that_need_a_sign_in_redirect_to_it(lived_in: tuple[Web, Furnished]) -> None:
    box, furnished = lived_in
    for seen in PAGES:
        if seen.who == "nobody" or seen.name == "nothing-here":
            continue
        reply = box.served.ask("GET", furnished.path(seen.path), token="", prefix="")
        assert (reply.status, reply.headers["Location"].startswith("/sign-in?to=")) == (303, True), seen.path


def test_the_list_names_every_page() -> None:
    """A page that is added is looked at by all of the above."""
    from webui.pages import ALL

    known = [Seen("", seen.path).path.split("?")[0] for seen in PAGES]
    for page in ALL:
        if page.method != "GET" or page.path in ("/first-start",):
            continue
        pattern = re.sub(r"<\w+:re:([^>]*)>", r"(?:\1)", page.path)
        pattern = re.sub(r"<\w+(:int)?>", r"[^/]+", pattern)
        assert any(re.fullmatch(pattern, path) for path in known), page.path
