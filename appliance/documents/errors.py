"""The exceptions with which a document is refused; each carries its row of the table of causes."""

from __future__ import annotations

from appliance.causes import Cause


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
