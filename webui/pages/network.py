"""The box on the network: by which address it is reached, and with which certificate."""

from __future__ import annotations

from appliance.api import certificate
from appliance.api.tls import TlsError
from appliance.net.settings import HttpSettings
from webui.visit import Answer, Page, Visit


def show(visit: Visit) -> Answer:
    problem, found = "", None
    try:
        found = certificate.present(visit.box.settings.section(HttpSettings))
    except TlsError as error:
        problem = str(error)
    host = str(visit.environ.get("HTTP_HOST", ""))[:300]
    return visit.page(
        "network.html",
        certificate=found,
        problem=problem,
        host=host,
        name=host.rpartition(":")[0].strip("[]") or host,
        encrypted=visit.environ.get("wsgi.url_scheme") == "https",
    )


PAGES = (Page("/network", show, scopes=("admin",)),)
