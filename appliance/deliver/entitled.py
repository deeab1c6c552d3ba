"""Who may hear of a fax: asked when a delivery is planned, and again at each of its tries.

Between the two lie hours or days, in which a user may be disabled and a key taken out of use.  Addresses that
an administrator wrote in a route, and those that came with the fax itself, are nobody's sign-in and stay.
"""

from __future__ import annotations

from appliance.language import said
from appliance.settings.accounts import ApiKey, Scope, User, scopes_of_key
from appliance.settings.secrets import user_named
from appliance.settings.store import SettingsStore
from appliance.spool.delivery import Delivery

# Keys of a delivery's payload: the user whose address the target is, the key whose webhook it is.
OF_USER, OF_KEY = "of_user", "of_key"
_JOB = "job."


def active_user(store: SettingsStore, name: str) -> User | None:
    """The user of this name who is not disabled."""
    user = user_named(store, name)
    return None if user is None or user.disabled else user


def hears_of(store: SettingsStore, key: ApiKey, kind: str) -> bool:
    """Whether the programs of a key may hear of events of this kind, by its scopes and its user's role."""
    scope = Scope.SEND if kind.startswith(_JOB) else Scope.RECEIVE
    return scope in scopes_of_key(key, user_named(store, key.account))


def reason_against(store: SettingsStore, delivery: Delivery) -> str:
    """Why the target may no longer hear of the fax, as a sentence; empty when it may."""
    name = delivery.payload.get(OF_USER)
    if name is not None:
        user = active_user(store, str(name))
        if user is None:
            return said("The user is no longer there, or disabled.")
        if user.email != delivery.target:
            return said("The user has another address now.")
    name = delivery.payload.get(OF_KEY)
    if name is not None:
        key = next((key for key in store.items(ApiKey).values() if key.name == name), None)
        if key is None or not hears_of(store, key, str(delivery.payload["event"])):
            return said("The key is no longer there, or may do less.")
        if key.webhook_url != delivery.target:
            return said("The key has another address now.")
    return ""
