"""What DOC, XLS and PPT have besides their pages, read from the streams of the compound file.  Pure.

Each function takes octets that strangers made, cut off at will, and looks at a bounded number of records.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.remarks import COMMENTS_LEFT_OUT, HIDDEN_LEFT_OUT, Remark, counted

# Records of an XLS ([MS-XLS] 2.3.2): of the workbook (a sheet, a name), begin and end of its parts ...
_SHEET_RECORD, _NAME_RECORD, _BEGIN, _END = 0x0085, 0x0018, 0x0809, 0x000A
# ... of a sheet: rows, columns and comments; and its cells with content, which begin with row and column.
_ROW_RECORD, _COLUMNS_RECORD, _COMMENT_RECORD, _SEVERAL_NUMBERS = 0x0208, 0x007D, 0x001C, 0x00BD
_CELLS = frozenset({0x0006, 0x0203, 0x0204, 0x0205, 0x027E, 0x00D6, 0x00FD, _SEVERAL_NUMBERS})
_CONTINUED = 0xFFFF  # in place of the row of a comment: Excel 5 split the long ones
_SHEET_STATE, _ROW_FLAGS, _ROW_HIDDEN, _COLUMNS_FLAGS = 4, 12, 0x20, 8
# A print area: where the name's sheet and letters are, those of its name (2.5.66), and the tokens of a union
# of frames (2.5.198: PtgMemFunc, PtgUnion) and of a frame (PtgArea3d).
_NAME_SHEET, _NAME_LETTERS, _PRINT_AREA = 8, 14, b"\0\x06"
_UNION_BEGIN, _UNION, _FRAME, _FRAME_OCTETS = 0x29, 0x10, frozenset({0x3B, 0x5B, 0x7B}), 11
_MOST_RECORDS = 20_000
_MOST_OF_A_SHEET = 500_000  # records

# [MS-DOC] 2.5: where a document's header says which stream has its tables, and where in that (offset and
# length) the references of comments and the list of pages of character properties are.
_FLAGS_AT, _SECOND_TABLE = 0x0A, 0x0200
_COMMENTS_AT, _PROPERTIES_AT = 0xBA, 0xFA
# Marks of a password: a flag of a DOC (2.5.2), a record of an XLS ([MS-XLS] 2.4.117) among its first ones, a
# token of a PPT ([MS-PPT] 2.3.2).
_LOCKED_DOCUMENT, _LOCK_RECORD, _MOST_BEFORE_LOCK = 0x0100, 0x002F, 20
_TOKEN_AT, _LOCKED_SLIDES = 12, 0xF3D1C4DF
_COMMENT_OCTETS = 4 + 30  # a place in the text, and what stands for it (2.9.7, ATRDPre10)
_PAGE, _RUN_COUNT_AT = 512, 511  # a page of properties ends with the number of its runs (2.9.33, ChpxFkp)
_MOST_PAGES = 20_000
_VANISH = 0x083C  # sprmCFVanish (2.6.1): hidden text, when its operand is 1
# Octets of an operand by the three highest bits of its code (2.2.5.1); 6: its first octet says how many.
_OPERANDS = (1, 1, 2, 4, 2, 2, 0, 3)
_VARIABLE = 6

# [MS-PPT] 2.13.24: a record is a header of eight octets and content; a container's is further records.
_HEADER, _CONTAINER = 8, 0x0F
_SLIDE, _NOTES, _SLIDE_SHOW, _COMMENT = 0x03EE, 0x03F0, 0x03F9, 0x2EE0
_TEXTS = frozenset({0x0FA0, 0x0FA8})
_FILLED_IN = b"\0\r\n\v *"  # an asterisk stands for the page's number or date
_SHOW_FLAGS_AT, _HIDDEN_SLIDE = 10, 0x04  # 2.6.6, SlideShowSlideInfoAtom
_DEEPEST = 12


def unseen_in_xls(workbook: bytes) -> Iterator[Remark]:
    """Remarks on the stream of an XLS, whose first records name the sheets ([MS-XLS] 2.4.28)."""
    sheets: list[int] = []
    areas: dict[int, list[tuple[int, ...]]] = {}
    hidden = {"sheets": 0, "rows or columns": 0, "sheets beyond the print area": 0}
    comments = 0
    for kind, begin, length in _part(workbook, 0, _MOST_RECORDS):
        if kind == _SHEET_RECORD and length > _SHEET_STATE:
            hidden["sheets"] += workbook[begin + _SHEET_STATE] & 3 != 0
            sheets.append(_number(workbook, begin, 4))
        elif kind == _NAME_RECORD:
            areas |= _print_area(workbook[begin : begin + length])
    for number, place in enumerate(sheets, 1):
        cells, rows, columns, noted = _sheet(workbook, place)
        comments += noted
        hidden["rows or columns"] += len(rows & {row for row, _ in cells})
        hidden["rows or columns"] += len(columns & {column for _, column in cells})
        frames = areas.get(number, [])
        hidden["sheets beyond the print area"] += bool(frames) and any(
            not any(top <= row <= bottom and left <= column <= right for top, bottom, left, right in frames)
            for row, column in cells
        )
    yield from counted(HIDDEN_LEFT_OUT, hidden)
    yield from counted(COMMENTS_LEFT_OUT, {"comments": comments})


def _part(workbook: bytes, at: int, most: int) -> Iterator[tuple[int, int, int]]:
    """The number of each record of a part of an XLS, and the place and length of its content; not those of
    the charts in it.
    """
    depth = 0
    for _ in range(most):
        kind, length = _number(workbook, at, 2), _number(workbook, at + 2, 2)
        if at + 4 + length > len(workbook):
            return
        depth += (kind == _BEGIN) - (kind == _END)
        if depth <= 0 and kind == _END:
            return
        if depth <= 1:
            yield kind, at + 4, length
        at += 4 + length


def _sheet(workbook: bytes, place: int) -> tuple[set[tuple[int, int]], set[int], set[int], int]:
    """The cells with content of a sheet, its hidden rows and columns, and the number of its comments."""
    cells: set[tuple[int, int]] = set()
    rows: set[int] = set()
    columns: set[int] = set()
    comments = 0
    for kind, begin, length in _part(workbook, place, _MOST_OF_A_SHEET):
        first, second = _number(workbook, begin, 2), _number(workbook, begin + 2, 2)
        if kind in _CELLS:
            last = _number(workbook, begin + length - 2, 2) if kind == _SEVERAL_NUMBERS else second
            cells |= {(first, column) for column in range(second, min(last, 0xFF) + 1)}
        elif kind == _ROW_RECORD and _number(workbook, begin + _ROW_FLAGS, 1) & _ROW_HIDDEN:
            rows.add(first)
        elif kind == _COLUMNS_RECORD and _number(workbook, begin + _COLUMNS_FLAGS, 1) & 1:
            columns |= set(range(first, min(second, 0xFF) + 1))
        elif kind == _COMMENT_RECORD and first != _CONTINUED:
            comments += 1
    return cells, rows, columns, comments


def _print_area(name: bytes) -> dict[int, list[tuple[int, ...]]]:
    """The frames (first and last row, first and last column) to which a name limits the print of a sheet."""
    if name[_NAME_LETTERS : _NAME_LETTERS + 2] != _PRINT_AREA:
        return {}
    frames = []
    at = _NAME_LETTERS + len(_PRINT_AREA)
    while at < len(name):
        if name[at] in _FRAME:
            frames.append(tuple(_number(name, at + 3 + 2 * side, 2) for side in range(4)))
            at += _FRAME_OCTETS
        elif name[at] in {_UNION_BEGIN, _UNION}:
            at += 3 if name[at] == _UNION_BEGIN else 1
        else:
            return {}
    return {_number(name, _NAME_SHEET, 2): [(t, b, lf & 0xFF, r & 0xFF) for t, b, lf, r in frames]}


def is_locked(document: bytes, workbook: bytes, user: bytes) -> bool:
    """Whether a password protects a DOC, an XLS or a PPT ([MS-OFFCRYPTO] 2.3), by these of its streams."""
    at = 0
    for _ in range(_MOST_BEFORE_LOCK):
        if _number(workbook, at, 2) == _LOCK_RECORD and at + 4 <= len(workbook):
            return True
        at += 4 + _number(workbook, at + 2, 2)
    locked = _number(document, _FLAGS_AT, 2) & _LOCKED_DOCUMENT
    return bool(locked) or _number(user, _TOKEN_AT, 4) == _LOCKED_SLIDES


def table_of(document: bytes) -> str:
    """The name of the stream with the tables of a DOC."""
    return "1Table" if _number(document, _FLAGS_AT, 2) & _SECOND_TABLE else "0Table"


def unseen_in_doc(document: bytes, table: bytes) -> Iterator[Remark]:
    """Remarks on a DOC: its WordDocument stream and the stream named by `table_of`."""
    yield from counted(HIDDEN_LEFT_OUT, {"texts": sum(map(_hides, _runs(document, table)))})
    comments = (_number(document, _COMMENTS_AT + 4, 4) - 4) // _COMMENT_OCTETS
    if 0 < comments <= len(table) // _COMMENT_OCTETS:
        yield from counted(COMMENTS_LEFT_OUT, {"comments": comments})


def _runs(document: bytes, table: bytes) -> Iterator[bytes]:
    """The properties of each run of characters that has some (2.8.6, PlcBteChpx); of each page once."""
    start, octets = _number(document, _PROPERTIES_AT, 4), _number(document, _PROPERTIES_AT + 4, 4)
    pages = min(max(octets - 4, 0) // 8, _MOST_PAGES)
    numbers = (_number(table, start + 4 * (pages + 1) + 4 * index, 4) for index in range(pages))
    for at in dict.fromkeys(number * _PAGE for number in numbers):
        page = document[at : at + _PAGE]
        if len(page) < _PAGE:
            return
        count = page[_RUN_COUNT_AT]
        for place in page[4 * (count + 1) : 4 * (count + 1) + count]:
            if place:
                begin = 2 * place
                yield page[begin + 1 : begin + 1 + page[begin]]


def _hides(properties: bytes) -> bool:
    at = 0
    while at + 2 < len(properties):
        code = _number(properties, at, 2)
        at += 2
        if code == _VANISH:
            return properties[at] == 1
        size = code >> 13
        at += _OPERANDS[size] if size != _VARIABLE else 1 + properties[at]
    return False


def unseen_in_ppt(slides: bytes) -> Iterator[Remark]:
    """Remarks on the stream of a PPT: hidden slides, comments, speaker's notes."""
    hidden = notes = comments = 0
    for kind, content, within in _records(slides):
        if kind == _SLIDE_SHOW and len(content) > _SHOW_FLAGS_AT and _SLIDE in within:
            hidden += content[_SHOW_FLAGS_AT] & _HIDDEN_SLIDE != 0
        elif kind == _COMMENT:
            comments += 1
        elif kind == _NOTES:
            notes += _has_notes(content)
    yield from counted(HIDDEN_LEFT_OUT, {"slides": hidden})
    yield from counted(COMMENTS_LEFT_OUT, {"comments": comments, "notes": notes})


def _has_notes(page: bytes) -> bool:
    """Whether a page of notes has any; the picture of the slide and the page's number are none."""
    return any(kind in _TEXTS and content.strip(_FILLED_IN) for kind, content, _ in _records(page))


def _records(stream: bytes) -> Iterator[tuple[int, bytes, tuple[int, ...]]]:
    """Kind and content of each record, and the kinds of those around it."""
    waiting: list[tuple[int, int, tuple[int, ...]]] = [(0, len(stream), ())]
    looked_at = 0
    while waiting:
        at, end, within = waiting.pop()
        if at + _HEADER > end or looked_at > _MOST_RECORDS:
            continue
        looked_at += 1
        kind, length = _number(stream, at + 2, 2), _number(stream, at + 4, 4)
        begin, behind = at + _HEADER, at + _HEADER + length
        if behind > end:
            continue
        waiting.append((behind, end, within))
        yield kind, stream[begin:behind] if kind != _SLIDE else b"", within
        if stream[at] & _CONTAINER == _CONTAINER and len(within) < _DEEPEST:
            waiting.append((begin, behind, (*within, kind)))


def _number(octets: bytes, at: int, width: int) -> int:
    """A little-endian number; 0 beyond the end."""
    return int.from_bytes(octets[at : at + width], "little")
