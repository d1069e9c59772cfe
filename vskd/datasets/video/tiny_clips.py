"""Clips as a few tiny pictures: enough to find copies that were encoded anew, and for a baseline that does not learn.

Of each clip the middle frames of 8 equal parts, 32 x 18 grey pixels each, are kept in a store on disk. Nothing else of
a clip is in memory, and a few hundred tiny clips are at a time.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vskd.datasets.images.image_baselines import HEIGHT, WIDTH, Floats, standardised
from vskd.datasets.recording import Recording, Stream
from vskd.datasets.video.frame_sources import frame_sources
from vskd.preprocessing.stores.clip_store import build_clip_store
from vskd.preprocessing.stores.frame_store import FrameStore
from vskd.preprocessing.video.chosen import ClipCut

FRAMES = 8
CUT = ClipCut(FRAMES, HEIGHT, WIDTH, "squash")
WORKERS = 2
"""Clips that are decoded at a time."""
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Of red, green and blue, as in ITU-R BT.601."""


@dataclass(frozen=True)
class TinyClips:
    """Tiny clips by recording.

    Attributes:
        store: holds them.
    """

    store: FrameStore

    @property
    def ids(self) -> Container[str]:
        """Recordings whose clip was decoded."""
        return self.store.ids

    @property
    def unreadable(self) -> Mapping[str, str]:
        """What was wrong with the others, by id."""
        return self.store.problems

    def of(self, recordings: Sequence[Recording]) -> "ClipRows":
        """The tiny clips of some recordings, read as they are asked for."""
        return ClipRows(self.store, tuple(r.id for r in recordings))


@dataclass(frozen=True)
class ClipRows:
    """Tiny clips one behind the other; a slice is read from the store, float32 (n, 8, 18, 32), each standardised."""

    store: FrameStore
    recordings: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.recordings)

    def __getitem__(self, rows: slice) -> Floats:
        chosen = self.recordings[rows]
        clips = np.empty((len(chosen), FRAMES, HEIGHT, WIDTH), dtype=np.float32)
        for row, recording in enumerate(chosen):
            clips[row] = tiny_clip(self.store.read(recording))
        return clips


def tiny_clip(frames: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> Floats:
    """Frames, uint8 (8, 18, 32, 1 or 3), as one grey clip with mean 0 and deviation 1, float32 (8, 18, 32)."""
    grey = frames.squeeze(axis=-1) if frames.shape[-1] == 1 else frames @ _LUMA
    return standardised(grey.astype(np.float32))


def tiny_clips(streams: Mapping[str, Stream], store: Path) -> TinyClips:
    """Decode every clip once, or take what an earlier call left in `store`.

    Args:
        streams: videos by recording.
        store: the file; an interrupted call goes on where it stopped.

    Raises:
        DataError: no clip can be decoded.
        WriteError: `store` cannot be written.
    """
    build_clip_store(frame_sources(streams), store, CUT, max_bad_fraction=1.0, overwrite=True, workers=WORKERS)
    return TinyClips(FrameStore(store))
