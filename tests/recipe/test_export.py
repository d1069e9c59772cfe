"""The section export: what depends on the student has its default there, and is refused elsewhere."""

import pytest
from pydantic import ValidationError

from vskd.errors import RecipeError
from vskd.recipe import load_recipe
from vskd.recipe.export import Export, changeable_export, complete_export

WRIST, IMAGES, LW = ("window", "resnet18"), ("image", "mobilenet-v3-small-075"), ("image", "squeezenet-lw")


@pytest.mark.parametrize(
    ("student", "added"),
    [
        (WRIST, {"encoding_inside": False}),
        (IMAGES, {"fine_tuning": "auto"}),
        (LW, {"fine_tuning": "auto", "prune_stem": 0.0}),
        (("frames", "trn"), {}),
    ],
)
def test_what_depends_on_the_student_has_its_default_there(student: tuple[str, str], added: dict[str, object]) -> None:
    said = {"input_type": "float32"}
    assert complete_export(said, *student) == said | added
    assert said == {"input_type": "float32"}
    assert complete_export(complete_export(said, *student), *student) == said | added
    assert changeable_export(complete_export(said, *student)) == said


def test_what_was_said_stays() -> None:
    said = {"fine_tuning": "never", "prune_stem": 0.5}
    assert complete_export(said, *LW) == said
    assert changeable_export(said) == said


@pytest.mark.parametrize(
    ("key", "value", "student", "when"),
    [
        ("encoding_inside", True, IMAGES, "the student sees windows"),
        ("fine_tuning", "always", WRIST, "the student sees images"),
        ("prune_stem", 0.5, IMAGES, "the student is squeezenet-lw"),
        ("budget", {"macs": 1}, ("clip", "c3d"), "the student sees windows or images"),
    ],
)
def test_what_does_nothing_for_a_student_is_refused(
    key: str, value: object, student: tuple[str, str], when: str
) -> None:
    with pytest.raises(ValueError, match=f"export.{key} does nothing here: it counts only where {when}"):
        complete_export({key: value}, *student)


def test_settings_of_fine_tuning_count_where_it_may_happen() -> None:
    tuned = Export(fine_tuning="auto")
    assert (tuned.fine_tuning_epochs, tuned.fine_tuning_rate) == (2, 1e-4)
    assert Export().fine_tuning_epochs is None
    with pytest.raises(ValidationError, match="fine_tuning_epochs does nothing here"):
        Export(fine_tuning="never", fine_tuning_epochs=3)


def test_an_export_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Export().prune_stem = 0.5  # type: ignore[misc]


def test_the_recipe_fills_in_what_its_student_has() -> None:
    assert load_recipe("krca").export.prune_stem == 0.0
    assert load_recipe("dangerous-driving").export.prune_stem is None
    assert load_recipe("dangerous-driving").export.fine_tuning == "auto"
    assert load_recipe("vskd").export.encoding_inside is False
    with pytest.raises(RecipeError, match=r"export\.fine_tuning does nothing here"):
        load_recipe("vskd", ["export.fine_tuning=always"])


def test_a_hardware_budget_is_set_by_its_path_and_says_what_is_wrong() -> None:
    assert load_recipe("vskd").export.budget is None
    recipe = load_recipe("vskd", ["export.budget.part=cortex-m33", "export.budget.ram_bytes=65536"])
    assert recipe.export.budget is not None
    assert (recipe.export.budget.part, recipe.export.budget.ram_bytes) == ("cortex-m33", 65536)
    assert recipe.updated("export.budget=null").export.budget is None
    for word, problem in (
        ("export.budget.part=cortex-m3", "export.budget.part: 'cortex-m3' is not allowed, did you mean 'cortex-m33'"),
        ("export.budget.flash=1", "export.budget.flash: unknown key"),
        ("export.budget.ram_bytes=0", "export.budget.ram_bytes"),
        ("export.budget={}", "export.budget: it limits nothing; say part, or one of flash_bytes, ram_bytes, macs"),
        ("export.budget.latency_ms=5", "latency_ms needs a part with a clock: cortex-m4-256k, cortex-m33, cortex-m55"),
        ("export.budget={part: wear-os, latency_ms: 5}", "latency_ms needs a part with a clock"),
    ):
        with pytest.raises(RecipeError) as caught:
            load_recipe("vskd", [word])
        assert problem in str(caught.value), str(caught.value)
    with pytest.raises(RecipeError, match="whose ends are int8: output_type may not be float32 beside it"):
        recipe.updated("export.output_type=float32")


def test_what_holds_where_nothing_is_said_of_an_export() -> None:
    assert Export().model_dump(exclude_none=True) == {
        **{"input_type": "int8", "output_type": "int8", "calibration_recordings": 200, "max_accuracy_drop": 0.02},
    }
    assert Export(fine_tuning="always", fine_tuning_epochs=7, fine_tuning_rate=0.5).fine_tuning_epochs == 7


@pytest.mark.parametrize("modality", ["window", "image"])
def test_a_budget_counts_for_windows_and_for_images(modality: str) -> None:
    said = {"budget": {"macs": 1}}
    assert complete_export(said, modality, "cnn1d")["budget"] == {"macs": 1}
    assert complete_export({"encoding_inside": None, "budget": None}, modality, "cnn1d")["budget"] is None


@pytest.mark.parametrize("ends", [("input_type",), ("output_type",), ("input_type", "output_type")])
def test_a_budget_and_ends_of_floats_contradict_each_other(ends: tuple[str, ...]) -> None:
    floats = dict.fromkeys(ends, "float32")
    assert Export.model_validate(floats).budget is None
    with pytest.raises(ValidationError, match=f"whose ends are int8: {' and '.join(ends)} may not be float32"):
        Export.model_validate({**floats, "budget": {"macs": 1}})


def test_settings_that_are_no_defaults_stay_changeable() -> None:
    said = {"encoding_inside": True, "fine_tuning": "always", "prune_stem": 0.25, "budget": 3, "input_type": "int8"}
    assert changeable_export(said) == said
    usual = {"encoding_inside": False, "fine_tuning": "auto", "prune_stem": 0.0, "budget": None, "input_type": "int8"}
    assert changeable_export(usual) == {"input_type": "int8"}
