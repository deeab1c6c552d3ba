"""The one table of how a fax can end: stable code, whose side it was on, a sentence, advice, retry.

Every room reads this table (results, API, web pages, e-mail, reports); nothing else may invent a
code or word a failure itself.  A code never changes its meaning once released.

A leaf module: it imports nothing of ours, so that every room may import it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Side(Enum):
    """Whose side a fax's end was on."""

    NONE = "none"  # nothing went wrong
    OURS = "ours"  # this box: a bug, a full disk, a missing device
    THEIRS = "theirs"  # the far machine or its owner
    LINE = "line"  # what lies between: trunk, telephone line, network
    USER = "user"  # the person who asked: wrong number, unreadable document


class Retry(Enum):
    """What a dispatcher should do next with a job that ended so."""

    NO = "no"  # done, or trying again cannot help
    SOON = "soon"  # a passing state of the far end: busy, no answer
    STEP_DOWN = "step_down"  # again, slower or without the feature that failed
    OTHER_LINE = "other_line"  # this line is at fault, another may work
    LATER = "later"  # again after a long pause
    ASK = "ask"  # unknown whether it arrived: the owner's rule decides


@dataclass(frozen=True, slots=True)
class Cause:
    """One row of the table.

    ``sentence`` and ``advice`` are complete English sentences for someone who has never read T.30.
    """

    code: str
    side: Side
    sentence: str
    advice: str
    retry: Retry

    def __reduce__(self) -> tuple[Callable[[str], Cause], tuple[str]]:
        """Between processes a row goes by its code: each has one object for it."""
        return cause_of, (self.code,)


_TABLE: dict[str, Cause] = {}


def _row(code: str, side: Side, retry: Retry, sentence: str, advice: str) -> Cause:
    if code in _TABLE:
        raise ValueError(f"cause {code!r} stands twice in the table")
    cause = _TABLE[code] = Cause(code, side, sentence, advice, retry)
    return cause


def cause_of(code: str) -> Cause:
    """The row with this code.  Raises KeyError for a code that was never in the table."""
    return _TABLE[code]


def all_causes() -> tuple[Cause, ...]:
    """Every row, in the table's order (for documentation and tests)."""
    return tuple(_TABLE.values())


def as_markdown() -> str:
    """The table as docs/causes.md; ``python -m appliance.causes`` prints it."""
    lines = [
        "# How a fax can end",
        "",
        "Made from `appliance/causes.py` by `python -m appliance.causes`. The code is what interfaces and",
        "reports carry; it never changes its meaning. *Side* is whose matter it is: this box, the far end,",
        "the line between, or the person who asked. *Then* is what the box does by itself.",
        "",
        "| code | side | what happened | what to do | then |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row.code}` | {row.side.value} | {row.sentence} | {row.advice} | {_THEN[row.retry]} |"
        for row in all_causes()
    ]
    return "\n".join(lines) + "\n"


_THEN = {
    Retry.NO: "ends",
    Retry.SOON: "tries again soon",
    Retry.STEP_DOWN: "tries again, slower",
    Retry.OTHER_LINE: "tries another line",
    Retry.LATER: "tries again later",
    Retry.ASK: "follows the owner's rule",
}


# -- success -----------------------------------------------------------------------------------

DELIVERED = _row(
    "delivered",
    Side.NONE,
    Retry.NO,
    "The fax was delivered; the receiving machine confirmed every page.",
    "Nothing to do.",
)
RECEIVED = _row(
    "received",
    Side.NONE,
    Retry.NO,
    "The fax was received; every page was confirmed to the sender.",
    "Nothing to do.",
)


# -- documents ---------------------------------------------------------------------------------

DOCUMENT_UNSUPPORTED = _row(
    "document_unsupported",
    Side.USER,
    Retry.NO,
    "This kind of file cannot be faxed.",
    "Send a PDF, a picture, a text or an Office document; the surest is a PDF.",
)
DOCUMENT_MISLABELLED = _row(
    "document_mislabelled",
    Side.USER,
    Retry.NO,
    "The file is not what its name or type promises: its content is of another kind.",
    "Open the file: if it shows what you want to send, save it again as a PDF; if it shows a message of a "
    "web server, download it once more.",
)
DOCUMENT_ENCRYPTED = _row(
    "document_encrypted",
    Side.USER,
    Retry.NO,
    "The document is protected by a password.",
    "Save a copy without a password and send that.",
)
DOCUMENT_DAMAGED = _row(
    "document_damaged",
    Side.USER,
    Retry.NO,
    "The document is damaged and cannot be read.",
    "Open it, save or print it as a new PDF, and send that.",
)
DOCUMENT_EMPTY = _row(
    "document_empty",
    Side.USER,
    Retry.NO,
    "There is nothing to send: the document is empty.",
    "Check that the right file was chosen.",
)
DOCUMENT_TOO_LARGE = _row(
    "document_too_large",
    Side.USER,
    Retry.NO,
    "The document is larger than this box accepts.",
    "Send fewer pages at a time, or pictures with fewer pixels.",
)
DOCUMENT_TOO_MANY_PAGES = _row(
    "document_too_many_pages",
    Side.USER,
    Retry.NO,
    "The document has more pages than one fax may have.",
    "Choose some of its pages, or send it in several faxes.",
)
DOCUMENT_PAGES_INVALID = _row(
    "document_pages_invalid",
    Side.USER,
    Retry.NO,
    "The choice of pages cannot be understood.",
    "Write page numbers and ranges with commas between, such as 1-5,2.",
)
DOCUMENT_PAGES_MISSING = _row(
    "document_pages_missing",
    Side.USER,
    Retry.NO,
    "A chosen page is not in the document.",
    "Check the page numbers against the document.",
)
DOCUMENT_TIMED_OUT = _row(
    "document_timed_out",
    Side.USER,
    Retry.NO,
    "The document took too long to turn into fax pages.",
    "Print it as a new PDF, or send fewer pages at a time.",
)
DOCUMENT_MEMORY = _row(
    "document_memory",
    Side.USER,
    Retry.NO,
    "The document needs more memory than this box allows for one fax.",
    "Print it as a new PDF, or send pictures with fewer pixels.",
)
DOCUMENT_WORKER_DIED = _row(
    "document_worker_died",
    Side.OURS,
    Retry.NO,
    "The program that turns documents into fax pages failed on this document.",
    "Print the document as a new PDF and send that; report the file to the makers if you may share it.",
)
DOCUMENT_STORAGE = _row(
    "document_storage",
    Side.OURS,
    Retry.LATER,
    "The fax pages could not be written to the box's storage.",
    "Make room on the box's storage or check it, then send again.",
)
DOCUMENT_REMARKED = _row(
    "document_remarked",
    Side.USER,
    Retry.NO,
    "Something of the document would not arrive as it is; the remarks say what and on which page.",
    "Look at the pages and send the fax as it is, or mend the document and send it again.",
)
COVER_TEMPLATE_WRONG = _row(
    "cover_template_wrong",
    Side.USER,
    Retry.NO,
    "The cover page's template cannot be used.",
    "Look at the template's preview, and mend what it says.",
)
COVER_TEMPLATE_GONE = _row(
    "cover_template_gone",
    Side.USER,
    Retry.NO,
    "There is no cover template of this name.",
    "Choose another template, or make one of this name.",
)
OFFICE_NOT_INSTALLED = _row(
    "office_not_installed",
    Side.USER,
    Retry.NO,
    "Word, Excel, PowerPoint, OpenDocument and RTF files cannot be faxed by this box as it is.",
    "Save the document as a PDF and send that; or have LibreOffice installed on the box: "
    "apt install libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui.",
)
POSTSCRIPT_NOT_INSTALLED = _row(
    "postscript_not_installed",
    Side.USER,
    Retry.NO,
    "PostScript files cannot be faxed by this box as it is.",
    "Send the document as a PDF; or have Ghostscript installed on the box: apt install ghostscript.",
)
WINMAIL_EMPTY = _row(
    "winmail_empty",
    Side.USER,
    Retry.NO,
    "The file is a winmail.dat, Outlook's own packing of an e-mail, and nothing in it can be faxed.",
    "Have the e-mail sent again as plain text or HTML, with the document as a PDF.",
)
DOCUMENT_GONE = _row(
    "document_gone",
    Side.OURS,
    Retry.NO,
    "The document's file is no longer on the box.",
    "Send the document again.",
)

# -- reaching the other end (any line) ---------------------------------------------------------

BUSY = _row(
    "busy",
    Side.THEIRS,
    Retry.SOON,
    "The number is busy.",
    "It is tried again by itself; call the other side if it stays busy for hours.",
)
NO_ANSWER = _row(
    "no_answer",
    Side.THEIRS,
    Retry.SOON,
    "Nobody answered: the number rang until the waiting time was over.",
    "Check the number; the receiving machine may be switched off or out of paper.",
)
NUMBER_NOT_IN_SERVICE = _row(
    "number_not_in_service",
    Side.USER,
    Retry.NO,
    "The number does not exist or is not in service.",
    "Check the number for a typing error.",
)
CANCELLED = _row(
    "cancelled",
    Side.USER,
    Retry.NO,
    "The fax was cancelled before it was finished.",
    "Send it again if it is still wanted.",
)
LINE_STOPPED = _row(
    "line_stopped",
    Side.OURS,
    Retry.SOON,
    "The call was ended because the box stopped this line.",
    "Nothing to do; it is tried again when the line is up.",
)
LINE_FULL = _row(
    "line_full",
    Side.OURS,
    Retry.OTHER_LINE,
    "All channels of the line were taken.",
    "Nothing to do; it is tried again as soon as a channel is free.",
)

# -- practice line -----------------------------------------------------------------------------

PRACTICE_UNAVAILABLE = _row(
    "practice_unavailable",
    Side.OURS,
    Retry.LATER,
    "The practice machine could not be started.",
    "Check that the package libspandsp2 is installed; the log says what went wrong.",
)

# -- the telephone line: class-1 modem ---------------------------------------------------------

MODEM_MISSING = _row(
    "modem_missing",
    Side.OURS,
    Retry.OTHER_LINE,
    "The modem is not plugged in, or its port cannot be opened.",
    "Check the modem's cable; `faxbox check modem` says what is found.",
)
MODEM_UNPLUGGED = _row(
    "modem_unplugged",
    Side.OURS,
    Retry.OTHER_LINE,
    "The modem was unplugged or lost its power in the middle of the call.",
    "Plug it in again; the line recovers by itself and the fax is tried again.",
)
MODEM_SILENT = _row(
    "modem_silent",
    Side.OURS,
    Retry.OTHER_LINE,
    "The modem stopped answering.",
    "It is reset by itself; if this happens often, unplug it for ten seconds or replace it.",
)
MODEM_REFUSED = _row(
    "modem_refused",
    Side.OURS,
    Retry.OTHER_LINE,
    "The modem refused a command that a class-1 fax modem must know.",
    "Run `faxbox check modem`: it says whether this modem can fax at all.",
)
NO_DIAL_TONE = _row(
    "no_dial_tone",
    Side.LINE,
    Retry.OTHER_LINE,
    "There was no dial tone on the telephone line.",
    "Check that the modem is plugged into the telephone socket and that no other telephone is off the"
    " hook; behind some exchanges dialling without waiting for the tone must be switched on.",
)
MODEM_DIAL_BLOCKED = _row(
    "modem_dial_blocked",
    Side.OURS,
    Retry.LATER,
    "The modem itself refuses to dial this number for a while, after too many calls in a row.",
    "Wait; the modem's approval rules ask for a pause between repeated calls.",
)
VOICE_ANSWERED = _row(
    "voice_answered",
    Side.THEIRS,
    Retry.LATER,
    "Somebody answered, but no fax machine.",
    "Check the number; it may be a telephone, or a fax machine that must be switched on by hand.",
)
SHARED_LINE = _row(
    "shared_line",
    Side.NONE,
    Retry.NO,
    "The call was left to the telephone: the owner lets this line take no such calls.",
    "Nothing to do; change the line's answering rule if faxes should be taken.",
)

# -- the spool and the dispatcher ----------------------------------------------------------------

EXPIRED = _row(
    "expired",
    Side.OURS,
    Retry.NO,
    "The fax could not be sent within the time it was given.",
    "Look at its attempts for the reason, then send it again.",
)
INTERRUPTED = _row(
    "interrupted",
    Side.OURS,
    Retry.SOON,
    "The box was switched off or restarted during the call.",
    "A fax to send is tried again by itself; ask the sender of a received one to send it again.",
)
UNKNOWN_DELIVERY = _row(
    "unknown_delivery",
    Side.OURS,
    Retry.ASK,
    "The call was cut off while the last page was going out or its confirmation was awaited.",
    "Ask the receiver whether the fax arrived, then send it again or mark it as delivered.",
)
CALL_TOO_LONG = _row(
    "call_too_long",
    Side.LINE,
    Retry.LATER,
    "The call was ended because it took longer than a fax can take.",
    "Send fewer pages at a time; look at the account of the call if it happens again.",
)
LINE_FAULT = _row(
    "line_fault",
    Side.OURS,
    Retry.OTHER_LINE,
    "The program that carries this line failed during the call.",
    "Restart the box if it happens again, and report the account of the call to the makers.",
)
NO_LINE = _row(
    "no_line",
    Side.OURS,
    Retry.LATER,
    "No line that may carry this fax is working.",
    "Look at the lines page: check the trunk, the network or the telephone cable.",
)
NOT_RECEIVING = _row(
    "not_receiving",
    Side.NONE,
    Retry.NO,
    "The call was not answered: the box is set not to receive on this line, or is being shut down.",
    "Nothing to do; change the line's settings if it should receive.",
)
NUMBER_INVALID = _row(
    "number_invalid",
    Side.USER,
    Retry.NO,
    "This is not a telephone number that can be dialled.",
    "Write the number with its area code, or with + and the country code.",
)
NUMBER_EMERGENCY = _row(
    "number_emergency",
    Side.USER,
    Retry.NO,
    "The box never dials emergency numbers.",
    "Write the number with its country code. An extension that looks like one must be among those that the"
    " owner named (numbers.internal).",
)
NUMBER_NOT_ALLOWED = _row(
    "number_not_allowed",
    Side.USER,
    Retry.NO,
    "The box's rules do not allow faxes to this number.",
    "Check the number, or ask the owner of the box to allow it.",
)
CALLER_NOT_ALLOWED = _row(
    "caller_not_allowed",
    Side.USER,
    Retry.NO,
    "This number is not one that you may show to those you fax.",
    "Leave it out, or ask the owner of the box to add it to the box's numbers or to yours.",
)
NUMBER_QUARANTINED = _row(
    "number_quarantined",
    Side.THEIRS,
    Retry.NO,
    "This number failed so often in a row that the box stopped dialling it for a while.",
    "Check the number; the owner of the box can lift the pause on the destinations page.",
)
DAILY_LIMIT = _row(
    "daily_limit",
    Side.USER,
    Retry.LATER,
    "The box has placed as many calls today as its owner allows.",
    "The fax goes out when the day is over; the owner can raise the limit if the calls were wanted.",
)
QUOTA_SPENT = _row(
    "quota_spent",
    Side.USER,
    Retry.NO,
    "This user or key has sent as many pages as it may.",
    "Ask the owner of the box to raise the quota, or wait for the next month.",
)
INDEX_DAMAGED = _row(
    "index_damaged",
    Side.OURS,
    Retry.LATER,
    "The box's index of faxes is damaged; nothing is taken until it is made again.",
    "Stop the box and run `faxbox spool rebuild`: it takes the last good copy and the page files.",
)
INDEX_REBUILT = _row(
    "index_rebuilt",
    Side.OURS,
    Retry.NO,
    "The index was made again from the pages that are here; how the call ended is not known.",
    "Compare the number of pages with the sender if it matters.",
)
STORAGE_FULL = _row(
    "storage_full",
    Side.OURS,
    Retry.LATER,
    "The box's storage is full.",
    "Delete old faxes or shorten the time they are kept.",
)
STORAGE_READ_ONLY = _row(
    "storage_read_only",
    Side.OURS,
    Retry.LATER,
    "The box's storage takes nothing any more: it was made read-only, as happens when a disk or card fails.",
    "Save a copy of what is there, check or replace the disk or card, then start the box again.",
)

# -- T.30: how a call between two fax machines ends -----------------------------------------------

NO_FAX_ANSWERED = _row(
    "no_fax_answered",
    Side.THEIRS,
    Retry.SOON,
    "The call was answered, but no fax machine was heard.",
    "Check that the number belongs to a fax machine; a person, a mailbox or a voice menu may answer it.",
)
NO_SENDER_HEARD = _row(
    "no_sender_heard",
    Side.THEIRS,
    Retry.NO,
    "A caller was answered with fax tones, but it never sent a fax command.",
    "Nothing to do if it was a telephone call; if faxes from one sender end so, its line garbles them.",
)
CANNOT_RECEIVE = _row(
    "cannot_receive",
    Side.THEIRS,
    Retry.LATER,
    "The far machine said that it cannot receive now, perhaps because it is out of paper or memory.",
    "Try again later, or tell the recipient.",
)
NOTHING_IN_COMMON = _row(
    "nothing_in_common",
    Side.THEIRS,
    Retry.NO,
    "The far machine has no speed in common with this line.",
    "Allow more modulations in the line's settings; V.27ter is the one that every machine has.",
)
TRAINING_FAILED = _row(
    "training_failed",
    Side.LINE,
    Retry.STEP_DOWN,
    "The line was too poor: the training check failed at every speed down to the slowest.",
    "Try again, or over another line; on a VoIP trunk prefer T.38 for this destination.",
)
TRAINING_UNANSWERED = _row(
    "training_unanswered",
    Side.LINE,
    Retry.STEP_DOWN,
    "The far machine did not answer the training check, asked three times.",
    "Try again; if it keeps failing, use a lower first speed or another line for this destination.",
)
HUNG_UP_BEFORE_PAGES = _row(
    "hung_up_before_pages",
    Side.THEIRS,
    Retry.SOON,
    "The far end ended the call before the first page.",
    "Try again; the far machine may be set to refuse this sender.",
)
HUNG_UP_DURING_PAGE = _row(
    "hung_up_during_page",
    Side.THEIRS,
    Retry.SOON,
    "The far end ended the call while a page was being sent or received.",
    "Try again; pages that were confirmed need not be sent twice.",
)
HUNG_UP_AFTER_PAGE = _row(
    "hung_up_after_page",
    Side.THEIRS,
    Retry.SOON,
    "The far end ended the call between pages, before the fax was complete.",
    "Try again; pages that were confirmed need not be sent twice.",
)
LAST_PAGE_UNCONFIRMED = _row(
    "last_page_unconfirmed",
    Side.LINE,
    Retry.ASK,
    "Every page was sent, but the far machine never confirmed the last one.",
    "It may have arrived whole: ask the recipient before sending it again.",
)
PAGE_UNCONFIRMED = _row(
    "page_unconfirmed",
    Side.LINE,
    Retry.STEP_DOWN,
    "A page was sent, but the far machine did not answer, asked three times.",
    "Try again; a lower speed often helps.",
)
PAGE_REFUSED = _row(
    "page_refused",
    Side.LINE,
    Retry.STEP_DOWN,
    "The far machine refused a page as unreadable, each time that it was sent.",
    "Try again at a lower speed or with error correction.",
)
LAST_PAGE_POOR = _row(
    "last_page_poor",
    Side.LINE,
    Retry.ASK,
    "The far machine took the last page, but found it poor and did not confirm it fully.",
    "It is most likely readable: ask the recipient before sending it again.",
)
ECM_GAVE_UP = _row(
    "ecm_gave_up",
    Side.LINE,
    Retry.STEP_DOWN,
    "Error correction gave up: parts of a page kept arriving damaged, down to the slowest speed.",
    "Try again, at a lower first speed or over another line.",
)
RECEIVER_BUSY_TOO_LONG = _row(
    "receiver_busy_too_long",
    Side.THEIRS,
    Retry.LATER,
    "The far machine said that it was not ready to go on, for a minute on end.",
    "Try again later; it may be out of paper or memory.",
)
OPERATOR_WANTED = _row(
    "operator_wanted",
    Side.THEIRS,
    Retry.ASK,
    "The far machine's operator asked to speak on the telephone, which this machine cannot do.",
    "Call the recipient; the pages confirmed so far have arrived.",
)
PAGE_NEVER_CAME = _row(
    "page_never_came",
    Side.LINE,
    Retry.NO,
    "The sender announced a page, and then nothing was heard from it.",
    "Nothing to do here; the sender knows that the page was not confirmed.",
)
SENDER_WENT_SILENT = _row(
    "sender_went_silent",
    Side.LINE,
    Retry.NO,
    "The sender fell silent after a page, before it said whether there are more.",
    "Nothing to do here; the sender knows that the page was not confirmed.",
)
SENDER_GAVE_UP = _row(
    "sender_gave_up",
    Side.THEIRS,
    Retry.NO,
    "The sender ended the call before its fax was complete.",
    "Nothing to do here; pages that were confirmed are kept.",
)
NO_PAGES_CAME = _row(
    "no_pages_came",
    Side.THEIRS,
    Retry.NO,
    "A fax machine called and ended the call without sending a page.",
    "Nothing to do; if faxes from one sender end so, the two machines may have no speed in common.",
)
BAD_COMMAND = _row(
    "bad_command",
    Side.THEIRS,
    Retry.NO,
    "The far machine asked for something that it was not offered.",
    "The far machine does not follow T.30; its owner should know.",
)
PROTOCOL_GARBAGE = _row(
    "protocol_garbage",
    Side.THEIRS,
    Retry.STEP_DOWN,
    "The far end kept sending signals that lead nowhere.",
    "Try again later or over another line; the far machine does not follow T.30.",
)
PAGE_TOO_LARGE = _row(
    "page_too_large",
    Side.THEIRS,
    Retry.NO,
    "The far end sent a page without end, and the call was ended.",
    "Nothing to do; the sender's machine may have swallowed its paper.",
)
SCAN_LINE_TOO_LONG = _row(
    "scan_line_too_long",
    Side.THEIRS,
    Retry.NO,
    "The sender paused for more than five seconds within a page, and the call was ended.",
    "Nothing to do; the sender's machine may have jammed.",
)
PASSWORD_WRONG = _row(
    "password_wrong",
    Side.THEIRS,
    Retry.NO,
    "The far machine did not give the password that is required here.",
    "Tell the far end the password, or drop the requirement.",
)
CANNOT_TAKE_PASSWORD = _row(
    "cannot_take_password",
    Side.THEIRS,
    Retry.NO,
    "The far machine does not understand passwords or selective polling, so nothing was asked of it.",
    "Poll without a password or document name, or ask the far end to send the fax.",
)
NOTHING_TO_POLL = _row(
    "nothing_to_poll",
    Side.THEIRS,
    Retry.LATER,
    "The far machine has no document on offer to be fetched.",
    "Ask the far end to put the document on offer, then try again.",
)
POLL_REFUSED = _row(
    "poll_refused",
    Side.THEIRS,
    Retry.NO,
    "The far machine did not send the document that it was asked for.",
    "Check the password and the document's name with the far end.",
)
NOTHING_ON_OFFER = _row(
    "nothing_on_offer",
    Side.THEIRS,
    Retry.NO,
    "A caller wanted to fetch a document, but none is on offer here.",
    "Nothing to do, or put the document on offer.",
)
PAGE_UNAVAILABLE = _row(
    "page_unavailable",
    Side.OURS,
    Retry.LATER,
    "A page could not be prepared in time, so the call was ended.",
    "Try again; if it happens often the box is overloaded.",
)
BOX_STALLED = _row(
    "box_stalled",
    Side.OURS,
    Retry.SOON,
    "The box was held up for half a minute, so the call was ended before the last page.",
    "The fax is tried again by itself; if it happens often, look at the box's storage and its load.",
)
RECORD_FAILED = _row(
    "record_failed",
    Side.OURS,
    Retry.SOON,
    "The box could not note on its storage that the last page goes out, so the call was ended before it.",
    "The fax is tried again by itself; look at the box's storage: it may be full or failing.",
)
PAGE_FORMAT = _row(
    "page_format",
    Side.OURS,
    Retry.NO,
    "A page was prepared in a format that the far machine cannot take.",
    "This is a fault of this box: please report it with the call's trace.",
)
STORE_FAILED = _row(
    "store_failed",
    Side.OURS,
    Retry.NO,
    "A received page could not be stored, so it was not confirmed to the sender.",
    "Look at the disk of this box: it may be full or failing.",
)
INTERNAL_FAULT = _row(
    "internal_fault",
    Side.OURS,
    Retry.LATER,
    "This box made a mistake during the call.",
    "Please report it with the call's trace.",
)

# -- SIP trunks ----------------------------------------------------------------------------------

SIP_WRONG_PASSWORD = _row(
    "sip_wrong_password",
    Side.USER,
    Retry.OTHER_LINE,
    "The SIP trunk does not accept the box's user name or password.",
    "Check the trunk's user name and password in the settings.",
)
SIP_FORBIDDEN = _row(
    "sip_forbidden",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk does not allow this call.",
    "Check with the provider: credit, allowed destinations, and the caller number that is sent.",
)
SIP_UNAVAILABLE = _row(
    "sip_unavailable",
    Side.THEIRS,
    Retry.SOON,
    "The number cannot be reached at the moment.",
    "It is tried again by itself; check the number if it stays so.",
)
SIP_DECLINED = _row(
    "sip_declined",
    Side.THEIRS,
    Retry.LATER,
    "The other side declined the call.",
    "Ask the receiver whether calls from your number are blocked.",
)
SIP_REDIRECTED = _row(
    "sip_redirected",
    Side.THEIRS,
    Retry.NO,
    "The number has been redirected to another one, which the box does not follow by itself.",
    "Ask the receiver for the new fax number.",
)
SIP_MEDIA_REFUSED = _row(
    "sip_media_refused",
    Side.LINE,
    Retry.OTHER_LINE,
    "The trunk and the box found no kind of fax transmission that both allow.",
    "Allow both T.38 and G.711 for this trunk, and ask the provider what it supports.",
)
SIP_T38_REFUSED = _row(
    "sip_t38_refused",
    Side.LINE,
    Retry.OTHER_LINE,
    "The other side does not take T.38, and this trunk may use nothing else.",
    "Allow G.711 for this trunk, or ask the provider to switch T.38 on.",
)
SIP_OVERLOADED = _row(
    "sip_overloaded",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk says that it cannot take calls now.",
    "It is tried again later; ask the provider if it lasts.",
)
SIP_FAILED = _row(
    "sip_failed",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk reported a fault of its own.",
    "It is tried again; ask the provider if it lasts.",
)
SIP_REFUSED = _row(
    "sip_refused",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk did not accept the call.",
    "Look at the account of the call for the trunk's answer, and ask the provider about it.",
)
SIP_NO_REPLY = _row(
    "sip_no_reply",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk did not answer.",
    "Check the network and the trunk's server name; a firewall may be in the way.",
)
SIP_NO_PROGRESS = _row(
    "sip_no_progress",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk began to place the call and then said nothing more: the number never rang.",
    "It is tried again; ask the provider what became of the call if it lasts.",
)
SIP_TIMED_OUT = _row(
    "sip_timed_out",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk reported that nothing beyond it answered the call in time.",
    "It is tried again; check the number, and ask the provider if it lasts.",
)
SIP_UNREACHABLE = _row(
    "sip_unreachable",
    Side.LINE,
    Retry.OTHER_LINE,
    "The SIP trunk cannot be reached over the network.",
    "Check the network cable, the trunk's server name and its port.",
)
SIP_MISCONFIGURED = _row(
    "sip_misconfigured",
    Side.USER,
    Retry.OTHER_LINE,
    "The SIP trunk's settings cannot be used.",
    "Look at the trunk's last error on the lines page and correct its settings.",
)
SIP_ANONYMOUS_REFUSED = _row(
    "sip_anonymous_refused",
    Side.THEIRS,
    Retry.NO,
    "The other side takes no calls from callers who withhold their number.",
    "Send it again with your number shown, or set a caller number for the line.",
)
SIP_FROM_REFUSED = _row(
    "sip_from_refused",
    Side.LINE,
    Retry.OTHER_LINE,
    "The trunk took the user name and password when the box signed in, but not for a call from this number.",
    "Set from_user_is_account for the trunk, and identity so that the caller number is still shown.",
)
SIP_T38_SILENT = _row(
    "sip_t38_silent",
    Side.LINE,
    Retry.OTHER_LINE,
    "The other side agreed to T.38, but nothing of a fax came through it.",
    "It is tried again with fax tones; if it happens often, ask the provider about T.38, or set the trunk's"
    " media to g711.",
)
SIP_NO_MEDIA = _row(
    "sip_no_media",
    Side.LINE,
    Retry.OTHER_LINE,
    "The call was answered, but nothing was heard of the other side.",
    "A router or firewall may keep the packets away: check the public address and the port range.",
)
SIP_HUNG_UP_EARLY = _row(
    "sip_hung_up_early",
    Side.THEIRS,
    Retry.LATER,
    "The other side hung up before any fax machine was heard.",
    "Check the number; it may be a telephone.",
)


# -- documents by URL and webhooks -----------------------------------------------------------------

URL_NOT_ALLOWED = _row(
    "url_not_allowed",
    Side.USER,
    Retry.NO,
    "This address may not be used: only http and https addresses on the public internet are.",
    "Check the address, or have an administrator allow addresses of the local network.",
)
URL_UNREACHABLE = _row(
    "url_unreachable",
    Side.THEIRS,
    Retry.SOON,
    "The server at this address could not be reached or broke off.",
    "Check that the address opens in a browser, then try again.",
)
URL_REFUSED_US = _row(
    "url_refused",
    Side.THEIRS,
    Retry.NO,
    "The server at this address did not give the document.",
    "Check that the address opens in a browser without signing in.",
)
URL_TIMED_OUT = _row(
    "url_timed_out",
    Side.THEIRS,
    Retry.SOON,
    "The server at this address took too long.",
    "Try again later, or send the document itself.",
)


# -- requests: what the programming interfaces and the web pages answer when they do not do something --

REQUEST_INVALID = _row(
    "request_invalid",
    Side.USER,
    Retry.NO,
    "The request does not have the form that is needed.",
    "Compare it with the description of the interface; the answer says which part is wrong.",
)
REQUEST_TOO_LARGE = _row(
    "request_too_large",
    Side.USER,
    Retry.NO,
    "The request is larger than this box accepts.",
    "Send fewer or smaller files at a time.",
)
TLS_NEEDED = _row(
    "tls_needed",
    Side.USER,
    Retry.NO,
    "The box wants to be spoken to in TLS, and nothing was done.",
    "Write https:// instead of http://. What this request carried, a password too, could be read on the way.",
)
REQUEST_INCOMPLETE = _row(
    "request_incomplete",
    Side.USER,
    Retry.NO,
    "The request broke off, or came too slowly.",
    "Check the network, then send it again.",
)
REQUEST_LENGTH_MISSING = _row(
    "request_length_missing",
    Side.USER,
    Retry.NO,
    "The request brings no content, or does not say how much.",
    "Send the file as the content of the request, with its length.",
)
MEDIA_TYPE_UNSUPPORTED = _row(
    "media_type_unsupported",
    Side.USER,
    Retry.NO,
    "The request's content is of a kind that is not understood here.",
    "Set Content-Type to one that the description of the interface names.",
)
METHOD_NOT_ALLOWED = _row(
    "method_not_allowed",
    Side.USER,
    Retry.NO,
    "This address does not know this method.",
    "Use one of the methods that the Allow header names.",
)
NOT_FOUND = _row(
    "not_found",
    Side.USER,
    Retry.NO,
    "There is nothing here by this name or number.",
    "Check the address; it may have been deleted, or belong to someone else.",
)
NOT_SIGNED_IN = _row(
    "not_signed_in",
    Side.USER,
    Retry.NO,
    "This needs a valid key or a sign-in.",
    "Send the key as Authorization: Bearer, or sign in again.",
)
NOT_PERMITTED = _row(
    "not_permitted",
    Side.USER,
    Retry.NO,
    "This key or user may not do that.",
    "Ask the owner of the box for a key that may.",
)
SIGN_IN_REFUSED = _row(
    "sign_in_refused",
    Side.USER,
    Retry.NO,
    "The name or the password is wrong.",
    "Check both, and the keyboard's capital letters.",
)
TOO_MANY_DRAFTS = _row(
    "too_many_drafts",
    Side.USER,
    Retry.NO,
    "There are as many drafts as one may have.",
    "Send or throw away one of them.",
)
SETUP_CODE_WRONG = _row(
    "setup_code_wrong",
    Side.USER,
    Retry.NO,
    "This is not the set-up code, or it was used already.",
    "The box shows it at its first start; faxbox setup-code makes another.",
)
CODE_NEEDED = _row(
    "code_needed",
    Side.USER,
    Retry.NO,
    "A code from your authenticator app is needed, too.",
    "Type the six digits that the app shows now, or one of your recovery codes.",
)
CODE_WRONG = _row(
    "code_wrong",
    Side.USER,
    Retry.NO,
    "This code is wrong, or it was used before.",
    "Wait until the app shows the next one; check that the telephone's clock is right.",
)
PAGE_STALE = _row(
    "page_stale",
    Side.USER,
    Retry.NO,
    "This page belongs to a session that has ended.",
    "Load the page again.",
)
TOO_MANY_REQUESTS = _row(
    "too_many_requests",
    Side.USER,
    Retry.SOON,
    "There were more requests than this box allows.",
    "Wait as long as the Retry-After header says; the owner of the box can raise the limit.",
)
TOO_BUSY = _row(
    "too_busy",
    Side.OURS,
    Retry.SOON,
    "The box has too much in hand at this moment.",
    "Try again in a few seconds.",
)
TOO_MANY_FILES = _row(
    "too_many_files",
    Side.USER,
    Retry.NO,
    "A fax may not have so many files.",
    "Put the files together, or send several faxes.",
)
TOO_MANY_RECIPIENTS = _row(
    "too_many_recipients",
    Side.USER,
    Retry.NO,
    "A fax may not have so many recipients.",
    "Send it in several requests.",
)
STATE_FORBIDS = _row(
    "state_forbids",
    Side.USER,
    Retry.NO,
    "The fax is in a state in which this cannot be done.",
    "Look at its state; a fax that has ended can only be sent again as a new one.",
)
IDEMPOTENCY_KEY_REUSED = _row(
    "idempotency_key_reused",
    Side.USER,
    Retry.NO,
    "This Idempotency-Key was used before for a different request.",
    "Make a new key for each fax, and send the old one only with the same request.",
)
SETTING_INVALID = _row(
    "setting_invalid",
    Side.USER,
    Retry.NO,
    "A value cannot be taken.",
    "The answer says which one and what is needed.",
)
CONTACTS_UNREADABLE = _row(
    "contacts_unreadable",
    Side.USER,
    Retry.NO,
    "The file holds no contacts that can be read.",
    "Save them as vCard (.vcf) or CSV in the program they are in; a CSV file names its columns in the first"
    " line.",
)
CONTACTS_TOO_MANY = _row(
    "contacts_too_many",
    Side.USER,
    Retry.NO,
    "The file holds more people than are taken at once.",
    "Import it in several parts.",
)
CONTACTS_CHANGED = _row(
    "contacts_changed",
    Side.USER,
    Retry.NO,
    "The phone book was changed since this was shown.",
    "Look at what the import would do now, then import.",
)
BACKUP_PASSPHRASE_WRONG = _row(
    "backup_passphrase_wrong",
    Side.USER,
    Retry.NO,
    "This is not the passphrase of this backup.",
    "Type the passphrase that was chosen when the backup was made; without it nobody can read it.",
)
BACKUP_DAMAGED = _row(
    "backup_damaged",
    Side.USER,
    Retry.NO,
    "This is not a whole backup of a faxbox.",
    "Nothing was changed. Copy the file anew from where it was kept, or take an older one.",
)
BACKUP_TOO_NEW = _row(
    "backup_too_new",
    Side.USER,
    Retry.NO,
    "This backup was made by a newer version of faxbox.",
    "Nothing was changed. Update this box first.",
)
NOT_AN_IMAGE = _row(
    "not_an_image",
    Side.USER,
    Retry.NO,
    "This machine was not made from the image, and is not updated from here.",
    "It is updated as any other program of Debian: apt install with the new package.",
)
UPDATE_UNDER_WAY = _row(
    "update_under_way",
    Side.USER,
    Retry.SOON,
    "An update is being installed already.",
    "Wait until the box has started anew.",
)
HARDWARE_TEST_UNDER_WAY = _row(
    "hardware_test_under_way",
    Side.USER,
    Retry.SOON,
    "A hardware test is under way already.",
    "Wait for its end, or stop it.",
)
HARDWARE_TEST_ASKS_NOTHING = _row(
    "hardware_test_asks_nothing",
    Side.USER,
    Retry.NO,
    "The hardware test waits for no answer.",
    "Look at how far it is.",
)
NO_HARDWARE_REPORT = _row(
    "no_hardware_report",
    Side.USER,
    Retry.NO,
    "There is no report of a hardware test yet.",
    "Start one, and wait for its end.",
)
STOPPING = _row(
    "stopping",
    Side.OURS,
    Retry.SOON,
    "The box is shutting down.",
    "Try again when it is up.",
)
REQUEST_FAULT = _row(
    "request_fault",
    Side.OURS,
    Retry.NO,
    "This box made a mistake while it handled the request.",
    "Please report it to the makers with the time; the box's log says more.",
)


# -- deliveries and e-mail to fax ------------------------------------------------------------------

JUNK_CALL = _row(
    "junk_call",
    Side.USER,
    Retry.NO,
    "The call fits a junk rule and was refused before it was answered.",
    "Change the junk rules if this caller should be let in.",
)
EMAIL_SENDER_UNKNOWN = _row(
    "email_sender_unknown",
    Side.USER,
    Retry.NO,
    "This address may not send faxes by e-mail.",
    "Ask the owner of the box to add the address to a user or to the allowed senders.",
)
EMAIL_UNVERIFIED = _row(
    "email_unverified",
    Side.USER,
    Retry.NO,
    "The mail server could not confirm that the e-mail comes from the address that it shows.",
    "Send it through your own mail provider, from the address that is registered here.",
)
EMAIL_NO_NUMBER = _row(
    "email_no_number",
    Side.USER,
    Retry.NO,
    "The e-mail does not say which number to fax to.",
    "Write to NUMBER@ the box's fax domain, or put the number in the subject.",
)
EMAIL_EMPTY = _row(
    "email_empty",
    Side.USER,
    Retry.NO,
    "The e-mail has neither a text nor a file that can be faxed.",
    "Attach the document as PDF, TIFF, PNG, JPEG or text, or write a message.",
)
EMAIL_DAMAGED = _row(
    "email_damaged",
    Side.USER,
    Retry.NO,
    "The e-mail cannot be read: its parts do not fit together.",
    "Send it again from another program, with the document as a PDF.",
)
EMAIL_TOO_LARGE = _row(
    "email_too_large",
    Side.USER,
    Retry.NO,
    "The e-mail is larger than this box accepts.",
    "Send fewer or smaller files at a time.",
)
MAIL_NOT_SET_UP = _row(
    "mail_not_set_up",
    Side.USER,
    Retry.LATER,
    "The box has no mail server to send with.",
    "Enter the mail server and the sender's address in the settings, then press the test button.",
)
MAIL_UNREACHABLE = _row(
    "mail_unreachable",
    Side.LINE,
    Retry.SOON,
    "The mail server cannot be reached or broke off.",
    "Check its name and port and the network; port 587 goes with STARTTLS, 465 with TLS.",
)
MAIL_TIMED_OUT = _row(
    "mail_timed_out",
    Side.THEIRS,
    Retry.SOON,
    "The mail server took too long.",
    "It is tried again by itself; check the port if it stays so: a TLS port says nothing without TLS.",
)
MAIL_NO_TLS = _row(
    "mail_no_tls",
    Side.USER,
    Retry.LATER,
    "The mail server does not offer STARTTLS, so nothing was sent to it.",
    "Choose TLS with the server's TLS port, or no protection if the server is in your own network.",
)
MAIL_UNTRUSTED = _row(
    "mail_untrusted",
    Side.USER,
    Retry.LATER,
    "The mail server's certificate is not valid for its name, so nothing was sent to it.",
    "Enter the name that stands in the certificate, or switch the check off for your own server.",
)
MAIL_WRONG_PASSWORD = _row(
    "mail_wrong_password",
    Side.USER,
    Retry.LATER,
    "The mail server does not accept the user name or the password.",
    "Check both; some providers want a password made for this device.",
)
MAIL_SENDER_REFUSED = _row(
    "mail_sender_refused",
    Side.USER,
    Retry.LATER,
    "The mail server does not let the box send from its sender's address.",
    "Enter the address that belongs to the account.",
)
MAIL_RECIPIENT_REFUSED = _row(
    "mail_recipient_refused",
    Side.USER,
    Retry.NO,
    "The mail server does not take e-mail for this address.",
    "Check how the address is written.",
)
MAIL_REFUSED = _row(
    "mail_refused",
    Side.THEIRS,
    Retry.NO,
    "The mail server did not take the e-mail.",
    "Look at its answer; a fax that is too large for it can be read in the box.",
)
MAIL_DEFERRED = _row(
    "mail_deferred",
    Side.THEIRS,
    Retry.SOON,
    "The mail server asks to try again later.",
    "It is tried again by itself.",
)
OFFER_NAME_TAKEN = _row(
    "offer_name_taken",
    Side.USER,
    Retry.NO,
    "There is a document on offer under this name.",
    "Take that one back first, or choose another name.",
)
TOO_MANY_OFFERS = _row(
    "too_many_offers",
    Side.USER,
    Retry.NO,
    "There are as many documents on offer as there may be.",
    "Take back what nobody needs.",
)
MAILBOX_NOT_SET_UP = _row(
    "mailbox_not_set_up",
    Side.USER,
    Retry.NO,
    "The box has no mailbox to collect e-mails from.",
    "Enter the mailbox's server, user name and password in the settings.",
)
MAILBOX_UNUSABLE = _row(
    "mailbox_unusable",
    Side.USER,
    Retry.LATER,
    "The mailbox with e-mails to fax cannot be opened.",
    "Check the folder's name and the rights of the account.",
)
FOLDER_UNUSABLE = _row(
    "folder_unusable",
    Side.USER,
    Retry.LATER,
    "The received fax could not be written to the folder.",
    "Check that the folder exists, is mounted, has room, and that the box may write there.",
)


if __name__ == "__main__":
    print(as_markdown(), end="")
