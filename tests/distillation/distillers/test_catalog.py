"""Building distillers by name."""

import math

import pytest

from vskd.distillation.distillers.catalog import build_distiller
from vskd.distillation.distillers.dask import TERMS
from vskd.errors import RecipeError


def build(name: str = "dask", **changes: object) -> object:
    options = {
        "temperature": 4.0,
        "weights": {},
        "student_width": 5,
        "teacher_width": 5,
        "label_smoothing": 0.0,
        **changes,
    }
    return build_distiller(name, **options)


def test_unknown_distiller_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"'dsak'.*did you mean 'dask'"):
        build("dsak")


def test_unknown_term_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"'semantics'.*did you mean 'semantic'"):
        build(weights={"semantics": 1.0})


def test_a_recipe_for_dask_also_serves_its_twins() -> None:
    assert build("none", weights=TERMS).weights == {"cross_entropy": 1.0}
    assert build("kd", weights=TERMS).weights == {"cross_entropy": 1.0, "soft": 0.01}


def test_weights_not_given_keep_their_defaults() -> None:
    assert build(weights={"angle": 2.0}).weights == {**TERMS, "angle": 2.0}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"weights": {"angle": -1.0}}, "'angle' is -1"),
        ({"weights": {"angle": math.nan}}, "'angle' is nan"),
        ({"temperature": 0.0}, "temperature is 0"),
        ({"temperature": math.inf}, "temperature is inf"),
        ({"label_smoothing": 1.0}, "label_smoothing is 1"),
        ({"weights": dict.fromkeys(TERMS, 0.0)}, "weight 0"),
    ],
)
def test_values_out_of_range_are_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(RecipeError, match=named):
        build(**changes)
