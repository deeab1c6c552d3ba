"""The box that runs: whether it answers, its lines, its mail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from appliance.doctor.findings import Finding, State
from appliance.language import said as _


class Running(Protocol):
    """The running box's REST interface."""

    def get(self, path: str) -> Any: ...


def missing(detail: str) -> Iterator[Finding]:
    """No box runs on this folder."""
    yield Finding(
        "box",
        State.BROKEN,
        _("No box is running on this folder."),
        _("systemctl status faxbox says why; faxbox serve runs it by hand."),
        detail,
    )


def health(box: Running) -> Iterator[Finding]:
    """Whether it takes faxes."""
    status = box.get("/status")
    if status["accepting"]:
        yield Finding("box", State.FINE, _("The box is running and takes faxes."))
    else:
        yield Finding(
            "box",
            State.BROKEN,
            _("The box is running and takes no faxes."),
            _("What is named here as broken is the reason; most often the disk is full."),
        )


def lines(box: Running) -> Iterator[Finding]:
    """Each line, and that there is one."""
    found = box.get("/lines")["lines"]
    real = [line for line in found if line["kind"] != "practice"]
    if not real:
        yield Finding(
            "line",
            State.WARNING,
            _("No line is set up: only the practice numbers can be reached."),
            _("Set up a SIP trunk or a modem."),
        )
    for line in real:
        told = f"{line['name']}: {line['sentence']} {line['last_error']}".strip()
        if line["usable"]:
            yield Finding("line", State.FINE, _("The line is ready."), detail=told)
        else:
            yield Finding(
                "line",
                State.BROKEN,
                _("The line does not work."),
                _("faxbox check trunk, or check modem, looks at it step by step."),
                told,
            )


def mail(box: Running) -> Iterator[Finding]:
    """Whether e-mail comes in and goes out."""
    state = box.get("/mail")
    if state["problem"]:
        yield Finding(
            "mail",
            State.BROKEN,
            _("The mailbox cannot be looked into."),
            _("Look at the settings of mail_in, and whether the password still holds."),
            state["problem"],
        )
    elif state["sends"] or state["collects"]:
        yield Finding("mail", State.FINE, _("E-mail is set up."))
    else:
        yield Finding("mail", State.SKIPPED, _("E-mail is not set up."))
