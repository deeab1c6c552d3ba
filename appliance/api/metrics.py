"""The box's metrics for Prometheus: text format 0.0.4, or OpenMetrics 1.0 on request."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from appliance import __version__
from appliance.api.context import Context
from appliance.lines.datagram_driver import LATE_S, Paced

METRICS_TYPE = "text/plain"
OPEN_METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
# Counters, by their names in the spool.
_SUMS = {
    "sum.faxes": ("faxbox_faxes_ended_total", "Faxes to send that ended, by line of the last try and cause."),
    "sum.calls": ("faxbox_calls_ended_total", "Calls placed that ended, by line and cause."),
    "sum.pages": ("faxbox_pages_sent_total", "Pages confirmed by far ends, by line and cause of the call."),
    "sum.received_calls": ("faxbox_calls_received_total", "Calls taken that ended, by line and cause."),
    "sum.received_pages": ("faxbox_pages_received_total", "Pages received, by line and cause of the call."),
}


@dataclass(frozen=True, slots=True)
class _Metric:
    """``samples``: labels and values.  A counter is named as one, with ``_total``."""

    name: str
    help: str
    samples: Iterable[tuple[Mapping[str, str], float]]

    @property
    def kind(self) -> str:
        return "counter" if self.name.endswith("_total") else "gauge"


def _one(name: str, help: str, value: float) -> _Metric:
    """A metric without labels."""
    return _Metric(name, help, [({}, value)])


def exposition(context: Context, *, open_metrics: bool = False) -> str:
    """All metrics as text.  Reads the spool; blocks for a moment."""
    lines: list[str] = []
    for metric in (*_faxes(context), *_lines(context), *_process(context)):
        # OpenMetrics names a counter's family without the suffix of its samples.
        family = metric.name.removesuffix("_total") if open_metrics else metric.name
        lines.append(f"# HELP {family} {_escaped(metric.help)}")
        lines.append(f"# TYPE {family} {metric.kind}")
        for labels, value in metric.samples:
            said = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            lines.append(f"{metric.name}{{{said}}} {value:.15g}" if said else f"{metric.name} {value:.15g}")
    if open_metrics:
        lines.append("# EOF")
    return "\n".join(lines) + "\n"


def _faxes(context: Context) -> Iterator[_Metric]:
    box = context.box
    health = box.health()
    counts = box.history.counts()
    usage = box.accounts.used_today("box")
    yield _Metric("faxbox_info", "The box's version.", [({"version": __version__}, 1)])
    yield _one("faxbox_up", "1 when some line works and there is room on the disk.", health.ok)
    yield _one(
        "faxbox_uptime_seconds",
        "Seconds since the box was started.",
        round(context.now() - health.started_at),
    )
    yield _one("faxbox_disk_free_bytes", "Room on the disk.", health.free_octets)
    yield _Metric(
        "faxbox_jobs",
        "Faxes to send that have not ended, by state.",
        [({"state": state.value}, count) for state, count in health.jobs.items()],
    )
    yield _Metric(
        "faxbox_jobs_ended",
        "Faxes in the journal that ended, by how.",
        [({"state": state, "code": code}, count) for state, code, count in counts.ended],
    )
    for total, (name, words) in _SUMS.items():
        found = [(line, code, count) for kind, line, code, count in counts.sums if kind == total]
        yield _Metric(name, words, [({"line": line, "code": code}, count) for line, code, count in found])
    yield _Metric(
        "faxbox_received",
        "Received faxes that are kept, by state.",
        [({"state": state}, count) for state, count in counts.received],
    )
    yield _one("faxbox_received_unread", "Received faxes that nobody has read.", health.unread)
    yield _Metric(
        "faxbox_deliveries",
        "Deliveries (webhooks, e-mail…), by kind and state.",
        [({"kind": kind, "state": state}, count) for kind, state, count in counts.deliveries],
    )
    yield _one("faxbox_calls_today", "Calls placed today.", usage.calls)
    yield _one("faxbox_pages_today", "Pages sent today.", usage.pages)
    yield _one("faxbox_line_seconds_today", "Seconds on the line today.", usage.seconds)


def _lines(context: Context) -> Iterator[_Metric]:
    lines = [
        ({"line": line.name, "kind": line.kind.value}, line.state) for line in context.box.health().lines
    ]
    yield _Metric(
        "faxbox_line_usable",
        "1 when a call may be placed on the line.",
        [(labels, state.usable) for labels, state in lines],
    )
    yield _Metric(
        "faxbox_line_calls", "Calls on the line now.", [(labels, state.calls) for labels, state in lines]
    )
    yield _Metric(
        "faxbox_line_capacity",
        "Calls that the line carries at once.",
        [(labels, state.capacity) for labels, state in lines],
    )
    paced = [
        ({"line": managed.line.name}, managed.line.pacing)
        for managed in context.core.dispatcher.pool.lines
        if isinstance(managed.line, Paced)
    ]
    yield _Metric(
        "faxbox_packet_steps_total",
        "Times at which T.38 packets were due.",
        [(labels, pacing.steps) for labels, pacing in paced],
    )
    yield _Metric(
        "faxbox_packet_steps_late_total",
        f"Of them, those served more than {LATE_S * 1000:.0f} ms late.",
        [(labels, pacing.late) for labels, pacing in paced],
    )
    yield _Metric(
        "faxbox_packet_lateness_worst_seconds",
        "The longest delay of one since the start.",
        [(labels, round(pacing.worst_s, 4)) for labels, pacing in paced],
    )


def _process(context: Context) -> Iterator[_Metric]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield _one("faxbox_event_streams", "Open event streams.", context.streams.used)
    yield _one(
        "process_cpu_seconds_total", "Processor time that the box has used.", round(time.process_time(), 2)
    )
    yield _one(
        "process_max_resident_memory_bytes", "Most memory that the box has used.", used.ru_maxrss * 1024
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
