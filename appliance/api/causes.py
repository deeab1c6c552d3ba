"""Causes: why a request is refused: its form, its authentication, its limits."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare, user_mistake

REQUEST_INVALID = user_mistake(
    "request_invalid",
    "The request does not have the form that is needed.",
    "Compare it with the description of the interface; the answer says which part is wrong.",
)
REQUEST_TOO_LARGE = user_mistake(
    "request_too_large",
    "The request is larger than this box accepts.",
    "Send fewer or smaller files at a time.",
)
TLS_NEEDED = user_mistake(
    "tls_needed",
    "The box accepts this request over TLS only; it was not carried out.",
    "Write https:// instead of http://. The content of this request, such as a password, could be read on the"
    " way.",
)
REQUEST_INCOMPLETE = user_mistake(
    "request_incomplete",
    "The request broke off, or came too slowly.",
    "Check the network, then send it again.",
)
REQUEST_LENGTH_MISSING = user_mistake(
    "request_length_missing",
    "The request has no content, or does not state its length.",
    "Send the file as the content of the request, with its length.",
)
MEDIA_TYPE_UNSUPPORTED = user_mistake(
    "media_type_unsupported",
    "The request's content is of a kind that is not understood here.",
    "Set Content-Type to one that the description of the interface names.",
)
METHOD_NOT_ALLOWED = user_mistake(
    "method_not_allowed",
    "This address does not know this method.",
    "Use one of the methods that the Allow header names.",
)
NOT_FOUND = user_mistake(
    "not_found",
    "There is nothing here by this name or number.",
    "Check the address; it may have been deleted, or belong to someone else.",
)
NOT_SIGNED_IN = user_mistake(
    "not_signed_in",
    "This needs a valid key or a sign-in.",
    "Send the key as Authorization: Bearer, or sign in again.",
)
SIGN_IN_REFUSED = user_mistake(
    "sign_in_refused",
    "The name or the password is wrong.",
    "Check both, and whether Caps Lock is on.",
)
SETUP_CODE_WRONG = user_mistake(
    "setup_code_wrong",
    "This is not the set-up code, or it was used already.",
    "The box shows it at its first start; faxbox setup-code makes another.",
)
CODE_NEEDED = user_mistake(
    "code_needed",
    "A code from your authenticator app is needed, too.",
    "Type the six digits that the app shows now, or one of your recovery codes.",
)
CODE_WRONG = user_mistake(
    "code_wrong",
    "This code is wrong, or it was used before.",
    "Wait until the app shows the next one; the clocks of the telephone and of the box have to be right.",
)
CODE_TOO_LATE = user_mistake(
    "code_too_late",
    "The sign-in waited too long for its code, or the password was changed meanwhile.",
    "Begin again with your name and password.",
)
COOKIE_MISSING = user_mistake(
    "cookie_missing",
    "Your browser does not keep the cookie by which the box knows you after signing in.",
    "Allow cookies for this address in the browser's settings, then sign in again.",
)
PAGE_STALE = user_mistake(
    "page_stale",
    "This page belongs to a session that has ended.",
    "Load the page again.",
)
PREVIEW_CHANGED = user_mistake(
    "preview_changed",
    "The pages were changed meanwhile, perhaps in another window.",
    "Look at them as they are now, then send them.",
)
TOO_MANY_REQUESTS = declare(
    "too_many_requests",
    Side.USER,
    Retry.SOON,
    "There were more requests than this box allows.",
    "Wait as long as the Retry-After header says; the owner of the box can raise the limit.",
)
SIGN_IN_PAUSED = declare(
    "sign_in_paused",
    Side.USER,
    Retry.SOON,
    "There were too many failed sign-ins from this address.",
    "Wait five minutes. An administrator can give you a new password, and let you in without the app.",
)
IDEMPOTENCY_KEY_REUSED = user_mistake(
    "idempotency_key_reused",
    "This Idempotency-Key was used before for a different request.",
    "Make a new key for each fax, and send the old one only with the same request.",
)
SETTING_INVALID = user_mistake(
    "setting_invalid",
    "A value is not valid.",
    "Correct it; what is needed is said with it.",
)
CONDITION_NOT_MET = user_mistake(
    "condition_not_met",
    "The box gives no entity tags, so the condition (If-Match) cannot be met.",
    "Repeat the request without If-Match; the last change counts.",
)
STILL_NEEDED = user_mistake(
    "still_needed",
    "It is still needed as it is.",
    "Change what needs it first.",
)
PRACTICE_REFUSED = user_mistake(
    "practice_refused",
    "The practice line is switched off, or busy.",
    "Wait until its calls have ended, or switch it on (practice.enabled).",
)
NOT_AN_IMAGE = user_mistake(
    "not_an_image",
    "This machine was not made from the image, and is not updated from here.",
    "It is updated as any other program of Debian: apt install with the new package.",
)
# Refusals of an update of the image (``image_update.REFUSALS``).
UPDATE_NOT_ONE = user_mistake(
    "update_not_one",
    "This file is not an update of a faxbox.",
    "Choose the file that ends in .raucb, not an image of the card, a package or a backup.",
)
UPDATE_DAMAGED = user_mistake(
    "update_damaged",
    "This update is cut off or damaged.",
    "Fetch the file anew, and compare its size with the one that the maker of the image states.",
)
UPDATE_NOT_SIGNED = user_mistake(
    "update_not_signed",
    "This update is not signed by the maker of this image.",
    "Take only updates from where the image of this box came from;"
    " the same file will not do at a second try.",
)
UPDATE_CLOCK_WRONG = user_mistake(
    "update_clock_wrong",
    "By the clock of this box the signature of the update is not valid yet, or no longer.",
    "Compare the date of the box with the calendar: without a network it may be years behind. If it is right,"
    " ask the maker of the image for an update that is signed anew.",
)
UPDATE_FOR_ANOTHER_MACHINE = user_mistake(
    "update_for_another_machine",
    "This update is for another kind of machine.",
    "A Raspberry Pi takes the file named arm64; a virtual machine the one of its processor, arm64 or amd64.",
)
UPDATE_OLDER = user_mistake(
    "update_older",
    "This update is older than the version that runs.",
    "It may not be able to read the data of this version. If you want it all the same,"
    " install it as root with faxbox update --older.",
)
UPDATE_NOT_WRITTEN = declare(
    "update_not_written",
    Side.OURS,
    Retry.NO,
    "The update could not be written to the card.",
    "Try once more. If it fails again, make a backup and replace the card: it may be worn out.",
)
UPDATE_REFUSED = user_mistake(
    "update_refused",
    "The update could not be installed.",
    "Restart the box and try again. The log says more: journalctl -u faxbox-image-update -u rauc.",
)
UPDATE_UNDER_WAY = declare(
    "update_under_way",
    Side.USER,
    Retry.SOON,
    "An update is being installed already.",
    "Wait until the box has restarted.",
)
DISK_NOT_LOCKABLE = user_mistake(
    "disk_not_lockable",
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
OFFER_NAME_TAKEN = user_mistake(
    "offer_name_taken",
    "There is a document on offer under this name.",
    "Remove that one first, or choose another name.",
)
TOO_MANY_OFFERS = user_mistake(
    "too_many_offers",
    "As many documents are on offer as are allowed.",
    "Remove one that is no longer needed.",
)
