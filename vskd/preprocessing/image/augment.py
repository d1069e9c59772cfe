"""Random changes of images that a camera could have caused, for training only."""

import math
from typing import Self

import torch
from pydantic import model_validator
from torch import Tensor
from torch.nn import functional

from vskd.schema import BelowOne, Fraction, NonNegative, Strict

_ERASED_AREA = (0.02, 0.2)
_ERASED_ASPECT = (0.3, 3.3)


class ImageAugmentationSettings(Strict):
    """How images are changed at random, drawn again for every image; a field at zero switches its change off.

    Attributes:
        contrast: largest relative change of the distance to the image's mean (fog, glare), up or down.
        gamma: largest change of the exponent, as a factor of e^gamma or e^-gamma (underexposed, overexposed).
        brightness: largest shift of all pixels, as a fraction of the full range (day, night).
        crop: largest fraction cut from height and from width, at a random place; the rest is resized back.
        rotation_deg: largest angle, either way (a camera mounted askew); what was outside repeats the edge.
        flip: chance of a mirror image; classes that name a side change with it.
        erase: chance that a rectangle of 2 to 20 % of the image becomes the image's mean (something in the way). After
            Zhong et al., "Random erasing data augmentation", AAAI 2020.
    """

    contrast: BelowOne = 0.0
    gamma: BelowOne = 0.0
    brightness: BelowOne = 0.0
    crop: BelowOne = 0.0
    rotation_deg: NonNegative = 0.0
    flip: Fraction = 0.0
    erase: Fraction = 0.0

    @property
    def active(self) -> bool:
        """Whether anything is changed."""
        return any(getattr(self, name) for name in ImageAugmentationSettings.model_fields)


class ImageAugmentation(ImageAugmentationSettings):
    """Random changes of a batch of images.

    Attributes:
        label_swap: the class of the mirror image of each class, e.g. (0, 2, 1) where class 1 is left and 2 is right.

    Raises:
        ValueError: `flip` without `label_swap`: nobody said what a mirror image shows.
    """

    label_swap: tuple[int, ...] | None = None

    @model_validator(mode="after")
    def _mirror_images_have_labels(self) -> Self:
        if self.flip and self.label_swap is None:
            raise ValueError("flip needs label_swap, the class of the mirror image of each class")
        return self

    def __call__(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Change images, and the labels of those that are mirrored.

        Args:
            images: (batch, channels, height, width), float in 0..1 or uint8; the result has the same type.
            labels: int64 (batch,).
            generator: source of all randomness.

        Returns:
            New images and labels; where every field is zero, those given.
        """
        values = images.float() / 255 if images.dtype == torch.uint8 else images
        if self.flip:
            values, labels = self._mirrored(values, labels, generator)
        if self.crop or self.rotation_deg:
            values = self._moved(values, generator)
        if self.contrast or self.gamma or self.brightness:
            values = self._relit(values, generator)
        if self.erase:
            values = self._erased(values, generator)
        if images.dtype == torch.uint8:
            values = (values * 255).round().to(torch.uint8)
        return values, labels

    def _mirrored(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.rand(len(images), generator=generator) < self.flip
        swapped = torch.tensor(self.label_swap, dtype=labels.dtype)[labels]
        swapped = torch.where(labels < 0, labels, swapped)  # without a label before, without one after
        return torch.where(chosen.view(-1, 1, 1, 1), images.flip(-1), images), torch.where(chosen, swapped, labels)

    def _moved(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Crop and rotate in one interpolation."""
        batch, _, height, width = images.shape
        scale = 1 - self.crop * torch.rand(batch, 2, generator=generator)
        centre = (1 - scale) * _symmetric((batch, 2), generator)
        angle = math.radians(self.rotation_deg) * _symmetric((batch,), generator)
        cos, sin, aspect = angle.cos(), angle.sin(), width / height
        # x and y run from -1 to 1 over width and height; a rotation keeps angles in pixels, hence the aspect
        across = torch.stack([scale[:, 0] * cos, -scale[:, 1] * sin / aspect, centre[:, 0]], dim=1)
        down = torch.stack([scale[:, 0] * sin * aspect, scale[:, 1] * cos, centre[:, 1]], dim=1)
        grid = _grid(torch.stack([across, down], dim=1), height, width)
        return functional.grid_sample(images, grid.to(images.dtype), padding_mode="border", align_corners=False)

    def _relit(self, images: Tensor, generator: torch.Generator) -> Tensor:
        shape = (len(images), 1, 1, 1)
        if self.gamma:
            images = images ** torch.exp(self.gamma * _symmetric(shape, generator))
        if self.contrast:
            mean = images.mean(dim=(1, 2, 3), keepdim=True)
            images = mean + (1 + self.contrast * _symmetric(shape, generator)) * (images - mean)
        if self.brightness:
            images = images + self.brightness * _symmetric(shape, generator)
        return images.clamp(0, 1)

    def _erased(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Fill one rectangle of the chosen images; its height and width have the drawn area and aspect."""
        batch, _, height, width = images.shape
        chance, area, aspect, top, left = torch.rand(5, batch, 1, generator=generator)
        area = _ERASED_AREA[0] + (_ERASED_AREA[1] - _ERASED_AREA[0]) * area
        low, high = (math.log(bound) for bound in _ERASED_ASPECT)
        ratio = torch.exp(low + (high - low) * aspect)
        rows = _span((area * ratio).sqrt(), top, height)  # (batch, height)
        columns = _span((area / ratio).sqrt(), left, width)  # (batch, width)
        covered = rows.unsqueeze(2) & columns.unsqueeze(1) & (chance < self.erase).unsqueeze(2)
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        return torch.where(covered.unsqueeze(1), mean, images)


def _grid(affine: Tensor, height: int, width: int) -> Tensor:
    """`affine_grid` with align_corners=False, forty times as fast on a CPU (measured at 96 x 96).

    Args:
        affine: (batch, 2, 3), from places in the result to places in the source, both from -1 to 1.
        height: of the result.
        width: of the result.

    Returns:
        (batch, height, width, 2), x first.
    """
    x = (2 * torch.arange(width) + 1) / width - 1
    y = ((2 * torch.arange(height) + 1) / height - 1).unsqueeze(1)
    of_x, of_y, shift = (affine[:, :, k, None, None] for k in range(3))  # each (batch, 2, 1, 1)
    return torch.stack(torch.unbind(of_x * x + (of_y * y + shift), dim=1), dim=-1)


def _symmetric(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Uniform in -1..1."""
    return 2 * torch.rand(shape, generator=generator) - 1


def _span(fraction: Tensor, place: Tensor, length: int) -> Tensor:
    """Which of `length` pixels lie in a span of that fraction, at `place` (0 first, 1 last): bool (batch, length)."""
    extent = (fraction * length).round().clamp(min=1)
    start = (place * (length - extent)).round()
    pixels = torch.arange(length).unsqueeze(0)
    return (pixels >= start) & (pixels < start + extent)
