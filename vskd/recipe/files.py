"""Recipes on disk: the shipped ones by name, and YAML files of one's own."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vskd.errors import RecipeError, nearest
from vskd.losses.presets.catalog import PRESETS
from vskd.recipe.expand import dataset_of, expanded, merged, overlay, with_dataset_defaults
from vskd.recipe.overrides import with_overrides
from vskd.recipe.schema import VERSION, Recipe, parse_recipe
from vskd.yaml_text import dump_yaml, read_yaml

RECIPES_FOLDER = Path(__file__).parents[1] / "recipes"
LONGEST_NAME = 240
"""Bytes of a part of a path: longer ones are refused by file systems, in an error of their own."""
_OLD_KEYS = frozenset({"sensor", "frames", "images", "encoding", "augmentation", "teacher", "training"})
"""Top-level keys of recipes before there were roles."""


def load_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a shipped recipe by name, or a recipe file, and apply `key.path=value` overrides.

    From weak to strong: the data set's own defaults, the recipe that is extended, what the data set changes in it, the
    recipe, the overrides. A complete recipe, as every run folder has one, stands for itself.

    Raises:
        RecipeError: unknown name, unreadable file, or invalid content; all problems at once.
    """
    path = _recipe_path(name_or_path)
    chain = _chain(path)
    ours = [override for override in overrides if override.strip().startswith("dataset.")]
    others = [override for override in overrides if override not in ours]
    content = _laid_over(chain, ours)
    return parse_recipe(with_overrides(content, others), source=f"recipe {_shown(path)}")


def _laid_over(chain: Sequence[tuple[Path, dict[str, Any]]], overrides: Sequence[str]) -> dict[str, Any]:
    """One content of a recipe and those it extends, the extended one first."""
    section: dict[str, Any] = {}
    for _, content in chain:
        merged(section, {"dataset": content["dataset"]} if isinstance(content.get("dataset"), Mapping) else {})
    with_overrides(section, overrides)
    complete = chain[-1][1].get("version") is not None
    entry = None if complete else dataset_of(section)
    result: dict[str, Any] = {}
    for path, content in chain:
        merged(result, content)
        expanded(result)  # so that what extends it can change single settings of what was said shortly
        if path.parent == RECIPES_FOLDER:
            merged(result, overlay(entry, path.stem))
    with_overrides(result, overrides)
    return expanded(result if entry is None else with_dataset_defaults(result, entry))


def _chain(path: Path, extended_by: tuple[Path, ...] = ()) -> list[tuple[Path, dict[str, Any]]]:
    """The file and those it extends (`extends: OTHER`), the farthest first.

    Args:
        path: of the file.
        extended_by: the files that led here, the first one first.

    Raises:
        RecipeError: one cannot be read, is no mapping, or they extend each other in a circle.
    """
    files = (*extended_by, path)
    if path.resolve() in {earlier.resolve() for earlier in extended_by}:
        named = " -> ".join(str(file) for file in files)
        raise RecipeError(f"Recipe {path} extends itself: {named}", "Name another recipe in one 'extends'")
    content = _read_yaml(path)
    if "extends" not in content:
        return [(path, content)]
    try:
        extended = _recipe_path(str(content.pop("extends")))
    except RecipeError as error:
        raise RecipeError(f"recipe {_shown(path)}: extends: {error.problem}", error.action) from error
    return [*_chain(extended, files), (path, content)]


def _shown(path: Path) -> str:
    """A recipe in an error: every run folder has a `recipe.yaml`, so that a file is named with its path."""
    return path.name if path.parent == RECIPES_FOLDER else str(path)


def _read_yaml(path: Path) -> dict[str, Any]:
    content = read_yaml(path, RecipeError, "Correct the recipe")
    if not isinstance(content, dict):
        raise RecipeError(f"recipe {_shown(path)} is not a mapping of keys to values", "See `vskd recipe show NAME`")
    if _OLD_KEYS & content.keys():
        raise RecipeError(
            f"Recipe {path} was written for an older vskd, before recipes had roles "
            f"({', '.join(sorted(_OLD_KEYS & content.keys()))})",
            "Write it anew after `vskd recipe show vskd`; a run folder of that time must be trained again",
        )
    return content


_GONE = {
    "vskd-utd-mhad": ("vskd", ""),
    "vskd-utd-mhad-kd": ("vskd", "--distiller kd"),
    "dangerous-driving-weighted": ("dangerous-driving", "--set student.training.class_weights=balanced"),
}
"""Recipe of earlier days -> the recipe of today, and what to add to it."""


def _recipe_path(name_or_path: str) -> Path:
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in name_or_path.split("/")):
        raise RecipeError(f"No recipe is called '{name_or_path[:40]}...'", "See `vskd recipe list`")
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        if not path.is_file():
            raise RecipeError(
                f"Recipe file {path} does not exist", "Check the path; `vskd recipe list` names the shipped recipes"
            )
        return path
    shipped = RECIPES_FOLDER / f"{name_or_path}.yaml"
    if not shipped.is_file():
        names = [p.stem for p in RECIPES_FOLDER.glob("*.yaml")]
        hint = _instead(name_or_path) or nearest(name_or_path, names)
        raise RecipeError(f"No recipe is called '{name_or_path}', {hint}", "See `vskd recipe list`")
    return shipped


def _instead(name: str) -> str:
    """What a recipe of earlier days is now; empty for other names."""
    base, twin = name.replace("-no-kd", ""), "-no-kd" in name
    base, *words = _GONE.get(base, (base,))
    for dataset in ("state-farm", "auc", "image-folder"):
        if base.endswith(f"-{dataset}"):
            base = base.removesuffix(f"-{dataset}")
            words.append(f"--dataset {dataset}")
    if base in PRESETS and base.startswith("krca-"):
        words.append(f"--distiller {base}")
        base = "krca"
    if base == name or not (RECIPES_FOLDER / f"{base}.yaml").is_file():
        return ""
    words += ["--distiller none"] * twin
    added = " ".join(word for word in words if word)
    return f"use {base}" + f" with {added}" * bool(added) + ", or `vskd compare ... --controls none`" * twin


def dump_recipe(recipe: Recipe) -> str:
    """The complete recipe as YAML, defaults included."""
    content = {**recipe.model_dump(mode="json"), "version": VERSION}
    return dump_yaml(content)


class Listed(NamedTuple):
    """A shipped recipe in a list."""

    name: str
    description: str
    for_microcontrollers: bool


def list_recipes() -> list[Listed]:
    """The shipped recipes."""
    recipes = {
        path.stem: load_recipe(path.stem) for path in sorted(RECIPES_FOLDER.glob("*.yaml"), key=lambda p: p.stem)
    }
    return [Listed(name, recipe.description, recipe.for_microcontrollers) for name, recipe in recipes.items()]
