"""Import of public weights, and loading them into the part of a network that takes them.

Reading and writing our own checkpoints (`save_state`, `load_state` ...) lives in weights/state.py.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor

from vskd.errors import CheckpointError, lookup
from vskd.files import refuse_existing, sha256_file
from vskd.models.weights.catalog import PUBLIC_WEIGHTS, Format, PublicWeights
from vskd.models.weights.state import compare_states, read_tensors, refuse_not_finite, save_tensors
from vskd.models.weights.weight_file import read_public, source_format
from vskd.network import PretrainedPart

_log = logging.getLogger(__name__)

# What is wrapped around the names of a published file by the program that wrote it.
_PREFIXES = ("module.", "base_model.", "backbone.")


class TakesWeights(Protocol):
    """Says where weights that were trained elsewhere go: a `Network`, or a frame network."""

    def pretrained_part(self) -> PretrainedPart:
        """That part."""


def load_pretrained(network: TakesWeights, path: Path) -> dict[str, str]:
    """Load imported weights into the part of a network that takes them, adapting the first convolution's channels.

    Where the part's stem takes n channels and the file's three, its kernels are averaged over the three and repeated n
    times, scaled by 3 / n, so that activations keep their size (as timm does; the idea of Carreira & Zisserman, CVPR
    2017). Its head is loaded where the file has one for as many classes.

    Args:
        network: its layers outside `pretrained_part` are left as they are.
        path: written by `import_weights`.

    Returns:
        The file's metadata.

    Raises:
        CheckpointError: as `load_state`.
    """
    tensors, metadata = read_tensors(path)
    part = network.pretrained_part()
    state = part.module.state_dict()
    if part.head is not None:
        tensors = _with_fitting_head(part.head, state, tensors, path)
    stem = f"{part.stem}.weight"
    if stem in tensors:
        tensors[stem] = adapt_input_channels(tensors[stem], state[stem].shape[1])
    difference = compare_states(tensors, state)
    if not difference.fits(strict=True):
        action = "Import the weights of the network that the recipe names"
        raise CheckpointError(f"{path} does not fit {type(part.module).__name__}: {difference}", action)
    part.module.load_state_dict(tensors)
    return metadata


def _with_fitting_head(
    head: str, state: Mapping[str, Tensor], tensors: Mapping[str, Tensor], path: Path
) -> dict[str, Tensor]:
    """The tensors, with the network's own head where the file has none or one for another number of classes."""
    own = {name: tensor for name, tensor in state.items() if name.startswith(f"{head}.")}
    if not own:  # it was taken out, see `vskd.models.head`
        return {name: tensor for name, tensor in tensors.items() if not name.startswith(f"{head}.")}
    if all(name in tensors and tensors[name].shape == tensor.shape for name, tensor in own.items()):
        return dict(tensors)
    found = "has none" if f"{head}.weight" not in tensors else "has one for another number of classes"
    _log.info("%s stays as initialised: %s %s", head, path, found)
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


def import_weights(source: Path, network: str, out: Path, layout: Format = "imagenet") -> ImportReport:
    """Convert public weights into our safetensors file for `load_pretrained`.

    Layout "imagenet" understands the names of the public `bn_inception` files, of torchvision's networks, of the
    ConvNeXt authors and of the public EfficientNet-Lite0 file, with the prefixes that training programs add, wrapped
    in a `state_dict` or `model` entry or not.
    Old files that store BatchNorm vectors as (1, channels) and lack the batch counters are mended. The ImageNet
    classifier is left out: only the features are used. Layouts "krca" and "c3d" are described in weights/krca.py and
    weights/c3d.py.

    Args:
        source: a .safetensors file, or a torch file (.pth, .pt, .tar), which is read without executing anything in it.
        network: a key of `PUBLIC_WEIGHTS`.
        out: the safetensors file to write.
        layout: what kind of file `source` is.

    Raises:
        CheckpointError: missing, damaged or unsafe file, not the weights of `network`, or not finite; nothing is
            written.
        WriteError: `out` cannot be written, or something is there.
    """
    refuse_existing(out, "an import of weights")
    public = _public_weights(network, layout)
    found = {_plain_name(name): tensor for name, tensor in read_public(source).items()}
    taken, left_out = public.take(found, source)
    refuse_not_finite(taken, f"Weight file {source}")
    digest = sha256_file(source)
    licence = public.licences.get(digest, "unknown")
    origin = {
        "origin": source.name,
        "origin_sha256": digest,
        "origin_format": source_format(source),
        "licence": licence,
    }
    metadata = {"network": network, "layout": layout, **origin}
    save_tensors(taken, out, metadata)
    _log.info("imported %d tensors of %s from %s; left out: %s", len(taken), network, source, ", ".join(left_out))
    return ImportReport(len(taken), left_out, digest, out)


def _public_weights(network: str, layout: Format) -> PublicWeights:
    """The weights' entry in the catalog.

    Raises:
        CheckpointError: there are none of that network, or not in that layout.
    """
    public = lookup(PUBLIC_WEIGHTS, network, "importer of weights for", CheckpointError)
    if public.layout != layout:
        problem = f"No {layout} weights can be imported for '{network}' (its files: --format {public.layout})"
        known = sorted(name for name, entry in PUBLIC_WEIGHTS.items() if entry.layout == layout)
        raise CheckpointError(problem, f"Choose one of: {', '.join(known)}")
    return public


def _plain_name(name: str) -> str:
    stripped = True
    while stripped:
        stripped = False
        for prefix in _PREFIXES:
            if name.startswith(prefix):
                name, stripped = name.removeprefix(prefix), True
    return name
