"""The exceptions with which a document is refused; each carries its row of the table of causes."""

from __future__ import annotations

import re

from appliance.causes import Cause

LONGEST_FAULT = 200  # characters of what a library says
_OBJECT = re.compile(r"\s*<[^<>]*>")  # how Python writes an object


def fault_of(error: BaseException) -> str:
    """What a library says of a document, for its sender: without names of Python's objects and classes."""
    return _OBJECT.sub("", str(error)).strip()[:LONGEST_FAULT] or type(error).__name__


class DocumentError(Exception):
    """A document cannot be rendered.

    ``cause`` is the row with the reason, ``detail`` says what exactly (for the log and the details of an
    answer, never instead of the sentence), ``source`` is the number of the source (from 0).
    """

    def __init__(self, cause: Cause, detail: str = "", source: int | None = None) -> None:
        super().__init__(f"{cause.code}: {detail}" if detail else cause.code)
        self.cause = cause
        self.detail = detail
        self.source = source


class WorkerDiedError(DocumentError):
    """The worker died; ``killed``: from outside (a person, the kernel out of memory), not by a crash."""

    def __init__(self, cause: Cause, detail: str, *, killed: bool) -> None:
        super().__init__(cause, detail)
        self.killed = killed
