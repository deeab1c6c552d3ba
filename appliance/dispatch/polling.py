"""Documents that callers may fetch by polling: rendered when offered, selected in the call by SEP."""

from __future__ import annotations

import shutil
import threading
import uuid as uuids
from collections.abc import Mapping, Sequence

from appliance.box import Box
from appliance.causes import Cause
from appliance.dispatch.making import render_options, sources
from appliance.documents.causes import DOCUMENT_GONE
from appliance.documents.options import Limits
from appliance.documents.pages import DocumentPages
from appliance.documents.render import render
from appliance.documents.rendered import RenderedDocument
from appliance.net.settings import ApiSettings
from appliance.services.rules import To
from appliance.spool import offers
from appliance.spool.folders import RENDERED
from appliance.spool.model import SourceFile
from appliance.spool.options import Quality, SendOptions
from appliance.spool.remembered import Offer
from appliance.t4.page import CodedPage
from appliance.t30.parameters import Accepts, Progress

# SEP: up to 20 digits (T.30 5.3.6.1.2); * and # as for the sub-address.
NAME_PATTERN = r"[0-9*#]{0,20}"


def make_offer(
    box: Box,
    owner: str,
    files: Sequence[SourceFile],
    *,
    name: str,
    title: str = "",
    quality: Quality | None = None,
) -> Offer:
    """Offers stored ``files`` as one document.  Blocks until its pages are rendered.

    Raises DocumentError, DiskFullError, offers.NameTakenError or offers.TooManyError; the caller then has to
    discard the files.
    """
    box.rules.require_room()
    uuid = str(uuids.uuid4())
    path = f"{RENDERED}/{uuid}"
    limits = Limits(pages=box.settings.section(ApiSettings).pages_per_fax)
    options = render_options(box, owner, SendOptions(quality=quality), To(""), box.clock())
    document = render(sources(box.data, files), box.data / path, options, limits=limits)
    try:
        offer = box.spool.do(
            offers.create,
            owner,
            name,
            title or files[0].name,
            files,
            uuid=uuid,
            rendered_path=path,
            pages=document.total,
            now=box.clock(),
        )
    except BaseException:
        shutil.rmtree(box.data / path, ignore_errors=True)
        raise
    box.polling.reload()
    return offer


def remove_offer(box: Box, offer_id: int) -> Offer:
    """Removes an offer and deletes its files.  Raises NotFoundError."""
    offer = box.spool.do(offers.delete, offer_id)
    box.polling.reload()
    shutil.rmtree(box.data / offer.rendered_path, ignore_errors=True)
    box.documents.discard_files(offer.files)
    return offer


class OfferedPages:
    """The pages that an incoming call may fetch: those of the document that the caller names.

    ``hear`` takes the call's progress events, one of which has the name.
    """

    def __init__(self, box: Box, on_offer: Mapping[str, Offer]) -> None:
        self._box = box
        self._on_offer = on_offer
        self._name = ""
        self._pages: DocumentPages | None = None
        self._lock = threading.Lock()

    @property
    def chosen(self) -> Offer | None:
        """The document that the caller named, None when there is no such document."""
        return self._on_offer.get(self._name)

    def hear(self, line: Progress) -> None:
        """Takes a progress event."""
        if line.event == "selective_polling":
            self._name = str(dict(line.fields)["sep"])

    def get(self, number: int, accepts: Accepts) -> tuple[CodedPage | Cause, bool]:
        """Page ``number`` (from 0), or why there is none, and whether it is the last.  Blocks; any thread."""
        with self._lock:
            if self._pages is None:
                offer = self.chosen
                if offer is None:
                    return DOCUMENT_GONE, True
                try:
                    document = RenderedDocument.open(self._box.data / offer.rendered_path)
                except (OSError, ValueError):
                    return DOCUMENT_GONE, True
                self._pages = DocumentPages(document)
        return self._pages.get(number, accepts), self._pages.is_last(number)
