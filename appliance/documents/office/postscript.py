"""PostScript through Ghostscript where it is installed; PostScript is a program, so it is confined."""

from __future__ import annotations

import re

from appliance.documents.bounded import Bounds, Typeset
from appliance.documents.causes import POSTSCRIPT_NOT_INSTALLED
from appliance.documents.errors import DocumentError
from appliance.documents.first_octets import EPS_WITH_PREVIEW, POSTSCRIPT
from appliance.documents.office.confined import Bench, find_program
from appliance.documents.typeset.source import TypesetSource
from appliance.documents.workshop import Workshop
from appliance.remarks import FONT_REPLACED, Remark

PROGRAM = "gs"
_BOUNDS = Bounds(cpu_seconds=45, wall_seconds=55.0)
_RUN_SECONDS = 50.0
# What Ghostscript says of a font that the file does not bring, but of those that its own are alike.
_REPLACED = re.compile(rb"^Substituting font [\w+.-]{1,80} for ([\w+.-]{1,80})\.\s*$", re.MULTILINE)
_ALIKE = re.compile(rb"Arial|Helvetica|Times|Courier")
_NO_MEMORY = b"/VMerror"  # PostScript Language Reference, 3.11.1


def open_postscript(content: bytes, workshop: Workshop) -> TypesetSource:
    """The pages that Ghostscript makes of ``content``.

    Raises DocumentError: POSTSCRIPT_NOT_INSTALLED, DOCUMENT_DAMAGED, DOCUMENT_MEMORY, DOCUMENT_TIMED_OUT.
    """
    program = find_program(PROGRAM)
    if program is None:
        raise DocumentError(POSTSCRIPT_NOT_INSTALLED)
    if not content.startswith(EPS_WITH_PREVIEW):
        content = content[content.index(POSTSCRIPT) :]  # without a printer's prologue (PJL)

    def make() -> Typeset:
        return _convert(program, content, workshop)

    return TypesetSource(workshop.once("postscript", content, make, _BOUNDS))


def _convert(program: str, content: bytes, workshop: Workshop) -> Typeset:
    with Bench(workshop) as bench:
        source, made = bench.folder / "document.ps", bench.folder / "document.pdf"
        source.write_bytes(content)
        width, height = (round(side * 72 / 25.4) for side in workshop.paper.value)
        command = [
            program,
            "-dSAFER",
            "-dBATCH",
            "-dNOPAUSE",
            "-dNOPROMPT",
            "-dEPSCrop",
            f"-dDEVICEWIDTHPOINTS={width}",
            f"-dDEVICEHEIGHTPOINTS={height}",
            "-sDEVICE=pdfwrite",
            f"-sOutputFile={made}",
            str(source),
        ]
        pdf = bench.pdf_of(command, made, _RUN_SECONDS, "Ghostscript", lambda run: _NO_MEMORY in run.said())
        replaced = dict.fromkeys(_REPLACED.findall(bench.said()))
        names = [name.decode() for name in replaced if not _ALIKE.match(name)]
        return Typeset(pdf, tuple(Remark(FONT_REPLACED, detail=name) for name in names))
