"""The engine on images: an image teacher, an image student listening online, exact repetition and exact resuming."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.conftest import TINY_IMAGES
from vskd.distillation import fitting
from vskd.distillation.callbacks import ResumePoint
from vskd.distillation.experiment import prepare
from vskd.distillation.networks import load_student, load_teacher
from vskd.distillation.run import RunFolder
from vskd.distillation.train import distill, teach
from vskd.errors import DataError, ProtocolError, RecipeError
from vskd.evaluation.evaluate import evaluate_run
from vskd.models.weights.state import read_tensors
from vskd.recipe import Recipe, load_recipe

MakeRecipe = Callable[..., Recipe]
KRCA_TERMS = {"cross_entropy", "target", "non_target", "sample_relation", "deep_attention", "shallow_attention"}


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


def interrupt_after(patch: pytest.MonkeyPatch, epoch: int) -> None:
    """Make training stop with Ctrl-C right after the state of `epoch` (from 0) was saved."""

    class Interrupting(ResumePoint):
        def __init__(self, path: Path) -> None:
            super().__init__(path, interval_s=0.0)

        def on_train_epoch_end(self, trainer, pl_module) -> None:
            super().on_train_epoch_end(trainer, pl_module)
            if trainer.current_epoch == epoch:
                raise KeyboardInterrupt

    patch.setattr(fitting, "ResumePoint", Interrupting)


def test_a_teacher_of_images_is_complete_and_loads(teacher_run: Path) -> None:
    folder = RunFolder.open(teacher_run)
    assert (folder.kind, folder.complete) == ("teacher", True)
    assert folder.training()["train"] + len(folder.training()["validation"]) == 60
    network = load_teacher(teacher_run, 3, 1)
    assert not network.training
    assert all(torch.equal(value, weights(teacher_run)[name]) for name, value in network.state_dict().items())


def test_a_student_learns_all_terms_and_its_teacher_stays_as_it_is(
    recipe_of: MakeRecipe, teacher_run: Path, cache: Path, tmp_path: Path
) -> None:
    before = weights(teacher_run)
    run = distill(recipe_of(), tmp_path / "run", teacher_run, cache=cache).run
    rows = RunFolder.open(run).metrics()
    for row in rows:
        terms = {k.removeprefix("train/"): v for k, v in row.items() if k.startswith("train/")}
        assert terms.pop("loss") == pytest.approx(sum(terms.values()), rel=1e-4)
        assert terms.keys() == KRCA_TERMS
    assert all(torch.equal(before[name], value) for name, value in weights(teacher_run).items())
    assert not any("distiller" in name or "teacher" in name for name in weights(run))
    assert not load_student(run, 3, 1).training
    facts = RunFolder.open(run).facts()
    assert facts["dataset"] == "image-folder"


def test_same_seed_same_weights_and_other_seed_others(
    recipe_of: MakeRecipe, teacher_run: Path, cache: Path, tmp_path: Path
) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        recipe = recipe_of("training.epochs=1", "training.select=last", f"seed={seed}")
        distill(recipe, tmp_path / name, teacher_run, cache=cache)
    assert same(tmp_path / "a", tmp_path / "b")
    assert not same(tmp_path / "a", tmp_path / "c")


def test_a_student_that_was_interrupted_ends_as_one_that_was_not(
    recipe_of: MakeRecipe, teacher_run: Path, cache: Path, tmp_path: Path
) -> None:
    """With random changes, memories of the sample relation and learned loss weights."""
    recipe = recipe_of("training.select=last")
    distill(recipe, tmp_path / "whole", teacher_run, cache=cache)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_after(patch, 0)
        distill(recipe, tmp_path / "broken", teacher_run, cache=cache)
    assert not RunFolder.open(tmp_path / "broken").complete
    distill(recipe, tmp_path / "broken", teacher_run, cache=cache)
    assert same(tmp_path / "whole", tmp_path / "broken")


def test_the_temperature_of_a_resumed_epoch_is_that_of_its_number(
    recipe_of: MakeRecipe, cache: Path, teacher_run: Path, tmp_path: Path
) -> None:
    """Dangerous driving's temperature rises; the soft term shows whether it did."""
    words = ("training.select=last", "distiller.temperature_slope=4", "teacher.training.epochs=1")
    recipe = recipe_of(*words, name="dangerous-driving")
    teacher = teach(recipe, tmp_path / "teacher", cache=cache).run
    distill(recipe, tmp_path / "whole", teacher, cache=cache)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_after(patch, 0)
        distill(recipe, tmp_path / "broken", teacher, cache=cache)
    distill(recipe, tmp_path / "broken", teacher, cache=cache)
    whole, broken = ([row["train/soft"] for row in RunFolder.open(tmp_path / n).metrics()] for n in ("whole", "broken"))
    assert whole == broken
    assert same(tmp_path / "whole", tmp_path / "broken")


def test_hard_labels_alone_need_no_teacher(recipe_of: MakeRecipe, cache: Path, tmp_path: Path) -> None:
    recipe = recipe_of("training.epochs=1", "training.select=last", name="krca-hl")
    distill(recipe, tmp_path / "run", cache=cache)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_student_that_was_trained_on_other_images_does_not_pass_for_finished(
    recipe_of: MakeRecipe, cache: Path, tmp_path: Path
) -> None:
    from vskd.errors import RunError

    recipe = recipe_of("training.epochs=1", name="krca-no-kd")
    distill(recipe, tmp_path / "run", cache=cache)
    with pytest.raises(RunError, match="different: images"):
        distill(recipe.updated("images.augmentation.contrast=0.9"), tmp_path / "run", cache=cache)


def test_drivers_kept_apart(recipe_of: MakeRecipe, teacher_run: Path, cache: Path, tmp_path: Path) -> None:
    """A fold per driver, the validation driver carved from the training drivers, and no teacher of another fold."""
    words = ("dataset.protocol=leave-one-driver-out", "dataset.fold='2'", "training.epochs=1")
    run = distill(recipe_of(*words, name="krca-no-kd"), tmp_path / "run", cache=cache).run
    validation = RunFolder.open(run).training()["validation"]
    assert {i.split("/")[-1].split("-")[0] for i in validation} == {"5"}
    with pytest.raises(ProtocolError, match=r"official.*leave-one-driver-out"):
        distill(recipe_of(*words), tmp_path / "other", teacher_run, cache=cache)


def test_networks_that_do_not_see_images_are_refused(recipe_of: MakeRecipe, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"student\.network 'cnn1d' reads a series, not an image"):
        distill(recipe_of("student.network=cnn1d", name="krca-no-kd"), tmp_path / "run", cache=cache)
    with pytest.raises(RecipeError, match=r"Unknown network 'trn'"):
        teach(recipe_of("teacher.network=trn"), tmp_path / "teacher", cache=cache)


def test_images_that_cannot_be_read_are_named_counted_and_left_out(shapes_root: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(shapes_root, tmp_path / "data"))
    for name in ("train/cross/1-0", "test/circle/5-1"):
        picture = root / f"{name}.png"
        picture.write_bytes(picture.read_bytes()[:200])
    words = (*TINY_IMAGES, f"dataset.path={root}", "dataset.max_bad_fraction=0.05", "training.epochs=1")
    run = distill(load_recipe("krca-no-kd", words), tmp_path / "run").run
    training = RunFolder.open(run).training()
    assert training["train"] + len(training["validation"]) == 59
    assert "train/cross/1-0" in (run / "run.log").read_text(encoding="utf-8")
    results = evaluate_run(run)
    assert results.n == 14
    assert list(results.left_out) == ["test/circle/5-1"]
    assert "5-1.png" in results.left_out["test/circle/5-1"]
    assert "1 recording(s) could not be read and are in no figure: test/circle/5-1" in (run / "report.html").read_text()


@pytest.mark.parametrize("name", ["krca", "krca-no-kd"])
def test_images_without_a_label_are_never_skipped_in_silence(shapes_root: Path, tmp_path: Path, name: str) -> None:
    root = Path(shutil.copytree(shapes_root, tmp_path / "data"))
    lines = (root / "labels.csv").read_text().splitlines()
    unlabelled = "train/square/2-3"
    (root / "labels.csv").write_text("\n".join(line for line in lines if unlabelled not in line))
    words = (*TINY_IMAGES, f"dataset.path={root}")
    experiment = prepare(load_recipe(name, words), tmp_path, needs_teacher=name == "krca")
    assert [p["recording"] for p in experiment.facts()["problems_in_data"]] == [unlabelled]
    (root / "labels.csv").write_text("\n".join(lines[:40]))
    with pytest.raises(DataError, match="36 unpaired"):
        prepare(load_recipe(name, words), tmp_path, needs_teacher=name == "krca")
