"""SimKD from a skeleton to a wrist's int8 bundle: whose classifier it is, that it stays, and who is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat
from torch import Tensor

from tests.conftest import made_once
from tests.modalities.conftest import write_bodies
from vskd.bundle.bundle import load_bundle, verify_bundle
from vskd.distillation.run import RunFolder
from vskd.distillation.train import distill, teach
from vskd.errors import ProtocolError, RecipeError
from vskd.models.weights.state import read_tensors
from vskd.recipe import Recipe, load_recipe
from vskd.study.controls import with_controls
from vskd.study.rounds import distill_in_rounds

MakeRecipe = Callable[..., Recipe]
SMALL = (
    *("student.sees.length=32", "student.network.embedding_size=8", "student.training.epochs=2"),
    *("teachers.0.sees.length=16", "teachers.0.network.embedding_size=10", "teachers.0.training.epochs=2"),
    *("student.training.batch_size=4", "teachers.0.training.batch_size=4", "export.max_accuracy_drop=1.0"),
    *("student.head.width=10", "distiller=simkd"),
)
ONE = ("labels.subjects=[1]",)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three actions by four people, each with a skeleton and a wrist sensor; stores; a skeleton's finished teacher."""

    def make(root: Path) -> None:
        data = root / "data"
        write_bodies(data)
        (data / "Inertial").mkdir()
        random = np.random.default_rng(1)
        for path in sorted((data / "Skeleton").glob("*.mat")):
            samples = random.normal((0, 0, 1, 0, 0, 0), 0.3, (60, 6))
            samples[:, 0] += np.sin(np.arange(60) * int(path.name[1]) / 4)
            savemat(data / "Inertial" / path.name.replace("skeleton", "inertial"), {"d_iner": samples})
        teach(load_recipe("wrist", (*SMALL, *ONE, f"dataset.path={data}")), root / "teacher", cache=root / "cache")

    return made_once(tmp_path_factory, "reused", make)


@pytest.fixture(scope="module")
def recipe_of(place: Path) -> MakeRecipe:
    return lambda *words: load_recipe("wrist", (*SMALL, f"dataset.path={place / 'data'}", *words))


@pytest.fixture(scope="module")
def run(place: Path, recipe_of: MakeRecipe) -> Path:
    """A student with the teacher's classifier; labels of one subject alone. Read it, never change it."""
    return distill(recipe_of(*ONE), place / "run", [place / "teacher"], cache=place / "cache").run


def weights(run: Path) -> dict[str, Tensor]:
    return {name.removeprefix("network."): t for name, t in read_tensors(RunFolder(run).weights_file)[0].items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor], part: str = "") -> bool:
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one if name.startswith(part))


def test_the_student_ends_with_the_teachers_classifier(place: Path, run: Path) -> None:
    own, theirs = weights(run), weights(place / "teacher")
    assert torch.equal(own["classifier.weight"], theirs["classifier.weight"])
    assert torch.equal(own["classifier.bias"], theirs["classifier.bias"])
    assert list(RunFolder(run).metrics()[0])[:1] == ["epoch"]
    terms = {key for key in RunFolder(run).metrics()[0] if key.startswith("train/")}
    assert terms == {"train/loss", "train/simkd"}
    assert "body.classifier.weight" not in own


def test_pairs_without_labels_count_like_all_others(place: Path, run: Path, recipe_of: MakeRecipe, tmp_path) -> None:
    """No label is looked at: with all of them, and the same teacher, the weights are the same to the last bit."""
    everybody = distill(recipe_of(), tmp_path / "all", [place / "teacher"], cache=place / "cache").run
    assert RunFolder(run).facts()["unlabelled"] == 6 and RunFolder(everybody).facts()["unlabelled"] == 0
    assert same(weights(run), weights(everybody))


def test_an_interrupted_training_ends_with_the_same_weights(
    place: Path, run: Path, recipe_of: MakeRecipe, tmp_path: Path, interrupt_after: Callable[[int], None]
) -> None:
    recipe, broken = recipe_of(*ONE), tmp_path / "broken"
    interrupt_after(0)
    with pytest.raises(KeyboardInterrupt):
        distill(recipe, broken, [place / "teacher"], cache=place / "cache")
    assert not RunFolder(broken).complete
    distill(recipe, broken, [place / "teacher"], cache=place / "cache")
    assert same(weights(run), weights(broken))


def test_controls_have_the_same_architecture(place: Path, run: Path, recipe_of: MakeRecipe, tmp_path: Path) -> None:
    """Without a teacher the head's classifier is its own, and is trained; a random teacher speaks with its own one."""
    made = with_controls([recipe_of(*ONE)], ["none", "permuted", "random-teacher", "all-labels"])
    assert all(recipe.student == made[0].student for recipe in made)
    names, theirs = ["none", "permuted", "random", "all"], weights(place / "teacher")
    found = {}
    for name, recipe in zip(names, made[1:], strict=True):
        heard = [place / "teacher"] if recipe.distiller.needs_teacher else []
        found[name] = weights(distill(recipe, tmp_path / name, heard, cache=place / "cache").run)
    taught = weights(run)
    assert not any(same(taught, other, "body") for other in found.values())
    assert torch.equal(found["permuted"]["classifier.weight"], theirs["classifier.weight"])
    for name in ("none", "random", "all"):
        assert not torch.equal(found[name]["classifier.weight"], theirs["classifier.weight"])
    first = weights(
        distill(made[1].updated("student.training.epochs=1"), tmp_path / "first", cache=place / "cache").run
    )
    assert not torch.equal(first["classifier.weight"], found["none"]["classifier.weight"])


def test_the_control_self_reuses_the_classifier_of_its_twin(place: Path, recipe_of: MakeRecipe, tmp_path: Path) -> None:
    recipe, twin = with_controls([recipe_of()], ["self"])
    run = distill(twin, tmp_path / "self", cache=place / "cache").run
    own, theirs = weights(run), weights(tmp_path / "self-teacher")
    assert RunFolder(tmp_path / "self-teacher").recipe().student == recipe.student
    assert torch.equal(own["classifier.weight"], theirs["classifier.weight"])
    assert not torch.equal(own["projector.0.weight"], theirs["projector.0.weight"])


def test_it_ships_in_int8(place: Path, run: Path, tmp_path: Path) -> None:
    pytest.importorskip("litert_torch", reason="needs the extra 'export'")
    from vskd.evaluation.evaluate import evaluate_run
    from vskd.export.evaluate import export_and_evaluate

    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    folder = RunFolder(copy)
    facts = json.loads(folder.environment_file.read_text(encoding="utf-8"))
    assert facts["teacher_runs"] == ["../teacher"]
    (tmp_path / "teacher").symlink_to(place / "teacher")
    (tmp_path / "cache").symlink_to(place / "cache")
    results = evaluate_run(copy)
    int8 = export_and_evaluate(copy)
    bundle = load_bundle(copy / "bundle")
    assert verify_bundle(bundle.path).golden_vectors > 0 and int8.is_dir()
    assert results.n == 12 and bundle.manifest.contract.stream == "accelerometer"


# --- who is refused


def test_a_recipe_without_a_head_or_with_no_one_classifier_is_refused(recipe_of: MakeRecipe) -> None:
    with pytest.raises(RecipeError, match=r"'simkd' reuses the teacher's classifier: set student\.head\.width"):
        load_recipe("wrist", ["distiller=simkd"])
    with pytest.raises(RecipeError, match=r"leave teachers\.0\.cross_fit out"):
        recipe_of("teachers.0.cross_fit=subject")
    teacher = json.dumps(recipe_of().teachers[0].model_dump(mode="json"))
    with pytest.raises(RecipeError, match="2 teachers have no common one"):
        recipe_of(f"teachers=[{teacher}, {teacher}]")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ('teachers.0.sees={"modality": "frames", "streams": ["rgb"]}', "teachers.0.network={name: trn}"),
            "teacher's network 'trn' is not one linear layer",
        ),
        (("student.head.width=12",), r"student\.head\.width is 12.*'cnn1d'.*has 10 values"),
    ],
)
def test_before_the_teacher_is_trained(
    synthetic_root: Path, recipe_of: MakeRecipe, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    """On the synthetic world, which has depth; its skeletons are none, so that the other one is of windows."""
    windows = 'teachers.0.sees={"modality": "window", "streams": ["gyroscope"], "length": 32, "encoding": raw}'
    recipe = recipe_of(windows, "dataset.name=synthetic", f"dataset.path={synthetic_root}", *words)
    with pytest.raises(RecipeError, match=told):
        distill(recipe, tmp_path / "run", cache=tmp_path / "cache")
    assert not (tmp_path / "run-teacher").exists()


def test_a_finished_teacher_of_another_width_or_order_of_classes(
    place: Path, recipe_of: MakeRecipe, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=r"12 values to 27 classes, the teacher's classifier 10 to 27"):
        distill(recipe_of("student.head.width=12"), tmp_path / "run", [place / "teacher"], cache=place / "cache")
    shutil.copytree(place / "teacher", tmp_path / "teacher")
    folder = RunFolder(tmp_path / "teacher")
    facts = json.loads(folder.environment_file.read_text(encoding="utf-8"))
    facts["classes"] = facts["classes"][::-1]
    folder.sums.replace_text(folder.environment_file.name, json.dumps(facts))
    with pytest.raises(ProtocolError, match="knows the classes in another order"):
        distill(recipe_of(), tmp_path / "run", [tmp_path / "teacher"], cache=place / "cache")


def test_no_rounds(recipe_of: MakeRecipe, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="take over the classifier of the student"):
        distill_in_rounds(recipe_of(), tmp_path / "run", rounds=2)
