"""Every refusal has a reason in the reader's language, which a page shows beside the field."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.api.rest.schemas import COMPONENTS
from appliance.api.rest.table import ROUTES
from appliance.causes import all_causes
from tests.api.served import Served

PROJECT = Path(__file__).parents[2]


# -- what schemas refuse ---------------------------------------------------------------------------


def _resolved(schema: Any) -> Any:
    return COMPONENTS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _wrong(schema: Any) -> Iterator[Any]:
    """Values that ``schema`` refuses, each for another reason."""
    schema = _resolved(schema)
    if "anyOf" in schema:
        schema = _resolved(schema["anyOf"][0])
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", ["string"])
    yield {"x": 1} if "object" not in kinds else 1
    if "enum" in schema:
        yield "no-such-choice"
    if "minimum" in schema and "integer" in kinds:
        yield schema["minimum"] - 1
    if "maximum" in schema and "integer" in kinds:
        yield schema["maximum"] + 1
    if schema.get("maxLength", 10_000) < 10_000:
        yield "x" * (schema["maxLength"] + 1)
    if "pattern" in schema:
        yield "\u2603\u2603"
    if "array" in kinds and "minItems" in schema:
        yield []


ASKED = [route for route in ROUTES if route.body is not None and _resolved(route.body).get("properties")]


def _problems(served: Served, method: str, path: str, body: Any, language: str) -> list[str]:
    reply = served.ask(method, path, body, headers={"Accept-Language": language})
    if reply.status < 400:
        return []
    said = reply.json
    return [said["title"], said["advice"], *(each["problem"] for each in said.get("errors", ()))]


def _same_in_both(served: Served, method: str, path: str, body: Any) -> list[str]:
    """The messages that a German reader gets in English."""
    german = _problems(served, method, path, body, "de")
    english = _problems(served, method, path, body, "en")
    assert len(german) == len(english)
    return [each for each, other in zip(german, english, strict=True) if each and each == other]


@pytest.mark.parametrize("tag", sorted({route.tag for route in ASKED}))
def test_every_error_of_a_field_is_translated_to_german(served: Served, tag: str) -> None:
    left: list[str] = []
    for route in (each for each in ASKED if each.tag == tag):
        path = route.path.replace("{section}", "station")
        for part in ("{id}", "{number}", "{page}", "{code}", "{name}", "{file}"):
            path = path.replace(part, "1")
        body = _resolved(route.body)
        wrongs: list[dict[str, Any]] = [
            {name: value} for name, schema in body["properties"].items() for value in _wrong(schema)
        ]
        for wrong in (*wrongs, {"no_such_field": 1}, {}):
            if wrong or body.get("required"):
                left += _same_in_both(served, route.method, path, wrong)
    assert left == []


# -- what goes beyond schemas ----------------------------------------------------------------------

BEYOND = [
    ("PATCH", "/settings/station", {"time_zone": "Mars/Olympus"}),
    ("PATCH", "/settings/mail_in", {"networks": ["nonsense"]}),
    ("PATCH", "/settings/sip", {"name_servers": ["1.2.3"]}),
    ("PATCH", "/settings/sip", {"media_first": 1}),
    ("PATCH", "/settings/http", {"tls_certificate": "/no/such.pem"}),
    ("PATCH", "/settings/http", {"tls_key": "/no/such.pem"}),
    ("POST", "/lines", {"type": "sip", "name": "t", "server": "a:b:c"}),
    ("POST", "/lines", {"type": "sip", "name": "t", "server": "host:99999"}),
    ("POST", "/lines", {"type": "sip", "name": "t", "server": "-"}),
    ("POST", "/lines", {"type": "sip", "name": "t", "server": "h", "peers": ["1/99"]}),
    ("POST", "/lines", {"type": "sip", "name": "t", "server": "h", "public_address": "x"}),
    ("POST", "/lines", {"type": "sip", "name": "practice", "server": "h"}),
    ("POST", "/lines", {"type": "sip", "name": "t"}),
    ("POST", "/lines", {"name": "t"}),
    ("POST", "/lines", {"type": "modem", "name": "m", "device": "/dev/x", "modem_speed": 7}),
    ("POST", "/lines", {"type": "modem", "name": "m", "device": "/dev/x", "modem_quirks": ["nosuch=1"]}),
    ("POST", "/lines", {"type": "modem", "name": "m", "device": "/dev/x", "modem_quirks": ["speed=1"]}),
    ("POST", "/lines", {"type": "modem", "name": "m", "device": "/dev/x", "server": "h"}),
    ("POST", "/groups", {"name": "g", "contact_ids": [99]}),
    ("POST", "/covers", {"name": "c", "html": "{{nosuch}}"}),
    ("POST", "/covers", {"name": "c", "html": '<img src="http://x/">'}),
    ("POST", "/covers", {"name": "standard", "html": "<p>x</p>"}),
    ("POST", "/routes", {"name": "r", "user": "nobody"}),
    ("POST", "/routes", {"name": "r", "webhook_url": "ftp://x"}),
    ("POST", "/routes", {"name": "r", "webhook_url": "http://x:1/"}),
    ("POST", "/routes", {"name": "r", "webhook_url": "http://x/ y"}),
    ("POST", "/routes", {"name": "r", "webhook_url": "https://x/", "webhook_style": "no-such-style"}),
    ("POST", "/users", {"name": "eve", "password": "short"}),
    ("POST", "/faxes", {"to": ["9990"]}),
    ("POST", "/faxes", {"to": ["nonsense"], "files": [{"content": "eA=="}]}),
    ("POST", "/faxes", {"to": ["112"], "files": [{"content": "eA=="}]}),
    ("POST", "/faxes", {"to": [{"contact_id": 99}], "files": [{"content": "eA=="}]}),
    ("POST", "/faxes", {"to": [{"group_id": 99}], "files": [{"content": "eA=="}]}),
    ("POST", "/faxes", {"to": ["9990"], "files": [{"name": "x"}]}),
    ("POST", "/faxes", {"to": ["9990"], "send_at": "tomorrow", "files": [{"content": "eA=="}]}),
    ("POST", "/faxes", {"to": ["9990"], "callback_url": "nonsense", "files": [{"content": "eA=="}]}),
    ("POST", "/faxes", {"to": ["9990"], "cover": {"template": "nosuch"}, "files": [{"content": "eA=="}]}),
    ("GET", "/faxes?nosuch=1", None),
    ("GET", "/faxes?limit=x", None),
    ("GET", "/faxes?metadata=x", None),
    ("GET", "/faxes?metadata={x", None),
    ("GET", "/faxes/99", None),
    ("GET", "/nosuch", None),
    ("POST", "/backup", {"passphrase": "short"}),
]


@pytest.mark.parametrize(("method", "path", "body"), BEYOND)
def test_errors_about_several_fields_are_translated_to_german(
    served: Served, method: str, path: str, body: Any
) -> None:
    assert _problems(served, method, path, body, "de") != []
    assert _same_in_both(served, method, path, body) == []


def test_every_cause_has_a_german_sentence_and_advice() -> None:
    from appliance.language import say

    for cause in all_causes():
        assert say(cause.sentence, "de") != cause.sentence, cause.code
        assert not cause.advice or say(cause.advice, "de") != cause.advice, cause.code


# -- the mechanism ---------------------------------------------------------------------------------

# What ends up beside a field, and which argument is its sentence.
_SENTENCES = {"flaw": 1, "Flaw": 1, "SettingError": 1, "TemplateError": 0, "TlsError": 0}


def _is_bare(sentence: ast.expr) -> bool:
    """Whether the sentence has words that are in no catalogue."""
    if isinstance(sentence, ast.Constant):
        return bool(sentence.value)
    if isinstance(sentence, ast.JoinedStr):
        return any(
            isinstance(part, ast.Constant) and any(each.isalpha() for each in str(part.value))
            for part in sentence.values
        )
    return isinstance(sentence, ast.Attribute) and sentence.attr == "sentence"


def test_no_refusal_of_a_field_is_written_past_the_catalogues() -> None:
    bare: list[str] = []
    for folder in ("appliance", "webui"):
        for file in sorted((PROJECT / folder).rglob("*.py")):
            relative = file.relative_to(PROJECT)
            # The two foreign interfaces answer as those that they stand for do.
            if relative.parts[:3] in {("appliance", "api", "ifax"), ("appliance", "api", "ictfax")}:
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                place = _SENTENCES.get(name)
                if place is not None and len(node.args) > place and _is_bare(node.args[place]):
                    bare.append(f"{relative}:{node.lineno}")
    assert bare == []
