def encode(pixels: bytes, width: int, rows: int, words: bytes, /) -> bytes:
    """MMR of packed rows (a set bit is black; the bits behind the last pixel count for nothing), with EOFB.

    ``words`` are the code words of white runs, then of black ones: 0 to 63, then 64, 128 ... 2560, each as
    an octet with the number of its bits and two with its value.  Raises ValueError when ``pixels`` are not
    ``rows`` rows of ``width`` pixels, or ``words`` are not those.
    """
