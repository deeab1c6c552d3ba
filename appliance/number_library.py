"""The phonenumbers library, loaded when the first number is read.

Its tables are large, and a box that stands by does without them.  Whoever imports this names the library
itself for type checkers.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """What the library has under this name.  Raises AttributeError."""
    import phonenumbers  # noqa: PLC0415 - the purpose

    return getattr(phonenumbers, name)
