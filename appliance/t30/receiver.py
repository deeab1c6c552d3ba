"""The receiving side: its roles.

``ReceiverIdentification`` and ``TrainingCheck`` (``receiver_phase_b``) agree on settings; ``PageReception``
(``receiver_page``) receives pages with them, ``PageConfirmation`` (``receiver_confirming``) confirms them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from appliance.t30.fields import Facilities
from appliance.t30.receiver_confirming import PageConfirmation
from appliance.t30.receiver_page import PageReception
from appliance.t30.receiver_phase_b import ReceiverIdentification, TrainingCheck
from appliance.t30.receiver_role import ReceiverBase
from appliance.t30.roles import Table
from appliance.t30.station import Station


class Receiver(ReceiverBase):
    """Receives the pages of a call.

    ``is_polled`` is called with the content of the caller's DTC when it asks for our pages.
    """

    TABLE: ClassVar[Table] = {
        **ReceiverIdentification.TABLE,
        **TrainingCheck.TABLE,
        **PageReception.TABLE,
        **PageConfirmation.TABLE,
    }

    def __init__(self, station: Station, is_polled: Callable[[Facilities], None]) -> None:
        super().__init__(station)
        self.identification: ReceiverIdentification = ReceiverIdentification(self, is_polled)
