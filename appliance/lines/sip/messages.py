"""Reads headers of a SIP message (RFC 3261), for those that the binding does not provide.

The text is the peer's: lines and lengths are limited and nothing raises; unreadable values are empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

MAX_HEADERS = 200
MAX_VALUE = 1000  # characters of one header kept
MAX_WORDS = 120  # characters of a reason phrase that are shown

# RFC 3261 7.3.3: compact forms of the headers that we read.
_COMPACT = {"f": "from", "t": "to", "m": "contact", "i": "call-id", "k": "supported", "e": "content-encoding"}
_COMPACT["x"] = "session-expires"  # RFC 4028 4
_HEAD_ENDS = re.compile(r"\r?\n\r?\n")
_URI = re.compile(r"(sips?|tel):([^>\s\"]*)", re.IGNORECASE)
# A quoted display name may look like a URI.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')
# RFC 3966: signs between the digits of a number that mean nothing; RFC 3261 19.1.6 has them in SIP URIs, too,
# and there are exchanges that write blanks (escaped).
_SIGNS = str.maketrans("", "", "-.() ")
_WITH_SIGNS = re.compile(r"\+?[0-9*#(). -]+")
# A dialled number in the user part of a URI.
_NUMBER = re.compile(r"\+?[0-9*#]{2,}")
# RFC 3323 4.2 and RFC 3325 9.3: values of Privacy that withhold the caller's identity.
_WITHHELD = frozenset({"id", "user", "header"})
_NOBODY = frozenset({"anonymous", "unavailable", "restricted", "unknown", "private", "withheld"})
# RFC 3326: Reason: Q.850;cause=17;text="User busy", and with codes of SIP; texts are removed before.
_REASON = re.compile(r'(Q\.?850|SIP)\s*+;[^,]*?cause\s*+=\s*+"?([0-9]{1,3})\b', re.IGNORECASE)
_TEXT = re.compile(r';\s*+text\s*+=\s*+"(?:[^"\\]|\\.)*+"', re.IGNORECASE)
_ONE_OF_SEVERAL = re.compile(r'(?:"(?:[^"\\]|\\.)*+"|[^",<])*+<[^>]*>')
# RFC 8760: the algorithms that pjproject calculates; without one, MD5 is meant.
_ALGORITHMS = frozenset({"md5", "sha-256", "sha-512-256"})
_MAX_OBSTACLE = 40  # of its name, characters
_PARAMETER = re.compile(r'([a-z]++)\s*+=\s*+(?:"([^"]*+)"|([^\s,"]++))', re.IGNORECASE)
# Possessive quantifiers, so that blanks are scanned once.
_DISPLAY = re.compile(r'\s*+(?:"((?:[^"\\]|\\.)*+)"\s*+|([^<"]*+))<')


def divided(message: str) -> tuple[str, str]:
    """Head and body of a message.

    Lines of the head end in LF.  Some machines send no CR, and the library reads them, too.
    """
    end = _HEAD_ENDS.search(message)
    head, body = (message, "") if end is None else (message[: end.start()], message[end.end() :])
    return head.replace("\r\n", "\n"), body


def start_line(message: str) -> str:
    """The first line of a message, at most ``MAX_VALUE`` characters."""
    return message.partition("\n")[0].rstrip("\r")[:MAX_VALUE]


def headers(message: str) -> dict[str, list[str]]:
    """Header values by name in lower case, in order of appearance, folded lines joined."""
    head, _ = divided(message)
    found: dict[str, list[str]] = {}
    last: list[str] | None = None
    for line in head.split("\n")[1 : MAX_HEADERS + 1]:
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
    """The first value of a header; empty without one."""
    return found.get(name, [""])[0]


def uri_user(value: str) -> str:
    """The printable user part of the first SIP or tel URI in a header or request line, unescaped.

    The user part may have parameters of its own (RFC 3261 25.1): a number's ``;npdi``, ``;cpc=``,
    ``;tgrp=``, and the ``;phone-context=`` that makes a local number a whole one (RFC 3966 5.1.5).
    """
    match = _URI.search(_QUOTED.sub("", value))
    if match is None:
        return ""
    if match[1].lower() == "tel":
        user, at = match[2].partition("?")[0], "@"
    else:
        user, at, _ = match[2].partition("@")
    if not at:
        return ""
    name, *parameters = (unquote(each) for each in user.partition(":")[0].split(";"))
    if match[1].lower() == "tel" or _WITH_SIGNS.fullmatch(name):
        name = name.translate(_SIGNS)
    context = next((each for each in parameters if each.lower().startswith("phone-context=+")), "")
    if context and name.isdecimal() and not name.startswith("0"):
        name = context.partition("=")[2] + name
    return _printable(name)[:128]


def uri_host(value: str) -> str:
    """The host of the first SIP URI in a header or request line, in lower case, without port."""
    match = _URI.search(_QUOTED.sub("", value))
    if match is None or match[1].lower() == "tel":
        return ""
    user, at, rest = match[2].partition("@")
    host = re.split("[;?]", rest if at else user)[0]
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def dialled(message: str, found: dict[str, list[str]], account: str) -> str:
    """The dialled number, from an INVITE and its headers.

    A registrar's proxy may replace the number by the registered Contact, and so by our ``account``, or by
    another name; then P-Called-Party-ID (RFC 7315 4.2) or To still has it, or the history of a redirected
    call (RFC 7044, RFC 5806).
    """
    requested = uri_user(start_line(message))
    if requested != account and _NUMBER.fullmatch(requested):
        return requested
    candidates = [uri_user(first(found, name)) for name in ("p-called-party-id", "to")]
    candidates += [uri_user(each) for each in _each_value(found, "diversion")]
    candidates += [uri_user(each) for each in reversed(_each_value(found, "history-info"))]
    for number in candidates:
        if number != account and _NUMBER.fullmatch(number):
            return number
    named = requested if requested != account else ""
    return named or candidates[0] or candidates[1] or requested


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """The caller's number and name, unless withheld."""

    number: str = ""
    name: str = ""


def caller(found: dict[str, list[str]]) -> CallerIdentity:
    """The caller: as asserted by the network (RFC 3325, or the older Remote-Party-ID), else from From.

    Empty when the caller asked for privacy, even if the network passes the number to trusted parties.
    """
    values = {value.strip().lower() for each in found.get("privacy", []) for value in re.split("[;,]", each)}
    party = first(found, "remote-party-id")
    if values & _WITHHELD or re.search(r";\s*privacy\s*=\s*\"?(?:full|uri)", party, re.IGNORECASE):
        return CallerIdentity()
    asserted = _each_value(found, "p-asserted-identity")
    # RFC 3325 9.1: one SIP and one tel URI may be asserted; one with a number is preferred.
    numbered = [value for value in asserted if _NUMBER.fullmatch(uri_user(value))]
    value = next(iter(numbered or asserted), "") or party or first(found, "from")
    number = uri_user(value)
    if number.lower() in _NOBODY:
        return CallerIdentity()
    return CallerIdentity(number, display_name(value) or display_name(first(found, "from")))


def reason(message: str) -> tuple[str, int] | None:
    """Protocol and cause of the Reason header (RFC 3326), Q.850 before SIP: ``("q.850", 17)``, or None."""
    values = {
        match[1].lower().replace("q850", "q.850"): int(match[2])
        for value in headers(message).get("reason", [])
        for match in _REASON.finditer(_TEXT.sub("", value))
    }
    for protocol in ("q.850", "sip"):
        if protocol in values:
            return protocol, values[protocol]
    return None


def _each_value(found: dict[str, list[str]], name: str) -> list[str]:
    """The values of a header that may have several in one line: those in angle brackets, one each."""
    return [part for value in found.get(name, []) for part in _ONE_OF_SEVERAL.findall(value) or [value]]


def display_name(value: str) -> str:
    """The display name before ``<``, unquoted, printable characters only."""
    match = _DISPLAY.match(value)
    if match is None:
        return ""
    name = re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2] or ""
    return _printable(name)[:80].strip()


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())


def status_code(message: str) -> int:
    """The status of a response; 0 for another message."""
    words = start_line(message).split()
    return int(words[1]) if len(words) >= 2 and words[1].isdigit() and len(words[1]) == 3 else 0


def retry_after_s(message: str) -> float | None:
    """Retry-After in seconds (RFC 3261 20.33), None without one."""
    match = re.match(r"[0-9]{1,6}", first(headers(message), "retry-after"))
    return float(match[0]) if match else None


_NO_TIME = re.compile(r";\s*expires\s*=\s*\"?0+\"?\s*(?:;|$)", re.IGNORECASE)


def keeps_no_contact(message: str) -> bool:
    """Whether an answer to REGISTER gives every contact no time (RFC 3261 10.2.4): nothing is registered."""
    contacts = headers(message).get("contact", [])
    return bool(contacts) and all(_NO_TIME.search(contact) for contact in contacts)


def unanswerable(code: int, message: str) -> str:
    """What of a 401 or 407 no user name and password can answer (RFC 3261 22); empty where they can, and for
    other codes.

    A challenge that calls the last reply too old (``stale``) has not judged user name and password.
    """
    if code not in (401, 407):
        return ""
    found = headers(message)
    obstacles = [
        _obstacle(value)
        for name in ("www-authenticate", "proxy-authenticate")
        for value in found.get(name, [])
    ]
    return "" if "" in obstacles else (obstacles or ["no challenge"])[0]


def _obstacle(challenge: str) -> str:
    scheme, _, rest = challenge.partition(" ")
    parameters = {name.lower(): (quoted or plain) for name, quoted, plain in _PARAMETER.findall(rest)}
    algorithm = parameters.get("algorithm", "MD5")
    qop = parameters.get("qop", "auth")
    if scheme.lower() != "digest":
        obstacle = scheme
    elif algorithm.lower() not in _ALGORITHMS:
        obstacle = algorithm
    elif "auth" not in (each.strip().lower() for each in qop.split(",")):
        obstacle = qop
    else:
        obstacle = "stale" if parameters.get("stale", "").lower() == "true" else ""
    return _printable(obstacle)[:_MAX_OBSTACLE]
