"""What a section refuses by itself: unknown keys, conversions, changes, and settings that contradict each other."""

import pytest
from pydantic import ValidationError

from vskd.errors import RecipeError
from vskd.recipe import load_recipe
from vskd.recipe.sections import ExportSection, Section, TrainingSection


def all_sections(section: type[Section] = Section) -> list[type[Section]]:
    """Every kind of section, the recipe itself among them."""
    return [kind for below in section.__subclasses__() for kind in (below, *all_sections(below))]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["sensor.window=sliding"], "rate_hz and stride"),
        (["training.select=best", "training.validation=none"], "needs validation recordings"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe("vskd-utd-mhad", overrides)


def test_last_epoch_without_validation_is_no_contradiction() -> None:
    assert TrainingSection(select="last", validation="none").select == "last"


@pytest.mark.parametrize(
    ("content", "needle"),
    [
        ({"epochs": "5"}, "valid integer"),
        ({"epochs": 5.5}, "valid integer"),
        ({"epochs": 0}, "greater than or equal to 1"),
        ({"learning_rate": float("inf")}, "finite"),
        ({"label_smoothing": 1.0}, "less than 1"),
        ({"epoch": 5}, "not permitted"),
    ],
)
def test_values_are_not_bent_to_fit(content: dict[str, object], needle: str) -> None:
    with pytest.raises(ValidationError, match=needle):
        TrainingSection.model_validate(content)


def test_sections_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ExportSection().prune_stem = 0.5  # type: ignore[misc]


@pytest.mark.parametrize("kind", all_sections(), ids=lambda kind: kind.__name__)
def test_later_keys_are_keys_with_a_default(kind: type[Section]) -> None:
    """A misspelled one would silently change the hashes of published results; one without a default has no silence."""
    fields = kind.model_fields
    assert kind.later <= fields.keys()
    assert not [name for name in kind.later if fields[name].is_required()]
