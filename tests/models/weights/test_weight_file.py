"""Reading public weight files: their wrappings. Unsafe and damaged ones are in test_weights.py."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.models.weights.test_krca import save_as_from_a_gpu
from vskd.errors import CheckpointError
from vskd.models.weights.weight_file import read_public, source_format

STATE = {"a.weight": torch.arange(3.0), "b": torch.tensor(2)}


@pytest.mark.parametrize(
    "content", [STATE, {"state_dict": STATE, "epoch": 3}, {"model": STATE, "args": [1]}, {**STATE, "note": "text"}]
)
def test_wrappings(content: dict[str, Any], tmp_path: Path) -> None:
    torch.save(content, tmp_path / "w.pth")
    found = read_public(tmp_path / "w.pth")
    assert set(found) == set(STATE)
    assert all(torch.equal(found[name], tensor) for name, tensor in STATE.items())


def test_safetensors(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "w.safetensors")
    assert set(read_public(tmp_path / "w.safetensors")) == set(STATE)


def test_a_whole_module_is_refused_as_it_would_run_code(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"w\.pth was refused: it asks to run"):
        read_public(tmp_path / "w.pth")


def test_no_tensors_is_an_error(tmp_path: Path) -> None:
    torch.save("hello", tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"w\.pth holds a str, not named tensors"):
        read_public(tmp_path / "w.pth")


def test_a_damaged_torch_file_is_one_clear_error_or_none(tmp_path: Path) -> None:
    """The restricted unpickler goes on with whatever the damage says."""
    path, generator = tmp_path / "x.pth", np.random.default_rng(0)
    torch.save({"state_dict": {"a": torch.ones(2, 3), "b": torch.zeros(4)}}, path)
    content, refused = path.read_bytes(), 0
    for _ in range(150):
        damaged = bytearray(content)
        for place in generator.integers(0, len(content), 6):
            damaged[place] ^= 1 << int(generator.integers(0, 8))
        path.write_bytes(bytes(damaged))
        try:
            read_public(path)
        except CheckpointError as error:
            refused += str(path) in str(error)
    assert refused > 20


@pytest.mark.parametrize("ending", [".h5", ".hdf5"])
def test_of_a_keras_file_arrays_of_numbers_are_taken(ending: str, tmp_path: Path) -> None:
    """Not its counters, which are whole numbers or stand alone, and not its texts."""
    path = tmp_path / f"w{ending}"
    with h5py.File(path, "w") as file:
        file["layer/kernel:0"] = np.arange(6, dtype=np.float32).reshape(2, 3)
        file["layer/half:0"] = np.ones(2, np.float16)
        file["layer/steps:0"] = np.arange(3)
        file["layer/rate:0"] = np.float32(0.5)
        file["layer/names"] = ["a", "b"]
    found = read_public(path)
    assert set(found) == {"layer/kernel:0", "layer/half:0"} and source_format(path) == "keras"
    assert found["layer/kernel:0"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("name", "kind"), [("w.safetensors", "safetensors"), ("w.pth", "torch"), ("w.tar", "torch"), ("w", "torch")]
)
def test_how_a_file_is_read_follows_from_its_ending(name: str, kind: str) -> None:
    assert source_format(Path(name)) == kind


def test_a_missing_file_of_each_kind_is_named(tmp_path: Path) -> None:
    for name in ("w.pth", "w.h5", "w.safetensors"):
        with pytest.raises(CheckpointError, match=rf"{name} does not exist"):
            read_public(tmp_path / name)


def test_a_file_that_another_program_holds_is_read(tmp_path: Path) -> None:
    """h5py would lock it, and fail on what is locked already or lies where nothing can be."""
    fcntl = pytest.importorskip("fcntl")
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file["kernel:0"] = np.ones(3, np.float32)
    with path.open("rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert read_public(path)["kernel:0"].tolist() == [1, 1, 1]


def test_tensors_of_a_gpu_are_read_onto_the_processor(tmp_path: Path) -> None:
    save_as_from_a_gpu(OrderedDict(STATE), tmp_path / "w.pth")
    found = read_public(tmp_path / "w.pth")
    assert all(torch.equal(found[name], tensor) and found[name].device.type == "cpu" for name, tensor in STATE.items())


def test_the_first_line_of_what_torch_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w.pth").write_bytes(b"")

    def load(*_: object, **__: object) -> None:
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(CheckpointError, match=r"w\.pth is damaged or not a torch file: first\. Download"):
        read_public(tmp_path / "w.pth")


@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
def test_an_entry_of_that_name_that_is_no_mapping_is_no_wrapping(wrapper: str, tmp_path: Path) -> None:
    torch.save({**STATE, wrapper: torch.ones(1)}, tmp_path / "w.pth")
    assert set(read_public(tmp_path / "w.pth")) == {*STATE, wrapper}
    torch.save([STATE], tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=r"w\.pth holds a list, not named tensors"):
        read_public(tmp_path / "w.pth")


def test_a_file_of_words_is_no_torch_file(tmp_path: Path) -> None:
    """Torch's restricted unpickler says the number of the word's first letter alone."""
    (tmp_path / "w.pth").write_text("hi\n")
    with pytest.raises(CheckpointError, match=r"w\.pth is damaged or not a torch file: [A-Za-z]+Error \d+\. Download"):
        read_public(tmp_path / "w.pth")
