"""The door ``/ictfax/api``: the ICTFax style's calls, as bottle carries them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from appliance.api.auth import Caller
from appliance.api.context import Context
from appliance.api.foreign import Answer, ForeignDoor
from appliance.api.ictfax.basic import BasicSessions
from appliance.api.ictfax.documents import DocumentCalls
from appliance.api.ictfax.faxes import FaxCalls
from appliance.api.ictfax.people import PeopleCalls
from appliance.api.ictfax.sending import SendingCalls
from appliance.api.ictfax.words import error_document, http_of
from appliance.api.problems import ProblemError
from appliance.settings.accounts import Scope

# The ids in addresses; longer ones were never given.
_ID = "[0-9]{1,15}"


def make_ictfax(context: Context) -> ForeignDoor:
    """The ICTFax style interface."""
    return IctfaxDoor(context)


class IctfaxDoor(ForeignDoor):
    """Addresses and who may ask for them; what they do is in the modules beside this one."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._basic = BasicSessions(context)
        people = PeopleCalls(self)
        documents = DocumentCalls(self)
        sending, faxes = SendingCalls(self, people), FaxCalls(self, people)
        send, receive = Scope.SEND, Scope.RECEIVE

        self.route("/authenticate", "POST", lambda: self.say(people.authenticate))
        self.route("/authenticate/cancel", "POST", lambda: self.say(lambda: Answer(True)))
        self._on("GET", "/accounts", None, people.accounts)
        self._on("GET", "/accounts/<account_id>", None, people.account)
        self._on("POST", "/contacts", send, people.add_contact)
        self._on("GET", "/contacts", send, people.contacts)
        self._on("GET", "/contacts/<contact_id>", send, people.contact)
        self._on("PUT", "/contacts/<contact_id>", send, people.change_contact)
        self._on("DELETE", "/contacts/<contact_id>", send, people.remove_contact)

        for path in ("/documents", "/messages/documents"):
            self._on("POST", path, send, documents.create)
            self._on("GET", path, send, documents.documents)
            self._on("GET", f"{path}/<document_id>", None, documents.read)
            self._on("PUT", f"{path}/<document_id>", send, documents.change)
            self._on("DELETE", f"{path}/<document_id>", send, documents.remove)
            self._on("GET", f"{path}/<document_id>/media", None, documents.download)
            self._on("POST", f"{path}/<document_id>/media", send, documents.append)
            self._on("PUT", f"{path}/<document_id>/media", send, documents.replace)

        self._on("POST", "/programs/sendfax", send, sending.create_program)
        self._on("GET", "/programs", send, sending.programs)
        self._on("GET", "/programs/sendfax", send, sending.programs)
        self._on("GET", "/programs/<program_id>", send, sending.program)
        self._on("DELETE", "/programs/<program_id>", send, sending.remove_program)

        one = "/transmissions/<transmission_id>"
        self._on("POST", "/transmissions", send, sending.create)
        self._on("GET", "/transmissions", None, faxes.transmissions)
        self._on("GET", "/faxes", None, faxes.transmissions)
        self._on("GET", one, None, faxes.transmission)
        self._on("DELETE", one, None, sending.remove)
        self._on("POST", f"{one}/send", send, sending.send)
        self._on("POST", f"{one}/retry", send, sending.send)
        self._on("PUT", f"{one}/schedule", send, sending.schedule)
        self._on("DELETE", f"{one}/schedule", send, sending.unschedule)
        self._on("GET", f"{one}/status", None, faxes.status)
        for word in ("result", "results"):
            self._on("GET", f"{one}/{word}", None, faxes.results)
        for word in ("logs", "detail", "spools"):
            self._on("GET", f"{one}/{word}", None, faxes.calls)

        self._on("POST", "/fax/send", send, sending.one_step)
        self._on("GET", "/fax", None, faxes.faxes)
        self._on("GET", "/fax/received", receive, faxes.received)
        self._on("GET", "/fax/<fax_id>", None, faxes.read)
        self._on("GET", "/fax/<fax_id>/media", None, faxes.download)

    def token(self, environ: dict[str, Any]) -> str | None:
        return self._basic.token(environ)

    def refuse(self, problem: ProblemError) -> Answer:
        return Answer(error_document(problem), status=int(http_of(problem)))

    def _on(self, method: str, path: str, scope: Scope | None, handler: Callable[..., Answer]) -> None:
        """A call of somebody who is known; names in the path are ids.  ``scope`` None: the handler asks."""
        pattern = path.replace("_id>", f"_id:re:{_ID}>")

        def callback(**ids: str) -> bytes:
            def known(caller: Caller) -> Answer:
                if scope is not None:
                    caller.require(scope)
                return handler(caller, **{name: int(value) for name, value in ids.items()})

            return self.carry(known)

        self.route(pattern, method, callback)
        self.route(f"{pattern}/", method, callback)
