"""JPEG files that lack their end, and how that is told from pixels that are missing."""

from __future__ import annotations

import io

from PIL import Image

# What Pillow and its codecs raise about bad data.
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

_END_OF_IMAGE = b"\xff\xd9"  # JPEG's last marker
# What a camera may write behind a picture's last marker is looked for it in so many octets.
_TRAILER_OCTETS = 64 << 10
# The list of a file's pictures, and the types of those that are none of the same.
_ENTRIES = 0xB002
_TAKEN_WITH_IT = "Multi-Frame Image"  # a panorama, or from several eyes or places
# What writers fill up with behind the last marker.
_FILLING = b"\0\r\n \t"


def with_end(content: bytes) -> bytes:
    """A JPEG whose last marker is missing gets it, when that is all that is missing.

    If pixels were missing, the decoder would make some of whatever stands before the marker: it does not,
    when the same picture comes out with other octets there.
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


def pictures_behind(image: Image.Image) -> int:
    """How many others the file of an opened JPEG holds that were taken with it (CIPA DC-007 5.2.3.3).

    Previews, and what phones add for brighter screens, are none: they show the same.
    """
    entries = getattr(image, "mpinfo", {}).get(_ENTRIES, ())
    return sum(
        str(entry.get("Attribute", {}).get("MPType")).startswith(_TAKEN_WITH_IT) for entry in entries[1:]
    )


def is_whole(content: bytes) -> bool:
    """Whether no pixels are missing at the end; one that ends with its last marker is not decoded."""
    content = with_end(content)
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
    if not image.info.get("progressive"):  # an eighth has no use for its end
        image.draft("L", (image.width // 8, image.height // 8))
