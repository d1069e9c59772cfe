"""Reading public weight files without executing anything in them."""

import pickle
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import h5py
import torch
from torch import Tensor

from vskd.errors import CheckpointError
from vskd.models.weights.state import read_tensors

DAMAGED_PICKLE = (
    *(OSError, RuntimeError, EOFError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError),
    *(AssertionError, MemoryError, struct.error, pickle.UnpicklingError),
)
"""What torch's restricted unpickler raises on a damaged file: it goes on with whatever the damage says."""
SourceFormat = Literal["safetensors", "torch", "keras"]
KERAS_ENDINGS = (".h5", ".hdf5")


def source_format(source: Path) -> SourceFormat:
    """How a public weight file is read."""
    if source.suffix in KERAS_ENDINGS:
        return "keras"
    return "safetensors" if source.suffix == ".safetensors" else "torch"


def read_public(source: Path) -> dict[str, Tensor]:
    """Named tensors of a public weight file, bare or wrapped in an entry `state_dict` or `model`.

    Args:
        source: a .safetensors file, a Keras file (.h5), whose arrays go by their path within it; or a torch file, which
            is read by the restricted unpickler and executes nothing. Tensors that were stored on a GPU are read onto
            the CPU.

    Raises:
        CheckpointError: missing, damaged or unsafe file, or no named tensors in it.
    """
    if source_format(source) == "safetensors":
        return read_tensors(source)[0]
    if source_format(source) == "keras":
        return _read_keras(source)
    content = _load_torch_file(source)
    for wrapper in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping):
        action = "Give a file that holds a state dict"
        raise CheckpointError(f"{source} holds a {type(content).__name__}, not named tensors", action)
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _read_keras(source: Path) -> dict[str, Tensor]:
    """All arrays of an HDF5 file by their path, e.g. `conv1/conv1/kernel:0`."""
    found: dict[str, Tensor] = {}

    def take(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim and item.dtype.kind == "f":
            found[name] = torch.from_numpy(item[()])

    try:
        with h5py.File(source, "r", locking=False) as file:
            file.visititems(take)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        if not source.exists():
            raise CheckpointError(f"Weight file {source} does not exist", "Check the path") from error
        raise CheckpointError(f"Weight file {source} is damaged or not HDF5: {error}", "Download it again") from error
    return found


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
    except DAMAGED_PICKLE as error:
        raise _damaged(source, error) from error


def _damaged(source: Path, error: Exception) -> CheckpointError:
    said = str(error).partition("\n")[0]
    reason = said if re.search("[A-Za-z]", said) else f"{type(error).__name__} {said}".strip()
    return CheckpointError(f"Weight file {source} is damaged or not a torch file: {reason}", "Download the file again")
