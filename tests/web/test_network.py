"""The certificate page: upload, generation, and explanations of browsers' warnings."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest
import trustme
from playwright.sync_api import Browser, Error, Locator, Page, expect

from appliance.settings.accounts import UserRole
from tests.web.browser import OWNER, Web, noticed, web

pytestmark = pytest.mark.realtime


@pytest.fixture(scope="module")
def open_box(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Web]:
    """A box of its own: it will have a certificate."""
    with web(tmp_path_factory.mktemp("box"), browser) as made:
        made.add_user(OWNER, UserRole.ADMIN)
        yield made


def in_use(box: Web, before: str = "") -> str:
    """The certificate that the box shows to whoever connects, once it is another than ``before``."""
    found: list[str] = []

    def other() -> bool:
        try:
            found.append(ssl.get_server_certificate(("127.0.0.1", box.served.port)))
        except (ssl.SSLError, OSError):
            return False
        return found[-1] != before

    box.served.wait(other)
    return found[-1]


def hand_in(page: Page, certificate: str, key: str) -> None:
    form = page.locator("form", has=page.locator("[name=certificate]"))
    form.locator("[name=certificate]").fill(certificate)
    form.locator("[name=key]").fill(key)
    form.locator("button").click()


def secured(box: Web) -> Page:
    """The certificate page over TLS, of a reader who let the browser go on."""
    page = box.page(ignore_https_errors=True)
    page.goto(f"https://127.0.0.1:{box.served.port}/network")
    return page


def remarks(page: Page) -> Locator:
    return page.locator(".remark")


def test_a_certificate_is_handed_in_one_is_made_and_the_page_says_what_browsers_say(
    open_box: Web,
) -> None:
    authority = trustme.CA(organization_name="Practice Authority")
    ours, other = authority.issue_cert("127.0.0.1"), authority.issue_cert("127.0.0.1")
    certificate, key = ours.cert_chain_pems[0].bytes().decode(), ours.private_key_pem.bytes().decode()
    page = open_box.page(language="de")
    page.goto("/network")
    expect(page.locator("dl").first).to_contain_text("aus: Jeder im Netz kann mitlesen")
    for wrong, part, sentence in (
        ((certificate, other.private_key_pem.bytes().decode()), "key", "gehört nicht zu diesem Zertifikat"),
        ((certificate, "no key"), "key", "kein Schlüssel im PEM-Format"),
        ((key, key), "certificate", "kein Zertifikat im PEM-Format"),
    ):
        hand_in(page, *wrong)
        expect(page.locator(f"[name={part}] + .fault")).to_contain_text(sentence)
    hand_in(page, certificate, key)
    noticed(page, "Seite neu mit https://")
    first = in_use(open_box)

    page = secured(open_box)
    expect(page.locator(".state.good")).to_contain_text("on")
    expect(page.locator("main")).to_contain_text("Practice Authority")
    expect(remarks(page)).to_have_count(0)
    expect(page.locator("main")).to_contain_text("Browsers that know who signed it say nothing")

    # One for another name, which nobody signed: both are said, and a browser does warn.
    page.locator("[name=names]").fill("fax.example")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Make a certificate").click()
    noticed(page, "In use within seconds")
    second = in_use(open_box, first)
    page = secured(open_box)
    expect(remarks(page).nth(0)).to_contain_text("the certificate is not for 127.0.0.1")
    expect(remarks(page).nth(1)).to_contain_text("Your connection is not private")
    with pytest.raises(Error, match="net::ERR_CERT_"):
        open_box.page("").goto(f"https://127.0.0.1:{open_box.served.port}/sign-in")

    # For the name that is used, the browser has one reason left.
    page.locator("[name=names]").fill("fax.example\n127.0.0.1")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Make a certificate").click()
    noticed(page, "In use within seconds")
    in_use(open_box, second)
    page = secured(open_box)
    expect(remarks(page)).to_have_count(1)
    with pytest.raises(Error, match="net::ERR_CERT_AUTHORITY_INVALID"):
        open_box.page("").goto(f"https://127.0.0.1:{open_box.served.port}/sign-in")
