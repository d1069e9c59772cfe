"""Normalisation of photographs inside the network, so that training, export and every runtime share one set of figures.

The figures are the mean and deviation of ImageNet's pixels that the public weights were trained with (torchvision's
`weights.transforms()`); a grey image takes the mean of the three channels' figures. A network whose public weights were
trained with other figures has its own (EfficientNet-Lite0).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vskd.errors import SettingError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
PHOTO_CHANNELS = (1, 3)


class Normalise(nn.Module):
    """y = (x - mean) / std, per channel.

    Mean and deviation are constants of the network, not part of its state: public weight files load by name.

    Args:
        mean, std: per channel, in units of the input (0..1); std above 0.
        dimensions: axes behind the channels: 2 of images, 3 of clips.

    Shape:
        (batch, channels, height, width), or (batch, channels, frames, height, width), float -> the same.

    Raises:
        ValueError: mean and std differ in length, or a std is not above 0.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float], dimensions: int = 2) -> None:
        super().__init__()
        if len(mean) != len(std) or not all(value > 0 for value in std):
            raise ValueError(f"needs one mean and one std above 0 per channel, got mean {mean}, std {std}")
        shape = (1, -1, *[1] * dimensions)
        self.register_buffer("mean", torch.tensor(mean).view(shape), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(shape), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise a batch."""
        return (x - self.mean) / self.std


def photo_normalisation(in_channels: int) -> Normalise:
    """ImageNet's normalisation for RGB (3) or grey (1) images in 0..1.

    Raises:
        SettingError: another number of channels.
    """
    if in_channels == 3:
        return Normalise(IMAGENET_MEAN, IMAGENET_STD)
    if in_channels == 1:
        return Normalise((sum(IMAGENET_MEAN) / 3,), (sum(IMAGENET_STD) / 3,))
    raise SettingError(f"in_channels is {in_channels}; networks for photographs read 1 or 3", "Give grey or RGB images")
