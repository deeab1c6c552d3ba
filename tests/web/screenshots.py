"""Pictures of every page, in both themes, desktop and telephone, in any language: ``make screenshots``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from appliance.settings.accounts import UserRole
from tests.web.browser import OWNER, Web, chromium, web
from tests.web.furnished import Furnished, furnish, made_from_the_image, picture
from tests.web.pages import PAGES


def shoot(box: Web, furnished: Furnished, folder: Path, language: str) -> int:
    """Makes all pictures, in ``language``; how many."""
    folder.mkdir(parents=True, exist_ok=True)
    made = 0
    for theme in ("light", "dark"):
        for phone in (False, True):
            for who in ("admin", "nobody"):
                page = box.page(OWNER if who == "admin" else "", theme=theme, phone=phone, language=language)
                for seen in PAGES:
                    if seen.who != who:
                        continue
                    page.goto(furnished.path(seen.path))
                    page.wait_for_timeout(300)
                    name = f"{seen.name}-{theme}-{'phone' if phone else 'desktop'}.png"
                    page.screenshot(path=folder / name)
                    made += 1
                page.context.close()
    box.contexts.clear()
    return made


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    language = sys.argv[2] if len(sys.argv) > 2 else "en"
    with (
        tempfile.TemporaryDirectory() as data,
        made_from_the_image(),
        chromium() as browser,
        web(Path(data), browser) as box,
    ):
        box.add_user(OWNER, UserRole.ADMIN)
        furnished = furnish(box)
        # A fax that is being put together, for the first page.
        token = box.served.server.context.sessions.begin(box.add_user(OWNER), box.served.box.clock(), 3600)
        preview = box.served.form("/previews", [], [("findings.tiff", picture())], token=token)
        form = {"recipients": [{"number": "9991", "name": "Charles Babbage"}]}
        box.served.ask("PATCH", f"/previews/{preview.json['id']}", {"form": form}, token=token)
        print(f"{shoot(box, furnished, folder, language)} pictures in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
