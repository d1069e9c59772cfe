"""Clips of a video stream: a few frames, one of each segment."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from vskd.datasets.video.frame_sources import frame_sources
from vskd.files import sha256_json
from vskd.modalities.base import Inputs, Sees
from vskd.modalities.batches import EpochBatches
from vskd.modalities.sampling import Sampling
from vskd.network import TensorKind
from vskd.preprocessing.stores.frame_store import FrameStore, build_frame_store
from vskd.preprocessing.video.picture import Fit
from vskd.preprocessing.video.segments import segment_indices
from vskd.schema import BelowOne

CHANNELS = 3


class FramesSees(Sees):
    """A frame of each of `segments` equal parts of a clip.

    Attributes:
        size: edge of the square frames in pixels.
        fit: how a clip becomes square.
        segments: frames of a sample.
        crop: of training clips, the largest fraction cut from height and from width, at a random place; the rest is
            resized back.
    """

    modality: Literal["frames"] = "frames"
    size: Annotated[int, Field(ge=16, le=1024)] = 224
    fit: Fit = "centre-crop"
    segments: Annotated[int, Field(ge=2, le=64)] = 8
    crop: BelowOne = 0.0


class ClipBatches(EpochBatches[np.random.Generator | None]):
    """Clips, float32 (batch, segments, 3, height, width), 0..255. With a seed: random frames, random crops.

    Never flipped: UTD-MHAD has swipe left and right, and drawing a circle either way.

    Args:
        store: where frames are read.
        ids: recordings.
        labels: class number of each recording.
        batch_size, seed, sampling: see `EpochBatches`.
        segments: frames of a clip; without a seed, the middle frame of each segment.
        crop: see `random_crop`; used only with a seed.
    """

    def __init__(
        self,
        store: FrameStore,
        ids: Sequence[str],
        labels: Sequence[int],
        *,
        batch_size: int,
        segments: int,
        seed: int | None = None,
        crop: float = 0.0,
        sampling: Sampling = "natural",
    ) -> None:
        super().__init__(ids, labels, batch_size=batch_size, seed=seed, sampling=sampling)
        self._store, self._segments, self._crop = store, segments, crop

    def _random(self) -> np.random.Generator | None:
        return None if self.seed is None else np.random.default_rng([self.seed, 1])

    def _read(self, positions: list[int], labels: Tensor, random: np.random.Generator | None) -> tuple[Tensor, Tensor]:
        return torch.stack([self._clip(self._ids[p], random) for p in positions]), labels

    def _clip(self, recording: str, random: np.random.Generator | None) -> Tensor:
        indices = segment_indices(self._store.num_frames(recording), self._segments, random)
        frames = torch.from_numpy(self._store.frames(recording, indices)).permute(0, 3, 1, 2).float()
        if random is not None and self._crop:
            frames = random_crop(frames, self._crop, random)
        return frames.expand(-1, CHANNELS, -1, -1)  # grey -> three equal channels, without copying


def random_crop(frames: Tensor, crop: float, generator: np.random.Generator) -> Tensor:
    """Cut up to the fraction `crop` of height and width at a random place, the same for all frames, and resize back."""
    height, width = frames.shape[-2:]
    sides = 1 - crop * generator.random(2)
    rows, columns = max(2, round(height * sides[0])), max(2, round(width * sides[1]))
    top, left = generator.integers(height - rows + 1), generator.integers(width - columns + 1)
    cut = frames[..., top : top + rows, left : left + columns]
    return functional.interpolate(cut, size=(height, width), mode="bilinear", align_corners=False)


class FramesInputs(Inputs):
    """Clips of one video stream."""

    reads = "video"
    unstored = frozenset({"segments", "crop"})
    sees: FramesSees

    @cached_property
    def store(self) -> FrameStore:
        """The store of all frames, built on first use."""
        build_frame_store(
            frame_sources(self.streams()),
            self.store_file,
            size=self.sees.size,
            fit=self.sees.fit,
            max_bad_fraction=self.source.max_bad_fraction,
            overwrite=True,
        )
        return FrameStore(self.store_file)

    @property
    def hash(self) -> str:
        """Hash of data, stored frames and number of segments."""
        return sha256_json([self.store_hash, self.sees.segments])

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(segments, 3, height, width)."""
        return self.sees.segments, CHANNELS, self.sees.size, self.sees.size

    @property
    def kind(self) -> TensorKind:
        """Frames."""
        return "frames"

    @property
    def augmented(self) -> bool:
        """Random frames of each segment are always taken."""
        return True

    def batches(
        self, ids: Sequence[str], *, batch_size: int, seed: int | None = None, sampling: Sampling = "natural"
    ) -> ClipBatches:
        """Clips of `ids`; in order, they hold the middle frame of each segment."""
        return ClipBatches(
            self.store,
            ids,
            self.source.labels_of(ids),
            batch_size=batch_size,
            segments=self.sees.segments,
            seed=seed,
            crop=self.sees.crop,
            sampling=sampling,
        )

    def pictures(self, captions: Mapping[str, str], who: str) -> dict[str, bytes]:
        """The frames of each recording, unchanged."""
        from vskd.modalities.tiles import frame_tiles

        store = self.store
        frames = {
            caption: store.frames(i, segment_indices(store.num_frames(i), self.sees.segments, None))
            for i, caption in captions.items()
            if i in store.ids
        }
        return {f"What the {who} saw (middle frame of each segment)": frame_tiles(frames)} if frames else {}
