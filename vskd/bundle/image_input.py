"""Pictures from an image, a folder of images or a video, checked against the image contract; torch-free.

Only reading one needs Pillow (and PyAV for a video): a base install tells images from recordings without.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import ImageContract
from vskd.errors import BundleError, DataError, MissingExtraError
from vskd.preprocessing.folders import files_below, shown
from vskd.preprocessing.image.image_header import SUFFIXES, Box, ImageSize, clipped_box, is_image_name, peek_image
from vskd.preprocessing.video.frames import read_stored_frames
from vskd.preprocessing.video.turn import UPRIGHT, Turn

Picture = npt.NDArray[np.uint8]
Whole = Literal["whole"]
VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")


@dataclass(frozen=True)
class Shown:
    """One picture: where it is from, uint8 (channels, size, size), and what was wrong if it could not be read."""

    source: str
    picture: Picture | None
    problem: str = ""


def is_of_images(path: Path) -> bool:
    """Whether `path` is for a bundle of images: an image, a video or a folder, by its name."""
    return path.is_dir() or not path.suffix or is_image_name(path) or is_video_name(path)


def is_video_name(path: Path) -> bool:
    """Whether the name ends like that of a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def read_pictures(path: Path, contract: ImageContract, *, box: Box | Whole | None, every: int = 1) -> Iterator[Shown]:
    """The pictures of an image, a folder (its images, sub-folders too, by name) or a video (its frames, in order).

    Args:
        path: what to read.
        contract: what the model asks for.
        box: what to cut out of every image, x1, y1, x2, y2 in pixels; `whole` where the images are cut already.
        every: of a video, frames 0, N, 2N ... are read.

    Yields:
        A picture that fits the contract; of a folder also, with its problem, what could not be read, files of other
        kinds included. Hidden files and what file servers left are passed over, see `vskd.preprocessing.folders`.

    Raises:
        BundleError: a box is missing or not wanted, or an image or box is too small.
        DataError: the file cannot be read, a folder holds no image, or `every` is below 1.
        MissingExtraError: Pillow is not installed, or PyAV for a video.
    """
    region = region_of(contract, box)
    if path.is_dir():
        yield from _folder(path, contract, region)
    elif is_video_name(path):
        yield from _video(path, contract, region, every)
    else:
        yield Shown(shown(path), _read(path, contract, region))


def region_of(contract: ImageContract, box: Box | Whole | None) -> Box | None:
    """What is cut out; None for the whole image.

    Raises:
        BundleError: a box is missing, or not wanted.
    """
    if contract.crop == "full":
        if box not in (None, "whole"):
            raise BundleError("The model takes whole images, and a box was given", "Leave out the box")
        return None
    if box is None:
        around = f" ({contract.box_of})" if contract.box_of else ""
        raise BundleError(
            f"The model was trained on what lies in a box{around}, and no box was given",
            "Give --box X1,Y1,X2,Y2 in pixels, or --box whole if the images are cut out already",
        )
    return None if box == "whole" else box


def _image_file() -> ModuleType:
    """The module that reads images, which needs Pillow.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        from vskd.preprocessing.image import image_file
    except ImportError as error:
        raise MissingExtraError("pillow", "image") from error
    return image_file


def _read(path: Path, contract: ImageContract, region: Box | None) -> Picture:
    refuse_small(str(path), peek_image(path), contract, region, path)
    picture: Picture = _image_file().read_image(
        path,
        box=region,
        margin=contract.margin,
        size=contract.size,
        grey=contract.channels == 1,
        rules=contract.version,
    )
    return np.ascontiguousarray(picture.transpose(2, 0, 1))  # (size, size, channels) -> (channels, size, size)


def refuse_small(name: str, extent: ImageSize, contract: ImageContract, region: Box | None, path: Path) -> None:
    """Refuse an image, or a region of it, with fewer pixels than the contract asks for.

    Raises:
        BundleError: it is too small; `name` is named.
        DataError: the region lies outside the image; `path` is named.
    """
    width, height = extent
    if region is not None:
        left, top, right, bottom = clipped_box(region, extent, path)
        width, height = round(right - left), round(bottom - top)
    if min(width, height) < contract.min_side:
        what = "image" if region is None else "box"
        raise BundleError(
            f"{name}: the {what} has {width} x {height} pixels; the model asks for at least {contract.min_side} on "
            "each side",
            "Use a larger image",
        )


def _folder(folder: Path, contract: ImageContract, region: Box | None) -> Iterator[Shown]:
    files = sorted(files_below(folder))
    if not any(is_image_name(file) for file in files):
        raise DataError(f"{shown(folder)} holds no image ({', '.join(SUFFIXES)})", "Name a folder of images")
    for file in files:
        if not is_image_name(file):
            yield Shown(shown(file), None, "its name is not that of a JPEG or PNG image")
            continue
        try:
            yield Shown(shown(file), _read(file, contract, region))
        except (DataError, BundleError) as error:  # one bad image must not cost the answers for all others
            yield Shown(shown(file), None, error.problem)


def _video(path: Path, contract: ImageContract, region: Box | None, every: int) -> Iterator[Shown]:
    if every < 1:
        raise DataError(f"--every {every}: one frame of so many must be at least 1", "Set it to 1 or more")
    for number, (frame, turn) in enumerate(read_stored_frames(path)):
        if number % every:
            continue
        if number == 0:
            refuse_small(str(path), ImageSize(frame.shape[1], frame.shape[0]), contract, region, path)
        yield Shown(f"frame {number}", picture_of(frame, contract, region, path, turn))


def picture_of(
    pixels: Picture, contract: ImageContract, region: Box | None, source: Path, turn: Turn = UPRIGHT
) -> Picture:
    """Decoded pixels as the contract wants them.

    Args:
        pixels: uint8 (height, width, 3), or (height, width) of a grey picture.
        contract: what the model asks for.
        region: what to cut out; None for the whole picture.
        source: where it is from, for messages.
        turn: what turns the picture upright, after cropping: a box counts the pixels as they are stored.

    Returns:
        uint8 (channels, size, size).

    Raises:
        DataError: the region lies outside the picture.
        MissingExtraError: there is something to cut, scale or convert, and Pillow is not installed.
    """
    grey = contract.channels == 1
    if region is None and pixels.shape == (contract.size, contract.size, *([] if grey else [3])):
        return _channels_first(turn.apply(pixels))
    files = _image_file()
    from PIL import Image

    extent = ImageSize(pixels.shape[1], pixels.shape[0])
    area = None if region is None else files.crop_region(region, extent, contract.margin, source)
    image = files.to_eight_bits(Image.fromarray(pixels), grey=grey)
    square = np.asarray(files.scaled(image, contract.size, area, contract.version), dtype=np.uint8)
    return _channels_first(turn.apply(square))


def _channels_first(picture: Picture) -> Picture:
    """(size, size) or (size, size, 3) -> (channels, size, size)."""
    return np.ascontiguousarray(picture[np.newaxis] if picture.ndim == 2 else picture.transpose(2, 0, 1))
