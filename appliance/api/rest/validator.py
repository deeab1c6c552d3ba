"""JSON Schema with one more rule: 1.0 is no integer, so that what passes is an ``int``."""

from __future__ import annotations

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from jsonschema.validators import extend

__all__ = ["Validator", "best_match"]

Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)
