"""Labels through the real engine: hidden ones decide nothing, and every student has as many steps."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from vskd.datasets.catalog import get_dataset
from vskd.datasets.recording import Index
from vskd.distillation import experiment as experiments
from vskd.distillation import train
from vskd.distillation.experiment import prepare
from vskd.distillation.run import RunFolder
from vskd.distillation.task import DistillationTask
from vskd.distillation.train import distill
from vskd.errors import RecipeError, RunError
from vskd.models.weights.state import read_tensors
from vskd.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
ALL_TRAIN = tuple(
    f"{role}.training.{key}" for role in ("student", "teachers.0") for key in ("validation=none", "select=last")
)
"""Neither student nor teacher sets anything aside: subjects 1 and 3 train, 12 recordings."""
QUICK = ("student.training.epochs=2", "teachers.0.training.epochs=1", *ALL_TRAIN)
SUBJECT_1 = (*QUICK, "labels.subjects=[1]")


def weights(run: Path) -> dict[str, Tensor]:
    return read_tensors(RunFolder(run).weights_file)[0]


def same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def relabelled(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, int]], None]:
    """Let the data set on disk say other classes of some recordings from now on."""

    def relabel(labels: Mapping[str, int]) -> None:
        entry = get_dataset("synthetic")

        def index(root: Path) -> Index:
            found = entry.index(root)
            changed = tuple(dataclasses.replace(r, label=labels.get(r.id, r.label)) for r in found)
            return dataclasses.replace(found, recordings=changed)

        other = dataclasses.replace(entry, index=index)
        monkeypatch.setattr(experiments, "get_dataset", lambda _: other)

    return relabel


def wrong(recipe: Recipe, cache: Path, ids: frozenset[str]) -> dict[str, int]:
    """Another class for each of some recordings."""
    experiment = prepare(recipe, cache, with_teachers=True)
    return {i: (experiment.recordings[i].label + 1) % experiment.classes for i in ids}


@pytest.fixture(scope="module")
def taught(
    tiny: MakeRecipe, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[Path, Path]]:
    """A recipe's run and its teacher's, trained when first asked for. Read them, never change them."""
    runs: dict[tuple[str, ...], Path] = {}

    def train_once(*words: str) -> tuple[Path, Path]:
        if words not in runs:
            runs[words] = distill(tiny(*words), tmp_path_factory.mktemp("labels") / "run", cache=shared_cache).run
        return runs[words], runs[words].with_name("run-teacher")

    return train_once


@pytest.mark.parametrize("words", [SUBJECT_1, ("labels.trials=[1]",)])
def test_hidden_labels_decide_nothing_of_any_weight(
    tiny: MakeRecipe, taught, shared_cache: Path, tmp_path: Path, relabelled, words: tuple[str, ...]
) -> None:
    """By DASK, whose terms hold those of plain distillation."""
    recipe = tiny(*words)
    hidden = prepare(recipe, shared_cache, with_teachers=True).unlabelled
    assert hidden
    run, teacher = taught(*words)
    distill(recipe.undistilled(), tmp_path / "alone", cache=shared_cache)
    relabelled(wrong(recipe, shared_cache, hidden))
    distill(recipe, tmp_path / "false", cache=shared_cache)
    distill(recipe.undistilled(), tmp_path / "alone-false", cache=shared_cache)
    assert same(teacher, tmp_path / "false-teacher")
    assert same(run, tmp_path / "false")
    assert same(tmp_path / "alone", tmp_path / "alone-false")
    assert not same(run, tmp_path / "alone")


def test_labels_that_are_seen_decide(tiny: MakeRecipe, taught, shared_cache: Path, tmp_path: Path, relabelled) -> None:
    """Else the test above could not fail."""
    recipe = tiny(*SUBJECT_1)
    seen = prepare(recipe, shared_cache, with_teachers=True).labelled
    run, teacher = taught(*SUBJECT_1)
    relabelled(wrong(recipe, shared_cache, seen))
    distill(recipe, tmp_path / "false", cache=shared_cache)
    assert not same(teacher, tmp_path / "false-teacher")
    assert not same(run, tmp_path / "false")


def test_what_a_run_says_of_its_labels(tiny: MakeRecipe, taught, shared_cache: Path) -> None:
    run, teacher_run = taught(*SUBJECT_1)
    facts, teacher = RunFolder(run).facts(), RunFolder(teacher_run).facts()
    assert (facts["labels"], facts["labelled"], facts["unlabelled"]) == ("subject 1", 6, 6)
    assert (teacher["labels"], teacher["labelled"], teacher["unlabelled"]) == ("subject 1", 6, 6)
    assert facts["labels_hash"] == teacher["labels_hash"]
    everybody = prepare(tiny(*QUICK), shared_cache).facts()
    assert (everybody["labels"], everybody["labelled"], everybody["unlabelled"]) == ("all", 12, 0)
    assert everybody["labels_hash"] != facts["labels_hash"]
    learned = RunFolder(run).learned()
    assert learned is not None
    assert len(learned.train) == 12 and learned.subjects == ("1", "3")
    assert {i.split("_")[1] for i in learned.labels} == {"s1"}


def test_a_run_folder_belongs_to_one_label_setting(tiny: MakeRecipe, shared_cache: Path, tmp_path: Path) -> None:
    ids = tmp_path / "ids.csv"
    ids.write_text("id\na1_s1_t1\na2_s1_t1\n")
    recipe = tiny(*QUICK, "distiller=none", f"labels.ids={ids}")
    distill(recipe, tmp_path / "run", cache=shared_cache)
    with pytest.raises(RunError, match="labels"):
        distill(tiny(*QUICK, "distiller=none"), tmp_path / "run", cache=shared_cache)
    ids.write_text("id\na1_s1_t1\na3_s1_t1\n")  # the recipe is the same, the list is not
    with pytest.raises(RunError, match="labels_hash"):
        distill(recipe, tmp_path / "run", cache=shared_cache)


def watched(monkeypatch: pytest.MonkeyPatch) -> list[DistillationTask]:
    """The tasks that would be trained; none is."""
    tasks: list[DistillationTask] = []

    def watch(task: DistillationTask, folder: RunFolder, *_: object) -> None:
        tasks.append(task)

    monkeypatch.setattr(train, "fit", watch)
    return tasks


def shown(task: DistillationTask, epoch: int) -> list[Any]:
    return list(task._train_batches(epoch))


@pytest.mark.parametrize("sliding", [False, True])
def test_an_epoch_is_as_long_with_a_teacher_as_without(
    tiny: MakeRecipe, taught, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sliding: bool
) -> None:
    """Also where recordings are of several windows, of which some have more than others."""
    windows = ("student.sees.window=sliding", "student.sees.rate_hz=50.0", "student.sees.stride=9") if sliding else ()
    recipe = tiny(*SUBJECT_1, *windows)
    _, teacher = taught(*SUBJECT_1)
    tasks = watched(monkeypatch)
    distill(recipe, tmp_path / "guided", [teacher], cache=shared_cache)
    distill(recipe.undistilled(), tmp_path / "alone", cache=shared_cache)
    distill(recipe.updated("labels={}"), tmp_path / "all", [teacher], cache=shared_cache)
    guided, alone, everybody = tasks
    labelled = {i for batch in shown(alone, 0) for i in batch.ids}
    assert {i.split("_")[1] for i in labelled} == {"s1"}
    for epoch in range(4):
        batches = {name: shown(task, epoch) for name, task in (("guided", guided), ("alone", alone))}
        lengths = {name: len(list(found)) for name, found in batches.items()}
        assert lengths["guided"] == lengths["alone"] == len(shown(everybody, epoch))
        assert lengths["alone"] == len(alone._train_batches(epoch))  # type: ignore[arg-type]
        assert all((batch.labels >= 0).all() for batch in batches["alone"])
        hidden = [i for b in batches["guided"] for i, k in zip(b.ids, b.labels.tolist(), strict=True) if k < 0]
        assert hidden and {i.split("_")[1] for i in hidden} == {"s3"}


def test_all_labels_train_as_ever(
    tiny: MakeRecipe, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recipe that says nothing of labels shows each recording once."""
    tasks = watched(monkeypatch)
    distill(tiny(*QUICK, "distiller=none"), tmp_path / "run", cache=shared_cache)
    shown_ids = [i for batch in shown(tasks[0], 0) for i in batch.ids]
    assert len(shown_ids) == len(set(shown_ids)) == 12


def test_a_student_and_its_teacher_draw_the_same_fraction(tiny: MakeRecipe, shared_cache: Path) -> None:
    """Although one of them sets validation recordings aside, or sees fewer streams."""
    recipe = tiny("labels.fraction=0.4", *ALL_TRAIN)
    student = prepare(recipe, shared_cache, with_teachers=True)
    carved = recipe.updated("student.training.validation=carve")
    teacher = prepare(recipe.of_teacher(), shared_cache)
    assert student.setting.chosen == teacher.setting.chosen
    own = prepare(carved, shared_cache, with_teachers=True).setting
    assert own.chosen == student.setting.chosen
    assert own.labelled < student.labelled
    assert own.hash == student.setting.hash


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("labels.subjects=[3]", "distiller=none"), r"labels \(subject 3\): none of the 6 training recordings carries"),
        (
            (*SUBJECT_1, "distiller={terms: [{loss: cross_entropy}, {loss: tckd}, {loss: nckd}]}"),
            r"6 training recordings have none, which the loss term\(s\) tckd, nckd need",
        ),
        ((*SUBJECT_1, "student.training.sampling=balanced"), "'balanced' needs the class of every training recording"),
    ],
)
def test_what_cannot_be_learned_without_labels_is_refused(
    tiny: MakeRecipe, shared_cache: Path, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    with pytest.raises(RecipeError, match=told):
        distill(tiny(*words), tmp_path / "run", cache=shared_cache)
    assert not RunFolder(tmp_path / "run").recipe_file.exists()


def test_a_student_without_a_teacher_may_balance_what_is_labelled(
    tiny: MakeRecipe, shared_cache: Path, tmp_path: Path
) -> None:
    words = (*SUBJECT_1, "distiller=none", "student.training.sampling=balanced")
    distill(tiny(*words), tmp_path / "run", cache=shared_cache)
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert len(rows) == 2
