"""Going on from a finished student: its weights are the first ones, and no door opens to what is tested."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vskd.distillation import train
from vskd.distillation.experiment import prepare
from vskd.distillation.going_on import start_from, weights_file
from vskd.distillation.model import Model, new_model
from vskd.distillation.run import RunFolder
from vskd.distillation.train import distill
from vskd.errors import CheckpointError, ProtocolError, RunError
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
    with pytest.raises(RunError, match=r"empty is not a run folder"):
        distill(tiny(*EVERYBODY, f"student.weights={tmp_path / 'empty'}"), tmp_path / "on", cache=shared_cache)


def test_the_file_of_a_folder_is_its_selected_weights(tmp_path: Path) -> None:
    assert weights_file(str(tmp_path)) == tmp_path / "checkpoints" / "model.safetensors"
    assert weights_file(str(tmp_path / "body.safetensors")) == tmp_path / "body.safetensors"


def begun_from(recipe: Recipe, cache: Path, run: Path, **parts: tuple[str, ...] | str) -> Model:
    """A new model that goes on from a run, of an experiment whose split has these parts instead."""
    experiment = prepare(recipe, cache)
    experiment = dataclasses.replace(experiment, split=dataclasses.replace(experiment.split, **parts))  # type: ignore[arg-type]
    model = new_model(recipe.student, experiment.inputs, experiment.classes)
    start_from(model, str(run), experiment)
    return model


def learned_other(first: Path, place: Path, **changes: Any) -> Path:
    """A copy of the first run, which says to have learned from other recordings."""
    folder = RunFolder(Path(shutil.copytree(first, place)))
    learned = folder.learned()
    assert learned is not None
    changed = dataclasses.asdict(dataclasses.replace(learned, **changes))
    folder.sums.replace_text(folder.learned_file.name, json.dumps(changed))
    return folder.path


def test_people_who_are_tested_now_are_named_where_subjects_are_kept_apart(
    tiny: MakeRecipe, shared_cache: Path, first: Path, tmp_path: Path
) -> None:
    """It learned from other recordings of subject 1 than the one that is tested."""
    recipe = tiny(*EVERYBODY)
    run = learned_other(first, tmp_path / "run", train=("a1_s1_t1", "x"), contents={})
    parts = {"train": ("a1_s3_t1", "a2_s3_t1"), "test": ("a3_s1_t2", "a1_s2_t1")}
    with pytest.raises(ProtocolError, match=r"validates or tests on 1 people that it learned from: 1\. Go on from"):
        begun_from(recipe, shared_cache, run, **parts, disjoint="subject")
    with pytest.raises(ProtocolError, match=r"tests on 2 people that it learned from: 1, 3\."):
        begun_from(recipe, shared_cache, run, **parts, validation=("a2_s3_t2",), disjoint="subject")
    model = begun_from(recipe, shared_cache, run, **parts, disjoint="none")
    own = read_tensors(RunFolder(first).weights_file)[0]
    assert all(torch.equal(own[name], tensor) for name, tensor in model.state_dict().items())


def test_recordings_under_other_ids_are_known_by_content_and_five_are_named(
    tiny: MakeRecipe, shared_cache: Path, first: Path, tmp_path: Path
) -> None:
    recipe = tiny(*EVERYBODY)
    inputs = prepare(recipe, shared_cache).inputs
    tested = tuple(sorted(i for i in inputs.ids if "_s2_" in i))
    assert len(tested) == 6
    contents = {content: f"old-{own}" for content, own in inputs.fingerprints(tested).items()}
    run = learned_other(first, tmp_path / "run", train=("old",), subjects=("9",), contents=contents)
    named = ", ".join(tested[:5])
    with pytest.raises(ProtocolError, match=rf"tests on 6 recordings that it learned from: {named} and 1 more"):
        begun_from(recipe, shared_cache, run, test=tested)
    begun_from(recipe, shared_cache, run, test=("a1_s4_t1",))


def test_a_student_of_other_classes_or_that_says_nothing_is_not_gone_on_from(
    tiny: MakeRecipe, shared_cache: Path, first: Path, tmp_path: Path
) -> None:
    recipe = tiny(*EVERYBODY)
    folder = RunFolder(Path(shutil.copytree(first, tmp_path / "turned")))
    facts = folder.facts()
    folder.sums.replace_text("environment.json", json.dumps({**facts, "classes": facts["classes"][::-1]}))
    with pytest.raises(ProtocolError, match="turned knows other classes, or in another order"):
        begun_from(recipe, shared_cache, folder.path)
    folder = RunFolder(Path(shutil.copytree(first, tmp_path / "silent")))
    folder.learned_file.unlink()
    folder.sums.forget(["learned.json"])
    with pytest.raises(RunError, match="silent does not say what it learned from"):
        begun_from(recipe, shared_cache, folder.path)
