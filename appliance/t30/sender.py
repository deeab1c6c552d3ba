"""The transmitting side: who of its roles is in charge.

``Identification`` and ``Training`` (``sender_phase_b``) yield a ``Link``; a page takes it: ``PlainPage``
(``sender_page``) or ``EcmPageTransfer`` (``sender_ecm``).
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
    """Sends the pages of a call: hands it from role to role.

    ``polls`` is called with the far end's DIS when there is (or remains) a poll to make, and hands the
    call to the receiving part.
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
        """A calling station's start."""
        self._identify()
        self.identification.call()

    def answer_poll(self, wanted: Facilities) -> None:
        """An answering station's start, once the caller has sent DTC."""
        self._identify()
        self.identification.begin(wanted)

    # -- for the roles: who comes next -------------------------------------------------------------

    def poll(self, theirs: Facilities) -> None:
        """Nothing is (or remains) to send: the call goes to the receiving part."""
        self.poll_wanted = False
        self._polls(theirs)

    def train(self, link: Link) -> None:
        """The page to send has been chosen for."""
        training = Training(self, link)
        self.station.part = training
        training.begin()

    def trained(self, link: Link) -> None:
        """CFR: the page."""
        self.identification.trained()
        self.send(link)

    def send(self, link: Link) -> None:
        """The page to send, over this link."""
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
        """DCS again for the page to send."""
        self._identify()
        self.identification.retrain(ground)

    def await_dis(self, ground: Ground) -> None:
        """After EOM."""
        self._identify()
        self.identification.await_dis(ground)

    def dis_in_place_of_answer(self, ground: Ground, fact: EventData) -> None:
        """The receiver began anew."""
        self._identify()
        self.identification.dis_in_place_of_answer(ground, fact)

    def _identify(self) -> None:
        self.station.part = self.identification

    def below(self, ground: Ground) -> Ground | None:
        """One rung down, None at the bottom."""
        self.station.retrainings += 1
        lower = ground.below()
        if lower is not None:
            self.station.note(
                "step_down", rate=lower.carrier.bit_rate, modulation=lower.carrier.modulation.value
            )
        return lower

    def cause_in_phase_b(self) -> Cause:
        """How the call has ended when the far end goes before the page, or before it once more."""
        station = self.station
        if station.phase is Phase.B and station.pages_sent == 0 and self.desk.times_sent == 0:
            return causes.HUNG_UP_BEFORE_PAGES
        return causes.HUNG_UP_AFTER_PAGE
