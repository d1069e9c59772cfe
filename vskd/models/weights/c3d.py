"""The public files of C3D trained on Sports-1M: eight convolutions, fc6, fc7, and fc8 for 487 sports.

Two kinds are read. PyTorch files have our names (`conv3a.weight`, `fc6.bias`), or those of mmaction2
(`conv1a.conv.weight`, without fc8). Keras files (`sports1M_weights_tf.h5`) have arrays `conv3a/.../kernel:0` and
`bias:0`: kernels with their channels last, and fc6 counts the places of the last map before its channels. None carries
a licence.

Train what they give with `pixels: sports1m`. Source: Tran et al., ICCV 2015.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from vskd.errors import CheckpointError
from vskd.models.catalog import build_network, parse_network
from vskd.models.weights.state import compare_states

SPORTS = 487
LAST_MAP = (1, 4, 4)
"""Frames, height and width that fc6 sees."""
_KERAS = re.compile(r"(?P<layer>conv\d[ab]?|fc\d)(?:_\d+)?/(?:.*/)?\w*?(?P<kind>kernel|bias|[Wb])(?::0)?$")


def take_c3d(found: Mapping[str, Tensor], source: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors of a C3D under our names; fc8 is optional.

    Raises:
        CheckpointError: a tensor is missing or of another shape.
    """
    named = {_our_name(name): (name, tensor) for name, tensor in to_plain(found).items()}
    with torch.device("meta"):
        wanted = build_network(parse_network("c3d"), shape=(3, 16, 112, 112), classes=SPORTS).state_dict()
    needed = {name: tensor for name, tensor in wanted.items() if not name.startswith("fc8.") or name in named}
    taken = {name: named[name][1] for name in needed if name in named}
    difference = compare_states(taken, needed)
    if not difference.fits(strict=True):
        raise CheckpointError(
            f"{source} does not hold the weights of C3D: {difference}", "Give the Sports-1M weights of C3D"
        )
    left_out = tuple(original for name, (original, _) in named.items() if name not in needed)
    return {name: tensor.float() for name, tensor in taken.items()}, left_out


def _our_name(name: str) -> str:
    plain = re.sub(r"^(conv[12])a\.", r"\1.", name.replace(".conv.", "."))
    return f"trunk.{plain}" if plain.startswith("conv") else plain


def to_plain(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a Keras file under PyTorch's names and in its layout; others as they are."""
    return dict(_plain(name, tensor) for name, tensor in found.items())


def _plain(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    match = _KERAS.search(name)
    if match is None:
        return name, tensor
    layer, bias = match["layer"], match["kind"] in ("bias", "b")
    return f"{layer}.{'bias' if bias else 'weight'}", tensor if bias else _channels_first(layer, tensor)


def _channels_first(layer: str, kernel: Tensor) -> Tensor:
    """(frames, height, width, in, out) -> (out, in, frames, height, width); (in, out) -> (out, in)."""
    if kernel.ndim == 5:
        return kernel.permute(4, 3, 0, 1, 2)
    if layer == "fc6":  # rows count (frames, height, width, channels), and here (channels, frames, height, width)
        kernel = kernel.reshape(*LAST_MAP, -1, kernel.shape[1]).permute(3, 0, 1, 2, 4).flatten(0, 3)
    return kernel.T
