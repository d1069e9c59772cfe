"""Camera images."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from vskd.bundle.contract import Contract, ImageContract
from vskd.errors import SettingError
from vskd.modalities.base import Inputs, Sample, Sees
from vskd.modalities.batches import EpochBatches
from vskd.modalities.sampling import Sampling
from vskd.network import TensorKind
from vskd.preprocessing.image.augment import ImageAugmentation, ImageAugmentationSettings
from vskd.preprocessing.image.image_file import PUBLISHED_RULES, Rules
from vskd.preprocessing.image.image_header import MIN_SIDE
from vskd.preprocessing.stores.image_store import Crop, ImageSource, ImageStore, build_image_store
from vskd.schema import BelowOne, OnlyWhere, only_where

GREYS = 255
"""Largest value of an 8-bit pixel."""
ChangeImages = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""(images (batch, channels, height, width) 0..1, labels (batch,), generator) -> both changed at random."""


class ImageSees(Sees):
    """Square images of one camera.

    Attributes:
        size: edge in pixels.
        crop: `box` cuts out the square around the box that the data set gives (a face); `full` squeezes the whole image
            into the square.
        margin: what is added to the box on each side, as a fraction of its longer side; None with `full`.
        grey: one channel instead of three.
        rules: version of the rules of `vskd.preprocessing.image.image_file`, which differ in what lies around a box: 1,
            that of the published figures, or 2, which reads nothing of it; None with `full`.
        augmentation: random changes of training images.
    """

    conditional: ClassVar[Mapping[str, OnlyWhere]] = {
        "margin": only_where("crop", "box", default=0.0),
        "rules": only_where("crop", "box", default=PUBLISHED_RULES),
    }
    modality: Literal["image"] = "image"
    size: Annotated[int, Field(ge=32, le=1024)] = 224
    crop: Crop = "full"
    margin: BelowOne | None = None
    grey: bool = False
    rules: Rules | None = None
    augmentation: ImageAugmentationSettings = ImageAugmentationSettings()


class ImageBatches(EpochBatches[torch.Generator]):
    """Images, float32 (batch, channels, height, width), 0..1, each label changed with its image.

    Args:
        store: where images are read.
        ids: recordings.
        labels: class number of each recording.
        batch_size, seed, sampling: see `EpochBatches`.
        augmentation: used only with a seed.
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
        super().__init__(ids, labels, batch_size=batch_size, seed=seed, sampling=sampling)
        self._store, self._augmentation = store, augmentation

    def _random(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed or 0)

    def _read(self, positions: list[int], labels: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        pixels = torch.from_numpy(self._store.images([self._ids[p] for p in positions]))
        # (batch, height, width, channels) -> (batch, channels, height, width), channels last in memory
        images = pixels.permute(0, 3, 1, 2).float() / GREYS
        if self.seed is not None and self._augmentation is not None:
            images, labels = self._augmentation(images, labels, random)
        return images, labels


class ImageInputs(Inputs):
    """Images of one camera."""

    reads = "image"
    exported = True
    unstored = frozenset({"augmentation"})
    sees: ImageSees

    @cached_property
    def store(self) -> ImageStore:
        """The store of images, built on first use."""
        build_image_store(
            [ImageSource(i, s.path, s.box) for i, s in self.streams().items()],
            self.store_file,
            size=self.sees.size,
            margin=self.sees.margin or 0.0,
            crop=self.sees.crop,
            grey=self.sees.grey,
            rules=self.sees.rules or PUBLISHED_RULES,
            max_bad_fraction=self.source.max_bad_fraction,
            overwrite=True,
        )
        return ImageStore(self.store_file)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return 1 if self.sees.grey else 3, self.sees.size, self.sees.size

    @property
    def kind(self) -> TensorKind:
        """Images."""
        return "image"

    @property
    def augmented(self) -> bool:
        """Whether training changes images at random."""
        return self.sees.augmentation.active

    @property
    def mirrored(self) -> bool:
        """Whether training shows mirror images, which may be of another class."""
        return self.sees.augmentation.flip > 0

    def batches(
        self, ids: Sequence[str], *, batch_size: int, seed: int | None = None, sampling: Sampling = "natural"
    ) -> ImageBatches:
        """Images of `ids`.

        Raises:
            SettingError: images are to be mirrored, and the classes of the data set do not fit mirror images.
        """
        return ImageBatches(
            self.store,
            ids,
            self.source.labels_of(ids),
            batch_size=batch_size,
            seed=seed,
            augmentation=self._augmentation,
            sampling=sampling,
        )

    @cached_property
    def _augmentation(self) -> ImageAugmentation | None:
        settings = self.sees.augmentation
        if not settings.active:
            return None
        return ImageAugmentation(
            **settings.model_dump(), label_swap=self.source.mirror_labels() if settings.flip else None
        )

    def pictures(self, captions: Mapping[str, str], who: str) -> dict[str, bytes]:
        """None: a report shows images together with what the network looks at in them."""
        return {}

    def contract(self, train: Sequence[str], *, encoding_inside: bool = False) -> ImageContract:
        """What the model asks of an image.

        Raises:
            SettingError: an encoding is to be part of the model; images have none.
        """
        if encoding_inside:
            raise SettingError("export.encoding_inside does nothing here: images are not encoded", "Set it to false")
        boxed = self.sees.crop == "box"
        return ImageContract(
            stream=self.stream,
            placement=self.source.placement,
            size=self.sees.size,
            channels=1 if self.sees.grey else 3,
            crop=self.sees.crop,
            margin=self.sees.margin or 0.0,
            box_of=f"as in {self.source.dataset}" if boxed else "",
            min_side=MIN_SIDE,
            version=self.sees.rules or PUBLISHED_RULES,
        )

    @classmethod
    def asks(cls, contract: Contract) -> dict[str, Any] | None:
        """See `Inputs.asks`."""
        if not isinstance(contract, ImageContract):
            return None
        return {
            "modality": "image",
            "streams": [contract.stream],
            "size": contract.size,
            "crop": contract.crop,
            **({"margin": contract.margin, "rules": contract.version} if contract.crop == "box" else {}),
            "grey": contract.channels == 1,
        }

    def deployed(self, samples: Tensor) -> Sample:
        """Images 0..1 as 8-bit pixels; `vskd.bundle.encoding.student_input` undoes it."""
        return np.asarray(np.rint(GREYS * samples.numpy()), dtype=np.uint8)
