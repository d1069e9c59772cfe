"""Controls: the twins of a recipe that show what its teacher is worth. Derived, never written by hand."""

from collections.abc import Callable, Mapping, Sequence

from vskd.errors import RecipeError, lookup
from vskd.recipe import Recipe


def no_kd(recipe: Recipe) -> Recipe:
    """The same student, budget, initial weights, splits and batches, without a teacher."""
    return recipe.undistilled()


CONTROLS: Mapping[str, tuple[Callable[[Recipe], Recipe], str]] = {
    "none": (no_kd, "no-kd"),
}
"""Name -> how the twin is derived, and what its name ends with."""


def with_controls(recipes: Sequence[Recipe], controls: Sequence[str]) -> list[Recipe]:
    """Every recipe, each followed by its twins.

    Raises:
        RecipeError: there is no such control.
    """
    result = []
    for recipe in recipes:
        result.append(recipe)
        for control in controls:
            derive, suffix = lookup(CONTROLS, control, "control", RecipeError)
            result.append(derive(recipe).model_copy(update={"name": f"{recipe.name}-{suffix}"}))
    return result
