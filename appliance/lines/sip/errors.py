"""Errors of the SIP stack, and the check of the installed pjsua2."""

from __future__ import annotations

import importlib.metadata
from typing import Any

HOW_TO_GET_IT = "build it with image-build/pjsua2/build.sh and install the wheel that it prints"


class SipUnavailableError(RuntimeError):
    """SIP cannot be started on this machine; the message says why."""


class SipOrderError(RuntimeError):
    """The SIP stack refused an order; message and status are the stack's."""

    def __init__(self, words: str, status: int = 0) -> None:
        super().__init__(words)
        self.status = status


def pjsua2_flaw() -> str | None:
    """The fault of the installed pjsua2; None when it is our build.

    Raises SipUnavailableError without any.
    """
    try:
        version = importlib.metadata.version("pjsua2")
    except importlib.metadata.PackageNotFoundError:
        try:
            version = importlib.metadata.version("pjsua2-python")
        except importlib.metadata.PackageNotFoundError:
            raise SipUnavailableError(f"pjsua2 is not installed: {HOW_TO_GET_IT}") from None
    if version.endswith("+faxbox"):
        return None
    return (
        f"pjsua2 {version} is not the box's own build: it refuses offers of T.38 alone (most gateways make"
        " such), carries few calls, may abort the program on odd messages, and has old TLS;"
        f" {HOW_TO_GET_IT}"
    )


def refusal(error: Any) -> SipOrderError | None:
    """An error of pjsua2 as ours, without function and place in its source; None for any other."""
    is_stacks = type(error).__module__ == "pjsua2"
    return SipOrderError(str(error.reason), int(error.status)) if is_stacks else None
