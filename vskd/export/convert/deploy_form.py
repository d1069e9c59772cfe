"""The same network, written in the operations that int8 runtimes compute fast. Every rewrite here is exact.

Three things make a plain conversion slow, measured with LiteRT 2.3 (XNNPACK) on one x86-64 core by
benchmarks/int8_latency.py:

- int8 HARD_SWISH is not taken by XNNPACK: MobileNetV3-Small falls into 20 pieces, and int8 is slower than float;
- a 7x7 convolution with stride 2 on 1 or 3 channels: int8 kernels work on groups of channels and multiply by padding;
- dividing by the deviation, one more pass over the largest tensor of the network.
"""

import copy
import logging

import torch
from torch import Tensor, nn
from torch.nn import functional

from vskd.errors import BundleError
from vskd.export.convert.litert import LogitsOnly
from vskd.models.head import Headed
from vskd.models.photo import PhotoNetwork
from vskd.models.torchvision_shim import load_torchvision

logger = logging.getLogger(__name__)

_SCALE_FREE = (nn.ReLU, nn.Dropout, nn.AdaptiveAvgPool2d, nn.Identity)
_REPORT = "Convert the network itself with convert_float, and report this as a defect of vskd"


class SixTimesHardSwish(nn.Module):
    """6 * hard-swish(x) = x * relu6(x + 3): an addition and a multiplication, both known to every int8 runtime.

    The factor 6 is divided out of the weights of the next layer. Written out in full, the converter would recognise
    the formula and make a HARD_SWISH operator of it again.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        return x * functional.relu6(x + 3)


class SpaceToDepthConvolution(nn.Module):
    """A convolution of stride 2 without padding, computed as one of stride 1 on blocks of 2x2 pixels.

    The blocks become channels through a convolution whose weights are 0 and 1; in int8 these are exact too.

    Args:
        convolution: odd kernel, stride 2, no padding, no dilation, one group. It is not changed.

    Shape:
        (batch, channels, height, width) -> what `convolution` gives.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        weight = convolution.weight.detach()
        out_channels, channels, size, _ = weight.shape
        taps = (size + 1) // 2
        self.gather = nn.Conv2d(channels, 4 * channels, 2, stride=2, bias=False)
        self.gather.weight.data = torch.eye(4 * channels).reshape(4 * channels, 2, 2, channels).permute(0, 3, 1, 2)
        self.gather.requires_grad_(False)
        self.convolution = nn.Conv2d(4 * channels, out_channels, taps, bias=convolution.bias is not None)
        padded = functional.pad(weight, (0, 1, 0, 1)).reshape(out_channels, channels, taps, 2, taps, 2)
        # (out, in, tap y, y in block, tap x, x in block) -> (out, (y in block, x in block, in), tap y, tap x)
        blocks = padded.permute(0, 3, 5, 1, 2, 4).reshape(out_channels, 4 * channels, taps, taps)
        self.convolution.weight.data = blocks.contiguous()
        if convolution.bias is not None:
            self.convolution.bias = nn.Parameter(convolution.bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """An odd side is filled with one line of zeros, which meets only the zeros that fill the kernel."""
        height, width = x.shape[-2:]
        if height % 2 or width % 2:
            x = functional.pad(x, (0, width % 2, 0, height % 2))
        output: Tensor = self.convolution(self.gather(x))
        return output


class Subtract(nn.Module):
    """x - mean, per channel: what stays of the normalisation where the stem pads its input with zeros."""

    mean: Tensor

    def __init__(self, mean: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> the same."""
        return x - self.mean


class ChannelsLastInput(nn.Module):
    """A network whose input is (batch, height, width, channels), as images are decoded and as LiteRT computes.

    Args:
        network: (batch, channels, height, width) -> logits.
        mean: subtracted here, whole rows at a time; (channels,). XNNPACK is slow at 3 values for the last dimension.
        width: of the images.
    """

    row: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, width: int) -> None:
        super().__init__()
        self.network = network
        self.subtracts = bool(mean.any())
        self.register_buffer("row", mean.repeat(width), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, height, width, channels) -> logits."""
        if self.subtracts:
            x = (x.flatten(2) - self.row).reshape(x.shape)
        output: Tensor = self.network(x.permute(0, 3, 1, 2))
        return output


def deploy_form(network: nn.Module, *, channels_last_width: int | None = None) -> nn.Module:
    """A copy of a network that gives its logits, for `convert_float`, rewritten to be fast in int8.

    The logits differ from the network's by float rounding alone (a test asks for 1e-5 of the largest). Networks that
    are not `PhotoNetwork` are only wrapped.

    Args:
        network: returns `Outputs`; it is not changed.
        channels_last_width: if given, the input is (batch, height, width, channels) with this width, which saves a
            transposition of RGB images.

    Returns:
        A module in evaluation mode: (batch, channels, height, width) -> logits (batch, classes).

    Raises:
        BundleError: the network has hard-swish where its factor cannot be moved into the next layer.
    """
    result = copy.deepcopy(network).eval()
    body = result.body if isinstance(result, Headed) else result
    if isinstance(body, PhotoNetwork):
        with torch.no_grad():
            fold_normalisation(body)
            split_stem(body)
            if any(isinstance(part, (nn.Hardswish, nn.Hardsigmoid)) for part in body.modules()):
                lower_hard_swish(body)
    if channels_last_width is None:
        return LogitsOnly(result).eval()
    mean = _taken_out_subtraction(body)
    return ChannelsLastInput(LogitsOnly(result), mean, channels_last_width).eval()


def _taken_out_subtraction(network: nn.Module) -> Tensor:
    """The mean that the network subtracts first, (channels,), which it does no longer; one zero where there is none."""
    first = getattr(network, "normalise", None)
    if not isinstance(first, Subtract):
        return torch.zeros(1)
    network.add_module("normalise", nn.Identity())
    return first.mean.flatten()


def fold_normalisation(network: PhotoNetwork) -> None:
    """Move the deviation into the first convolution's weights, and the mean into its bias if it does not pad.

    With padding the mean stays a subtraction: the zeros at the border stand for the mean, not for black.
    """
    stem = _stem(network)
    mean, deviation = network.normalise.mean, network.normalise.std
    stem.weight.data = stem.weight / deviation
    if any(stem.padding):
        network.add_module("normalise", Subtract(mean))
        return
    shift = (stem.weight * mean).sum(dim=(1, 2, 3))
    stem.bias = nn.Parameter(-shift if stem.bias is None else stem.bias - shift)
    network.add_module("normalise", nn.Identity())


def split_stem(network: PhotoNetwork) -> None:
    """Replace a large first convolution of stride 2 by `SpaceToDepthConvolution`."""
    stem = _stem(network)
    size, width = stem.kernel_size
    plain = not any(stem.padding) and stem.dilation == (1, 1)
    if plain and stem.stride == (2, 2) and size == width and size % 2 and size >= 5:
        network.set_submodule(network.stem, SpaceToDepthConvolution(stem))


def lower_hard_swish(network: PhotoNetwork) -> None:
    """Replace hard-swish and hard-sigmoid by additions, clamps and products; factors go into the next weights.

    Raises:
        BundleError: between a hard-swish and the next weights is a layer that is not indifferent to factors.
    """
    factor = _lower(network.features, 1.0)
    if _lower(network.classifier, factor) != 1.0:
        raise BundleError("The network ends with hard-swish, which has no layer behind it", _REPORT)


def _lower(container: nn.Module, factor: float) -> float:
    """Rewrite the children in order. `factor` times the tensor that arrives is what the original would have there."""
    blocks = load_torchvision().models.mobilenetv3
    for name, child in container.named_children():
        if isinstance(child, nn.Hardswish):
            container.add_module(name, SixTimesHardSwish())
            factor /= 6
        elif isinstance(child, (nn.Conv2d, nn.Linear)):
            child.weight.data = child.weight * factor
            factor = 1.0
        elif isinstance(child, blocks.SElayer):
            factor = _lower_gate(child, factor)
        elif isinstance(child, blocks.InvertedResidual) and not (child.use_res_connect and factor != 1.0):
            factor = _lower(child.block, factor)
        elif isinstance(child, nn.Sequential):
            factor = _lower(child, factor)
        elif not isinstance(child, _SCALE_FREE) and factor != 1.0:
            raise BundleError(f"A factor of hard-swish cannot pass {type(child).__name__}", _REPORT)
    return factor


def _lower_gate(gate: nn.Module, factor: float) -> float:
    """Squeeze and excite: the gate is 6 times as large, and the tensor that it multiplies passes on its factor."""
    squeeze, excite = gate.get_submodule("fc1"), gate.get_submodule("fc2")
    if not (isinstance(squeeze, nn.Conv2d) and isinstance(excite, nn.Conv2d)) or excite.bias is None:
        raise BundleError(f"{type(gate).__name__} has other layers than two convolutions", _REPORT)
    squeeze.weight.data = squeeze.weight * factor
    if isinstance(gate.scale_activation, nn.Hardsigmoid):  # relu6(x + 3) / 6
        excite.bias.data = excite.bias + 3
        gate.add_module("scale_activation", nn.ReLU6())
        factor /= 6
    return factor


def _stem(network: PhotoNetwork) -> nn.Conv2d:
    stem = network.get_submodule(network.stem)
    if not isinstance(stem, nn.Conv2d):
        raise BundleError(f"The layer '{network.stem}' is {type(stem).__name__}, not a convolution", _REPORT)
    if stem.groups != 1:
        raise BundleError(f"The layer '{network.stem}' is a convolution in {stem.groups} groups", _REPORT)
    return stem
