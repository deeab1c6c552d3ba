"""A mail server for tests: aiosmtpd with TLS, STARTTLS and authentication; it keeps the e-mails."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.ports import free_port


@dataclass
class PostOffice:
    """``answers``: what DATA answers, in order, then ``250 taken``."""

    port: int = 0
    authority: trustme.CA = field(default_factory=trustme.CA)
    answers: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # recipient → answer
    taken: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("localhost").configure_cert(context)
        return context

    # -- aiosmtpd's hooks ----------------------------------------------------------------------

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("2"):
            content = envelope.content
            assert isinstance(content, bytes)
            message = message_from_bytes(content, policy=default)
            assert isinstance(message, EmailMessage)
            self.raw.append(content)
            self.secure.append(server.transport.get_extra_info("sslcontext") is not None)
            self.taken.append((str(envelope.mail_from), list(envelope.rcpt_tos), message))
        return answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: Any
    ) -> AuthResult:
        name, password = auth_data.login.decode(), auth_data.password.decode()
        if (name, password) != ("box", "pass word"):
            return AuthResult(success=False, handled=False)
        self.signed_in.append(name)
        return AuthResult(success=True)


@contextlib.contextmanager
def post_office(*, tls: bool = False, starttls: bool = False, auth: bool = False) -> Iterator[PostOffice]:
    office = PostOffice()
    more: dict[str, Any] = {}
    if starttls:
        more |= {"tls_context": office.context(), "require_starttls": True}
    if auth:
        more |= {
            "authenticator": office.authenticate,
            "auth_required": True,
            "auth_require_tls": tls is False and starttls,
        }
    controller = Controller(
        office,
        hostname="localhost",
        port=free_port(),
        ssl_context=office.context() if tls else None,
        ready_timeout=60,
        **more,
    )
    controller.start()
    office.port = controller.port
    try:
        yield office
    finally:
        controller.stop()
