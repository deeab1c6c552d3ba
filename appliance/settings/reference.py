"""The reference of all settings, made from their descriptions: ``python -m appliance.settings.reference``."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from appliance.settings.fields import FieldDescription, describe
from appliance.settings.items import COLLECTIONS
from appliance.settings.sections import SECTIONS

_HEAD = """# Settings

Made from the code by `python -m appliance.settings.reference`; a test compares.

`faxbox config get [SECTION[.FIELD]]` shows, `faxbox config set SECTION.FIELD VALUE` changes (lists with
commas, `none` for no value), `faxbox config export` and `import` carry everything elsewhere. Secrets are
shown as `********`; given back so, they stay as they are. What is not named here is an error.
"""


def as_markdown() -> str:
    """The whole page."""
    lines = [_HEAD]
    for name, kind in SECTIONS.items():
        lines += _table(f"`{name}`", kind)
    lines.append("# Lists\n")
    for name, kind in COLLECTIONS.items():
        lines += _table(f"`{name}`", kind)
    return "\n".join(lines).rstrip() + "\n"


def _table(title: str, kind: type[Any]) -> list[str]:
    text = (inspect.getdoc(kind) or "").replace("``", "`")
    rows = [
        f"| `{field.name}` | {_type(field)} | {_default(field)} | {_cell(field.help)} |"
        for field in describe(kind)
    ]
    return [f"## {title}\n", text, "", "| field | type | default | meaning |", "|---|---|---|---|", *rows, ""]


def _type(field: FieldDescription) -> str:
    words = field.type
    if field.choices:
        words += ": " + ", ".join(f"`{choice}`" for choice in field.choices)
    if field.minimum is not None or field.maximum is not None:
        low = "" if field.minimum is None else f"{field.minimum:g}"
        high = "" if field.maximum is None else f"{field.maximum:g}"
        words += f", {low} to {high}" if low and high else f", from {low}" if low else f", to {high}"
    return words + (", secret" if field.secret else "")


def _default(field: FieldDescription) -> str:
    if field.required:
        return "(required)"
    if field.default in ("", []):
        return "(empty)"
    if isinstance(field.default, list):
        return ", ".join(str(entry) for entry in field.default)
    if isinstance(field.default, bool):
        return "yes" if field.default else "no"
    if isinstance(field.default, float):
        return f"{field.default:g}"
    return "none" if field.default is None else str(field.default)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
