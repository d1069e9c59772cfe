"""Recipes on disk: the shipped ones by name, and YAML files of one's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from vskd.errors import RecipeError, nearest
from vskd.recipe.overrides import with_overrides
from vskd.recipe.schema import Recipe, parse_recipe

RECIPES_FOLDER = Path(__file__).parents[1] / "recipes"


def _merged(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, key by key."""
    for key, value in changes.items():
        nested = isinstance(value, Mapping) and isinstance(base.get(key), dict)
        base[key] = _merged(base[key], value) if nested else value
    return base


def _read_yaml(path: Path, extended_by: tuple[Path, ...] = ()) -> Any:
    """The content of a recipe file; one that says `extends: OTHER` is laid over the recipe it names.

    Args:
        path: of the file.
        extended_by: the files that led here, the first one first.

    Raises:
        RecipeError: it cannot be read, or the files extend each other in a circle.
    """
    chain = (*extended_by, path)
    if path.resolve() in {earlier.resolve() for earlier in extended_by}:
        named = " -> ".join(str(file) for file in chain)
        raise RecipeError(f"Recipe {path} extends itself: {named}", "Name another recipe in one 'extends'")
    try:
        content = _numbers(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        detail = " ".join(str(error).split())
        raise RecipeError(f"Recipe {path} cannot be read: {detail}", "Correct the file") from error
    if not isinstance(content, dict) or "extends" not in content:
        return content
    base = _read_yaml(_recipe_path(str(content.pop("extends"))), chain)
    return _merged(base, content) if isinstance(base, dict) else content


def _recipe_path(name_or_path: str) -> Path:
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
        raise RecipeError(
            f"No recipe is called '{name_or_path}', {nearest(name_or_path, names)}", "See `vskd recipe list`"
        )
    return shipped


def load_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a shipped recipe by name, or a recipe file, and apply `key.path=value` overrides.

    Raises:
        RecipeError: unknown name, unreadable file, or invalid content; all problems at once.
    """
    path = _recipe_path(name_or_path)
    content = _read_yaml(path)
    if isinstance(content, dict):
        content = with_overrides(content, overrides)
    return parse_recipe(content, source=f"recipe {path.name}")


def _numbers(content: Any) -> Any:
    """Turn the strings that YAML 1.1 makes of 1e-3 into numbers, everywhere."""
    if isinstance(content, dict):
        return {k: _numbers(v) for k, v in content.items()}
    if isinstance(content, str) and content[:1].isdigit() and "e" in content:
        try:
            return float(content)
        except ValueError:
            return content
    return content


def dump_recipe(recipe: Recipe) -> str:
    """The complete recipe as YAML, defaults included."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120)


def list_recipes() -> list[tuple[str, str]]:
    """Names and descriptions of the shipped recipes."""
    return [
        (p.stem, load_recipe(p.stem).description) for p in sorted(RECIPES_FOLDER.glob("*.yaml"), key=lambda p: p.stem)
    ]
