"""The store of images: recording id -> uint8 (size, size, channels), cropped and resized, decoded once.

One small part per image, as for the other stores: a killed build goes on where it stopped, image by image. Measured on
a busy machine with 1,922 images of 320 x 180 pixels made 224 x 224: 6 ms an image grey and 7.6 ms in colour, most of it
for the files of the parts. That is once, and so not worth a second kind of parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import h5py
import numpy as np

from vskd.errors import DataError
from vskd.preprocessing.image.image_file import PUBLISHED_RULES, Picture, Rules, open_image, pixels, square_picture
from vskd.preprocessing.image.image_header import Box
from vskd.preprocessing.stores.store import Plan, StoreReport, build_store
from vskd.preprocessing.stores.store_file import Store
from vskd.preprocessing.stores.store_parts import keep_content

Crop = Literal["box", "full"]


@dataclass(frozen=True)
class ImageSource:
    """An image of one recording; see `vskd.preprocessing.image.image_file.read_image`.

    `box` is x1, y1, x2, y2 in pixels of the file; None where no box is known.
    """

    id: str
    path: Path
    box: Box | None


def build_image_store(
    sources: Sequence[ImageSource],
    out: Path,
    *,
    size: int,
    margin: float,
    crop: Crop,
    grey: bool,
    rules: Rules = PUBLISHED_RULES,
    max_bad_fraction: float = 0.0,
    overwrite: bool = False,
) -> StoreReport:
    """Decode, crop and resize images, once. What cannot be decoded is named in the report and left out, not replaced.

    Args:
        sources: what to read.
        out: the store, an HDF5 file.
        size: edge of the square images in pixels.
        margin: what `crop="box"` adds to a box on each side, as a fraction of its longer side.
        crop: `box` cuts out the square around each image's box; `full` squeezes the whole image into the square.
        grey: one channel instead of three.
        rules: version of the rules of `vskd.preprocessing.image.image_file`.
        max_bad_fraction: a larger fraction of corrupt images stops the build.
        overwrite: replace a store that was made with other settings.

    Raises:
        DataError: too many images are corrupt, or a source without a box where boxes are to be cut out.
        CacheError: `out` was made with other settings.
        WriteError: `out` cannot be written.
    """
    without = [s.id for s in sources if s.box is None]
    if crop == "box" and without:
        raise DataError(
            f"{len(without)} of {len(sources)} images have no box to cut out, e.g. {', '.join(without[:5])}",
            "Use the whole images (crop: full), or annotate them",
        )
    # a margin changes nothing where no box is cut out: the same store serves
    settings = {"size": size, "crop": crop, "margin": margin if crop == "box" else 0.0, "grey": grey}
    if crop == "box" and rules != PUBLISHED_RULES:  # stores that were made before there were others do not say it
        settings["rules"] = rules
    write = partial(write_image, size=size, margin=margin, crop=crop, grey=grey, rules=rules)
    plan = Plan(out, ImageStore.kind, settings, max_bad_fraction)
    return build_store(plan, sources, write, description="Decoding images", overwrite=overwrite)


def write_image(
    source: ImageSource, file: h5py.File, *, size: int, margin: float, crop: Crop, grey: bool, rules: Rules
) -> None:
    """Write one image to `file["data"]`.

    Raises:
        DataError: it cannot be read, or its box is not within it.
    """
    box = source.box if crop == "box" else None
    image, turn = open_image(source.path, grey=grey)
    picture = square_picture(source.path, image, turn, box=box, margin=margin, size=size, rules=rules)
    data = file.create_dataset("data", data=picture, chunks=picture.shape)
    keep_content(data, pixels(image, turn))


class ImageStore(Store):
    """Reads images by recording id."""

    kind = "images"

    @property
    def size(self) -> int:
        """Edge of the images in pixels."""
        return int(self.settings["size"])

    @property
    def channels(self) -> int:
        """1 where the images are grey, else 3."""
        return 1 if self.settings["grey"] else 3

    def images(self, ids: Sequence[str]) -> Picture:
        """The images of some recordings, in that order, repeats allowed: uint8 (n, size, size, channels).

        Raises:
            CacheError: one is not in the store, or is damaged.
        """
        result = np.empty((len(ids), self.size, self.size, self.channels), dtype=np.uint8)
        for row, recording in enumerate(ids):
            self.read_into(recording, result[row])
        return result
