"""Checks a request against its route's schemas, and describes the errors.

Of what was sent a description repeats only the names of fields: values may be huge, or secret.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from appliance.api.causes import REQUEST_INVALID, STILL_NEEDED
from appliance.api.foreign_fields import FARTHEST_S
from appliance.api.problems import ERRORS_LIMIT, Flaw, ProblemError, most_entries, problem_at
from appliance.api.request import finite, parse_json
from appliance.api.rest.routes import Parameter, Schema
from appliance.api.rest.schemas import COMPONENTS
from appliance.language import ngettext, said
from appliance.net.http import FetchError, check_url
from appliance.services.rules import RefusedError, Rules
from appliance.settings.fields import one_of

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_TRUE, _FALSE = "true", "false"
# Separates the values of one field; several commas together are pauses in a number.
_COMMA = re.compile(r"(?<!,),(?!,)")
# Digits of the longest integer given as text.
_DIGITS = 18


class Checker:
    """Checks values against one schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    @cached_property
    def _validator(self) -> Any:
        # jsonschema is loaded by the first request with content, not by an idle box.
        from appliance.api.rest.validator import Validator  # noqa: PLC0415

        return Validator({**self._schema, "components": {"schemas": COMPONENTS}})

    def flaws(self, value: Any) -> list[Flaw]:
        """The errors in ``value``; empty when there are none."""
        errors = itertools.islice(self._validator.iter_errors(value), ERRORS_LIMIT)
        return [_flaw(error) for error in errors]


def require(checker: Checker, value: Any) -> None:
    """Raises ProblemError (REQUEST_INVALID) with all errors in ``value``."""
    flaws = checker.flaws(value)
    if flaws:
        raise invalid(*flaws)


def invalid(*flaws: Flaw) -> ProblemError:
    """The problem of a request with these errors."""
    first = flaws[0]
    detail = f"{first.path}: {first.problem}" if first.path else first.problem
    return ProblemError(REQUEST_INVALID, detail, flaws)


def flaw(path: str, problem: str) -> ProblemError:
    """The problem of a request with one error."""
    return invalid(Flaw(path, problem))


def still_needed(why: str) -> ProblemError:
    """The problem of taking away what something else needs; ``why`` is a sentence that names it."""
    return ProblemError(STILL_NEEDED, flaws=(Flaw("", why),))


def require_url(url: str, path: str) -> None:
    """Raises ProblemError for a URL that would not be called; empty means none."""
    if url:
        try:
            check_url(url)
        except FetchError as error:
            raise ProblemError(error.cause, error.detail, (Flaw(path, error.detail),)) from None


def require_number(rules: Rules, number: str, path: str) -> None:
    """Raises ProblemError when ``number`` may not be dialled."""
    try:
        rules.number(number)
    except Exception as error:
        raise problem_at(error, path) from None


def require_cover(rules: Rules, name: str, path: str) -> None:
    """Raises ProblemError for a cover template that the box does not have; empty means none."""
    try:
        rules.cover_template(name)
    except RefusedError as error:
        raise problem_at(error, path) from None


# Of a time zone, behind the time of day.
_LOST_PLUS = re.compile(r"(T[0-9:.]+) (?=[0-9]{2}:[0-9]{2}$)")


def read_time(text: str, path: str) -> float:
    """Unix time of an RFC 3339 date and time.  Raises ProblemError.

    The plus sign of a time zone may have become a blank, as it does in an address where it is not encoded.
    """
    try:
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+", text))
        if moment.tzinfo is None or len(text) < len("2000-01-01T00:00Z"):
            raise ValueError
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        raise flaw(path, said("a date and time such as 2030-01-31T09:30:00Z is needed")) from None


def read_schedule(body: Mapping[str, Any], name: str, now: float) -> float | None:
    """Unix time of the field ``name``, an RFC 3339 date and time for which something is scheduled.

    None without it.  Raises ProblemError.
    """
    if body.get(name) is None:
        return None
    at = read_time(body[name], name)
    if at > now + FARTHEST_S:
        raise flaw(name, said("at most a hundred years ahead"))
    return at


class QueryReader:
    """Reads the query of one route."""

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        self._schemas = {parameter.name: parameter.schema for parameter in parameters}
        self._checker = Checker({"type": "object", "properties": self._schemas})

    def read(self, given: Mapping[str, list[str]]) -> dict[str, Any]:
        """The query's values, converted to their schemas' types.  Raises ProblemError."""
        flaws = [
            Flaw(name, said("there is no such parameter")) for name in given if name not in self._schemas
        ]
        if flaws:
            raise invalid(*flaws)
        found = {name: from_texts(self._schemas[name], texts, name) for name, texts in given.items()}
        if found:
            require(self._checker, found)
        return found


def from_fields(schema: Schema, given: Mapping[str, list[str]]) -> dict[str, Any]:
    """The JSON object that a form's fields stand for; ``cover.subject`` is a member of ``cover``.

    Raises ProblemError.  The result is not yet checked against ``schema``.
    """
    found: dict[str, Any] = {}
    for name, texts in given.items():
        outer, _, inner = name.partition(".")
        described = _resolved(schema).get("properties", {}).get(outer)
        if described is None:
            raise flaw(name, said("there is no such field"))
        described = _resolved(described)
        if not inner:
            found[outer] = from_texts(described, texts, name)
            continue
        member = described.get("properties", {}).get(inner)
        if member is None or not isinstance(found.setdefault(outer, {}), dict):
            raise flaw(name, said("there is no such field"))
        found[outer][inner] = from_texts(_resolved(member), texts, name)
    return found


def from_texts(schema: Schema, texts: list[str], path: str) -> Any:
    """A value of ``schema``'s type, made of the texts of one field, not yet checked.

    Raises ProblemError.
    """
    if schema.get("type") == "array":
        parts = _COMMA.split(texts[0]) if len(texts) == 1 else texts
        return [_from_text(_resolved(schema["items"]), part.strip(), path) for part in parts if part.strip()]
    if len(texts) > 1:
        raise flaw(path, said("is given more than once"))
    return _from_text(schema, texts[0], path)


def _from_text(schema: Schema, text: str, path: str) -> Any:
    match schema.get("type"):
        case "integer":
            if not (text.isascii() and text.removeprefix("-").isdecimal()) or len(text) > _DIGITS:
                raise flaw(path, said("a whole number is needed"))
            return int(text)
        case "number":
            try:
                return finite(text) if len(text) <= _DIGITS else _no_number()
            except ValueError:
                raise flaw(path, said("a number is needed")) from None
        case "boolean":
            if text not in (_TRUE, _FALSE):
                raise flaw(path, said("true or false is needed"))
            return text == _TRUE
        case "object":
            return parse_json(text.encode())
    return text


def _no_number() -> float:
    raise ValueError


def _resolved(schema: Schema) -> Schema:
    """The schema behind a reference, or the one that may also be null."""
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


def _type(name: str) -> str:
    """The name of a JSON Schema type in words."""
    match name:
        case "object":
            return said("an object")
        case "array":
            return said("a list")
        case "string":
            return said("a text")
        case "integer":
            return said("a whole number")
        case "number":
            return said("a number")
        case "boolean":
            return said("true or false")
    return name


def _flaw(error: ValidationError) -> Flaw:
    if error.validator in ("anyOf", "oneOf"):
        from appliance.api.rest.validator import best_match  # noqa: PLC0415 (as above)

        # Of several possible forms, the error of the one most likely meant says more.
        error = best_match([error]) or error
    return Flaw(_path(error.absolute_path), _sentence(error))


def _sentence(error: ValidationError) -> str:
    rule: Any = error.validator_value
    value: Any = error.instance
    match error.validator:
        case "type":
            names = [rule] if isinstance(rule, str) else rule
            return said("{what} is needed").format(what=said(" or ").join(map(_type, names)))
        case "required":
            missing = [name for name in rule if name not in value]
            return said("{names} is missing").format(names=", ".join(missing))
        case "additionalProperties":
            known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
            unknown = [str(name)[:60] for name in value if name not in known]
            return said("there is no field {names}").format(names=", ".join(unknown[:5]))
        case "enum":
            return one_of(map(str, rule))
        case "minimum":
            return said("at least {number} is needed").format(number=rule)
        case "maximum":
            return said("at most {number} is allowed").format(number=rule)
        case "maxLength":
            sentence = ngettext(
                "at most {number} character is allowed", "at most {number} characters are allowed", rule
            )
            return sentence.format(number=rule)
        case "minLength":
            sentence = ngettext(
                "at least {number} character is needed", "at least {number} characters are needed", rule
            )
            return sentence.format(number=rule)
        case "maxItems":
            return most_entries(rule)
        case "minItems":
            sentence = ngettext(
                "at least {number} entry is needed", "at least {number} entries are needed", rule
            )
            return sentence.format(number=rule)
        case "maxProperties":
            return said("at most {number} members are allowed").format(number=rule)
        case "pattern":
            return said("the form {form} is needed").format(form=rule)
        case "anyOf" | "oneOf":
            return said("none of the forms that are possible here")
    return said("does not fit ({rule})").format(rule=error.validator)
