"""Overrides of single keys, `a.b=value`, as typed behind `--set`."""

import math
from collections.abc import Sequence
from typing import Any

import yaml

from vskd.errors import RecipeError


def with_overrides(content: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Apply `a.b=value` to nested mappings; the value is read as YAML."""
    for override in overrides:
        path, separator, text = override.partition("=")
        keys = path.strip().split(".")
        if not separator or not all(keys):
            raise RecipeError(
                f"--set {override!r} is not of the form key.path=value", "Write e.g. --set training.epochs=5"
            )
        place: Any = content
        for key in keys[:-1]:
            place = place.setdefault(key, {}) if isinstance(place, dict) else None
            if not isinstance(place, dict):
                raise RecipeError(
                    f"--set {override!r}: '{key}' holds no keys of its own", "See `vskd recipe show NAME`"
                )
        place[keys[-1]] = _scalar(text, override)
    return content


def _scalar(text: str, override: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(
            f"--set {override!r}: the value is not YAML", "Quote it, or write a plain number or word"
        ) from error
    if isinstance(value, str) and text.strip()[:1] not in ('"', "'"):
        try:  # YAML 1.1 reads 1e-3 as a string; a person means the number
            number = float(value)
        except ValueError:
            return value
        return number if math.isfinite(number) else value
    return value
