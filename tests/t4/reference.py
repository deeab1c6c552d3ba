"""A second encoder, written straight from T.4 and T.6, one pixel run at a time: the tests' own measure."""

from __future__ import annotations

from appliance.t4.codes import BLACK_CODES, HORIZONTAL, PASS, VERTICAL, WHITE_CODES


def run_code(run: int, black: bool) -> str:
    codes = BLACK_CODES if black else WHITE_CODES
    bits = ""
    while run > 2560 + 63:
        bits += codes[2560]
        run -= 2560
    if run > 63:
        bits += codes[run - run % 64]
    return bits + codes[run % 64]


def row_1d(changes: list[int], width: int) -> str:
    bits = ""
    at, black = 0, False
    for change in [*changes, width]:
        bits += run_code(change - at, black)
        at, black = change, not black
    return bits


def row_2d(changes: list[int], reference: list[int], width: int) -> str:
    bits = ""
    a0, black = -1, False
    while a0 < width:
        a1 = next((x for n, x in enumerate(changes) if x > a0 and n % 2 == black), width)
        b1 = next((x for n, x in enumerate(reference) if x > a0 and n % 2 == black), width)
        b2 = next((x for x in reference if x > b1), width)
        if b2 < a1:
            bits += PASS
            a0 = b2
        elif abs(a1 - b1) <= 3:
            bits += VERTICAL[a1 - b1]
            a0, black = a1, not black
        else:
            a2 = next((x for x in changes if x > a1), width)
            bits += HORIZONTAL + run_code(a1 - max(a0, 0), black) + run_code(a2 - a1, not black)
            a0 = a2
    return bits
