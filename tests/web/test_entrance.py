"""First start, signing in and out, the authenticator app, and requests from other sites."""

from __future__ import annotations

import contextlib
import html
import http.client
import http.server
import io
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pyotp
import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Browser, Page, expect

from appliance import image_update
from appliance.api.limits import SignInGuard
from appliance.api.rest.table import ROUTES
from appliance.settings import secrets
from appliance.settings.accounts import UserRole
from tests.api.served import TIMEOUT_S
from tests.web import complaints
from tests.web.browser import OWNER, PASSWORD, PATIENCE_MS, Web, web
from tests.web.views import View
from webui import door
from webui.pages import entrance

# Longer than a page waits before it says that the box does not answer, ms.
AWAY_MS = 5000
pytestmark = pytest.mark.realtime


@pytest.fixture(autouse=True)
def _no_failures_yet(module_box: Web) -> None:
    module_box.served.server.context.sign_ins = SignInGuard()


def test_a_new_box_asks_for_its_code_and_makes_the_owners_account(tmp_path: Path, browser: Browser) -> None:
    with web(tmp_path, browser) as new:
        code = secrets.new_setup_code(new.served.box.settings)
        page = new.page("")
        page.goto("/")
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
        page.get_by_label("Set-up code").fill("AAAA-BBBB-CCCC")
        page.get_by_label("Name to sign in with").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Once more").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("This is not the set-up code")
        page.get_by_label("Set-up code").fill(code.lower())
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Once more").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("header summary")).to_have_text("ada")
        page.goto("/first-start")
        expect(page.get_by_role("heading", name="Welcome")).to_have_count(0)
        new.close_windows()


def test_signing_in_leads_to_the_page_that_was_wanted_and_signing_out_ends_it(box: Web) -> None:
    page = box.page("")
    page.goto("/account?from=mail")
    page.get_by_label("Name or e-mail address").fill(OWNER)
    page.get_by_label("Password").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong.")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/account?from=mail")
    cookie = next(each for each in page.context.cookies() if each["name"] == "faxbox")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    page.locator("header summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.context.add_cookies([{**cookie, "url": box.url, "domain": None, "path": None}])  # type: ignore[list-item, typeddict-item]
    page.goto("/account")
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_browser_that_keeps_no_cookies_is_told_so_after_signing_in(
    box: Web, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "Your browser does not keep the cookie by which the box knows you after signing in."
    page = view.page(box, "")
    page.goto("/received")
    expect(page.get_by_role("alert")).to_have_count(0)
    monkeypatch.setattr(door, "session_cookie", lambda environ: "")
    monkeypatch.setattr(entrance, "session_cookie", lambda environ: "")
    for _ in range(2):  # also when it is tried again
        view.field(page, "Name or e-mail address").fill(OWNER)
        view.field(page, "Password").fill(PASSWORD)
        view.press(view.button(page, "Sign in"))
        expect(page.get_by_role("alert")).to_contain_text(view.said(told))
    assert page.locator("[name=to]").input_value() == "/received"


def test_the_pages_speak_german_when_the_browser_does_and_english_when_the_user_chose_so(box: Web) -> None:
    page = box.page("", language="de")
    page.goto("/sign-in")
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    page = box.page(language="de")
    page.goto("/account")
    page.get_by_label("Sprache dieser Seiten").select_option("en")
    page.get_by_role("button", name="Speichern").first.click()
    expect(page.get_by_role("heading", name="Language")).to_be_visible()
    box.add_user(OWNER, language="")


def test_signing_out_everywhere_ends_the_other_windows(box: Web, view: View) -> None:
    here, there = view.page(box, "olga"), view.opposite.page(box, "olga")
    there.goto("/account")
    here.goto("/account")
    here.once("dialog", lambda asked: asked.accept())
    view.press(view.button(here, "Sign out everywhere else"))
    expect(view.button(here, "Sign out everywhere else")).to_have_count(0)
    there.reload()
    expect(view.opposite.field(there, "Password")).to_be_visible()


@pytest.mark.parametrize("renewed", [False, True], ids=["ended", "begun anew in another tab"])
def test_what_is_typed_into_a_form_outlives_the_end_of_its_session(box: Web, renewed: bool) -> None:
    page, name = box.page("hugo"), "Babbage" if renewed else "Byron"
    user_id, sessions = box.add_user("hugo"), box.served.server.context.sessions
    page.goto("/settings/contacts/new")
    page.get_by_label("Number").fill("9990")
    page.get_by_label("Last name").fill(name)
    page.locator("details:has([name=notes]) > summary").click()
    page.get_by_label("Notes").fill("Answers until five.")
    sessions.end_all(user_id)
    if renewed:
        token = sessions.begin(user_id, box.served.box.clock(), 3600)
        page.context.add_cookies([{"name": "faxbox", "value": token, "url": box.url}])
    page.get_by_role("button", name="Add").click()
    if not renewed:
        page.get_by_label("Name or e-mail address").fill("hugo")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("Your sign-in had ended.")
    expect(page.get_by_label("Last name")).to_have_value(name)
    expect(page.get_by_label("Notes")).to_be_visible()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/settings/contacts")
    kept = box.served.ask("GET", "/contacts").json["contacts"]
    assert [each["notes"] for each in kept if each["last_name"] == name] == ["Answers until five."]


def _sign_in_again(page: Page, name: str) -> None:
    page.get_by_label("Name or e-mail address").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/sign-in" not in address)


def test_a_page_says_that_its_session_has_ended_and_keeps_what_is_typed(box: Web) -> None:
    page = box.page("hugo")
    page.goto("/settings/contacts/new")
    page.get_by_label("Last name").fill("Byron")
    box.served.server.context.sessions.end_all(box.add_user("hugo"))
    expect(page.locator("#notices")).to_contain_text("Your sign-in has ended.")
    page.wait_for_timeout(AWAY_MS)
    expect(page.locator("#notices")).not_to_contain_text("The box does not answer.")
    page.locator("#notices").get_by_role("button", name="Sign in").click()
    _sign_in_again(page, "hugo")
    expect(page.get_by_label("Last name")).to_have_value("Byron")


def test_a_fax_that_is_put_together_outlives_the_end_of_its_session(box: Web) -> None:
    page = box.page("hugo")
    page.goto("/")
    to = page.get_by_label("To", exact=True)
    to.press_sequentially("9990,")
    expect(page.get_by_label("Recipients")).to_contain_text("9990")
    page.get_by_label("With a cover page").check()
    page.get_by_label("Message").fill("A long letter.")
    box.served.server.context.sessions.end_all(box.add_user("hugo"))
    to.press_sequentially("Byr")
    page.wait_for_url("**/sign-in*")
    _sign_in_again(page, "hugo")
    expect(page.get_by_label("Recipients")).to_contain_text("9990")
    expect(to).to_have_value("Byr")
    expect(page.get_by_label("Message")).to_have_value("A long letter.")
    expect(page.locator("#notices")).to_contain_text("What you typed is here again")
    # A document whose upload found the session ended has to be chosen again.
    box.served.server.context.sessions.end_all(box.add_user("hugo"))
    page.locator("#choose").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"})
    page.wait_for_url("**/sign-in*")
    _sign_in_again(page, "hugo")
    expect(page.locator("#notices")).to_contain_text("Choose the file again.")
    expect(page.get_by_label("Message")).to_have_value("A long letter.")
    page.locator("#choose").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"})
    expect(page.locator("#pages li").first).to_be_visible()
    # A change of the draft, too.
    expect(page.locator("#paper")).to_have_attribute("aria-busy", "false")
    box.served.server.context.sessions.end_all(box.add_user("hugo"))
    page.get_by_label("Subject").fill("Findings")
    page.wait_for_url("**/sign-in*")
    _sign_in_again(page, "hugo")
    expect(page.get_by_label("Subject")).to_have_value("Findings")
    expect(page.get_by_label("Message")).to_have_value("A long letter.")


def test_each_of_several_forms_has_its_own_words_again(box: Web) -> None:
    page = box.page()
    page.goto("/setup/line")
    page.locator("form details, details:has(form)").last.locator("summary").first.click()
    form = page.locator("form").last
    form.locator("[name=server]").fill("pbx.example")
    box.served.server.context.sessions.end_all(box.add_user(OWNER))
    form.evaluate("form => form.requestSubmit()")
    page.wait_for_url("**/sign-in*")
    _sign_in_again(page, OWNER)
    expect(page.locator("form").last.locator("[name=server]")).to_have_value("pbx.example")


def test_an_update_whose_session_has_ended_is_chosen_again(box: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_update, "is_image", lambda: True)
    page = box.page()
    page.on("dialog", lambda asked: asked.accept())
    page.goto("/update")
    page.get_by_label("The update").set_input_files(
        {"name": "a.raucb", "mimeType": "application/octet-stream", "buffer": b"hello"}
    )
    box.served.server.context.sessions.end_all(box.add_user(OWNER))
    page.get_by_role("button", name="Install").click()
    page.wait_for_url("**/sign-in*")
    _sign_in_again(page, OWNER)
    expect(page.locator("#notices")).to_contain_text("Choose the file again.")


def test_signing_out_of_a_session_that_has_ended_leads_to_the_door(box: Web) -> None:
    page = box.page("hugo")
    page.goto("/sent")
    box.served.server.context.sessions.end_all(box.add_user("hugo"))
    page.locator("header summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_code_that_comes_too_late_says_so(box: Web) -> None:
    page = box.page("")
    page.goto("/sign-in")
    page.evaluate("""() => {
        const form = document.forms[0];
        form.action = "/sign-in/code";
        form.innerHTML = '<input name="word" value="gone"><input name="code" value="123456">';
        form.submit();
    }""")
    expect(page.get_by_text("The sign-in waited too long for its code")).to_be_visible()
    expect(page.get_by_label("Password")).to_be_visible()


def test_what_somebody_typed_is_not_shown_to_who_signs_in_after_them(box: Web) -> None:
    page = box.page("hugo")
    page.goto("/settings/contacts/new")
    page.get_by_label("Last name").fill("Babbage")
    page.get_by_label("Number").fill("9990")
    box.served.server.context.sessions.end_all(box.add_user("hugo"))
    page.get_by_role("button", name="Add").click()
    box.add_user("ines")
    page.get_by_label("Name or e-mail address").fill("ines")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/contacts/new")
    expect(page.get_by_label("Last name")).to_have_value("")
    assert page.evaluate("sessionStorage.length") == 0


def test_with_an_app_the_password_alone_opens_nothing_and_a_recovery_code_opens_once(
    box: Web, view: View
) -> None:
    name = f"tim-{view.id}"
    page = view.page(box, name)
    page.goto("/account/app")
    secret = page.locator("input[name=secret]").input_value()
    picture = page.get_by_role("img", name=view.said("QR code for the app")).screenshot()
    dark = Image.open(io.BytesIO(picture)).convert("L").point([255 if v < 128 else 0 for v in range(256)])
    assert 0.2 < ImageStat.Stat(dark).mean[0] / 255 < 0.6  # black on white, as such codes are
    view.field(page, "The six digits that it shows now").fill(pyotp.TOTP(secret).now())
    view.field(page, "Your password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=view.said("Keep these codes"))).to_be_visible()
    recovery = page.locator("#recovery li").first.inner_text()
    answers = []
    # Each code is good once. The next one is good already, and stays so for a whole step more.
    for code in ("next", "000000", recovery, recovery):
        other = view.page(box, "")
        other.goto("/sign-in")
        view.field(other, "Name or e-mail address").fill(name)
        view.field(other, "Password").fill(PASSWORD)
        other.keyboard.press("Enter")
        field = other.locator("[name=code]")
        expect(field).to_be_visible()
        field.fill(pyotp.TOTP(secret).at(time.time() + 30) if code == "next" else code)
        with other.expect_navigation():
            other.keyboard.press("Enter")
        answers.append("sign-in" not in other.url)
    assert answers == [True, False, True, False]


def _post(box: Web, path: str, fields: dict[str, str], **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", box.served.port, timeout=TIMEOUT_S)
    sent = {"Content-Type": "application/x-www-form-urlencoded"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", path, urlencode(fields), sent)
    answer = connection.getresponse()
    answer.read()
    return answer


def test_who_signs_in_over_a_session_ends_it(box: Web) -> None:
    user_id = box.add_user("dora")
    sessions = box.served.server.context.sessions
    cookie = "faxbox=" + sessions.begin(user_id, time.time(), 600)
    other = "faxbox=" + sessions.begin(user_id, time.time(), 600)

    def status(cookie: str) -> int:
        return box.served.ask("GET", "/me", token="", headers={"Cookie": cookie}).status

    wrong = {"name": OWNER, "password": "not this one"}
    assert _post(box, "/sign-in", wrong, Cookie=cookie).status == 401
    assert status(cookie) == 200
    assert _post(box, "/sign-in", {"name": OWNER, "password": PASSWORD}, Cookie=cookie).status == 303
    assert (status(cookie), status(other)) == (401, 200)


def test_another_site_can_neither_sign_a_browser_in_nor_out_nor_change_anything(box: Web) -> None:
    user_id = box.add_user("carol")
    sessions = box.served.server.context.sessions
    cookie = "faxbox=" + sessions.begin(user_id, time.time(), 600)
    fields = {"name": OWNER, "password": PASSWORD}
    assert _post(box, "/sign-in", fields, Origin="https://evil.example").status == 403
    assert _post(box, "/sign-in", fields, Sec_Fetch_Site="cross-site").status == 403
    assert _post(box, "/sign-in", fields, Origin=box.url).status == 303
    assert _post(box, "/sign-out", {}, Cookie=cookie).status == 403
    for method, path in (("PATCH", "/me"), ("DELETE", "/me/sessions"), ("POST", "/faxes")):
        reply = box.served.ask(method, path, {}, token="", headers={"Cookie": cookie})
        assert (reply.status, reply.json["code"]) == (403, "page_stale")
    assert box.served.ask("GET", "/me", token="", headers={"Cookie": cookie}).json["who"] == "user:carol"


def test_no_call_that_changes_something_takes_a_cookie_without_the_token_of_a_page(box: Web) -> None:
    user_id = box.add_user(OWNER, UserRole.ADMIN)
    cookie = "faxbox=" + box.served.server.context.sessions.begin(user_id, time.time(), 600)
    changing = [route for route in ROUTES if route.method != "GET" and not route.open]
    assert len(changing) > 50
    for route in changing:
        path = re.sub(r"\{\w+\}", "1", route.path)
        reply = box.served.ask(route.method, path, {}, token="", headers={"Cookie": cookie})
        assert (reply.status, reply.json["code"]) == (403, "page_stale"), (route.method, path)


def test_every_answer_forbids_frames_and_scripts_in_the_page(box: Web) -> None:
    for path in ("/sign-in", "/account", "/no-such-page", "/static/x/app.js", "/static/x/none"):
        reply = box.served.ask("GET", path, token="", prefix="")
        rules = reply.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in rules, path
        assert "unsafe" not in rules
        assert "script-src 'self'" in rules


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_page_opens_in_a_frame_of_another_origin(box: Web, browser: Browser, host: str) -> None:
    """Nobody clicks there what lies beneath; on the same host the frame would even be signed in."""
    user_id = box.add_user(OWNER, UserRole.ADMIN)
    token = box.served.server.context.sessions.begin(user_id, box.served.box.clock(), 600)
    for path in ("/", "/sent", "/settings", "/sign-in"):
        with framing(box.url + path) as port, contextlib.closing(browser.new_context()) as context:
            context.set_default_timeout(PATIENCE_MS)
            context.add_cookies([{"name": "faxbox", "value": token, "url": box.url}])
            page = context.new_page()
            assert page.goto(box.url + path) is not None
            expect(page.locator("#main")).to_be_visible()  # by itself it opens
            page.goto(f"http://{host}:{port}/")
            # The browser's own page of errors stands in the frame; from outside, it cannot be looked into.
            page.wait_for_function("() => frames.length === 1 && window.framed")
            (inner,) = (frame for frame in page.frames if frame is not page.main_frame)
            assert not inner.url.startswith(box.url), path
            assert inner.locator("#main").count() == 0
    complaints.heard()  # the browser said that it refused


@contextlib.contextmanager
def framing(address: str) -> Iterator[int]:
    """Another origin, whose page has ``address`` in a frame; yields its port."""
    page = f'<iframe onload="window.framed = 1" src="{html.escape(address)}"></iframe>'.encode()

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_elsewhere(box: Web, to: str) -> None:
    answer = _post(box, "/sign-in", {"name": OWNER, "password": PASSWORD, "to": to})
    assert answer.getheader("Location") == "/"


def test_what_somebody_typed_at_the_door_is_shown_as_text(box: Web) -> None:
    page = box.page("")
    page.goto("/sign-in?" + urlencode({"to": '/"><script>window.bad = 1</script>'}))
    page.get_by_label("Name or e-mail address").fill('"><img src=x onerror="window.bad = 1">')
    page.get_by_label("Password").fill("a wrong password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate("window.bad") is None
    assert page.locator("img").count() == 0


def test_a_style_sheet_and_scripts_are_kept_and_packed(box: Web) -> None:
    page = box.served.ask("GET", "/sign-in", token="", prefix="").content.decode()
    address = re.search(r'href="(/static/[^"]+style\.css)"', page)
    assert address
    reply = box.served.ask("GET", address[1], token="", prefix="", headers={"Accept-Encoding": "gzip"})
    assert reply.headers["Content-Encoding"] == "gzip"
    assert "immutable" in reply.headers["Cache-Control"]
