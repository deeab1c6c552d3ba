"""A TypeScript client that openapi-typescript makes of the OpenAPI document does an office's day on a box."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.api.rest.openapi import describe_all
from appliance.api.rest.table import ROUTES
from tests.api.served import Served

pytestmark = pytest.mark.realtime

HERE = Path(__file__).parent / "typescript"
FOR_HANGS_S = 300


def _run(folder: Path, *words: str) -> str:
    ran = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=FOR_HANGS_S, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled program.  Its types are checked: a wrong name or kind fails here."""
    folder = tmp_path_factory.mktemp("client")
    for name in ("generate.mjs", "day.ts", "tsconfig.json", "package.json"):
        shutil.copy(HERE / name, folder)
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    (folder / "openapi.json").write_text(json.dumps(describe_all(ROUTES)), encoding="utf-8")
    _run(folder, "node", "generate.mjs", "openapi.json", "client.ts")
    _run(folder, "node", "node_modules/typescript/bin/tsc", "--project", ".")
    return folder / "out"


def test_a_generated_typescript_client_does_an_offices_day(served: Served, office: Path) -> None:
    said = json.loads(_run(office, "node", "day.js", f"http://127.0.0.1:{served.port}", served.admin))
    fax = said.pop("told").split()
    assert (fax[0], fax[2]) == ("fax.delivered", "1")
    assert said == {
        "state": "delivered",
        "once": True,
        "kept": 4711,
        "listed": True,
        "octets": ["\x89PNG", "\x89PNG", "%PDF", "%PDF", "%PDF", "II*\x00"],
        "events": True,
        "previewed": True,
        "cancelled": "cancelled",
        "again": True,
        "read": True,
        "contact": ["9990", "Ada", "Engines"],
        "refused": "number_invalid",
    }
