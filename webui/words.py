"""The sentences of the scripts.  ``words`` returns them in the reader's language; each page contains them."""

from __future__ import annotations

from appliance.language import marked as _
from appliance.language import said

_WORDS = {
    "saved": _("Saved."),
    "typed": _("Your sign-in had ended. What you typed is here again; it is not saved yet."),
    "signed_out": _("Your sign-in has ended. What you typed comes back after signing in."),
    "sign_in": _("Sign in"),
    "files_again": _("Your sign-in had ended. Choose the file again."),
    "gone": _("This fax is not here any more; somebody has deleted it, or it is no longer yours."),
    "copied": _("Copied."),
    "undo": _("Undo"),
    "close": _("Close"),
    "draft_gone": _(
        "This draft is not here any more: it was sent or thrown away, perhaps in another window."
    ),
    "draft_gone_advice": _("Look into the list Sent; for another fax load this page again."),
    "unreachable": _("The box does not answer."),
    "unreachable_advice": _("It may be starting again; this page tries by itself."),
    "unreachable_press": _("It may be starting again: wait a moment, then press once more."),
    "unreachable_upload": _("Wait a moment, then hand the file over once more."),
    "again": _("The box is back."),
    "note_off": _("The note is taken off."),
    "wrong": _("This needs another look."),
    "replace": _("Somebody else has changed this meanwhile:\n\n{fields}\n\nReplace it by what you typed?"),
    "not_the_same": _("The two passphrases are not the same."),
    "page": _("Page"),
    "one_page": _("1 page"),
    "pages": _("{count} pages"),
    "about_seconds": _("about {count} s on the line"),
    "about_minutes": _("about {count} min on the line"),
    "ends_at": _("until about {time}"),
    "thrown_away": _("Thrown away."),
    "deleted": _("Deleted."),
    "ask_cancel": _("Cancel what is chosen? What has not gone out yet will not go out."),
    "forwarded": _("Forwarded: {count}"),
    "remove": _("Remove"),
    "dials": _("dials"),
    "practice": _("the practice machine, nothing leaves the box"),
    "quarantined": _("not dialled for a while, it failed too often"),
    "delivered_once": _("delivered once"),
    "delivered_before": _("delivered {count} times"),
    "usual_seconds": _("usually {count} s a page"),
    "member": _("1 recipient"),
    "members": _("{count} recipients"),
    "cover": _("Cover page"),
    "turn": _("Turn"),
    "darker": _("Darker"),
    "lighter": _("Lighter"),
    "as_photo": _("As photo"),
    "as_text": _("As text"),
    "up": _("Up"),
    "down": _("Down"),
    "leave_out": _("Leave out"),
    "left_out": _("Left out"),
    "put_back": _("Put back"),
    "found_one": _("1 fax found"),
    "found": _("{count} faxes found"),
    "found_more": _("more than {count} faxes found"),
    "chosen": _("{count} chosen"),
    "marked": _("Marked."),
    "moved": _("{name} is number {place} now."),
}


def words() -> dict[str, str]:
    """The sentences by name."""
    return {name: said(sentence) for name, sentence in _WORDS.items()}
