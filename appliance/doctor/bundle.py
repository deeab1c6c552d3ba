"""The support bundle: findings, versions, settings, the log.

It has no secrets and no faxes; of numbers only the last two digits."""

from __future__ import annotations

import io
import json
import re
import subprocess
import zipfile
from collections.abc import Mapping
from typing import Any

# Matches what may be a telephone number.
_NUMBER = re.compile(r"\+?\d[\d ()/.-]{3,}\d")
_MAIL = re.compile(r"[\w.+-]+@[\w.-]+\w")
_TOKEN = re.compile(r"\bfx[a-z]_[\w.-]{10,}")
_LOG_LINES = 2000
_LOG_S = 20.0


def masked(text: str) -> str:
    """``text`` with only the last two digits of numbers, and without mail addresses and tokens."""
    text = _TOKEN.sub("[token]", _MAIL.sub("[mail]", text))
    return _NUMBER.sub(lambda match: "…" + match[0][-2:], text)


def masked_tree(value: Any) -> Any:
    """``masked`` for every text in JSON data; keys are not changed."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {key: masked_tree(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [masked_tree(entry) for entry in value]
    return value


# Lists of the settings with personal data: only their length is included.
_PEOPLE = frozenset({"users", "keys", "contacts", "groups", "covers", "routes", "junk"})


def zipped(findings: list[dict[str, Any]], versions: Mapping[str, str], settings: Mapping[str, Any]) -> bytes:
    """The bundle as a ZIP file.  ``settings``: an export with its secrets masked."""
    kept = {
        name: {"count": len(value)} if name in _PEOPLE else masked_tree(value)
        for name, value in settings.items()
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("findings.json", json.dumps(masked_tree(findings), indent=1, ensure_ascii=False))
        bundle.writestr("versions.json", json.dumps(dict(versions), indent=1))
        bundle.writestr("settings.json", json.dumps(kept, indent=1, ensure_ascii=False, default=str))
        bundle.writestr("log.txt", masked(_log()))
    return made.getvalue()


def _log() -> str:
    """The newest lines of the box's log; a sentence without a journal."""
    try:
        said = subprocess.run(
            ["journalctl", "--unit=faxbox", "--no-pager", f"--lines={_LOG_LINES}", "--output=short-iso"],
            capture_output=True,
            text=True,
            timeout=_LOG_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no journal: {error}"
    return said.stdout or said.stderr
