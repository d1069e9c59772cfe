"""Random kernels that stay as they were drawn: nothing but their thresholds and the classifier is learned.

After Dempster, Petitjean & Webb, "ROCKET", DMKD 2020 (arXiv 1910.13051), and "MiniRocket", KDD 2021 (arXiv 2012.08791):
random kernels that see some of the axes, the proportion of positive values (PPV) over a threshold at a quantile of the
kernel's answers, a linear classifier on standardised features. Deviations: the kernels are those of
`vskd.models.rocket1d`; the proportion is taken over each part of the window, too, not of the whole alone; the quantile
is followed over the batches of the training instead of being read off one recording; the classifier is trained by
gradient descent.

Where few people train, kernels that are trained learn those people: see results/berkeley-mhad/README.md.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from vskd.models.rocket1d import MIDDLE, MINIMUM_SAMPLES, Rocket1d, random_kernels
from vskd.models.window_length import require_samples
from vskd.network import NetworkSettings, Shape
from vskd.schema import BelowOne, Count, ShareOfOne

STEEPNESS = 60.0
"""The ramp rises from 0 to 6 within 6 / STEEPNESS standard deviations of a kernel's answers: nearly a step."""
STEEPEST = 300.0
"""The same for one unit of the input. An int8 input has steps of 1 / 127, so has a weight of at most 1, and a sum of
products steps of 300 / 127^2 = 0.019: finer than those of a ramp from 0 to 6, 0.024, which int8 needs."""
FOLLOW = 0.5
"""By how many standard deviations a threshold moves where all of a batch is on its wrong side."""
QUANTILES = (0.1, 0.9)
"""The shares of time at which kernels are to be matched are drawn between these."""


class FixedRocket1dSettings(NetworkSettings):
    """Settings of a `Rocket1d` whose kernels are not trained.

    Attributes:
        kernels: how many; the embedding has a feature for each kernel and part.
        parts: equal parts of a window, in each of which matches are counted.
        axis_share: probability that a kernel sees an axis.
        dropout: before the classifier.
    """

    kernels: Count = 1000
    parts: Count = 2
    axis_share: ShareOfOne = 1.0
    dropout: BelowOne = 0.0


class _ByAverages(_BatchNorm):
    """A BatchNorm that normalises by the averages over all batches so far in training, too.

    By those of the batch, each of a thousand features would move with the 31 recordings beside its own.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise a batch."""
        if self.training:
            with torch.no_grad():
                super().forward(x)  # takes the batch into the averages
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class AveragedNorm1d(_ByAverages, nn.BatchNorm1d):
    """`nn.BatchNorm1d`, by averages."""


class AveragedNorm2d(_ByAverages, nn.BatchNorm2d):
    """`nn.BatchNorm2d`, by averages."""


class FixedBank(nn.Sequential):
    """Kernels that are not trained, each with a threshold that its answers pass for a share of the time of its own.

    In training, the thresholds follow the batches; in evaluation they stay.

    Args:
        in_channels: sensor axes.
        kernels: how many.
        axis_share: probability that a kernel sees an axis.

    Shape:
        (batch, in_channels, time, columns) -> (batch, kernels, time, columns): 0 below the threshold, 6 above.
    """

    passed: Tensor

    def __init__(self, in_channels: int, kernels: int, axis_share: float = 1.0) -> None:
        convolution = random_kernels(in_channels, kernels, axis_share)
        super().__init__(convolution, AveragedNorm2d(kernels, momentum=None), nn.ReLU6())
        self.register_buffer("passed", torch.empty(kernels).uniform_(*QUANTILES))
        nn.init.constant_(self.norm.weight, STEEPNESS)
        self.norm.bias.data = MIDDLE + STEEPNESS * torch.special.ndtri(self.passed)  # of a normal distribution
        self.requires_grad_(False)

    @property
    def norm(self) -> nn.BatchNorm2d:
        """Standardises the answers; its bias holds the thresholds."""
        norm = self[1]
        assert isinstance(norm, nn.BatchNorm2d)
        return norm

    def forward(self, x: Tensor) -> Tensor:
        """Where each kernel is matched."""
        matches: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        if self.training:
            self._follow(matches)
        return matches

    @torch.no_grad()
    def _follow(self, matches: Tensor) -> None:
        """Move the thresholds towards their shares, and let no ramp be steeper than int8 can tell."""
        norm, share = self.norm, (matches > MIDDLE).to(matches.dtype).mean(dim=(0, 2, 3))
        assert norm.running_var is not None
        threshold = (MIDDLE - norm.bias) / norm.weight + FOLLOW * (share - self.passed)  # in deviations
        norm.weight.copy_((STEEPEST * norm.running_var.sqrt()).clamp(max=STEEPNESS))
        norm.bias.copy_(MIDDLE - norm.weight * threshold)


def build_fixed_rocket1d(settings: FixedRocket1dSettings, shape: Shape, classes: int) -> Rocket1d:
    """Build the network for windows of shape (channels, samples).

    Raises:
        SettingError: the windows are too short.
    """
    channels, samples = shape
    require_samples(settings, samples, MINIMUM_SAMPLES)
    network = Rocket1d(
        channels,
        classes,
        settings.kernels * settings.parts,
        settings.dropout,
        bank=partial(FixedBank, axis_share=settings.axis_share),
        parts=settings.parts,
        samples=samples,
    )
    network.standardise = AveragedNorm1d(network.embedding_size, momentum=None, affine=False)
    return network
