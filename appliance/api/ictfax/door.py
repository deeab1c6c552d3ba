"""The door ``/ictfax/api``: the ICTFax style's calls, as bottle carries them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from appliance.api.auth import Caller
from appliance.api.context import Context
from appliance.api.foreign import ForeignAnswer, ForeignDoor
from appliance.api.ictfax.accounts import AccountCalls
from appliance.api.ictfax.basic import BasicSessions
from appliance.api.ictfax.campaigns import CampaignCalls
from appliance.api.ictfax.documents import DocumentCalls
from appliance.api.ictfax.faxes import FaxCalls
from appliance.api.ictfax.group_files import GroupFileCalls
from appliance.api.ictfax.groups import GroupCalls
from appliance.api.ictfax.one_step import OneStepCall
from appliance.api.ictfax.people import PeopleCalls
from appliance.api.ictfax.programs import ProgramCalls
from appliance.api.ictfax.sending import SendingCalls
from appliance.api.ictfax.system import SystemCalls
from appliance.api.ictfax.words import error_document, http_of
from appliance.api.problems import ProblemError
from appliance.settings.accounts import Scope

# Ids in paths; longer ones are never given out.
_ID = "[0-9]{1,15}"


class IctfaxDoor(ForeignDoor):
    """The ICTFax style interface: its paths, and the scope that each needs."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._basic = BasicSessions(context)
        people = PeopleCalls(self)
        groups, programs = GroupCalls(self, people), ProgramCalls(self, people)
        campaigns = CampaignCalls(self, groups, programs)
        self.route("/authenticate", "POST", lambda: self.say(people.authenticate))
        self.route("/authenticate/cancel", "POST", lambda: self.say(lambda: ForeignAnswer(True)))
        self._route_people(people, AccountCalls(self, people), groups)
        self._route_documents(DocumentCalls(self), programs)
        self._route_transmissions(SendingCalls(self, people, programs), FaxCalls(self, people))
        self._route_campaigns(campaigns)
        self._route_system(SystemCalls(self, people, campaigns))

    def _route_people(self, people: PeopleCalls, accounts: AccountCalls, groups: GroupCalls) -> None:
        files = GroupFileCalls(self, groups)
        send = Scope.SEND
        self._on("GET", "/accounts", None, accounts.accounts)
        self._on("POST", "/accounts", None, accounts.create)
        self._on("GET", "/accounts/<account_id>", None, accounts.account)
        self._on("PUT", "/accounts/<account_id>", None, accounts.change_account)
        self._on("GET", "/users", None, accounts.users)
        self._on("POST", "/users", None, accounts.create)
        self._on("GET", "/users/<user_id>", None, accounts.user)
        self._on("PUT", "/users/<user_id>", None, accounts.change_user)
        self._on("POST", "/contacts", send, people.add_contact)
        self._on("GET", "/contacts", send, people.contacts)
        self._on("GET", "/contacts/<contact_id>", send, people.contact)
        self._on("PUT", "/contacts/<contact_id>", send, people.change_contact)
        self._on("DELETE", "/contacts/<contact_id>", send, people.owned.remove)
        self._on("PUT", "/contacts/<contact_id>/link/<group_id>", send, groups.link)
        self._on("DELETE", "/contacts/<contact_id>/link/<group_id>", send, groups.unlink)
        self._on("POST", "/groups", send, groups.create)
        self._on("GET", "/groups", send, groups.groups)
        self._on("GET", "/groups/sample/csv", send, files.sample)
        for method in ("POST", "PUT"):
            self._on(method, "/groups/<group_id>/csv", send, files.take)
        self._on("GET", "/groups/<group_id>/csv", send, files.give)
        self._on("GET", "/groups/<group_id>", send, groups.group)
        self._on("PUT", "/groups/<group_id>", send, groups.change)
        self._on("DELETE", "/groups/<group_id>", send, groups.owned.remove)
        self._on("GET", "/groups/<group_id>/contacts", send, groups.contacts)

    def _route_documents(self, documents: DocumentCalls, programs: ProgramCalls) -> None:
        send = Scope.SEND
        for path in ("/documents", "/messages/documents"):
            self._on("POST", path, send, documents.create)
            self._on("GET", path, send, documents.documents)
            self._on("GET", f"{path}/<document_id>", None, documents.read)
            self._on("PUT", f"{path}/<document_id>", send, documents.change)
            self._on("DELETE", f"{path}/<document_id>", send, documents.remove)
            self._on("GET", f"{path}/<document_id>/media", None, documents.download)
            self._on("POST", f"{path}/<document_id>/media", send, documents.append)
            self._on("PUT", f"{path}/<document_id>/media", send, documents.replace)

        self._on("POST", "/programs/sendfax", send, programs.create)
        self._on("POST", "/programs/faxtoemail", None, programs.create_route)
        self._on("GET", "/programs", send, programs.programs)
        self._on("GET", "/programs/sendfax", send, programs.sendfax)
        self._on("GET", "/programs/faxtoemail", send, programs.faxtoemail)
        self._on("GET", "/programs/<program_id>", send, programs.program)
        self._on("PUT", "/programs/<program_id>", send, programs.change)
        self._on("DELETE", "/programs/<program_id>", send, programs.remove)

    def _route_transmissions(self, sending: SendingCalls, faxes: FaxCalls) -> None:
        send, one = Scope.SEND, "/transmissions/<transmission_id>"
        self._on("POST", "/transmissions", send, sending.create)
        self._on("PUT", "/programs/<program_id>/transmissions", send, sending.create_of)
        self._on("GET", "/transmissions", None, faxes.transmissions)
        self._on("GET", "/faxes", None, faxes.transmissions)
        self._on("GET", one, None, faxes.transmission)
        self._on("PUT", one, send, sending.change)
        self._on("DELETE", one, None, sending.remove)
        self._on("GET", f"{one}/clone", send, sending.clone)
        self._on("POST", f"{one}/send", send, sending.send)
        self._on("POST", f"{one}/retry", send, sending.send)
        self._on("PUT", f"{one}/schedule", send, sending.schedule)
        self._on("DELETE", f"{one}/schedule", send, sending.unschedule)
        self._on("GET", f"{one}/status", None, faxes.status)
        for word in ("result", "results"):
            self._on("GET", f"{one}/{word}", None, faxes.results)
        for word in ("logs", "detail", "spools"):
            self._on("GET", f"{one}/{word}", None, faxes.calls)

        self._on("POST", "/fax/send", send, OneStepCall(self).send)
        self._on("GET", "/fax", None, faxes.faxes)
        self._on("GET", "/fax/received", Scope.RECEIVE, faxes.received)
        self._on("GET", "/fax/<fax_id>", None, faxes.read)
        self._on("GET", "/fax/<fax_id>/media", None, faxes.download)

    def _route_campaigns(self, campaigns: CampaignCalls) -> None:
        send, one = Scope.SEND, "/campaigns/<campaign_id>"
        self._on("POST", "/campaigns", send, campaigns.create)
        self._on("GET", "/campaigns", send, campaigns.campaigns)
        self._on("GET", one, send, campaigns.campaign)
        self._on("PUT", one, send, campaigns.change)
        self._on("DELETE", one, send, campaigns.remove)
        self._on("GET", f"{one}/status", send, campaigns.status_of)
        self._on("PUT", f"{one}/start", send, campaigns.start)
        self._on("PUT", f"{one}/stop", send, campaigns.stop)
        self._on("POST", f"{one}/start/schedule", send, campaigns.schedule)
        self._on("DELETE", f"{one}/schedule", send, campaigns.stop)

    def _route_system(self, system: SystemCalls) -> None:
        send = Scope.SEND
        self._on("GET", "/statistics", send, system.statistics)
        self._on("GET", "/providers", send, system.providers)
        self._on("GET", "/providers/<provider_id>", send, system.provider)
        self._on("GET", "/dids", send, system.dids)
        self._on("GET", "/extensions", send, system.nothing)

    def token(self, environ: dict[str, Any]) -> str | None:
        """The API key of a request, from HTTP Basic authentication; None without one."""
        return self._basic.token(environ)

    def refuse(self, problem: ProblemError) -> ForeignAnswer:
        """A refusal in this interface's form."""
        return ForeignAnswer(error_document(problem), status=int(http_of(problem)))

    def _on(self, method: str, path: str, scope: Scope | None, handler: Callable[..., ForeignAnswer]) -> None:
        """Adds an authenticated call, whose handler gets the ids in the path in their order.

        ``scope`` None: the handler checks.
        """
        pattern = path.replace("_id>", f"_id:re:{_ID}>")

        def callback(**ids: str) -> bytes:
            def known(caller: Caller) -> ForeignAnswer:
                if scope is not None:
                    caller.require(scope)
                return handler(caller, *map(int, ids.values()))

            return self.carry(known)

        self.route(pattern, method, callback)
        self.route(f"{pattern}/", method, callback)
