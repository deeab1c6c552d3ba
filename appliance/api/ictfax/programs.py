"""Programs: ``sendfax`` names a stored document to send, ``faxtoemail`` is a route of received faxes."""

from __future__ import annotations

from typing import Any

from appliance.api.auth import Caller
from appliance.api.causes import NOT_FOUND
from appliance.api.foreign import ForeignAnswer, ForeignDoor
from appliance.api.foreign_fields import LINE_LIMIT, number, text
from appliance.api.ictfax.objects import ROUTE_PROGRAMS, program_object, route_program
from appliance.api.ictfax.people import PeopleCalls, asked
from appliance.api.ictfax.words import LIST_LIMIT, NUMBER_LIMIT, MissingError, needed_id
from appliance.api.problems import ProblemError
from appliance.deliver.settings import DeliveryRoute
from appliance.settings.accounts import Scope, User
from appliance.spool.remembered import Program


class ProgramCalls:
    """Handlers of the door; each gets the caller."""

    def __init__(self, door: ForeignDoor, people: PeopleCalls) -> None:
        self._door = door
        self._people = people

    def create(self, caller: Caller) -> ForeignAnswer:
        """Makes a ``sendfax`` program."""
        box, fields = self._door.box, asked(self._door)
        document = box.documents.get(needed_id(fields, "document_id"), caller.sees)
        name = text(fields, "name", LINE_LIMIT) or document.name
        return ForeignAnswer(box.documents.create_program(document.owner, name, document.id).id)

    def create_route(self, caller: Caller) -> ForeignAnswer:
        """Makes a ``faxtoemail`` program: faxes to the account's number go to its user and its address."""
        caller.require(Scope.ADMIN)  # a route decides who may read a fax
        fields = asked(self._door)
        account_id = number(fields, "account_id") or caller.user_id
        user = self._door.box.settings.items(User).get(account_id or 0)
        if user is None:
            raise ProblemError(NOT_FOUND, f"account {account_id or 0}")
        dialled = text(fields, "phone", NUMBER_LIMIT) or user.caller_number
        if not dialled:
            raise MissingError("phone, which the account has not either,")
        address = text(fields, "email", LINE_LIMIT)
        route = DeliveryRoute(
            name=text(fields, "name", LINE_LIMIT) or f"Faxes to {user.name}",
            dialled=("".join(letter for letter in dialled if letter.isdecimal() or letter in "+*#"),),
            user=user.name,
            emails=(address,) if address else (),
        )
        route_id = self._door.box.settings.add(route)
        self._door.audit(caller, "route.create", f"route:{route_id}", f"to {user.name}")
        return ForeignAnswer(route_id + ROUTE_PROGRAMS)

    def programs(self, caller: Caller) -> ForeignAnswer:
        """The caller's own programs, and for an administrator the routes of received faxes."""
        return ForeignAnswer(self._sendfax(caller) + self._faxtoemail(caller))

    def sendfax(self, caller: Caller) -> ForeignAnswer:
        """Lists the caller's programs that send a document."""
        return ForeignAnswer(self._sendfax(caller))

    def faxtoemail(self, caller: Caller) -> ForeignAnswer:
        """Lists the routes of received faxes, as programs; none for callers that are no administrators."""
        return ForeignAnswer(self._faxtoemail(caller))

    def _sendfax(self, caller: Caller) -> list[dict[str, Any]]:
        found = self._door.box.documents.programs(caller.owner, LIST_LIMIT)
        return [program_object(program) for program in found]

    def _faxtoemail(self, caller: Caller) -> list[dict[str, Any]]:
        if not caller.may(Scope.ADMIN):
            return []
        routes = self._door.box.settings.items(DeliveryRoute).items()
        return [self._route_shown(route_id, route) for route_id, route in routes if route.user]

    def _route_shown(self, route_id: int, route: DeliveryRoute) -> dict[str, Any]:
        return route_program(route_id, route, self._people.account_id(route.user))

    def program(self, caller: Caller, program_id: int) -> ForeignAnswer:
        """Answers a program."""
        if program_id > ROUTE_PROGRAMS:
            return ForeignAnswer(
                self._route_shown(program_id - ROUTE_PROGRAMS, self._route(caller, program_id))
            )
        return ForeignAnswer(program_object(self.find(caller, program_id)))

    def change(self, caller: Caller, program_id: int) -> ForeignAnswer:
        """Changes name or document."""
        box, fields = self._door.box, asked(self._door)
        if program_id > ROUTE_PROGRAMS:
            self._route(caller, program_id)
            route_id = program_id - ROUTE_PROGRAMS
            name = {"name": text(fields, "name", LINE_LIMIT)} if fields.get("name") else {}
            changed = box.settings.update(DeliveryRoute, route_id, name)
            self._door.audit(caller, "route.change", f"route:{route_id}", "name")
            return ForeignAnswer(self._route_shown(route_id, changed))
        program = self.find(caller, program_id)
        document_id = number(fields, "document_id") or program.document_id
        if document_id != program.document_id:
            document = box.documents.get(document_id, caller.sees)
            if document.owner != program.owner:
                raise ProblemError(NOT_FOUND, f"document {document_id}")
        name_now = text(fields, "name", LINE_LIMIT) or program.name
        return ForeignAnswer(program_object(box.documents.change_program(program_id, name_now, document_id)))

    def remove(self, caller: Caller, program_id: int) -> ForeignAnswer:
        """Deletes a program, or the route that it stands for."""
        if program_id > ROUTE_PROGRAMS:
            self._route(caller, program_id)
            self._door.box.settings.remove(DeliveryRoute, program_id - ROUTE_PROGRAMS)
            self._door.audit(caller, "route.delete", f"route:{program_id - ROUTE_PROGRAMS}")
            return ForeignAnswer(True)
        self._door.box.documents.delete_program(program_id, caller.sees)
        return ForeignAnswer(True)

    def find(self, caller: Caller, program_id: int) -> Program:
        """A ``sendfax`` program that the caller may use.  Raises NotFoundError."""
        return self._door.box.documents.program(program_id, caller.sees)

    def _route(self, caller: Caller, program_id: int) -> DeliveryRoute:
        route = self._door.box.settings.items(DeliveryRoute).get(program_id - ROUTE_PROGRAMS)
        if route is None or not caller.may(Scope.ADMIN):
            raise ProblemError(NOT_FOUND, f"program {program_id}")
        return route
