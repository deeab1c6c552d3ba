"""The message to ``callback_url`` when a fax ends: its id, its status, its pages.  Pure."""

from __future__ import annotations

import json

from appliance.api.ictfax.objects import received_fax, sent_fax
from appliance.api.numbers import own_number
from appliance.box import Box
from appliance.deliver.styles import FaxEvent, SignedBody
from appliance.spool.model import Job


def callback_style(box: Box, ended: FaxEvent, secret: str) -> SignedBody:
    """The webhook of this style; unsigned, because the style has no signature."""
    fax, number = ended.fax, own_number(box)
    data = sent_fax(fax, number) if isinstance(fax, Job) else received_fax(fax, number)
    return SignedBody(json.dumps(data).encode(), {"Content-Type": "application/json"})
