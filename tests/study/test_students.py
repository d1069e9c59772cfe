"""Who is trained, and by whom taught: teachers are shared, and a student's twin is the teacher of its self-training."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import TINY, TINY_IMAGES, TINY_STUDENT
from tests.study.conftest import CARVED, quick
from vskd.distillation.run import RunFolder
from vskd.distillation.train import distill, teach
from vskd.errors import ProtocolError, RecipeError
from vskd.recipe import DECIDING, Recipe, load_recipe
from vskd.study.controls import self_taught, with_controls
from vskd.study.students import Student, in_folds, students_of, teacher_key


def test_teacher_key_depends_on_the_teacher_only() -> None:
    recipe = load_recipe("demo", ["dataset.path=/world"])

    def key(*overrides: str) -> str:
        return teacher_key(recipe.updated(*overrides))

    students = ("student.training.epochs=3", "student.network=resnet18", "distiller=kd", "export.max_accuracy_drop=1.0")
    assert key(*students, "name=other", "dataset.path=/moved") == key()
    others = (
        *("teachers.0.sees.segments=4", "teachers.0.sees.size=40", "teachers.0.training.epochs=3"),
        *("seed=1", "dataset.protocol=subject-specific"),
    )
    assert len({key(), *map(key, others)}) == 6
    assert key("teachers.0.seed=5", "seed=1") == key("teachers.0.seed=5", "seed=2")


def test_all_folds_of_a_protocol_without_folds(shapes_root: Path) -> None:
    with pytest.raises(ProtocolError, match=r"official has no folds"):
        in_folds(load_recipe("krca", (*TINY_IMAGES, f"dataset.path={shapes_root}", "dataset.fold=all")))


def test_all_folds_need_data() -> None:
    with pytest.raises(RecipeError, match=r"dataset\.path is not set"):
        in_folds(load_recipe("krca", ("dataset.fold=all",)))


def test_a_teachers_folder_is_named_by_the_first_of_its_hash() -> None:
    recipe = load_recipe("demo")
    assert teacher_key(recipe) == recipe.of_teacher().hash_of(*DECIDING)[:12]
    assert len(teacher_key(recipe)) == 12


WHOLE = tuple(
    f"{role}.training.{key}" for role in ("student", "teachers.0") for key in ("validation=none", "select=last")
)


def planned(recipe: Recipe, out: Path) -> dict[str, Student]:
    """The students of a recipe and its twins `none` and `self`, by name."""
    recipes = with_controls([recipe], ["none", "self"])
    return {s.recipe.name: s for s in students_of(recipes, [0], out, out / "teachers")}


def weights(run: Path) -> bytes:
    return (run / "checkpoints" / "model.safetensors").read_bytes()


def trained(recipe: Recipe, out: Path) -> tuple[Path, Path]:
    """The twin without a teacher, as a comparison trains it beside its teacher, and the teacher of self-training."""
    teacher, twin, own = (out / name for name in ("teacher", "twin", "own"))
    teach(recipe, teacher, cache=out / "cache")
    distill(recipe.undistilled(), twin, [teacher], cache=out / "cache")
    teach(self_taught(recipe), own, cache=out / "cache")
    return twin, own


@pytest.mark.parametrize("words", [
    (*CARVED, "labels.trials=[1]"),
    (*WHOLE, "labels.fraction=0.5", "threads=1"),
    ("dataset.protocol=leave-one-subject-out", "dataset.fold='2'"),
], ids=["labels of a trial, best epoch", "half the labels, no validation, one thread", "a fold"])  # fmt: skip
def test_who_teaches_itself_is_taught_by_its_twin_which_is_the_same_training(
    synthetic_root: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    recipe = quick(synthetic_root, *words)
    students = planned(recipe, tmp_path / "out")
    assert students["demo-self"].teachers == (students["demo-no-kd"].run,)
    assert students["demo"].teachers == students["demo-no-kd"].teachers != ()
    twin, own = trained(recipe, tmp_path)
    assert weights(twin) == weights(own)
    assert RunFolder(twin).learned() == RunFolder(own).learned()


def test_a_twin_that_learned_from_fewer_recordings_is_no_teacher(synthetic_root: Path, tmp_path: Path) -> None:
    """One recording lacks the stream of the teachers that the twin is compared with."""
    world = Path(shutil.copytree(synthetic_root, tmp_path / "world"))
    recipe = load_recipe(
        "demo", (*TINY, *TINY_STUDENT, "distiller=kd", "dataset.max_bad_fraction=0.1", f"dataset.path={world}")
    )
    students = planned(recipe, tmp_path / "out")
    assert students["demo-self"].teachers == (students["demo-no-kd"].run,)
    (world / "RGB" / "a1_s1_t1_color.mp4").unlink()
    (teacher,) = planned(recipe, tmp_path / "out")["demo-self"].teachers
    assert teacher.parent == tmp_path / "out" / "teachers"
    twin, own = trained(recipe, tmp_path)
    assert weights(twin) != weights(own)
    learned = [folder.learned() for folder in map(RunFolder, (own, twin))]
    assert [len(one.train) for one in learned if one] == [6, 5]


def test_a_teacher_that_was_trained_already_stays(synthetic_root: Path, tmp_path: Path) -> None:
    """So that a comparison of an earlier version goes on."""
    recipe = quick(synthetic_root)
    own = tmp_path / "teachers" / f"{teacher_key(self_taught(recipe))}-seed0"
    own.mkdir(parents=True)
    (own / "training.json").touch()
    assert planned(recipe, tmp_path)["demo-self"].teachers == (own,)


def test_nobody_is_compared_with_itself(synthetic_root: Path, tmp_path: Path) -> None:
    """The twin without a teacher of a recipe that teaches itself is its only teacher."""
    recipes = with_controls([self_taught(quick(synthetic_root))], ["none"])
    taught, alone = students_of(recipes, [0], tmp_path, tmp_path / "teachers")
    assert (taught.teachers, alone.teachers) == ((alone.run,), ())


def test_without_its_twin_a_teacher_is_trained(tmp_path: Path, synthetic_root: Path) -> None:
    recipe = self_taught(quick(synthetic_root))
    (student,) = students_of([recipe], [3], tmp_path, tmp_path / "T")
    assert student.teachers == (tmp_path / "T" / f"{teacher_key(recipe.with_seed(3))}-seed3",)
