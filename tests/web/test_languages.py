"""The German catalogue is complete."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from appliance import language
from appliance.api.rest.checking import Checker
from appliance.api.rest.lists import RESOURCES
from appliance.configuration import CATALOGUE
from appliance.settings.fields import describe, variants
from webui import audit_words, catalogue
from webui.choice_words import choice_word

# Whose words stand with their list (webui/pages/collections.py).
NAMED_BY_THEIR_LIST = {"users.role", "keys.scopes"}

CODES = [code for code in language.languages() if code != language.ENGLISH]


@pytest.fixture(scope="module")
def wanted() -> catalogue.Catalog:
    return catalogue.template()


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_is_translated(code: str, wanted: catalogue.Catalog) -> None:
    present = catalogue.read(language.FOLDER / code / "LC_MESSAGES" / f"{language.DOMAIN}.po")
    assert catalogue.lacking(present, wanted) == [], (
        "run: python -m webui.catalogue, and translate what it tells"
    )


@pytest.mark.parametrize("code", CODES)
def test_no_translation_is_left_of_a_sentence_that_is_gone(code: str, wanted: catalogue.Catalog) -> None:
    present = catalogue.read(language.FOLDER / code / "LC_MESSAGES" / f"{language.DOMAIN}.po")
    known = {str(message.id) for message in wanted}
    assert [str(message.id) for message in present if str(message.id) not in known] == []


@pytest.mark.parametrize("code", CODES)
def test_a_translation_has_the_same_places_to_fill(code: str) -> None:
    present = catalogue.read(language.FOLDER / code / "LC_MESSAGES" / f"{language.DOMAIN}.po")
    place = re.compile(r"%\(\w+\)s|\{\w+\}|<\w+>")
    for message in present:
        texts = [message.string] if isinstance(message.string, str) else list(message.string or ())
        sources = [message.id] if isinstance(message.id, str) else list(message.id)
        for text in filter(None, texts):
            # None too often, either: a sentence that stands there twice.
            allowed = Counter[str]()
            for each in sources:
                allowed |= Counter(place.findall(each))
            assert Counter(place.findall(text)) <= allowed, text


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr, en;q=0.5, de;q=0.4", "en"),
        ("en;q=0.2,de;q=0.7", "de"),
        ("", "en"),
        ("*", "en"),
        ("de;q=0", "en"),
        ("de;q=x,,;;", "en"),
        ("x" * 100_000, "en"),
    ],
)
def test_the_browsers_languages_choose(header: str, code: str) -> None:
    assert language.choose(header) == code


@pytest.mark.parametrize(
    ("code", "one", "two"),
    [
        ("en", "at least 1 entry is needed", "at least 2 entries are needed"),
        ("de", "mindestens 1 Eintrag", "mindestens 2 Einträge"),
    ],
)
def test_one_is_singular_in_what_is_wrong_with_a_request(code: str, one: str, two: str) -> None:
    with language.speaking(code):
        for least, sentence in ((1, one), (2, two)):
            found = Checker({"type": "array", "minItems": least}).flaws([])
            assert [flaw.problem for flaw in found] == [sentence]


def test_what_a_setting_can_be_is_said_in_words_and_not_in_codes() -> None:
    """What looks like a word is one that people use; else it has its name from the standard."""
    codes = []
    for kinds in (CATALOGUE.sections, CATALOGUE.lists):
        for name, kind in kinds.items():
            for shape in variants(kind).values() or (kind,):
                codes += [
                    f"{name}.{field.name}: {value}"
                    for field in describe(shape)
                    if f"{name}.{field.name}" not in NAMED_BY_THEIR_LIST
                    for value in field.choices
                    if choice_word(field.name, value) == value
                ]
    assert codes == []


def test_no_sentence_is_marked_within_an_f_string():
    """Babel looks into one from Python 3.12 on; before, nobody learns that its sentence lacks one."""
    marked = {"said", "_", "gettext", "ngettext"}
    root = Path(catalogue.__file__).parents[1]
    assert [
        f"{file.relative_to(root)}:{call.lineno}"
        for folder in ("webui", "appliance")
        for file in (root / folder).rglob("*.py")
        for text in ast.walk(ast.parse(file.read_text()))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in marked
        if call.args and isinstance(call.args[0], ast.Constant)
    ] == []


_DEEDS = ("create", "change", "delete")
_ACTION = re.compile(r"[a-z_]+[.][a-z_]+|sign_in|set_up")


def _audited() -> set[str]:
    """Every action that the code writes to the audit log."""
    found = {
        f"{resource.path.removesuffix('s').replace('-', '_')}.{deed}"
        for resource in RESOURCES
        for deed in _DEEDS
    }
    found |= {f"campaign.{deed}" for deed in _DEEDS}  # ICTFax's own list
    found |= {f"{word}.order" for word in ("route", "line_setting")}
    found |= {"fax.forward", "received.forward", "fax.mail", "received.mail", "received.print"}
    root = Path(catalogue.__file__).parents[1]
    for folder in ("webui", "appliance/api", "appliance/deliver", "appliance/printing", "appliance/services"):
        for file in (root / folder).rglob("*.py"):
            for call in ast.walk(ast.parse(file.read_text())):
                if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in ("note", "audit"):
                    texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
                    found.update(text for text in texts if _ACTION.fullmatch(str(text)))
    return found


def test_what_was_changed_is_called_in_the_audit_log_as_on_its_page() -> None:
    with language.speaking("de"):
        assert audit_words.what("settings.change", "settings:station") == "Diese Station: geändert"
        assert audit_words.detail("settings.change", "name, station_id") == "Name, Stationskennung"
        assert audit_words.detail("contact.change", "last_name") == "Nachname"
        assert audit_words.detail("key.create", "send, receive") == "send, receive"


def test_every_action_of_the_audit_log_is_said_in_words() -> None:
    audited = _audited()
    assert {"fax.create", "email.in", "sign_in.refused", "scan.refused"} <= audited
    assert [action for action in sorted(audited) if audit_words.what(action, "") == action] == []
