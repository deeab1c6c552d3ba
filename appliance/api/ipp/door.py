"""IPP over HTTP (RFC 8010 4): ``POST`` of ``application/ipp`` below ``/ipp``, and the printers' icon."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from appliance import language
from appliance.api import request
from appliance.api.auth import Caller, caller_of
from appliance.api.causes import NOT_SIGNED_IN
from appliance.api.context import KNOWN, Context, address_of
from appliance.api.door import StartResponse
from appliance.api.ictfax.basic import BasicSessions
from appliance.api.ipp import strings
from appliance.api.ipp.answers import refusal, refused
from appliance.api.ipp.call import Client, PrinterRequest
from appliance.api.ipp.operations import PrintService
from appliance.api.ipp.printers import FaxPrinter, printer_at
from appliance.api.ipp.words import IppError, Operation, Status
from appliance.api.problems import ProblemError
from appliance.documents.options import clean_line
from appliance.ipp.codec import Decoder, MessageError, encode
from appliance.ipp.model import Attributes, GroupTag, Message
from appliance.language import said
from appliance.net.addresses import read_address
from appliance.printing.options import NAME_LIMIT
from appliance.printing.people import owner_of
from appliance.printing.settings import IppAccess, IppSettings
from appliance.services.causes import NOT_PERMITTED
from appliance.services.rules import RefusedError
from appliance.settings.accounts import Scope
from appliance.settings.units import MB

MEDIA_TYPE = "application/ipp"
PREFIX = "/ipp"
_REALM = 'Basic realm="faxbox", charset="UTF-8"'
_ICON = re.compile(r"/icon-(48|128|512)\.png")
_JOB = re.compile(r"(.+)/([1-9][0-9]{0,9})")
# A Host header that may be repeated in the addresses that we return.
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
# Operations without a password: computers look at a printer before they ask for one.
_OPEN = frozenset({Operation.GET_PRINTER_ATTRIBUTES})
# Octets of a request whatever the settings say: twice what they allow.
_LARGEST = 400 * MB
_TEXT = "text/plain; charset=utf-8"


class _PasswordNeededError(Exception):
    """Answered with 401: the client must authenticate."""


class IppDoor:
    """The box as a network printer (IPP), as a WSGI application."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._box = context.box
        self._service = PrintService(context.box, context.print_jobs)
        self._basic = BasicSessions(context)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        settings = self._box.settings.section(IppSettings)
        path, method = str(environ.get("PATH_INFO", "")), environ.get("REQUEST_METHOD")
        icon = _ICON.fullmatch(path)
        if settings.access is IppAccess.OFF:
            return _plain(start_response, HTTPStatus.NOT_FOUND, "The network printers are off.")
        if icon and method in ("GET", "HEAD"):
            return _say(start_response, HTTPStatus.OK, "image/png", _icon(int(icon[1])))
        language_wanted = strings.language_at(path)
        if language_wanted and method in ("GET", "HEAD"):
            return _say(start_response, HTTPStatus.OK, strings.MEDIA_TYPE, strings.strings(language_wanted))
        if method != "POST":
            return _plain(
                start_response, HTTPStatus.METHOD_NOT_ALLOWED, "This is a printer.", ("Allow", "POST")
            )
        if request.media_type(environ) != MEDIA_TYPE:
            return _plain(start_response, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{MEDIA_TYPE} is needed.")
        printer, job_id = self._printer(path)
        if printer is None:
            return _plain(start_response, HTTPStatus.NOT_FOUND, "There is no such printer.")
        try:
            answer = self._carry(environ, settings.access, printer, job_id)
        except _PasswordNeededError:
            return _plain(
                start_response,
                HTTPStatus.UNAUTHORIZED,
                "Name and password, please.",
                ("WWW-Authenticate", _REALM),
            )
        return self._told(answer, _say(start_response, HTTPStatus.OK, MEDIA_TYPE, encode(answer)))

    def _told(self, answer: Message, body: list[bytes]) -> Iterator[bytes]:
        yield from body  # yields after each piece is written, so this runs once the answer is out
        self._service.answered(answer)

    def _printer(self, path: str) -> tuple[FaxPrinter | None, int | None]:
        printer = printer_at(self._box.settings, path)
        found = _JOB.fullmatch(path) if printer is None else None
        return (printer_at(self._box.settings, found[1]), int(found[2])) if found else (printer, None)

    def _carry(
        self, environ: dict[str, Any], access: IppAccess, printer: FaxPrinter, job_id: int | None
    ) -> Message:
        # Whoever stores the document applies the limit of the settings.
        pieces = request.pieces(environ, _LARGEST)
        decoder = Decoder()
        try:
            while decoder.message is None:
                decoder.feed(next(pieces))
            message = decoder.message
            language.speak(language.choose(_language(message)))
            check_request(message)
            client = self._client(environ, access, message)
            environ.get(KNOWN, lambda: None)()
        except StopIteration:
            return _broken(decoder, said("The request broke off."))
        except MessageError as error:
            return _broken(decoder, said("The request is no IPP.") + f" ({error})")
        except ProblemError as error:
            return refusal(decoder.message or decoder.head or _NOTHING, refused(error.cause, error.detail))
        except IppError as error:
            return refusal(decoder.message or _NOTHING, error)

        def document() -> Iterator[bytes]:
            yield decoder.rest
            yield from pieces

        return self._service.answer(
            PrinterRequest(message, printer, client, document(), _job_id(message, job_id))
        )

    # -- authentication ------------------------------------------------------------------------

    def _client(self, environ: dict[str, Any], access: IppAccess, message: Message) -> Client:
        """The client.  Raises IppError, ProblemError, _PasswordNeededError."""
        computer = address_of(environ)
        scheme = str(environ.get("wsgi.url_scheme", "http"))
        host = str(environ.get("HTTP_HOST", ""))
        if not _HOST.fullmatch(host):
            raise IppError(Status.BAD_REQUEST, said("The request does not say which host it is for."))
        encrypted = scheme == "https"
        person = clean_line(_text(message.group(GroupTag.OPERATION), "requesting-user-name"))[:NAME_LIMIT]
        signed_in, token = "", ""
        caller: Caller | None = None
        if access is IppAccess.USERS:
            if message.code not in _OPEN:
                token, caller = self._signed_in(environ, computer, encrypted=encrypted)
                person = signed_in = caller.owner
        elif not _is_near(computer):
            raise IppError(Status.FORBIDDEN, said("Only computers of the local network may print here."))

        def owner() -> str:
            return signed_in or owner_of(self._box, person, computer)

        def require_still() -> None:
            if caller is not None and not self._context.still(token, caller):
                raise RefusedError(NOT_PERMITTED)

        return Client(
            person=person,
            computer=computer,
            owner=owner,
            require_still=require_still,
            proved=bool(signed_in),
            base=f"{'ipps' if encrypted else 'ipp'}://{_with_port(host, encrypted=encrypted)}{PREFIX}",
            web=f"{scheme}://{host}",
            security=(
                "basic" if access is IppAccess.USERS else "requesting-user-name",
                "tls" if encrypted else "none",
            ),
        )

    def _signed_in(self, environ: dict[str, Any], computer: str, *, encrypted: bool) -> tuple[str, Caller]:
        """The authenticated user and their session's token.

        Raises IppError, ProblemError, _PasswordNeededError.
        """
        if not encrypted and not _is_here(computer):
            sentence = said("Passwords go over encrypted connections alone: use ipps.")
            raise IppError(Status.FORBIDDEN, sentence)
        token = self._basic.token(environ)
        if token is None:
            raise _PasswordNeededError
        try:
            caller = caller_of(self._box.settings, self._context.sessions, token, self._context.now())
        except ProblemError as error:
            if error.cause is NOT_SIGNED_IN:
                raise _PasswordNeededError from None
            raise
        caller.require(Scope.SEND)
        return token, caller


_NOTHING = Message((2, 0), 0, 0)


def check_request(message: Message) -> None:
    """Checks what every request must have (RFC 8011 4.1).  Raises IppError."""
    if message.version[0] not in (1, 2):
        raise IppError(Status.VERSION, said("The box speaks IPP 1.1 and 2.0."))
    if message.request_id <= 0:
        raise IppError(Status.BAD_REQUEST, said("The request has no number."))
    groups = [group.tag for group in message.groups]
    if groups[:1] != [GroupTag.OPERATION] or groups.count(GroupTag.OPERATION) != 1:
        raise IppError(
            Status.BAD_REQUEST, said("The request does not begin with its operation's attributes.")
        )
    operation = message.group(GroupTag.OPERATION)
    if list(operation)[:2] != ["attributes-charset", "attributes-natural-language"]:
        sentence = said("Character set and language do not stand first in the request.")
        raise IppError(Status.BAD_REQUEST, sentence)
    if _text(operation, "attributes-charset").lower() != "utf-8":
        charset = {"attributes-charset": operation["attributes-charset"]}
        raise IppError(Status.CHARSET, said("The box speaks UTF-8."), charset)
    if not (_text(operation, "printer-uri") or _text(operation, "job-uri")):
        raise IppError(Status.BAD_REQUEST, said("The request names no printer."))


def _broken(decoder: Decoder, sentence: str) -> Message:
    return refusal(decoder.head or _NOTHING, IppError(Status.BAD_REQUEST, sentence))


def _language(message: Message) -> str:
    return _text(message.group(GroupTag.OPERATION), "attributes-natural-language")


def _job_id(message: Message, by_address: int | None) -> int | None:
    """The job named by ``job-uri`` in the request, else by the address."""
    found = _JOB.fullmatch(_text(message.group(GroupTag.OPERATION), "job-uri"))
    return int(found[2]) if found else by_address


def _text(attributes: Attributes, name: str) -> str:
    values = attributes.get(name)
    return values[0].text if values else ""


def _with_port(host: str, *, encrypted: bool) -> str:
    """``host`` with a port: an ipp URI without one means port 631."""
    if re.search(r":[0-9]+$", host):
        return host
    return f"{host}:{443 if encrypted else 80}"


def _is_here(address: str) -> bool:
    found = read_address(address)
    return found is not None and found.is_loopback


def _is_near(address: str) -> bool:
    """Whether it is an address of a private network, or of this machine."""
    found = read_address(address)
    return found is not None and (found.is_private or found.is_loopback or found.is_link_local)


def _plain(
    start_response: StartResponse, status: HTTPStatus, sentence: str, *headers: tuple[str, str]
) -> list[bytes]:
    return _say(start_response, status, _TEXT, f"{sentence}\n".encode(), *headers)


def _say(
    start_response: StartResponse, status: HTTPStatus, kind: str, body: bytes, *headers: tuple[str, str]
) -> list[bytes]:
    fields = [("Content-Type", kind), ("Content-Length", str(len(body))), *headers]
    start_response(f"{int(status)} {status.phrase}", fields)
    return [body]


@functools.cache
def _icon(size: int) -> bytes:
    """A PNG icon: a sheet of paper coming out of a machine."""
    scale = 4  # drawn larger and reduced, for smooth edges
    side = size * scale
    from PIL import Image, ImageDraw  # noqa: PLC0415 (much memory, for a picture that is asked for once)

    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)

    def box(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        return left * side, top * side, right * side, bottom * side

    draw.rounded_rectangle(box(0.06, 0.42, 0.94, 0.92), side * 0.07, fill=(38, 70, 120, 255))
    draw.rectangle(
        box(0.24, 0.08, 0.76, 0.60), fill=(255, 255, 255, 255), outline=(38, 70, 120, 255), width=side // 40
    )
    for line in (0.20, 0.30, 0.40, 0.50):
        draw.rectangle(box(0.33, line, 0.67 if line < 0.5 else 0.52, line + 0.035), fill=(120, 130, 150, 255))
    draw.ellipse(box(0.80, 0.52, 0.87, 0.59), fill=(120, 220, 130, 255))
    draw.rectangle(box(0.16, 0.74, 0.84, 0.79), fill=(20, 40, 80, 255))
    made = io.BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(made, "PNG")
    return made.getvalue()
