"""Motion maps: where a clip moved, part by part, as pictures of a small 2-D network, whose answers one of series reads.

Each part of a clip gives two pictures for each channel: how much each pixel changed, and by what it changed in the end.
The first tells where something moved, the second which way. The channels are views of a figure where the clip is cut
by `projections`.

Source: depth motion maps of Yang, Zhang & Tian, "Recognizing Actions Using Depth Motion Maps-based Histograms of
Oriented Gradients", ACM Multimedia 2012, and their parts in time of Chen et al., "3D Action Recognition Using
Multi-temporal Depth Motion Maps and Fisher Vector", IJCAI 2016. Points of deviation: there fixed features of unsigned
maps are classified; here what changed in the end is a map, too, and one network for all parts learns the features.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from vskd.errors import SettingError
from vskd.models.c3d import with_planes
from vskd.network import Network, NetworkSettings, Outputs, Shape
from vskd.schema import BelowOne, Count, ShareOfOne

PICTURES = ((24, 5), (48, 3), (64, 3))
"""Channels and kernel of the convolutions on the pictures; each halves height and width."""
SERIES, STEPS = 128, 3
"""Channels of the series of parts, and how often it is convolved and halved."""


class MotionMapsSettings(NetworkSettings):
    """Settings of `MotionMaps`.

    Attributes:
        width: share of the channels.
        parts: equal parts of a clip, each with maps of its own.
        embedding_size: width of the embedding.
        dropout: before the classifier.
    """

    width: ShareOfOne = 1.0
    parts: Count = 16
    embedding_size: Count = 128
    dropout: BelowOne = 0.3


class MotionMaps(Network):
    """Maps of each part, normalised; convolutions on each alone; convolutions over the parts; embedding, classifier.

    Args:
        shape: (channels, frames, height, width) of a clip.
        classes: number of classes.
        settings: see `MotionMapsSettings`.

    Shape:
        input: (batch, channels, frames, height, width), 0..1.
        output: logits (batch, classes), embedding (batch, embedding_size), features "block1".."block3", (batch,
            channels, parts, height / 2, width / 2) and so on, see `with_planes`, and "parts" (batch, channels, parts).

    Raises:
        SettingError: the clip has fewer differences of frames than `parts`.
    """

    def __init__(self, shape: Shape, classes: int, settings: MotionMapsSettings) -> None:
        super().__init__()
        channels, frames, height, width = shape
        if frames <= settings.parts:
            problem = f"{settings.parts} parts of a clip of {frames} frames leave one without motion"
            raise SettingError(problem, f"Set length to {settings.parts + 1} or more, or parts to less")
        self.parts, self.embedding_size = settings.parts, settings.embedding_size
        series, *widths = (max(1, round(settings.width * n)) for n in (SERIES, *(width for width, _ in PICTURES)))
        self.normalise = nn.BatchNorm3d(2 * channels)
        self.pictures = nn.ModuleList()
        before = 2 * channels
        for after, (_, kernel) in zip(widths, PICTURES, strict=True):
            self.pictures.append(_convolution(before, after, kernel))
            before = after
        last = (1, _halved(height, len(PICTURES)), _halved(width, len(PICTURES)))
        self.join = nn.Sequential(nn.Conv3d(before, series, last, bias=False), nn.BatchNorm3d(series), nn.ReLU())
        self.series = nn.Sequential(*(_step(series) for _ in range(STEPS)))
        flat = series * _halved(settings.parts, STEPS)
        self.embed = nn.Sequential(nn.Linear(flat, self.embedding_size), nn.ReLU())
        self.dropout = nn.Dropout(settings.dropout)
        self.classifier = nn.Linear(self.embedding_size, classes)

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch of clips."""
        x, maps = self.normalise(motion_maps(x, self.parts)), {}
        for number, pictures in enumerate(self.pictures, start=1):
            maps[f"block{number}"] = x = pictures(x)
        series = self.join(x).flatten(2)  # (batch, channels, parts, 1, 1) -> (batch, channels, parts)
        embedding = self.embed(self.series(series).flatten(1))
        features = {**with_planes(maps), "parts": series}
        return Outputs(self.classifier(self.dropout(embedding)), embedding, features)

    def extra_repr(self) -> str:
        """Says into how many parts clips are cut."""
        return f"parts={self.parts}"


def motion_maps(clips: Tensor, parts: int) -> Tensor:
    """The maps of a batch of clips.

    Args:
        clips: float (batch, channels, frames, height, width), 0..1.
        parts: number P; part p has the differences of frames from floor(p N / P) up to floor((p + 1) N / P) of N.

    Returns:
        (batch, 2 * channels, P, height, width): for each channel, the mean of the absolute differences of each part;
        then for each channel, their mean.
    """
    change = clips[:, :, 1:] - clips[:, :, :-1]
    edges = [part * change.shape[2] // parts for part in range(parts + 1)]
    spans = [change[:, :, start:end] for start, end in pairwise(edges)]
    amount = torch.stack([span.abs().mean(dim=2) for span in spans], dim=2)
    return torch.cat([amount, torch.stack([span.mean(dim=2) for span in spans], dim=2)], dim=1)


def _convolution(before: int, after: int, kernel: int) -> nn.Sequential:
    """A 2-D convolution of each part's picture, which halves it; written in 3-D, so that the batch stands first."""
    size, stride, padding = (1, kernel, kernel), (1, 2, 2), (0, kernel // 2, kernel // 2)
    return nn.Sequential(nn.Conv3d(before, after, size, stride, padding, bias=False), nn.BatchNorm3d(after), nn.ReLU())


def _step(channels: int) -> nn.Sequential:
    """A convolution over the parts, and the larger one of each two."""
    convolution = nn.Conv1d(channels, channels, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm1d(channels), nn.ReLU(), nn.MaxPool1d(2, ceil_mode=True))


def _halved(size: int, times: int) -> int:
    """A size halved so often, rounding up."""
    return math.ceil(size / (1 << times))


def build_motion_maps(settings: MotionMapsSettings, shape: Shape, classes: int) -> MotionMaps:
    """Build the network for clips of shape (channels, frames, height, width)."""
    return MotionMaps(shape, classes, settings)
