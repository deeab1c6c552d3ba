"""Deliveries of the kind ``folder``: a received fax as a PDF in a folder; the target is the folder's path.

The file gets its name once it is complete and on disk.  The name says when the fax came and from whom; it is
the same for every try.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from appliance import durable
from appliance.box import Box
from appliance.deliver import pdfs
from appliance.deliver.causes import FOLDER_UNUSABLE
from appliance.deliver.worker import DeliveryError
from appliance.language import marked
from appliance.spool.delivery import Delivery
from appliance.spool.model import Received
from appliance.station import StationSettings

_NUMBER_KEPT = 24

_NOT_THERE = marked("It is not there.")


class FolderDeliverer:
    """Makes deliveries of the kind ``folder``: writes a received fax as a PDF."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def __call__(self, delivery: Delivery) -> str:
        """One try; returns the file's name.  Raises DeliveryError."""
        with pdfs.still_there():
            fax = self._box.inbox.get(delivery.fax_id or 0)
        folder = Path(delivery.target)
        # A missing folder is not made: while a share is not mounted, the faxes would fill the box's own disk.
        if not folder.is_dir():
            raise DeliveryError(f"{FOLDER_UNUSABLE.sentence} {_NOT_THERE} {folder}")
        path = folder / file_name(fax, self._box.settings.section(StationSettings))
        try:
            # Made in a folder of our own first: others may write to the target as well.
            with self._box.documents.temporary_folder() as own:
                pdf = own / "fax.pdf"
                pdfs.write_received(self._box, fax, pdf)
                durable.write_file(path, durable.pieces(pdf), mode=durable.shared_mode())
        except (OSError, durable.DiskFullError) as error:
            raise DeliveryError(f"{FOLDER_UNUSABLE.sentence} {error}") from error
        return path.name


def file_name(fax: Received, station: StationSettings) -> str:
    """Such as ``2026-11-23_101500_4930123_17.pdf``: local time, caller, number of the fax."""
    at = datetime.fromtimestamp(fax.started_at, station.zone)
    number = "".join(letter for letter in fax.caller or fax.tsi if letter.isascii() and letter.isalnum())
    return f"{at:%Y-%m-%d_%H%M%S}_{number[:_NUMBER_KEPT] or 'unknown'}_{fax.id}.pdf"
