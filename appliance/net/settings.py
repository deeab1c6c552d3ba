"""Network settings: limits of the programming interfaces, TLS."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.settings.fields import setting


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Limits of the programming interfaces: for each key, and for one fax."""

    requests_per_hour: int = setting(1000, "requests an hour for each key; 0: no limit", minimum=0)
    requests_at_once: int = setting(20, "requests in hand at once for each key", minimum=1, maximum=1000)
    burst: int = setting(50, "requests within one second for each key; 0: no limit", minimum=0)
    request_mb: int = setting(20, "largest request, MB", minimum=1, maximum=200)
    files_per_fax: int = setting(20, "files of one fax", minimum=1, maximum=200)
    pages_per_fax: int = setting(200, "pages of one fax", minimum=1, maximum=500)
    recipients_per_fax: int = setting(15, "recipients of one fax", minimum=1, maximum=1000)
    fetch_s: float = setting(
        30.0, "longest that fetching a document by URL may take, s", minimum=1, maximum=300
    )
    private_urls: bool = setting(False, "documents and webhooks may be on the local network")
    session_hours: float = setting(12.0, "how long a sign-in is valid, hours", minimum=0.1, maximum=720)


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """TLS of the web pages and interfaces.  A change takes effect within seconds."""

    tls_certificate: str = setting(
        "",
        "file with the certificate and its intermediates, PEM; empty: no TLS",
        pattern=r"(/.{0,499})?",
    )
    tls_key: str = setting(
        "", "file with its key, PEM, without a password; empty: in the same file", pattern=r"(/.{0,499})?"
    )
