"""A printer's attributes: its capabilities and its state (RFC 8011 5.4, PWG 5100.12 to 5100.15)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from appliance import __version__
from appliance.api.ipp.answers import limited
from appliance.api.ipp.asked import (
    INDEFINITE,
    LARGEST,
    LEAST_INTERVAL_S,
    MOST_INTERVAL_S,
    NO_HOLD,
    OBEYED,
    ONLY,
    USUAL_RETRIES,
)
from appliance.api.ipp.book import DOCUMENT_WAIT_S
from appliance.api.ipp.call import Client, PrinterRequest
from appliance.api.ipp.printers import FaxPrinter, printer_uuid
from appliance.api.ipp.strings import path_of
from appliance.api.ipp.words import Operation, PrinterState
from appliance.box import Box
from appliance.ipp import codec
from appliance.ipp.model import DotsPerInch, Range, Tag, Value
from appliance.language import codes, said, spoken
from appliance.net.settings import ApiSettings
from appliance.spool.model import JobState
from appliance.station import StationSettings

FORMATS = ("application/pdf", "image/pwg-raster", "image/urf", "image/jpeg")
URF = ("V1.4", "CP1", "W8", "SRGB24", "RS300-600", "FN3")
ANY_FORMAT = "application/octet-stream"
COMPRESSIONS = ("none", "gzip", "deflate")
# Media: name, width and height in hundredths of a millimetre.
_MEDIA = (
    ("iso_a4_210x297mm", 21_000, 29_700),
    ("na_letter_8.5x11in", 21_590, 27_940),
    ("na_legal_8.5x14in", 21_590, 35_560),
    ("iso_a5_148x210mm", 14_800, 21_000),
)
# The margin that a receiving machine's paper may lose at each edge, hundredths of a millimetre.
_MARGIN = 318
# The resolutions asked of clients, dots per inch: twice a fine fax.  Others are accepted, too.
_RESOLUTIONS = (DotsPerInch(300, 300), DotsPerInch(600, 600))
# A page of type takes some twenty seconds at 14,400 bit/s.
_PAGES_A_MINUTE = 3
_ICON_SIZES = (48, 128, 512)
_REFUSED = {Operation.PRINT_URI, Operation.SEND_URI}
Pairs = Iterator[tuple[str, Sequence[Value]]]


def printer_attributes(box: Box, call: PrinterRequest) -> dict[str, Sequence[Value]]:
    """The attributes of the request's printer, limited to the names and groups that it wants."""
    wanted, printer = call.wanted(frozenset({"all"})), call.printer
    found: dict[str, Sequence[Value]] = {}
    for part in (
        _identity(box, printer, call.client),
        _protocol(box, printer),
        _state(box),
        _documents(box),
        _fax(printer),
        _paper(),
    ):
        found.update(part)
    return limited(found, wanted)


def _identity(box: Box, printer: FaxPrinter, client: Client) -> Pairs:
    station, web = box.settings.section(StationSettings), client.web
    authentication, encryption = client.security
    info = said("Prints to fax")
    if printer.to is not None:
        info = ", ".join(filter(None, (each.name or each.number for each in printer.to))) or info
    yield "printer-uri-supported", codec.uris(client.base + printer.path)
    yield "uri-authentication-supported", codec.keywords(authentication)
    yield "uri-security-supported", codec.keywords(encryption)
    yield "printer-name", codec.name(printer.name, 127)
    yield "printer-dns-sd-name", codec.name(printer.name, 63)
    yield "printer-info", codec.text(info, 127)
    yield "printer-location", codec.text("", 127)
    yield "printer-geo-location", (Value(Tag.UNKNOWN, None),)
    yield "printer-organization", codec.text(station.name)
    yield "printer-organizational-unit", codec.text("")
    yield "printer-make-and-model", codec.text("faxbox", 127)
    yield "printer-device-id", codec.text(f"MFG:faxbox;MDL:{_plain(printer)};CMD:PDF,PWGRaster,URF,JPEG;")
    yield "printer-firmware-name", codec.name("faxbox")
    yield "printer-firmware-string-version", codec.text(__version__)
    yield "printer-firmware-version", (Value(Tag.OCTETS, __version__.encode()),)
    yield "printer-uuid", codec.uris(printer_uuid(box.settings, printer).urn)
    yield "printer-more-info", codec.uris(f"{web}/")
    yield "printer-supply-info-uri", codec.uris(f"{web}/")
    yield "printer-icons", codec.uris(*(f"{web}/ipp/icon-{size}.png" for size in _ICON_SIZES))
    yield "printer-strings-uri", codec.uris(f"{web}/ipp{path_of(spoken())}")
    yield "printer-strings-languages-supported", tuple(Value(Tag.LANGUAGE, code) for code in codes())
    yield "printer-kind", codec.keywords("document")
    yield "device-service-count", codec.integers(1)
    yield "printer-service-type", codec.keywords("faxout" if printer.is_fax else "print")
    yield "device-uuid", codec.uris(printer_uuid(box.settings, printer).urn)


def _plain(printer: FaxPrinter) -> str:
    return "Fax" if printer.is_fax else "Print to fax"


def _protocol(box: Box, printer: FaxPrinter) -> Pairs:
    features = ["ipp-everywhere", *(["faxout"] if printer.is_fax else [])]
    yield "ipp-versions-supported", codec.keywords("1.0", "1.1", "2.0")
    yield "ipp-features-supported", codec.keywords(*features)
    yield "operations-supported", codec.enums(*(each for each in Operation if each not in _REFUSED))
    yield "charset-configured", (Value(Tag.CHARSET, "utf-8"),)
    yield "charset-supported", (Value(Tag.CHARSET, "utf-8"),)
    yield "natural-language-configured", (Value(Tag.LANGUAGE, "en"),)
    yield (
        "generated-natural-language-supported",
        tuple(Value(Tag.LANGUAGE, code) for code in codes()),
    )
    yield "multiple-document-jobs-supported", codec.boolean(True)
    yield "multiple-operation-time-out", codec.integers(int(DOCUMENT_WAIT_S))
    yield "multiple-operation-time-out-action", codec.keywords("abort-job")
    yield "job-ids-supported", codec.boolean(True)
    yield "preferred-attributes-supported", codec.boolean(False)
    yield "pdl-override-supported", codec.keywords("attempted")
    yield "which-jobs-supported", codec.keywords("completed", "not-completed", "all")
    yield "printer-get-attributes-supported", codec.keywords("document-format")
    yield "identify-actions-default", codec.keywords("flash")
    yield "identify-actions-supported", codec.keywords("flash")
    yield "job-creation-attributes-supported", codec.keywords(*OBEYED)
    yield "overrides-supported", codec.keywords("document-number", "pages")
    yield "printer-up-time", codec.integers(max(int(box.clock() - box.started_at), 0) + 1)
    yield "printer-current-time", codec.moment(box.clock())
    yield "printer-config-change-date-time", codec.moment(box.started_at)
    yield "printer-config-change-time", codec.integers(1)
    yield "printer-state-change-date-time", codec.moment(box.started_at)
    yield "printer-state-change-time", codec.integers(1)
    yield "printer-supply", (Value(Tag.OCTETS, b"type=other;maxcapacity=100;level=100;index=1;"),)
    yield "printer-supply-description", codec.text("-")


def _state(box: Box) -> Pairs:
    health = box.health()
    sending = health.jobs.get(JobState.SENDING, 0)
    reasons, sentences = [], []
    if not any(line.state.usable for line in health.lines):
        # The box still accepts faxes, which wait.  A printer that is "stopped" would get none.
        reasons.append("connecting-to-device-warning")
        sentences.append(said("No telephone line works: what is printed waits until one does."))
        sentences += [f"{line.name}: {said(line.state.sentence)}" for line in health.lines]
    if not health.accepting:
        reasons.append("spool-area-full-error")
        sentences.append(said("The box takes no faxes now: its storage is full or damaged."))
    state = PrinterState.PROCESSING if sending else PrinterState.IDLE
    yield "printer-state", codec.enums(state if health.accepting else PrinterState.STOPPED)
    yield "printer-state-reasons", codec.keywords(*(reasons or ["none"]))
    yield "printer-state-message", codec.text(" ".join(sentences))
    yield "printer-is-accepting-jobs", codec.boolean(health.accepting)
    yield "queued-job-count", codec.integers(sum(health.jobs.values()))


def _documents(box: Box) -> Pairs:
    most_k = box.settings.section(ApiSettings).request_mb * 1000
    yield "document-format-default", (Value(Tag.MIME_TYPE, ANY_FORMAT),)
    yield (
        "document-format-supported",
        tuple(Value(Tag.MIME_TYPE, each) for each in (*FORMATS, ANY_FORMAT)),
    )
    yield "compression-supported", codec.keywords(*COMPRESSIONS)
    yield "pdf-versions-supported", codec.keywords("adobe-1.4", "adobe-1.5", "adobe-1.6", "iso-32000-1_2008")
    yield "pwg-raster-document-resolution-supported", _resolutions()
    yield "pwg-raster-document-sheet-back", codec.keywords("normal")
    yield (
        "pwg-raster-document-type-supported",
        codec.keywords("black_1", "black_8", "sgray_1", "sgray_8", "srgb_8", "adobe-rgb_8", "cmyk_8"),
    )
    yield "urf-supported", codec.keywords(*URF)
    yield "jpeg-k-octets-supported", (Value(Tag.RANGE, Range(0, most_k)),)
    yield "jpeg-x-dimension-supported", (Value(Tag.RANGE, Range(1, 20_000)),)
    yield "jpeg-y-dimension-supported", (Value(Tag.RANGE, Range(1, 20_000)),)


def _fax(printer: FaxPrinter) -> Pairs:
    if not printer.is_fax:
        return
    members = ("destination-uri", "pre-dial-string", "post-dial-string")
    yield "destination-uris-supported", codec.keywords(*members)
    yield "destination-uri-schemes-supported", tuple(Value(Tag.URI_SCHEME, each) for each in ("tel", "fax"))
    yield "number-of-retries-supported", (Value(Tag.RANGE, Range(0, 19)),)
    yield "number-of-retries-default", codec.integers(USUAL_RETRIES)
    yield "retry-interval-supported", (Value(Tag.RANGE, Range(LEAST_INTERVAL_S, MOST_INTERVAL_S)),)
    yield "retry-interval-default", codec.integers(300)
    yield "retry-time-out-supported", (Value(Tag.RANGE, Range(60, 60)),)
    yield "retry-time-out-default", codec.integers(60)
    yield "retry-info-supported", codec.keywords("number-of-retries", "retry-interval")
    yield (
        "cover-sheet-info-supported",
        codec.keywords("from-name", "message", "organization-name", "subject", "to-name"),
    )
    yield "multiple-destination-uris-supported", codec.boolean(True)
    yield "confirmation-sheet-print-default", codec.boolean(False)
    yield "from-name-supported", codec.integers(255)
    yield "to-name-supported", codec.integers(255)
    yield "subject-supported", codec.integers(255)
    yield "message-supported", codec.integers(1000)
    yield "organization-name-supported", codec.integers(255)


def _paper() -> Pairs:
    names = codec.keywords(*(name for name, _, _ in _MEDIA))
    margin = codec.integers(_MARGIN)
    yield "color-supported", codec.boolean(False)
    yield "copies-default", codec.integers(1)
    yield "copies-supported", (Value(Tag.RANGE, Range(1, 1)),)
    yield "job-hold-until-default", codec.keywords(NO_HOLD)
    yield "job-hold-until-supported", codec.keywords(NO_HOLD, INDEFINITE)
    yield "job-hold-until-time-supported", (Value(Tag.RANGE, Range(0, LARGEST)),)
    yield "media-default", names[:1]
    yield "media-ready", names
    yield "media-supported", names
    columns = tuple(_media_col(*each[1:]) for each in _MEDIA)
    yield "media-col-default", columns[:1]
    yield "media-col-ready", columns
    yield "media-col-database", columns
    yield "media-size-supported", tuple(_media_size(*each[1:]) for each in _MEDIA)
    yield (
        "media-col-supported",
        codec.keywords(
            "media-bottom-margin",
            "media-left-margin",
            "media-right-margin",
            "media-size",
            "media-source",
            "media-top-margin",
            "media-type",
        ),
    )
    for name, only in ONLY.items():
        yield f"{name}-default", only
        yield f"{name}-supported", only
    for side in ("bottom", "left", "right", "top"):
        yield f"media-{side}-margin-supported", margin
    yield "media-source-supported", codec.keywords("auto")
    yield "media-type-supported", codec.keywords("stationery")
    yield "orientation-requested-default", codec.NO_VALUE
    yield "orientation-requested-supported", codec.enums(3, 4, 5, 6)
    yield "page-ranges-supported", codec.boolean(True)
    yield "pages-per-minute", codec.integers(_PAGES_A_MINUTE)
    yield "print-color-mode-default", codec.keywords("monochrome")
    yield "print-color-mode-supported", codec.keywords("auto", "bi-level", "monochrome")
    yield "print-scaling-default", codec.keywords("auto")
    yield "print-scaling-supported", codec.keywords("auto", "auto-fit", "fit", "none")
    yield "print-quality-default", codec.enums(4)
    yield "print-quality-supported", codec.enums(3, 4, 5)
    yield "printer-resolution-default", _resolutions()[:1]
    yield "printer-resolution-supported", _resolutions()


def _resolutions() -> Sequence[Value]:
    return tuple(Value(Tag.RESOLUTION, each) for each in _RESOLUTIONS)


def _media_size(across: int, down: int) -> Value:
    return Value(
        Tag.COLLECTION, {"x-dimension": (*codec.integers(across),), "y-dimension": (*codec.integers(down),)}
    )


def _media_col(across: int, down: int) -> Value:
    margin = (*codec.integers(_MARGIN),)
    return Value(
        Tag.COLLECTION,
        {
            "media-size": (_media_size(across, down),),
            "media-bottom-margin": margin,
            "media-left-margin": margin,
            "media-right-margin": margin,
            "media-top-margin": margin,
            "media-source": (*codec.keywords("auto"),),
            "media-type": (*codec.keywords("stationery"),),
        },
    )
