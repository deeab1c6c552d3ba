"""The views of a fax with its calls or pages, for all interfaces."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.records import Json, view
from appliance.spool.model import Attempt, Job, Received, ReceivedPageFile


def fax_in_full(job: Job, attempts: Sequence[Attempt]) -> Json:
    """A fax to send with its calls, first to last."""
    return {**view(job), "attempts": [view(attempt) for attempt in attempts]}


def received_in_full(fax: Received, pages: Sequence[ReceivedPageFile]) -> Json:
    """A received fax with its pages, first to last."""
    return {**view(fax), "page_list": [view(page) for page in pages]}
