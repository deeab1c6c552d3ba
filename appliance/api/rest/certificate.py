"""The certificate of pages and interfaces: reading it, making a new one, installing a given one."""

from __future__ import annotations

from dataclasses import asdict

from appliance.api import certificate
from appliance.api.causes import SETTING_INVALID
from appliance.api.problems import Flaw, ProblemError
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import (
    array,
    component,
    flag,
    nullable,
    record,
    request_object,
    text,
    timestamp,
)
from appliance.api.tls import TlsError
from appliance.net.settings import HttpSettings
from appliance.records import time_text
from appliance.settings.accounts import Scope

NAMES_MOST = 20
PEM_LIMIT = 100_000  # characters

_CERTIFICATE = component(
    "Certificate",
    record(
        {
            "names": array(text(300), help="host names and addresses that it is for"),
            "issuer": text(1000),
            "own": flag("nobody but itself has signed it"),
            "ends_at": timestamp(),
            "fingerprint": text(200, help="SHA-256 of the certificate"),
        }
    ),
)
_ANSWER = record({"certificate": nullable(_CERTIFICATE)})


routes = Routes(tag="system", scope=Scope.ADMIN)


@routes("GET", "/certificate", answer=_ANSWER)
def read_certificate(call: Call) -> Answer:
    """Read the certificate of the pages and interfaces."""
    try:
        found = certificate.present(call.box.settings.section(HttpSettings))
    except TlsError as error:
        raise ProblemError(SETTING_INVALID, str(error)) from None
    shown = asdict(found) | {"ends_at": time_text(found.ends_at)} if found is not None else None
    return Answer({"certificate": shown})


@routes(
    "POST",
    "/certificate",
    body=request_object(
        {"names": array(text(253, least=1), NAMES_MOST, least=1, help="names and addresses of the box")},
        required=("names",),
    ),
    answer=_ANSWER,
)
def make_certificate(call: Call) -> Answer:
    """Make a key and a self-signed certificate.

    In use within seconds.
    """
    try:
        certificate.make(call.box.settings, call.box.data, call.body["names"])
    except TlsError as error:
        raise ProblemError(SETTING_INVALID, str(error), (Flaw("names", str(error)),)) from None
    call.note("certificate.make", detail=", ".join(call.body["names"]))
    return read_certificate(call)


@routes(
    "PUT",
    "/certificate",
    body=request_object(
        {
            "certificate": text(PEM_LIMIT, least=1, help="and those between it and its root, PEM"),
            "key": text(PEM_LIMIT, least=1, help="PEM, without a password"),
        },
        required=("certificate", "key"),
    ),
    answer=_ANSWER,
)
def give_certificate(call: Call) -> Answer:
    """Install a certificate and its key.

    In use within seconds. The key is never given out again.
    """
    try:
        certificate.take(call.box.settings, call.box.data, call.body["certificate"], call.body["key"])
    except TlsError as error:
        part = error.part if isinstance(error, certificate.PairError) else "certificate"
        raise ProblemError(SETTING_INVALID, str(error), (Flaw(part, str(error)),)) from None
    call.note("certificate.take")
    return read_certificate(call)
