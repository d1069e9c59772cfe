"""C3D: eight 3-D convolutions and three fully connected layers; the teacher and student of 3-D video distillation.

Sources: Tran, Bourdev, Fergus, Torresani & Paluri, "Learning Spatiotemporal Features with 3D Convolutional Networks",
ICCV 2015 (arXiv 1412.0767). The student, a tenth of it, and the dropout between convolutions and pools are those of the
published offline distillation of 3-D networks.

Points of deviation from the published code: outputs are logits, not probabilities, so that softmax is taken once;
pixels are normalised inside the network. First weights are those of He et al. (ICCV 2015, arXiv 1502.01852), which keep
the signal through ten layers without normalisation: by PyTorch's own, logits of two clips differ by 1e-5 and the full
network does not begin to learn; by the published code's (Glorot's) they differ by 1e-3, by He's by 0.2. A pool takes as
many frames as there are left, so that clips of fewer than 16 frames are possible; at 16 it is the published one. Layers
are called as in the public files of C3D.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from vskd.errors import SettingError
from vskd.models.normalise import Normalise
from vskd.network import Network, NetworkSettings, Outputs, PretrainedPart, Shape
from vskd.schema import BelowOne, ShareOfOne

BLOCKS = (("conv1",), ("conv2",), ("conv3a", "conv3b"), ("conv4a", "conv4b"), ("conv5a", "conv5b"))
"""Convolutions between two pools."""
KINETICS_MEAN, KINETICS_STD = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)
"""Of torchvision's video networks, on the scale 0..1."""
SPORTS1M_MEAN = (104.0, 117.0, 128.0)
"""Blue, green, red on the scale 0..255, subtracted from the pixels of the public Sports-1M network: one colour for the
mean clip of its makers, as mmaction2 does."""
Pixels = Literal["kinetics", "sports1m", "motion"]
Trains = Literal["all", "classifier"]


@dataclass(frozen=True)
class Widths:
    """Channels of a C3D network.

    Attributes:
        convolutions: one number for each of `BLOCKS`.
        connected: of fc6 and fc7.
    """

    convolutions: tuple[int, int, int, int, int]
    connected: tuple[int, int]

    def narrowed(self, width: float) -> "Widths":
        """All of them times `width`, at least 1."""
        a, b, c, d, e = (max(1, round(width * n)) for n in self.convolutions)
        six, seven = (max(1, round(width * n)) for n in self.connected)
        return Widths((a, b, c, d, e), (six, seven))


TEACHER = Widths((64, 128, 256, 512, 512), (4096, 4096))
STUDENT = Widths((16, 32, 32, 64, 128), (2048, 1024))


class C3DSettings(NetworkSettings):
    """Settings of `C3D`.

    Attributes:
        width: share of the published channels, for machines that cannot train all of them.
        conv_dropout: before the third, fourth and fifth pool.
        dropout: behind fc6 and fc7.
        pixels: how pixels are normalised; `sports1m` is what the public weights were trained with; `motion` shows what
            changes between frames, see `Pixels3d`.
        trains: `classifier` leaves all weights but those of fc8 as they are, and the dropout between them off: a linear
            probe of pretrained weights.
    """

    width: ShareOfOne = 1.0
    conv_dropout: BelowOne = 0.3
    dropout: BelowOne = 0.5
    pixels: Pixels = "kinetics"
    trains: Trains = "all"


class C3DStudentSettings(C3DSettings):
    """Settings of the student, whose dropout between convolutions is weaker."""

    conv_dropout: BelowOne = 0.2


class Pixels3d(nn.Module):
    """Normalise pixels 0..1 of clips as the network's weights want it.

    `motion`: each frame less the one before it, divided by the deviation of pixels; the first is all zeros. What does
    not move (the place, the person's build and distance) is gone, which is most of what differs between people.

    Shape:
        (batch, 3, frames, height, width) -> the same.
    """

    def __init__(self, pixels: Pixels) -> None:
        super().__init__()
        self.bgr, self.motion = pixels == "sports1m", pixels == "motion"
        mean = tuple(m / 255 for m in SPORTS1M_MEAN) if self.bgr else KINETICS_MEAN
        self.normalise = Normalise(mean, (1 / 255,) * 3 if self.bgr else KINETICS_STD, dimensions=3)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise a batch."""
        shown: Tensor = self.normalise(x.flip(1) if self.bgr else x)
        if not self.motion:
            return shown
        return torch.cat([torch.zeros_like(shown[:, :, :1]), shown[:, :, 1:] - shown[:, :, :-1]], dim=2)

    def extra_repr(self) -> str:
        """Says which it is."""
        return "motion" if self.motion else "sports1m" if self.bgr else "kinetics"


class C3DTrunk(nn.Module):
    """The convolutions and pools of C3D.

    Args:
        widths: channels of each block.
        conv_dropout: before the last three pools.
        frames: of a clip; pools take as many as are left.

    Shape:
        input: (batch, 3, frames, height, width), normalised.
        output: (batch, channels, frames / 16, about height / 28, about width / 28).
    """

    def __init__(self, widths: Sequence[int], conv_dropout: float, frames: int) -> None:
        super().__init__()
        channels, left = 3, frames
        self.depths: list[int] = []
        for block, width in zip(BLOCKS, widths, strict=True):
            for name in block:
                setattr(self, name, nn.Conv3d(channels, width, 3, padding=1))
                channels = width
            depth = 1 if block == BLOCKS[0] else min(2, left)
            self.depths.append(depth)
            left //= depth
        self.relu, self.dropout = nn.ReLU(), nn.Dropout(conv_dropout)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Feature maps "block1".."block5", each behind its pool."""
        maps = {}
        for number, block in enumerate(BLOCKS):
            for name in block:
                x = self.relu(self.get_submodule(name)(x))
            x = self.dropout(x) if number >= 2 else x
            x = nn.functional.pad(x, (1, 1, 1, 1)) if number == 4 else x  # the last pool sees 9 x 9 of 7 x 7
            x = nn.functional.max_pool3d(x, (self.depths[number], 2, 2))
            maps[f"block{number + 1}"] = x
        return maps


def with_planes(maps: dict[str, Tensor]) -> dict[str, Tensor]:
    """Feature maps of clips, and the first and the last of them as the maps "shallow" and "deep" of distillers.

    Those compare planes: the frames of a map stand one below the other, (batch, channels, frames * height, width).
    """
    first, *_, last = maps.values()
    return {**maps, "shallow": first.flatten(2, 3), "deep": last.flatten(2, 3)}


class C3D(Network):
    """Convolutions, then fc6 and fc7, whose output is the embedding, then the classifier fc8.

    Args:
        shape: (3, frames, height, width) of a clip.
        classes: number of classes.
        widths: channels.
        settings: see `C3DSettings`.

    Shape:
        input: (batch, 3, frames, height, width), 0..1.
        output: logits (batch, classes), embedding (batch, width of fc7), features "block1".."block5",
            see `with_planes`.

    Raises:
        SettingError: nothing is left of such a clip behind five pools.
    """

    def __init__(self, shape: Shape, classes: int, widths: Widths, settings: C3DSettings) -> None:
        super().__init__()
        six, self.embedding_size = widths.connected
        self.pixels = Pixels3d(settings.pixels)
        self.trunk = C3DTrunk(widths.convolutions, settings.conv_dropout, shape[1])
        flat = widths.convolutions[-1] * _positions(shape, self.trunk.depths)
        self.fc6, self.fc7 = nn.Linear(flat, six), nn.Linear(six, self.embedding_size)
        self.fc8 = nn.Linear(self.embedding_size, classes)
        self.relu, self.dropout6, self.dropout = nn.ReLU(), nn.Dropout(settings.dropout), nn.Dropout(settings.dropout)
        self.trains: Trains = settings.trains
        for name, layer in self.named_modules():
            if isinstance(layer, nn.Conv3d | nn.Linear) and name != "fc8":
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch of clips."""
        maps = self.trunk(self.pixels(x))
        hidden = self.dropout6(self.relu(self.fc6(maps["block5"].flatten(1))))
        embedding = self.relu(self.fc7(hidden))
        return Outputs(self.fc8(self.dropout(embedding)), embedding, with_planes(maps))

    def pretrained_part(self) -> PretrainedPart:
        """All of it; the classifier where it fits."""
        return PretrainedPart(self, head="fc8")

    def start_from(self, *, pretrained: bool) -> None:
        """Freeze all but the classifier, where the settings say so."""
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(self.trains == "all" or name.startswith("fc8."))
        self.train(self.training)

    def train(self, mode: bool = True) -> "C3D":
        """Switch training mode; dropout between frozen layers stays off."""
        super().train(mode)
        if self.trains == "classifier":
            self.trunk.eval()
            self.dropout6.eval()
        return self

    def extra_repr(self) -> str:
        """Says what is trained."""
        return f"trains={self.trains}"


def _positions(shape: Shape, depths: Sequence[int]) -> int:
    """Places of the last feature map of a clip of `shape`: 1 x 4 x 4 at 16 x 112 x 112."""
    frames, height, width = shape[1:]
    for number, depth in enumerate(depths):
        border = 2 if number == len(depths) - 1 else 0
        if min(height, width) < 1:
            problem = f"C3D cannot read clips of {shape[2]} x {shape[3]} pixels"
            raise SettingError(problem, "Give it 16 x 16 pixels or more")
        frames, height, width = frames // depth, (height + border) // 2, (width + border) // 2
    return frames * height * width


def build_c3d(settings: C3DSettings, shape: Shape, classes: int, *, widths: Widths = TEACHER) -> C3D:
    """Build the network for clips of shape (channels, frames, height, width)."""
    return C3D(shape, classes, widths.narrowed(settings.width), settings)
