"""Causes: why a URL of a document or webhook cannot be used."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare, user_mistake

URL_NOT_ALLOWED = user_mistake(
    "url_not_allowed",
    "This address may not be used: only http and https addresses on the public internet are.",
    "Check the address, or have an administrator allow addresses of the local network.",
)
URL_UNREACHABLE = declare(
    "url_unreachable",
    Side.THEIRS,
    Retry.SOON,
    "The server at this address could not be reached or broke off.",
    "Check that the address opens in a browser, then try again.",
)
URL_UNTRUSTED = declare(
    "url_untrusted",
    Side.THEIRS,
    Retry.SOON,
    "The certificate of the server at this address is not valid; nothing was sent.",
    "Have it renewed, or made for this name by an authority that is known."
    " Look at the date of this box, too.",
)
URL_REFUSED_US = declare(
    "url_refused",
    Side.THEIRS,
    Retry.NO,
    "The server at this address did not give the document.",
    "Check that the address opens in a browser without signing in.",
)
URL_TIMED_OUT = declare(
    "url_timed_out",
    Side.THEIRS,
    Retry.SOON,
    "The server at this address took too long.",
    "Try again later, or send the document itself.",
)
