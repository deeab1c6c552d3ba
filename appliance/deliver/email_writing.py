"""The e-mails that the box writes: received faxes, results, refusals, the test.

Each is made from what the spool knows; words about failures are the table of causes'.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, formataddr
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.causes import Cause
from appliance.deliver.settings import MailOutSettings
from appliance.documents.options import clean_line, clean_message
from appliance.spool.model import Attempt, Job, JobState, Received, ReceivedState
from appliance.station import StationSettings

# RFC 3834 2: says that no person wrote this, so that no program answers it.
AUTO_HEADER = "Auto-Submitted"
_GENERATED = "auto-generated"
_REPLIED = "auto-replied"
# Of what somebody wrote so much is repeated in a subject, characters.
_SUBJECT = 150
# 57 octets make a line of 76 characters; a piece is a whole number of lines.
_LINE_OCTETS = 57
_PIECE_OCTETS = _LINE_OCTETS * 512
_MARK_OCTETS = 30  # at random, and a single line
# RFC 5322 3.6.4, without comments and blanks; a line has at most 998 octets.
_MESSAGE_ID = re.compile(r"<[!-~]{1,900}>")
_ID_HEADERS = frozenset({"Message-ID", "In-Reply-To", "References"})
_OUTCOME = {
    JobState.DELIVERED: "was delivered",
    JobState.FAILED: "was not delivered",
    JobState.CANCELLED: "was cancelled",
    JobState.UNKNOWN: "may or may not have arrived",
    JobState.HELD: "waits for your word",
    JobState.NEEDS_NUMBER: "needs a number",
}


class _Policy(EmailPolicy):
    """Python's own folds a long Message-ID into coded words (RFC 2047), which no program takes for one."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name in _ID_HEADERS:
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An e-mail; where ``mark`` stands in it, ``attachment`` belongs.

    The attachment is put in while it is sent, piece by piece: taking a large one whole through Python's
    e-mail classes would hold up the packets of running calls.
    """

    message: EmailMessage
    attachment: Path | None = None
    mark: bytes = b""

    def pieces(self) -> Iterator[bytes]:
        """The e-mail's octets as they are after DATA, dots doubled (RFC 5321 4.5.2), without the end."""
        raw = self.message.as_bytes()
        if self.attachment is None:
            yield _stuffed(raw)
            return
        head, _, tail = raw.partition(self.mark)
        yield _stuffed(head)
        with self.attachment.open("rb") as file:
            while piece := file.read(_PIECE_OCTETS):
                # Lines of base64 (RFC 2045 6.8) never begin with a dot.
                yield b"".join(
                    binascii.b2a_base64(piece[at : at + _LINE_OCTETS], newline=False) + b"\r\n"
                    for at in range(0, len(piece), _LINE_OCTETS)
                )
        yield _stuffed(tail.lstrip(b"\r\n"))


def _stuffed(octets: bytes) -> bytes:
    return re.sub(rb"(?m)^\.", b"..", octets)


class Writer:
    """Words the box's e-mails: who it is and what its clock shows come from the settings."""

    def __init__(self, mail: MailOutSettings, station: StationSettings, now: float) -> None:
        self._mail = mail
        self._zone = ZoneInfo(station.time_zone) if station.time_zone else None
        self._now = now

    def received(self, to: str, fax: Received, tag: str, pdf: Path | None, too_large: bool) -> Outgoing:
        """A received fax.  ``tag`` makes the Message-ID: the same for every try."""
        caller = fax.caller or fax.tsi or "an unknown number"
        whole = fax.state is ReceivedState.COMPLETE
        practice = "Practice: " if fax.practice else ""
        lines = [
            *(["This is a practice fax of the box itself: nobody outside sent it.", ""] if practice else []),
            f"A fax has arrived{'' if whole else ', but the call broke off'}.",
            "",
            *_fields(
                {
                    "From": " ".join(filter(None, (fax.caller, fax.caller_name))) or "number not shown",
                    "Station id": fax.tsi,
                    "To": fax.dialled,
                    "Sub-address": fax.sub_address,
                    "Arrived": self.moment(fax.ended_at or fax.started_at),
                    "Pages": str(fax.pages),
                    "Line": fax.line,
                    "Number": f"received fax {fax.id}",
                }
            ),
        ]
        if not whole and fax.cause is not None:
            lines += ["", fax.cause.sentence, fax.cause.advice]
        if too_large:
            lines += ["", "The fax is too large to be attached: please read it in the box."]
        message = self._new(to, f"{practice}Fax from {caller}, {_pages(fax.pages)}", lines, tag)
        return _with(message, pdf, f"fax-{fax.id}.pdf")

    def result(
        self,
        to: str,
        job: Job,
        attempts: Sequence[Attempt],
        tag: str,
        pdf: Path | None,
        *,
        reply: tuple[str, str] | None = None,
    ) -> Outgoing:
        """How a fax ended; ``reply``: subject and Message-ID of the e-mail that it came by."""
        outcome = _OUTCOME.get(job.state, "is still under way")
        what = f"fax to {job.given or job.number}" if job.number else "document"
        lines = [
            f"Your {what} {outcome}.",
            "",
            *_fields(
                {
                    "To": " ".join(filter(None, (job.number, job.name))),
                    "Pages": f"{job.pages_confirmed} of {job.pages} confirmed"
                    if job.pages is not None
                    else "",
                    "Ended": self.moment(job.ended_at) if job.ended_at is not None else "",
                    "Answered as": job.remote_id,
                    "Calls": str(job.tries) if job.tries else "",
                    "Number": f"fax {job.id}",
                }
            ),
        ]
        if job.state is JobState.NEEDS_NUMBER:
            lines += ["", "It waits on the box's page for documents without a number."]
            problem = job.metadata.get("print_problem")
            lines += [clean_line(str(problem))] if problem else []
        if job.cause is not None and job.state is not JobState.DELIVERED:
            lines += ["", job.cause.sentence, job.cause.advice]
        if job.remarks:
            lines += ["", "About the document:", *(f"  {remark.words}" for remark in job.remarks)]
        if len(attempts) > 1:
            lines += ["", "The calls:"]
            lines += [
                f"  {self.moment(attempt.started_at)}  {attempt.line}  "
                f"{attempt.cause.sentence if attempt.cause else ''}"
                for attempt in attempts
            ]
        if pdf is not None:
            lines += ["", "The pages are attached as they were sent."]
        message = self._new(to, f"{what[:1].upper()}{what[1:]} {outcome}", lines, tag, reply)
        return _with(message, pdf, f"fax-{job.id}.pdf")

    def refusal(self, to: str, cause: Cause, detail: str, tag: str, reply: tuple[str, str]) -> Outgoing:
        """Why an e-mail was not faxed."""
        lines = ["Your e-mail was not faxed.", "", cause.sentence]
        if detail:
            lines.append(clean_line(detail))
        lines += [cause.advice, "", f"Your e-mail's subject: {clean_line(reply[0])}"]
        return Outgoing(self._new(to, "", lines, tag, reply))

    def test(self, to: str, tag: str) -> Outgoing:
        lines = ["This e-mail shows that the box can send e-mail.", "", f"Sent: {self.moment(self._now)}"]
        return Outgoing(self._new(to, "Test of the fax box", lines, tag))

    def moment(self, at: float) -> str:
        return datetime.fromtimestamp(at, self._zone).astimezone(self._zone).strftime("%Y-%m-%d %H:%M %Z")

    def _new(
        self, to: str, subject: str, lines: Sequence[str], tag: str, reply: tuple[str, str] | None = None
    ) -> EmailMessage:
        message = EmailMessage(policy=_POLICY)
        message["From"] = formataddr((clean_line(self._mail.sender_name), self._mail.sender))
        message["To"] = to
        message["Date"] = format_datetime(datetime.fromtimestamp(self._now).astimezone())
        message["Message-ID"] = f"<{tag}@{self._mail.sender.rpartition('@')[2]}>"
        message[AUTO_HEADER] = _GENERATED if reply is None else _REPLIED
        # What some mail systems heed instead of RFC 3834.
        message["X-Auto-Response-Suppress"] = "All"
        if reply is not None:
            asked, message_id = reply
            subject = subject or f"Re: {asked}"
            if _MESSAGE_ID.fullmatch(message_id):
                message["In-Reply-To"] = message_id
                message["References"] = message_id
        message["Subject"] = clean_line(subject)[:_SUBJECT]
        message.set_content(clean_message("\n".join(lines)) + "\n")
        return message


def _with(message: EmailMessage, pdf: Path | None, name: str) -> Outgoing:
    if pdf is None:
        return Outgoing(message)
    mark = secrets.token_bytes(_MARK_OCTETS)
    message.add_attachment(mark, maintype="application", subtype="pdf", filename=name)
    return Outgoing(message, pdf, base64.b64encode(mark))


def _fields(fields: dict[str, str]) -> list[str]:
    return [f"{label + ':':<13} {clean_line(value)}" for label, value in fields.items() if value]


def _pages(count: int) -> str:
    return "1 page" if count == 1 else f"{count} pages"
