"""Controls: the twins of a recipe that show what its teacher is worth. Derived, never written by hand."""

from collections.abc import Callable, Collection, Mapping, Sequence

from vskd.errors import RecipeError, lookup
from vskd.recipe import Recipe, parse_recipe


def self_taught(recipe: Recipe) -> Recipe:
    """Self-training: the teacher is the student's own twin without a teacher."""
    _require_teacher(recipe, "self")
    content = recipe.model_dump(mode="json")
    alone = content["distiller"] | {"fusion": "equal"}
    return parse_recipe(content | {"teachers": [content["student"]], "distiller": alone}, f"recipe {recipe.name}")


def permuted(recipe: Recipe) -> Recipe:
    """What the teacher says is exchanged between the training recordings."""
    _require_teacher(recipe, "permuted")
    return recipe.updated("distiller.permuted=all")


def permuted_in_class(recipe: Recipe) -> Recipe:
    """What the teacher says is exchanged within each class: it knows the class, but nothing of the recording."""
    _require_teacher(recipe, "permuted-in-class")
    return recipe.updated("distiller.permuted=class")


def random_teacher(recipe: Recipe) -> Recipe:
    """What the teacher's network says before it has learned anything."""
    _require_teacher(recipe, "random-teacher")
    return recipe.updated("distiller.untrained=true")


SMOOTHING = 0.1
"""What `label-smoothing` adds (Szegedy et al., CVPR 2016)."""


def label_smoothing(recipe: Recipe) -> Recipe:
    """No teacher, softer labels: what of a gain is softness (Yuan et al., "Revisiting KD via LSR", CVPR 2020).

    Raises:
        RecipeError: the recipe smooths so much already that nothing can be added.
    """
    value = round(recipe.student.training.label_smoothing + SMOOTHING, 6)
    if value >= 1:
        raise RecipeError(
            f"Control 'label-smoothing': recipe {recipe.name} smooths labels by {value - SMOOTHING:g} already",
            "Leave out the control",
        )
    return recipe.undistilled().updated(f"student.training.label_smoothing={value}")


def all_labels(recipe: Recipe) -> Recipe:
    """No teacher, and all labels: what the unlabelled recordings would be worth.

    The teachers that stand beside it are those of the recipe, so that none has to be trained again.

    Raises:
        RecipeError: the recipe has all labels.
    """
    if recipe.labels.title == "all":
        raise RecipeError(
            f"Control 'all-labels': recipe {recipe.name} has all labels already",
            "Leave it out, or say with --labels who carries labels, e.g. --labels subjects=1",
        )
    content = recipe.undistilled().model_dump(mode="json")
    for teacher in content["teachers"]:
        teacher["labels"] = teacher["labels"] or content["labels"]
    return parse_recipe(content | {"labels": {}}, source=f"recipe {recipe.name}")


def _require_teacher(recipe: Recipe, control: str) -> None:
    if not recipe.distiller.needs_teacher:
        raise RecipeError(
            f"Control '{control}': recipe {recipe.name} has no teacher to be replaced", "Leave out the control, or it"
        )


CONTROLS: Mapping[str, tuple[Callable[[Recipe], Recipe], str]] = {
    "none": (Recipe.undistilled, "no-kd"),
    "self": (self_taught, "self"),
    "permuted": (permuted, "permuted"),
    "permuted-in-class": (permuted_in_class, "permuted-in-class"),
    "random-teacher": (random_teacher, "random-teacher"),
    "label-smoothing": (label_smoothing, "label-smoothing"),
    "all-labels": (all_labels, "all-labels"),
}
"""Name -> how the twin is derived, and what its name ends with."""


def is_control(name: str, names: Collection[str], controls: Collection[str] = tuple(CONTROLS)) -> bool:
    """Whether a recipe's name is that of another one's twin, by one of some controls."""
    return any(name == f"{other}-{CONTROLS[control][1]}" for other in names for control in controls)


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
