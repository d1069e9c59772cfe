"""Overrides of single keys: read as YAML, laid over what is there, and refused where they cannot be meant."""

import pytest

from vskd.errors import RecipeError
from vskd.recipe import load_recipe
from vskd.recipe.overrides import with_overrides


def test_overrides_are_typed_as_yaml_and_exponents_are_numbers() -> None:
    recipe = load_recipe(
        "vskd-utd-mhad", ["training.learning_rate=1e-3", "dataset.path=/some/where", "dataset.fold=null"]
    )
    assert recipe.training.learning_rate == 0.001
    assert recipe.dataset.path == "/some/where"
    assert recipe.dataset.fold is None


@pytest.mark.parametrize(
    "override", ["training.epochs", "=5", "training.epochs.more=1", "training..epochs=1", "seed=[1"]
)
def test_malformed_overrides_are_refused(override: str) -> None:
    with pytest.raises(RecipeError, match=r"--set"):
        load_recipe("vskd-utd-mhad", [override])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("'1e-3'", "1e-3"),
        ("7", 7),
        ("true", True),
        ("null", None),
        ("[1, 2]", [1, 2]),
        ("a=b", "a=b"),
        ("nan", "nan"),
        ("1e999", "1e999"),
    ],
)
def test_values_are_what_a_person_means(text: str, value: object) -> None:
    (found,) = with_overrides({}, [f"key={text}"]).values()
    assert (found, type(found)) == (value, type(value))


def test_other_keys_stay_and_the_last_word_counts() -> None:
    content = {"training": {"epochs": 1, "batch_size": 4}, "seed": 0}
    found = with_overrides(content, ["training.epochs=2", "training.epochs=3", "images.augmentation.flip=0.5"])
    assert found == {
        "training": {"epochs": 3, "batch_size": 4},
        "seed": 0,
        "images": {"augmentation": {"flip": 0.5}},
    }
