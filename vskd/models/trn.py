"""The vision teacher: a multi-scale temporal relation network on a 2-D frame network.

Source: Zhou, Andonian, Oliva & Torralba, "Temporal Relational Reasoning in Videos", ECCV 2018 (arXiv 1711.08496), with
the semantic embedding of Ni et al., ICASSP 2022.

Points of deviation from the original implementation:
    - which subsets of frames are related is drawn from a generator of the module's own in training (`reseed`), and is
      fixed and evenly spread in evaluation. The original draws at random in evaluation too, so its answers change from
      run to run.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from vskd.errors import SettingError
from vskd.models.bn_inception import BNInception
from vskd.models.resnet18 import ResNet18Body
from vskd.network import Network, NetworkSettings, Outputs, PretrainedPart, Shape
from vskd.schema import BelowOne, Count, Positive

SUBSETS_PER_SCALE = 3
RELATION_WIDTH = 256
Subset = tuple[int, ...]
BackboneName = Literal["bn-inception", "resnet18"]


class FrameNetwork(Protocol):
    """What a frame network offers."""

    feature_width: int

    def forward_features(self, x: Tensor) -> Tensor:
        """Pooled features of each frame: (frames, 3, height, width) -> (frames, feature_width)."""

    def pretrained_part(self) -> PretrainedPart:
        """Where its public weights go."""


@dataclass(frozen=True)
class Backbone:
    """A frame network and the input convention of its public weights.

    Attributes:
        build: makes the untrained network.
        mean, std: per channel, on the 0..255 scale, in the network's own channel order.
        bgr: the network wants blue first.
    """

    build: Callable[[], nn.Module]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    bgr: bool


BACKBONES: Mapping[BackboneName, Backbone] = {
    "bn-inception": Backbone(BNInception, (104.0, 117.0, 128.0), (1.0, 1.0, 1.0), bgr=True),
    "resnet18": Backbone(ResNet18Body, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), bgr=False),
}


def spread_subsets(segments: int, size: int) -> tuple[Subset, ...]:
    """Up to three different ordered subsets of `size` of the frames 0..segments-1, each evenly spread over time.

    The time axis is cut into `size` equal parts: one subset takes a frame early in each part (at 1/6 of it), one late
    (at 5/6); the third runs in equal steps from the first frame to the last. Of as many frames as there are, all three
    are one.
    """
    early = tuple((6 * part + 1) * segments // (6 * size) for part in range(size))
    late = tuple((6 * part + 5) * segments // (6 * size) for part in range(size))
    steps = size - 1
    whole = tuple((2 * part * (segments - 1) + steps) // (2 * steps) for part in range(size))  # rounded to the nearest
    return tuple(dict.fromkeys((early, whole, late)))


def draw_subsets(segments: int, size: int, generator: torch.Generator) -> tuple[Subset, ...]:
    """Up to three different ordered subsets of `size` of the frames 0..segments-1, all equally likely."""
    count = min(SUBSETS_PER_SCALE, math.comb(segments, size))
    chosen: list[Subset] = []
    while len(chosen) < count:  # drawn one by one: listing all subsets would not end for 64 segments
        subset = tuple(sorted(torch.randperm(segments, generator=generator)[:size].tolist()))
        if subset not in chosen:
            chosen.append(subset)
    return tuple(chosen)


class TRNSettings(NetworkSettings):
    """Settings of `MultiScaleTRN`."""

    backbone: BackboneName = "bn-inception"
    feature_size: Count = 300
    feature_init_std: Positive = 0.001
    dropout: BelowOne = 0.5


class MultiScaleTRN(Network):
    """Multi-scale temporal relation network.

    Each frame becomes a feature; for every scale n = segments..2 up to three ordered n-frame subsets are classified
    from their joined features; the logits are the sum over all of them. The embedding is the mean of the frame
    features.

    Args:
        backbone: the frame network and its input convention.
        segments: frames per clip, at least 2; 8 in the source.
        feature_size: width of the frame feature and of the embedding; 300 in the source.
        classes: number of classes.
        dropout: on the frame network's pooled features; 0.5 in the source.
        feature_init_std: standard deviation of the frame feature layer's first weights. 0.001 suits a pretrained frame
            network; training from scratch starts faster with about 0.03.

    Shape:
        input: (batch, segments, 3, height, width), RGB, 0..255, float or uint8; one channel is repeated to three.
        output: logits (batch, classes), embedding (batch, feature_size), features "frame_features"
        (batch, segments, feature_size).

    Raises:
        SettingError: fewer than 2 segments.
        ValueError: forward gets clips of another shape or number of frames.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: Backbone,
        segments: int,
        feature_size: int,
        classes: int,
        dropout: float,
        feature_init_std: float,
    ) -> None:
        super().__init__()
        if segments < 2:
            raise SettingError(f"segments is {segments}, but a relation needs two frames", "Set segments to 2 or more")
        self.segments = segments
        self.embedding_size = feature_size
        self.bgr = backbone.bgr
        self.register_buffer("mean", torch.tensor(backbone.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(backbone.std).view(1, 3, 1, 1), persistent=False)
        self.backbone = backbone.build()
        self.dropout = nn.Dropout(dropout)
        self.frame_feature = nn.Linear(self._frame_network.feature_width, feature_size)
        nn.init.normal_(self.frame_feature.weight, std=feature_init_std)
        nn.init.zeros_(self.frame_feature.bias)
        self.scales = tuple(range(segments, 1, -1))
        self.relations = nn.ModuleDict({str(n): _relation(n * feature_size, classes) for n in self.scales})
        self._fixed_subsets = {n: spread_subsets(segments, n) for n in self.scales}
        self._generator = torch.Generator()
        self._partial_bn = False
        self.reseed(0)

    @property
    def _frame_network(self) -> FrameNetwork:
        return cast(FrameNetwork, self.backbone)

    def reseed(self, seed: int) -> None:
        """Restart the generator that draws the frame subsets in training; called at the start of every epoch."""
        self._generator.manual_seed(seed)

    def _subsets(self, scale: int) -> tuple[Subset, ...]:
        if self.training:
            return draw_subsets(self.segments, scale, self._generator)
        return self._fixed_subsets[scale]

    def _normalise(self, frames: Tensor) -> Tensor:
        """(batch, segments, channels, height, width) -> (batch * segments, 3, height, width) as the backbone wants."""
        x = frames.flatten(0, 1).to(self.mean.dtype).expand(-1, 3, -1, -1)
        if self.bgr:
            x = x.flip(1)
        return ((x - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    def forward(self, frames: Tensor) -> Outputs:
        """Classify a batch of clips."""
        if frames.ndim != 5 or frames.shape[1] != self.segments or frames.shape[2] not in (1, 3):
            wanted = f"(batch, {self.segments}, 3, height, width)"
            raise ValueError(f"frames must have the shape {wanted}, not {tuple(frames.shape)}")
        pooled = self._frame_network.forward_features(self._normalise(frames))
        features: Tensor = self.frame_feature(self.dropout(pooled)).unflatten(0, (-1, self.segments))
        scores = []
        for scale in self.scales:
            chosen = torch.tensor(self._subsets(scale), device=features.device)
            # (batch, segments, feature) -> (batch, subsets, scale * feature) -> (batch, subsets, classes)
            scores.append(self.relations[str(scale)](features[:, chosen].flatten(2)))
        return Outputs(torch.cat(scores, dim=1).sum(dim=1), features.mean(dim=1), {"frame_features": features})

    def start_from(self, *, pretrained: bool) -> None:
        """Freeze BatchNorm where the frame network's weights are pretrained, see `partial_bn`."""
        self.partial_bn(pretrained)

    def pretrained_part(self) -> PretrainedPart:
        """The frame network; the relations are trained from scratch."""
        return self._frame_network.pretrained_part()

    def partial_bn(self, enabled: bool) -> None:
        """Freeze (or free) all BatchNorm layers of the frame network but the first: statistics, scale and shift.

        Only sensible with pretrained weights: from scratch the frozen layers would never learn their statistics.
        """
        self._partial_bn = enabled
        for layer in self._later_batch_norms():
            layer.requires_grad_(not enabled)
        self.train(self.training)

    def _later_batch_norms(self) -> list[_BatchNorm]:
        return [module for module in self.backbone.modules() if isinstance(module, _BatchNorm)][1:]

    def train(self, mode: bool = True) -> "MultiScaleTRN":
        """Switch training mode; frozen BatchNorm layers stay in evaluation mode."""
        super().train(mode)
        if self._partial_bn:
            for layer in self._later_batch_norms():
                layer.eval()
        return self

    def parameter_groups(self, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
        """Optimizer groups of the source: biases at twice the rate, and no weight decay on biases and BatchNorm.

        Args:
            learning_rate: of the weights.
            weight_decay: of the weights.
        """
        norms = {id(p) for m in self.modules() if isinstance(m, _BatchNorm) for p in m.parameters()}
        named = list(self.named_parameters())
        biases = [p for name, p in named if name.endswith("bias") and id(p) not in norms]
        weights = [p for name, p in named if not name.endswith("bias") and id(p) not in norms]
        return [
            {"name": "weights", "params": weights, "lr": learning_rate, "weight_decay": weight_decay},
            {"name": "biases", "params": biases, "lr": 2 * learning_rate, "weight_decay": 0.0},
            {
                "name": "batch_norm",
                "params": [p for _, p in named if id(p) in norms],
                "lr": learning_rate,
                "weight_decay": 0.0,
            },
        ]


def _relation(width: int, classes: int) -> nn.Sequential:
    return nn.Sequential(nn.ReLU(), nn.Linear(width, RELATION_WIDTH), nn.ReLU(), nn.Linear(RELATION_WIDTH, classes))


def build_trn(settings: TRNSettings, shape: Shape, classes: int) -> MultiScaleTRN:
    """Build the network for clips of shape (segments, channels, height, width).

    Raises:
        SettingError: fewer than 2 segments.
    """
    backbone = BACKBONES[settings.backbone]
    return MultiScaleTRN(
        backbone, shape[0], settings.feature_size, classes, settings.dropout, settings.feature_init_std
    )
