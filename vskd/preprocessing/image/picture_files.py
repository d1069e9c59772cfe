"""Stored images and frames as picture files, for eyes and other programs. They have 8 bits: train from the stores."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from vskd.files import atomic_folder
from vskd.preprocessing.stores.frame_store import FrameStore
from vskd.preprocessing.stores.gaf_store import GafStore
from vskd.progress import track

JPEG_QUALITY = 95


def write_pngs(store: GafStore, folder: Path) -> int:
    """Write the images of each recording as `folder/ID/WINDOW_FIELD.png`.

    Three axes become red, green and blue; any other number is laid side by side in grey. -1 is black and 1 is full.

    Returns:
        Number of recordings written now; those already there are kept.

    Raises:
        WriteError: the folder cannot be written.
    """
    axes = len(store.settings["axes"])
    fields = str(store.settings["method"]).split("+")
    missing = [i for i in sorted(store.ids) if not (folder / i).is_dir()]
    for recording in track(missing, "PNG"):
        images = store.images(recording)
        with atomic_folder(folder / recording) as place:
            for window, image in enumerate(images):
                for number, field in enumerate(fields):
                    channels = image[number * axes : (number + 1) * axes]
                    Image.fromarray(_to_picture(channels)).save(place / f"{window:04d}_{field}.png")
    return len(missing)


def _to_picture(channels: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """(channels, size, size) in [-1, 1] -> (size, size, 3), or (size, channels * size) where there are not three."""
    levels = np.rint((np.clip(channels, -1, 1) + 1) * 127.5).astype(np.uint8)
    if len(levels) == 3:
        return np.ascontiguousarray(levels.transpose(1, 2, 0))
    return np.concatenate(list(levels), axis=1)


def write_jpegs(store: FrameStore, folder: Path) -> int:
    """Write the frames of each recording as `folder/ID/00000.jpg` and so on.

    Returns:
        Number of recordings written now; those already there are kept.

    Raises:
        WriteError: the folder cannot be written.
    """
    missing = [i for i in sorted(store.ids) if not (folder / i).is_dir()]
    for recording in track(missing, "JPEG"):
        with atomic_folder(folder / recording) as place:
            for number in range(store.num_frames(recording)):
                (frame,) = store.frames(recording, np.array([number], dtype=np.int64))
                picture = frame[..., 0] if frame.shape[-1] == 1 else frame
                Image.fromarray(picture).save(place / f"{number:05d}.jpg", quality=JPEG_QUALITY)
    return len(missing)
