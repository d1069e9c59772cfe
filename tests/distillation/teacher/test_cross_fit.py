"""Cross-fitted teachers and several views: who speaks of whom, what a subject's recordings decide, and refusals."""

import contextlib
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from vskd.datasets.synthetic.write import write_world
from vskd.distillation import train
from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.run import Learned, RunFolder
from vskd.distillation.teacher.cross_fit import CrossFitted, fold_recipe, fold_run, fold_subjects
from vskd.distillation.teacher.fusion import FusedTeacher
from vskd.distillation.teacher.outputs import FinishedTeacher, TeacherSource, ViewedTeacher, finished_teacher
from vskd.distillation.teacher.source import teacher_source
from vskd.distillation.train import distill
from vskd.errors import RecipeError, RunError
from vskd.files import sha256_file
from vskd.modalities.base import Batch
from vskd.models.weights.state import read_tensors
from vskd.network import Outputs
from vskd.recipe import Recipe, load_recipe

QUICK = (
    *("student.sees.encoding=raw", "student.sees.length=32", "student.network=cnn1d"),
    *("student.network.embedding_size=12", "student.training.epochs=1", "student.training.batch_size=4"),
    *("student.training.validation=none", "student.training.select=last", "distiller=kd"),
)
"""Subjects 1 and 3 train."""


def made(world: Path, *words: str) -> Recipe:
    """A student and a teacher of the gyroscope, both trained in a second."""
    recipe = load_recipe("demo", (*QUICK, f"dataset.path={world}"))
    teacher = recipe.student.model_dump(mode="json")
    teacher["sees"]["streams"] = ["gyroscope"]
    return recipe.updated(f"teachers=[{json.dumps(teacher)}]", *words)


CROSS = "teachers.0.cross_fit=subject"


@pytest.fixture(scope="module")
def place(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cross-fitted student, its teacher and that one's folds."""
    folder = tmp_path_factory.mktemp("cross-fit")
    distill(made(synthetic_root, CROSS), folder / "run", cache=folder / "cache")
    return folder


def weights(run: Path) -> dict[str, Tensor]:
    return read_tensors(RunFolder(run).weights_file)[0]


def same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return all(torch.equal(first[name], second[name]) for name in first)


def opened(recipe: Recipe, place: Path) -> tuple[Experiment, FinishedTeacher, dict[str, FinishedTeacher]]:
    experiment = prepare(recipe, place / "cache", with_teachers=True)
    teacher = finished_teacher(experiment, place / "run-teacher")
    return experiment, teacher, {s: finished_teacher(experiment, place / f"run-teacher-without-{s}") for s in "13"}


def batch_of(experiment: Experiment) -> Batch:
    (batch,) = experiment.inputs.batches(sorted(experiment.inputs.ids, key=lambda i: i[::-1]), batch_size=99)
    return batch


def test_of_each_subject_speaks_the_teacher_that_never_saw_it(place: Path, synthetic_root: Path) -> None:
    experiment, teacher, folds = opened(made(synthetic_root, CROSS), place)
    batch = batch_of(experiment)
    said, ids, labels = teacher_source(experiment, [teacher], [folds]).outputs(batch)
    assert ids == batch.ids and torch.equal(labels, batch.labels)
    spoken = {"1": folds["1"], "3": folds["3"], "2": teacher, "4": teacher}
    for row, recording in enumerate(batch.ids):
        speaker = spoken[experiment.recordings[recording].subject]
        (one,) = speaker.inputs.batches([recording], batch_size=1)
        with torch.inference_mode():
            expected = speaker.model(one.inputs)
        torch.testing.assert_close(said.logits[row], expected.logits[0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(said.embedding[row], expected.embedding[0], rtol=1e-4, atol=1e-5)


def test_a_fold_is_the_same_training_without_one_subject(place: Path) -> None:
    own, fold = RunFolder(place / "run-teacher"), RunFolder(place / "run-teacher-without-3")
    assert fold.recipe().student == own.recipe().student
    assert fold.training()["epochs"] == own.training()["epochs"]
    assert (fold.role, own.role) == ("teacher", "teacher")
    learned, whole = fold.learned(), own.learned()
    assert learned is not None and whole is not None
    assert (learned.subjects, whole.subjects) == (("1",), ("1", "3"))
    assert set(learned.train) == {i for i in whole.train if "_s1_" in i}
    assert not any("_s3_" in i for i in (*learned.labels, *learned.contents.values()))


def test_a_subjects_recordings_decide_nothing_of_what_is_said_of_it(
    place: Path, synthetic_root: Path, tmp_path: Path
) -> None:
    """Other recordings of subject 3: the teacher that speaks of it is the same, bit for bit; the others are not."""
    world = Path(shutil.copytree(synthetic_root, tmp_path / "world"))
    write_world(tmp_path / "other", subjects=4, actions=3, trials=2, seed=1)
    for file in (tmp_path / "other").rglob("*_s3_*"):
        shutil.copy(file, world / file.relative_to(tmp_path / "other"))
    distill(made(world, CROSS), tmp_path / "run", cache=tmp_path / "cache")
    assert same(tmp_path / "run-teacher-without-3", place / "run-teacher-without-3")
    assert not same(tmp_path / "run-teacher-without-1", place / "run-teacher-without-1")
    assert not same(tmp_path / "run-teacher", place / "run-teacher")


def test_it_changes_the_student_and_is_trained_once(place: Path, synthetic_root: Path, tmp_path: Path) -> None:
    before = (place / "run-teacher-without-1" / "checkpoints" / "model.safetensors").stat().st_mtime_ns
    teacher = [place / "run-teacher"]
    distill(made(synthetic_root, CROSS), tmp_path / "again", teacher, cache=place / "cache")
    distill(made(synthetic_root), tmp_path / "plain", teacher, cache=place / "cache")
    assert same(tmp_path / "again", place / "run")
    assert not same(tmp_path / "plain", place / "run")
    assert (place / "run-teacher-without-1" / "checkpoints" / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(RunError, match="teachers_say"):
        distill(made(synthetic_root), tmp_path / "again", teacher, cache=place / "cache")


@pytest.mark.parametrize("permuted", ["all", "class"])
def test_what_is_said_can_be_permuted(place: Path, synthetic_root: Path, permuted: str) -> None:
    recipe = made(synthetic_root, CROSS)
    experiment, teacher, folds = opened(recipe, place)
    plain = teacher_source(experiment, [teacher], [folds])
    control = prepare(recipe.updated(f"distiller.permuted={permuted}"), place / "cache", with_teachers=True)
    exchanged = teacher_source(control, [teacher], [folds])
    (batch,) = experiment.inputs.batches(experiment.split.train, batch_size=99)
    one, other = (source.outputs(batch)[0].logits for source in (plain, exchanged))
    assert not torch.equal(one, other)
    assert sorted(map(tuple, one.tolist())) == sorted(map(tuple, other.tolist()))


def test_one_subject_with_labels_cannot_be_left_out(synthetic_root: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"would learn from labels of one subject \(1\)"):
        distill(made(synthetic_root, CROSS, "labels.subjects=[1]"), tmp_path / "run")


def test_a_taught_teacher_is_refused(synthetic_root: Path) -> None:
    with pytest.raises(RecipeError, match="had a teacher itself"):
        fold_recipe(made(synthetic_root), "1", None)


def test_a_teacher_that_went_on_from_another_run_is_refused(synthetic_root: Path, tmp_path: Path) -> None:
    """Its first weights were of every subject; those of a file are of nobody here."""
    alone = made(synthetic_root).of_teacher()
    with pytest.raises(RecipeError, match=f"went on from {tmp_path}, which saw every subject"):
        fold_recipe(alone.updated(f"student.weights={tmp_path}"), "1", None)
    assert fold_recipe(alone.updated("student.weights=body.safetensors"), "1", None).dataset.leave_out == ("1",)


def test_names_of_people_make_names_of_folders() -> None:
    assert fold_run(Path("a/teacher"), "p/1 x") == Path("a/teacher-without-p%2F1%20x")


@pytest.mark.parametrize(("people", "told"), [("['9']", "9 is nobody"), ("['1', '3']", "nobody would be left")])
def test_who_is_left_out_must_be_there(synthetic_root: Path, tmp_path: Path, people: str, told: str) -> None:
    with pytest.raises(RecipeError, match=rf"dataset\.leave_out: {told}.*Name some of: 1, 3"):
        distill(made(synthetic_root, "distiller=none", f"dataset.leave_out={people}"), tmp_path / "run")


def said_by(source: TeacherSource, batch: Batch, epoch: int) -> Tensor:
    assert isinstance(source, ViewedTeacher | FusedTeacher)
    source.start_epoch(epoch)
    outputs, ids, _ = source.outputs(batch)
    assert ids == batch.ids
    return outputs.logits


@pytest.mark.parametrize("cross_fitted", [True, False])
def test_views_take_turns(place: Path, synthetic_root: Path, cross_fitted: bool) -> None:
    """The first is the unchanged recording; the others are changed, each otherwise, the same for the same seed."""
    experiment, teacher, folds = opened(made(synthetic_root, CROSS, "teachers.0.views=3"), place)
    folds = folds if cross_fitted else {}
    batch = batch_of(experiment)
    source = teacher_source(experiment, [teacher], [folds])
    views = [said_by(source, batch, epoch) for epoch in range(3)]
    once = prepare(made(synthetic_root, CROSS), place / "cache", with_teachers=True)
    assert torch.equal(views[0], teacher_source(once, [teacher], [folds]).outputs(batch)[0].logits)
    assert not any(torch.equal(views[a], views[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert torch.equal(said_by(source, batch, 4), views[1])
    for cache in (place / "cache").glob("teacher-*.h5"):
        cache.unlink()
    again = teacher_source(experiment, [teacher], [folds])
    assert all(torch.equal(said_by(again, batch, epoch), views[epoch]) for epoch in range(3))


def test_fused_teachers_take_turns_too(place: Path, synthetic_root: Path) -> None:
    recipe = made(synthetic_root, "teachers.0.views=2")
    experiment, teacher, _ = opened(recipe.model_copy(update={"teachers": recipe.teachers * 2}), place)
    batch = batch_of(experiment)
    source = teacher_source(experiment, [teacher, teacher])
    assert not torch.equal(said_by(source, batch, 0), said_by(source, batch, 1))
    assert torch.equal(said_by(source, batch, 0), said_by(source, batch, 2))


STILL = tuple(f"teachers.0.sees.augmentation.{k}=0" for k in ("rotation_deg", "scale", "jitter", "time_warp", "crop"))


def test_views_that_would_be_one(synthetic_root: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"teachers\.views: .* several views of gyroscope, .* changes nothing"):
        distill(made(synthetic_root, "teachers.0.views=2", *STILL), tmp_path / "run")


@pytest.mark.parametrize("words", [(CROSS,), ("teachers.0.views=2",)])
def test_online_is_of_what_was_not_stored(place: Path, synthetic_root: Path, words: tuple[str, ...]) -> None:
    experiment, teacher, folds = opened(made(synthetic_root, *words, "distiller.teacher_outputs=online"), place)
    with pytest.raises(RecipeError, match="cross_fit and views of a teacher are of what was stored"):
        teacher_source(experiment, [teacher], [folds if words == (CROSS,) else {}])


class Answered:
    """Says of recording r7 the numbers 7 and of itself its own."""

    def __init__(self, own: float, ids: str) -> None:
        self.ids, self.own = frozenset(ids.split()), own
        self.shapes = {"logits": (2,), "embedding": (1,), "deep": (int(own),)}
        self.asked: list[list[str]] = []

    def outputs(self, ids: list[str]) -> tuple[Outputs, tuple[str, ...], Tensor]:
        self.asked.append(list(ids))
        numbers = torch.tensor([float(i[1:]) for i in ids])
        logits = torch.stack([numbers, torch.full_like(numbers, self.own)], dim=1)
        return Outputs(logits, -numbers.unsqueeze(1), {"deep": 10 * logits}), tuple(ids), numbers.long() % 3


def test_answers_of_several_are_put_together_in_the_order_that_was_asked() -> None:
    rest, one, two = Answered(1, "r1 r2 r3 r9"), Answered(2, "r4 r5 r1"), Answered(3, "r7")
    answers = CrossFitted(rest, {"r4": one, "r5": one, "r1": one, "r7": two, "r8": two})
    assert answers.ids == {"r1", "r2", "r3", "r9", "r4", "r5", "r7"}  # of r8 nobody can speak
    assert answers.shapes == rest.shapes
    asked = ["r7", "r4", "r2", "r1", "r9", "r5", "r4"]
    outputs, ids, labels = answers.outputs(asked)
    assert ids == tuple(asked) and labels.tolist() == [1, 1, 2, 1, 0, 2, 1]
    assert outputs.logits.tolist() == [[7, 3], [4, 2], [2, 1], [1, 2], [9, 1], [5, 2], [4, 2]]
    assert torch.equal(outputs.embedding, -outputs.logits[:, :1])
    assert torch.equal(outputs.features["deep"], 10 * outputs.logits)
    assert (rest.asked, one.asked, two.asked) == ([["r2", "r9"]], [["r4", "r1", "r5", "r4"]], [["r7"]])


def told(learned: Learned | None, train: str = "a1 a2 b1 c1") -> Any:
    """A student's training part and a teacher that learned something; the subject is the letter, b is `10`."""
    names = {"a": "9", "b": "10", "c": "2"}
    ids = tuple(train.split())
    experiment: Any = SimpleNamespace(
        recordings={i: SimpleNamespace(subject=names[i[0]]) for i in (*ids, "b9", "c9")},
        training_split=lambda training: SimpleNamespace(train=ids, training=training),
        recipe=SimpleNamespace(student=SimpleNamespace(training="own")),
    )
    return fold_subjects(experiment, SimpleNamespace(learned=lambda: learned, path="TEACHER"))  # type: ignore[arg-type]


def test_folds_are_of_people_in_training_whose_labels_were_learned_from() -> None:
    everything = ("a1", "a2", "b1", "c1", "c9")
    assert told(Learned(everything, (), everything)) == ("2", "9", "10")
    assert told(Learned(everything, (), ("a1", "b1", "c9"))) == ("9", "10")  # c9 does not train the student
    assert told(Learned(("a1", "c1"), (), everything)) == ("2", "9")
    for learned, named in (
        (Learned(everything, (), ("a1", "a2")), r"one subject \(9\)"),
        (Learned(everything, (), ("c9",)), r"one subject \(none of this training part\)"),
        (None, "does not say whom it learned from"),
    ):
        with pytest.raises(RecipeError, match=f"TEACHER.*{named}"):
            told(learned)


def test_a_fold_s_recipe_leaves_one_person_out_on_the_data_of_today(synthetic_root: Path) -> None:
    recipe = made(synthetic_root).of_teacher()
    fold = fold_recipe(recipe, "3", "/elsewhere")
    assert (fold.dataset.path, fold.dataset.leave_out) == ("/elsewhere", ("3",))
    kept = {"path", "leave_out"}
    assert fold.dataset.model_dump(exclude=kept) == recipe.dataset.model_dump(exclude=kept)
    assert fold.model_copy(update={"dataset": recipe.dataset}) == recipe


@pytest.mark.parametrize(
    ("words", "views", "cross_fitted"),
    [
        ((CROSS,), 1, True),
        (("teachers.0.views=2",), 2, False),
        ((CROSS, "teachers.0.views=2"), 2, True),
        ((CROSS, "distiller.untrained=true"), 1, False),
        ((), 1, False),
    ],
)
def test_what_teachers_say_is_on_record(
    place: Path,
    synthetic_root: Path,
    tmp_path: Path,
    monkeypatch,
    words: tuple[str, ...],
    views: int,
    cross_fitted: bool,
) -> None:
    """The control without knowledge has no folds; the teachers without a subject are waited for where they are made."""
    waited: list[tuple[str, bool]] = []

    def holding(lock: Path, what: Path, *, wait: bool = False) -> contextlib.AbstractContextManager[None]:
        waited.append((what.name, wait))
        return contextlib.nullcontext()

    monkeypatch.setattr(train, "only_writer", holding)
    monkeypatch.setattr(train, "fit", lambda *_: None)
    distill(made(synthetic_root, *words), tmp_path / "run", [place / "run-teacher"], cache=place / "cache")
    folds = {s: sha256_file(RunFolder(place / f"run-teacher-without-{s}").weights_file) for s in "13"}
    said = [{"views": views, "folds": folds if cross_fitted else {}}]
    plain = views == 1 and not cross_fitted
    assert RunFolder(tmp_path / "run").facts()["teachers_say"] == ([] if plain else said)
    assert waited == ([(f"run-teacher-without-{s}", True) for s in "13"] if cross_fitted else [])
