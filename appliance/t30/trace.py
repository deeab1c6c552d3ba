"""T.30 frames and progress events as text, for the trace and the display of a running call."""

from __future__ import annotations

from appliance.t30.fields import Facilities, FieldError, Settings
from appliance.t30.frames import Fcf, FrameError, FrameMap, HdlcFrame, PartialPage, decode_end, decode_ident

# Every ``Progress.event`` of the engine, with its fields.  They are stable: traces and web pages depend on
# them.
EVENTS: dict[str, str] = {
    "tone": "a tone was heard: tone",
    "frame_sent": "a T.30 frame leaves: name, fif (hexadecimal), meaning",
    "frame_received": "a T.30 frame came: name, fif, meaning",
    "frame_bad": "a frame came with a wrong FCS: octets",
    "frame_unknown": "a frame came that T.30 does not have: reason, octets (hexadecimal)",
    "remote_id": "the far end said who it is: id",
    "sub_address": "the sender asked for a sub-address: sub",
    "selective_polling": "the caller named the document that it wants: sep",
    "sub_address_omitted": "our sub-address was not sent: reason",
    "password_omitted": "our password was not sent: reason",
    "dis": "what the far end can take: facilities",
    "dcs": "what was chosen for the next pages, by us or by the far end: settings",
    "dcs_refused": "the far end chose what was not offered: reason",
    "polling": "we ask the far end for its pages",
    "training": "a training check leaves: rate, modulation",
    "trained": "the far end confirmed the training check: rate",
    "tcf": "a training check came: good, octets, non_zero, longest_run",
    "nominal_pace": "the far end did not bear a quick call, which goes on at T.30's nominal times",
    "step_down": "the next lower rate: rate, modulation",
    "retrain": "training begins again",
    "page_sending": "a page leaves: page, rows, octets, coding, rate, ecm",
    "page_confirmed": "the far end has the page: page",
    "page_format": "a page was delivered that the receiver cannot take: reason",
    "page_receiving": "a page begins to come: page",
    "image_lost": "a network lost a part of a page without ECM: octets, about",
    "page_judged": "a page without ECM, or an unreadable one, came: verdict, rows, bad_rows, rtc",
    "page_received": "the page is stored and confirmed: page, reply",
    "block_confirmed": "the far end has a part of a long page: page, block",
    "ppr": "frames are asked for again, by us or by the far end: page, frames (and block)",
    "rtp": "the far end took the page and wants training: page",
    "rtn": "the far end refused the page: page",
    "began_anew": "the far end said DIS in place of a response, the page goes again: page",
    "pip": "the far end took the page and wants to speak: page",
    "pin": "the far end refused the page and wants to speak: page",
    "answer_owed": "an answer came that may be an earlier command's, so the command is said again: name",
    "receiver_not_ready": "the far end needs time (RNR)",
    "wrong_carrier": "a signal came at another rate than agreed: carrier",
    "timer": "a timer elapsed: name",
    "ignored": "something came that means nothing in this state: state, what",
    "more_not_noted": "the far end says so much that its frames are noted no longer",
    "fault": "a fault of ours: what",
    "left": "its owner ends the call, no page is ended after this: last_page_out",
    "ended": "the call is over: code, phase",
}

_IDENTS = frozenset({Fcf.CSI, Fcf.CIG, Fcf.TSI, Fcf.SUB, Fcf.SEP, Fcf.PWD, Fcf.SID, Fcf.PSA})
# Traces are handed on for diagnosis, so passwords are left out.
_SECRET = frozenset({Fcf.PWD, Fcf.SID})
_HEX_SHOWN = 40  # octets of a FIF shown as they came


def describe_frame(frame: HdlcFrame) -> dict[str, str | int | float | bool]:
    """The fields ``name``, ``fif`` (hexadecimal, not of passwords) and ``meaning`` of a frame event."""
    fields: dict[str, str | int | float | bool] = {"name": frame.fcf.name.replace("_", "-")}
    if frame.fif and frame.fcf not in _SECRET:
        fields["fif"] = frame.fif[:_HEX_SHOWN].hex()
    meaning = _meaning(frame)
    if meaning:
        fields["meaning"] = meaning
    return fields


def _meaning(frame: HdlcFrame) -> str:
    try:
        match frame.fcf:
            case Fcf.DIS | Fcf.DTC:
                return Facilities.decode(frame.fif).describe()
            case Fcf.DCS:
                return Settings.decode(frame.fif).describe()
            case Fcf.PPS:
                part = PartialPage.decode(frame.fif)
                return f"{_end(part.end)}, page {part.page}, block {part.block}, {part.frames} frames"
            case Fcf.EOR:
                return _end(decode_end(frame.fif[0])) if frame.fif else ""
            case Fcf.PPR:
                return f"{len(FrameMap.decode(frame.fif).wanted)} frames again"
            case fcf if fcf in _SECRET:
                return "(not shown)"
            case fcf if fcf in _IDENTS:
                return decode_ident(frame.fif)
    except (FieldError, FrameError) as error:
        return str(error)
    return ""


def _end(end: Fcf | None) -> str:
    return "NULL" if end is None else end.name.replace("_", "-")
