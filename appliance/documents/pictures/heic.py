"""HEIC, through libheif, which is loaded with the first such picture because it loads a video decoder."""

from __future__ import annotations

from PIL import Image

from appliance import limited

# Each thread of the decoder takes memory of its own, now more, now less: with several, the same photograph
# would be made or refused by chance.
_THREADS = 1


def register() -> None:
    """Makes Pillow open HEIC pictures."""
    import pillow_heif  # noqa: PLC0415

    limited.keep_no_freed_memory()
    pillow_heif.register_heif_opener(thumbnails=False, decode_threads=_THREADS)


class HeicPixels:
    """A decoded picture, without the copy that Pillow makes of it, which is larger than the picture."""

    def __init__(self, image: Image.Image) -> None:
        """The current picture of ``image``, as opened.  Raises what the decoder raises."""
        # Pillow's plugin keeps the file in memory: opened here again, it would be there twice.
        picture = image._heif_file[image.tell()]  # type: ignore[attr-defined]
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
