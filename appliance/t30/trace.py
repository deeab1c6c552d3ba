"""T.30 frames in words, for the live account and the trace."""

from __future__ import annotations

from appliance.t30.fields import Facilities, FieldError, Settings
from appliance.t30.frames import Fcf, FrameError, FrameMap, HdlcFrame, PartialPage, decode_end, decode_ident

_IDENTS = frozenset({Fcf.CSI, Fcf.CIG, Fcf.TSI, Fcf.SUB, Fcf.SEP, Fcf.PWD, Fcf.SID, Fcf.PSA})
# A password in a trace would be read by whoever gets the trace.
_SECRET = frozenset({Fcf.PWD, Fcf.SID})
_HEX_SHOWN = 40  # octets of a FIF shown as they came


def describe_frame(frame: HdlcFrame) -> dict[str, str | int | float | bool]:
    """Name, FIF in hexadecimal (never a password's) and what it means."""
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
