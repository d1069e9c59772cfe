"""What the feature part of a network takes of a public ImageNet file."""

import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from vskd.errors import CheckpointError, first_few
from vskd.models.weights.state import compare_states
from vskd.network import PretrainedPart

_log = logging.getLogger(__name__)

Taken = tuple[dict[str, Tensor], tuple[str, ...]]
"""Tensors under our names, and the names that were left out."""

_CLASSIFIERS = ("last_linear.", "fc.", "new_fc.")
_BATCH_NORM = re.compile(r"\.(running_mean|running_var|weight|bias)$")


def take_features(
    network: str,
    part: Callable[[], PretrainedPart],
    rename: Callable[[Mapping[str, Tensor]], dict[str, Tensor]],
    found: Mapping[str, Tensor],
    source: Path,
) -> Taken:
    """The tensors of an ImageNet file that the feature part of a network has; old shapes are mended.

    Args:
        network: its name, for messages.
        part: makes what the weights are of; its head is left out.
        rename: brings the names of the file to ours.
        found: the file's tensors.
        source: the file.

    Raises:
        CheckpointError: a tensor is missing or of another shape.
    """
    target = part()
    head = (f"{target.head}.",) if target.head is not None else ()
    state = {name: tensor for name, tensor in target.module.state_dict().items() if not name.startswith(head)}
    taken, left_out = _fit(rename(found), state, head or _CLASSIFIERS)
    difference = compare_states(taken, state)
    if not difference.fits(strict=False):
        action = f"Give the public ImageNet weights of {network}"
        raise CheckpointError(f"{source} does not hold the weights of {network}: {difference}", action)
    return taken, left_out


def _fit(found: Mapping[str, Tensor], state: Mapping[str, Tensor], classifiers: tuple[str, ...]) -> Taken:
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
        _log.warning("left out tensors that the network does not have: %s", first_few(strange, 3, ", "))
    return taken, left_out
