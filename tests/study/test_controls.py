"""Controls: twins that differ from their recipe in what they are to show, and in nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from vskd.datasets.splits.split import Split
from vskd.distillation import train
from vskd.distillation.run import RunFolder
from vskd.distillation.task import DistillationTask
from vskd.errors import RecipeError
from vskd.modalities.base import Batch
from vskd.recipe import DECIDING, Recipe, Training, load_recipe, parse_recipe
from vskd.study.controls import CONTROLS, is_control, with_controls
from vskd.study.students import teacher_key


@pytest.mark.parametrize("name", ["demo", "vskd", "krca", "dangerous-driving"])
def test_the_twin_without_a_teacher_differs_in_the_distiller_alone(name: str) -> None:
    recipe, twin = with_controls([load_recipe(name)], ["none"])
    assert (recipe.name, twin.name) == (name, f"{name}-no-kd")
    assert twin.distiller.title == "none" and not twin.distiller.needs_teacher
    assert [key for key in DECIDING if recipe.hash_of(key) != twin.hash_of(key)] == ["distiller"]
    assert twin.model_copy(update={"name": name, "distiller": recipe.distiller}) == recipe


def test_the_twin_keeps_every_setting_that_was_changed() -> None:
    """Also those that the shipped recipe does not have, such as another data set and its own teacher."""
    changed = ("student.training.epochs=3", "student.network=cnn1d", "student.sees.encoding=raw", "teachers.0.seed=7")
    recipe, twin = with_controls([load_recipe("demo", changed)], ["none"])
    assert twin.student == recipe.student
    assert twin.teachers == recipe.teachers
    assert twin.distiller == load_recipe("demo", ["distiller=none"]).distiller


def test_every_recipe_is_followed_by_its_own_twins() -> None:
    recipes = [load_recipe(name, ["labels.fraction=0.5"]) for name in ("krca", "dangerous-driving")]
    suffixes = ["no-kd", "self", "permuted", "permuted-in-class", "random-teacher", "label-smoothing", "all-labels"]
    assert [recipe.name for recipe in with_controls(recipes, list(CONTROLS))] == [
        *("krca", *(f"krca-{suffix}" for suffix in suffixes)),
        *("dangerous-driving", *(f"dangerous-driving-{suffix}" for suffix in suffixes)),
    ]
    assert with_controls(recipes, []) == recipes


def test_a_control_that_does_not_exist() -> None:
    with pytest.raises(RecipeError, match=r"There is no control 'nome'; did you mean 'none'\?"):
        with_controls([load_recipe("demo")], ["nome"])


def changed(recipe: Recipe, twin: Recipe) -> set[str]:
    """The parts of a recipe that a twin has otherwise."""
    before, after = (r.model_dump(mode="json") for r in (recipe, twin))
    return {key for key in before if before[key] != after[key]} - {"name"}


@pytest.mark.parametrize("name", ["demo", "vskd"])
@pytest.mark.parametrize(("control", "value"), [("permuted", "all"), ("permuted-in-class", "class")])
def test_a_permuted_twin_differs_in_the_exchange_alone(name: str, control: str, value: str) -> None:
    recipe, twin = with_controls([load_recipe(name, ["labels.trials=[1]"])], [control])
    assert changed(recipe, twin) == {"distiller"}
    assert twin.distiller.model_copy(update={"permuted": "none"}) == recipe.distiller
    assert twin.distiller.permuted == value


@pytest.mark.parametrize("name", ["demo", "vskd"])
def test_the_teacher_of_self_training_is_the_students_own_twin(name: str) -> None:
    """What is trained as the teacher is what is trained as the twin without one."""
    recipe, alone, twin = with_controls([load_recipe(name, ["labels.trials=[1]"])], ["none", "self"])
    assert changed(recipe, twin) == {"teachers"}
    assert len(twin.teachers) == 1
    assert twin.of_teacher().hash_of(*DECIDING) == alone.hash_of(*DECIDING)
    assert twin.with_seed(3).of_teacher().hash_of(*DECIDING) == alone.with_seed(3).hash_of(*DECIDING)


def test_all_labels_has_no_teacher_and_stands_beside_that_of_the_recipe() -> None:
    recipe, twin = with_controls([load_recipe("demo", ["labels.trials=[1]"])], ["all-labels"])
    assert changed(recipe, twin) == {"labels", "distiller", "teachers"}
    assert (twin.labels.title, twin.distiller.title) == ("all", "none")
    assert teacher_key(twin) == teacher_key(recipe)  # trained once for both
    assert twin.student == recipe.student


@pytest.mark.parametrize("control", ["self", "permuted", "permuted-in-class", "random-teacher"])
def test_controls_of_the_teacher_need_one(control: str) -> None:
    told = f"Control '{control}': recipe demo has no teacher to be replaced"
    with pytest.raises(RecipeError, match=told):
        with_controls([load_recipe("demo", ["distiller=none"])], [control])


def test_one_that_teaches_itself_has_nobody_to_be_fused_with() -> None:
    content = load_recipe("demo").model_dump(mode="json")
    fused = content["distiller"] | {"fusion": "validation"}
    recipe = parse_recipe(content | {"teachers": content["teachers"] * 2, "distiller": fused}, "two")
    _, twin = with_controls([recipe], ["self"])
    assert twin.distiller == recipe.distiller.model_copy(update={"fusion": "equal"})


def test_a_random_teacher_differs_in_its_weights_alone() -> None:
    recipe, twin = with_controls([load_recipe("demo")], ["random-teacher"])
    assert changed(recipe, twin) == {"distiller"}
    assert twin.distiller.model_copy(update={"untrained": False}) == recipe.distiller
    assert teacher_key(twin) == teacher_key(recipe)


@pytest.mark.parametrize(("own", "twins"), [(0.0, 0.1), (0.1, 0.2), (0.2, 0.3), (0.0123456, 0.112346)])
def test_label_smoothing_has_no_teacher_and_softer_labels(own: float, twins: float) -> None:
    recipe, alone, twin = with_controls(
        [load_recipe("demo", [f"student.training.label_smoothing={own}"])], ["none", "label-smoothing"]
    )
    assert changed(alone, twin) == {"student"} and changed(recipe, twin) == {"student", "distiller"}
    assert twin.updated(f"student.training.label_smoothing={own}").student == recipe.student
    assert twin.student.training.label_smoothing == twins
    with pytest.raises(RecipeError, match=r"smooths labels by 0\.95 already"):
        with_controls([load_recipe("demo", ["student.training.label_smoothing=0.95"])], ["label-smoothing"])


def test_all_labels_of_all_labels_are_refused() -> None:
    with pytest.raises(RecipeError, match="Control 'all-labels': recipe demo has all labels already"):
        with_controls([load_recipe("demo")], ["all-labels"])


def test_a_control_is_known_by_its_name() -> None:
    names = ["mine", "mine-self", "mine-all-labels", "other-self"]
    assert [name for name in names if is_control(name, names)] == ["mine-self", "mine-all-labels"]


TINY = (
    *("student.sees.encoding=raw", "student.network=cnn1d", "student.network.embedding_size=12"),
    *("student.training.epochs=2", "student.training.batch_size=4", "student.sees.length=32"),
    *("teachers.0.training.epochs=1", "teachers.0.training.batch_size=4", "distiller=dask"),
    "teachers.0.network={name: cnn1d, embedding_size: 12}",
    "teachers.0.sees={modality: window, streams: [gyroscope], length: 32, encoding: raw}",
)


class Begun(NamedTuple):
    """How a student's training begins: its weights, its split, and two epochs of batches."""

    weights: dict[str, Tensor]
    split: Split
    epochs: list[list[Batch]]


@pytest.fixture
def begun(synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Recipe], Begun]:
    """Begin the training of a recipe's student, after a real training of its teacher."""
    seen: list[Begun] = []
    real = train.fit

    def fit(
        task: DistillationTask, folder: RunFolder, training: Training, split: Split, plain: object, further: object
    ) -> object:
        if folder.role == "teacher":
            return real(task, folder, training, split, plain, further)
        weights = {name: tensor.clone() for name, tensor in task.model.state_dict().items()}
        seen.append(Begun(weights, split, [list(task._train_batches(epoch)) for epoch in (0, 1)]))
        return None

    monkeypatch.setattr(train, "fit", fit)

    def begin(recipe: Recipe) -> Begun:
        recipe = recipe.updated(f"dataset.path={synthetic_root}")
        teacher = tmp_path / f"teacher-{teacher_key(recipe)}"
        train.teach(recipe, teacher, cache=tmp_path / "cache")
        train.distill(recipe, tmp_path / recipe.name, [teacher], cache=tmp_path / "cache")
        return seen[-1]

    return begin


@pytest.mark.parametrize("labels", ["{}", "{trials: [1]}"])
def test_twins_begin_alike_bit_for_bit(begun: Callable[[Recipe], Begun], labels: str) -> None:
    """First weights, splits, number of batches; and the batches themselves but for labels that a twin does not see."""
    controls = [name for name in CONTROLS if name != "all-labels" or labels != "{}"]
    recipe, *twins = with_controls([load_recipe("demo", (*TINY, f"labels={labels}"))], controls)
    first = begun(recipe)
    for control, twin in zip(controls, twins, strict=True):
        found = begun(twin)
        assert found.split == first.split, control
        assert found.weights.keys() == first.weights.keys()
        assert all(torch.equal(found.weights[name], first.weights[name]) for name in first.weights), control
        alone = labels != "{}" and control in ("none", "label-smoothing")
        for mine, theirs in zip(found.epochs, first.epochs, strict=True):
            assert len(mine) == len(theirs), control
            for one, other in zip(mine, theirs, strict=True):
                assert alone or (one.ids == other.ids and torch.equal(one.inputs, other.inputs)), control
                assert (one.labels >= 0).all() or not alone, control


def test_label_smoothing_may_leave_next_to_nothing_and_no_more() -> None:
    """0.8 and 0.1 is below 1, 0.9 and 0.1 is all of it."""
    (_, twin) = with_controls([load_recipe("demo", ["student.training.label_smoothing=0.8"])], ["label-smoothing"])
    assert twin.student.training.label_smoothing == 0.9
    with pytest.raises(RecipeError, match=r"smooths labels by 0\.9 already"):
        with_controls([load_recipe("demo", ["student.training.label_smoothing=0.9"])], ["label-smoothing"])


def test_a_teacher_with_labels_of_its_own_keeps_them_beside_all_labels() -> None:
    words = ["labels.trials=[1]", "teachers.0.labels={fraction: 0.25}"]
    recipe, twin = with_controls([load_recipe("demo", words)], ["all-labels"])
    assert twin.teachers[0].labels == recipe.teachers[0].labels and twin.labels.title == "all"
    plain, other = with_controls([load_recipe("demo", words[:1])], ["all-labels"])
    assert other.teachers[0].labels == plain.labels
