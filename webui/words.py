"""What scripts say.  ``words`` gives all of it in the reader's language; a page carries it along."""

from __future__ import annotations

from appliance.language import said as _


def words() -> dict[str, str]:
    """By name."""
    return {
        "saved": _("Saved."),
        "copied": _("Copied."),
        "undo": _("Undo"),
        "close": _("Close"),
        "unreachable": _("The box does not answer."),
        "unreachable_advice": _("It may be starting again; this page tries by itself."),
        "again": _("The box is back."),
        "wrong": _("This needs another look."),
    }
