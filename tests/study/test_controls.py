"""Controls: twins that differ from their recipe in what they are to show, and in nothing else."""

import pytest

from vskd.errors import RecipeError
from vskd.recipe import DECIDING, load_recipe
from vskd.study.controls import CONTROLS, with_controls


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
    recipes = [load_recipe("krca"), load_recipe("dangerous-driving")]
    assert [recipe.name for recipe in with_controls(recipes, list(CONTROLS))] == [
        "krca",
        "krca-no-kd",
        "dangerous-driving",
        "dangerous-driving-no-kd",
    ]
    assert with_controls(recipes, []) == recipes


def test_a_control_that_does_not_exist() -> None:
    with pytest.raises(RecipeError, match=r"There is no control 'nome'; did you mean 'none'\?"):
        with_controls([load_recipe("demo")], ["nome"])
