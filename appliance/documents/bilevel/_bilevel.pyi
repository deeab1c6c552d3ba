def threshold(grey: bytes | memoryview, stride: int, width: int, rows: int, level: int, /) -> bytes:
    """Packed rows with a set bit where an octet of ``grey`` is below ``level``.

    Rows of ``grey`` begin every ``stride`` octets.  This and all others raise ValueError when the octets do
    not make a picture of that size.
    """

def planes(page: bytes | memoryview, stride: int, width: int, rows: int, /) -> bytearray:
    """Two pictures in grey, one octet a pixel, of ``page``: octets of blue, green, red and one unused, rows
    every ``stride`` octets.  The first half is its luma, the second is for finding type.
    """

def levels(grey: bytes | memoryview, stride: int, width: int, rows: int, /) -> list[int]:
    """How many pixels of ``grey`` have each of the 256 levels."""

def place(
    bits: bytes,
    width: int,
    rows: int,
    is_paper: bool,
    page_width: int,
    page_rows: int,
    box: tuple[int, int, int, int],
    within: tuple[int, int, int, int],
    /,
) -> bytes:
    """A page in grey: on white a picture in black and white of ``width`` by ``rows`` pixels in packed rows.

    ``is_paper``: a set bit is white.  The picture is scaled to ``box`` (left, top, right, below), which may
    reach beyond the page; it has at most twice as many pixels across and down as the picture.  Only
    ``within``, inside of box and page, is drawn.  A pixel of the page is the mean of what it covers, or
    of one pixel of the picture around its middle.
    """

def turn(bits: bytes, width: int, rows: int, is_paper: bool, quarters: int, /) -> bytes:
    """A picture in black and white after 1 to 3 quarters clockwise, in packed rows where a set bit is black.

    ``bits``, ``width``, ``rows`` and ``is_paper`` as for `place`.
    """

def toned(
    grey: bytes | memoryview,
    stride: int,
    width: int,
    rows: int,
    ink_below: int,
    white_from: int,
    apart: int,
    y_dpi: int,
    spared: int,
    /,
) -> list[tuple[int, int, bool]]:
    """Where ``grey`` is more than black on white: first row and row after the last of each such part.

    The third says whether it has tones, besides or instead of wide black areas.

    Parts of the page are told apart by more than ``apart`` white rows.  One is black on white when it has no
    black areas larger than strokes of letters, and when every pixel of it from ``ink_below`` to below
    ``white_from`` has within 3 pixels one that is darker, and one that is lighter.

    A page with ``spared`` other than -1 is one part: so many other pixels do not count, if there is no grey
    area, and with more of them all of it is toned.
    """

def ground(
    width: int,
    rows: int,
    x_dpi: int,
    y_dpi: int,
    left: int,
    top: int,
    right: int,
    below: int,
    tones: int,
    raster: bool,
    /,
) -> bytearray:
    """A new page of ``width`` by ``rows`` pixels, of which nothing is known yet.

    The document's content lies in the box from (``left``, ``top``) to before (``right``, ``below``).
    ``tones``: 0 none, 1 by content, 2 everything is a photograph.  ``raster``: it is a picture, in which
    photographs may be anywhere and of which nobody knows what was type.
    """

def survey(
    ground: bytearray,
    page: bytes | memoryview,
    channels: int,
    stride: int,
    rows: int,
    first: int,
    upper: int,
    below: int,
    planes: tuple[bytearray | memoryview, bytearray | memoryview] | None = None,
    /,
) -> None:
    """Take rows ``upper`` (a multiple of 24) to before ``below`` of the page into the ground.

    ``page`` is the page's rows from ``first`` on, ``rows`` of them: octets of grey (``channels`` 1) or of
    blue, green, red and one unused (4).  ``planes``: the two
    that `planes` makes of these, if they were made before.
    """

def settle(ground: bytearray, boxes: bytes, darker: int, /) -> None:
    """Decide what the page as a whole is, once all of it was surveyed.

    ``boxes`` are where photographs can be when it is no raster: left, top, right and below as native
    ``Py_ssize_t`` each.  ``darker`` goes from -100 (lighter) to 100.
    """

def bilevel(
    ground: bytearray,
    page: bytes | memoryview,
    under: bytes | memoryview | None,
    type_boxes: bytes,
    channels: int,
    stride: int,
    rows: int,
    first: int,
    upper: int,
    below: int,
    boxes: bytes,
    darker: int,
    planes: tuple[bytearray | memoryview, bytearray | memoryview] | None = None,
    /,
) -> bytes:
    """Rows ``upper`` to before ``below`` of the page in black and white, packed, a set bit for black.

    ``page`` and ``planes`` as for `survey`, but the planes are overwritten. ``under`` is the page drawn
    without its type, of which only the ``type_boxes`` are read; None when nobody knows what is type. The
    boxes, as for `settle`, lie one below the other, and are counted from row ``first`` on. Rows around the
    ones asked for are looked at as well: the more there are, the less a seam shows.
    """
