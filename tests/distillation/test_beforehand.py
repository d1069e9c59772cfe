"""What cannot be trained is refused before a teacher is, and before anything is decoded."""

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
from vskd.errors import ProtocolError, VskdError
from vskd.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
HINT = "distiller={terms: [{loss: cross_entropy}, {loss: fitnets_hint, student_layer: %s, teacher_layer: %s}]}"
TOO_SHORT = ("student.sees.length=8", "student.network=separable-resnet1d")
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
            teachers=("one", "other"), of_teacher=lambda number: number, distiller=SimpleNamespace(terms=())
        ),
        of_teacher=lambda number: SimpleNamespace(setting=settings[number]),
        setting=LabelSetting("mine", frozenset("a"), ("a", "b"), ()),
    )
    monkeypatch.setattr(beforehand, "check_reusable", asked.append)
    monkeypatch.setattr(beforehand, "_shapes", lambda *_: {})
    with pytest.raises(ProtocolError, match=r"Teacher 1 of the recipe uses the labels \(setting 1\) of 1 recordings"):
        refuse_untrainable(experiment, with_teachers=True)
    settings[1] = settings[0]
    refuse_untrainable(experiment, with_teachers=True)
    assert asked == [experiment, experiment]
