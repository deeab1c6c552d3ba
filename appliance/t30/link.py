"""The result of negotiation and training, which page transfer uses: common capabilities, carrier, DCS."""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.t4.page import CodedPage
from appliance.t30.dce import Carrier
from appliance.t30.fields import Settings
from appliance.t30.ladder import below
from appliance.t30.negotiation import Common, FormatError, same_format, settings_for


@dataclass(frozen=True, slots=True)
class Ground:
    """What may be used with this receiver, and the carrier to use now."""

    common: Common
    carrier: Carrier
    takes_sub: bool
    takes_password: bool

    def below(self) -> Ground | None:
        """The same at the next lower carrier, None at the bottom."""
        lower = below(self.carrier, self.common.carriers)
        return None if lower is None else replace(self, carrier=lower)

    def link(self, page: CodedPage) -> Link:
        """The link to train for this page.  Raises FormatError when the receiver cannot take it."""
        return Link(self, settings_for(page, self.common, self.carrier))

    def fits(self, page: CodedPage) -> bool:
        """Whether the receiver takes this page as it is."""
        try:
            self.link(page)
        except FormatError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Link:
    """The settings of the DCS, and the capabilities that they were chosen from."""

    ground: Ground
    settings: Settings

    def on(self, ground: Ground) -> Link:
        """The same settings at the carrier of ``ground``, as after a CTC."""
        return Link(ground, replace(self.settings, carrier=ground.carrier))

    def serves(self, page: CodedPage) -> bool:
        """Whether this page may follow without a new DCS.  Raises FormatError as ``Ground.link`` does."""
        return same_format(self.settings, self.ground.link(page).settings)
