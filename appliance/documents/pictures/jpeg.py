"""JPEG files: tells a missing end marker from missing pixels, and finds damaged pixels."""

from __future__ import annotations

import io

from PIL import Image

from appliance.documents.pictures import _jpeg

# Exceptions of Pillow and its codecs for damaged data.
DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    KeyError,
    TypeError,
    EOFError,
    OverflowError,
    IndexError,
    RuntimeError,
)

_START_OF_IMAGE, _END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"  # JPEG's first and last marker
# The markers that begin a frame (table B.1).
_FRAMES = frozenset({bytes([each]) for each in range(0xC0, 0xD0)} - {b"\xc4", b"\xc8", b"\xcc"})
# The last marker is searched for in so many last octets, because cameras may write more behind it.
_TRAILER_OCTETS = 64 << 10
# The list of a file's pictures, and the types of those that show something else.
_ENTRIES = 0xB002
_TAKEN_WITH_IT = "Multi-Frame Image"  # a panorama, or several views
# Padding after the last marker.
_FILLING = b"\0\r\n \t"


def with_end(content: bytes) -> bytes:
    """Adds the end marker to a JPEG if only that is missing; returns others unchanged.

    If pixels were missing, the decoder would turn octets before the marker into some.  So the picture is
    decoded with different octets there: it is complete if all results are equal.
    """
    if content.rstrip(b"\0").endswith(_END_OF_IMAGE) or _END_OF_IMAGE in content[-_TRAILER_OCTETS:]:
        return content
    try:
        made = []
        for filling in (b"", b"\x55" * 256, b"\xa3" * 256):
            with Image.open(io.BytesIO(content + filling + _END_OF_IMAGE), formats=["JPEG"]) as image:
                _make_small(image)
                made.append(image.tobytes())
    except DAMAGE:
        return content
    return content + _END_OF_IMAGE if made[0] == made[1] == made[2] else content


def frame(content: bytes) -> tuple[int, int]:
    """The bits of a sample of a JPEG, 8 in all but a few, and the number of its colours (ITU-T T.81 B.2.2);
    zeros when it does not say.
    """
    at = len(_START_OF_IMAGE)
    while content[at : at + 1] == b"\xff":
        marker = content[at + 1 : at + 2]
        if marker in _FRAMES:
            return int.from_bytes(content[at + 4 : at + 5], "big"), int.from_bytes(
                content[at + 9 : at + 10], "big"
            )
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big") if marker != b"\xff" else 1
    return 0, 0


def pictures_behind(image: Image.Image) -> int:
    """The number of further pictures in the file of an opened JPEG (CIPA DC-007 5.2.3.3).

    Previews and the gain maps of phones do not count, because they show the same.
    """
    entries = getattr(image, "mpinfo", {}).get(_ENTRIES, ())
    return sum(
        str(entry.get("Attribute", {}).get("MPType")).startswith(_TAKEN_WITH_IT) for entry in entries[1:]
    )


def is_whole(content: bytes) -> bool:
    """Whether no pixels are damaged or missing at the end; not decoded if it ends with its end marker."""
    content = with_end(content)
    if _jpeg.is_damaged(content):
        return False
    if content.rstrip(_FILLING).endswith(_END_OF_IMAGE):
        return True
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
            _make_small(image)
            image.load()
    except DAMAGE:
        return False
    return True


def _make_small(image: Image.Image) -> None:
    if not image.info.get("progressive"):  # decoding at an eighth never reads its end
        image.draft("L", (image.width // 8, image.height // 8))
