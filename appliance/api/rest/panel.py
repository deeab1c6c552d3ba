"""The front panel: what its lamps show, for the panel's own process and for owners without one."""

from __future__ import annotations

from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import array, choice, component, flag, integer, nullable, number, record, text
from appliance.api.rest.system import status_word
from appliance.api.rest.views import LINE, line_view, values
from appliance.box import Box
from appliance.numbers import NumberSettings
from appliance.panel.lamps import AnyLamp, LineLamp, Meaning
from appliance.panel.model import BoxContact, BoxView, Condition, line_views, meanings
from appliance.panel.settings import PanelSettings
from appliance.settings.accounts import Scope
from appliance.settings.secrets import SecretSettings
from appliance.spool.filters import JobFilter, ReceivedFilter
from appliance.spool.model import JobState

# The most faxes that are counted as under way.
MOST = 100

LAMP = component(
    "Lamp",
    record(
        {
            "lamp": text(20, help="which one"),
            "line": nullable(integer(help="of a line's lamp: which line, from 1")),
            "pattern": text(40, help="how it is lit, in words"),
            "lit": flag("of one that is steady"),
            "seconds": array(number(), help="lit, dark, lit …, from the beginning again; empty: steady"),
            "sentence": text(200, help="what it says"),
        }
    ),
)
PANEL = component(
    "Panel",
    record(
        {
            "status": choice(*values(Condition)),
            "lines": array(LINE),
            "sending": array(integer(), help="ids of the faxes that are being sent, the newest last"),
            "receiving": integer(help="calls that bring a fax"),
            "unread": integer(),
            "wants_person": integer(help="faxes that failed or whose fate is unknown, not looked at yet"),
            "setup": flag("the box waits for its first owner, or for a new one"),
            "region": text(2, help="country of the box, in whose language a display speaks; empty: none"),
            "lamps": array(LAMP),
        }
    ),
)


def view_of(box: Box) -> BoxView:
    """The state of the box for its panel."""
    health = box.health()
    sending: tuple[int, ...] = ()
    wanting = 0
    if not health.damage:
        jobs = box.faxes.search(JobFilter(states=frozenset({JobState.SENDING}), limit=MOST))
        sending = tuple(job.id for job in reversed(jobs))
        wanting = len(box.attention.unseen())
    calls = sum(line.state.calls for line in health.lines)
    return BoxView(
        contact=BoxContact.ANSWERS,
        condition=Condition(status_word(health)),
        lines=line_views([line_view(line, None) for line in health.lines]),
        sending=sending,
        receiving=max(0, calls - len(sending)),
        unread=health.unread,
        wants_person=wanting,
        setup=bool(box.settings.section(SecretSettings).setup_code_hash),
        region=box.settings.section(NumberSettings).region,
    )


def lamps_of(box: Box, view: BoxView) -> dict[AnyLamp, Meaning]:
    """What each lamp shows; lamps of lines as far as they are wired."""
    return meanings(view, len(box.settings.section(PanelSettings).line_leds))


def newest_received(box: Box) -> int | None:
    """The id of the newest received fax with pages; None without one."""
    found = box.inbox.search(ReceivedFilter(limit=MOST))
    return next((fax.id for fax in found if fax.ended_at and fax.pages), None)


def last_failed(box: Box) -> int | None:
    """The id of the fax that failed last; None without one."""
    found = box.faxes.search(JobFilter(states=frozenset({JobState.FAILED}), limit=1))
    return found[0].id if found else None


routes = Routes(tag="system", scope=Scope.ADMIN)


@routes("GET", "/panel", answer=PANEL)
def read_panel(call: Call) -> Answer:
    """Read what the lamps of the front panel show.

    The same whether the box has a panel or not.
    """
    view = view_of(call.box)
    return Answer(
        {
            "status": view.condition.value,
            "lines": [line_view(line, None) for line in call.box.lines()],
            "sending": list(view.sending),
            "receiving": view.receiving,
            "unread": view.unread,
            "wants_person": view.wants_person,
            "setup": view.setup,
            "region": view.region,
            "lamps": [
                {
                    "lamp": said.lamp,
                    "line": lamp.line + 1 if isinstance(lamp, LineLamp) else None,
                    "pattern": said.pattern.name,
                    "lit": said.pattern.lit,
                    "seconds": list(said.pattern.seconds),
                    "sentence": said.sentence,
                }
                for lamp, said in lamps_of(call.box, view).items()
            ],
        }
    )


@routes("POST", "/panel/looked", answer=PANEL)
def looked_at_failed(call: Call) -> Answer:
    """Mark the failed faxes as seen: the fault lamp goes out."""
    call.box.attention.mark_seen()
    call.note("panel.looked")
    return read_panel(call)
