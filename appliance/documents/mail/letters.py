"""E-mails that are handed in as files: heading, text, then the attachments."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace

from appliance.documents.bounded import Typeset
from appliance.documents.causes import DOCUMENT_DAMAGED, EMAIL_DAMAGED, WINMAIL_EMPTY
from appliance.documents.errors import DocumentError
from appliance.documents.file_part import FilePart, part_key
from appliance.documents.joined import DEEPEST, Joined, Opener, Opening
from appliance.documents.kinds import Kind
from appliance.documents.labels import HEADING
from appliance.documents.mail import tnef
from appliance.documents.mail.headers import fields_of, heading, shortened
from appliance.documents.mail.outlook import read_message
from appliance.documents.mail.parsing import in_mailbox, parse_email
from appliance.documents.mail.parts import Letter, letter_of, shown_in
from appliance.documents.mail.rtf_compression import decompressed
from appliance.documents.text.plain import guess_remarks, text_blocks
from appliance.documents.typeset.source import TypesetSource, typeset_page
from appliance.documents.workshop import Workshop
from appliance.remarks import COMPANION_LEFT_OUT, CONTENT_DAMAGED, FILE_LEFT_OUT, Remark


def open_letter(content: bytes, kind: Kind, workshop: Workshop, open_source: Opener) -> Joined:
    """The pages of an EML, an MSG or a winmail.dat.

    Raises DocumentError: EMAIL_DAMAGED, DOCUMENT_DAMAGED, WINMAIL_EMPTY, DOCUMENT_EMPTY; that of a part only
    when nothing of the e-mail can be faxed.
    """
    if workshop.depth >= DEEPEST:
        raise DocumentError(EMAIL_DAMAGED, f"more than {DEEPEST} e-mails within each other")
    fields, letter = _read(content, kind, workshop)
    opening = Opening(workshop, open_source)
    if letter.html.strip() or letter.plain.strip() or any(fields.values()):
        opening.drawers.append(TypesetSource(_typeset_letter(fields, letter, workshop)))
    left_out = guess_remarks(letter.guessed)
    if letter.damaged:
        left_out.append(Remark(CONTENT_DAMAGED, detail=letter.damaged))
    nothing_else = not (letter.html.strip() or letter.plain.strip() or letter.files)
    files, companions = list(reversed(letter.files)), letter.companions
    del content, letter  # so that each file is freed once it is opened
    around, workshop.subject = workshop.subject, fields.get("Subject", "")
    try:
        opening.open_each(_one_by_one(files))
    finally:
        workshop.subject = around
    left_out += opening.left_out
    kind_of_loss = FILE_LEFT_OUT if nothing_else else COMPANION_LEFT_OUT
    left_out += [Remark(kind_of_loss, file=name) for name in companions]
    if not opening.drawers:
        said = left_out[-1].words() if left_out else "an e-mail without content"
        raise DocumentError(opening.refused, said)
    return Joined(opening.drawers, left_out)


def _one_by_one(files: list[FilePart]) -> Iterator[tuple[bytes, str, str]]:
    """Takes ``files`` from the end of the list."""
    while files:
        file = files.pop()
        yield file.content, file.name or "attachment", file.media_type


def _read(content: bytes, kind: Kind, workshop: Workshop) -> tuple[dict[str, str], Letter]:
    """The fields and the content of an e-mail; of a mailbox the first, with the others as files."""
    if kind is Kind.MSG:
        return read_message(content)
    if kind is not Kind.EMAIL:
        fields, letter = _winmail(content)
        around = workshop.depth and fields["Subject"] == workshop.subject  # which says all of it
        return {} if around else fields, letter
    content, *further = in_mailbox(content)
    message = parse_email(content)
    letter = letter_of(message, workshop.labels)
    others = (FilePart(f"e-mail {number}.eml", "", each) for number, each in enumerate(further, 2))
    return fields_of(message), replace(letter, files=(*letter.files, *others))


def _winmail(content: bytes) -> tuple[dict[str, str], Letter]:
    try:
        inside = tnef.unpacked(content)
    except tnef.TnefError as error:
        raise DocumentError(DOCUMENT_DAMAGED, f"winmail.dat: {error}") from None
    files = [FilePart(file.name, "", file.content, file.content_id) for file in inside.files]
    rtf = decompressed(inside.rtf) if not inside.html.strip() else None
    if rtf:
        files.insert(0, FilePart("message.rtf", "application/rtf", rtf))
    if not (files or inside.html.strip() or inside.plain.strip() or any(inside.item.values())):
        raise DocumentError(WINMAIL_EMPTY)
    inline, others = shown_in(inside.html, files)
    fields = {name: shortened(" ".join(inside.heading.get(name, "").split())) for name in HEADING}
    fields |= {name: shortened(value) for name, value in inside.item.items()}
    return fields, Letter("" if rtf else inside.plain, inside.html, tuple(inline), tuple(others))


def _typeset_letter(fields: dict[str, str], letter: Letter, workshop: Workshop) -> Typeset:
    top = heading(fields, workshop.labels) if any(fields.values()) else ""
    if letter.html.strip():
        body = letter.html
    else:
        body = f'<div style="font-family:monospace">{text_blocks(letter.plain)}</div>'
    title = html.escape(fields.get("Subject", ""))
    page = f"<!doctype html><meta charset=utf-8><title>{title}</title><body>{top}{body}"
    parts = {part_key(each.content_id): each for each in (*letter.styles, *letter.inline)}
    return typeset_page(page, workshop, parts)
