"""Checks a request against its route's schemas, and says what is wrong in words.

What is wrong never repeats what was sent but for a field's name: it may be huge, or secret.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from appliance.api.problems import ERRORS_LIMIT, Flaw, ProblemError
from appliance.api.rest.routes import Parameter, Schema
from appliance.api.rest.schemas import COMPONENTS
from appliance.causes import REQUEST_INVALID

# 1.0 is a number, not a whole number: what passes is an ``int``.
_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)
_TRUE, _FALSE = "true", "false"
# The widest whole number that a text may hold, digits.
_DIGITS = 18


class Checker:
    """One schema, ready to check values."""

    def __init__(self, schema: Schema) -> None:
        self._validator = _Validator({**schema, "components": {"schemas": COMPONENTS}})

    def flaws(self, value: Any) -> list[Flaw]:
        """What is wrong with ``value``; nothing when the list is empty."""
        errors = itertools.islice(self._validator.iter_errors(value), ERRORS_LIMIT)
        return [_flaw(error) for error in errors]


def require(checker: Checker, value: Any) -> None:
    """Raises ProblemError (REQUEST_INVALID) that says all that is wrong with ``value``."""
    flaws = checker.flaws(value)
    if flaws:
        raise invalid(*flaws)


def invalid(*flaws: Flaw) -> ProblemError:
    """The problem of a request with these flaws."""
    first = flaws[0]
    detail = f"{first.path}: {first.problem}" if first.path else first.problem
    return ProblemError(REQUEST_INVALID, detail, flaws)


def flaw(path: str, problem: str) -> ProblemError:
    """The problem of a request with one flaw."""
    return invalid(Flaw(path, problem))


def read_moment(text: str, path: str) -> float:
    """Unix time of an RFC 3339 date and time.  Raises ProblemError."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None or len(text) < len("2000-01-01T00:00Z"):
            raise ValueError
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        raise flaw(path, "a date and time such as 2030-01-31T09:30:00Z is needed") from None


class QueryReader:
    """Reads the query of one route."""

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        self._schemas = {parameter.name: parameter.schema for parameter in parameters}
        self._checker = Checker({"type": "object", "properties": self._schemas})

    def read(self, given: Mapping[str, list[str]]) -> dict[str, Any]:
        """The query's values as their schemas' types.  Raises ProblemError."""
        flaws = [Flaw(name, "there is no such parameter") for name in given if name not in self._schemas]
        if flaws:
            raise invalid(*flaws)
        found = {name: from_texts(self._schemas[name], texts, name) for name, texts in given.items()}
        if found:
            require(self._checker, found)
        return found


def from_fields(schema: Schema, given: Mapping[str, list[str]]) -> dict[str, Any]:
    """The JSON object that a form's fields stand for; ``cover.subject`` is a member of ``cover``.

    Raises ProblemError.  The result is yet to be checked against ``schema``.
    """
    found: dict[str, Any] = {}
    for name, texts in given.items():
        outer, _, inner = name.partition(".")
        described = _resolved(schema).get("properties", {}).get(outer)
        if described is None:
            raise flaw(name, "there is no such field")
        described = _resolved(described)
        if not inner:
            found[outer] = from_texts(described, texts, name)
            continue
        member = described.get("properties", {}).get(inner)
        if member is None or not isinstance(found.setdefault(outer, {}), dict):
            raise flaw(name, "there is no such field")
        found[outer][inner] = from_texts(_resolved(member), texts, name)
    return found


def from_texts(schema: Schema, texts: list[str], path: str) -> Any:
    """A value of ``schema``'s type from the texts that were given for it, yet to be checked.

    Raises ProblemError.
    """
    if schema.get("type") == "array":
        parts = texts[0].split(",") if len(texts) == 1 else texts
        return [_from_text(_resolved(schema["items"]), part.strip(), path) for part in parts if part.strip()]
    if len(texts) > 1:
        raise flaw(path, "is given more than once")
    return _from_text(schema, texts[0], path)


def _from_text(schema: Schema, text: str, path: str) -> Any:
    match schema.get("type"):
        case "integer":
            if not (text.isascii() and text.removeprefix("-").isdecimal()) or len(text) > _DIGITS:
                raise flaw(path, "a whole number is needed")
            return int(text)
        case "number":
            try:
                return float(text) if len(text) <= _DIGITS else _no_number()
            except ValueError:
                raise flaw(path, "a number is needed") from None
        case "boolean":
            if text not in (_TRUE, _FALSE):
                raise flaw(path, f"{_TRUE} or {_FALSE} is needed")
            return text == _TRUE
    return text


def _no_number() -> float:
    raise ValueError


def _resolved(schema: Schema) -> Schema:
    """The schema that a reference names, or the one that may also be null."""
    if "$ref" in schema:
        return _resolved(COMPONENTS[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return _resolved(schema["anyOf"][0])
    return schema


def _path(parts: Any) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


_TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def _flaw(error: ValidationError) -> Flaw:
    if error.validator in ("anyOf", "oneOf"):
        # Of the forms that are possible, the one that was most likely meant says more.
        error = best_match([error]) or error
    return Flaw(_path(error.absolute_path), _sentence(error))


def _sentence(error: ValidationError) -> str:
    rule: Any = error.validator_value
    value: Any = error.instance
    match error.validator:
        case "type":
            names = [rule] if isinstance(rule, str) else rule
            return f"{' or '.join(_TYPES[name] for name in names)} is needed"
        case "required":
            missing = [name for name in rule if name not in value]
            return f"{', '.join(missing)} is missing"
        case "additionalProperties":
            known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
            unknown = [str(name)[:60] for name in value if name not in known]
            return f"there is no {', '.join(unknown[:5])}"
        case "enum":
            return f"one of {', '.join(str(value) for value in rule)} is needed"
        case "minimum":
            return f"at least {rule} is needed"
        case "maximum":
            return f"at most {rule} is allowed"
        case "maxLength":
            return f"at most {rule} characters are allowed"
        case "minLength":
            return f"at least {rule} characters are needed"
        case "maxItems":
            return f"at most {rule} entries are allowed"
        case "minItems":
            return f"at least {rule} entries are needed"
        case "maxProperties":
            return f"at most {rule} members are allowed"
        case "pattern":
            return f"the form {rule} is needed"
        case "anyOf" | "oneOf":
            return "none of the forms that are possible here"
    return f"does not fit ({error.validator})"
