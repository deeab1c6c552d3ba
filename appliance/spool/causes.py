"""Causes of faxes that end in the spool, and of failures of the box's storage."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare

EXPIRED = declare(
    "expired",
    Side.OURS,
    Retry.NO,
    "The fax could not be sent within the time it was given.",
    "Look at its attempts for the reason, then send it again.",
)
INTERRUPTED = declare(
    "interrupted",
    Side.OURS,
    Retry.SOON,
    "The box was switched off or restarted during the call.",
    "Ask the sender of a received fax whether pages are missing.",
)
UNKNOWN_DELIVERY = declare(
    "unknown_delivery",
    Side.OURS,
    Retry.ASK,
    "The call was cut off while the last page was going out or its confirmation was awaited.",
    "Ask the receiver whether the fax arrived, then send it again or mark it as delivered.",
)
CLOCK_DOUBTED = declare(
    "clock_doubted",
    Side.OURS,
    Retry.LATER,
    "The clock of the box jumped ahead, and it is not known whether it is right.",
    "The fax waits as long as was planned when it was submitted. Set the clock, or send the fax now.",
)
INDEX_DAMAGED = declare(
    "index_damaged",
    Side.OURS,
    Retry.LATER,
    "The box's index of faxes is damaged; no fax is accepted until it is rebuilt.",
    "Stop the box and run `faxbox spool rebuild`: it takes the last good copy and the page files.",
)
INDEX_REBUILT = declare(
    "index_rebuilt",
    Side.OURS,
    Retry.NO,
    "The index was rebuilt from the pages that are stored here; how the call ended is not known.",
    "Compare the number of pages with the sender if it matters.",
)
STORAGE_FULL = declare(
    "storage_full",
    Side.OURS,
    Retry.LATER,
    "The box's storage is full.",
    "Delete old faxes or shorten the time they are kept.",
)
STORAGE_FAILED = declare(
    "storage_failed",
    Side.OURS,
    Retry.LATER,
    "The disk or card of the box failed at a write or a read; nothing was changed.",
    "Try again. If it happens again, make a backup and replace the disk or card.",
)
STORAGE_READ_ONLY = declare(
    "storage_read_only",
    Side.OURS,
    Retry.LATER,
    "The box's storage cannot be written to: it became read-only, as happens when a disk or card fails.",
    "Save a copy of what is there, check or replace the disk or card, then start the box again.",
)
