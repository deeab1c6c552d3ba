"""Checks of the running box: whether it answers, its lines, its mail."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Protocol

from appliance.doctor.findings import Finding, broken, fine, skipped, warning
from appliance.language import said as _
from appliance.spool.model import DAY_S

# Time for a box that was just started to register its trunks, and the interval of asking, seconds.
SETTLE_S, ASK_EVERY_S = 10.0, 0.2


class Running(Protocol):
    """The running box's REST API."""

    def get(self, path: str) -> Any:
        """The JSON that the box answers a GET of this path with."""


def missing(detail: str) -> Iterator[Finding]:
    """The finding that no box runs on this folder."""
    yield broken(
        _("No box is running on this folder."),
        _("systemctl status faxbox says why; faxbox serve runs it by hand."),
        detail,
    )


def health(box: Running) -> Iterator[Finding]:
    """Whether it accepts faxes."""
    status = box.get("/status")
    if status["accepting"]:
        yield fine(_("The box is running and takes faxes."))
    else:
        yield broken(
            _("The box is running and takes no faxes."),
            _("What is named here as broken is the reason; most often the disk is full."),
        )


def clock(box: Running) -> Iterator[Finding]:
    """Whether the clock jumped ahead further than the box has seen time pass."""
    doubted_s = box.get("/status")["clock_doubted_s"]
    if doubted_s >= DAY_S:
        yield warning(
            _("The date jumped further ahead than this box has seen time pass."),
            _(
                "If the date is wrong, set it: nothing has been erased because of it. If it is right, do"
                " nothing: the box believes it after three days with a time server, seven without."
            ),
            f"{doubted_s / DAY_S:.0f} d",
        )


def lines(box: Running) -> Iterator[Finding]:
    """The state of each line, and whether there is one."""
    deadline = time.monotonic() + SETTLE_S
    while any(map(_undecided, real := _real_lines(box))) and time.monotonic() < deadline:
        time.sleep(ASK_EVERY_S)
    if not real:
        yield warning(
            _("No line is set up: only the practice numbers can be reached."),
            _("Set up a SIP trunk or a modem."),
        )
    for line in real:
        told = f"{line['name']}: {line['sentence']} {line['last_error']}".strip()
        if line["usable"]:
            yield fine(_("The line is ready."), detail=told)
        else:
            yield broken(
                _("The line does not work."),
                _("faxbox check trunk, or check modem, looks at it step by step."),
                told,
            )


def _real_lines(box: Running) -> list[dict[str, Any]]:
    return [line for line in box.get("/lines")["lines"] if line["kind"] != "practice"]


def _undecided(line: dict[str, Any]) -> bool:
    """Whether a line is not usable yet, without an error."""
    return not line["usable"] and not line["last_error"]


def mail(box: Running) -> Iterator[Finding]:
    """Whether e-mail is received and sent."""
    state = box.get("/mail")
    if state["problem"]:
        yield broken(
            _("The mailbox cannot be looked into."),
            _("Look at the settings of mail_in, and whether the password still holds."),
            state["problem"],
        )
    elif state["sends"] or state["collects"]:
        yield fine(_("E-mail is set up."))
    else:
        yield skipped(_("E-mail is not set up."))


def outgoing_mail(box: Running) -> Iterator[Finding]:
    """E-mails that were tried without success."""
    if not box.get("/mail")["sends"]:
        return
    pending = box.get("/deliveries?kind=email&state=pending&limit=100")["deliveries"]
    refused = [each for each in pending if each["tries"]]
    if refused:
        yield warning(
            _("E-mails could not be sent, and are tried again."),
            _("Look at the settings of mail_out; the page of the deliveries shows each try."),
            f"{len(refused)}: {refused[0]['last_error']}",
        )
