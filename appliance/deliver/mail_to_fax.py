"""``Gateway``: decides on received e-mails, and submits their content as faxes.

Both the box's own SMTP listener and the mailbox pass their e-mails here.  A fax that was accepted is on
disk.
"""

from __future__ import annotations

import hashlib
import logging
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import at_rest
from appliance.box import Box
from appliance.causes import Cause, in_words
from appliance.deliver import causes
from appliance.deliver.email_out import ASKED_ID, ASKED_SUBJECT
from appliance.deliver.pdfs import FOLDER
from appliance.deliver.planner import EMAIL_ORIGIN, REPLY_TO
from appliance.deliver.settings import MailInSettings, MailOutSettings
from appliance.documents.causes import DOCUMENT_WORKER_KILLED
from appliance.documents.errors import DocumentError
from appliance.documents.options import LONGEST_MESSAGE, clean_line
from appliance.documents.sniff import sniff
from appliance.net.settings import ApiSettings
from appliance.remarks import Rule
from appliance.services.causes import TOO_MANY_FILES, TOO_MANY_RECIPIENTS
from appliance.services.faxes import Request
from appliance.services.rules import RefusedError, To
from appliance.settings.accounts import User
from appliance.spool.model import Job, SourceFile
from appliance.spool.options import Cover, SendOptions

# What parses an e-mail is loaded with the first one: most boxes get none, and it takes 2 MB.
if TYPE_CHECKING:
    from appliance.deliver.email_reading import Attachment, Dial, IncomingEmail

_log = logging.getLogger(__name__)

_NAME_LIMIT = 255
_NOTED = 300  # characters of the audit log's detail
_TYPE_LIMIT = 100
# How often an e-mail comes back whose reading was ended from outside, and of how many that is remembered.
_KILLED_TRIES, _MOST_KILLED = 5, 100
_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_KEPT = 900  # characters of a subject or Message-ID that are kept for the reply


@dataclass(frozen=True, slots=True)
class AcceptedEmail:
    """The e-mail is on disk as these faxes."""

    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The e-mail is not faxed.  ``answer_to``: the address that may be told by e-mail, empty for none."""

    cause: Cause
    detail: str = ""
    answer_to: str = ""
    subject: str = ""
    message_id: str = ""

    @property
    def words(self) -> str:
        """The reason as one line, for an SMTP answer."""
        return clean_line(in_words(self.cause.sentence, self.detail, self.cause.advice))


@dataclass(frozen=True, slots=True)
class Ignored:
    """Neither faxed nor answered: written by a program or by this box, so an answer could start a loop."""

    reason: str


Outcome = AcceptedEmail | Refused | Ignored


def most_mb(limit: int) -> str:
    """How large an e-mail may be, for people."""
    return f"at most {limit} MB"


class Gateway:
    """Decides about e-mails.  Thread-safe; one at a time, because each is in memory as a whole."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._lock = threading.Lock()
        self._killed: Counter[str] = Counter()  # by digest: how often the process that reads it was ended

    def take(
        self,
        raw: bytes,
        *,
        to: Sequence[str] | None = None,
        source: str,
        verified_by: str = "",
        place: str = "",
    ) -> Outcome:
        """Decides about the e-mail ``raw``; ``to`` are the envelope's recipients, None when unknown.

        ``source`` is for the audit log.  ``place`` is where the e-mail lies until it is handled, by which one
        without a Message-ID is recognised.  With ``verified_by``, the name of the mailbox's server, that
        server must have noted that the sender is authentic.

        Raises DiskFullError, SpoolClosedError, SpoolFailedError, ReaderKilledError, after which the sender
        may try later.
        """
        with self._lock:
            outcome = self._judge(raw, verified_by, lambda letter: self._submit(letter, raw, to, place))
        return self._noted(outcome, source)

    def too_large(self, head: bytes, *, source: str, verified_by: str = "") -> Outcome:
        """Refuses an e-mail that is too large to fetch; ``head`` are its headers."""
        limit = self._box.settings.section(MailInSettings).message_mb

        def refuse(letter: IncomingEmail) -> tuple[Job, ...]:
            self._owner(letter, self._box.settings.section(MailInSettings))
            raise RefusedError(causes.EMAIL_TOO_LARGE, most_mb(limit))

        return self._noted(self._judge(head, verified_by, refuse), source)

    def turned_away(self, refused: Refused, *, source: str) -> None:
        """Notes that an e-mail was refused before it was read."""
        self._noted(refused, source)

    def _noted(self, outcome: Outcome, source: str) -> Outcome:
        match outcome:
            case AcceptedEmail(made):
                said = f"accepted: {', '.join(str(job.id) for job in made)}"
                who = made[0].owner
            case Refused(cause, detail):
                said, who = f"refused: {cause.code} {detail}".strip(), outcome.answer_to
            case Ignored(reason):
                said, who = f"ignored: {reason}", ""
        _log.info("an e-mail by %s was %s", source, said)
        # An e-mail's sender is what it says: no user's sign-in.
        self._box.history.audit(f"e-mail:{who}", "email.in", address=source, detail=said[:_NOTED])
        return outcome

    def _judge(
        self, raw: bytes, verified_by: str, submit: Callable[[IncomingEmail], tuple[Job, ...]]
    ) -> Outcome:
        from appliance.deliver.email_worker import ReaderKilledError, read_within  # noqa: PLC0415 (see above)

        parent = at_rest.temporary_root(self._box.data) / FOLDER
        parent.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            try:
                letter = read_within(raw, Path(folder))
            except DocumentError as error:
                return Refused(error.cause, error.detail)
            except ReaderKilledError as error:
                if self._may_try_again(raw):
                    raise
                return Refused(DOCUMENT_WORKER_KILLED, str(error))
            return self._judge_letter(letter, verified_by, submit)

    def _may_try_again(self, raw: bytes) -> bool:
        """Whether another try to read this e-mail may help; it was ended from outside once more."""
        if len(self._killed) >= _MOST_KILLED:
            self._killed.clear()
        digest = hashlib.sha256(raw).hexdigest()
        self._killed[digest] += 1
        return self._killed[digest] < _KILLED_TRIES

    def _judge_letter(
        self, letter: IncomingEmail, verified_by: str, submit: Callable[[IncomingEmail], tuple[Job, ...]]
    ) -> Outcome:
        if letter.automatic:
            return Ignored("it was written by a program")
        own = self._box.settings.section(MailOutSettings).sender.lower()
        if own and letter.sender == own:
            return Ignored("it comes from this box")
        if verified_by and not _passed(letter, verified_by):
            # The address is probably not the real sender's: it gets no answer.
            return Refused(causes.EMAIL_UNVERIFIED)
        try:
            return AcceptedEmail(submit(letter))
        except (RefusedError, DocumentError) as error:
            return _refused(letter, error.cause, error.detail)

    def _submit(
        self, letter: IncomingEmail, raw: bytes, to: Sequence[str] | None, place: str
    ) -> tuple[Job, ...]:
        from appliance.deliver.email_reading import numbers_of  # noqa: PLC0415 (see above)

        settings = self._box.settings.section(MailInSettings)
        owner, full_name = self._owner(letter, settings)
        dials, subject = numbers_of(letter.to if to is None else to, letter.subject, settings.domain)
        self._require_dialable(dials, settings.recipients)
        parts, message = _content(letter, settings)
        limit = self._box.settings.section(ApiSettings).files_per_fax
        if len(parts) > limit:
            raise RefusedError(TOO_MANY_FILES, f"at most {limit}")
        if settings.bad_attachments is Rule.REFUSE:
            for part in parts:
                _require_faxable(part)
        cover = None
        if message:
            sender = clean_line(full_name or letter.sender_name)
            cover = Cover(subject=clean_line(subject), from_name=sender, message=message)
        digest = _digest(letter, raw, place, dials)
        files: list[SourceFile] = []
        try:
            for part in parts:
                kind = clean_line(part.media_type)[:_TYPE_LIMIT]
                file = self._box.documents.store_file(part.pieces(), name=_name(part), media_type=kind)
                files.append(file)
            request = Request(
                owner=owner,
                to=tuple(To(dial.number) for dial in dials),
                files=tuple(files),
                origin=EMAIL_ORIGIN,
                options=SendOptions(
                    cover=cover, sub_address=dials[0].sub_address, bad_files=settings.bad_attachments
                ),
                idempotency_key=f"email:{digest}" if letter.message_id or place else "",
                idempotency_digest=digest,
                metadata={
                    REPLY_TO: letter.sender,
                    ASKED_SUBJECT: letter.subject[:_KEPT],
                    ASKED_ID: letter.message_id[:_KEPT],
                },
            )
            return self._box.faxes.submit(request).jobs
        except BaseException:
            self._box.documents.discard_files(files)
            raise

    def _require_dialable(self, dials: Sequence[Dial], most: int) -> None:
        """Raises RefusedError."""
        if not dials:
            raise RefusedError(causes.EMAIL_NO_NUMBER)
        if len(dials) > most:
            raise RefusedError(TOO_MANY_RECIPIENTS, f"at most {most}")
        if len(dials) > 1 and any(dial.sub_address for dial in dials):
            raise RefusedError(causes.EMAIL_NO_NUMBER, "A number with a sub-address goes alone.")
        for dial in dials:
            self._box.rules.number(dial.number)

    def _owner(self, letter: IncomingEmail, settings: MailInSettings) -> tuple[str, str]:
        """The account that owns the fax, and its full name."""
        for user in self._box.settings.items(User).values():
            if user.email and user.email.lower() == letter.sender:
                if user.disabled:
                    raise RefusedError(causes.EMAIL_SENDER_UNKNOWN)
                return user.name, user.full_name
        domain = letter.sender[letter.sender.rindex("@") :]
        if any(entry.lower() in (letter.sender, domain) for entry in settings.senders):
            return settings.owner, ""
        raise RefusedError(causes.EMAIL_SENDER_UNKNOWN)


def _digest(letter: IncomingEmail, raw: bytes, place: str, dials: Sequence[Dial]) -> str:
    """What is the same for an e-mail that is handed in once more.

    Without a Message-ID the same octets may be sent twice on purpose, by scanners and alarms.  A program
    that sends the same Message-ID again did not get our answer; and a mailbox for all numbers gets a copy
    for each, which differ in the headers that servers add on the way.
    """
    same = (letter.message_id, letter.sender, letter.subject) if letter.message_id else (place,)
    hashed = hashlib.sha256(_body(raw) if letter.message_id else raw)
    hashed.update(repr((*same, dials)).encode())
    return hashed.hexdigest()


def _body(raw: bytes) -> memoryview:
    """What follows the headers of an e-mail."""
    found = _HEADERS_END.search(raw)
    return memoryview(raw)[found.end() if found else 0 :]


def _content(letter: IncomingEmail, settings: MailInSettings) -> tuple[list[Attachment], str]:
    """The files to fax, and the cover page's message, empty for no cover page."""
    from appliance.deliver.email_reading import Attachment  # noqa: PLC0415 (see above)

    text = letter.text
    parts = list(letter.attachments)
    if not parts and not text and not letter.pictures:
        raise RefusedError(causes.EMAIL_EMPTY)
    if parts and settings.cover and len(text) <= LONGEST_MESSAGE:
        return [*letter.pictures, *parts], text
    if letter.page:
        parts.insert(0, Attachment("message.html", "text/html", letter.page.encode("utf-8-sig", "replace")))
    elif text:
        parts.insert(0, Attachment("message.txt", "text/plain", text.encode()))
    return parts, ""


def _require_faxable(part: Attachment) -> None:
    """Raises DocumentError, which names the file, for one that cannot be faxed."""
    try:
        sniff(part.head(), _name(part), part.media_type)
    except DocumentError as error:
        raise DocumentError(error.cause, f"{_name(part)}: {error.detail}") from None


def _name(part: Attachment) -> str:
    return clean_line(part.name.replace("\\", "/").rpartition("/")[2])[:_NAME_LIMIT] or "attachment"


def _refused(letter: IncomingEmail, cause: Cause, detail: str) -> Refused:
    return Refused(cause, clean_line(detail), letter.sender, letter.subject, letter.message_id)


def _passed(letter: IncomingEmail, server: str) -> bool:
    """Whether ``server`` noted that the sender's domain vouches for the e-mail (RFC 8601, DMARC).

    Only the newest header with its name counts: older ones may have come with the e-mail.
    """
    for verdict in letter.verdicts:
        name, _, results = verdict.partition(";")
        if name.split(maxsplit=1)[:1] and name.split()[0].lower() == server.lower():
            words = [result.split(maxsplit=1)[:1] for result in results.lower().split(";")]
            return ["dmarc=pass"] in words
    return False
