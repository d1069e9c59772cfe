"""Import of public weights, and loading them into a network's feature part.

`save_state`, `load_state` and their relatives for our own checkpoints live in models/state.py and are offered here too.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from vskd.errors import CheckpointError
from vskd.files import sha256_file
from vskd.models.bn_inception import BNInception
from vskd.models.convnext import ConvNeXt
from vskd.models.efficientnet_lite import EfficientNetLite0
from vskd.models.efficientnet_v2 import EfficientNetV2
from vskd.models.mobilenet_v3 import MobileNetV3Small
from vskd.models.photo import PhotoNetwork
from vskd.models.resnet18 import ResNet18Body
from vskd.models.squeezenet import SqueezeNet
from vskd.models.weights.convnext import from_authors_layout, is_authors_layout
from vskd.models.weights.efficientnet_lite import LICENCES, from_public_layout, is_public_layout
from vskd.models.weights.efficientnet_lite import NETWORK as LITE_NETWORK
from vskd.models.weights.krca import NETWORK as KRCA_NETWORK
from vskd.models.weights.krca import check_krca
from vskd.models.weights.state import compare_states, load_state, read_tensors, save_state, save_tensors, some_names
from vskd.models.weights.weight_file import read_public

__all__ = [
    "ImportReport",
    "adapt_input_channels",
    "import_weights",
    "load_pretrained",
    "load_state",
    "read_tensors",
    "save_state",
    "save_tensors",
]

_log = logging.getLogger(__name__)

Format = Literal["imagenet", "krca"]

# What is wrapped around the names of a published file by the program that wrote it.
_PREFIXES = ("module.", "base_model.", "backbone.")
_CLASSIFIERS = ("last_linear.", "fc.", "new_fc.")
_BATCH_NORM = re.compile(r"\.(running_mean|running_var|weight|bias)$")


def load_pretrained(network: nn.Module, path: Path) -> dict[str, str]:
    """Load imported weights into the feature part of a network, adapting the first convolution's input channels.

    The feature part is the teacher's `backbone`, the student's `body`, all of a photo network but its `head`, or the
    network itself. Where it takes n channels and the file's first convolution three, its kernels are averaged over the
    three and repeated n times, scaled by 3 / n, so that activations keep their size (as timm does; the idea of Carreira
    & Zisserman, CVPR 2017). The head of a photo network is loaded where the file has one for as many classes.

    Args:
        network: a `MultiScaleTRN`, `ResNet18`, `BNInception`, `ResNet18Body` or `PhotoNetwork`; its other layers are
            left as they are.
        path: written by `import_weights`.

    Returns:
        The file's metadata.

    Raises:
        CheckpointError: as `load_state`.
    """
    tensors, metadata = read_tensors(path)
    if isinstance(network, PhotoNetwork):
        body: nn.Module = network
        stems: tuple[str, ...] = (f"{network.stem}.weight",)
        tensors = _with_fitting_head(network, tensors, path)
    else:
        children = dict(network.named_children())
        body = children.get("backbone", children.get("body", network))
        stems = ("conv1.weight", "conv1_7x7_s2.weight")
    state = body.state_dict()
    for first in stems:
        if first in tensors and first in state:
            tensors[first] = adapt_input_channels(tensors[first], state[first].shape[1])
    difference = compare_states(tensors, state)
    if not difference.fits(strict=True):
        action = "Import the weights of the network that the recipe names"
        raise CheckpointError(f"{path} does not fit {type(body).__name__}: {difference}", action)
    body.load_state_dict(tensors)
    return metadata


def _with_fitting_head(network: PhotoNetwork, tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors, with the network's own head where the file has none or one for another number of classes."""
    own = {name: tensor for name, tensor in network.state_dict().items() if name.startswith(f"{network.head}.")}
    if all(name in tensors and tensors[name].shape == tensor.shape for name, tensor in own.items()):
        return dict(tensors)
    found = "has none" if network.head + ".weight" not in tensors else "has one for another number of classes"
    _log.info("%s stays as initialised: %s %s", network.head, path, found)
    return {**tensors, **own}


def adapt_input_channels(weight: Tensor, channels: int) -> Tensor:
    """Convolution kernels for another number of input channels: (out, m, h, w) -> (out, channels, h, w)."""
    present = weight.shape[1]
    if present == channels:
        return weight
    return weight.mean(dim=1, keepdim=True).repeat(1, channels, 1, 1) * (present / channels)


@dataclass(frozen=True)
class ImportReport:
    """What `import_weights` did: how many tensors it took, and the source's names that it left out."""

    loaded: int
    left_out: tuple[str, ...]
    sha256: str
    out: Path


_TARGETS: Mapping[str, Callable[[], nn.Module]] = {
    "bn-inception": BNInception,
    "resnet18": ResNet18Body,
    "convnext-tiny": lambda: ConvNeXt(3, 1),
    LITE_NETWORK: lambda: EfficientNetLite0(3, 1),
    "efficientnet-v2-s": lambda: EfficientNetV2(3, 1),
    "mobilenet-v3-small-100": lambda: MobileNetV3Small(3, 1),
    "squeezenet-1-0": lambda: SqueezeNet(3, 1),
}


def import_weights(source: Path, network: str, out: Path, layout: Format = "imagenet") -> ImportReport:
    """Convert public weights into our safetensors file for `load_pretrained`.

    Layout "imagenet" understands the names of the public `bn_inception` files, of torchvision's networks, of the
    ConvNeXt authors and of the public EfficientNet-Lite0 file, with the prefixes that training programs add, wrapped
    in a `state_dict` or `model` entry or not.
    Old files that store BatchNorm vectors as (1, channels) and lack the batch counters are mended. The ImageNet
    classifier is left out: only the features are used. Layout "krca" is described in models/weights_krca.py.

    Args:
        source: a .safetensors file, or a torch file (.pth, .pt, .tar), which is read without executing anything in it.
        network: a key of `_TARGETS`, or "squeezenet-lw" for layout "krca".
        out: the safetensors file to write.
        layout: what kind of file `source` is.

    Raises:
        CheckpointError: missing, damaged or unsafe file, or not the weights of `network`; nothing is written.
        WriteError: `out` cannot be written.
    """
    known = [KRCA_NETWORK] if layout == "krca" else list(_TARGETS)
    if network not in known:
        hint = " (its files: --format krca)" if network == KRCA_NETWORK else ""
        problem = f"No {layout} weights can be imported for '{network}'{hint}"
        raise CheckpointError(problem, f"Choose one of: {', '.join(known)}")
    found = {_plain_name(name): tensor for name, tensor in read_public(source).items()}
    whole = layout == "krca"
    taken, left_out = (check_krca(found, source), ()) if whole else _take_features(found, network, source)
    digest = sha256_file(source)
    licence = LICENCES.get(digest, "unknown")
    metadata = {"network": network, "origin": source.name, "origin_sha256": digest, "licence": licence}
    save_tensors(taken, out, metadata)
    _log.info("imported %d tensors of %s from %s; left out: %s", len(taken), network, source, ", ".join(left_out))
    return ImportReport(len(taken), left_out, digest, out)


def _take_features(
    found: Mapping[str, Tensor], network: str, source: Path
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """What the feature part of `network` takes of an ImageNet file, and the names that it leaves out."""
    target = _TARGETS[network]()
    head = (f"{target.head}.",) if isinstance(target, PhotoNetwork) else ()
    state = {name: tensor for name, tensor in target.state_dict().items() if not name.startswith(head)}
    if network == "convnext-tiny" and is_authors_layout(found):
        found = from_authors_layout(found)
    if network == LITE_NETWORK and is_public_layout(found):
        found = from_public_layout(found)
    taken, left_out = _fit(found, state, head or _CLASSIFIERS)
    difference = compare_states(taken, state)
    if not difference.fits(strict=False):
        action = f"Give the public ImageNet weights of {network}"
        raise CheckpointError(f"{source} does not hold the weights of {network}: {difference}", action)
    return taken, left_out


def _plain_name(name: str) -> str:
    stripped = True
    while stripped:
        stripped = False
        for prefix in _PREFIXES:
            if name.startswith(prefix):
                name, stripped = name.removeprefix(prefix), True
    return name


def _fit(
    found: Mapping[str, Tensor], state: Mapping[str, Tensor], classifiers: tuple[str, ...]
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Tensors under the network's names and dtypes, old shapes mended; and the names that the network does not have."""
    taken: dict[str, Tensor] = {}
    for name, wanted in state.items():
        if name in found:
            tensor = found[name]
            if _BATCH_NORM.search(name) and tensor.shape == (1, *wanted.shape) and wanted.ndim == 1:
                tensor = tensor.squeeze(0)
            taken[name] = tensor.to(wanted.dtype)
        elif name.endswith("num_batches_tracked"):
            taken[name] = torch.zeros_like(wanted)
    left_out = tuple(name for name in found if name not in state)
    strange = [name for name in left_out if not name.startswith(classifiers)]
    if strange:
        _log.warning("left out tensors that the network does not have: %s", some_names(tuple(strange)))
    return taken, left_out
