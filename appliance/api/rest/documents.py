"""Documents that are stored on their own, to be sent later, perhaps several times."""

from __future__ import annotations

from appliance.api import intake
from appliance.api.rest.newfax_schemas import FILE, upload_form
from appliance.api.rest.queries import BEFORE, LIMIT, page_of, part_of_list
from appliance.api.rest.request_files import files_of
from appliance.api.rest.routes import Answer, Call, Routes, created
from appliance.api.rest.schemas import array, component, request_object, text
from appliance.api.rest.views import DOCUMENT, listing
from appliance.records import view
from appliance.settings.accounts import Scope

_WORDS = {"name": text(255), "description": text(2000)}
NEW_DOCUMENT = component("NewDocument", request_object({**_WORDS, "files": array(FILE, 200)}))
NEW_DOCUMENT_FORM = component("NewDocumentForm", upload_form(_WORDS))


routes = Routes(tag="documents", scope=Scope.SEND)


@routes("POST", "/documents", body=NEW_DOCUMENT, form=NEW_DOCUMENT_FORM, answer=DOCUMENT, status=201)
def create_document(call: Call) -> Answer:
    """Store a document."""
    stored = files_of(call.context, call.body.get("files", []), call.form)
    with intake.discarded_on_error(call.context, stored):
        document = call.box.documents.create(
            call.caller.owner,
            intake.sources(stored),
            name=call.body.get("name", "") or stored[0].file.name,
            description=call.body.get("description", ""),
        )
    call.note("document.create", object=f"document:{document.id}")
    return created(view(document), f"/documents/{document.id}")


@routes("GET", "/documents", query=(BEFORE, LIMIT), answer=listing("documents", DOCUMENT))
def list_documents(call: Call) -> Answer:
    """List your documents."""
    found = call.box.documents.search(call.caller.owner, **part_of_list(call))
    return page_of(call, "documents", [view(document) for document in found])


@routes("GET", "/documents/{id}", answer=DOCUMENT)
def read_document(call: Call) -> Answer:
    """Read a stored document."""
    return Answer(view(call.box.documents.get(call.arguments["id"], call.caller.sees)))
