"""The small parts of the SIP line: numbers, headers, settings, ports, status codes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.causes import Cause, Retry, Side
from appliance.lines import causes
from appliance.lines.sip import messages
from appliance.lines.sip.causes import (
    SIP_CERTIFICATE,
    SIP_NO_REPLY,
    SIP_OVERLOADED,
    SIP_TIMED_OUT,
    SIP_UNREACHABLE,
)
from appliance.lines.sip.library import MAX_LOG_LINE, one_line
from appliance.lines.sip.numbers import (
    DialFormat,
    DiallingRules,
    NumberError,
    checked_sip_address,
    from_trunk,
    to_dial,
    to_e164,
)
from appliance.lines.sip.outcomes import cause_of_reason, cause_of_status
from appliance.lines.sip.ports import NoPortError, open_media_socket
from appliance.lines.sip.session import body_of, sendable
from appliance.lines.sip.settings import (
    PortRange,
    SipSettings,
    SipTrunk,
    Transport,
    safe_display_name,
    safe_user,
)
from appliance.lines.sip.trunk_config import request_uri
from appliance.settings.fields import from_document
from tests.ports import free_ports

GERMANY = DiallingRules("49", area_code="30")
USA = DiallingRules("1", national_prefix="1", international_prefix="011")
DENMARK = DiallingRules("45", national_prefix="")


@pytest.mark.parametrize(
    ("rules", "written", "e164"),
    [
        (GERMANY, "+49 30 123-4567", "+49301234567"),
        (GERMANY, "030 1234567", "+49301234567"),
        (GERMANY, "(030) 123.45.67", "+49301234567"),
        (GERMANY, "0044 20 7946 0000", "+442079460000"),
        (GERMANY, "1234567", "+49301234567"),  # local: the area code is completed
        (GERMANY, "110", "110"),  # short numbers are nobody's E.164
        (USA, "1 212 555 0100", "+12125550100"),
        (USA, "011 49 30 1234567", "+49301234567"),
        (DENMARK, "32 12 34 56", "+4532123456"),
        (DiallingRules(), "0301234567", "0301234567"),  # without a country nothing is known
    ],
)
def test_numbers_become_e164(rules: DiallingRules, written: str, e164: str) -> None:
    assert to_e164(written, rules) == e164


@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("4930555002", "+4930555002"),
        ("442079460000", "+442079460000"),
        ("+4930555002", "+4930555002"),
        ("030555002", "+4930555002"),
        ("412", "412"),
    ],
)
def test_a_trunk_that_writes_e164_without_plus_is_understood(written: str, e164: str) -> None:
    rules = DiallingRules("49", area_code="30", format=DialFormat.E164)
    assert from_trunk(written, rules) == e164
    assert from_trunk(written, DiallingRules(format=DialFormat.E164)) in (e164, written)


@pytest.mark.parametrize(
    ("format_", "number", "dialled"),
    [
        (DialFormat.E164_PLUS, "030 1234567", "+49301234567"),
        (DialFormat.E164, "030 1234567", "49301234567"),
        (DialFormat.INTERNATIONAL, "030 1234567", "0049301234567"),
        (DialFormat.NATIONAL, "+49 30 1234567", "0301234567"),
        (DialFormat.NATIONAL, "+44 20 79460000", "00442079460000"),
        (DialFormat.AS_DIALLED, "+44 20 79460000", "+442079460000"),
    ],
)
def test_trunk_gets_numbers_as_it_wants_them(format_: DialFormat, number: str, dialled: str) -> None:
    assert to_dial(number, DiallingRules("49", format=format_)) == dialled


def test_outside_prefix_goes_before_everything() -> None:
    rules = DiallingRules("49", format=DialFormat.NATIONAL, outside_prefix="0")
    assert to_dial("+49301234567", rules) == "00301234567"


@pytest.mark.parametrize(
    "number", ["", "+", "12a4", "1;2", "sip:x", "+49<30>", "1" * 30, "1\r\nTo: x", "٣٤٥"]
)
def test_a_text_that_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(NumberError):
        to_dial(number, GERMANY)


@pytest.mark.parametrize(
    "address", ["sip:fax@192.0.2.1", "sip:192.0.2.1:5070", "sips:a@b.example;transport=tls"]
)
def test_well_formed_sip_addresses_are_accepted(address: str) -> None:
    assert checked_sip_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "sip:",
        "sip:a@b c",
        "sip:a@b\r\nX: y",
        "sip:a@b?Replaces=1",
        "sip:a@b>;evil",
        "sip:a@b;maddr=192.0.2.1",
    ],
)
def test_malformed_sip_addresses_are_refused(address: str) -> None:
    with pytest.raises(NumberError):
        checked_sip_address(address)


def test_request_uri_carries_the_transport() -> None:
    assert request_uri(SipTrunk(name="a", server="sip.example.net"), "+49") == "sip:+49@sip.example.net"
    tls = SipTrunk(name="a", server="192.0.2.1:5061", transport=Transport.TLS)
    assert request_uri(tls, "*21#") == "sip:*21%23@192.0.2.1:5061;transport=tls"


MESSAGE = (
    "INVITE sip:+4930555@192.0.2.1;user=phone SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9\r\n"
    'f: "Dr. \\"Who\\" Example" <sip:0301234%23@provider.example:5070;x=y>;tag=1\r\nt: <sip:x@y>\r\n'
    "P-Asserted-Identity: <tel:+49301234>\r\nX-Long: a\r\n b\r\nRetry-After: 120 (maintenance)\r\n\r\nv=0\r\n"
)


def test_headers_are_read_in_every_form() -> None:
    found = messages.headers(MESSAGE)
    assert messages.uri_user(messages.start_line(MESSAGE)) == "+4930555"
    assert messages.uri_user(messages.first(found, "from")) == "0301234#"
    assert messages.uri_host(messages.first(found, "from")) == "provider.example"
    assert messages.display_name(messages.first(found, "from")) == 'Dr. "Who" Example'
    assert messages.uri_user(messages.first(found, "p-asserted-identity")) == "+49301234"
    assert messages.first(found, "x-long") == "a b"
    assert messages.retry_after_s(MESSAGE) == 120.0
    assert messages.status_code("SIP/2.0 486 Busy Here\r\n\r\n") == 486
    assert messages.status_code(MESSAGE) == 0


def test_numbers_have_no_control_characters() -> None:
    """They stand in lists, traces and the headers of e-mails."""
    found = messages.headers("INVITE x SIP/2.0\r\nFrom: <sip:+4930%00%0d%0a12@x>\r\n\r\n")
    assert messages.caller(found).number == "+493012"
    assert messages.uri_user("<sip:fax%0d%0aBcc:x@y>") == "faxBcc"


def test_fifty_thousand_blanks_in_a_display_name_are_read_at_once() -> None:
    assert messages.display_name(" " * 50_000) == ""
    assert messages.display_name("x" + " " * 50_000 + "<sip:a@b>") == "x"


@given(st.text(max_size=400))
def test_no_message_breaks_the_reading_of_headers(text: str) -> None:
    for values in messages.headers(text).values():
        for value in values:
            messages.uri_user(value)
            messages.uri_host(value)
            messages.display_name(value)
    messages.status_code(text)
    messages.retry_after_s(text)
    body_of(text)


def test_sdp_is_found_in_a_multipart_body() -> None:
    message = (
        "INVITE x SIP/2.0\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\n"
        "Content-Type: application/sdp\r\n\r\nv=0\r\ns=-\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"
    )
    assert body_of(message) == "v=0\r\ns=-\r\n"
    assert body_of("SIP/2.0 200 OK\r\n\r\n") == ""
    assert body_of(message.replace("\r\n", "\n")) == "v=0\ns=-\r\n"


def test_sdp_and_headers_are_found_where_lines_end_in_lf_alone() -> None:
    """The library reads such messages; without a body they would be calls without media."""
    message = "SIP/2.0 486 Busy Here\nReason: Q.850;cause=17\nRetry-After: 5\n\nv=0\ns=-\n"
    assert messages.start_line(message) == "SIP/2.0 486 Busy Here"
    assert messages.reason(message) == ("q.850", 17)
    assert messages.retry_after_s(message) == 5.0
    assert body_of(message) == "v=0\ns=-\n"


@pytest.mark.parametrize(
    ("address", "port", "remote"),
    [
        ("192.0.2.1", 4000, ("192.0.2.1", 4000)),
        ("2001:db8::1", 4000, ("2001:db8::1", 4000)),
        ("0.0.0.0", 4000, None),
        ("239.1.1.1", 4000, None),
        ("host.example", 4000, None),
        ("192.0.2.1", 0, None),
        ("", 4000, None),
    ],
)
def test_media_are_sent_only_to_addresses_of_a_single_host(
    address: str, port: int, remote: tuple[str, int] | None
) -> None:
    assert sendable(address, port) == remote


@pytest.mark.parametrize("code", range(300, 700))
def test_every_status_has_a_cause(code: int) -> None:
    cause = cause_of_status(code)
    assert cause.side is not Side.NONE
    assert cause_of_status(code, ours=True) in (SIP_NO_REPLY, SIP_UNREACHABLE)
    words = "SSL certificate verification error (PJSIP_TLS_ECERTVERIF)"
    assert cause_of_status(code, words, ours=True) is SIP_CERTIFICATE
    assert cause_of_status(code, words) is not SIP_CERTIFICATE  # whoever answers says what it likes


def test_a_trunk_that_answered_is_not_said_to_be_unreachable_and_no_number_to_have_rung() -> None:
    untrue = (SIP_UNREACHABLE, SIP_NO_REPLY, causes.NO_ANSWER)
    assert [code for code in range(300, 700) if cause_of_status(code) in untrue] == []
    assert cause_of_reason(("q.850", 18)) is SIP_TIMED_OUT  # no user responding, before any ringing


def test_passing_states_are_tried_again_and_dead_numbers_are_not() -> None:
    assert cause_of_status(486).retry is Retry.SOON
    assert cause_of_status(480).retry is Retry.SOON
    assert cause_of_status(404).retry is Retry.NO
    assert cause_of_status(302).retry is Retry.NO
    assert cause_of_status(503).retry is Retry.OTHER_LINE


@given(st.text(max_size=100))
def test_no_name_or_number_breaks_out_of_a_header(text: str) -> None:
    assert not set(safe_display_name(text)) & set('"\\<>\r\n')
    assert not set(safe_user(text)) & set(' "<>@;:?\r\n')


def test_password_is_in_no_repr() -> None:
    assert "geheim" not in repr(SipTrunk(name="a", server="b.example", username="u", password="geheim"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"server": ""},
        {"server": "no host"},
        {"server": "a.example:99999"},
        {"name": "a\nb"},
        {"username": "a b"},
        {"caller_name": 'x" <sip:evil>'},
        {"caller_number": "<1>"},
        {"peers": ("10.0.0.0/99",)},
        {"calls_at_once": 0},
        {"outbound_proxy": "no host"},
        {"from_domain": "no host"},
        {"session_s": 10},
        {"public_address": "router"},
    ],
)
def test_settings_that_cannot_be_right_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_document(SipTrunk, {"name": "a", "server": "b.example", **wrong}, "lines.1")


@pytest.mark.parametrize(
    ("request_user", "headers", "dialled"),
    [
        ("+49305550100", "To: <sip:other@a>", "+49305550100"),
        ("acct", "To: <sip:+49305550100@a>", "+49305550100"),
        ("acct", "To: <sip:acct@a>\r\nP-Called-Party-ID: <sip:+49305550101@a>", "+49305550101"),
        ("acct", "To: <sip:acct@a>", "acct"),
        ("acct", "X: y", "acct"),
    ],
)
def test_dialled_number_is_found_behind_our_own_contact(
    request_user: str, headers: str, dialled: str
) -> None:
    message = f"INVITE sip:{request_user}@192.0.2.1:5060 SIP/2.0\r\n{headers}\r\n\r\n"
    assert messages.dialled(message, messages.headers(message), "acct") == dialled


def test_peers_message_is_one_short_line_of_the_log() -> None:
    assert one_line("Dropping: INVITE\r\nERROR forged\x1b[2J\n") == "Dropping: INVITE  ERROR forged [2J"
    assert len(one_line("x" * 20000)) == MAX_LOG_LINE + 1


def test_settings_without_any_transport_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        SipSettings(udp_port=None).check()


def test_every_port_of_the_range_is_used_and_then_there_is_none() -> None:
    first = free_ports(4)
    ports = PortRange(first, first + 3)
    sockets = [open_media_socket("127.0.0.1", ports) for _ in range(4)]
    try:
        assert sorted(sock.getsockname()[1] for sock in sockets) == list(range(first, first + 4))
        with pytest.raises(NoPortError, match=str(first)):
            open_media_socket("127.0.0.1", ports)
    finally:
        for sock in sockets:
            sock.close()


@pytest.mark.parametrize(
    ("uri", "user"),
    [
        ("sip:+4930555002;npdi@192.0.2.1", "+4930555002"),
        ("<sip:+4930555002;npdi;rn=+4930@192.0.2.1;user=phone>", "+4930555002"),
        ("sip:555002;phone-context=+4930@192.0.2.1", "+4930555002"),
        (
            "sip:030555002;phone-context=+49@192.0.2.1",
            "030555002",
        ),  # written for people: the trunk's rules read it
        ("sip:555002;phone-context=example.org@192.0.2.1", "555002"),
        ("sip:+4930555002;cpc=ordinary;tgrp=tg55;trunk-context=+1@192.0.2.1:5060", "+4930555002"),
        ("sip:%2B4930555002;cpc=payphone:secret@192.0.2.1?X=y", "+4930555002"),
        ("tel:+49-30-(555)002;npdi", "+4930555002"),
        ("<tel:555002;phone-context=+4930>", "+4930555002"),
        ("sip:+49-30-(555)002;npdi@192.0.2.1;user=phone", "+4930555002"),
        ("sip:ada.b@192.0.2.1", "ada.b"),
        ('"sip:1@b" <sip:+4930555002@192.0.2.1>', "+4930555002"),
        ('"say \\"tel:1\\"" <sip:+4930555002@192.0.2.1>', "+4930555002"),
        ("sip:192.0.2.1;x=y", ""),
        ("sip:a@192.0.2.1;maddr=b@c", "a"),
    ],
)
def test_parameters_in_the_user_part_are_no_part_of_the_number(uri: str, user: str) -> None:
    assert messages.uri_user(uri) == user


@pytest.mark.parametrize(
    ("request_user", "headers", "dialled"),
    [
        ("fax", "To: <sip:+49305550100@a>", "+49305550100"),
        ("fax", "To: <sip:fax@a>\r\nP-Called-Party-ID: <sip:+49305550101;npdi@a>", "+49305550101"),
        ("fax", "To: <sip:fax@a>\r\nDiversion: <sip:+49305550102@a>;reason=unconditional", "+49305550102"),
        (
            "fax",
            "To: <sip:fax@a>\r\nHistory-Info: <sip:+49301@a>;index=1,"
            " <sip:+49305550103@a?Reason=x>;index=1.1, <sip:fax@a>;index=1.1.1",
            "+49305550103",
        ),
        ("+49305550104;npdi", "To: <sip:fax@a>\r\nDiversion: <sip:+4930999@a>", "+49305550104"),
        ("fax", "To: <sip:someone@a>", "fax"),
    ],
)
def test_dialled_number_is_found_where_the_request_line_has_a_name(
    request_user: str, headers: str, dialled: str
) -> None:
    message = f"INVITE sip:{request_user}@192.0.2.1 SIP/2.0\r\n{headers}\r\n\r\n"
    assert messages.dialled(message, messages.headers(message), "acct") == dialled


ASSERTED = "P-Asserted-Identity"
FROM = 'From: "Ada" <sip:+4930111@a>;tag=1'


@pytest.mark.parametrize(
    ("headers", "number", "name"),
    [
        (FROM, "+4930111", "Ada"),
        (f"{FROM}\r\nPrivacy: none", "+4930111", "Ada"),
        (f"{FROM}\r\nPrivacy: id", "", ""),
        (f"{FROM}\r\nP-Asserted-Identity: <tel:+4930222>\r\nPrivacy: user;id;critical", "", ""),
        (f"{FROM}\r\nP-Asserted-Identity: <tel:+49-30-222>", "+4930222", "Ada"),
        (f'{FROM}\r\nRemote-Party-ID: "Bo" <sip:+4930333@a>;party=calling;privacy=off', "+4930333", "Bo"),
        (f"{FROM}\r\nRemote-Party-ID: <sip:+4930333@a>;privacy=full", "", ""),
        ("From: <sip:anonymous@anonymous.invalid>;tag=1", "", ""),
        (f"{FROM}\r\nP-Asserted-Identity: <sip:line7@a>, <tel:+4930222>", "+4930222", "Ada"),
        (
            f"{FROM}\r\nP-Asserted-Identity: <sip:line7@a>\r\nP-Asserted-Identity: <tel:+4930222>",
            "+4930222",
            "Ada",
        ),
        (f'{FROM}\r\nP-Asserted-Identity: "Bo, Ltd" <sip:+4930222@a>', "+4930222", "Bo, Ltd"),
        (f"{FROM}\r\nP-Asserted-Identity: <sip:line7@a>", "line7", "Ada"),
        ("From: <sip:Private@a>;tag=1", "", ""),
    ],
)
def test_caller_who_does_not_want_to_be_named_is_not(headers: str, number: str, name: str) -> None:
    found = messages.headers(f"INVITE x SIP/2.0\r\n{headers}\r\n\r\n")
    assert messages.caller(found) == messages.CallerIdentity(number, name)


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ('Q.850;cause=1;text="Unallocated"', causes.NUMBER_NOT_IN_SERVICE),
        ("Q.850 ;cause=17", causes.BUSY),
        ("SIP;cause=486;text=x, Q.850;cause=34", SIP_OVERLOADED),
        ("q.850;text=a;cause=42", SIP_OVERLOADED),
        ("SIP;cause=404", causes.NUMBER_NOT_IN_SERVICE),
        ('Q.850;text="gone, cause=17";cause=1', causes.NUMBER_NOT_IN_SERVICE),
        ('SIP;cause=487;text="a, b";x=y,Q.850 ; cause = 34 ;text="c"', SIP_OVERLOADED),
        ("Q850;cause=17", causes.BUSY),
        ('Q.850;cause="17"', causes.BUSY),
        ("Q.850;cause=17\r\nReason: SIP;cause=480", causes.BUSY),
        ("Q.850;cause=1700", None),
        ("Q.850;cause=5", causes.NUMBER_INVALID),
        ("Q.850;cause=63", SIP_OVERLOADED),
        ("Q.850;cause=16", None),
        ("Q.850;cause=9999", None),
        ("X.int;cause=1", None),
        ("", None),
    ],
)
def test_reason_header_says_what_the_network_knows(value: str, cause: Cause | None) -> None:
    message = f"SIP/2.0 480 X\r\nReason: {value}\r\n\r\n"
    assert cause_of_reason(messages.reason(message)) is cause
