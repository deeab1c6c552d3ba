"""The states of sender and receiver: what each waits for."""

from __future__ import annotations

from enum import Enum


class SenderState(Enum):
    """The states of the sender's roles."""

    CALLING = "waits for DIS"
    NEEDS_PAGE = "waits for a page to send"
    CFR = "waits for CFR"
    NEEDS_NEXT = "waits to know what follows the page"
    POST = "waits for the page's confirmation"
    PPS = "waits for the block's confirmation"
    RR = "waits for the receiver to be ready"
    CTR = "waits for CTR"
    ERR = "waits for ERR"
    DIS = "waits for DIS after EOM"


class ReceiverState(Enum):
    """The states of the receiver's roles."""

    COMMAND = "waits for DCS or DTC"
    TCF = "waits for TCF"
    PAGE = "waits for a page"
    IN_PAGE = "receives a page"
    POST = "waits for the command after a page"
    STORING = "waits for the page to be stored"
    DCN = "waits for DCN"
