"""The transmitting side: its roles and the order in which they take over.

``Identification`` and ``Training`` (``sender_phase_b``) yield a ``Link``; ``PlainPage`` (``sender_page``) or
``EcmPageTransfer`` (``sender_ecm``) sends a page over it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from appliance.causes import Cause
from appliance.t4.page import CodedPage
from appliance.t30 import causes
from appliance.t30.asking import Answers
from appliance.t30.fields import Facilities
from appliance.t30.link import Ground, Link
from appliance.t30.pages import PageDesk
from appliance.t30.parameters import Phase
from appliance.t30.roles import EventData, Table
from appliance.t30.sender_ecm import EcmPageTransfer
from appliance.t30.sender_page import PageTransfer, PlainPage
from appliance.t30.sender_phase_b import Identification, Training
from appliance.t30.station import Station


class Sender:
    """Sends the pages of a call.

    ``polls`` is called with the content of the far end's DIS when nothing is left to send and the call is to
    poll; it hands the call to the receiver.
    """

    TABLE: ClassVar[Table] = {
        **Identification.TABLE,
        **Training.TABLE,
        **PlainPage.TABLE,
        **EcmPageTransfer.TABLE,
    }

    def __init__(self, station: Station, polls: Callable[[Facilities], None]) -> None:
        self.station = station
        self.desk = PageDesk(station)
        self.answers = Answers()
        self.poll_wanted = station.parameters.poll
        self._polls = polls
        self.identification = Identification(self)

    # -- from outside ------------------------------------------------------------------------------

    def call(self) -> None:
        """Starts a calling station."""
        self._identify()
        self.identification.call()

    def answer_poll(self, wanted: Facilities) -> None:
        """Starts to send from an answering station; ``wanted`` is the content of the caller's DTC."""
        self._identify()
        self.identification.begin(wanted)

    # -- for the roles: who comes next -------------------------------------------------------------

    def poll(self, theirs: Facilities) -> None:
        """Hands the call to the receiver, when nothing is left to send."""
        self.poll_wanted = False
        self._polls(theirs)

    def train(self, link: Link) -> None:
        """Sends DCS and TCF for the page to send."""
        training = Training(self, link)
        self.station.part = training
        training.begin()

    def trained(self, link: Link) -> None:
        """Sends the page after CFR."""
        self.identification.trained()
        self.send(link)

    def send(self, link: Link) -> None:
        """Sends the current page over this link."""
        known = self.desk.current
        if known is None or known.page is None:
            self.station.finish(self.desk.failure)
            return
        transfer = self._transfer(link, known.page, last=known.last)
        self.station.part = transfer
        transfer.begin()

    def _transfer(self, link: Link, page: CodedPage, *, last: bool) -> PageTransfer:
        return (EcmPageTransfer if link.settings.ecm else PlainPage)(self, link, page, last=last)

    def retrain(self, ground: Ground) -> None:
        """Trains again for the current page."""
        self._identify()
        self.identification.retrain(ground)

    def await_dis(self, ground: Ground) -> None:
        """Waits for the receiver's DIS after EOM."""
        self._identify()
        self.identification.await_dis(ground)

    def dis_in_place_of_answer(self, ground: Ground, fact: EventData) -> None:
        """Handles a DIS that came instead of a response: the receiver is in phase B again."""
        self._identify()
        self.identification.dis_in_place_of_answer(ground, fact)

    def _identify(self) -> None:
        self.station.part = self.identification

    def below(self, ground: Ground) -> Ground | None:
        """Falls back to the next lower carrier; None at the lowest.  Counts and notes it."""
        self.station.retrainings += 1
        lower = ground.below()
        if lower is not None:
            self.station.note(
                "step_down", rate=lower.carrier.bit_rate, modulation=lower.carrier.modulation.value
            )
        return lower

    def cause_in_phase_b(self) -> Cause:
        """The cause when the far end disconnects before a page, or before its repetition."""
        station = self.station
        if station.phase is Phase.B and station.pages_sent == 0 and self.desk.times_sent == 0:
            return causes.HUNG_UP_BEFORE_PAGES
        return causes.HUNG_UP_AFTER_PAGE
