"""Building distillers by name."""

import math

import pytest

from vskd.distillation.distillers.catalog import DISTILLERS, build_distiller
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
        ({"temperature_slope": -0.1}, "temperature_slope is -0.1"),
        ({"temperature_slope": math.inf}, "temperature_slope is inf"),
        ({"temperature_slope": 0.5, "temperature_max": 3.0}, "temperature is 4.0 and rises, but temperature_max is 3"),
    ],
)
def test_values_out_of_range_are_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(RecipeError, match=named):
        build(**changes)


MAPS = {"shallow": (3, 8, 8), "deep": (5, 4, 4)}


def test_terms_on_maps_need_networks_that_have_them() -> None:
    with pytest.raises(RecipeError, match=r"'hint' compares the feature maps 'deep', but the student has layer4"):
        build("dangerous-driving", student_shapes={"layer4": (512, 7, 7)}, teacher_shapes=MAPS)
    with pytest.raises(RecipeError, match=r"'deep_attention' .*'deep', but the teacher has none"):
        build("krca", student_shapes=MAPS, samples=9)
    assert build("dangerous-driving", weights={"hint": 0.0, "deep_attention": 0.0, "shallow_attention": 0.0})


def test_the_sample_relation_needs_samples() -> None:
    shapes = {"student_shapes": MAPS, "teacher_shapes": MAPS}
    with pytest.raises(RecipeError, match="'sample_relation' needs 2 training samples or more, not 0"):
        build("krca", **shapes)
    assert build("krca", **shapes, weights={"sample_relation": 0.0})
    assert build("krca", **shapes, samples=2).weights["sample_relation"] == 1.0


def test_a_recipe_for_krca_also_serves_its_twins() -> None:
    weights = DISTILLERS["krca"].terms
    assert build("none", weights=weights).weights == {"cross_entropy": 0.7}
    assert build("kd", weights=weights, temperature_slope=0.5).schedule.at(4) == 6.0
