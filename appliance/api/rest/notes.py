"""Notes on faxes: reading, writing and removing them, the same for sent and received ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from appliance.api.problems import ProblemError
from appliance.api.rest import faxes, received
from appliance.api.rest.checking import flaw
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import array, component, record, request_object, text
from appliance.api.rest.views import properties_of
from appliance.language import said
from appliance.records import view
from appliance.services.causes import NOT_PERMITTED
from appliance.settings.accounts import Scope
from appliance.spool.model import NOTE_LIMIT, Job, Note, Received

_Find = Callable[[Call], Job | Received]
routes = Routes("faxes")

NOTE = component("Note", record(properties_of(Note)))


def _add_routes(path: str, tag: str, name: str, scope: Scope, find: _Find) -> None:
    """Adds the routes of the notes on one kind of fax."""
    shared: dict[str, Any] = {"tag": tag, "scope": scope}

    @routes("GET", f"{path}/notes", name=f"list{name}Notes", **shared, answer=record({"notes": array(NOTE)}))
    def index(call: Call) -> Answer:
        """List the notes on a fax, oldest first."""
        return Answer({"notes": [view(note) for note in call.box.notes.of(find(call))]})

    @routes(
        "POST",
        f"{path}/notes",
        name=f"create{name}Note",
        **shared,
        body=request_object({"text": text(NOTE_LIMIT, least=1)}, required=("text",)),
        answer=NOTE,
        status=201,
    )
    def add(call: Call) -> Answer:
        """Add a note to a fax.

        Whoever may see the fax sees its notes. Their words find it, unless the box encrypts what it stores.
        """
        fax = find(call)
        words = call.body["text"].strip()
        if not words:
            raise flaw("text", said("something must stand here"))
        made = call.box.notes.add(fax, call.caller.who, words)
        call.note("note.add", object=f"fax:{fax.id}")
        return Answer(view(made))

    @routes("DELETE", f"{path}/notes/{{note}}", name=f"delete{name}Note", **shared, status=204)
    def remove(call: Call) -> Answer:
        """Delete a note.

        Its writer and administrators may.
        """
        fax = find(call)
        note = call.box.notes.get(fax, call.arguments["note"])
        if note.who != call.caller.who and not call.caller.may(Scope.ADMIN):
            raise ProblemError(NOT_PERMITTED, "only its writer and administrators take a note off")
        call.box.notes.remove(fax, note.id)
        call.note("note.remove", object=f"fax:{fax.id}", detail=f"of {note.who}")
        return Answer()


_add_routes("/faxes/{id}", "faxes", "Fax", Scope.SEND, faxes.find)
_add_routes("/received/{id}", "received", "Received", Scope.RECEIVE, received.find)
