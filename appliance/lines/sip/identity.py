"""The caller identity of an outgoing call: its From address, and the headers that networks read beside it."""

from __future__ import annotations

from appliance.lines.line import OutgoingCall
from appliance.lines.sip.settings import Identity, SipTrunk, safe_display_name, safe_user
from appliance.lines.sip.trunk_config import bracketed

# RFC 3325 9.1 and 9.2.
_HEADERS = {
    Identity.ASSERTED: "P-Asserted-Identity",
    Identity.PREFERRED: "P-Preferred-Identity",
}
# RFC 3323 4.1.1.3.
_NOBODY = "<sip:anonymous@anonymous.invalid>"


def identity(trunk: SipTrunk, call: OutgoingCall) -> tuple[list[tuple[str, str]], str]:
    """Extra headers and the From address.  The login is in them only where the settings say so."""
    number = safe_user(call.caller_number or trunk.caller_number)
    name = safe_display_name(call.caller_name or trunk.caller_name)
    host = bracketed(trunk.domain)
    user = trunk.username if trunk.from_user_is_account else number
    address = f"<sip:{user}@{host}>" if user else _NOBODY
    display_name = f'"{name}" ' if name else ""
    headers = []
    if call.withhold:
        # RFC 3323 4.1 and RFC 3325 7: From is anonymous; the network gets the number, for itself.
        headers.append(("Privacy", "id"))
        if not trunk.from_user_is_account:
            address = _NOBODY
    if trunk.identity in _HEADERS and number:
        headers.append((_HEADERS[trunk.identity], f"{display_name}<sip:{number}@{host}>"))
    return headers, f'"Anonymous" {address}' if call.withhold else f"{display_name}{address}"
