"""An image file in memory, and the limits that every decoder asks for."""

import dataclasses
import pathlib

from kerasseg.images.content import RETRY_FIX, ImageError

BYTES_PER_PIXEL = 16  # of `max_pixels`: four bands of 32 bits


@dataclasses.dataclass(frozen=True)
class PictureFile:
    """Bytes of a file and what a caller wants of them, see `images.decode.decode`."""

    path: pathlib.Path
    data: bytes  # of a TIFF file also what gives them when it is sliced
    as_ids: bool
    channels: int | None
    max_pixels: int

    def is_asked(self, num):
        """Whether a caller counts so many bands; 3, the default, is RGB alone."""
        return num == self.channels and num != 3

    def check_size(self, width, height):
        """Refuse a picture without pixels, or with more than `max_pixels`."""
        if width < 1 or height < 1:
            raise ImageError(
                self.path,
                "a picture of at least 1 x 1 pixels",
                f"{width} x {height}",
                RETRY_FIX,
            )
        if width * height > self.max_pixels:
            raise ImageError(
                self.path,
                f"at most {self.max_pixels} pixels (`max_pixels`)",
                f"{width} x {height} = {width * height} pixels",
                "Cut it into tiles, or raise the limit if you trust the file",
            )

    @property
    def max_bytes(self):
        """Most bytes of the picture; on the way to it, twice that are in memory."""
        return BYTES_PER_PIXEL * self.max_pixels

    def check_bytes(self, num_bytes, received):
        """Refuse a picture that needs more than `max_bytes`."""
        if num_bytes > self.max_bytes:
            raise ImageError(
                self.path,
                f"at most {self.max_bytes} bytes ({BYTES_PER_PIXEL} for each of "
                "`max_pixels`)",
                f"{received}: {num_bytes} bytes",
                "Cut it into tiles, or raise the limit if you trust the file",
            )

    def check_single(self, num_frames):
        """Refuse animations."""
        if num_frames > 1:
            raise ImageError(
                self.path,
                "a file with one picture",
                f"{num_frames} frames or pages",
                "Save each of them as a file of its own",
            )
