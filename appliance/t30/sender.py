"""The transmitting side: its roles and the order in which they take over.

``Identification`` and ``Training`` (``sender_phase_b``) yield a ``Link``; ``PlainPage`` (``sender_page``) or
``EcmPageTransfer`` (``sender_ecm``) sends a page over it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from appliance.t30.fields import Facilities
from appliance.t30.link import Link
from appliance.t30.roles import Table
from appliance.t30.sender_ecm import EcmPageTransfer
from appliance.t30.sender_page import PlainPage
from appliance.t30.sender_phase_b import Identification, Training
from appliance.t30.sender_role import SenderBase
from appliance.t30.station import Station


class Sender(SenderBase):
    """Sends the pages of a call."""

    TABLE: ClassVar[Table] = {
        **Identification.TABLE,
        **Training.TABLE,
        **PlainPage.TABLE,
        **EcmPageTransfer.TABLE,
    }

    def __init__(self, station: Station, polls: Callable[[Facilities], None]) -> None:
        super().__init__(station, polls)
        self.identification: Identification = Identification(self)

    def send(self, link: Link) -> None:
        known = self.desk.current
        if known is None or known.page is None:
            self.station.finish(self.desk.failure)
            return
        transfer = EcmPageTransfer if link.settings.ecm else PlainPage
        transfer(self, link, known.page, last=known.last).begin()
