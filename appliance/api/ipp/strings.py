"""The texts for this printer's own keywords: a strings file in each language.

PWG 5100.13 5.6: ``printer-strings-uri`` names it; lines of ``"attribute.keyword" = "text";``, in UTF-8.
"""

from __future__ import annotations

import re

from appliance.language import codes, said, speak

MEDIA_TYPE = "text/strings"
_PATH = re.compile(r"/([a-z]{2,3})\.strings")


def path_of(language: str) -> str:
    """The path of the file in this language, below the door's prefix."""
    return f"/{language}.strings"


def language_at(path: str) -> str | None:
    """The language of the strings file with this path, None when there is none."""
    found = _PATH.fullmatch(path)
    return found[1] if found and found[1] in codes() else None


def strings(language: str) -> bytes:
    """The file in one of the box's languages."""
    speak(language)
    return "".join(f'"{keyword}" = "{_quoted(text)}";\n' for keyword, text in _texts().items()).encode()


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _texts() -> dict[str, str]:
    return {
        "printer-state-reasons.connecting-to-device-warning": said("No telephone line works"),
        "printer-state-reasons.spool-area-full-error": said("The box takes no faxes now"),
        "job-state-reasons.job-incoming": said("The document is coming in"),
        "job-state-reasons.job-transforming": said("The pages are being made"),
        "job-state-reasons.job-printing": said("The fax is being sent"),
        "job-state-reasons.job-hold-until-specified": said("It waits on the box's page"),
        "job-state-reasons.job-completed-successfully": said("The fax was delivered"),
        "job-state-reasons.job-completed-with-errors": said("Not every recipient got the fax"),
        "job-state-reasons.job-canceled-by-user": said("The fax was cancelled"),
        "job-state-reasons.aborted-by-system": said("The fax was not delivered"),
        "job-state-reasons.fax-modem-line-busy": said("The number is busy"),
        "job-state-reasons.fax-modem-no-answer": said("Nobody answers"),
        "job-state-reasons.fax-modem-no-dial-tone": said("The line has no dial tone"),
        "job-state-reasons.fax-modem-training-failure": said("The machines did not understand each other"),
        "job-state-reasons.fax-modem-voice-detected": said("A person answered"),
        "job-state-reasons.fax-modem-equipment-failure": said("No telephone line works"),
        "print-quality.3": said("Standard resolution"),
        "print-quality.4": said("As the box is set"),
        "print-quality.5": said("Highest resolution"),
    }
