"""Reading headers out of a whole SIP message (RFC 3261), for the few that the binding does not hand over.

The text is the peer's: lines and lengths are bounded and nothing raises; what cannot be read is empty.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

MAX_HEADERS = 200
MAX_VALUE = 1000  # characters of one header kept

# RFC 3261 7.3.3: compact forms of the headers that we read.
_COMPACT = {"f": "from", "t": "to", "m": "contact", "i": "call-id", "k": "supported", "e": "content-encoding"}
_URI = re.compile(r"(sips?|tel):([^;>?\s]*)", re.IGNORECASE)
# Possessive, so that a peer's blanks are looked at once.
_DISPLAY = re.compile(r'\s*+(?:"((?:[^"\\]|\\.)*+)"\s*+|([^<"]*+))<')


def start_line(message: str) -> str:
    return message.partition("\r\n")[0][:MAX_VALUE]


def headers(message: str) -> dict[str, list[str]]:
    """Header values by name in lower case, in order of appearance, folded lines joined."""
    head = message.partition("\r\n\r\n")[0]
    found: dict[str, list[str]] = {}
    last: list[str] | None = None
    for line in head.split("\r\n")[1 : MAX_HEADERS + 1]:
        if line[:1] in (" ", "\t") and last:
            last[-1] = f"{last[-1]} {line.strip()}"[:MAX_VALUE]
            continue
        name, colon, value = line.partition(":")
        if not colon:
            continue
        key = name.strip().lower()
        last = found.setdefault(_COMPACT.get(key, key), [])
        last.append(value.strip()[:MAX_VALUE])
    return found


def first(found: dict[str, list[str]], name: str) -> str:
    return found.get(name, [""])[0]


def uri_user(value: str) -> str:
    """The user part of the first SIP or tel URI in a header or request line, unescaped."""
    match = _URI.search(value)
    if match is None:
        return ""
    if match[1].lower() == "tel":
        return unquote(match[2])[:128]
    user, at, _ = match[2].rpartition("@")
    return unquote(user.partition(":")[0].partition(";")[0])[:128] if at else ""


def uri_host(value: str) -> str:
    """The host of the first SIP URI in a header or request line, in lower case, without port."""
    match = _URI.search(value)
    if match is None or match[1].lower() == "tel":
        return ""
    host = match[2].rpartition("@")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def dialled(message: str, found: dict[str, list[str]], account: str) -> str:
    """Who is called, out of an INVITE and its headers: the number that the caller dialled.

    A registrar's proxy may put the registered Contact, and so our ``account``, in the place of the number;
    then P-Called-Party-ID (RFC 7315 4.2) or To still has it.
    """
    requested = uri_user(start_line(message))
    if requested and requested != account:
        return requested
    return uri_user(first(found, "p-called-party-id")) or uri_user(first(found, "to")) or requested


def display_name(value: str) -> str:
    """The display name before ``<``, unquoted, printable characters only."""
    match = _DISPLAY.match(value)
    if match is None:
        return ""
    name = re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2] or ""
    return "".join(c for c in name if c.isprintable())[:80].strip()


def status_code(message: str) -> int:
    """The status of a response; 0 when it is none."""
    words = start_line(message).split()
    return int(words[1]) if len(words) >= 2 and words[1].isdigit() and len(words[1]) == 3 else 0


def retry_after_s(message: str) -> float | None:
    """Retry-After in seconds (RFC 3261 20.33), None without one."""
    match = re.match(r"[0-9]{1,6}", first(headers(message), "retry-after"))
    return float(match[0]) if match else None
