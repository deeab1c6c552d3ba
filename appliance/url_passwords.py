"""URLs of the form https://user:password@host/…: the password is stored and used, but never shown."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

# Replaces a stored password; a URL that a client sends back with it keeps the password.
MASK = "********"


def masked(url: str) -> str:
    """``url`` with ``MASK`` in place of its password, if it has one."""
    parts = _split(url)
    return url if parts is None or parts.password is None else _with_password(parts, MASK)


def unmasked(url: str, kept: str) -> str:
    """``url`` with the password of ``kept`` in place of ``MASK``.

    Raises ValueError when user or host differ, since another host must not get the password.
    """
    parts = _split(url)
    if parts is None or parts.password != MASK:
        return url
    known = _split(kept)
    if known is None or known.password is None or _whose(known) != _whose(parts):
        raise ValueError("the password must be written out again, for it goes somewhere else now")
    return _with_password(parts, known.password)


def _split(url: str) -> SplitResult | None:
    """The parts of ``url``; None when it is not a URL."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _whose(parts: SplitResult) -> tuple[str, ...]:
    user, _, host = parts.netloc.rpartition("@")
    return parts.scheme, user.partition(":")[0], host.lower()


def _with_password(parts: SplitResult, password: str) -> str:
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{password}@{host}"))
