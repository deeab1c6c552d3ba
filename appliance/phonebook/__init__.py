"""The phone book: contacts, groups of them, and broadcasts to groups."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.settings.fields import setting


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or company in the phone book."""

    number: str = setting(help="fax number", max_length=64)
    first_name: str = setting("", "given name", max_length=100)
    last_name: str = setting("", "family name", max_length=100)
    company: str = setting("", "company or department", max_length=100)
    email: str = setting("", "e-mail address", max_length=254)
    notes: str = setting("", "for people only", max_length=2000, lines=True)
    owner: str = setting("", "user it belongs to; empty: everyone", max_length=64)

    @property
    def name(self) -> str:
        """First and last name, else the company."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.company


@dataclass(frozen=True, slots=True)
class ContactGroup:
    """Contacts that get faxes together."""

    name: str = setting(help="name of the group", max_length=100)
    contact_ids: tuple[int, ...] = setting((), "the contacts that are in it")
    owner: str = setting("", "user it belongs to; empty: everyone", max_length=64)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A broadcast of one stored document to a group (an idea of the ICTFax style interface)."""

    name: str = setting(help="name of the campaign", max_length=300)
    program_id: int = setting(0, "the program that is sent", minimum=0)
    group_id: int = setting(0, "the group that it is sent to", minimum=0)
    tries: int = setting(0, "calls each fax may take; 0: as the settings say", minimum=0, maximum=50)
    submission_ids: tuple[int, ...] = setting((), "the submissions made by its starts")
    owner: str = setting("", "user it belongs to; empty: everyone", max_length=64)
