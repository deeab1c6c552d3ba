"""The renderer's options for the pages of a fax, from the sender's options and the station's settings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from appliance.box import Box
from appliance.documents.labels import labels_of
from appliance.documents.options import (
    CoverPage,
    HeaderLine,
    Look,
    PageFormat,
    RenderOptions,
    Source,
    Straighten,
    Treatment,
    usual_paper,
)
from appliance.numbers import NumberSettings
from appliance.services.rules import To
from appliance.spool.model import SourceFile
from appliance.spool.options import Cover, SendOptions
from appliance.spool.settings import SendingSettings
from appliance.station import StationSettings


def render_options(box: Box, owner: str, options: SendOptions, to: To, due: float) -> RenderOptions:
    """The rendering options for a fax of ``owner`` to ``to``; header and cover show the Unix time ``due``.

    Raises RefusedError when the cover page's template no longer exists.
    """
    station = box.settings.section(StationSettings)
    sending = box.settings.section(SendingSettings)
    region = box.settings.section(NumberSettings).region
    number = options.station_id or station.station_id
    moment = local_time(box, due)
    header = None
    text = options.header if options.header is not None else station.name
    if station.header and options.header != "":
        header = HeaderLine(moment=moment, sender=text, number=number)
    cover = None
    if options.cover is not None:
        named = To(to.number, options.cover.to_name or to.name, options.cover.to_company or to.company)
        cover = cover_page(box, owner, options.cover, named, from_number=number, moment=moment)
    return RenderOptions(
        format=PageFormat(resolution=(options.quality or sending.quality).resolution),
        treatment=Treatment(options.treatment) if options.treatment else Treatment.AUTO,
        paper=usual_paper(region),
        labels=labels_of(region),
        header=header,
        cover=cover,
        darkness=options.darkness,
        straighten=_straighten(options, sending),
    )


def _straighten(options: SendOptions, sending: SendingSettings) -> Straighten:
    if options.straighten is None:
        return Straighten.TAKEN if sending.straighten_photographs else Straighten.NONE
    return Straighten.ANY if options.straighten else Straighten.NONE


def sources(data: Path, files: Iterable[SourceFile]) -> list[Source]:
    """Stored files below the folder ``data`` as sources for the renderer."""
    return [
        Source(
            data / file.path,
            ",".join(file.pages),
            file.name,
            Look(file.turn, Treatment(file.treatment) if file.treatment else None, file.lightness),
            file.media_type,
        )
        for file in files
    ]


def cover_page(
    box: Box, owner: str, cover: Cover, to: To, *, from_number: str, moment: datetime
) -> CoverPage:
    """The content of a cover page of ``owner``.  Raises RefusedError when its template no longer exists."""
    station = box.settings.section(StationSettings)
    user = box.accounts.user(owner)
    return CoverPage(
        to_name=to.name,
        to_company=to.company,
        to_number=to.number,
        from_name=cover.from_name or (user.full_name if user else "") or station.name,
        from_company=station.name,
        from_number=from_number,
        subject=cover.subject,
        message=cover.message,
        date=moment.strftime("%Y-%m-%d"),
        time=moment.strftime("%H:%M"),
        template=box.rules.cover_template(cover.template).html,
    )


def local_time(box: Box, at: float) -> datetime:
    """The Unix time ``at`` in the station's time zone."""
    return datetime.fromtimestamp(at, UTC).astimezone(box.settings.section(StationSettings).zone)
