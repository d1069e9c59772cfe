"""3-D networks in 2-D layers: exactly the same answers, of operators that every int8 runtime has.

LiteRT has CONV_3D in float only, and no 3-D pool at all. A 3 x 3 x 3 convolution over a clip is a 3 x 3 convolution
over its frames in which each frame's channels stand beside those of the frames before and after it; a pool over two
frames is the maximum of two slices. Frames take the place of the batch, so that one clip is computed at a time.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.errors import BundleError
from vskd.models.c3d import BLOCKS, C3D, Pixels3d
from vskd.models.c3d_lean import C3DLean
from vskd.models.head import Headed
from vskd.network import Network


class PlanarConv(nn.Module):
    """A 3 x 3 x 3 convolution of padding 1, and what follows it, as a 3 x 3 convolution.

    Args:
        layer: the convolution, with or without batch normalisation behind it (evaluation mode), which is folded in.

    Shape:
        (frames, channels, height, width) -> (frames, out channels, height, width), not below 0.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        weight, bias = _folded(layer)
        out, channels = weight.shape[:2]
        self.planar = nn.Conv2d(3 * channels, out, 3, padding=1)
        with torch.no_grad():
            # (out, in, frames, height, width) -> (out, frames * in, height, width)
            self.planar.weight.copy_(weight.transpose(1, 2).flatten(1, 2))
            self.planar.bias.copy_(bias)  # type: ignore[union-attr]
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Convolve the frames of a clip."""
        nothing = torch.zeros_like(x[:1])
        before, after = torch.cat([nothing, x[:-1]]), torch.cat([x[1:], nothing])
        result: Tensor = self.relu(self.planar(torch.cat([before, x, after], dim=1)))
        return result


def _folded(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight and bias of a 3-D convolution, or of one with batch normalisation."""
    conv, norm = (layer[0], layer[1]) if isinstance(layer, nn.Sequential) else (layer, None)
    if not isinstance(conv, nn.Conv3d):
        raise BundleError(f"{type(conv).__name__} is no 3-D convolution", "Export another network")
    bias = torch.zeros(conv.out_channels) if conv.bias is None else conv.bias.detach()
    if not isinstance(norm, nn.BatchNorm3d) or norm.running_var is None or norm.running_mean is None:
        return conv.weight.detach(), bias
    scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
    return conv.weight.detach() * scale[:, None, None, None, None], (
        bias - norm.running_mean
    ) * scale + norm.bias.detach()


def halved(x: Tensor) -> Tensor:
    """The maximum of each two frames; a last one without a neighbour stays."""
    pairs = len(x) // 2 * 2
    largest = torch.maximum(x[0:pairs:2], x[1:pairs:2])
    return largest if pairs == len(x) else torch.cat([largest, x[pairs:]])


class PlanarNetwork(nn.Module):
    """A network of clips in 2-D layers; gives the logits alone.

    Args:
        network: a `C3DLean` or `C3D`, in evaluation mode; it is not changed.

    Shape:
        (1, 3, frames, height, width), 0..1 -> (1, classes).

    Raises:
        BundleError: another network.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        if not isinstance(network, C3DLean | C3D):
            raise BundleError(
                f"{type(network).__name__} has no form in 2-D layers",
                "Choose c3d-lean, c3d-student or c3d as the student",
            )
        self.lean = isinstance(network, C3DLean)
        self.averages = isinstance(network, C3DLean) and network.pool == "mean"
        trunk = network if isinstance(network, C3DLean) else network.trunk
        self.pixels: Pixels3d = network.pixels
        self.blocks = nn.ModuleList(
            nn.Sequential(*(PlanarConv(trunk.get_submodule(name)) for name in block)) for block in BLOCKS
        )
        self.depths = [1, 2, 2, 2, 0] if isinstance(network, C3DLean) else network.trunk.depths
        if isinstance(network, C3DLean):
            self.head: nn.Module = nn.Sequential(network.embed, network.classifier)
        else:
            self.head = nn.Sequential(network.fc6, nn.ReLU(), network.fc7, nn.ReLU(), network.fc8)
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Logits of one clip."""
        x = self.pixels(x)[0].transpose(0, 1)  # (frames, 3, height, width)
        for number, (block, depth) in enumerate(zip(self.blocks, self.depths, strict=True)):
            x = block(x)
            if depth:
                x = self._pooled(x, depth, border=number == len(BLOCKS) - 1)
        if self.averages:
            logits: Tensor = self.head(x.mean(dim=(0, 2, 3))[None])
            return logits
        logits = self.head(x.transpose(0, 1).flatten()[None])  # (channels, frames, height, width)
        return logits

    def _pooled(self, x: Tensor, depth: int, *, border: bool) -> Tensor:
        """As the network pools: C3D drops an odd row, frame or column, the lean network keeps it."""
        if depth == 2:
            x = halved(x if self.lean else x[: len(x) // 2 * 2])
        height, width = x.shape[2:]
        if border:
            x = F.pad(x, (1, 1, 1, 1))
        elif self.lean and (height % 2 or width % 2):
            x = F.pad(x, (0, width % 2, 0, height % 2))  # nothing is below 0: zeros do not count
        return F.max_pool2d(x, 2)


def planar_form(network: Network) -> nn.Module:
    """See `PlanarNetwork`; a head stays behind its body."""
    if isinstance(network, Headed):
        return nn.Sequential(PlanarNetwork(network.body), network.projector, network.classifier).eval()
    return PlanarNetwork(network)
