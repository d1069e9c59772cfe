"""Overrides of single keys, `a.b=value`, as typed behind `--set`."""

from collections.abc import Sequence
from typing import Any

import yaml

from vskd.errors import RecipeError
from vskd.recipe.expand import TELLS, expanded, position
from vskd.schema import Strict
from vskd.yaml_text import AmbiguousError, load_yaml


def with_overrides(content: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Apply `a.b=value` to nested mappings and lists, in place; the value is read as YAML.

    An element of a list is named by its number, counted from 0, or by its `name` or `loss`:
    `teachers.0.network.dropout=0.1`, `distiller.terms.kd.weight=0.5`. Short forms are written out after each.

    Raises:
        RecipeError: not of that form, or the path leads nowhere.
    """
    for override in overrides:
        path, separator, text = override.partition("=")
        *keys, last = path.strip().split(".")
        if not separator or not all((*keys, last)):
            raise RecipeError(
                f"--set {override!r} is not of the form key.path=value", "Write e.g. --set student.training.epochs=5"
            )
        place: Any = content
        for key in keys:
            place = _step(place, key, override)
        _put(place, last, _scalar(text, override), override)
        expanded(content)
    return content


def changeable(settings: Strict) -> dict[str, Any]:
    """The content that overrides are laid over: without the defaults of conditional keys, which another choice of the
    deciding key would make idle, and so refused, although nobody said them."""
    return {
        key: _plain(value)
        for key, value in settings
        if key not in settings.conditional or value != settings.conditional[key].default
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Strict):
        return changeable(value)
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def _put(place: Any, key: str, value: Any, override: str) -> None:
    """Set one key of a mapping, or one element of a list."""
    where: Any = position(place, key, f"--set {override!r}") if isinstance(place, list) else key
    current = place[where] if isinstance(place, list) else place.get(where)
    if not _chosen_already(current, value):
        place[where] = value


def _chosen_already(current: Any, value: Any) -> bool:
    """Naming the network (or preset ...) that is there changes none of its settings."""
    return isinstance(current, dict) and any(tell in current and current[tell] == value for tell in TELLS)


def _step(place: Any, key: str, override: str) -> Any:
    """The mapping or list under `key`; a missing mapping is made, to be refused by name where it has no meaning."""
    if isinstance(place, list):
        inner = place[position(place, key, f"--set {override!r}")]
    else:
        if place.get(key) is None:
            place[key] = {}
        inner = place[key]
    if not isinstance(inner, dict | list):
        raise RecipeError(f"--set {override!r}: '{key}' holds no keys of its own", "See `vskd recipe show NAME`")
    return inner


def _scalar(text: str, override: str) -> Any:
    try:
        return load_yaml(text)
    except AmbiguousError as error:
        raise RecipeError(f"--set {override!r}: {str(error).removeprefix('line 1: ')}", "Say which is meant") from error
    except yaml.YAMLError as error:
        raise RecipeError(
            f"--set {override!r}: the value is not YAML", "Quote it, or write a plain number or word"
        ) from error
