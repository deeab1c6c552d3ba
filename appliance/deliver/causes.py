"""Causes: why a delivery, or an e-mail to be faxed, failed."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare, user_mistake

JUNK_CALL = user_mistake(
    "junk_call",
    "The call fits a junk rule and was refused before it was answered.",
    "Change the junk rules if this caller should be let in.",
)
EMAIL_SENDER_UNKNOWN = user_mistake(
    "email_sender_unknown",
    "This address may not send faxes by e-mail.",
    "Ask the owner of the box to add the address to a user or to the allowed senders.",
)
EMAIL_UNVERIFIED = user_mistake(
    "email_unverified",
    "The mail server could not confirm that the e-mail comes from the address that it shows.",
    "Send it through your own mail provider, from the address that is registered here.",
)
EMAIL_NO_NUMBER = user_mistake(
    "email_no_number",
    "The e-mail does not say which number to fax to.",
    "Write to NUMBER@ the box's fax domain, or put the number in the subject.",
)
EMAIL_EMPTY = user_mistake(
    "email_empty",
    "The e-mail has neither a text nor a file that can be faxed.",
    "Attach the document (a PDF, an Office file, a picture or a text), or write a message.",
)
EMAIL_TOO_LARGE = user_mistake(
    "email_too_large",
    "The e-mail is larger than this box accepts.",
    "Send fewer or smaller files at a time.",
)
MAIL_NOT_SET_UP = declare(
    "mail_not_set_up",
    Side.USER,
    Retry.LATER,
    "The box has no mail server to send with.",
    "Enter the mail server and the sender's address in the settings, then press the test button.",
)
MAIL_UNREACHABLE = declare(
    "mail_unreachable",
    Side.LINE,
    Retry.SOON,
    "The mail server cannot be reached or broke off.",
    "Check its name and port and the network; port 587 goes with STARTTLS, 465 with TLS.",
)
MAIL_TIMED_OUT = declare(
    "mail_timed_out",
    Side.THEIRS,
    Retry.SOON,
    "The mail server took too long.",
    "Check the port if it stays so: a TLS port says nothing without TLS.",
)
MAIL_NO_TLS = declare(
    "mail_no_tls",
    Side.USER,
    Retry.LATER,
    "The mail server does not offer STARTTLS, so nothing was sent to it.",
    "Choose TLS with the server's TLS port, or no protection if the server is in your own network.",
)
MAIL_UNTRUSTED = declare(
    "mail_untrusted",
    Side.USER,
    Retry.LATER,
    "The mail server's certificate is not valid for its name, so nothing was sent to it.",
    "Enter the name in the certificate, or switch the check off for your own server.",
)
MAIL_WRONG_PASSWORD = declare(
    "mail_wrong_password",
    Side.USER,
    Retry.LATER,
    "The mail server does not accept the user name or the password.",
    "Check both; some providers want a password made for this device.",
)
MAIL_SENDER_REFUSED = declare(
    "mail_sender_refused",
    Side.USER,
    Retry.LATER,
    "The mail server does not let the box send from its sender's address.",
    "Enter the address that belongs to the account.",
)
MAIL_RECIPIENT_REFUSED = user_mistake(
    "mail_recipient_refused",
    "The mail server does not take e-mail for this address.",
    "Check how the address is written.",
)
MAIL_REFUSED = declare(
    "mail_refused",
    Side.THEIRS,
    Retry.NO,
    "The mail server did not take the e-mail.",
    "Look at its answer; a fax that is too large for it can be read in the box.",
)
MAIL_NOT_SERVED = declare(
    "mail_not_served",
    Side.THEIRS,
    Retry.LATER,
    "The mail server does not serve this box.",
    "Look at its answer, and ask whoever runs it to let the box in; programs use port 587 or 465.",
)
MAIL_DEFERRED = declare(
    "mail_deferred",
    Side.THEIRS,
    Retry.SOON,
    "The mail server asked to try again later.",
    "Ask whoever runs the mail server if it lasts.",
)
MAILBOX_NOT_SET_UP = user_mistake(
    "mailbox_not_set_up",
    "The box has no mailbox to collect e-mails from.",
    "Enter the mailbox's server, user name and password in the settings.",
)
MAILBOX_UNUSABLE = declare(
    "mailbox_unusable",
    Side.USER,
    Retry.LATER,
    "The mailbox with e-mails to fax cannot be opened.",
    "Check the folder's name and the rights of the account.",
)
MAILBOX_UNREADABLE = declare(
    "mailbox_unreadable",
    Side.THEIRS,
    Retry.LATER,
    "The mail server does not hand over an e-mail in the mailbox; the others are collected.",
    "Look for it in the mailbox with a mail program, and delete it there if it cannot be opened.",
)
MAILBOX_NOT_EMPTIED = declare(
    "mailbox_not_emptied",
    Side.USER,
    Retry.LATER,
    "An e-mail that the box has handled cannot be moved out of the mailbox; it is not faxed again.",
    "Make room in the mailbox, and give the account the right to move and delete e-mails.",
)
FOLDER_UNUSABLE = declare(
    "folder_unusable",
    Side.USER,
    Retry.LATER,
    "The received fax could not be written to the folder.",
    "Check that the folder exists, is mounted, has room, and that the box may write there.",
)
