"""Texts that programs write for programs: whether one is such, and what it is called.  Pure.

They are faxed as they are written, with a remark: their codes are no letter that a person reads.
"""

from __future__ import annotations

import json
import re

# How a text in XML begins, and its first element (XML 1.0, 2.8).
_XML = re.compile(
    r"\s{0,100}(?:<\?[^>]{0,500}\?>\s{0,100}|<!--.{0,2000}?-->\s{0,100}|<!DOCTYPE[^>\[]{0,500}(?:\[[^\]]{0,4000}\]\s{0,9})?>\s{0,100}){0,8}"
    r"<([A-Za-z_][\w.:-]{0,100})((?:\s[^<>]{0,4000})?)>",
    re.DOTALL,
)
_BEGINNING = 16_384
_LARGEST_JSON = 4_000_000  # characters
# What is known of XML, by its first element or the namespaces there.
_KNOWN_XML = (
    ("ClinicalDocument", "a medical document (CDA)"),
    ("hl7.org/fhir", "a medical record (FHIR)"),
    ("urn:hl7-org", "a medical message (HL7)"),
    ("CrossIndustry", "an electronic invoice"),
    ("ubl:schema:xsd:Invoice", "an electronic invoice"),
    ("ubl:schema:xsd:CreditNote", "an electronic invoice"),
    ("iso:20022", "an order or a statement of a bank (ISO 20022)"),
)
# Messages that are no XML, by their first line.
_MESSAGES = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"\x0b?(?:FHS|BHS|MSH)\|", "a medical message (HL7)"),
        (r"01\d8000\d{4}\s", "a file of a doctor's practice (xDT)"),
        (r"UNA.{6}\s{0,2}UNB\+|UNB\+", "a message between companies (EDIFACT)"),
        (r"ISA([*|~^]).{2}\1.{10}\1", "a message between companies (X12)"),
        (r":20:[^\n]{0,40}\n(?::21:[^\n]{0,40}\n)?:25:", "a statement of a bank (MT940)"),
        (r"\{1:F\d\d[A-Z0-9]{12}", "a message of a bank (SWIFT)"),
    )
)


def codes_in(text: str) -> str:
    """What a text of codes is; empty for one that a person reads."""
    beginning = text.lstrip("\ufeff")[:_BEGINNING].replace("\r\n", "\n").replace("\r", "\n")
    for pattern, name in _MESSAGES:
        if pattern.match(beginning.lstrip("\n ")):
            return name
    found = _XML.match(beginning)
    if found is not None and (beginning.lstrip().startswith("<?xml") or _is_closed(text, found[1])):
        return next((name for known, name in _KNOWN_XML if known in found[0]), "XML")
    return _json_in(text)


def _is_closed(text: str, element: str) -> bool:
    return text.rstrip().endswith(f"</{element}>")


def _json_in(text: str) -> str:
    """What a text in JSON (RFC 8259) is; empty for one that is no object, nor several."""
    text = text.lstrip("\ufeff")
    if not text.lstrip().startswith(("{", "[")) or len(text) > _LARGEST_JSON:
        return ""
    try:
        made = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    first = made[0] if isinstance(made, list) and made else made
    if not isinstance(first, dict) or not first:
        return ""
    return "a medical record (FHIR)" if "resourceType" in first else "JSON"
