"""HEIC, through libheif, which is loaded with the first such picture because it loads a video decoder."""

from __future__ import annotations

from PIL import Image


def register() -> None:
    """Makes Pillow open HEIC pictures."""
    import pillow_heif  # noqa: PLC0415

    pillow_heif.register_heif_opener(thumbnails=False)


class HeicPixels:
    """A decoded picture, without the copy that Pillow makes of it, which is larger than the picture."""

    def __init__(self, content: bytes, number: int) -> None:
        """Picture ``number`` of the file.  Raises what the decoder raises."""
        import pillow_heif  # noqa: PLC0415

        picture = pillow_heif.open_heif(content, remove_stride=False)[number]
        self._octets = memoryview(picture.data)
        self._stride = int(picture.stride)
        self.mode, self.size = str(picture.mode), (int(picture.size[0]), int(picture.size[1]))
        self._pixel_octets = len(Image.new(self.mode, (1, 1)).tobytes())

    def crop(self, box: tuple[int, int, int, int], /) -> Image.Image:
        left, upper, right, below = box
        octets = self._octets[upper * self._stride + left * self._pixel_octets :]
        return Image.frombytes(
            self.mode, (right - left, below - upper), octets, "raw", self.mode, self._stride
        )
