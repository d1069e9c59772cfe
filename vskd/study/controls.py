"""Controls: the twins of a recipe that show what its teacher is worth. Derived, never written by hand."""

from collections.abc import Callable, Mapping, Sequence

from vskd.errors import RecipeError, lookup
from vskd.recipe import Recipe, parse_recipe


def no_kd(recipe: Recipe) -> Recipe:
    """The same student, budget, initial weights, splits and batches, without a teacher."""
    return recipe.undistilled()


def self_taught(recipe: Recipe) -> Recipe:
    """Self-training: the teacher is the student's own twin without a teacher."""
    content = recipe.model_dump(mode="json")
    return parse_recipe(content | {"teachers": [content["student"]]}, source=f"recipe {recipe.name}")


def permuted(recipe: Recipe) -> Recipe:
    """What the teacher says is exchanged between the training recordings."""
    return recipe.updated("distiller.permuted=all")


def permuted_in_class(recipe: Recipe) -> Recipe:
    """What the teacher says is exchanged within each class: it knows the class, but nothing of the recording."""
    return recipe.updated("distiller.permuted=class")


def all_labels(recipe: Recipe) -> Recipe:
    """No teacher, and all labels: what the unlabelled recordings would be worth."""
    content = recipe.undistilled().model_dump(mode="json")
    return parse_recipe(content | {"labels": {}}, source=f"recipe {recipe.name}")


CONTROLS: Mapping[str, tuple[Callable[[Recipe], Recipe], str]] = {
    "none": (no_kd, "no-kd"),
    "self": (self_taught, "self"),
    "permuted": (permuted, "permuted"),
    "permuted-in-class": (permuted_in_class, "permuted-in-class"),
    "all-labels": (all_labels, "all-labels"),
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
