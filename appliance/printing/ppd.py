"""The printer descriptions (PPD) of the two CUPS queues.

They ask CUPS for PDF.  The margins make "fit" shrink a page instead of cropping it; the option with the
number has the name that macOS and cups-filters use.
"""

from __future__ import annotations

# Name, and width and height in points.
_SIZES = (("A4", 595, 842), ("Letter", 612, 792), ("Legal", 612, 1008), ("A5", 420, 595))
# Margin on each side of a fax page, points: the receiving machine's paper has an unprintable edge, too.
MARGIN = 9

_HEAD = """*PPD-Adobe: "4.3"
*FormatVersion: "4.3"
*FileVersion: "1.0"
*LanguageVersion: English
*LanguageEncoding: ISOLatin1
*PCFileName: "FAXBOX.PPD"
*Manufacturer: "faxbox"
*Product: "(faxbox)"
*ModelName: "{model}"
*ShortNickName: "{model}"
*NickName: "{model}"
*PSVersion: "(3010.000) 0"
*LanguageLevel: "3"
*ColorDevice: False
*DefaultColorSpace: Gray
*FileSystem: False
*Throughput: "1"
*TTRasterizer: Type42
*cupsVersion: 2.4
*cupsLanguages: "en de"
*cupsManualCopies: False
*cupsFilter2: "application/vnd.cups-pdf application/pdf 0 -"
"""
_FAX = "*cupsFax: True\n"
_NUMBER = """
*OpenGroup: Fax/Fax
*de.Translation Fax/Fax: ""
*OpenUI *phone/Fax number: PickOne
*de.Translation phone/Faxnummer: ""
*OrderDependency: 10 AnySetup *phone
*Defaultphone: None
*phone None/Asked for on the box: ""
*de.phone None/Wird an der Box erfragt: ""
*CloseUI: *phone
*Customphone True: ""
*ParamCustomphone Number/Number: 1 string 0 255
*de.ParamCustomphone Number/Nummer: ""
*OpenUI *FaxQuality/Quality: PickOne
*de.Translation FaxQuality/Qualität: ""
*OrderDependency: 10 AnySetup *FaxQuality
*DefaultFaxQuality: Usual
*FaxQuality Usual/As the box is set: ""
*de.FaxQuality Usual/Wie an der Box eingestellt: ""
*FaxQuality standard/Standard: ""
*FaxQuality fine/Fine: ""
*de.FaxQuality fine/Fein: ""
*FaxQuality superfine/Superfine: ""
*de.FaxQuality superfine/Superfein: ""
*CloseUI: *FaxQuality
*OpenUI *FaxCover/Cover page: PickOne
*de.Translation FaxCover/Deckblatt: ""
*OrderDependency: 10 AnySetup *FaxCover
*DefaultFaxCover: Usual
*FaxCover Usual/As usual: ""
*de.FaxCover Usual/Wie üblich: ""
*FaxCover none/None: ""
*de.FaxCover none/Keins: ""
*FaxCover standard/The box's own: ""
*de.FaxCover standard/Das der Box: ""
*CloseUI: *FaxCover
*CloseGroup: Fax
"""


def ppd(model: str, *, fax: bool) -> bytes:
    """The description of a queue, UTF-8; ``fax`` sets CUPS' fax bit."""
    head = _HEAD.format(model=model) + (_FAX if fax else "")
    return (head + _sizes() + _NUMBER).encode("latin-1")


def _sizes() -> str:
    lines = []
    for keyword, value in (
        ("PageSize", '"<</PageSize[{w} {h}]>>setpagedevice"'),
        ("PageRegion", '"<</PageSize[{w} {h}]>>setpagedevice"'),
    ):
        lines.append(f"*OpenUI *{keyword}/Paper: PickOne\n*OrderDependency: 10 AnySetup *{keyword}")
        lines.append(f"*Default{keyword}: A4")
        lines += [f"*{keyword} {name}: " + value.format(w=w, h=h) for name, w, h in _SIZES]
        lines.append(f"*CloseUI: *{keyword}")
    lines.append("*DefaultImageableArea: A4")
    lines += [
        f'*ImageableArea {name}: "{MARGIN} {MARGIN} {w - MARGIN} {h - MARGIN}"' for name, w, h in _SIZES
    ]
    lines.append("*DefaultPaperDimension: A4")
    lines += [f'*PaperDimension {name}: "{w} {h}"' for name, w, h in _SIZES]
    return "\n".join(lines) + "\n"
