"""Our own weight files: exact, atomic, and refused when they do not fit."""

import errno
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from vskd.errors import CheckpointError
from vskd.files import WriteError
from vskd.models.weights.state import (
    Difference,
    compare_states,
    load_state,
    not_finite,
    read_metadata,
    read_tensors,
    refuse_not_finite,
    save_state,
    save_tensors,
)


@pytest.fixture
def module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def test_equal_content_gives_equal_bytes(module: nn.Module, tmp_path: Path) -> None:
    metadata = {letter: letter for letter in "hgfedcba"}
    contents = set()
    for number in range(8):
        save_state(module, tmp_path / "w.safetensors", metadata if number % 2 else dict(sorted(metadata.items())))
        contents.add((tmp_path / "w.safetensors").read_bytes())
    assert len(contents) == 1
    assert read_tensors(tmp_path / "w.safetensors")[1] == metadata


def test_metadata_are_read_without_the_tensors(module: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_state(module, path, {"network": "small", "origin": "public.pth"})
    assert read_metadata(path) == read_tensors(path)[1] == {"network": "small", "origin": "public.pth"}
    with pytest.raises(CheckpointError, match=r"absent\.safetensors does not exist"):
        read_metadata(tmp_path / "absent.safetensors")
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"w\.safetensors is damaged"):
        read_metadata(path)


def test_strided_tensors_are_written_in_order(tmp_path: Path) -> None:
    module = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    save_state(module, tmp_path / "w.safetensors", {})
    assert torch.equal(read_tensors(tmp_path / "w.safetensors")[0]["weight"], module.weight)


def test_a_truncated_file_is_named(module: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_state(module, path, {})
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(CheckpointError, match=r"w\.safetensors is damaged"):
        load_state(module, path)


@pytest.mark.parametrize("content", [b"", b"not a safetensors file, by far", b"\xff" * 64])
def test_any_other_file_is_refused(module: nn.Module, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"w\.safetensors is damaged"):
        load_state(module, path)


def test_a_missing_file_or_a_folder_is_named(module: nn.Module, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"absent\.safetensors does not exist"):
        load_state(module, tmp_path / "absent.safetensors")
    with pytest.raises(CheckpointError, match=str(tmp_path)):
        load_state(module, tmp_path)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5)), r"0\.weight \(4, 3\) instead of \(5, 3\)"),
        (nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)), r"missing \(2\.weight, 2\.bias\)"),
        (nn.Sequential(nn.Linear(3, 4)), r"unexpected \(1\."),
    ],
)
def test_another_network_is_refused_and_left_untouched(
    module: nn.Module, other: nn.Module, named: str, tmp_path: Path
) -> None:
    path = tmp_path / "w.safetensors"
    save_state(module, path, {})
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    with pytest.raises(CheckpointError, match=named):
        load_state(other, path)
    assert all(torch.equal(before[name], tensor) for name, tensor in other.state_dict().items())


def test_a_full_disk_keeps_the_earlier_file(module: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.safetensors"
    save_state(module, path, {})
    before = path.read_bytes()

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as handle:
            handle.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WriteError, match=r"w\.safetensors: No space left"):
        save_state(module, path, {"step": "2"})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("name", ["0.weight", "1.running_mean"])
def test_what_is_not_finite_is_neither_written_nor_read(
    module: nn.Module, tmp_path: Path, value: float, name: str
) -> None:
    path = tmp_path / "w.safetensors"
    tensors = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    tensors[name].view(-1)[-1] = value
    with pytest.raises(CheckpointError, match=rf"in 1 of 7 tensors \({name}\)"):
        save_tensors(tensors, path, {})
    assert not path.exists()
    save_file(tensors, path)  # by another program
    with pytest.raises(CheckpointError, match=r"w\.safetensors holds NaN or infinity"):
        read_tensors(path)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("missing", [(), ("a",)])
@pytest.mark.parametrize("unexpected", [(), ("b", "c")])
@pytest.mark.parametrize("mismatched", [(), ("d",)])
def test_what_fits(
    missing: tuple[str, ...], unexpected: tuple[str, ...], mismatched: tuple[str, ...], strict: bool
) -> None:
    difference = Difference(missing, unexpected, mismatched)
    assert difference.fits(strict=strict) == (not missing and not mismatched and (not strict or not unexpected))
    said = [("1 missing (a)", missing), ("2 unexpected (b, c)", unexpected), ("1 of another shape (d)", mismatched)]
    assert str(difference) == "; ".join(text for text, there in said if there)


def test_differences_by_hand() -> None:
    tensors = {"same": torch.zeros(2, 3), "turned": torch.zeros(3, 2), "new": torch.zeros(1)}
    state = {"lost": torch.zeros(4), "turned": torch.zeros(2, 3), "same": torch.ones(2, 3)}
    assert compare_states(tensors, state) == Difference(("lost",), ("new",), ("turned (3, 2) instead of (2, 3)",))


def test_three_names_are_told_and_the_rest_is_counted() -> None:
    assert str(Difference(tuple("abcde"), (), ())) == "5 missing (a, b, c and 2 more)"
    bad = {name: torch.full((2,), torch.inf) for name in "edcba"} | {"good": torch.zeros(2)}
    assert not_finite(bad) == tuple("edcba")
    with pytest.raises(CheckpointError, match=r"It holds NaN or infinity in 5 of 6 tensors \(e, d, c and 2 more\)"):
        refuse_not_finite(bad, "It")
    refuse_not_finite({"good": torch.zeros(2), "count": torch.tensor(3)}, "It")


def test_what_another_program_says_of_its_file_is_kept(module: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(module.state_dict(), path, {"format": "pt"})
    assert read_metadata(path) == {"format": "pt"}
    save_file(module.state_dict(), path)
    assert read_metadata(path) == {}
    assert read_tensors(path)[0].keys() == module.state_dict().keys()


def test_a_state_is_loaded_and_its_metadata_given(module: nn.Module, tmp_path: Path) -> None:
    save_state(module, tmp_path / "w.safetensors", {"b": "2", "a": "1"})
    other = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    assert load_state(other, tmp_path / "w.safetensors") == {"a": "1", "b": "2"}
    assert all(torch.equal(tensor, module.state_dict()[name]) for name, tensor in other.state_dict().items())
