"""A fax in one request: a form with the file, or JSON with the file in base64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.api import intake
from appliance.api.auth import Caller
from appliance.api.causes import REQUEST_LENGTH_MISSING
from appliance.api.foreign import ForeignAnswer, ForeignDoor
from appliance.api.foreign_fields import LINE_LIMIT, text
from appliance.api.ictfax.objects import ORIGIN, QUEUED
from appliance.api.ictfax.people import fields_of
from appliance.api.ictfax.uploads import inline_files
from appliance.api.ictfax.words import NUMBER_LIMIT, TEXT_LIMIT, MissingError
from appliance.api.intake import StoredUpload
from appliance.api.problems import ProblemError
from appliance.net.http import check_url
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.spool.model import Job
from appliance.spool.options import SendOptions


class OneStepCall:
    """Handler of the door; it gets the caller."""

    def __init__(self, door: ForeignDoor) -> None:
        self._door = door

    def send(self, caller: Caller) -> ForeignAnswer:
        """Hands in a fax; answers its id at once."""
        with self._door.content() as content:
            fields = fields_of(content.fields, content.texts)
            _require_recipient(fields)
            taken = [upload for _, upload in content.uploads]
            if not taken:
                taken = self._decoded(fields)
                content.uploads += [("file", upload) for upload in taken]
            if not taken:
                raise ProblemError(REQUEST_LENGTH_MISSING, "no file uploaded")
            self._door.require_still(caller)
            job = self._submit(caller, fields, taken)
            content.uploads.clear()
        self._door.audit(caller, "fax.create", f"fax:{job.id}", f"to {job.number}")
        return ForeignAnswer({"id": job.id, "job_id": job.id, "transmission_id": job.id, "status": QUEUED})

    def _decoded(self, fields: Mapping[str, Any]) -> list[StoredUpload]:
        """Stores the files in the fields; all of them or none."""
        context, stored = self._door.context, list[StoredUpload]()
        with intake.discarded_on_error(context, stored):
            for file in inline_files(fields, context.settings.files_per_fax):
                stored.append(
                    intake.store_base64(context, file.base64, name=file.name, media_type=file.media_type)
                )
        return stored

    def _submit(self, caller: Caller, fields: Mapping[str, Any], files: list[StoredUpload]) -> Job:
        callback_url = text(fields, "callback_url", TEXT_LIMIT)
        if callback_url:
            check_url(callback_url)
        # A number that the caller may not show is ignored: clients of this style send any.
        sender = self._door.box.accounts.shown_number(caller.owner, text(fields, "from", NUMBER_LIMIT))
        submitted = self._door.box.faxes.submit(
            Request(
                owner=caller.owner,
                key=caller.key,
                origin=ORIGIN,
                to=(To(_require_recipient(fields)),),
                options=SendOptions(caller_number=sender or ""),
                files=intake.sources(files),
                callback_url=callback_url,
                metadata={"title": text(fields, "title", LINE_LIMIT)},
            )
        )
        return submitted.jobs[0]


def _require_recipient(fields: Mapping[str, Any]) -> str:
    """Raises MissingError without a recipient."""
    to = text(fields, "to", NUMBER_LIMIT)
    if not to:
        raise MissingError("to")
    return to
