"""Kinds of SIP trunks as providers sell them and offices have them, with their initial settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TrunkKind:
    """``title`` and ``help`` are English; ``settings`` are fields of ``SipTrunk`` that it begins with.

    ``help`` says where what is asked for is found, or what to do on the other side first.
    """

    name: str
    title: str
    help: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_account(self) -> bool:
        """Whether the box signs in, with a user name and a password."""
        return bool(self.settings.get("register", True))


TRUNK_KINDS = {
    kind.name: kind
    for kind in (
        TrunkKind(
            "account",
            "Account at a provider",
            "Server, user name and password are in the letter or on the web site of your provider.",
        ),
        TrunkKind(
            "router",
            "FRITZ!Box or another router",
            "In the router, make an IP telephone (LAN/WLAN) with a name and password.",
            {"server": "fritz.box"},
        ),
        TrunkKind(
            "pbx",
            "Asterisk or FreePBX",
            "Make an extension of the kind PJSIP, and allow T.38 for it.",
        ),
        TrunkKind("3cx", "3CX", "Make an extension, and switch its fax support on."),
        TrunkKind(
            "peer",
            "Trunk without an account",
            "Your provider knows the box by its address; there is no user name.",
            {"register": False},
        ),
    )
}
