"""Every section of the box's settings, field by field.

One section is one frozen dataclass; ``SECTIONS`` at the end names them all.  Whoever needs a setting
adds it here, with its meaning, unit and bounds; nothing else has settings of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance.remarks import Rule
from appliance.settings.delivery import DeliverySettings, MailInSettings, MailOutSettings
from appliance.settings.fields import setting
from appliance.spool.options import Quality, Resume, UnknownRule

# A number that is shown to others, as people write them.
CALLER_PATTERN = r"\+?[0-9 ()/.*#-]{1,31}"
# The characters a station may give as its CSI or TSI: T.30 5.3.6.2.4 and table 3, and their number.
STATION_ID_PATTERN = r"[0-9+ ]{0,20}"


def _time_zone_problem(name: str) -> str | None:
    if not name:
        return None
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"there is no time zone {name!r}; write one such as Europe/Berlin"
    return None


@dataclass(frozen=True, slots=True)
class StationSettings:
    """Who this station is towards others."""

    station_id: str = setting(
        "", "the number sent as TSI and CSI: up to 20 digits, +, spaces", pattern=STATION_ID_PATTERN
    )
    name: str = setting("", "the sender's name in the header line and on cover pages", max_length=60)
    header: bool = setting(True, "print a header line on every page (many countries require it)")
    time_zone: str = setting(
        "",
        "zone of the times in header lines and reports, such as Europe/Berlin; empty: the system's",
        max_length=60,
        check=_time_zone_problem,
    )
    caller_number: str = setting("", "caller id shown to those we call, in international form", max_length=32)
    caller_name: str = setting("", "caller name shown to those we call; never a login name", max_length=60)
    further_numbers: tuple[str, ...] = setting(
        (), "further numbers of the box, which those who send may show instead", pattern=CALLER_PATTERN
    )
    receive: bool = setting(True, "answer calls and receive faxes")


@dataclass(frozen=True, slots=True)
class NumberSettings:
    """How numbers are read and which may be dialled."""

    region: str = setting(
        "",
        "country that numbers without a country code belong to: two letters, such as DE; "
        "empty: they are dialled as they are written",
        pattern=r"([A-Z]{2})?",
    )
    area_code: str = setting(
        "", "put before numbers that are dialled without an area code", pattern=r"[0-9]{0,8}"
    )
    outside_prefix: str = setting(
        "", "digits that reach the outside line, removed from what people type", pattern=r"[0-9*#]{0,6}"
    )
    allow: tuple[str, ...] = setting(
        (), "only numbers that begin so may be dialled, such as +49; empty: all", pattern=r"[+0-9*#]{1,20}"
    )
    deny: tuple[str, ...] = setting(
        (), "numbers that begin so are never dialled, such as +49900", pattern=r"[+0-9*#]{1,20}"
    )
    premium: bool = setting(False, "allow premium-rate numbers")
    emergency: tuple[str, ...] = setting(
        (),
        "further numbers that are never dialled, besides the country's emergency numbers",
        pattern=r"[+0-9*#]{1,20}",
    )
    internal: str = setting(
        "",
        "regular expression of internal extensions that are dialled as they are, such as [1-8][0-9]{2}",
        max_length=200,
    )
    daily_calls: int = setting(500, "calls to the outside a day, the box together; 0: no limit", minimum=0)
    daily_calls_each: int = setting(200, "calls to the outside a day for each user; 0: no limit", minimum=0)
    daily_abroad: int = setting(50, "calls abroad a day, the box together; 0: no limit", minimum=0)


@dataclass(frozen=True, slots=True)
class SendingSettings:
    """How jobs are sent and tried again.  A timetable's entries are waits in seconds."""

    quality: Quality = setting(Quality.FINE, "resolution when the sender does not say")
    ecm: bool = setting(True, "error correction mode, unless a destination has trouble with it")
    max_bit_rate: int = setting(
        14400, "bits a second to begin with, unless learned otherwise", minimum=2400, maximum=14400
    )
    max_tries: int = setting(6, "calls for one fax at most", minimum=1, maximum=50)
    busy: tuple[float, ...] = setting(
        (60.0, 180.0, 300.0, 600.0, 900.0), "waits when the line was busy, s", minimum=0, maximum=86400
    )
    no_answer: tuple[float, ...] = setting(
        (300.0, 900.0, 1800.0, 3600.0), "waits when nobody answered, s", minimum=0, maximum=86400
    )
    step_down: tuple[float, ...] = setting(
        (30.0, 60.0, 120.0, 300.0), "waits after a call that went wrong half-way, s", minimum=0, maximum=86400
    )
    other_line: tuple[float, ...] = setting(
        (5.0, 60.0, 300.0, 900.0),
        "waits when a line was at fault and all have been tried, s",
        minimum=0,
        maximum=86400,
    )
    later: tuple[float, ...] = setting(
        (900.0, 3600.0, 7200.0), "waits for causes that take a while, s", minimum=0, maximum=86400
    )
    resume: Resume = setting(Resume.REST, "after a break: send the rest, or all pages again")
    unknown_rule: UnknownRule = setting(
        UnknownRule.ASK, "what becomes of a fax cut off between its last page and the confirmation"
    )
    when_lost: Rule = setting(
        Rule.HOLD,
        "what becomes of a fax that does not show all of its document: send, hold for a person, refuse",
    )
    when_noted: Rule = setting(
        Rule.SEND, "the same for a fax that shows all that is meant to be shown, if perhaps otherwise"
    )
    lifetime_hours: float = setting(
        24.0, "how long a fax may be tried, hours from its scheduled time", minimum=0.1, maximum=720
    )
    ring_s: float = setting(60.0, "how long to let it ring, s", minimum=10, maximum=180)
    call_limit_minutes: float = setting(
        90.0, "a call that takes longer is ended, minutes", minimum=5, maximum=110
    )
    quarantine_after: int = setting(
        5,
        "after so many dead calls in a row (no such number, no fax) a number is not dialled; 0: never",
        minimum=0,
        maximum=100,
    )
    quarantine_days: float = setting(7.0, "for how many days", minimum=0.01, maximum=365)
    calls_at_once: int = setting(8, "outgoing calls at once on all lines together", minimum=1, maximum=120)
    learn: bool = setting(True, "remember what worked with each destination")
    resend_last_page: bool = setting(
        False,
        "when the far machine says that the last page came badly (RTN), train again and send it once "
        "more in the same call; T.30 has the call end, so some machines hang up",
    )


class KeptPackets(Enum):
    """Of which calls the packets are kept."""

    NONE = "none"
    FAILED = "failed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """What is kept, for how long, and how much room stays free."""

    documents_days: float = setting(
        30.0, "days that sent documents are kept; 0: delete when ended", minimum=0
    )
    received_days: float = setting(0.0, "days that received faxes are kept; 0: until deleted", minimum=0)
    journal_days: float = setting(365.0, "days that the list of faxes is kept", minimum=1)
    traces_days: float = setting(30.0, "days that call traces are kept", minimum=0)
    packets: KeptPackets = setting(
        KeptPackets.FAILED,
        "of which T.38 calls the packets are kept, for tshark and its kin; the newest "
        "100 are, each 2 MB at most",
    )
    events_days: float = setting(30.0, "days that the event log is kept", minimum=1)
    reserve_mb: int = setting(
        200, "room kept free, MB: below it nothing is accepted and calls are not answered", minimum=20
    )
    warn_mb: int = setting(500, "below this much free room the box warns, MB", minimum=20)


@dataclass(frozen=True, slots=True)
class SipSettings:
    """How the box speaks SIP, all trunks together.  A change takes effect at the next start."""

    bind: str = setting(
        "0.0.0.0", "address to listen on; one of IPv6 (:: is any) makes all of SIP IPv6", max_length=45
    )
    udp_port: int | None = setting(5060, "port for SIP over UDP; none: no UDP", minimum=0, maximum=65535)
    tcp_port: int | None = setting(None, "port for SIP over TCP; none: no TCP", minimum=0, maximum=65535)
    tls_port: int | None = setting(None, "port for SIP over TLS; none: no TLS", minimum=0, maximum=65535)
    media_first: int = setting(4000, "first UDP port for faxes and audio", minimum=1024, maximum=65000)
    media_last: int = setting(4999, "last UDP port for faxes and audio", minimum=1024, maximum=65535)
    stun_servers: tuple[str, ...] = setting((), "host or host:port of STUN servers", max_length=255)


@dataclass(frozen=True, slots=True)
class PracticeSettings:
    """The practice line, which never leaves the box."""

    enabled: bool = setting(True, "numbers 9990 to 9998 reach the practice machine")
    calls_at_once: int = setting(4, "practice calls at once", minimum=1, maximum=64)
    wait_s: float = setting(3.0, "wait between two attempts at a practice number, s", minimum=0, maximum=3600)
    speed: float = setting(
        1.0, "practice calls run so many times faster than real ones", minimum=1, maximum=20
    )


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Limits of the programming interfaces: for each key, and for one fax."""

    requests_per_hour: int = setting(1000, "requests an hour for each key; 0: no limit", minimum=0)
    requests_at_once: int = setting(20, "requests in hand at once for each key", minimum=1, maximum=1000)
    burst: int = setting(50, "requests within one second for each key; 0: no limit", minimum=0)
    request_mb: int = setting(20, "largest request, MB", minimum=1, maximum=200)
    files_per_fax: int = setting(20, "files of one fax", minimum=1, maximum=200)
    pages_per_fax: int = setting(200, "pages of one fax", minimum=1, maximum=500)
    recipients_per_fax: int = setting(15, "recipients of one fax", minimum=1, maximum=1000)
    fetch_s: float = setting(
        30.0, "longest that fetching a document by URL may take, s", minimum=1, maximum=300
    )
    private_urls: bool = setting(False, "documents and webhooks may be on the local network")
    session_hours: float = setting(12.0, "how long a sign-in is good, hours", minimum=0.1, maximum=720)


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """TLS of the web pages and interfaces.  A change takes effect within seconds."""

    tls_certificate: str = setting(
        "",
        "file with the certificate and those between it and its root, PEM; empty: no TLS",
        pattern=r"(/.{0,499})?",
    )
    tls_key: str = setting(
        "", "file with its key, PEM, without a password; empty: in the same file", pattern=r"(/.{0,499})?"
    )


@dataclass(frozen=True, slots=True)
class SecretSettings:
    """What the box made for itself at its first start.  Not for people."""

    setup_code_hash: str = setting(
        "", "hash of the one-time set-up code, empty once it was used", secret=True
    )
    session_key: str = setting("", "signs the sessions of the web pages", secret=True)
    webhook_key: str = setting("", "signs webhooks that have no key of their own", secret=True)


SECTIONS: dict[str, type] = {
    "station": StationSettings,
    "numbers": NumberSettings,
    "sending": SendingSettings,
    "storage": StorageSettings,
    "sip": SipSettings,
    "practice": PracticeSettings,
    "http": HttpSettings,
    "api": ApiSettings,
    "deliveries": DeliverySettings,
    "mail_out": MailOutSettings,
    "mail_in": MailInSettings,
    "secrets": SecretSettings,
}
