"""Backup into one encrypted file, and restoring from one."""

from __future__ import annotations

from dataclasses import asdict

from appliance.api.rest.content import saved_as
from appliance.api.rest.request_files import form_with_one_file
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import binary, flag, integer, record, request_object, text, timestamp
from appliance.passphrases import PASSPHRASE_MAX, PASSPHRASE_MIN
from appliance.records import time_text
from appliance.settings.accounts import Scope

BACKUP_TYPE = "application/octet-stream"
# Octets of the largest backup, with years of received faxes; free disk space is checked besides.
RESTORE_OCTETS = 64 << 30


routes = Routes(tag="system", scope=Scope.ADMIN)


@routes(
    "POST",
    "/backup",
    body=request_object(
        {
            "passphrase": text(PASSPHRASE_MAX, least=PASSPHRASE_MIN, help="opens the file; kept nowhere"),
            "received": flag("received faxes, too"),
        },
        required=("passphrase",),
    ),
    media=(BACKUP_TYPE,),
)
def make_backup(call: Call) -> Answer:
    """Back up the box into one encrypted file.

    Settings, phone book, accounts and lists, with their secrets; received faxes by choice.
    """
    from appliance.backup import contents  # noqa: PLC0415 (tarfile and TIFF, for these two requests alone)

    received = call.body.get("received", False)
    # Nothing of it is stored here: also a box whose disk is full or read-only can be saved.
    pieces = contents.make(call.box, call.body["passphrase"], received=received)
    call.note("backup.make", detail="with received faxes" if received else "")
    day = str(time_text(call.box.clock()))[:10]
    return Answer(stream=pieces, headers=saved_as(f"faxbox-{day}.faxbackup"))


@routes(
    "POST",
    "/restore",
    form=request_object(
        {"passphrase": text(PASSPHRASE_MAX, help="the one that it was made with"), "backup": binary()},
        required=("passphrase", "backup"),
    ),
    answer=record(
        {
            "made_at": timestamp(),
            "users": integer(),
            "contacts": integer(),
            "received": integer(help="received faxes that this box did not have"),
        }
    ),
)
def restore_backup(call: Call) -> Answer:
    """Restore a backup.

    A form with `passphrase` and the file `backup`. Settings, accounts and lists take the place of the box's;
    received faxes are added. A file that is damaged, cut off or opened with another passphrase changes
    nothing.
    """
    from appliance.backup import contents  # noqa: PLC0415 (as above)

    with form_with_one_file(call, "backup", RESTORE_OCTETS) as (form, file):
        # Noted before: afterwards the old accounts no longer exist.
        call.note("backup.restore", object=form.files[0][1].file.name)
        done = contents.restore(call.box, file, form.first("passphrase")[:PASSPHRASE_MAX])
    return Answer(asdict(done) | {"made_at": time_text(done.made_at)})
