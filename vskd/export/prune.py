"""Remove dead filters of SqueezeNet_LW's stem, whose 7x7 convolution is two thirds of the network's work.

Trained files of this network have stem filters of almost no norm (26 of 96 in a published one). Such a filter gives the
same value at every pixel, relu(bias), which passes through the max pool unchanged; the next layer, a 1x1 convolution
without padding, therefore takes it into its bias exactly.
"""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vskd.errors import BundleError
from vskd.models.squeezenet_lw import Fire, SqueezeNetLW


@dataclass(frozen=True)
class StemPruning:
    """A pruned network and what the pruning did.

    Attributes:
        network: a copy with fewer stem filters; "shallow" has as many channels fewer. The rest has its old shape.
        removed: indices of the removed filters.
        kept: number of filters that are left.
        bound: how far a removed filter is from constant: the range of its response over all inputs in 0..1. At 0 the
            logits are the same but for rounding.
        max_logit_change: largest change of a logit on the images that were given; None without images.
        argmax_agreement: fraction of those images with the same class as before; None without images.
    """

    network: SqueezeNetLW
    removed: tuple[int, ...]
    kept: int
    bound: float
    max_logit_change: float | None
    argmax_agreement: float | None


def prune_stem(network: SqueezeNetLW, *, threshold: float = 1e-3, images: Tensor | None = None) -> StemPruning:
    """Remove the stem filters whose norm is at most a fraction of the largest filter's norm.

    Args:
        network: trained; it is not changed.
        threshold: fraction of the largest L2 norm, 0 <= threshold < 1. Filters of up to 0.001 are dead in float32 and
            far below one int8 step; larger thresholds change the answers, so give `images` to see by how much.
        images: (n, channels, height, width) in 0..1 on which the effect is measured. A removed filter is then replaced
            by its mean response on them instead of relu(bias), which is nearer where a filter is not quite dead.

    Returns:
        The pruned network in evaluation mode, with the figures. Without anything to remove it is an equal copy.

    Raises:
        BundleError: the threshold is out of range, the weights are not finite, or the images do not fit.
    """
    if not 0 <= threshold < 1:
        raise BundleError(f"threshold is {threshold}", "Set threshold to at least 0 and below 1, e.g. 0.001")
    result = copy.deepcopy(network).eval()
    if images is not None and (
        images.ndim != 4 or not len(images) or images.shape[1] != result.initial_conv.in_channels
    ):
        raise BundleError(
            f"images have shape {tuple(images.shape)}",
            f"Give at least one image of {result.initial_conv.in_channels} channels, (n, channels, height, width)",
        )
    with torch.no_grad():
        dead = _dead_filters(result.initial_conv, threshold)
        constants = _constants(result, images)
        bound = _largest_variation(result, dead)
        _remove(result, dead, constants)
        change, agreement = (None, None) if images is None else _effect(network, result, images)
    removed = tuple(int(i) for i in dead.nonzero().flatten())
    return StemPruning(result, removed, len(dead) - len(removed), bound, change, agreement)


def _dead_filters(stem: nn.Conv2d, threshold: float) -> Tensor:
    """Which filters go, bool (filters,). The strongest always stays."""
    norms = stem.weight.flatten(1).norm(dim=1)
    if not torch.isfinite(norms).all():
        raise BundleError("The stem's weights are not finite", "Train the network again, or give another checkpoint")
    dead: Tensor = norms <= threshold * norms.max()
    dead[norms.argmax()] = False
    return dead


def _constants(network: SqueezeNetLW, images: Tensor | None) -> Tensor:
    """What stands for each filter if it is removed, after ReLU and pool: (filters,)."""
    if images is None:
        return torch.relu(_bias(network.initial_conv))
    total: Tensor = torch.zeros(network.initial_conv.out_channels)
    for image in torch.split(images, 1):
        stem = network.forward_stem(network.normalise(image))
        total += network.features[1](stem).mean(dim=(0, 2, 3))  # features: ReLU (in the stem), max pool, Fire, ...
    return total / len(images)


def _largest_variation(network: SqueezeNetLW, dead: Tensor) -> float:
    """Largest range of a removed filter's response over inputs of 0..1: the sum of its |weights| / deviation."""
    if not dead.any():
        return 0.0
    weight = network.initial_conv.weight[dead] / network.normalise.std
    return float(weight.abs().flatten(1).sum(dim=1).max())


def _remove(network: SqueezeNetLW, dead: Tensor, constants: Tensor) -> None:
    stem, fire = network.initial_conv, network.features[2]
    if not isinstance(fire, Fire):
        raise BundleError("The network's third layer is not a Fire module", "Give a SqueezeNet_LW")
    squeeze, keep = fire.squeeze, ~dead
    bias = _bias(squeeze) + squeeze.weight[:, dead, 0, 0] @ constants[dead]
    network.initial_conv = nn.Conv2d(stem.in_channels, int(keep.sum()), 7, stride=2)
    network.initial_conv.load_state_dict({name: value[keep] for name, value in stem.state_dict().items()})
    fire.squeeze = nn.Conv2d(int(keep.sum()), squeeze.out_channels, 1)
    fire.squeeze.load_state_dict({"weight": squeeze.weight[:, keep], "bias": bias})


def _bias(layer: nn.Conv2d) -> Tensor:
    return layer.get_parameter("bias").detach()


def _effect(before: SqueezeNetLW, after: SqueezeNetLW, images: Tensor) -> tuple[float, float]:
    """Largest change of a logit, and agreement of the classes."""
    reference = copy.deepcopy(before).eval()
    expected = torch.cat([reference(image).logits for image in torch.split(images, 1)])
    actual = torch.cat([after(image).logits for image in torch.split(images, 1)])
    same = (expected.argmax(dim=1) == actual.argmax(dim=1)).float().mean()
    return float((expected - actual).abs().max()), float(same)
