"""The values of settings in words, shown instead of the codes in files."""

from __future__ import annotations

from appliance.language import marked as _
from appliance.language import said

_LOST = {"send": _("Send it"), "hold": _("Hold it for a person"), "refuse": _("Refuse it")}
_WHEN = {"never": _("Never"), "failed": _("When it was not delivered"), "always": _("Always")}
_SECURITY = {
    "starttls": _("Encrypted (STARTTLS)"),
    "tls": _("Encrypted from the start (TLS)"),
    "none": _("Not encrypted: only within one's own network"),
}
# Words by a setting's name and its value as in files.
_WORDS: dict[str, dict[str, str]] = {
    "role": {
        "user": _("Member: sends, reads their own"),
        "reader": _("Reader: reads received faxes"),
        "sender": _("Sender: only sends"),
        "admin": _("Administrator"),
    },
    "scopes": {
        "send": _("Send faxes"),
        "receive": _("Read received faxes"),
        "monitor": _("Read figures"),
        "admin": _("Everything"),
    },
    "quality": {
        "standard": _("Standard: fastest"),
        "fine": _("Fine: for small print"),
        "superfine": _("Very fine: for drawings"),
        "300": _("300 dots an inch"),
        "400": _("400 dots an inch"),
    },
    "resume": {"rest": _("The rest"), "all": _("All pages again")},
    "unknown_rule": {
        "ask": _("A person decides"),
        "resend": _("Send it again: it may arrive twice"),
        "assume_delivered": _("Take it for delivered: it may not have arrived"),
    },
    "when_lost": _LOST,
    "when_noted": _LOST,
    "bad_attachments": _LOST,
    "packets": {
        "none": _("Of no call"),
        "failed": _("Of calls that failed"),
        "all": _("Of every call"),
    },
    "security": _SECURITY,
    "imap_security": _SECURITY,
    "results": _WHEN,
    "reports": _WHEN,
    "display": {"none": _("None"), "ssd1306": "SSD1306"},
    "number_in_document": {
        "off": _("It is not looked for"),
        "tag": _("A mark, such as @@FAX: 030 1234567@@"),
        "line": _("A mark, or a line such as Fax-Nr.: 030 1234567"),
    },
    "sides": {
        "one-sided": _("One side"),
        "two-sided-long-edge": _("Both sides, turned like a book"),
        "two-sided-short-edge": _("Both sides, turned like a calendar"),
    },
    "access": {
        "off": _("Nobody"),
        "users": _("Who signs in"),
        "network": _("Everybody in the network"),
    },
    "webhook_events": {
        "queued": _("Accepted"),
        "held": _("Held"),
        "waiting": _("Waiting"),
        "started": _("A call began"),
        "page": _("A page was confirmed"),
        "delivered": _("Delivered"),
        "failed": _("Failed"),
        "cancelled": _("Cancelled"),
        "unknown": _("Perhaps arrived"),
        "received": _("A fax came in"),
    },
    "modem_flow": {"auto": _("By itself"), "rts/cts": "RTS/CTS", "none": _("None")},
    "transport": {"udp": "UDP", "tcp": "TCP", "tls": _("TLS, encrypted")},
    "identity": {
        "none": _("None"),
        "asserted": "P-Asserted-Identity",
        "preferred": "P-Preferred-Identity",
    },
    "form": {
        "e164_plus": "+49301234567",
        "e164": "49301234567",
        "international": "0049301234567",
        "national": "0301234567",
        "as_dialled": _("As it was typed"),
    },
    "media": {
        "both": _("T.38, or tones where there is none"),
        "t38": _("T.38 only"),
        "g711": _("Tones (G.711) only"),
    },
    "error_correction": {
        "none": _("None"),
        "redundancy": _("Redundancy"),
        "fec": _("Parity (FEC)"),
    },
}


def choice_word(field: str, value: str) -> str:
    """A value of a setting in words; the value itself where it is in common use (TCP)."""
    word = _WORDS.get(field, {}).get(value)
    return value if word is None else said(word)
