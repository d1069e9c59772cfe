"""Names of the ConvNeXt authors' weight files (repository facebookresearch/ConvNeXt) -> torchvision's names."""

import re
from collections.abc import Iterable, Mapping

from torch import Tensor

_BLOCK_LAYERS = {"dwconv": "block.0", "norm": "block.2", "pwconv1": "block.3", "pwconv2": "block.5"}
_BLOCK = re.compile(r"stages\.(\d+)\.(\d+)\.(\w+)(\.\w+)?$")
_DOWNSAMPLE = re.compile(r"downsample_layers\.(\d+)\.(\d+)(\.\w+)$")
_TOP = {"norm.": "classifier.0.", "head.": "classifier.2."}


def to_torchvision(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of either kind of file under torchvision's names."""
    return from_authors_layout(tensors) if is_authors_layout(tensors) else dict(tensors)


def is_authors_layout(names: Iterable[str]) -> bool:
    """Whether these are the names of the authors' files."""
    return any(name.startswith("downsample_layers.") for name in names)


def from_authors_layout(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under torchvision's names; the layer scale becomes (channels, 1, 1), unknown names stay."""
    return {_torchvision_name(name): _as_map(name, tensor) for name, tensor in tensors.items()}


def _torchvision_name(name: str) -> str:
    block = _BLOCK.match(name)
    if block is not None:
        stage, number, layer, kind = block.groups()
        place = f"features.{2 * int(stage) + 1}.{number}"
        if layer == "gamma":
            return f"{place}.layer_scale"
        return f"{place}.{_BLOCK_LAYERS.get(layer, layer)}{kind or ''}"
    downsample = _DOWNSAMPLE.match(name)
    if downsample is not None:
        stage, layer, kind = downsample.groups()
        return f"features.{2 * int(stage)}.{layer}{kind}"
    for old, new in _TOP.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def _as_map(name: str, tensor: Tensor) -> Tensor:
    return tensor.reshape(-1, 1, 1) if name.endswith(".gamma") else tensor
