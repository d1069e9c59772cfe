"""What cannot be trained is refused before a teacher is, and before anything is decoded."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from vskd.distillation import beforehand
from vskd.distillation.beforehand import refuse_untrainable
from vskd.distillation.experiment import prepare
from vskd.distillation.label_setting import LabelSetting
from vskd.distillation.train import distill
from vskd.errors import ProtocolError, RecipeError, VskdError
from vskd.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
HINT = "distiller={terms: [{loss: cross_entropy}, {loss: fitnets_hint, student_layer: %s, teacher_layer: %s}]}"
TOO_SHORT = ("student.sees.length=8", "student.network=separable-resnet1d")
TERMS = "distiller={terms: [{loss: cross_entropy}, {loss: %s}]}"
TRIAL_1 = "labels.trials=['1']"
RIDGE = "student.training.ridge=0.1"
FIXED = "student.network={name: rocket1d-fixed, kernels: 20}"
UNTRAINABLE = {
    "labels of nobody": (("labels.subjects=['99']",), "labels.*99"),
    "labels of nobody, of the teacher": (("teachers.0.labels.subjects=['99']",), "labels.*99"),
    "another kind of network": (("student.network=trn",), "Network 'trn' reads"),
    "another kind of network, of the teacher": (("teachers.0.network=cnn1d",), "Network 'cnn1d' reads"),
    "too short": (TOO_SHORT, "network 'separable-resnet1d'"),
    "weights that are not there": (("student.weights=nothing.safetensors",), "nothing.safetensors"),
    "those of the teacher": (("teachers.0.weights=nothing.safetensors",), "nothing.safetensors"),
    "a layer that is not there": ((HINT % ("stem9", "embedding"),), "the student does not fit.*stem9"),
    "that of the teacher": ((HINT % ("embedding", "stem9"),), "the teacher does not fit.*stem9"),
    "no maps": ((HINT % ("embedding", "embedding"),), "compares feature maps"),
    "confidence in labels": (("distiller.confidence={share: 0.5}",), "confidence does nothing here: every training"),
    "labels of those who validate": (("labels.subjects=['3']",), "none of the 6 training recordings carries a label"),
    "a term that needs labels": ((TRIAL_1, TERMS % "tckd"), r"3 training recordings have none, which.* tckd need"),
    "classes that nobody knows": (
        (TRIAL_1, "student.training.sampling=balanced"),
        "'balanced' needs the class of every",
    ),
    "ridge without its layer": (
        (RIDGE, "student.sees.length=64", "student.sees.encoding=gasf", "student.network=squeezenet-1-0"),
        "'squeezenet-1-0', which training.ridge is to fit, is not one linear layer",
    ),
    "ridge on labels alone": ((RIDGE, FIXED), "distiller 'dask' does nothing here.*every training recording carries"),
    "ridge and no logits": (
        (RIDGE, FIXED, TRIAL_1, TERMS % "embedding_mse"),
        "'cross_entropy.embedding_mse' does nothing here.*no term compares logits",
    ),
    "a teacher that sees something else": (("distiller.teacher_outputs=online",), "'online', but the student sees"),
    "views online": (
        ("distiller.teacher_outputs=online", "teachers.0.views=2"),
        "cross_fit and views of a teacher are of what was stored",
    ),
    "cross-fit of one person": (
        ("teachers.0.cross_fit=subject", "labels.subjects=['1']"),
        r"cross_fit: teacher 0 of the recipe would learn from labels of one subject \(1\)",
    ),
}


@pytest.mark.parametrize(("words", "problem"), UNTRAINABLE.values(), ids=UNTRAINABLE)
def test_what_cannot_be_trained_is_refused_before_its_teacher_is(
    tiny: MakeRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], problem: str
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("it was begun")

    monkeypatch.setattr("vskd.distillation.train.teach", never)
    with pytest.raises(VskdError, match=f"(?s){problem}"):
        distill(tiny(*words), tmp_path / "run", cache=tmp_path / "cache")
    assert not list(tmp_path.rglob("*.h5"))
    assert not (tmp_path / "run" / "recipe.yaml").exists()


@pytest.mark.parametrize(
    ("student", "teacher", "problem"),
    [
        ("none", "carve", "weighs teachers by validation recordings, and there are none that all see"),
        ("carve", "none", r"teacher 0 of the recipe is trained on 6 of the 6: a1_s3_t1, .*Set teachers\.N\.training"),
        ("carve", "carve", ""),
    ],
)
def test_teachers_are_weighed_by_recordings_that_none_is_trained_on(
    tiny: MakeRecipe, tmp_path: Path, student: str, teacher: str, problem: str
) -> None:
    role = tiny().teachers[0].model_dump(mode="json")
    role["training"] |= {"validation": teacher, "select": "last"}
    words = (f"student.training.validation={student}", "student.training.select=last", "distiller.fusion=validation")
    experiment = prepare(tiny(f"teachers={json.dumps([role, role])}", *words), tmp_path, with_teachers=True)
    if not problem:
        refuse_untrainable(experiment, with_teachers=True)
        return
    with pytest.raises(RecipeError, match=problem):
        refuse_untrainable(experiment, with_teachers=True)


@pytest.mark.parametrize("words", [(TRIAL_1,), ("distiller=none",), ("student.network=cnn1d",)])
def test_a_teacher_that_ridge_regression_hears_or_none_at_all_is_not_refused(
    tiny: MakeRecipe, tmp_path: Path, words: tuple[str, ...]
) -> None:
    refuse_untrainable(prepare(tiny(RIDGE, FIXED, *words), tmp_path, with_teachers=True), with_teachers=False)


def test_what_can_be_trained_passes_and_leaves_the_random_numbers_as_they_were(
    tiny: MakeRecipe, tmp_path: Path
) -> None:
    experiment = prepare(tiny(), tmp_path, with_teachers=True)
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    refuse_untrainable(experiment, with_teachers=True)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("words", [("teachers.0.network=cnn1d",), (HINT % ("embedding", "stem9"),)])
def test_of_a_teacher_that_is_there_already_nothing_is_asked(
    tiny: MakeRecipe, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Its run says what it is, which may not be what this recipe would train."""
    refuse_untrainable(prepare(tiny(*words), tmp_path, with_teachers=True), with_teachers=False)


def test_teachers_that_would_be_refused_are_named_by_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by what it would use itself, labels of its validation part included."""
    asked: list[Any] = []
    settings = {
        number: LabelSetting(f"setting {number}", frozenset(used), tuple(used), ()) for number, used in enumerate("ab")
    }
    experiment: Any = SimpleNamespace(
        recipe=SimpleNamespace(
            teachers=(SimpleNamespace(cross_fit=None),) * 2,
            of_teacher=lambda number: number,
            distiller=SimpleNamespace(terms=(), fusion="equal", untrained=False),
        ),
        of_teacher=lambda number: SimpleNamespace(setting=settings[number], inputs="theirs"),
        setting=LabelSetting("mine", frozenset("a"), ("a", "b"), ()),
    )
    monkeypatch.setattr(beforehand, "check_reusable", asked.append)
    monkeypatch.setattr(beforehand, "_shapes", lambda *_: {})
    monkeypatch.setattr(beforehand, "_refuse_labels", lambda _: None)
    monkeypatch.setattr(beforehand, "looks_at_batches", lambda *_, cross_fitted: cross_fitted)
    with pytest.raises(ProtocolError, match=r"Teacher 1 of the recipe uses the labels \(setting 1\) of 1 recordings"):
        refuse_untrainable(experiment, with_teachers=True)
    settings[1] = settings[0]
    refuse_untrainable(experiment, with_teachers=True)
    assert asked == [experiment, experiment]
