"""Every transcript in docs/api-ictfax.md matches a real box, and every call is documented."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from appliance.api.context import Context
from appliance.api.ictfax.door import IctfaxDoor
from appliance.configuration import open_box
from tests.api.test_docs import shell_on_box
from tests.api.transcripts import follow, steps

DOCUMENT = (Path(__file__).parents[2] / "docs" / "api-ictfax.md").read_text(encoding="utf-8")
# Two words for one call, or two base paths: one of them stands for both.
SAME = re.compile(r"/messages/documents|/(detail|spools)$|^GET /programs/sendfax$")


def test_every_transcript_is_true(tmp_path: Path) -> None:
    with shell_on_box(tmp_path) as shell:
        follow(DOCUMENT, shell)


def test_every_call_has_a_transcript(tmp_path: Path) -> None:
    asked = [_call(step.command) for step in steps(DOCUMENT) if "/ictfax/api/" in step.command]
    box = open_box(tmp_path)
    try:
        routes = IctfaxDoor(cast(Context, SimpleNamespace(box=box))).routes
    finally:
        box.close()
    missing = []
    for method, rule in ((route.method, route.rule) for route in routes):
        pattern = re.sub(r"<\w+:re:[^>]+>", "[0-9$A-Z]+", rule)
        if SAME.search(f"{method} {rule}") or rule.endswith("/"):
            continue
        if not any(method == other and re.fullmatch(pattern, where) for other, where in asked):
            missing.append(f"{method} {rule}")
    assert len(routes) > 80
    assert missing == []


def _call(command: str) -> tuple[str, str]:
    method = re.search(r"-X (\w+)", command)
    path = re.search(r"/ictfax/api(/[^\s\"?']*)", command)
    assert path is not None, command
    default = "POST" if re.search(r" -d | -F |--data", command) else "GET"
    return (method[1] if method else default), path[1]
