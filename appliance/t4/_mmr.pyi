def encode(pixels: bytes, width: int, rows: int, words: bytes, k: int, tagged: bool, /) -> bytes:
    """Packed rows (a set bit is black; the bits behind the last pixel count for nothing), coded.

    Every ``k``-th row is one-dimensional, and an EOL is before each, if ``tagged`` with the tag bit of MR;
    the last octet is filled with zeros.  0: all rows are two-dimensional, then EOFB follows, as in MMR.
    ``words`` are the code words of white runs, then of black ones: 0 to 63, then 64, 128 ... 2560, each as
    an octet with the number of its bits and two with its value.  Raises ValueError when ``pixels`` are not
    ``rows`` rows of ``width`` pixels, or ``words`` are not those.
    """

def decode(
    data: bytes | bytearray,
    skip: int,
    width: int,
    longest: int,
    most: int,
    above: bytes | bytearray,
    last: bool,
    tables: bytes,
    empty_runs: bool,
    /,
) -> tuple[bytes, int, int]:
    """At most ``most`` rows of MMR; see ``group4.decode_rows``.

    ``longest`` is the number of bits that no row exceeds.  ``tables`` are those of ``codes``, white, black
    and modes, each entry as two native 16-bit numbers.  With ``empty_runs`` runs of 0 pixels count as
    changing elements, two at one place.  Raises ValueError when a size is impossible.
    """

def decode_row(bits: str, width: int, above: bytes | None, tables: bytes, /) -> tuple[bytes, int] | None:
    """See ``rows.decode_row``; ``tables`` as for ``decode``.

    Raises ValueError when a size is impossible.
    """
