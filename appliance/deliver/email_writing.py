"""The e-mails that the box writes: received faxes, results, refusals, the test.

Each is made from the spool's records; failures are worded by the table of causes.
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

from appliance import language
from appliance.causes import Cause
from appliance.deliver.settings import MailOutSettings
from appliance.documents.options import clean_line, clean_message
from appliance.language import said as _
from appliance.spool.model import Attempt, Job, JobState, Received, ReceivedState

# RFC 3834 2: marks an e-mail as written by a program, so that no other program answers it.
AUTO_HEADER = "Auto-Submitted"
_GENERATED = "auto-generated"
_REPLIED = "auto-replied"
# Characters of the user's text that are repeated in a subject.
_SUBJECT = 150
# 57 octets make a base64 line of 76 characters; a piece is a whole number of lines.
_LINE_OCTETS = 57
_PIECE_OCTETS = _LINE_OCTETS * 512
_MARK_OCTETS = 30  # random, and short enough for one line
# RFC 5322 3.6.4, without comments and spaces; a line has at most 998 octets.
_MESSAGE_ID = re.compile(r"<[!-~]{1,900}>")
_ID_HEADERS = frozenset({"Message-ID", "In-Reply-To", "References"})


class _Policy(EmailPolicy):
    """Keeps a long Message-ID in one piece: Python's policy would fold it into encoded words (RFC 2047)."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name in _ID_HEADERS:
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An e-mail; the line ``mark`` in it stands for ``attachment``.

    The attachment is inserted piece by piece while sending: passing a large one through Python's e-mail
    classes at once would delay the packets of running calls.
    """

    message: EmailMessage
    attachment: Path | None = None
    mark: bytes = b""

    def pieces(self) -> Iterator[bytes]:
        """The octets to send after DATA, dots doubled (RFC 5321 4.5.2), without the final dot."""
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


class EmailWriter:
    """Writes the box's e-mails in the thread's current language; the sender comes from the settings."""

    def __init__(self, mail: MailOutSettings, clock: language.Formatter, now: float) -> None:
        self._mail = mail
        self._clock = clock
        self._now = now

    def received(self, to: str, fax: Received, tag: str, pdf: Path | None) -> Outgoing:
        """A received fax; ``pdf``: its pages, None when they are too large to be attached.

        ``tag`` makes the Message-ID, so it must be the same for every try.
        """
        caller = fax.caller or fax.tsi or _("an unknown number")
        whole = fax.state is ReceivedState.COMPLETE
        lines = [_("A fax has arrived.") if whole else _("A fax has arrived, but the call broke off.")]
        if fax.practice:
            lines[:0] = [_("This is a practice fax of the box itself: nobody outside sent it."), ""]
        lines += [
            "",
            *_fields(
                {
                    _("From"): " ".join(filter(None, (fax.caller, fax.caller_name))) or _("number not shown"),
                    _("Station id"): fax.tsi,
                    _("To"): fax.dialled,
                    _("Sub-address"): fax.sub_address,
                    _("Arrived"): self._clock.date_time(fax.ended_at or fax.started_at),
                    _("Pages"): str(fax.pages),
                    _("Line"): fax.line,
                    _("Number"): _("received fax {id}").format(id=fax.id),
                }
            ),
        ]
        if not whole and fax.cause is not None:
            lines += ["", _(fax.cause.sentence), _(fax.cause.advice)]
        if pdf is None:
            lines += ["", _("The fax is too large to be attached: please read it in the box.")]
        subject = (
            _("Practice: fax from {caller}, {pages}") if fax.practice else _("Fax from {caller}, {pages}")
        )
        message = self._new(to, subject.format(caller=caller, pages=_pages(fax.pages)), lines, tag)
        return _with(message, pdf, f"fax-{fax.id}.pdf")

    def sent(self, to: str, job: Job, tag: str, pdf: Path | None) -> Outgoing:
        """A copy of a sent fax; ``pdf``: its pages, None when they are too large to be attached."""
        what = _("fax to {number}").format(number=job.given or job.number)
        what = what[:1].upper() + what[1:]
        lines = [
            _outcome(job.state).format(what=what) + ".",
            *_practice(job),
            "",
            *_fields(
                {
                    _("To"): " ".join(filter(None, (job.number, job.name))),
                    _("Pages"): str(job.pages or ""),
                    _("Ended"): self._clock.date_time(job.ended_at),
                    _("Number"): _("fax {id}").format(id=job.id),
                }
            ),
            "",
            _("The pages are attached as they were sent.")
            if pdf is not None
            else _("The fax is too large to be attached: please read it in the box."),
        ]
        return _with(self._new(to, _marked(job, what), lines, tag), pdf, f"fax-{job.id}.pdf")

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
        """The result of a fax; ``reply``: subject and Message-ID of the e-mail that asked for it."""
        what = _("fax to {number}").format(number=job.given or job.number) if job.number else _("document")
        lines = [
            _outcome(job.state).format(what=_("Your {what}").format(what=what)) + ".",
            *_practice(job),
            "",
            *_fields(
                {
                    _("To"): " ".join(filter(None, (job.number, job.name))),
                    _("Pages"): _("{count} of {pages} confirmed").format(
                        count=job.pages_confirmed, pages=job.pages
                    )
                    if job.pages is not None
                    else "",
                    _("Ended"): self._clock.date_time(job.ended_at),
                    _("Answered as"): job.remote_id,
                    _("Calls"): str(job.tries) if job.tries else "",
                    _("Number"): _("fax {id}").format(id=job.id),
                }
            ),
        ]
        if job.state is JobState.NEEDS_NUMBER:
            lines += ["", _("It waits on the box's page for documents without a number.")]
            problem = job.metadata.get("print_problem")
            lines += [clean_line(str(problem))] if problem else []
        if job.cause is not None and job.state is not JobState.DELIVERED:
            lines += ["", _(job.cause.sentence), _(job.cause.advice)]
        if job.remarks:
            lines += ["", _("About the document:"), *(f"  {remark.words(_)}" for remark in job.remarks)]
        if len(attempts) > 1:
            lines += ["", _("The calls:"), *map(self._call, attempts)]
        if pdf is not None:
            lines += ["", _("The pages are attached as they were sent.")]
        subject = _outcome(job.state).format(what=what[:1].upper() + what[1:])
        message = self._new(to, _marked(job, subject), lines, tag, reply)
        return _with(message, pdf, f"fax-{job.id}.pdf")

    def _call(self, attempt: Attempt) -> str:
        ending = _(attempt.cause.sentence) if attempt.cause else ""
        return f"  {self._clock.date_time(attempt.started_at)}  {attempt.line}  {ending}"

    def refusal(self, to: str, cause: Cause, detail: str, tag: str, reply: tuple[str, str]) -> Outgoing:
        """Why an e-mail was not faxed; ``reply``: its subject and Message-ID."""
        lines = [_("Your e-mail was not faxed."), "", _(cause.sentence)]
        if detail:
            lines.append(clean_line(detail))
        about = _("Your e-mail's subject: {subject}").format(subject=clean_line(reply[0]))
        lines += [_(cause.advice), "", about]
        return Outgoing(self._new(to, "", lines, tag, reply))

    def test(self, to: str, tag: str) -> Outgoing:
        """The test e-mail."""
        lines = [
            _("This e-mail shows that the box can send e-mail."),
            "",
            _("Sent: {time}").format(time=self._clock.date_time(self._now)),
        ]
        return Outgoing(self._new(to, _("Test of the fax box"), lines, tag))

    def _new(
        self, to: str, subject: str, lines: Sequence[str], tag: str, reply: tuple[str, str] | None = None
    ) -> EmailMessage:
        message = EmailMessage(policy=_POLICY)
        message["From"] = formataddr((clean_line(self._mail.sender_name), self._mail.sender))
        message["To"] = to
        message["Date"] = format_datetime(datetime.fromtimestamp(self._now).astimezone())
        message["Message-ID"] = f"<{tag}@{self._mail.sender.rpartition('@')[2]}>"
        message[AUTO_HEADER] = _GENERATED if reply is None else _REPLIED
        # Some mail systems heed this instead of RFC 3834.
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


def _practice(job: Job) -> list[str]:
    if not job.practice:
        return []
    return [_("It goes to the practice machine inside the box; nobody outside gets it.")]


def _marked(job: Job, subject: str) -> str:
    return _("Practice: {subject}").format(subject=subject) if job.practice else subject


def _outcome(state: JobState) -> str:
    """A sentence without its full stop, with a placeholder for the fax."""
    match state:
        case JobState.DELIVERED:
            return _("{what} was delivered")
        case JobState.FAILED:
            return _("{what} was not delivered")
        case JobState.CANCELLED:
            return _("{what} was cancelled")
        case JobState.UNKNOWN:
            return _("{what} may or may not have arrived")
        case JobState.HELD:
            return _("{what} waits for your word")
        case JobState.NEEDS_NUMBER:
            return _("{what} needs a number")
    return _("{what} is still under way")


def _fields(fields: dict[str, str]) -> list[str]:
    said = {f"{label}:": clean_line(value) for label, value in fields.items() if value}
    width = max(map(len, said), default=0)
    return [f"{label:<{width}} {value}" for label, value in said.items()]


def _pages(count: int) -> str:
    return _("1 page") if count == 1 else _("{count} pages").format(count=count)
