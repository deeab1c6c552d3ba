"""Settings: how jobs are sent and tried again, and what is kept for how long."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from appliance.remarks import Rule
from appliance.settings.fields import setting
from appliance.spool.options import Quality, Resume, UnknownRule


@dataclass(frozen=True, slots=True)
class SendingSettings:
    """How jobs are sent and tried again.  A timetable's entries are waits in seconds."""

    quality: Quality = setting(Quality.FINE, "resolution when the sender does not say")
    straighten_photographs: bool = setting(
        True, "photographs of pages are cropped to the page and straightened"
    )
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
        (30.0, 60.0, 120.0, 300.0), "waits after a call that failed part-way, s", minimum=0, maximum=86400
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
        UnknownRule.ASK, "what happens to a fax that was cut off between its last page and the confirmation"
    )
    when_lost: Rule = setting(
        Rule.HOLD,
        "what happens to a fax that does not show all of its document: send, hold for a person, refuse",
    )
    when_noted: Rule = setting(Rule.SEND, "the same for a fax that shows everything, but may look different")
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
        "when the far machine rejects the last page (RTN), train again and send it once more in the same "
        "call; by T.30 the call ends, so some machines hang up",
    )


class KeptPackets(Enum):
    """Of which calls the packets are kept."""

    NONE = "none"
    FAILED = "failed"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """What is kept, for how long, and how much space stays free."""

    documents_days: float = setting(
        30.0, "days that sent documents are kept; 0: delete when ended", minimum=0
    )
    received_days: float = setting(0.0, "days that received faxes are kept; 0: until deleted", minimum=0)
    journal_days: float = setting(365.0, "days that the list of faxes is kept", minimum=1)
    traces_days: float = setting(30.0, "days that call traces are kept", minimum=0)
    packets: KeptPackets = setting(
        KeptPackets.FAILED,
        "T.38 calls whose packets are kept, for tshark and similar programs: the newest 100, each 2 MB "
        "at most",
    )
    events_days: float = setting(30.0, "days that the event log is kept", minimum=1)
    reserve_mb: int = setting(
        200, "space kept free, MB: below it nothing is accepted and calls are not answered", minimum=20
    )
    warn_mb: int = setting(500, "below this much free space the box warns, MB", minimum=20)
    encrypt: bool = setting(
        False,
        "documents and pages are encrypted on the disk; without their key nobody can read them, nor can you",
    )
    key_file: str = setting(
        "", "file with the key, outside the data folder; empty: beside it, with .key after its name"
    )

    def key_path(self, data: Path) -> Path:
        """The path of the key of the folder ``data``: as set, else beside that."""
        if self.key_file:
            return Path(self.key_file)
        whole = data.absolute()
        return whole.with_name(f"{whole.name}.key")
