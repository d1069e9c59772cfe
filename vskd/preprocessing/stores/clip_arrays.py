"""A store of clips as the three .npy files of the published code: features, labels and paths.

The features are written through a memory map of a few clips at a time, so that memory does not grow with their number:
the pages of one map of all clips would stay in memory.

Points of deviation from the published code: `features.npy` is the one name (the documents said frames.npy); a clip is
resized by averaging, not by OpenCV's bilinear sampling; clips stand in the order of their ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vskd.files import atomic_folder
from vskd.preprocessing.stores.frame_store import Frames, FrameStore
from vskd.progress import track

FEATURES, LABELS, PATHS = "features.npy", "labels.npy", "video_file_paths.npy"
_BLOCK = 16
"""Clips that are mapped at a time."""


@dataclass(frozen=True)
class LabelledClip:
    """A recording, its class number and the file that it was read from."""

    id: str
    label: int
    path: str


def write_clip_arrays(store: FrameStore, clips: Sequence[LabelledClip], folder: Path) -> int:
    """Write the clips of a store, blue first as OpenCV reads them, with their class numbers and files.

    Args:
        store: all its recordings have as many frames of one size.
        clips: those that are not in the store are left out.
        folder: is made, and appears when it is complete.

    Returns:
        Number of clips, V: features are uint8 (V, frames, height, width, 3), labels int64 (V,), paths text (V,).

    Raises:
        WriteError: the folder cannot be written.
    """
    kept = sorted((clip for clip in clips if clip.id in store.ids), key=lambda clip: clip.id)
    settings = store.settings
    shape = (len(kept), settings["length"] * settings["choices"], settings["height"], settings["width"], 3)
    with atomic_folder(folder) as place:
        np.lib.format.open_memmap(place / FEATURES, mode="w+", dtype=np.uint8, shape=shape)
        for start in track(range(0, len(kept), _BLOCK), "Writing arrays"):
            features = np.lib.format.open_memmap(place / FEATURES)
            for number, clip in enumerate(kept[start : start + _BLOCK], start):
                _reverse_channels(store.read(clip.id), features[number])
            features.flush()
            del features
        np.save(place / LABELS, np.array([clip.label for clip in kept], dtype=np.int64))
        np.save(place / PATHS, np.array([clip.path for clip in kept]))
    return len(kept)


def _reverse_channels(frames: Frames, out: Frames) -> None:
    """Red, green, blue (or one channel of grey) to blue, green, red."""
    channels = frames.shape[-1]
    for channel in range(3):  # channel by channel is four times as fast as by pixels
        out[..., 2 - channel] = frames[..., channel % channels]
