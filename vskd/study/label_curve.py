"""A learning curve over labels: recipes with several label settings, and the rows of a table that belong to a curve."""

import re
from collections import defaultdict
from collections.abc import Sequence

from vskd.files import sha256_json
from vskd.recipe import Recipe
from vskd.study.comparison_schema import Comparison, Row

_PLAIN = re.compile(r"[a-z0-9.,%()_ -]*")
"""Titles whose names differ as they do."""


def slug(title: str) -> str:
    """A label setting's title as part of a recipe's name; one with other signs than these has some of its hash behind.

    >>> slug("subjects 1, 3"), slug("10 %"), slug("subject Ä")
    ('subjects-1-3', '10', 'subject-0f8d45')
    """
    plain = re.sub(r"[^a-z0-9.]+", "-", title.lower()).strip("-")
    return plain if _PLAIN.fullmatch(title) else f"{plain}-{sha256_json(title)[:6]}"


def along(recipes: Sequence[Recipe], settings: Sequence[str]) -> list[Recipe]:
    """Every recipe once for each label setting, which its name then ends with; as they are where there is none.

    Args:
        recipes: what they say of labels is replaced.
        settings: content of a recipe's `labels`, as YAML.

    Raises:
        RecipeError: a setting is none.
    """
    if not settings:
        return list(recipes)
    made = [recipe.updated(f"labels={setting}") for recipe in recipes for setting in settings]
    return [recipe.model_copy(update={"name": f"{recipe.name}-{slug(recipe.labels.title)}"}) for recipe in made]


def curves(comparison: Comparison) -> dict[str, list[Row]]:
    """Name of a recipe without its label setting -> its students' rows, from few labels to many; two or more."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in comparison.rows:
        name, count = re.subn(rf"-{re.escape(slug(row.labels))}(?=-|$)", "", row.recipe, count=1)
        if row.kind == "student" and row.labelled is not None and count:
            found[name].append(row)
    ordered = {name: sorted(rows, key=lambda row: row.labelled or 0) for name, rows in found.items()}
    return {name: rows for name, rows in ordered.items() if len({row.labelled for row in rows}) > 1}
