"""What needs a person's attention: shown above the first page."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.language import said as _
from appliance.spool.filters import JobFilter, ReceivedFilter
from appliance.spool.model import JobState
from webui.reader import Reader

# How long a failed fax is mentioned, seconds.
FAILED_S = 24 * 3600.0
# Counting stops at so many.
MOST = 100


@dataclass(frozen=True, slots=True)
class Need:
    """One line: ``kind`` is bad or wait."""

    kind: str
    path: str
    sentence: str


def _count(sentence_one: str, sentence_many: str, count: int) -> str:
    if count == 1:
        return sentence_one
    return sentence_many.format(count=f"{MOST}+" if count >= MOST else count)


def unread(reader: Reader) -> int:
    """The number of received faxes that this reader has not read."""
    if not reader.may("receive"):
        return 0
    wanted = ReceivedFilter(owner=reader.who.sees, read=False, limit=MOST)
    return len(reader.box.inbox.search(wanted))


def needs(reader: Reader) -> list[Need]:
    """The needs for this reader."""
    found: list[Need] = []
    if reader.may("admin"):
        found += [
            Need("bad", "/lines", _("The line {name} is down.").format(name=report.name))
            for report in reader.box.lines()
            if not report.state.usable
        ]
    if reader.may("send"):
        found += _of_sent(reader)
    count = unread(reader)
    if count:
        one, many = _("One received fax is unread."), _("{count} received faxes are unread.")
        found.append(Need("wait", "/received?show=unread", _count(one, many, count)))
    return found


def _of_sent(reader: Reader) -> list[Need]:
    owner = reader.who.sees or ""
    since = reader.context.now() - FAILED_S

    def count(*states: JobState, since: float | None = None) -> int:
        wanted = JobFilter(owner=owner, states=frozenset(states), since=since, limit=MOST)
        return len(reader.box.faxes.search(wanted))

    unsaid = JobFilter(owner=owner, without_number=True, limit=MOST)
    lines = (
        (
            len(reader.box.faxes.search(unsaid)),
            "wait",
            "/waiting",
            _("One document waits for a number."),
            _("{count} documents wait for a number."),
        ),
        (
            count(JobState.UNKNOWN),
            "bad",
            "/sent?show=unknown",
            _("Of one fax nobody knows whether it arrived."),
            _("Of {count} faxes nobody knows whether they arrived."),
        ),
        (
            count(JobState.FAILED, since=since),
            "bad",
            "/sent?show=failed",
            _("One fax failed since yesterday."),
            _("{count} faxes failed since yesterday."),
        ),
        (
            count(JobState.HELD),
            "wait",
            "/sent?show=held",
            _("One fax is held until you say so."),
            _("{count} faxes are held until you say so."),
        ),
    )
    return [Need(kind, path, _count(one, many, number)) for number, kind, path, one, many in lines if number]
