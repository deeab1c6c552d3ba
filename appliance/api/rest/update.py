"""A new version of the SD-card image, uploaded by an administrator."""

from __future__ import annotations

from collections.abc import Iterator

from appliance import image_update
from appliance.api import request
from appliance.api.causes import NOT_AN_IMAGE, UPDATE_UNDER_WAY
from appliance.api.problems import ProblemError
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import choice, flag, nullable, record, text
from appliance.api.rest.views import CAUSE
from appliance.causes import cause_of
from appliance.doctor.versions import build
from appliance.image_update import UpdateStep
from appliance.records import cause_view
from appliance.settings.accounts import Scope
from appliance.spool.causes import STORAGE_FULL

_PROGRESS = record(
    {
        "possible": flag(help="whether this machine was made from the image, and so is updated as one"),
        "version": text(help="the version that runs"),
        "step": choice(*(step.value for step in UpdateStep)),
        "new_version": text(help="of the last update, where it is known"),
        "detail": text(help="what the installer said"),
        "refusal": nullable(CAUSE),
    }
)
routes = Routes(tag="system", scope=Scope.ADMIN)


@routes("GET", "/update", answer=_PROGRESS)
def show_update(call: Call) -> Answer:
    """Read the progress of the last update."""
    last = image_update.progress(call.box.data)
    return Answer(
        {
            "possible": image_update.is_image(),
            "version": build(),
            "step": last.step.value,
            "new_version": last.version,
            "detail": last.detail,
            "refusal": cause_view(cause_of(last.refusal)) if last.refusal else None,
        }
    )


@routes("POST", "/update", answer=_PROGRESS, status=202)
def take_update(call: Call) -> Answer:
    """Install a new version.

    The content is the file that ends in `.raucb`.  If its signature is valid, it is installed beside the
    running version, and the box restarts with it.  If it does not answer then, the previous version returns
    by itself.
    """
    if not image_update.is_image():
        raise ProblemError(NOT_AN_IMAGE)
    length = request.declared_length(call.environ)
    if length is not None and length > image_update.LARGEST:
        raise request.too_large(image_update.LARGEST)
    call.note("update.take")
    try:
        image_update.hand_over(call.box.data, _content(call), length)
    except image_update.UnderWayError:
        raise ProblemError(UPDATE_UNDER_WAY) from None
    except image_update.NoRoomForUpdateError:
        raise ProblemError(STORAGE_FULL) from None
    return show_update(call)


def _content(call: Call) -> Iterator[bytes]:
    yield from request.pieces(call.environ, image_update.LARGEST)
    call.require_still()  # such a file takes minutes
