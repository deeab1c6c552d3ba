"""Documents on offer: what callers that poll may fetch, each under a name."""

from __future__ import annotations

from appliance.api import intake, page_export
from appliance.api.causes import OFFER_NAME_TAKEN, TOO_MANY_OFFERS
from appliance.api.context import TURN_WAIT_S
from appliance.api.problems import Flaw, ProblemError
from appliance.api.rest.content import shown_as
from appliance.api.rest.newfax_schemas import FILE, upload_form
from appliance.api.rest.request_files import files_of
from appliance.api.rest.routes import Answer, Call, Routes, created
from appliance.api.rest.schemas import array, choice, component, record, request_object, text
from appliance.api.rest.views import properties_of, values
from appliance.dispatch.polling import NAME_PATTERN, make_offer, remove_offer
from appliance.documents.causes import DOCUMENT_GONE
from appliance.documents.rendered import RenderedDocument
from appliance.language import said
from appliance.records import view
from appliance.settings.accounts import Scope
from appliance.spool.options import Quality
from appliance.spool.remembered import NameTakenError, Offer, TooManyError

_WORDS = {
    "name": text(20, pattern=NAME_PATTERN, help="what a caller sends as SEP; empty: for those who send none"),
    "title": text(200, help="for people; the first file's name when left out"),
    "quality": choice(*values(Quality)),
}
OFFER = component("Offer", record(properties_of(Offer)))
NEW_OFFER = component("NewOffer", request_object({**_WORDS, "files": array(FILE, 200)}))
NEW_OFFER_FORM = component("NewOfferForm", upload_form(_WORDS))


routes = Routes(tag="polling", scope=Scope.ADMIN)


@routes("POST", "/polling", body=NEW_OFFER, form=NEW_OFFER_FORM, answer=OFFER, status=201)
def create_offer(call: Call) -> Answer:
    """Offer a document for polling.

    Whoever calls and asks for this name gets it. Answers when its pages are made.
    """
    name = call.body.get("name", "")
    if name in call.box.polling.by_name():
        raise _taken()
    stored = files_of(call.context, call.body.get("files", []), call.form)
    quality = Quality(call.body["quality"]) if "quality" in call.body else None
    try:
        # Its pages are made while the client waits: one such request at a time.
        with intake.discarded_on_error(call.context, stored), call.context.drawers.of(1, TURN_WAIT_S):
            offer = make_offer(
                call.box,
                call.caller.owner,
                intake.sources(stored),
                name=name,
                title=call.body.get("title", ""),
                quality=quality,
            )
    except NameTakenError:
        raise _taken() from None
    except TooManyError as error:
        raise ProblemError(TOO_MANY_OFFERS, str(error)) from None
    call.note("offer.create", object=f"offer:{offer.id}", detail=f"as {offer.name}")
    return created(view(offer), f"/polling/{offer.id}")


def _taken() -> ProblemError:
    return ProblemError(OFFER_NAME_TAKEN, flaws=(Flaw("name", said(OFFER_NAME_TAKEN.sentence)),))


@routes("GET", "/polling", answer=record({"polling": array(OFFER)}))
def list_offers(call: Call) -> Answer:
    """List the documents for polling."""
    return Answer({"polling": [view(offer) for offer in call.box.polling.every()]})


@routes("GET", "/polling/{id}", answer=OFFER)
def read_offer(call: Call) -> Answer:
    """Read a document for polling."""
    return Answer(view(_find(call)))


def _find(call: Call) -> Offer:
    return call.box.polling.get(call.arguments["id"])


@routes("GET", "/polling/{id}/document", media=("application/pdf",))
def read_offer_document(call: Call) -> Answer:
    """Read its pages as a PDF."""
    offer = _find(call)
    try:
        rendered = RenderedDocument.open(call.box.data / offer.rendered_path)
    except (OSError, ValueError):
        raise ProblemError(DOCUMENT_GONE) from None
    made = page_export.pdf_of(call.box, rendered.coded_pages(), offer.title, offer.created_at)
    return Answer(temporary_file=made, headers=shown_as(f"polling-{offer.id}.pdf"))


@routes("DELETE", "/polling/{id}", status=204)
def delete_offer(call: Call) -> Answer:
    """Withdraw a document from polling."""
    offer = remove_offer(call.box, call.arguments["id"])
    call.note("offer.delete", object=f"offer:{offer.id}", detail=f"was {offer.name}")
    return Answer()
