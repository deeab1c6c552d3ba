def pack(
    grey: bytes | memoryview,
    width: int,
    rows: int,
    level: int,
    levels: bytes | None = None,
    mask: bytes | None = None,
    mask_numerator: int = 1,
    mask_denominator: int = 1,
    /,
) -> bytes:
    """Packed rows with a set bit where an octet of ``grey`` is below its limit.

    The limit is ``level`` (0 to 255), or the octet of ``levels``, or with ``mask`` (255 or 0) the one
    inside it and the other outside.  All are rows of ``width`` octets: ``grey`` so many ``rows``;
    ``levels`` any number, beginning again after the last; for row r that of ``mask`` is
    ``r * mask_numerator // mask_denominator``.  Raises ValueError when they are not.
    """
