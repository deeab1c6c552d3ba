"""How settings are called: their names and help as words for people, from what the code says of them."""

from __future__ import annotations

from appliance.settings.fields import as_sentence

# A section that the box keeps for itself.
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
_SHORT = {"id", "sip", "tls", "udp", "tcp", "stun", "url", "t38", "imap", "api", "ecm", "mb", "tsi", "html"}


def title_of(section: str) -> str:
    """A section or list."""
    return _TITLES.get(section, _words(section))


def label_of(field: str) -> str:
    """A field, such as ``station_id``: Station ID."""
    return _words(field)


def help_of(help_text: str) -> str:
    """What a field means, as a sentence."""
    return as_sentence(help_text)


def _words(name: str) -> str:
    words = [word.upper() if word in _SHORT else word for word in name.split("_")]
    if words and words[-1] == "s" and len(words) > 1:
        words[-1] = "(s)"
    text = " ".join(words)
    return text[:1].upper() + text[1:]
