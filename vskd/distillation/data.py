"""Batches of windows, clips and images, read from the stores by recording id.

Order, augmentation and frame sampling of an epoch depend on (seed, epoch) alone, so a resumed run sees exactly what an
uninterrupted one sees.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from vskd.modalities.sampling import Sampling, epoch_order, in_batches
from vskd.preprocessing.sensor.augment import WindowAugmentation
from vskd.preprocessing.stores.frame_store import FrameStore
from vskd.preprocessing.stores.image_store import ImageStore
from vskd.preprocessing.stores.window_store import WindowStore
from vskd.preprocessing.video.frames import segment_indices


@dataclass(frozen=True)
class Batch:
    """One batch.

    Attributes:
        ids: recordings.
        inputs: windows (batch, channels, samples), clips (batch, segments, 3, height, width), 0..255, or images
            (batch, channels, height, width), 0..1.
        labels: (batch,) int64; of a mirror image, the class of the mirror image.
        positions: (batch,) int64, each sample's place in the list that the batches were made of.
    """

    ids: tuple[str, ...]
    inputs: Tensor
    labels: Tensor
    positions: Tensor


ChangeImages = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""(images (batch, channels, height, width) 0..1, labels (batch,), generator) -> both changed at random."""


class WindowBatches:
    """Windows of recordings; iterating gives one epoch.

    Args:
        store: where windows are read.
        ids: recordings; one with several (sliding) windows gives several items.
        labels: class number of each recording.
        batch_size: largest number of windows in a batch.
        seed: None reads in order, unchanged; a number shuffles and augments.
        augmentation: used only with a seed.
        sampling: of an epoch; used only with a seed.

    Attributes:
        samples: number of windows.
    """

    def __init__(
        self,
        store: WindowStore,
        ids: Sequence[str],
        labels: Sequence[int],
        *,
        batch_size: int,
        seed: int | None = None,
        augmentation: WindowAugmentation | None = None,
        sampling: Sampling = "natural",
    ) -> None:
        self._store, self._seed, self._augmentation = store, seed, augmentation
        self._items = [(i, k, label) for i, label in zip(ids, labels, strict=True) for k in range(store.num_windows(i))]
        self.samples = len(self._items)
        self._plan = in_batches(epoch_order([label for _, _, label in self._items], seed, sampling), batch_size)

    def __len__(self) -> int:
        return len(self._plan)

    def __iter__(self) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self._seed or 0)
        for positions in self._plan:
            items = [self._items[p] for p in positions]
            windows = torch.from_numpy(np.stack([self._store.windows(i)[k] for i, k, _ in items]))
            if self._seed is not None and self._augmentation is not None:
                windows = self._augmentation(windows, generator)
            labels = torch.tensor([label for _, _, label in items])
            yield Batch(tuple(i for i, _, _ in items), windows, labels, torch.from_numpy(positions))


class ClipBatches:
    """Clips of `segments` frames; iterating gives one epoch. With a seed: shuffled, random frames, random crops.

    Never flipped: UTD-MHAD has swipe left and right, and drawing a circle either way.
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
        self._store, self._ids, self._labels = store, list(ids), list(labels)
        self._segments, self._seed, self._crop = segments, seed, crop
        self.samples = len(self._ids)
        self._plan = in_batches(epoch_order(self._labels, seed, sampling), batch_size)

    def __len__(self) -> int:
        return len(self._plan)

    def __iter__(self) -> Iterator[Batch]:
        generator = None if self._seed is None else np.random.default_rng([self._seed, 1])
        for positions in self._plan:
            ids = tuple(self._ids[p] for p in positions)
            clips = torch.stack([self._clip(i, generator) for i in ids])
            labels = torch.tensor([self._labels[p] for p in positions])
            yield Batch(ids, clips, labels, torch.from_numpy(positions))

    def _clip(self, recording: str, generator: np.random.Generator | None) -> Tensor:
        """(segments, 3, height, width), float, 0..255."""
        indices = segment_indices(self._store.num_frames(recording), self._segments, generator)
        frames = torch.from_numpy(self._store.frames(recording, indices)).permute(0, 3, 1, 2).float()
        if generator is not None and self._crop:
            frames = random_crop(frames, self._crop, generator)
        return frames.expand(-1, 3, -1, -1)  # grey -> three equal channels, without copying


class ImageBatches:
    """Images; iterating gives one epoch. With a seed: shuffled and changed at random, each label with its image.

    Args:
        store: where images are read.
        ids: recordings.
        labels: class number of each recording.
        batch_size: largest number of images in a batch.
        seed: None reads in order, unchanged.
        augmentation: used only with a seed.
        sampling: of an epoch; used only with a seed.

    Attributes:
        samples: number of images.
    """

    def __init__(
        self,
        store: ImageStore,
        ids: Sequence[str],
        labels: Sequence[int],
        *,
        batch_size: int,
        seed: int | None = None,
        augmentation: ChangeImages | None = None,
        sampling: Sampling = "natural",
    ) -> None:
        self._store, self._ids, self._labels = store, list(ids), list(labels)
        self._seed, self._augmentation = seed, augmentation
        self.samples = len(self._ids)
        self._plan = in_batches(epoch_order(self._labels, seed, sampling), batch_size)

    def __len__(self) -> int:
        return len(self._plan)

    def __iter__(self) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self._seed or 0)
        for positions in self._plan:
            ids = tuple(self._ids[p] for p in positions)
            labels = torch.tensor([self._labels[p] for p in positions])
            # (batch, height, width, channels) -> (batch, channels, height, width), channels last in memory
            images = torch.from_numpy(self._store.images(ids)).permute(0, 3, 1, 2).float() / 255
            if self._seed is not None and self._augmentation is not None:
                images, labels = self._augmentation(images, labels, generator)
            yield Batch(ids, images, labels, torch.from_numpy(positions))


def random_crop(frames: Tensor, crop: float, generator: np.random.Generator) -> Tensor:
    """Cut up to the fraction `crop` of height and width at a random place, the same for all frames, and resize back."""
    height, width = frames.shape[-2:]
    sides = 1 - crop * generator.random(2)
    rows, columns = max(2, round(height * sides[0])), max(2, round(width * sides[1]))
    top, left = generator.integers(height - rows + 1), generator.integers(width - columns + 1)
    cut = frames[..., top : top + rows, left : left + columns]
    return functional.interpolate(cut, size=(height, width), mode="bilinear", align_corners=False)
