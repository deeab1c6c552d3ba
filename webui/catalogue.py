"""Keeps the catalogues in step with the code: ``python -m webui.catalogue`` adds and removes sentences.

Collects every sentence that a person may read: those of the pages and their scripts (marked in the code), the
table of causes, names and help of the settings.  Missing translations are printed at the end.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from appliance.causes import all_causes
from appliance.configuration import CATALOGUE
from appliance.deliver.trial import SENTENCES
from appliance.dispatch.profile import STEPS
from appliance.hardware.words import PARTS
from appliance.hardware.words import SENTENCES as HARDWARE_SENTENCES
from appliance.language import DOMAIN, FOLDER
from appliance.lines.sip.trunk_kinds import TRUNK_KINDS
from appliance.panel import words as panel_words
from appliance.panel.lamps import LANGUAGE
from appliance.phonebook.merging import REASONS
from appliance.remarks import all_kinds
from appliance.settings.fields import as_sentence, describe, variants
from webui import audit_words, interface_words
from webui.pages.interface import calls
from webui.settings_words import NOT_FOR_PEOPLE, label_of, title_of

_PROJECT = Path(__file__).parents[1]
# Folders with marked sentences, and the extractor for each kind of file.
_FOLDERS = ("webui", "appliance")
_METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext.babel_extract")]
_OPTIONS = {
    "**/templates/**.html": {"trimmed": "false", "newstyle_gettext": "true", "extensions": "jinja2.ext.i18n"}
}
# The functions whose first arguments are sentences; ``said(variable)`` is ignored.
_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(("_", "gettext", "said", "marked", "filled")),
    "ngettext": (1, 2),
}
# The calls of the hardware tests whose texts a person reads.
_SPEAKING = {"skip", "importorskip", "BrokenError", "sees", "does", "reads", "parametrize"}
# Other texts in them are names.
_SENTENCE = re.compile(r"\w+ .+ .+")


def sentences() -> Iterator[tuple[str | tuple[str, ...], str]]:
    """Every sentence (singular and plural where it has both), with the place it comes from."""
    for folder in _FOLDERS:
        found = extract_from_dir(
            _PROJECT / folder, method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS
        )
        for name, _line, message, _comments, _context in found:
            yield message, f"{folder}/{name}"
    for cause in all_causes():
        yield cause.sentence, "appliance/causes.py"
        yield cause.advice, "appliance/causes.py"
    for told in (*_of_hardware_tests(), *HARDWARE_SENTENCES, *PARTS.values()):
        yield told, "hardware-tests"
    for lamp in LANGUAGE:
        yield lamp.sentence, "appliance/panel/lamps.py"
        yield lamp.pattern.name, "appliance/panel/lamps.py"
    for shown in panel_words.SENTENCES:
        yield shown, "appliance/panel/words.py"
    for table in (audit_words.THINGS, audit_words.DEEDS, audit_words.DETAILS, audit_words.WHOLE):
        for entry in table.values():
            yield entry, "webui/audit_words.py"
    for reason in REASONS:
        yield reason, "appliance/phonebook/merging.py"
    for trunk in TRUNK_KINDS.values():
        yield trunk.title, "appliance/lines/sip/trunk_kinds.py"
        yield trunk.help, "appliance/lines/sip/trunk_kinds.py"
    for said_of in SENTENCES.values():
        yield said_of, "appliance/deliver/trial.py"
    every = [call for group in calls().values() for call in group]
    for described in interface_words.sentences(
        (text for call in every for text in (call.summary, call.help)),
        ((field.name, field.help) for call in every for field in call.fields),
    ):
        yield described, "appliance/api/rest"
    for step in STEPS:
        yield step.sentence, "appliance/dispatch/profile.py"
    for kind_of_remark in all_kinds():
        yield kind_of_remark.sentence, "appliance/remarks.py"
        yield kind_of_remark.advice, "appliance/remarks.py"
    for kinds in (CATALOGUE.sections, CATALOGUE.lists):
        for name, kind in kinds.items():
            if name == NOT_FOR_PEOPLE:
                continue
            yield title_of(name), "settings"
            for shape in variants(kind).values() or (kind,):
                for field in describe(shape):
                    yield label_of(field.name), "settings"
                    yield as_sentence(field.help), "settings"


def _of_hardware_tests() -> Iterator[str]:
    """What the hardware tests say that has no values in it: summaries of tests, and texts in calls."""
    for path in sorted((_PROJECT / "hardware-tests").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        given: list[ast.expr] = [node.value for node in tree.body if isinstance(node, ast.Assign)]
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield ast.get_docstring(node) or ""
            elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _SPEAKING:
                given += (*node.args, *(key.value for key in node.keywords))
        texts = (part.value for part in given if isinstance(part, ast.Constant))
        yield from (text for text in texts if isinstance(text, str) and _SENTENCE.fullmatch(text))


def template() -> Catalog:
    """A catalogue of all sentences, without translations."""
    made = Catalog(project="faxbox", domain=DOMAIN, charset="utf-8", fuzzy=False)
    for message, place in sentences():
        if message:
            made.add(message, locations=[(place, 0)])
    return made


def read(path: Path) -> Catalog:
    """The catalogue in the file ``path``."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parents[1].name, domain=DOMAIN)


def lacking(present: Catalog, wanted: Catalog) -> list[str]:
    """The sentences of ``wanted`` that ``present`` does not translate."""
    return [str(message.id) for message in wanted if message.id and not _translation(present, message.id)]


def _first(message: str | Sequence[str]) -> str:
    """The sentence that identifies a message: of one with a plural, its singular."""
    return message if isinstance(message, str) else message[0]


def _translation(present: Catalog, message: str | Sequence[str]) -> bool:
    found = present.get(_first(message))
    if found is None:
        return False
    texts = (found.string,) if isinstance(found.string, str) else tuple(found.string or ())
    return bool(texts) and all(texts)


def update(path: Path, wanted: Catalog) -> list[str]:
    """Updates the catalogue in ``path``; returns the sentences without a translation."""
    present = read(path)
    made = Catalog(
        locale=path.parents[1].name,
        project="faxbox",
        domain=DOMAIN,
        charset="utf-8",
        fuzzy=False,
        header_comment="# faxbox: the sentences of the box in another language (see docs/web.md)",
        creation_date=datetime(2026, 1, 1, tzinfo=UTC),
        revision_date=datetime(2026, 1, 1, tzinfo=UTC),
    )
    for message in wanted:
        if not message.id:
            continue
        known = present.get(_first(message.id))
        text = known.string if known is not None else ("" if isinstance(message.id, str) else ("", ""))
        made.add(message.id, text, locations=sorted({(place, 0) for place, _ in message.locations}))
    with path.open("wb") as file:
        write_po(file, made, width=110, include_lineno=False, sort_by_file=True)
    return lacking(made, wanted)


def main() -> int:
    """Brings all catalogues up to date, prints sentences that lack a translation; 1 when there are any."""
    wanted = template()
    open_ones = 0
    for path in sorted(FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        missing = update(path, wanted)
        open_ones += len(missing)
        for sentence in missing:
            print(f"{path.parents[1].name}: {sentence}")
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
