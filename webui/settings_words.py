"""Names of settings for people, made from their names in the code."""

from __future__ import annotations

# A section that is not shown.
NOT_FOR_PEOPLE = "secrets"
_TITLES = {
    "station": "This station",
    "numbers": "Numbers",
    "sending": "Sending",
    "storage": "Storage",
    "sip": "SIP",
    "practice": "Practice line",
    "http": "Encryption of these pages",
    "api": "Programming interfaces",
    "deliveries": "Deliveries",
    "reading": "Text of received faxes",
    "mail_out": "Outgoing e-mail",
    "mail_in": "Incoming e-mail",
    "users": "Users",
    "keys": "API tokens",
    "lines": "Lines",
    "contacts": "Phone book",
    "groups": "Groups",
    "covers": "Cover pages",
    "routes": "Routing",
    "junk": "Junk rules",
    "printing": "Print to fax",
    "print_users": "Who prints",
    "scans": "Scan folder",
    "paper": "On paper",
    "ipp": "Network printers",
    "favourite_printers": "Printers of favourites",
}
# Fields whose name in the code, split into words, is not clear enough.
_LABELS = {
    "activity_led": "Lamp: sending and receiving",
    "at_once": "Deliveries at once",
    "attach_mb": "Largest attachment (MB)",
    "bind": "Address to listen on",
    "burst": "Requests in one second",
    "busy": "Waits when busy (s)",
    "call_limit_minutes": "Longest call (minutes)",
    "contact_id": "Contact",
    "contact_ids": "Contacts",
    "documents_days": "Sent documents are kept (days)",
    "email_waits": "Waits after a failed e-mail (s)",
    "events_days": "Event log is kept (days)",
    "fault_led": "Lamp: fault",
    "fetch_s": "Longest fetch by URL (s)",
    "folder_waits": "Waits when a folder fails (s)",
    "from_computer": "Computer",
    "from_user": "Name on the computer",
    "group_id": "Group",
    "imap_done": "IMAP folder for what is done",
    "imap_poll_s": "IMAP: look every (s)",
    "inbox_led": "Lamp: unread faxes",
    "internal": "Internal extensions",
    "journal_days": "List of faxes is kept (days)",
    "keep_days": "Erased after (days)",
    "last": "Last route",
    "later": "Waits for slow causes (s)",
    "learn": "Learn from calls",
    "leds_active_high": "Lamps light at a high level",
    "lifetime_hours": "Tried for (hours)",
    "line_leds": "Lamps: lines",
    "message_mb": "Largest e-mail (MB)",
    "no_answer": "Waits when nobody answered (s)",
    "other_line": "Waits when lines were at fault (s)",
    "outside_prefix": "Digits for an outside line",
    "position": "Order",
    "power_led": "Lamp: power",
    "premium": "Premium-rate numbers",
    "printer_waits": "Waits when a printer fails (s)",
    "private_urls": "Addresses of the local network",
    "quarantine_after": "Dead calls before a pause",
    "quarantine_days": "Pause (days)",
    "reads_numbers": "Reads faxes to numbers",
    "reads_of": "Reads faxes of users",
    "received_days": "Received faxes are kept (days)",
    "received_to": "Received faxes go to",
    "request_mb": "Largest request (MB)",
    "reserve_mb": "Room kept free (MB)",
    "results": "Results by e-mail",
    "resume": "After a break",
    "ring_s": "Ringing (s)",
    "session_hours": "A sign-in lasts (hours)",
    "settled_s": "Complete after (s)",
    "step_down": "Waits after a broken call (s)",
    "sub_address": "Sub-address",
    "totp_secret": "Authenticator secret",
    "traces_days": "Call traces are kept (days)",
    "tsi": "Station id of the sender",
    "unknown_rule": "When its end is unknown",
    "wait_s": "Longest wait (s)",
    "warn_mb": "Warn below (MB)",
    "webhook_pdf": "PDF in webhooks",
    "webhook_pdf_mb": "Largest PDF in webhooks (MB)",
    "webhook_s": "Longest try of a webhook (s)",
    "webhook_waits": "Waits after a failed webhook (s)",
    "when_lost": "When something is lost",
    "when_noted": "When something is noted",
}
_SHORT = {"id", "sip", "tls", "udp", "tcp", "stun", "url", "t38", "imap", "api", "ecm", "mb", "tsi", "html"}


def title_of(section: str) -> str:
    """The title of a section or list."""
    return _TITLES.get(section, _words(section))


def label_of(field: str) -> str:
    """The label of a field, such as Station ID for ``station_id``."""
    return _LABELS.get(field) or _words(field)


def _words(name: str) -> str:
    words = [word.upper() if word in _SHORT else word for word in name.split("_")]
    if words and words[-1] == "s" and len(words) > 1:
        words[-1] = "(s)"
    text = " ".join(words)
    return text[:1].upper() + text[1:]
