"""The receiving side: its roles and the state that they share.

``ReceiverIdentification`` and ``TrainingCheck`` (``receiver_phase_b``) agree on settings; ``PageReception``
(``receiver_page``) receives pages with them, ``PageConfirmation`` (``receiver_confirming``) confirms them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from appliance.causes import Cause
from appliance.t30 import causes
from appliance.t30.fields import Facilities
from appliance.t30.frames import Fcf, FrameError, PartialPage
from appliance.t30.receiver_confirming import PageConfirmation
from appliance.t30.receiver_page import SAME_AS, PageReception
from appliance.t30.receiver_phase_b import ReceiverIdentification, TrainingCheck
from appliance.t30.receiver_role import Replies
from appliance.t30.roles import Burst, Table
from appliance.t30.station import Station


class Receiver:
    """Receives the pages of a call: what its roles share.

    ``is_polled`` is called with the content of the caller's DTC when it asks for our pages.
    """

    TABLE: ClassVar[Table] = {
        **ReceiverIdentification.TABLE,
        **TrainingCheck.TABLE,
        **PageReception.TABLE,
        **PageConfirmation.TABLE,
    }

    def __init__(self, station: Station, is_polled: Callable[[Facilities], None]) -> None:
        self.station = station
        self.replies = Replies(station)
        self.end: Fcf | None = None  # the last post-message command
        self.last_block: tuple[int, int] | None = None  # page and block of the last MCF with ECM
        self.failed: Cause | None = None  # set when a page was lost for good
        self.identification = ReceiverIdentification(self, is_polled)

    # -- for the roles -----------------------------------------------------------------------------

    def train_again(self, reply: Fcf) -> None:
        """Sends FTT, RTN or RTP: the transmitter is to send a DCS and train again."""
        self.identification.tries = 1
        self.replies.say(reply, self.identification.expect_command)

    def forget_page(self) -> None:
        """A new DCS came: the page that was under way is dropped."""
        self.last_block = None

    def is_last_command(self, burst: Burst) -> bool:
        """Whether this post-message command repeats the one that we answered last."""
        fcf = burst.command
        if fcf is not Fcf.PPS:
            return fcf is Fcf.EOR or (fcf is not None and SAME_AS.get(fcf, fcf) is self.end)
        try:
            part = PartialPage.decode(burst.fif(Fcf.PPS) or b"")
        except FrameError:
            return False
        return (part.page, part.block) == self.last_block

    def cause_between_pages(self) -> Cause:
        """The cause when the far end disconnects while no page is under way."""
        if self.station.pages_received or self.end is not None:
            return causes.SENDER_GAVE_UP
        if self.identification.polls_in_vain:
            return causes.POLL_REFUSED
        return causes.NO_PAGES_CAME if self.station.listener.understood else causes.NO_SENDER_HEARD
