"""The box in the network: its addresses and its certificate."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.api import certificate
from appliance.api.certificate import Certificate
from appliance.api.tls import TlsError
from appliance.language import Formatter
from appliance.language import said as _
from appliance.net.settings import HttpSettings
from webui.visit import Page, Response, Visit


@dataclass(frozen=True, slots=True)
class CertificateRemark:
    """What browsers say about the certificate, and what to do."""

    says: str
    advice: str


def warnings(found: Certificate, host: str, now: float, write: Formatter) -> list[CertificateRemark]:
    """Why a browser does not trust the certificate for ``host``; empty when it may."""
    made = []
    if found.ends_at <= now:
        says = _("Browsers warn each time: the certificate ended on {date}.")
        advice = _("Make a new one here, or hand in the one that follows it.")
        made.append(CertificateRemark(says.format(date=write.date(found.ends_at)), advice))
    if not found.covers(host):
        says = _("Browsers warn each time: the certificate is not for {host}.")
        advice = _(
            "Reach the box by a name that the certificate is for, or make one here for this name, too."
        )
        made.append(CertificateRemark(says.format(host=host), advice))
    if found.own:
        says = _('Browsers warn once: "Your connection is not private".')
        advice = _(
            "Nobody that they know has signed the certificate. The connection is encrypted all the same. "
            "Compare the fingerprint that the browser shows with the one above, then let it go on."
        )
        made.append(CertificateRemark(says, advice))
    return made


def show(visit: Visit) -> Response:
    """The page of the certificate and the addresses of the box."""
    problem, found = "", None
    try:
        found = certificate.present(visit.box.settings.section(HttpSettings))
    except TlsError as error:
        problem = str(error)
    address = str(visit.environ.get("HTTP_HOST", ""))[:300]
    host = _host(address)
    return visit.page(
        "network.html",
        certificate=found,
        warnings=warnings(found, host, visit.context.now(), visit.writer()) if found is not None else [],
        problem=problem,
        address=address,
        host=host,
        encrypted=visit.environ.get("wsgi.url_scheme") == "https",
    )


def _host(address: str) -> str:
    """The Host header without its port (RFC 9110 7.2)."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0]


PAGES = (Page("/network", show, scopes=("admin",)),)
