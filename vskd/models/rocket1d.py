"""Many short kernels at several dilations, the share of time at which each is matched, and one linear layer.

After Dempster, Schmidt & Webb, "MiniRocket", KDD 2021 (arXiv 2012.08791): kernels of nine samples whose weights sum to
zero, so that a steady pull such as gravity is not seen; the proportion of positive values (PPV) of each; a linear
classifier on standardised features. Deviations: the kernels are random where MiniRocket's are a fixed set of two
values; the threshold is a ramp (ReLU6), so that gradients pass; and kernels, thresholds and classifier are trained
together by gradient descent, from there.

A dilated convolution is computed on the series folded to (samples / dilation, dilation), where it is a plain one of
one column: int8 runtimes of microcontrollers have no dilated kernels.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.models.window_length import require_samples
from vskd.network import Network, NetworkSettings, Outputs, Shape
from vskd.schema import BelowOne, Count

DILATIONS = (1, 2, 4, 8)
KERNEL = 9
MINIMUM_SAMPLES = 32
GAIN = 4.5
"""How steep the ramp is: it rises from 0 to 6 over 6 / GAIN standard deviations of a kernel's answers."""
SPREAD = 0.8
"""Standard deviation of the thresholds, in standard deviations of the answers."""
MIDDLE = 3.0
"""Of ReLU6: a ramp begins with its middle at the threshold."""


class Rocket1dSettings(NetworkSettings):
    """Settings of `Rocket1d`."""

    embedding_size: Count = 1000
    dropout: BelowOne = 0.0


class HalfRocket1dSettings(Rocket1dSettings):
    """Half as many kernels, for microcontrollers."""

    embedding_size: Count = 500


class Rocket1d(Network):
    """Random zero-sum kernels, a ramp, the mean over time, standardisation and a classifier.

    Args:
        in_channels: sensor axes.
        classes: number of classes.
        embedding_size: number of kernels, shared out evenly among the dilations; the embedding holds one feature each.
        dropout: probability of dropping a feature before the classifier; the embedding itself stays whole.

    Shape:
        input: (batch, in_channels, samples), float, samples >= 32; zeros fill up to a multiple of the largest dilation.
        output: logits (batch, classes), embedding (batch, embedding_size), features "dilation1", "dilation2"..., each
            (batch, kernels, samples / dilation, dilation), 0 to 6.
    """

    def __init__(self, in_channels: int, classes: int, embedding_size: int = 1000, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        self.matches = nn.ModuleDict()
        for place, dilation in enumerate(DILATIONS):
            kernels = (embedding_size + place) // len(DILATIONS)
            if kernels:
                self.matches[f"dilation{dilation}"] = _matches(in_channels, kernels)
        self.standardise = nn.BatchNorm1d(embedding_size, affine=False)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(embedding_size, classes)
        nn.init.zeros_(self.classifier.weight)  # what few recordings do not tell stays zero, as in ridge regression

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch of windows."""
        x = F.pad(x, (0, -x.shape[2] % DILATIONS[-1]))
        features = {}
        for name, matches in self.matches.items():
            folded = torch.unflatten(x, 2, (-1, int(name.removeprefix("dilation"))))
            features[name] = matches(folded)
        embedding = self.standardise(torch.cat([feature.mean(dim=(2, 3)) for feature in features.values()], dim=1))
        return Outputs(self.classifier(self.dropout(embedding)), embedding, features)


def build_rocket1d(settings: Rocket1dSettings, shape: Shape, classes: int) -> Rocket1d:
    """Build the network for windows of shape (channels, samples).

    Raises:
        SettingError: the windows are too short.
    """
    channels, samples = shape
    require_samples(settings, samples, MINIMUM_SAMPLES)
    return Rocket1d(channels, classes, settings.embedding_size, settings.dropout)


def _matches(in_channels: int, kernels: int) -> nn.Sequential:
    """How well each kernel is matched at each time, 0 to 6."""
    convolution = nn.Conv2d(in_channels, kernels, (KERNEL, 1), padding=(KERNEL // 2, 0), bias=False)
    with torch.no_grad():
        nn.init.normal_(convolution.weight)
        convolution.weight -= convolution.weight.mean(dim=2, keepdim=True)
        convolution.weight /= convolution.weight.flatten(1).norm(dim=1)[:, None, None, None]
    norm = nn.BatchNorm2d(kernels)
    nn.init.constant_(norm.weight, GAIN)
    nn.init.normal_(norm.bias, MIDDLE, GAIN * SPREAD)
    return nn.Sequential(convolution, norm, nn.ReLU6())
