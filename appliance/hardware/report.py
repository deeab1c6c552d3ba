"""The report: a signed JSON document, and a PDF for people, with its signature in a file."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import durable
from appliance.hardware.folder import GREEN, JSON_FILE, PDF_FILE, PDF_SIGNATURE_FILE, RED
from appliance.hardware.signing import signature_of, signed
from appliance.hardware.suite import NOTHING_THERE, SuiteOutcome, SuiteResult
from appliance.hardware.words import name_of, spoken
from appliance.language import said

VERSION = 1

_STYLE = """
@page { size: A4; margin: 18mm 16mm;
  @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt } }
body { font: 9.5pt "DejaVu Sans", sans-serif; color: #111 }
h1 { font-size: 17pt; margin: 0 0 2mm }
h2 { font-size: 11.5pt; margin: 6mm 0 1mm; break-after: avoid }
h2::first-letter { text-transform: uppercase }
.verdict { font-size: 12pt; font-weight: bold; padding: 2mm 3mm; border-left: 3mm solid; margin: 3mm 0 }
.green { border-color: #1a7f37 }
.red { border-color: #b42318 }
table { width: 100%; border-collapse: collapse; table-layout: fixed; overflow-wrap: anywhere }
td { vertical-align: top; padding: 1.2mm 2mm 1.2mm 0; border-bottom: 0.2mm solid #ccc }
tr { break-inside: avoid }
.head td { border: none; padding: 0.4mm 0 }
.head td:first-child { width: 24mm; color: #555 }
.tests td:first-child { width: 25mm; white-space: nowrap; font-weight: bold }
.tests td:last-child { width: 16mm; text-align: right; color: #555 }
.failed td:first-child { color: #b42318 }
.passed td:first-child { color: #1a7f37 }
.tests .skipped td:first-child { color: #666; font-weight: normal }
.more { color: #444; font-size: 8.5pt }
.code { font: 7.5pt "DejaVu Sans Mono", monospace; overflow-wrap: anywhere }
"""


def verdict(results: Sequence[SuiteResult]) -> str:
    """The verdict: red if a part is broken or nothing could be tested, else green."""
    outcomes = {result.outcome for result in results}
    return GREEN if SuiteOutcome.PASSED in outcomes and SuiteOutcome.FAILED not in outcomes else RED


def document(
    results: Sequence[SuiteResult],
    key: Ed25519PrivateKey,
    *,
    station: str,
    build: str,
    began: float,
    ended: float,
) -> dict[str, Any]:
    """The signed report as JSON data.  Times are Unix times."""
    return signed(
        {
            "version": VERSION,
            "verdict": verdict(results),
            "box": {"name": station, "build": build, "machine": _machine(), "system": platform.platform()},
            "began_at": _moment(began),
            "ended_at": _moment(ended),
            "results": [result.view() for result in results],
        },
        key,
    )


def write(folder: Path, report: Mapping[str, Any], key: Ed25519PrivateKey) -> None:
    """Writes report.json, report.pdf and report.pdf.sig into ``folder``.  Raises OSError."""
    durable.make_folder(folder)
    octets = json.dumps(report, indent=1, ensure_ascii=False).encode()
    pdf = as_pdf(report, hashlib.sha256(octets).hexdigest())
    durable.write_file(folder / PDF_FILE, pdf)
    durable.write_file(folder / PDF_SIGNATURE_FILE, signature_of(pdf, key).encode() + b"\n")
    durable.write_file(folder / JSON_FILE, octets)


def as_pdf(report: Mapping[str, Any], digest: str) -> bytes:
    """The PDF, in the reader's language; ``digest`` is that of the JSON file, to connect the two."""
    from weasyprint import HTML  # noqa: PLC0415 (takes a second and much memory, for this alone)

    made: bytes = HTML(string=_page(report, digest)).write_pdf()
    return made


def _page(report: Mapping[str, Any], digest: str) -> str:
    results = report["results"]
    count = {word: sum(1 for each in results if each["outcome"] == word.value) for word in SuiteOutcome}
    words = said("{good} good, {broken} broken, {skipped} not tried").format(
        good=count[SuiteOutcome.PASSED],
        broken=count[SuiteOutcome.FAILED],
        skipped=count[SuiteOutcome.SKIPPED],
    )
    green = report["verdict"] == GREEN
    title = said("Everything that was tried works.") if green else said("Something does not work.")
    box = report["box"]
    head = [
        (said("Box"), box["name"] or said("(no name)")),
        (said("Version"), box["build"]),
        (said("Machine"), box["machine"]),
        (said("System"), box["system"]),
        (said("Began"), report["began_at"]),
        (said("Ended"), report["ended_at"]),
    ]
    heading, signature = said("Hardware test"), said("Signature")
    body = [f"<h1>{escape(heading)}</h1>"]
    body.append(f"<div class='verdict {report['verdict']}'>{escape(title)} {escape(words)}.</div>")
    body.append("<table class='head'>")
    body += [f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in head]
    body.append("</table>")
    for part in dict.fromkeys(each["part"] for each in results):
        body.append(f"<h2>{escape(name_of(part))}</h2><table class='tests'>")
        body += [_row(each) for each in results if each["part"] == part]
        body.append("</table>")
    body.append(
        f"<h2>{escape(signature)}</h2><p class='code'>Ed25519 {escape(report['key'])}<br>"
        f"{escape(report['signature'])}<br>SHA-256 ({JSON_FILE}) {digest}</p>"
    )
    return f"<!doctype html><meta charset='utf-8'><style>{_STYLE}</style>{''.join(body)}"


def _row(result: Mapping[str, Any]) -> str:
    words = {
        SuiteOutcome.PASSED: said("good"),
        SuiteOutcome.FAILED: said("broken"),
        SuiteOutcome.SKIPPED: said("not tried"),
    }
    more = [result["measured"], spoken(result["reason"]), spoken(result["advice"])]
    told = "".join(f"<div class='more'>{escape(each)}</div>" for each in more if each)
    word = words[SuiteOutcome(result["outcome"])]
    name = result["test"].partition("[")[2].removesuffix("]")
    about = f" <span class='more'>({escape(name)})</span>" if name not in ("", NOTHING_THERE) else ""
    sentence = escape(spoken(result["sentence"]))
    return (
        f"<tr class='{result['outcome']}'><td>{escape(word)}</td><td>{sentence}{about}{told}</td>"
        f"<td>{result['seconds']:.1f} s</td></tr>"
    )


def _machine() -> str:
    """The board, as its device tree or its firmware names it."""
    for name in ("/proc/device-tree/model", "/sys/class/dmi/id/product_name"):
        try:
            return Path(name).read_text(encoding="utf-8", errors="replace").strip("\0\n ")
        except OSError:
            continue
    return platform.machine()


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
