"""The reference of all settings, made from their descriptions.

``python -m appliance.commands.settings_reference`` prints it.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

from appliance.configuration import CATALOGUE
from appliance.settings.fields import FieldDescription, describe, variants

_HEAD = """# Settings

Made from the code by `python -m appliance.commands.settings_reference`; a test compares.

`faxbox config get [SECTION[.FIELD]]` shows, `faxbox config set SECTION.FIELD VALUE` changes (lists with
commas, `none` for no value), `faxbox config export` and `import` write and read all settings as one file.
Secrets are shown as `********`; a masked secret that is imported keeps its value. `faxbox config set` asks
for secrets, or reads them from standard input, and does not take them as an argument. A name that does not
exist is refused, with the most similar one. MB is a million octets.

The files `settings.json` and `phonebook.json` carry a version. Those of an older version are migrated at
the next change; those of a newer one are refused and not changed. A key in them that this version does not
know (from a newer version, or written by hand) is kept, has no effect, and is reported in the log and by
every `faxbox config`; `faxbox config forget SECTION.KEY` deletes it. An entry of a list with an invalid
value is ignored and kept. A section with an invalid value stops the box, because the default might allow
what the owner forbade: `faxbox config set` corrects it. Lists are changed with `export` and `import`, or
over [REST](api.md).
"""


def as_markdown() -> str:
    """The reference as a page of Markdown."""
    lines = [_HEAD]
    for name, kind in CATALOGUE.sections.items():
        lines += _table(f"`{name}`", kind)
    lines.append("# Lists\n")
    for name, kind in CATALOGUE.lists.items():
        shapes = variants(kind)
        lines += _table(f"`{name}`", kind)
        # By name, so that the order in which modules are loaded does not matter.
        for word, shape in sorted(shapes.items()):
            lines += _table(f"`{name}` of type `{word}`, besides", shape, besides=kind)
    return "\n".join(lines).rstrip() + "\n"


def _table(title: str, kind: type[Any], *, besides: type[Any] | None = None) -> list[str]:
    text = (inspect.getdoc(kind) or "").replace("``", "`")
    common = {field.name for field in describe(besides)} if besides is not None else set()
    rows = [
        f"| `{field.name}` | {_type(field)} | {_default(field)} | {_cell(field.help)} |"
        for field in describe(kind)
        if field.name not in common
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
