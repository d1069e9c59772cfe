"""Clips of a video stream as one block for 3-D convolutions: channels, frames, height, width."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field, model_validator
from torch import Tensor

from vskd.bundle.contract import ClipContract, Contract
from vskd.datasets.video.frame_sources import frame_sources
from vskd.errors import SettingError
from vskd.files import sha256_json
from vskd.modalities.base import Inputs, Sample, Sees, data_hash
from vskd.modalities.batches import EpochBatches
from vskd.modalities.frames import CHANNELS, random_crop
from vskd.modalities.sampling import Sampling
from vskd.network import TensorKind
from vskd.preprocessing.stores.clip_store import build_clip_store
from vskd.preprocessing.stores.frame_store import Frames, FrameStore
from vskd.preprocessing.video.chosen import ClipCut
from vskd.preprocessing.video.picture import Fit, WholeClipFit
from vskd.preprocessing.video.sampling import ClipSampling, shown_indices
from vskd.schema import BelowOne, Count, Fraction, OnlyWhere, Strict, only_where

GREYS = 255
"""Largest value of an 8-bit pixel."""
Edge = Annotated[int, Field(ge=16, le=512)]


class ClipAugmentationSettings(Strict):
    """Random changes of training clips; all frames of a clip are changed alike.

    Attributes:
        crop: the largest fraction cut from height and from width, at a random place; the rest is resized back.
        flip: probability of a mirror image; only where the data set says which class that belongs to.
        brightness: largest amount added to all pixels (0..1) or taken from them.
        contrast: largest factor, less 1, by which the distance of pixels from the clip's mean changes.
    """

    crop: BelowOne = 0.0
    flip: Fraction = 0.0
    brightness: BelowOne = 0.0
    contrast: BelowOne = 0.0

    @property
    def active(self) -> bool:
        """Whether anything is changed."""
        return any(value > 0 for _, value in self)


class ClipSees(Sees):
    """A fixed number of frames of each clip, in order.

    Attributes:
        length: frames of a sample.
        height, width: of a frame, in pixels.
        fit: how frames become as large; of depth video also `foreground`, a square around the figure, and
            `projections`, the same seen from the front, the side and above, as the three channels.
        sampling: `spread` covers the whole clip; `reference` is that of the published code, which never sees its tail.
        choices: frames that are kept of each of `length` equal parts of a clip, of which an epoch of training shows one
            at random; without a seed, the middle one.
        augmentation: random changes of training clips.
    """

    conditional: ClassVar[Mapping[str, OnlyWhere]] = {"choices": only_where("sampling", "spread", default=3)}
    modality: Literal["clip"] = "clip"
    length: Annotated[int, Field(ge=1, le=256)] = 16
    height: Edge = 112
    width: Edge = 112
    fit: Fit = "centre-crop"
    sampling: ClipSampling = "spread"
    choices: Count | None = None
    augmentation: ClipAugmentationSettings = ClipAugmentationSettings()

    @model_validator(mode="after")
    def _figures_are_square(self) -> "ClipSees":
        if self.fit in get_args(WholeClipFit) and self.height != self.width:
            raise ValueError(f"fit '{self.fit}' makes squares: set height and width to the same")
        return self

    @property
    def cut(self) -> ClipCut:
        """What the store has to know."""
        return ClipCut(self.length, self.height, self.width, self.fit, self.sampling, self.choices or 1)


@dataclass(frozen=True)
class ClipAugmentation:
    """Changes clips at random; see `ClipAugmentationSettings`.

    Attributes:
        settings: how much.
        label_swap: class -> class of its mirror image; empty where nothing is mirrored.
    """

    settings: ClipAugmentationSettings
    label_swap: tuple[int, ...] = ()

    def __call__(self, clip: Tensor, label: int, generator: np.random.Generator) -> tuple[Tensor, int]:
        """Change one clip, float32 (3, frames, height, width), 0..1, and its class, -1 of an unlabelled one."""
        own = self.settings
        if own.crop:
            clip = random_crop(clip, own.crop, generator)
        if own.flip and generator.random() < own.flip:
            clip, label = clip.flip(-1), label if label < 0 else self.label_swap[label]
        if own.contrast:
            mean = clip.mean()
            clip = mean + (clip - mean) * float(1 + own.contrast * generator.uniform(-1, 1))
        if own.brightness:
            clip = clip + float(own.brightness * generator.uniform(-1, 1))
        return clip.clamp(0, 1) if own.contrast or own.brightness else clip, label


KEPT_BYTES = 256 * 2**20
"""Pixels of clips that stay in memory while they are trained on: small data sets are read once, not every epoch."""


class KeptClips:
    """Reads frames of a store; the first clips that fit stay in memory, the others are read again.

    Args:
        store: where frames are read.
        limit: bytes that stay.
    """

    def __init__(self, store: FrameStore, limit: int = KEPT_BYTES) -> None:
        self._store, self._left = store, limit
        self._clips = dict[str, Frames]()

    def frames(self, recording: str, indices: npt.NDArray[np.int64]) -> Frames:
        """See `FrameStore.frames`, which says what it raises."""
        if recording in self._clips:
            return self._clips[recording][indices]
        frames = self._store.frames(recording, indices)
        count = self._store.num_frames(recording)
        size = frames[:1].nbytes * count
        if size <= self._left:
            self._clips[recording] = self._store.frames(recording, np.arange(count))
            self._left -= size
        return frames


class ClipBatches(EpochBatches[np.random.Generator | None]):
    """Clips, float32 (batch, 3, length, height, width), 0..1, each label changed with its clip.

    Args:
        clips: where frames are read.
        ids: recordings.
        labels: class number of each recording.
        batch_size, seed, sampling: see `EpochBatches`.
        cut: which frames the store holds of each.
        augmentation: used only with a seed.
    """

    def __init__(
        self,
        clips: KeptClips,
        ids: Sequence[str],
        labels: Sequence[int],
        *,
        batch_size: int,
        cut: ClipCut,
        seed: int | None = None,
        augmentation: ClipAugmentation | None = None,
        sampling: Sampling = "natural",
    ) -> None:
        super().__init__(ids, labels, batch_size=batch_size, seed=seed, sampling=sampling)
        self._clips, self._cut, self._augmentation = clips, cut, augmentation

    def _random(self) -> np.random.Generator | None:
        return None if self.seed is None else np.random.default_rng([self.seed, 2])

    def _read(self, positions: list[int], labels: Tensor, random: np.random.Generator | None) -> tuple[Tensor, Tensor]:
        pairs = [self._sample(self._ids[p], int(k), random) for p, k in zip(positions, labels, strict=True)]
        return torch.stack([clip for clip, _ in pairs]), torch.tensor([label for _, label in pairs])

    def _sample(self, recording: str, label: int, random: np.random.Generator | None) -> tuple[Tensor, int]:
        indices = shown_indices(self._cut.length, self._cut.choices, random)
        # (length, height, width, channels) -> (channels, length, height, width)
        clip = torch.from_numpy(self._clips.frames(recording, indices)).permute(3, 0, 1, 2).float() / GREYS
        clip = clip.expand(CHANNELS, -1, -1, -1)  # grey -> three equal channels, without copying
        return (
            (clip, label) if random is None or self._augmentation is None else self._augmentation(clip, label, random)
        )


class ClipInputs(Inputs):
    """Clips of one video stream."""

    reads = "video"
    exported = True
    unstored = frozenset({"augmentation"})
    sees: ClipSees

    @cached_property
    def store(self) -> FrameStore:
        """The store of the frames that samples are made of, built on first use."""
        build_clip_store(
            frame_sources(self.streams()),
            self.store_file,
            self.sees.cut,
            max_bad_fraction=self.source.max_bad_fraction,
            overwrite=True,
        )
        return FrameStore(self.store_file)

    @property
    def hash(self) -> str:
        """Hash of the data and of what decides the samples; how many other frames an epoch may show does not."""
        settings = self.sees.model_dump(mode="json", exclude={*self.unstored, "choices"})
        return sha256_json([data_hash(self.source, self.sees.streams), settings])

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(3, length, height, width)."""
        return CHANNELS, self.sees.length, self.sees.height, self.sees.width

    @property
    def kind(self) -> TensorKind:
        """Clips."""
        return "clip"

    @property
    def augmented(self) -> bool:
        """Whether training shows other frames, or changes them at random."""
        return self.sees.cut.choices > 1 or self.sees.augmentation.active

    @property
    def mirrored(self) -> bool:
        """Whether training shows mirror images, which may be of another class."""
        return self.sees.augmentation.flip > 0

    def batches(
        self, ids: Sequence[str], *, batch_size: int, seed: int | None = None, sampling: Sampling = "natural"
    ) -> ClipBatches:
        """Clips of `ids`.

        Raises:
            SettingError: clips are to be mirrored, and the classes of the data set do not fit mirror images.
        """
        return ClipBatches(
            self._clips,
            ids,
            self.source.labels_of(ids),
            batch_size=batch_size,
            cut=self.sees.cut,
            seed=seed,
            augmentation=self._augmentation,
            sampling=sampling,
        )

    @cached_property
    def _clips(self) -> KeptClips:
        return KeptClips(self.store)

    @cached_property
    def _augmentation(self) -> ClipAugmentation | None:
        settings = self.sees.augmentation
        if not settings.active:
            return None
        return ClipAugmentation(settings, self.source.mirror_labels() if settings.flip else ())

    def pictures(self, captions: Mapping[str, str], who: str) -> dict[str, bytes]:
        """The frames of each recording, unchanged; of long samples every other one, or fewer."""
        from vskd.modalities.tiles import frame_tiles

        cut, store = self.sees.cut, self.store
        shown = shown_indices(cut.length, cut.choices, None)[:: -(-cut.length // 8)]
        frames = {caption: store.frames(i, shown) for i, caption in captions.items() if i in store.ids}
        return {f"What the {who} saw (frames of the clip)": frame_tiles(frames)} if frames else {}

    def contract(self, train: Sequence[str], *, encoding_inside: bool = False) -> ClipContract:
        """What the model asks of a clip.

        Raises:
            SettingError: an encoding is to be part of the model; clips have none.
        """
        if encoding_inside:
            raise SettingError("export.encoding_inside does nothing here: clips are not encoded", "Set it to false")
        cut = self.sees.cut
        return ClipContract(
            stream=self.stream,
            placement=self.source.placement,
            length=cut.length,
            height=cut.height,
            width=cut.width,
            fit=cut.fit,
            sampling=cut.sampling,
        )

    @classmethod
    def asks(cls, contract: Contract) -> dict[str, Any] | None:
        """See `Inputs.asks`."""
        if not isinstance(contract, ClipContract):
            return None
        names = ("length", "height", "width", "fit", "sampling")
        content = {"modality": "clip", "streams": [contract.stream], **{n: getattr(contract, n) for n in names}}
        return {**content, "choices": 1} if contract.sampling == "spread" else content

    def deployed(self, samples: Tensor) -> Sample:
        """Clips 0..1 as 8-bit pixels; `vskd.bundle.encoding.student_input` undoes it."""
        return np.asarray(np.rint(GREYS * samples.numpy()), dtype=np.uint8)
