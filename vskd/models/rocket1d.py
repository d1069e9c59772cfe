"""Many short kernels at several dilations, the share of time at which each is matched, and one linear layer.

After Dempster, Schmidt & Webb, "MiniRocket", KDD 2021 (arXiv 2012.08791): kernels of nine samples whose weights sum to
zero, so that a steady pull such as gravity is not seen; the proportion of positive values (PPV) of each; a linear
classifier on standardised features. Deviations: the kernels are random where MiniRocket's are a fixed set of two
values; the threshold is a ramp (ReLU6), so that gradients pass; and kernels, thresholds and classifier are trained
together by gradient descent, from there.

A dilated convolution is computed on the series folded to (samples / dilation, dilation), where it is a plain one of
one column: int8 runtimes of microcontrollers have no dilated kernels.
"""

from collections.abc import Callable

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

Bank = Callable[[int, int], nn.Module]
"""(axes, kernels) -> a module that says how well each kernel is matched at each time: (batch, axes, time, 1 or more) ->
(batch, kernels, time, 1 or more), 0 to 6."""


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
        embedding_size: width of the embedding, which holds a feature for each kernel and part. The kernels are shared
            out evenly among the dilations.
        dropout: probability of dropping a feature before the classifier; the embedding itself stays whole.
        bank: makes the kernels of a dilation; by default they are trained.
        parts: into how many equal parts a window is divided, each with a mean of its own.
        samples: of a window; needed where it has several parts.

    Shape:
        input: (batch, in_channels, samples), float, samples >= 32; zeros fill up to a multiple of the largest dilation
            in each part.
        output: logits (batch, classes), embedding (batch, embedding_size), features "dilation1", "dilation2"..., each
            (batch, its kernels, samples / dilation, dilation), 0 to 6. The embedding has a kernel's parts side by side.
    """

    def __init__(
        self,
        in_channels: int,
        classes: int,
        embedding_size: int = 1000,
        dropout: float = 0.0,
        *,
        bank: Bank | None = None,
        parts: int = 1,
        samples: int = 0,
    ) -> None:
        super().__init__()
        self.embedding_size, self.parts = embedding_size, parts
        self.matches, self.means = nn.ModuleDict(), nn.ModuleDict()
        part = -(-samples // (DILATIONS[-1] * parts)) * DILATIONS[-1]  # samples, with the zeros at the end
        for place, dilation in enumerate(DILATIONS):
            share = (embedding_size // parts + place) // len(DILATIONS)
            if not share:
                continue
            self.matches[f"dilation{dilation}"] = (bank or _matches)(in_channels, share)
            if parts > 1:
                self.means[f"dilation{dilation}"] = PartMeans(share, part // dilation, dilation)
        self.standardise = nn.BatchNorm1d(self.embedding_size, affine=False)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(self.embedding_size, classes)
        nn.init.zeros_(self.classifier.weight)  # what few recordings do not tell stays zero, as in ridge regression

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch of windows."""
        x = F.pad(x, (0, -x.shape[2] % (DILATIONS[-1] * self.parts)))
        features, means = {}, []
        for name, matches in self.matches.items():
            folded = torch.unflatten(x, 2, (-1, int(name.removeprefix("dilation"))))
            features[name] = matches(folded)
            means.append(self.means[name](features[name]) if self.parts > 1 else features[name].mean(dim=(2, 3)))
        embedding = self.standardise(torch.cat(means, dim=1).flatten(1))
        return Outputs(self.classifier(self.dropout(embedding)), embedding, features)

    @torch.no_grad()
    def fold(self) -> None:
        """Let the classifier take the features as they are; the embedding is no longer standardised."""
        norm, classifier = self.standardise, self.classifier
        if not isinstance(norm, nn.BatchNorm1d) or norm.running_mean is None or norm.running_var is None:
            return
        classifier.weight /= torch.sqrt(norm.running_var + norm.eps)
        classifier.bias.sub_(classifier.weight @ norm.running_mean)
        self.add_module("standardise", nn.Identity())


class PartMeans(nn.Module):
    """The mean of each channel over each part of the time: a depthwise convolution, for which int8 has finer steps than
    for an average pooling, whose answers keep the scale of its inputs.

    Args:
        channels: of the input.
        rows, columns: of a part.

    Shape:
        (batch, channels, parts * rows, columns) -> (batch, channels, parts, 1).
    """

    weight: Tensor

    def __init__(self, channels: int, rows: int, columns: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.full((channels, 1, rows, columns), 1 / (rows * columns)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Average the parts."""
        return F.conv2d(x, self.weight, stride=self.weight.shape[2:], groups=len(self.weight))


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
    convolution = random_kernels(in_channels, kernels)
    norm = nn.BatchNorm2d(kernels)
    nn.init.constant_(norm.weight, GAIN)
    nn.init.normal_(norm.bias, MIDDLE, GAIN * SPREAD)
    return nn.Sequential(convolution, norm, nn.ReLU6())


@torch.no_grad()
def random_kernels(in_channels: int, kernels: int, axis_share: float = 1.0) -> nn.Conv2d:
    """Kernels of nine samples: the weights of each axis sum to zero, those of a kernel have norm 1.

    Args:
        in_channels: sensor axes.
        kernels: how many.
        axis_share: probability that a kernel sees an axis; each sees one at least.
    """
    convolution = nn.Conv2d(in_channels, kernels, (KERNEL, 1), padding=(KERNEL // 2, 0), bias=False)
    weight = nn.init.normal_(convolution.weight)
    weight -= weight.mean(dim=2, keepdim=True)
    if axis_share < 1:
        chance = torch.rand(weight.shape[:2])
        seen = (chance < axis_share) | (chance == chance.min(dim=1, keepdim=True).values)
        weight *= seen[:, :, None, None]
    weight /= weight.flatten(1).norm(dim=1)[:, None, None, None]
    return convolution
