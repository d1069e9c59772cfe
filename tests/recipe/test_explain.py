"""Mistakes in plain English, for any section."""

import pytest

from vskd.errors import RecipeError, nearest
from vskd.recipe import load_recipe


@pytest.mark.parametrize(
    ("override", "needle"),
    [
        ("images.sizes=64", "images.sizes: unknown key, did you mean 'size'?"),
        ("images.augmentation.flp=1", "images.augmentation.flp: unknown key, did you mean 'flip'?"),
        ("images.crop=faces", "images.crop: 'faces' is not allowed, valid names: box, full"),
        ("images.augmentation.flip=1.5", "images.augmentation.flip: input should be less than or equal to 1 (got 1.5)"),
        ("teacher.input=sensor", "teacher.input: 'sensor' is not allowed"),
        ("training.class_weights=balance", "did you mean 'balanced'?"),
        ("distiller.weights.hnt=1", "distiller.weights.hnt: unknown key, did you mean 'hint'?"),
    ],
)
def test_keys_of_images_are_explained(override: str, needle: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe("krca", [override])
    assert needle in str(caught.value)


def test_all_problems_are_reported_at_once_with_path_and_nearest_name() -> None:
    overrides = ["training.epoch=5", "encoding.method=gas", "teacher.dropout=2", "training.batch_size=many"]
    with pytest.raises(RecipeError) as caught:
        load_recipe("vskd-utd-mhad", overrides)
    message = str(caught.value)
    assert "4 problem(s)" in message
    assert "training.epoch: unknown key, did you mean 'epochs'?" in message
    assert "encoding.method: 'gas' is not allowed, did you mean 'gasf'?" in message
    assert "teacher.dropout" in message
    assert "training.batch_size" in message


def test_nearest_proposes_or_lists() -> None:
    assert nearest("gas", ["raw", "gasf"]) == "did you mean 'gasf'?"
    assert nearest("xyz", ["raw", "gasf"]) == "valid names: gasf, raw"
