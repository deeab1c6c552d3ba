"""The reference in docs/ agrees with the code."""

from __future__ import annotations

from pathlib import Path

import appliance.settings
from appliance.commands.settings_reference import as_markdown


def test_the_reference_of_settings_is_that_of_the_code() -> None:
    page = Path(appliance.settings.__file__).parents[2] / "docs" / "settings.md"
    told = "run python -m appliance.commands.settings_reference > docs/settings.md"
    assert page.read_text(encoding="utf-8") == as_markdown(), told
