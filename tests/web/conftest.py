"""One browser and one box with an owner for each module; each test's windows are its own.

The browser ends with its module: while it is open its thread has a running event loop, and no other test can
start one of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from appliance.settings.accounts import UserRole
from tests.web import complaints
from tests.web.browser import OWNER, Web, chromium, web
from tests.web.views import VIEWS, usual


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A flow runs in one view by default, in the other three with ``-m full``."""
    if "view" in metafunc.fixturenames:
        by_default = usual(metafunc.function.__name__)
        metafunc.parametrize(
            "view",
            [
                pytest.param(view, id=view.id, marks=() if view == by_default else pytest.mark.full)
                for view in VIEWS
            ],
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def module_box(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Web]:
    with web(tmp_path_factory.mktemp("box"), browser) as made:
        made.add_user(OWNER, UserRole.ADMIN)
        yield made


@pytest.fixture
def box(module_box: Web) -> Iterator[Web]:
    yield module_box
    module_box.close_windows()


@pytest.fixture(autouse=True)
def nobody_complained() -> Iterator[None]:
    """After every test: no page broke its rules (CSP), no script had an error, the console is clean."""
    yield
    assert complaints.heard() == []
