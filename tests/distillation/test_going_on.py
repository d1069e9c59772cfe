"""Going on from a finished student: its weights are the first ones, and no door opens to what is tested."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vskd.distillation import train
from vskd.distillation.run import RunFolder
from vskd.distillation.train import distill
from vskd.errors import CheckpointError, ProtocolError
from vskd.models.weights.state import read_tensors
from vskd.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
QUICK = ("student.training.epochs=1", "distiller=none")
EVERYBODY = (*QUICK, "student.training.validation=none", "student.training.select=last")


@pytest.fixture(scope="module")
def first(tiny: MakeRecipe, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student of the label trial 1 of subjects 1 and 3; all of these train."""
    run = tmp_path_factory.mktemp("first") / "run"
    return distill(tiny(*EVERYBODY, "labels.trials=[1]"), run, cache=shared_cache).run


def test_its_weights_are_the_first_ones(
    tiny: MakeRecipe, shared_cache: Path, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[dict[str, torch.Tensor]] = []
    real = train.fit

    def fit(task, *others):
        begun.append({name: tensor.clone() for name, tensor in task.model.state_dict().items()})
        return real(task, *others)

    monkeypatch.setattr(train, "fit", fit)
    distill(tiny(*EVERYBODY, f"student.weights={first}"), tmp_path / "on", cache=shared_cache)
    own = read_tensors(RunFolder(first).weights_file)[0]
    assert own.keys() == begun[0].keys()
    assert all(torch.equal(own[name], begun[0][name]) for name in own)
    (recorded,) = RunFolder(first).sums.recorded()["checkpoints/model.safetensors"]
    assert RunFolder(tmp_path / "on").facts()["weights_hash"] == recorded


def test_a_student_that_learned_from_who_is_tested_now(
    tiny: MakeRecipe, shared_cache: Path, first: Path, tmp_path: Path
) -> None:
    """The validation part that is carved now is among it."""
    with pytest.raises(ProtocolError, match=r"this run validates or tests on 6 recordings that it learned from: a1_s3"):
        distill(tiny(*QUICK, f"student.weights={first}"), tmp_path / "on", cache=shared_cache)
    swapped = tmp_path / "swapped.yaml"
    swapped.write_text(
        "name: swapped\nversion: 1\ndataset: synthetic\nsplit_by: subject\nparts: {train: even, test: odd}\n"
        "disjoint: subject\nvalidation_unit: subject\n"
    )
    with pytest.raises(ProtocolError, match=r"tests on 12 recordings that it learned from"):
        recipe = tiny(*EVERYBODY, f"student.weights={first}", f"dataset.protocol={swapped}")
        distill(recipe, tmp_path / "on", cache=shared_cache)
    assert not (tmp_path / "on" / "recipe.yaml").exists()


def test_a_student_that_knows_labels_that_are_hidden_now(
    tiny: MakeRecipe, shared_cache: Path, first: Path, tmp_path: Path
) -> None:
    with pytest.raises(ProtocolError, match=r"hides \(labels: trial 2\) the labels of 6 recordings"):
        recipe = tiny(*EVERYBODY, f"student.weights={first}", "labels.trials=[2]")
        distill(recipe, tmp_path / "on", cache=shared_cache)


def test_what_cannot_be_gone_on_from(tiny: MakeRecipe, shared_cache: Path, first: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="embed"):
        other = tiny(*EVERYBODY, f"student.weights={first}", "student.network.embedding_size=16")
        distill(other, tmp_path / "other", cache=shared_cache)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"empty/checkpoints/model\.safetensors does not exist"):
        distill(tiny(*EVERYBODY, f"student.weights={tmp_path / 'empty'}"), tmp_path / "on", cache=shared_cache)
