"""The engine on clips: a 3-D teacher, a student that listens to it or to a cache, every distiller, unlabelled clips."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.conftest import TINY_CLIPS
from vskd.distillation.experiment import prepare
from vskd.distillation.run import RunFolder
from vskd.distillation.teacher.outputs import CachedTeacher, OnlineTeacher, ViewedTeacher, finished_teacher
from vskd.distillation.teacher.source import teacher_source
from vskd.distillation.train import distill, teach
from vskd.errors import RecipeError, SettingError
from vskd.evaluation.evaluate import evaluate_run
from vskd.losses.presets.catalog import PRESETS
from vskd.modalities.sampling import epoch_seed
from vskd.models.weights.state import read_tensors
from vskd.recipe import Recipe, load_recipe

MakeRecipe = Callable[..., Recipe]


@pytest.fixture(scope="module")
def recipe_of(moves_root: Path) -> MakeRecipe:
    def make(*overrides: str, name: str = "kd3d") -> Recipe:
        return load_recipe(name, (*TINY_CLIPS, f"dataset.path={moves_root}", *overrides))

    return make


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("train-clips") / "cache"


@pytest.fixture(scope="module")
def teacher_run(recipe_of: MakeRecipe, cache: Path) -> Path:
    """A teacher of two epochs. Read it, never change it."""
    return teach(recipe_of(), cache.parent / "teacher", cache=cache).run


@pytest.fixture(scope="module")
def lean_teacher(recipe_of: MakeRecipe, cache: Path) -> Path:
    """A lean teacher: the logits of an untrained C3D hardly depend on the clip. Read it, never change it."""
    return teach(recipe_of(name="kd3d-small"), cache.parent / "lean-teacher", cache=cache).run


def test_the_shipped_recipe_is_the_published_one() -> None:
    recipe = load_recipe("kd3d")
    cross_entropy, kd = recipe.distiller.terms
    assert (cross_entropy.weight, kd.weight, kd.temperature) == (0.1, 0.9, 10.0)  # type: ignore[attr-defined]
    assert (recipe.student.network.name, recipe.teachers[0].network.name) == ("c3d-student", "c3d")
    for role, epochs in ((recipe.student, 100), (recipe.teachers[0], 50)):
        training = role.training
        assert (training.epochs, training.batch_size, training.optimizer, training.learning_rate) == (
            epochs,
            8,
            "adam",
            1e-4,
        )
        assert (role.sees.length, role.sees.height, role.sees.width) == (16, 112, 112)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "preset", [name for name in PRESETS if name in ("none", "kd", "dask", "dangerous-driving", "krca")]
)
def test_every_distiller_teaches_a_student_of_clips(
    recipe_of: MakeRecipe, teacher_run: Path, cache: Path, tmp_path: Path, preset: str
) -> None:
    recipe = recipe_of(f"distiller={preset}")
    run = distill(recipe, tmp_path / "run", [] if preset == "none" else [teacher_run], cache=cache).run
    rows = RunFolder.open(run).metrics()
    assert len(rows) == 2 and all(row["train/loss"] == row["train/loss"] for row in rows)
    if preset == "kd":
        results = evaluate_run(run)
        assert results.n == 3


def test_a_student_repeats_itself_and_listens_to_a_cache_too(
    recipe_of: MakeRecipe, lean_teacher: Path, cache: Path, tmp_path: Path
) -> None:
    """Online, from one view of each clip, and from two."""
    recipe = recipe_of("student.training.select=last", name="kd3d-small")  # the first epoch hears the first view
    cached, views = ("distiller.teacher_outputs=cached",), ("teachers.0.views=2",)
    runs = {}
    for name, words in (("a", ()), ("b", ()), ("cached", cached), ("views", views)):
        run = distill(recipe.updated(*words), tmp_path / name, [lean_teacher], cache=cache).run
        runs[name] = read_tensors(RunFolder.open(run).weights_file)[0]

    def same(one: str, other: str) -> bool:
        return all(torch.equal(value, runs[other][key]) for key, value in runs[one].items())

    assert same("a", "b")
    assert not same("a", "cached") and not same("views", "cached") and not same("views", "a")


def test_views_of_a_clip_are_changed_as_in_training_and_stored(
    recipe_of: MakeRecipe, lean_teacher: Path, tmp_path: Path
) -> None:
    """The first is the clip as it is; the second is what it says of an epoch's changed clips, by the teacher's seed."""

    def views(folder: str) -> tuple[list[str], list[Tensor]]:
        recipe = recipe_of("teachers.0.views=3", name="kd3d-small")
        experiment = prepare(recipe, tmp_path / folder, with_teachers=True)
        source = teacher_source(experiment, [finished_teacher(experiment, lean_teacher)])
        assert isinstance(source, ViewedTeacher)
        (batch,) = experiment.inputs.batches(sorted(experiment.inputs.ids), batch_size=99)
        said = []
        for epoch in range(3):
            source.start_epoch(epoch)
            said.append(source.outputs(batch)[0].logits)
        return list(batch.ids), said

    ids, said = views("cache")
    assert len(list((tmp_path / "cache").glob("teacher-*.h5"))) == 3
    teacher = finished_teacher(
        prepare(recipe_of(name="kd3d-small"), tmp_path / "cache", with_teachers=True), lean_teacher
    )
    for view in range(2):
        seed = epoch_seed(0, view) if view else None
        for batch in teacher.inputs.batches(ids, batch_size=16, seed=seed):
            with torch.inference_mode():
                logits = teacher.model(batch.inputs).logits
            rows = [ids.index(i) for i in batch.ids]
            torch.testing.assert_close(said[view][rows], logits, rtol=1e-4, atol=1e-5)
    assert all(torch.equal(one, other) for one, other in zip(said, views("again")[1], strict=True))
    assert not torch.equal(said[1], said[2])


def test_a_teacher_is_online_where_asked(recipe_of: MakeRecipe, lean_teacher: Path, cache: Path) -> None:
    for asked, kind in (("auto", OnlineTeacher), ("online", OnlineTeacher), ("cached", CachedTeacher)):
        experiment = prepare(
            recipe_of(f"distiller.teacher_outputs={asked}", name="kd3d-small"), cache, with_teachers=True
        )
        assert isinstance(teacher_source(experiment, [finished_teacher(experiment, lean_teacher)]), kind)
    both = recipe_of("distiller.teacher_outputs=online", "teachers.0.views=2", name="kd3d-small")
    experiment = prepare(both, cache, with_teachers=True)
    with pytest.raises(RecipeError, match="views of a teacher are of what was stored"):
        teacher_source(experiment, [finished_teacher(experiment, lean_teacher)])


def test_unlabelled_clips_are_what_a_teacher_is_for(recipe_of: MakeRecipe, cache: Path, tmp_path: Path) -> None:
    few = recipe_of("labels.subjects=['a','b']")
    assert len(prepare(few, cache).unlabelled) == 8, "of the clips of three groups one validates"
    run = distill(few, tmp_path / "run", cache=cache).run
    alone = distill(few.undistilled(), tmp_path / "alone", cache=cache).run
    one, other = (read_tensors(RunFolder.open(each).weights_file)[0] for each in (run, alone))
    assert any(not torch.equal(value, other[key]) for key, value in one.items())
    assert all(row["train/kd"] >= 0 for row in RunFolder.open(run).metrics())


def test_mirrored_clips_are_refused_where_nobody_says_what_they_show(
    recipe_of: MakeRecipe, teacher_run: Path, cache: Path, tmp_path: Path
) -> None:
    recipe = recipe_of("student.sees.augmentation.flip=0.5", "teachers.0.sees.augmentation.flip=0.5")
    with pytest.raises(SettingError, match="do not fit mirror images"):
        distill(recipe, tmp_path / "run", [teacher_run], cache=cache)
