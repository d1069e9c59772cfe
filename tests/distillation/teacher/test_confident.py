"""Which pairs are kept: by hand; and that a student's batches hold these and the labelled ones alone."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vskd.distillation import train
from vskd.distillation.teacher.confident import confident, probabilities_of
from vskd.distillation.train import distill
from vskd.errors import RecipeError
from vskd.modalities.base import Batch
from vskd.network import Outputs
from vskd.recipe import Recipe
from vskd.recipe.distiller import Confidence

SAID = {
    name: np.array(row)
    for name, row in {
        "a": [0.9, 0.1, 0.0],
        "b": [0.8, 0.1, 0.1],
        "c": [0.7, 0.2, 0.1],
        "d": [0.2, 0.6, 0.2],
        "e": [0.3, 0.5, 0.2],
        "f": [0.3, 0.3, 0.4],
    }.items()
}


@pytest.mark.parametrize(
    ("setting", "kept"),
    [
        (Confidence(), "abcdef"),
        (Confidence(threshold=0.6), "abcd"),
        (Confidence(threshold=0.61), "abc"),
        (Confidence(share=0.5), "abc"),
        (Confidence(share=0.5, by_class=True), "abdf"),  # 2 of 3, 1 of 2, 1 of 1
        (Confidence(share=0.1, by_class=True), "adf"),
        (Confidence(threshold=0.6, share=0.5, by_class=True), "abd"),
    ],
)
def test_who_is_kept(setting: Confidence, kept: str) -> None:
    assert confident(SAID, setting) == set(kept)
    assert confident(dict(reversed(SAID.items())), setting) == set(kept)


def test_a_threshold_that_nobody_reaches() -> None:
    with pytest.raises(RecipeError, match=r"of none of the 6 .* \(threshold 0\.95; it is 0\.90 at most\)"):
        confident(SAID, Confidence(threshold=0.95))


def test_the_students_epochs_hold_these_and_are_as_long(
    tiny: Callable[..., Recipe], shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []
    steps: list[int] = []

    def fit(task, *_: object) -> None:
        epochs = [list(task._train_batches(epoch)) for epoch in range(4)]
        seen.append({i for epoch in epochs for batch in epoch for i in batch.ids})
        steps.append(len(epochs[0]))

    whole = ("student.training.validation=none", "student.training.select=last", "distiller=kd", "labels.trials=[1]")
    recipe = tiny(*whole)
    student = recipe.student.model_dump(mode="json")
    student["sees"]["streams"] = ["gyroscope"]
    recipe = recipe.updated(f"teachers=[{json.dumps(student)}]")
    train.teach(recipe, tmp_path / "teacher", cache=shared_cache)
    monkeypatch.setattr(train, "fit", fit)
    for number, word in enumerate(("null", "{share: 0.5}")):
        made = recipe.updated(f"distiller.confidence={word}")
        distill(made, tmp_path / str(number), [tmp_path / "teacher"], cache=shared_cache)
    assert steps[0] == steps[1]
    assert (len(seen[0]), len(seen[1])) == (12, 9)  # 6 with a label, and 6 or 3 without
    assert {i for i in seen[0] if i.endswith("_t1")} <= seen[1]
    with pytest.raises(RecipeError, match="confidence does nothing here: every training recording"):
        every = recipe.updated("distiller.confidence={share: 0.5}", "labels={}")
        distill(every, tmp_path / "all", [tmp_path / "teacher"], cache=shared_cache)


def test_without_a_teacher_nobody_is_sure(tiny: Callable[..., Recipe]) -> None:
    with pytest.raises(RecipeError, match="confidence does nothing here: no term"):
        tiny("distiller=none", "distiller.confidence={share: 0.5}")


class Windows:
    """A teacher that says of a window the logarithms of what its input holds."""

    ids = frozenset("ab")
    shapes = {"logits": (2,), "embedding": (2,)}  # noqa: RUF012

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        logits = batch.inputs.log() + 3.0  # an offset changes no probability
        return Outputs(logits, logits), batch.ids, batch.labels


def test_of_several_windows_of_a_recording_the_mean_probability_counts() -> None:
    """Over batches, each recording by its own windows."""

    def batch(ids: str, *rows: tuple[float, float]) -> Batch:
        places = torch.arange(len(ids))
        return Batch(tuple(ids), torch.tensor(rows), torch.full((len(ids),), -1), places)

    given = [batch("ab", (0.9, 0.1), (0.2, 0.8)), batch("ba", (0.4, 0.6), (0.5, 0.5)), batch("a", (0.1, 0.9))]
    said = probabilities_of(Windows(), given)
    assert set(said) == {"a", "b"}
    assert said["a"].tolist() == pytest.approx([1.5 / 3, 1.5 / 3])
    assert said["b"].tolist() == pytest.approx([0.3, 0.7])
    assert said["a"].dtype == np.float64


def test_of_equally_sure_ones_the_first_by_name_are_kept() -> None:
    alike = {name: np.array([0.3, 0.7]) for name in "dbca"}
    assert confident(alike, Confidence(share=0.5)) == {"a", "b"}
    assert confident(alike, Confidence(threshold=0.7, share=0.25)) == {"a"}
    assert confident({}, Confidence(threshold=0.9)) == frozenset()
    assert (Confidence().threshold, Confidence().share, Confidence().by_class) == (0.0, 1.0, False)
