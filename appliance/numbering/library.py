"""The phonenumbers library, loaded when the first number is read.

Its tables are large, and an idle box does not need them.  Modules that import this one import the library
itself for type checkers.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """The attribute of the library with this name.  Raises AttributeError."""
    import phonenumbers  # noqa: PLC0415 - the purpose

    return getattr(phonenumbers, name)
