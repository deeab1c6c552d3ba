"""Causes: why a request is refused: its form, its authentication, its limits."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare

REQUEST_INVALID = declare(
    "request_invalid",
    Side.USER,
    Retry.NO,
    "The request does not have the form that is needed.",
    "Compare it with the description of the interface; the answer says which part is wrong.",
)
REQUEST_TOO_LARGE = declare(
    "request_too_large",
    Side.USER,
    Retry.NO,
    "The request is larger than this box accepts.",
    "Send fewer or smaller files at a time.",
)
TLS_NEEDED = declare(
    "tls_needed",
    Side.USER,
    Retry.NO,
    "The box accepts this request over TLS only; it was not carried out.",
    "Write https:// instead of http://. The content of this request, such as a password, could be read on the"
    " way.",
)
REQUEST_INCOMPLETE = declare(
    "request_incomplete",
    Side.USER,
    Retry.NO,
    "The request broke off, or came too slowly.",
    "Check the network, then send it again.",
)
REQUEST_LENGTH_MISSING = declare(
    "request_length_missing",
    Side.USER,
    Retry.NO,
    "The request has no content, or does not state its length.",
    "Send the file as the content of the request, with its length.",
)
MEDIA_TYPE_UNSUPPORTED = declare(
    "media_type_unsupported",
    Side.USER,
    Retry.NO,
    "The request's content is of a kind that is not understood here.",
    "Set Content-Type to one that the description of the interface names.",
)
METHOD_NOT_ALLOWED = declare(
    "method_not_allowed",
    Side.USER,
    Retry.NO,
    "This address does not know this method.",
    "Use one of the methods that the Allow header names.",
)
NOT_FOUND = declare(
    "not_found",
    Side.USER,
    Retry.NO,
    "There is nothing here by this name or number.",
    "Check the address; it may have been deleted, or belong to someone else.",
)
NOT_SIGNED_IN = declare(
    "not_signed_in",
    Side.USER,
    Retry.NO,
    "This needs a valid key or a sign-in.",
    "Send the key as Authorization: Bearer, or sign in again.",
)
SIGN_IN_REFUSED = declare(
    "sign_in_refused",
    Side.USER,
    Retry.NO,
    "The name or the password is wrong.",
    "Check both, and whether Caps Lock is on.",
)
SETUP_CODE_WRONG = declare(
    "setup_code_wrong",
    Side.USER,
    Retry.NO,
    "This is not the set-up code, or it was used already.",
    "The box shows it at its first start; faxbox setup-code makes another.",
)
CODE_NEEDED = declare(
    "code_needed",
    Side.USER,
    Retry.NO,
    "A code from your authenticator app is needed, too.",
    "Type the six digits that the app shows now, or one of your recovery codes.",
)
CODE_WRONG = declare(
    "code_wrong",
    Side.USER,
    Retry.NO,
    "This code is wrong, or it was used before.",
    "Wait until the app shows the next one; check that the telephone's clock is right.",
)
PAGE_STALE = declare(
    "page_stale",
    Side.USER,
    Retry.NO,
    "This page belongs to a session that has ended.",
    "Load the page again.",
)
TOO_MANY_REQUESTS = declare(
    "too_many_requests",
    Side.USER,
    Retry.SOON,
    "There were more requests than this box allows.",
    "Wait as long as the Retry-After header says; the owner of the box can raise the limit.",
)
IDEMPOTENCY_KEY_REUSED = declare(
    "idempotency_key_reused",
    Side.USER,
    Retry.NO,
    "This Idempotency-Key was used before for a different request.",
    "Make a new key for each fax, and send the old one only with the same request.",
)
SETTING_INVALID = declare(
    "setting_invalid",
    Side.USER,
    Retry.NO,
    "A value is not valid.",
    "The answer says which one and what is needed.",
)
NOT_AN_IMAGE = declare(
    "not_an_image",
    Side.USER,
    Retry.NO,
    "This machine was not made from the image, and is not updated from here.",
    "It is updated as any other program of Debian: apt install with the new package.",
)
UPDATE_UNDER_WAY = declare(
    "update_under_way",
    Side.USER,
    Retry.SOON,
    "An update is being installed already.",
    "Wait until the box has restarted.",
)
DISK_NOT_LOCKABLE = declare(
    "disk_not_lockable",
    Side.USER,
    Retry.NO,
    "The disk of this machine cannot be encrypted from here.",
    "This is for machines made from the image; elsewhere let the system encrypt the disk (LUKS).",
)
DISK_LOCKED = declare(
    "disk_locked",
    Side.USER,
    Retry.SOON,
    "The box waits for the passphrase or the USB stick of its encrypted disk.",
    "Open its page in a browser and type the passphrase, or plug in the stick.",
)
DISK_LOCK_UNDER_WAY = declare(
    "disk_lock_under_way",
    Side.USER,
    Retry.SOON,
    "The encryption of the disk is being changed already.",
    "Wait until that is done.",
)
REQUEST_FAULT = declare(
    "request_fault",
    Side.OURS,
    Retry.NO,
    "This box made a mistake while it handled the request.",
    "Please report it to the makers with the time; the box's log says more.",
)
OFFER_NAME_TAKEN = declare(
    "offer_name_taken",
    Side.USER,
    Retry.NO,
    "There is a document on offer under this name.",
    "Remove that one first, or choose another name.",
)
TOO_MANY_OFFERS = declare(
    "too_many_offers",
    Side.USER,
    Retry.NO,
    "As many documents are on offer as are allowed.",
    "Remove one that is no longer needed.",
)
