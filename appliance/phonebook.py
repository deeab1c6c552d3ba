"""The phone book: people, and groups that are written to together."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.settings.fields import setting


@dataclass(frozen=True, slots=True)
class Contact:
    """Someone in the phone book."""

    number: str = setting(help="fax number", max_length=64)
    first_name: str = setting("", "given name", max_length=100)
    last_name: str = setting("", "family name", max_length=100)
    company: str = setting("", "company or department", max_length=100)
    email: str = setting("", "e-mail address", max_length=254)
    notes: str = setting("", "for people only", max_length=2000)
    owner: str = setting("", "user it belongs to; empty: everyone", max_length=64)

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.company


@dataclass(frozen=True, slots=True)
class ContactGroup:
    """Contacts that are written to together."""

    name: str = setting(help="name of the group", max_length=100)
    contact_ids: tuple[int, ...] = setting((), "ids of contacts")
    owner: str = setting("", "user it belongs to; empty: everyone", max_length=64)
