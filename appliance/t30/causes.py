"""The causes by which a T.30 session can end."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare

NO_FAX_ANSWERED = declare(
    "no_fax_answered",
    Side.THEIRS,
    Retry.SOON,
    "The call was answered, but no fax machine was heard.",
    "Check that the number belongs to a fax machine; a person, a mailbox or a voice menu may answer it.",
)
FAX_NOT_UNDERSTOOD = declare(
    "fax_not_understood",
    Side.LINE,
    Retry.STEP_DOWN,
    "A fax machine was heard, but it did not say anything that could be understood.",
    "Try again, or over another line; the line may garble fax tones.",
)
NO_SENDER_HEARD = declare(
    "no_sender_heard",
    Side.THEIRS,
    Retry.NO,
    "A caller was answered with fax tones, but no fax command from it was received.",
    "Nothing to do if it was a telephone call; if faxes from one sender end so, its line garbles them.",
)
CANNOT_RECEIVE = declare(
    "cannot_receive",
    Side.THEIRS,
    Retry.LATER,
    "The far machine said that it cannot receive now, perhaps because it is out of paper or memory.",
    "Try again later, or tell the recipient.",
)
NOTHING_IN_COMMON = declare(
    "nothing_in_common",
    Side.THEIRS,
    Retry.NO,
    "The far machine has no speed in common with this line.",
    "Allow more modulations in the line's settings; V.27ter is the one that every machine has.",
)
TRAINING_FAILED = declare(
    "training_failed",
    Side.LINE,
    Retry.STEP_DOWN,
    "The line was too poor: the training check failed at every speed down to the slowest.",
    "Try again, or over another line; on a VoIP trunk prefer T.38 for this destination.",
)
TRAINING_UNANSWERED = declare(
    "training_unanswered",
    Side.LINE,
    Retry.STEP_DOWN,
    "The far machine did not answer the training check, asked three times.",
    "Try again; if it keeps failing, use a lower first speed or another line for this destination.",
)
ANSWER_NOT_UNDERSTOOD = declare(
    "answer_not_understood",
    Side.LINE,
    Retry.STEP_DOWN,
    "The far machine answered, but its answer could not be understood, asked three times.",
    "Try again, or over another line; the line may garble fax tones.",
)
COMMAND_NOT_UNDERSTOOD = declare(
    "command_not_understood",
    Side.LINE,
    Retry.STEP_DOWN,
    "The far machine did not understand what it was sent: it began anew, or asked for it again, each time.",
    "Try again; if it keeps failing, use a lower first speed or another line for this destination.",
)
HUNG_UP_BEFORE_PAGES = declare(
    "hung_up_before_pages",
    Side.THEIRS,
    Retry.SOON,
    "The far end ended the call before the first page.",
    "Try again; the far machine may be set to refuse this sender.",
)
HUNG_UP_DURING_PAGE = declare(
    "hung_up_during_page",
    Side.THEIRS,
    Retry.SOON,
    "The far end ended the call while a page was being sent or received.",
    "Try again; pages that were confirmed need not be sent twice.",
)
HUNG_UP_AFTER_PAGE = declare(
    "hung_up_after_page",
    Side.THEIRS,
    Retry.SOON,
    "The far end ended the call between pages, before the fax was complete.",
    "Try again; pages that were confirmed need not be sent twice.",
)
RECEIVER_WENT_SILENT = declare(
    "receiver_went_silent",
    Side.LINE,
    Retry.SOON,
    "The far machine answered a page, and then nothing more from it was understood.",
    "Try again; pages that were confirmed need not be sent twice.",
)
LAST_PAGE_UNCONFIRMED = declare(
    "last_page_unconfirmed",
    Side.LINE,
    Retry.ASK,
    "Every page was sent, but the far machine never confirmed the last one.",
    "It may have arrived whole: ask the recipient before sending it again.",
)
PAGE_UNCONFIRMED = declare(
    "page_unconfirmed",
    Side.LINE,
    Retry.STEP_DOWN,
    "A page was sent, but the far machine did not answer, asked three times.",
    "Try again; a lower speed often helps.",
)
PAGE_REFUSED = declare(
    "page_refused",
    Side.LINE,
    Retry.STEP_DOWN,
    "The far machine refused a page as unreadable, each time that it was sent.",
    "Try again at a lower speed or with error correction.",
)
LAST_PAGE_POOR = declare(
    "last_page_poor",
    Side.LINE,
    Retry.ASK,
    "The far machine took the last page, but found it poor and did not confirm it fully.",
    "It is most likely readable: ask the recipient before sending it again.",
)
ECM_GAVE_UP = declare(
    "ecm_gave_up",
    Side.LINE,
    Retry.STEP_DOWN,
    "Error correction gave up: parts of a page kept arriving damaged.",
    "Try again, at a lower first speed or over another line.",
)
RECEIVER_BUSY_TOO_LONG = declare(
    "receiver_busy_too_long",
    Side.THEIRS,
    Retry.LATER,
    "The far machine said that it was not ready to go on, for a minute on end.",
    "Try again later; it may be out of paper or memory.",
)
OPERATOR_WANTED = declare(
    "operator_wanted",
    Side.THEIRS,
    Retry.ASK,
    "The far machine's operator asked to speak on the telephone, which this machine cannot do.",
    "Call the recipient; the pages confirmed so far have arrived.",
)
PAGE_NEVER_CAME = declare(
    "page_never_came",
    Side.LINE,
    Retry.NO,
    "The sender announced a page, but nothing that leads to one was received.",
    "Nothing to do here; the sender knows that the page was not confirmed.",
)
SENDER_WENT_SILENT = declare(
    "sender_went_silent",
    Side.LINE,
    Retry.NO,
    "After a page, the sender never said whether there are more.",
    "Nothing to do here; the sender knows that the page was not confirmed.",
)
SENDER_GAVE_UP = declare(
    "sender_gave_up",
    Side.THEIRS,
    Retry.NO,
    "The sender ended the call before its fax was complete.",
    "Nothing to do here; pages that were confirmed are kept.",
)
TRAINING_NOT_RECEIVED = declare(
    "training_not_received",
    Side.LINE,
    Retry.NO,
    "The sender's training check never arrived well, though it was asked for again and again.",
    "Nothing to do here; if it happens with many senders, the line is too poor for fax.",
)
PAGE_KEPT_DAMAGED = declare(
    "page_kept_damaged",
    Side.LINE,
    Retry.NO,
    "A page arrived damaged, each time that the sender sent it.",
    "Nothing to do here; the sender knows that the page was not confirmed.",
)
NO_PAGES_CAME = declare(
    "no_pages_came",
    Side.THEIRS,
    Retry.NO,
    "A fax machine called and ended the call before a whole page had arrived.",
    "Nothing to do; if faxes from one sender end so, the two machines may have no speed in common.",
)
BAD_COMMAND = declare(
    "bad_command",
    Side.THEIRS,
    Retry.NO,
    "The far machine asked for something that it was not offered.",
    "The far machine does not follow T.30; its owner should know.",
)
PROTOCOL_GARBAGE = declare(
    "protocol_garbage",
    Side.THEIRS,
    Retry.STEP_DOWN,
    "The far end sent signals that lead nowhere.",
    "Try again later or over another line; the far machine does not follow T.30.",
)
PAGE_TOO_LARGE = declare(
    "page_too_large",
    Side.THEIRS,
    Retry.NO,
    "The far end sent a page without end, and the call was ended.",
    "Nothing to do; the sender's machine may have swallowed its paper.",
)
PAGE_UNREADABLE = declare(
    "page_unreadable",
    Side.THEIRS,
    Retry.NO,
    "A page arrived whole, but its coding cannot be read; it was not confirmed to the sender.",
    "Ask the sender to fax without error correction or compression; the sender's machine makes faulty pages.",
)
SCAN_LINE_TOO_LONG = declare(
    "scan_line_too_long",
    Side.THEIRS,
    Retry.NO,
    "The sender paused for more than five seconds within a page, and the call was ended.",
    "Nothing to do; the sender's machine may have jammed.",
)
PASSWORD_WRONG = declare(
    "password_wrong",
    Side.THEIRS,
    Retry.NO,
    "The far machine did not give the password that is required here.",
    "Tell the far end the password, or drop the requirement.",
)
CANNOT_TAKE_PASSWORD = declare(
    "cannot_take_password",
    Side.THEIRS,
    Retry.NO,
    "The far machine does not understand passwords or selective polling, so nothing was asked of it.",
    "Poll without a password or document name, or ask the far end to send the fax.",
)
NOTHING_TO_POLL = declare(
    "nothing_to_poll",
    Side.THEIRS,
    Retry.LATER,
    "The far machine has no document on offer to be fetched.",
    "Ask the far end to put the document on offer, then try again.",
)
POLL_REFUSED = declare(
    "poll_refused",
    Side.THEIRS,
    Retry.NO,
    "The far machine did not send the document that it was asked for.",
    "Check the password and the document's name with the far end.",
)
NOTHING_ON_OFFER = declare(
    "nothing_on_offer",
    Side.THEIRS,
    Retry.NO,
    "A caller wanted to fetch a document, but none is on offer here.",
    "Nothing to do, or put the document on offer.",
)
PAGE_UNAVAILABLE = declare(
    "page_unavailable",
    Side.OURS,
    Retry.LATER,
    "A page could not be prepared in time, so the call was ended.",
    "Try again; if it happens often the box is overloaded.",
)
BOX_STALLED = declare(
    "box_stalled",
    Side.OURS,
    Retry.SOON,
    "The box did not respond for half a minute, so the call was ended before the last page.",
    "If it happens often, look at the box's storage and its load.",
)
RECORD_FAILED = declare(
    "record_failed",
    Side.OURS,
    Retry.SOON,
    "The box could not note on its storage that the last page goes out, so the call was ended before it.",
    "Look at the box's storage: it may be full or failing.",
)
PAGE_FORMAT = declare(
    "page_format",
    Side.OURS,
    Retry.NO,
    "A page was prepared in a format that the far machine cannot take.",
    "This is a fault of this box: please report it with the call's trace.",
)
STORE_FAILED = declare(
    "store_failed",
    Side.OURS,
    Retry.NO,
    "A received page could not be stored, so it was not confirmed to the sender.",
    "Look at the disk of this box: it may be full or failing.",
)
INTERNAL_FAULT = declare(
    "internal_fault",
    Side.OURS,
    Retry.LATER,
    "This box made a mistake during the call.",
    "Please report it with the call's trace.",
)
