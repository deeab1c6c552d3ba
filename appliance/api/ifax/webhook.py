"""The message to an iFax style client when a fax ends.  Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from appliance.api.ifax.faxes import received_fax, sent_fax
from appliance.api.numbers import own_number
from appliance.box import Box
from appliance.deliver.styles import FaxEvent, SignedBody
from appliance.spool.model import Job

EVENT = "fax.completed"
SIGNATURE_HEADER = "X-iFax-Signature"

# Members that differ for a received fax, for receivers that expect a flat object.
_INBOUND = {"direction": "inbound", "faxStatus": "received"}


def message(fax: Mapping[str, Any], timestamp: float) -> dict[str, Any]:
    """The message about a fax that ended: ``fax`` is its fax object, ``timestamp`` the end, Unix time.

    Some receivers expect the fax object within ``data``, others a flat object: it has both.
    """
    flat = {**fax, "success": fax["code"] == 0 and fax["faxStatus"] == "delivered"}
    if fax["direction"] == "received":
        flat |= {**_INBOUND, "faxReceivedPages": fax["faxTransferredPages"]}
    else:
        flat["direction"] = "outbound"
    return {**flat, "event": EVENT, "timestamp": int(timestamp), "data": dict(fax)}


def signature(secret: str, body: bytes) -> str:
    """HMAC-SHA256 of the raw body, in hexadecimal."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def webhook_style(box: Box, ended: FaxEvent, secret: str) -> SignedBody:
    """The webhook of this style: signed, with the same octets in every try."""
    fax, number = ended.fax, own_number(box)
    data = sent_fax(fax, number) if isinstance(fax, Job) else received_fax(fax, number)
    body = json.dumps(message(data, ended.at)).encode()
    return SignedBody(body, {"Content-Type": "application/json", SIGNATURE_HEADER: signature(secret, body)})
