"""Import of public weight files without executing anything in them, and loading them into a network's feature part.

`save_state`, `load_state` and their relatives for our own checkpoints live in models/state.py and are offered here too.
"""

import logging
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vskd.errors import CheckpointError
from vskd.files import sha256_file
from vskd.models.bn_inception import BNInception
from vskd.models.resnet18 import ResNet18Body
from vskd.models.state import compare_states, load_state, read_tensors, save_state, save_tensors, some_names

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

# What is wrapped around the names of a published file by the program that wrote it.
_PREFIXES = ("module.", "base_model.", "backbone.")
_CLASSIFIERS = ("last_linear.", "fc.", "new_fc.")
_BATCH_NORM = re.compile(r"\.(running_mean|running_var|weight|bias)$")


def load_pretrained(network: nn.Module, path: Path) -> dict[str, str]:
    """Load imported weights into the feature part of a network, adapting the first convolution's input channels.

    The feature part is the teacher's `backbone`, the student's `body`, or the network itself. Where it takes n channels
    and the file's first convolution three, its kernels are averaged over the three and repeated n times, scaled by
    3 / n, so that activations keep their size (as timm does; the idea of Carreira & Zisserman, CVPR 2017).

    Args:
        network: a `MultiScaleTRN`, `ResNet18`, `BNInception` or `ResNet18Body`; its other layers are left as they are.
        path: written by `import_weights`.

    Returns:
        The file's metadata.

    Raises:
        CheckpointError: as `load_state`.
    """
    children = dict(network.named_children())
    body = children.get("backbone", children.get("body", network))
    tensors, metadata = read_tensors(path)
    state = body.state_dict()
    for first in ("conv1.weight", "conv1_7x7_s2.weight"):
        if first in tensors and first in state:
            tensors[first] = adapt_input_channels(tensors[first], state[first].shape[1])
    difference = compare_states(tensors, state)
    if not difference.fits(strict=True):
        action = "Import the weights of the network that the recipe names"
        raise CheckpointError(f"{path} does not fit {type(body).__name__}: {difference}", action)
    body.load_state_dict(tensors)
    return metadata


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


_TARGETS: Mapping[str, Callable[[], nn.Module]] = {"bn-inception": BNInception, "resnet18": ResNet18Body}


def import_weights(source: Path, network: str, out: Path) -> ImportReport:
    """Convert public ImageNet weights into our safetensors file for `load_pretrained`.

    Understands the names of the public `bn_inception` files and of torchvision's resnet18, with the prefixes that
    training programs add, wrapped in a `state_dict` entry or not. Old files that store BatchNorm vectors as
    (1, channels) and lack the batch counters are mended. The classifier is left out: only the features are used.

    Args:
        source: a .safetensors file, or a torch file (.pth, .pt, .tar), which is read without executing anything in it.
        network: "bn-inception" or "resnet18".
        out: the safetensors file to write.

    Raises:
        CheckpointError: missing, damaged or unsafe file, or not the weights of `network`; nothing is written.
        WriteError: `out` cannot be written.
    """
    if network not in _TARGETS:
        raise CheckpointError(f"No weights can be imported for '{network}'", f"Choose one of: {', '.join(_TARGETS)}")
    state = _TARGETS[network]().state_dict()
    found = {_plain_name(name): tensor for name, tensor in _read_public(source).items()}
    taken, left_out = _fit(found, state)
    difference = compare_states(taken, state)
    if not difference.fits(strict=False):
        action = f"Give the public ImageNet weights of {network}"
        raise CheckpointError(f"{source} does not hold the weights of {network}: {difference}", action)
    digest = sha256_file(source)
    metadata = {"network": network, "origin": source.name, "origin_sha256": digest, "licence": "unknown"}
    save_tensors(taken, out, metadata)
    _log.info("imported %d tensors of %s from %s; left out: %s", len(taken), network, source, ", ".join(left_out))
    return ImportReport(len(taken), left_out, digest, out)


def _plain_name(name: str) -> str:
    stripped = True
    while stripped:
        stripped = False
        for prefix in _PREFIXES:
            if name.startswith(prefix):
                name, stripped = name.removeprefix(prefix), True
    return name


def _fit(found: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
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
    strange = [name for name in left_out if not name.startswith(_CLASSIFIERS)]
    if strange:
        _log.warning("left out tensors that the network does not have: %s", some_names(tuple(strange)))
    return taken, left_out


def _read_public(source: Path) -> dict[str, Tensor]:
    if source.suffix == ".safetensors":
        return read_tensors(source)[0]
    content = _load_torch_file(source)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping):
        action = "Give a file that holds a state dict"
        raise CheckpointError(f"{source} holds a {type(content).__name__}, not named tensors", action)
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _load_torch_file(source: Path) -> Any:
    """Read a torch file with the restricted unpickler, which executes nothing."""
    try:
        return torch.load(source, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"Weight file {source} does not exist", "Check the path") from error
    except pickle.UnpicklingError as error:
        blocked = re.search(r"GLOBAL (\S+)", str(error))
        if blocked is None:
            raise _damaged(source, error) from error
        problem = f"{source} was refused: it asks to run {blocked.group(1)} while loading, which weights never need"
        action = (
            "Get the same weights as .safetensors, or, only if you trust the file's author, load it yourself and write "
            "its state_dict() with safetensors.torch.save_file"
        )
        raise CheckpointError(problem, action) from error
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise _damaged(source, error) from error


def _damaged(source: Path, error: Exception) -> CheckpointError:
    reason = str(error).partition("\n")[0]
    return CheckpointError(f"Weight file {source} is damaged or not a torch file: {reason}", "Download the file again")
