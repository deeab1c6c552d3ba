"""A photograph of a page from a phone's camera: cropped to the page and straightened, or left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.documents.test_photographs import ASKEW, darkness, fall, laid, sheet, table
from tests.web.browser import Web
from tests.web.test_sending import picture_of

pytestmark = pytest.mark.realtime


def photograph(folder: Path) -> Path:
    """Of a sheet on a dark table; it does not say that a camera made it."""
    path = folder / "photo.jpg"
    laid(sheet(), ASKEW, table(60)).convert("RGB").save(path, quality=90)
    return path


def shown(page: Page) -> Image.Image:
    """The page as it will be sent."""
    expect(page.locator("#pages img").first).to_be_visible()
    expect(page.locator("#paper")).to_have_attribute("aria-busy", "false")
    return picture_of(page, 1).convert("L")


def test_a_photograph_of_a_page_becomes_the_page_for_who_does_not_want_it_otherwise(
    box: Web, tmp_path: Path
) -> None:
    page = box.page("petra", phone=True)
    page.goto("/")
    page.locator("#camera").set_input_files(photograph(tmp_path))
    made = shown(page)
    assert abs(fall(made)) < 0.2
    # The sheet's own margins are white; of the table nothing is left.
    for edge in ((0.0, 0.05, 0.1, 0.99), (0.92, 0.05, 1.0, 0.99), (0.0, 0.03, 1.0, 0.07)):
        assert darkness(made, *edge) < 0.01, edge
    expect(page.locator("#remarks")).to_contain_text("cropped to the page and straightened")
    page.locator("[name=straighten]").uncheck()
    expect(page.locator("#remarks")).not_to_contain_text("straightened")
    assert darkness(shown(page), 0.0, 0.05, 0.08, 0.99) > 0.02  # the table, whose noise is thin
    page.locator("[name=straighten]").check()
    expect(page.locator("#remarks")).to_contain_text("straightened")
