"""Reading and writing the state of a network as safetensors: no pickles, no half-written files, no silent mismatch."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from vskd.errors import CheckpointError, first_few
from vskd.files import atomic_path

# All metadata in one entry: the library writes several in random order, and equal content is to give equal bytes.
_METADATA_KEY = "vskd"


def save_state(module: nn.Module, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a module's state as safetensors, atomically.

    Args:
        module: whose parameters and persistent buffers are written.
        path: ends in .safetensors.
        metadata: stored in the file's header.

    Raises:
        CheckpointError: the state holds NaN or infinity.
        WriteError: the folder cannot be written or the disk is full; an earlier file is left untouched.
    """
    save_tensors(module.state_dict(), path, metadata)


def save_tensors(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str]) -> None:
    """Write named tensors as safetensors, atomically. Raises as `save_state`."""
    content = packed(tensors, metadata, path)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def packed(tensors: Mapping[str, Tensor], metadata: Mapping[str, str], path: Path) -> bytes:
    """Named tensors as the content of a safetensors file, which is to become `path`.

    Serialised in memory, so that a full disk is an OSError of Python's own, which `atomic_path` reports.

    Raises:
        CheckpointError: a tensor holds NaN or infinity.
    """
    refuse_not_finite(tensors, f"What is to be written to {path}")
    header = {_METADATA_KEY: json.dumps(dict(metadata), sort_keys=True)}
    content: bytes = save({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, header)
    return content


def refuse_not_finite(tensors: Mapping[str, Tensor], what: str) -> None:
    """Weights of a training that diverged are neither kept nor used.

    Args:
        tensors: by name.
        what: holds them; begins the message.

    Raises:
        CheckpointError: one of them holds NaN or infinity.
    """
    wrong = not_finite(tensors)
    if wrong:
        raise CheckpointError(
            f"{what} holds NaN or infinity in {len(wrong)} of {len(tensors)} tensors ({first_few(wrong, 3, ', ')})",
            "Such weights come of a training that diverged: train again with a lower training.learning_rate, or take "
            "another file",
        )


def not_finite(tensors: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Names of the tensors that hold NaN or infinity."""
    return tuple(name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all()))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file.

    Returns:
        Its tensors by name, and its metadata.

    Raises:
        CheckpointError: missing, unreadable or damaged file, or one that holds NaN or infinity.
    """
    metadata = read_metadata(path)
    with _refusing_damage(path):
        tensors = load_file(path)
    refuse_not_finite(tensors, f"Weight file {path}")
    return tensors, metadata


def read_metadata(path: Path) -> dict[str, str]:
    """What a safetensors file says of itself; its tensors are not read.

    Raises:
        CheckpointError: missing, unreadable or damaged file.
    """
    with _refusing_damage(path), safe_open(path, framework="pt") as handle:
        metadata = dict(handle.metadata() or {})
        packed = metadata.pop(_METADATA_KEY, "{}")
        return {**metadata, **json.loads(packed)}


@contextlib.contextmanager
def _refusing_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise CheckpointError(f"Weight file {path} does not exist", "Check the path") from error
    except (OSError, SafetensorError, ValueError) as error:
        action = "Restore the file from a copy, or make it again"
        raise CheckpointError(f"Weight file {path} is damaged or not safetensors: {error}", action) from error


def load_state(module: nn.Module, path: Path) -> dict[str, str]:
    """Load a file written by `save_state` into a module of the same shape, in place.

    Returns:
        The file's metadata.

    Raises:
        CheckpointError: missing or damaged file, or names or shapes of another network; the module is left untouched.
    """
    tensors, metadata = read_tensors(path)
    difference = compare_states(tensors, module.state_dict())
    if not difference.fits(strict=True):
        action = "Use the network and options that this file was written with"
        raise CheckpointError(f"{path} does not fit {type(module).__name__}: {difference}", action)
    module.load_state_dict(tensors)
    return metadata


@dataclass(frozen=True)
class Difference:
    """How the tensors of a file differ from those a network wants."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[str, ...]

    def fits(self, *, strict: bool) -> bool:
        """Nothing missing or of another shape; with `strict`, nothing unexpected either."""
        return not (self.missing or self.mismatched or (strict and self.unexpected))

    def __str__(self) -> str:
        parts = [("missing", self.missing), ("unexpected", self.unexpected), ("of another shape", self.mismatched)]
        return "; ".join(f"{len(names)} {what} ({first_few(names, 3, ', ')})" for what, names in parts if names)


def compare_states(tensors: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> Difference:
    """Compare the tensors of a file with the state a network wants, by name and shape."""
    shared = [name for name in state if name in tensors]
    return Difference(
        missing=tuple(name for name in state if name not in tensors),
        unexpected=tuple(name for name in tensors if name not in state),
        mismatched=tuple(
            f"{name} {tuple(tensors[name].shape)} instead of {tuple(state[name].shape)}"
            for name in shared
            if tensors[name].shape != state[name].shape
        ),
    )
