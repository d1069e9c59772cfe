"""The engine on images: an image teacher, an image student listening online, exact repetition and exact resuming."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.conftest import TINY_IMAGES
from vskd.distillation.experiment import prepare
from vskd.distillation.model import load_model
from vskd.distillation.run import RunFolder
from vskd.distillation.train import distill, teach
from vskd.errors import DataError, ProtocolError, RecipeError, RunError
from vskd.evaluation.evaluate import evaluate_run
from vskd.models.weights.state import read_tensors
from vskd.recipe import Recipe, load_recipe

MakeRecipe = Callable[..., Recipe]
KRCA_TERMS = {"cross_entropy", "tckd", "nckd", "sample_relation", "deep_attention", "shallow_attention"}


@pytest.fixture(scope="module")
def recipe_of(shapes_root: Path) -> MakeRecipe:
    def make(*overrides: str, name: str = "krca") -> Recipe:
        return load_recipe(name, (*TINY_IMAGES, f"dataset.path={shapes_root}", *overrides))

    return make


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("train-images") / "cache"


@pytest.fixture(scope="module")
def teacher_run(recipe_of: MakeRecipe, cache: Path) -> Path:
    """A teacher of two epochs. Read it, never change it."""
    return teach(recipe_of(), cache.parent / "teacher", cache=cache).run


def weights(run: Path) -> dict[str, torch.Tensor]:
    return read_tensors(RunFolder.open(run).weights_file)[0]


def same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_teacher_of_images_is_complete_and_loads(teacher_run: Path, recipe_of: MakeRecipe, cache: Path) -> None:
    folder = RunFolder.open(teacher_run)
    assert (folder.role, folder.complete) == ("teacher", True)
    assert folder.training()["train"] + len(folder.training()["validation"]) == 60
    model = load_model(teacher_run, prepare(recipe_of().of_teacher(), cache).inputs, 3)
    assert not model.training
    assert all(torch.equal(value, weights(teacher_run)[name]) for name, value in model.state_dict().items())


def test_a_student_learns_all_terms_and_its_teacher_stays_as_it_is(
    recipe_of: MakeRecipe, teacher_run: Path, cache: Path, tmp_path: Path
) -> None:
    before = weights(teacher_run)
    run = distill(recipe_of(), tmp_path / "run", [teacher_run], cache=cache).run
    rows = RunFolder.open(run).metrics()
    for row in rows:
        terms = {k.removeprefix("train/"): v for k, v in row.items() if k.startswith("train/")}
        assert terms.pop("loss") == pytest.approx(sum(terms.values()), rel=1e-4)
        assert terms.keys() == KRCA_TERMS
    assert all(torch.equal(before[name], value) for name, value in weights(teacher_run).items())
    assert not any("distiller" in name or "teacher" in name for name in weights(run))
    facts = RunFolder.open(run).facts()
    assert facts["dataset"] == "image-folder"


def test_same_seed_same_weights_and_other_seed_others(
    recipe_of: MakeRecipe, teacher_run: Path, cache: Path, tmp_path: Path
) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        recipe = recipe_of("student.training.epochs=1", "student.training.select=last", f"seed={seed}")
        distill(recipe, tmp_path / name, [teacher_run], cache=cache)
    assert same(tmp_path / "a", tmp_path / "b")
    assert not same(tmp_path / "a", tmp_path / "c")


def test_a_student_that_was_interrupted_ends_as_one_that_was_not(
    recipe_of: MakeRecipe, teacher_run: Path, cache: Path, tmp_path: Path, interrupt_after
) -> None:
    """With random changes, memories of the sample relation and learned loss weights."""
    recipe = recipe_of("student.training.select=last")
    distill(recipe, tmp_path / "whole", [teacher_run], cache=cache)
    interrupt_after(0)
    with pytest.raises(KeyboardInterrupt):
        distill(recipe, tmp_path / "broken", [teacher_run], cache=cache)
    assert not RunFolder.open(tmp_path / "broken").complete
    distill(recipe, tmp_path / "broken", [teacher_run], cache=cache)
    assert same(tmp_path / "whole", tmp_path / "broken")


def test_the_temperature_of_a_resumed_epoch_is_that_of_its_number(
    recipe_of: MakeRecipe, cache: Path, tmp_path: Path, interrupt_after
) -> None:
    """Dangerous driving's temperature rises; the term `kd` shows whether it did."""
    words = ("student.training.select=last", "distiller.terms.kd.temperature_slope=4", "teachers.0.training.epochs=1")
    recipe = recipe_of(*words, name="dangerous-driving")
    teacher = teach(recipe, tmp_path / "teacher", cache=cache).run
    distill(recipe, tmp_path / "whole", [teacher], cache=cache)
    interrupt_after(0)
    with pytest.raises(KeyboardInterrupt):
        distill(recipe, tmp_path / "broken", [teacher], cache=cache)
    distill(recipe, tmp_path / "broken", [teacher], cache=cache)
    whole, broken = ([row["train/kd"] for row in RunFolder.open(tmp_path / n).metrics()] for n in ("whole", "broken"))
    assert whole == broken
    assert same(tmp_path / "whole", tmp_path / "broken")


def test_hard_labels_alone_need_no_teacher(recipe_of: MakeRecipe, cache: Path, tmp_path: Path) -> None:
    recipe = recipe_of("student.training.epochs=1", "student.training.select=last", "distiller=krca-hl")
    distill(recipe, tmp_path / "run", cache=cache)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_student_that_was_trained_on_other_images_does_not_pass_for_finished(
    recipe_of: MakeRecipe, cache: Path, tmp_path: Path
) -> None:
    recipe = recipe_of("student.training.epochs=1", "distiller=none")
    distill(recipe, tmp_path / "run", cache=cache)
    with pytest.raises(RunError, match="different: student"):
        distill(recipe.updated("student.sees.augmentation.contrast=0.9"), tmp_path / "run", cache=cache)


def test_drivers_kept_apart(recipe_of: MakeRecipe, teacher_run: Path, cache: Path, tmp_path: Path) -> None:
    """A fold per driver, the validation driver carved from the training drivers, and no teacher of another fold."""
    words = ("dataset.protocol=leave-one-driver-out", "dataset.fold='2'", "student.training.epochs=1")
    run = distill(recipe_of(*words, "distiller=none"), tmp_path / "run", cache=cache).run
    validation = RunFolder.open(run).training()["validation"]
    assert {i.split("/")[-1].split("-")[0] for i in validation} == {"5"}
    with pytest.raises(ProtocolError, match=r"official.*leave-one-driver-out"):
        distill(recipe_of(*words), tmp_path / "other", [teacher_run], cache=cache)


def test_networks_that_do_not_see_images_are_refused(recipe_of: MakeRecipe, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"'cnn1d' reads a series, but what it sees \(image of image\) gives"):
        distill(recipe_of("student.network=cnn1d", "distiller=none"), tmp_path / "run", cache=cache)
    with pytest.raises(RecipeError, match=r"Network 'trn' reads frames of a clip"):
        teach(recipe_of("teachers.0.network=trn"), tmp_path / "teacher", cache=cache)


def test_images_that_cannot_be_read_are_named_counted_and_left_out(shapes_root: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(shapes_root, tmp_path / "data"))
    for name in ("train/cross/1-0", "test/circle/5-1"):
        picture = root / f"{name}.png"
        picture.write_bytes(picture.read_bytes()[:200])
    words = (*TINY_IMAGES, f"dataset.path={root}", "dataset.max_bad_fraction=0.05", "student.training.epochs=1")
    run = distill(load_recipe("krca", (*words, "distiller=none")), tmp_path / "run").run
    training = RunFolder.open(run).training()
    assert training["train"] + len(training["validation"]) == 59
    assert "train/cross/1-0" in (run / "run.log").read_text(encoding="utf-8")
    results = evaluate_run(run)
    assert results.n == 14
    assert list(results.left_out) == ["test/circle/5-1"]
    assert "5-1.png" in results.left_out["test/circle/5-1"]
    assert "1 recording(s) could not be read and are in no figure: test/circle/5-1" in (run / "report.html").read_text()


@pytest.mark.parametrize("distiller", ["krca", "none"])
def test_images_without_a_label_are_never_skipped_in_silence(shapes_root: Path, tmp_path: Path, distiller: str) -> None:
    root = Path(shutil.copytree(shapes_root, tmp_path / "data"))
    lines = (root / "labels.csv").read_text().splitlines()
    unlabelled = "train/square/2-3"
    (root / "labels.csv").write_text("\n".join(line for line in lines if unlabelled not in line))
    recipe = load_recipe("krca", (*TINY_IMAGES, f"dataset.path={root}", f"distiller={distiller}"))
    experiment = prepare(recipe, tmp_path, with_teachers=distiller == "krca")
    assert [p["recording"] for p in experiment.facts()["problems_in_data"]] == [unlabelled]
    (root / "labels.csv").write_text("\n".join(lines[:40]))
    with pytest.raises(DataError, match="36 unpaired"):
        prepare(recipe, tmp_path, with_teachers=distiller == "krca")


def test_bfloat16_is_refused_where_its_gradients_are_wrong(
    recipe_of: MakeRecipe, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RecipeError, match=r"training\.precision is bfloat16, but at 32 x 32 pixels"):
        distill(recipe_of("distiller=none", "student.training.precision=bfloat16"), tmp_path / "run", cache=cache)
    assert not (tmp_path / "run" / "recipe.yaml").exists()
