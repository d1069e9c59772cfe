"""Read one image file as the square 8-bit picture that a network sees.

The rules, so that an image means the same in training, in a report and on the device:

- JPEG and PNG are read; of an animation the first picture.
- CMYK, palette, 1-bit, YCbCr and other colour spaces become RGB; grey becomes three equal channels, or RGB becomes grey
  by the luma of ITU-R BT.601.
- 16-bit grey is scaled by 255/65535 and rounded; 16-bit RGB keeps its upper 8 bits. Nothing is stretched to the
  brightest pixel of a file.
- What is transparent is black: an image with alpha is laid over black.
- The rotation mark that cameras leave (EXIF orientation) is applied, after cropping: a box counts the pixels of
  the file as it is stored.
- What is cut out is scaled by a triangle filter. In version 1 of the rules, that of the published figures, the filter
  reaches beyond the edge of the region by up to one pixel of the result, as Pillow's `resize(box=...)` does: what lies
  around the face shows in the outermost pixels. In version 2 nothing but the pixels that the region touches is read.
  Of the 8,752 images of driver-inattention, scaled to 64 x 64 with a margin of 0.1, 6,750 differ between the two: in
  0.9 % of the pixels, by up to 25 of 255 grey levels, by 0.016 on average.
"""

import math
import struct
import zlib
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from vskd.errors import DataError
from vskd.preprocessing.image.image_header import AGAIN, Box, ImageSize, clipped_box, refuse_tiny

Picture = npt.NDArray[np.uint8]
Rules = Literal[1, 2]
"""Version of the rules, see the module's text."""
PUBLISHED_RULES: Final = 1

_FORMATS = ("JPEG", "PNG")
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation; 1 is upright."""

_DAMAGE = (OSError, SyntaxError, ValueError, struct.error, zlib.error, IndexError, Image.DecompressionBombError)
"""What Pillow raises on files that are no image, are cut off, are damaged, or claim a size that fills the memory."""


def read_image(
    path: Path, *, box: Box | None = None, margin: float = 0.0, size: int, grey: bool, rules: Rules = PUBLISHED_RULES
) -> Picture:
    """Read, crop and resize an image; see the module's text for the rules.

    Args:
        path: a JPEG or PNG file.
        box: what to cut out: x1, y1, x2, y2 in pixels of the stored file; None takes the whole image, and the result is
            squeezed into the square.
        margin: how much to add to the box on each side, as a fraction of its longer side. See `crop_region`.
        size: edge of the result in pixels.
        grey: one channel instead of three.
        rules: version of the rules; they differ only where there is a box.

    Returns:
        uint8 (size, size, 1 or 3).

    Raises:
        DataError: the file cannot be read or decoded, is smaller than 8 x 8 pixels, or the box lies outside of it.
    """
    return square_picture(path, *open_image(path, grey=grey), box=box, margin=margin, size=size, rules=rules)


def square_picture(
    path: Path,
    image: Image.Image,
    turn: Image.Transpose | None,
    *,
    box: Box | None,
    margin: float,
    size: int,
    rules: Rules,
) -> Picture:
    """Crop and resize an image that `open_image` has decoded from `path`; see `read_image`."""
    extent = refuse_tiny(path, ImageSize(*image.size))
    region = None if box is None else crop_region(box, extent, margin, path)
    picture = pixels(scaled(image, size, region, rules), turn)
    return picture[..., np.newaxis] if picture.ndim == 2 else picture


def pixels(image: Image.Image, turn: Image.Transpose | None) -> Picture:
    """The pixels of an image that `open_image` has decoded, upright: uint8 (height, width) or (height, width, 3)."""
    return np.array(image if turn is None else image.transpose(turn), dtype=np.uint8)


def open_image(path: Path, *, grey: bool) -> tuple[Image.Image, Image.Transpose | None]:
    """Decode an image as 8-bit RGB or grey, with the pixels as they are stored.

    Returns:
        The image, and what turns it upright by its rotation mark (None where it is upright already).

    Raises:
        DataError: the file cannot be read or decoded.
    """
    if path.exists() and not path.is_file():  # to read a pipe would be to wait for ever
        raise DataError(f"{path} is no readable JPEG or PNG image (it is no regular file)", AGAIN)
    try:
        with Image.open(path, formats=_FORMATS) as image:
            image.load()
            turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
            return to_eight_bits(image, grey=grey), turn
    except FileNotFoundError as error:
        raise DataError(f"There is no image {path}", "Check the path") from error
    except _DAMAGE as error:
        if path.is_file() and path.stat().st_size == 0:
            raise DataError(f"{path} is empty (0 bytes)", AGAIN) from error
        raise DataError(f"{path} is no readable JPEG or PNG image ({_reason(error, path)})", AGAIN) from error


def _reason(error: Exception, path: Path) -> str:
    """Pillow's words without the path, which the message names already."""
    text = getattr(error, "strerror", None) or str(error).replace(f"'{path}'", "the file").replace(str(path), "")
    return " ".join(text.split()) or type(error).__name__


def to_eight_bits(image: Image.Image, *, grey: bool) -> Image.Image:
    """An image of any mode in mode `L` or `RGB`; see the module's text for the rules."""
    if image.mode.startswith("I"):
        image = _from_sixteen_bits(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa") or "transparency" in image.info:
        image = _over_black(image)
    mode = "L" if grey else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _from_sixteen_bits(image: Image.Image) -> Image.Image:
    levels = np.asarray(image).astype(np.int64).clip(0, 65535)
    return Image.fromarray(((levels * 255 + 32767) // 65535).astype(np.uint8))


def _over_black(image: Image.Image) -> Image.Image:
    colours = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "black"), colours).convert("RGB")


def scaled(image: Image.Image, size: int, region: Box | None, rules: Rules) -> Image.Image:
    """A region of an image (None: all of it) as a square of `size` pixels, by the given version of the rules."""
    if region is not None and rules > 1:
        left, top, right, bottom = region
        x, y = math.floor(left), math.floor(top)
        image = image.crop((x, y, min(math.ceil(right), image.width), min(math.ceil(bottom), image.height)))
        region = (left - x, top - y, min(right - x, image.width), min(bottom - y, image.height))
    return image.resize((size, size), Image.Resampling.BILINEAR, box=region)


def crop_region(box: Box, size: ImageSize, margin: float, path: Path) -> Box:
    """The square around a box, inside the image: what is cut out, in pixels (x1, y1, x2, y2).

    Its side is the longer side of the box (the part of it within the image) times `1 + 2 * margin`. It is centred on
    the box and moved just as far as needed to lie within the image; where it is larger than the image in one
    direction, it is cut there, and the result is squeezed.

    Raises:
        DataError: the box has no area, or none within the image; `path` is named.
    """
    left, top, right, bottom = clipped_box(box, size, path)
    side = max(right - left, bottom - top) * (1 + 2 * margin)
    x1, x2 = _interval((left + right) / 2, side, size.width)
    y1, y2 = _interval((top + bottom) / 2, side, size.height)
    return x1, y1, x2, y2


def _interval(centre: float, length: float, limit: int) -> tuple[float, float]:
    """`length` around `centre`, moved and if necessary cut to lie within 0 and `limit`."""
    length = min(length, float(limit))
    start = min(max(centre - length / 2, 0.0), limit - length)
    return start, start + length
