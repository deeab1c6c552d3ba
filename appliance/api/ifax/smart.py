"""Stored documents to fill in: text with placeholders for the request's fields.  Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_FIELD = re.compile(r"\{\{\s*([a-z_]{1,20})\s*\}\}")


def filled(text: str, fields: Mapping[str, str]) -> str:
    """``text`` with each ``{{name}}`` of ``fields`` replaced by its value; others stay."""
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), text)


def names_fields(text: str, fields: Mapping[str, str]) -> bool:
    """Whether ``text`` contains any placeholder of ``fields``."""
    return any(found[1] in fields for found in _FIELD.finditer(text))
