"""Short forms written out, contents laid over each other, and what a data set wants."""

from pathlib import Path
from typing import Any

import pytest

from vskd.datasets.catalog import DATASETS, get_dataset
from vskd.errors import RecipeError
from vskd.recipe import load_recipe
from vskd.recipe.expand import dataset_of, expanded, merged, overlay, position, roles_of, with_dataset_defaults


def test_short_forms_are_written_out_for_every_role() -> None:
    role = {"sees": {"modality": "window", "encoding": "raw", "streams": "gyroscope"}, "network": "cnn1d"}
    written = {
        "sees": {"modality": "window", "encoding": {"method": "raw"}, "streams": ["gyroscope"]},
        "network": {"name": "cnn1d"},
    }
    content = expanded({"student": dict(role, sees=dict(role["sees"])), "teachers": [role], "distiller": "none"})
    assert content["student"] == content["teachers"][0] == written
    assert content["distiller"]["preset"] == "none"
    assert [term["loss"] for term in content["distiller"]["terms"]] == ["cross_entropy"]
    assert expanded(dict(content)) == content


@pytest.mark.parametrize("content", [{}, {"student": 3, "teachers": "x"}, {"teachers": [None, 4]}])
def test_what_is_no_role_is_left_for_the_schema_to_refuse(content: dict[str, Any]) -> None:
    assert list(roles_of(content)) == []
    assert expanded(dict(content)) == content


@pytest.mark.parametrize(
    ("base", "changes", "result"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": 1}, {"a": {"b": 3}}, {"a": {"b": 3}}),
        ({"a": {"b": 1}}, {"a": None, "d": 4}, {"a": None, "d": 4}),
        ({"n": {"name": "x", "c": 2}}, {"n": {"name": "x", "b": 1}}, {"n": {"name": "x", "c": 2, "b": 1}}),
        ({"n": {"name": "x", "c": 2}}, {"n": {"name": "y"}}, {"n": {"name": "y"}}),
        ({"n": {"modality": "x", "c": 2}}, {"n": {"modality": "y"}}, {"n": {"modality": "y"}}),
        ({"n": {"preset": "x", "c": 2}}, {"n": {"preset": "y"}}, {"n": {"preset": "y"}}),
        ({"n": {"method": "x", "c": 2}}, {"n": {"method": "y"}}, {"n": {"method": "y"}}),
        ({"n": {"name": "x", "c": 2}}, {"n": {"method": "y"}}, {"n": {"name": "x", "c": 2, "method": "y"}}),
        ({"d": {"preset": "x", "c": 2}}, {"d": {"terms": [{"loss": "kd"}]}}, {"d": {"terms": [{"loss": "kd"}]}}),
        ({"d": {"preset": "x", "c": 2}}, {"d": {"terms": {}}}, {"d": {"preset": "x", "c": 2, "terms": {}}}),
        ({"d": {"c": 2}}, {"d": {"terms": []}}, {"d": {"c": 2, "terms": []}}),
        (
            {"d": {"preset": "x", "c": 2}},
            {"d": {"preset": "x", "terms": []}},
            {"d": {"preset": "x", "c": 2, "terms": []}},
        ),
        ({"d": {"preset": None, "c": 2}}, {"d": {"terms": []}}, {"d": {"preset": None, "c": 2, "terms": []}}),
        ({"n": {"loss": "x", "c": 2}}, {"n": {"loss": "y"}}, {"n": {"loss": "y"}}),
        (
            {"n": {"name": "x", "loss": "a", "c": 2}},
            {"n": {"name": "x", "loss": "b"}},
            {"n": {"name": "x", "loss": "b"}},
        ),
        ({"t": [1, {"a": 1, "b": 2}]}, {"t": {1: {"a": 3}}}, {"t": [1, {"a": 3, "b": 2}]}),
        ({"t": [{"loss": "kd", "w": 1}]}, {"t": {"kd": {"w": 2}}}, {"t": [{"loss": "kd", "w": 2}]}),
        ({"t": [{"loss": "kd"}]}, {"t": [{"loss": "x"}]}, {"t": [{"loss": "x"}]}),
        ({"t": [1, {"loss": "kd", "w": 1}]}, {"t": {1: {"loss": "x"}}}, {"t": [1, {"loss": "x"}]}),
        ({"t": [{"loss": "kd", "w": 1}]}, {"t": {"kd": {"loss": "x", "v": 2}}}, {"t": [{"loss": "x", "v": 2}]}),
        ({"t": [{"loss": "k", "w": 1}]}, {"t": {0: {"name": "n"}}}, {"t": [{"loss": "k", "w": 1, "name": "n"}]}),
        ({"t": [{"loss": "k", "w": 1}]}, {"t": {0: {"loss": "k", "v": 2}}}, {"t": [{"loss": "k", "w": 1, "v": 2}]}),
    ],
)
def test_changes_are_laid_over_key_by_key_and_nothing_is_taken_from_another_thing(
    base: dict[str, Any], changes: dict[str, Any], result: dict[str, Any]
) -> None:
    assert merged(base, changes) == result


def test_elements_are_found_by_name_loss_or_number() -> None:
    terms = [{"loss": "kd"}, {"loss": "attention_transfer", "name": "deep"}, {"loss": "crcd", "name": None}]
    assert [position(terms, key, "here") for key in ("kd", "deep", "crcd", "2")] == [0, 1, 2, 2]
    for key, hint in (("attention_transfer", "valid names"), ("dep", "did you mean 'deep'"), ("3", "valid names")):
        with pytest.raises(RecipeError, match=f"here: there is no element '{key}', {hint}"):
            position(terms, key, "here")
    with pytest.raises(RecipeError, match="the list is empty"):
        position([], "0", "here")


def test_the_data_set_is_found_or_proposed() -> None:
    assert dataset_of({}) is None
    assert dataset_of({"dataset": {"path": "x"}}) is None
    assert dataset_of({"dataset": {"name": "auc"}}) is DATASETS["auc"]
    with pytest.raises(RecipeError, match=r"dataset\.name: .*did you mean 'state-farm'"):
        dataset_of({"dataset": {"name": "state-frm"}})


def test_a_data_sets_defaults_fill_what_was_not_said() -> None:
    content: dict[str, Any] = {
        "dataset": {"name": "utd-mhad"},
        "student": {"sees": {"modality": "window"}},
        "teachers": [{"sees": {"modality": "frames", "fit": "centre-crop"}}],
    }
    found = with_dataset_defaults(content, get_dataset("utd-mhad"))
    assert found["dataset"] == {"name": "utd-mhad", "protocol": "cross-subject", "fold": None}
    assert found["student"]["sees"] == {"modality": "window", "streams": ["accelerometer"]}
    assert found["teachers"][0]["sees"] == {"modality": "frames", "streams": ["depth"], "fit": "centre-crop"}
    found["student"]["sees"]["streams"].append("changed")
    assert get_dataset("utd-mhad").defaults["window"]["streams"] == ["accelerometer"]


def test_a_protocol_that_was_said_brings_no_fold() -> None:
    said = with_dataset_defaults({"dataset": {"name": "state-farm", "protocol": "official"}}, get_dataset("state-farm"))
    assert said["dataset"] == {"name": "state-farm", "protocol": "official"}


def test_what_a_data_set_changes_in_a_recipe_is_a_copy() -> None:
    entry = get_dataset("state-farm")
    changes = overlay(entry, "krca")
    changes["student"]["training"]["epochs"] = 1
    assert overlay(entry, "krca")["student"]["training"]["epochs"] == 20
    assert overlay(entry, "vskd") == overlay(None, "krca") == {}


@pytest.mark.parametrize("system", ["krca", "dangerous-driving", "krca-full", "krca-long"])
@pytest.mark.parametrize("dataset", ["state-farm", "auc", "image-folder"])
def test_recipes_fit_every_data_set_of_images(system: str, dataset: str) -> None:
    """Whole frames, a protocol that is there, mirror images where they make sense; networks as elsewhere."""
    from vskd.datasets.splits.protocol import load_protocol

    recipe, base = load_recipe(system, [f"dataset.name={dataset}"]), load_recipe(system)
    entry = get_dataset(dataset)
    assert (recipe.dataset.name, recipe.dataset.protocol) == (dataset, entry.protocols[0])
    folds = load_protocol(dataset, recipe.dataset.protocol).folds
    assert recipe.dataset.fold in (folds if isinstance(folds, dict) else [None])
    size = 224 if system == "krca-full" else 128
    for role, usual in ((recipe.student, base.student), (recipe.teachers[0], base.teachers[0])):
        sees = role.sees
        assert (sees.crop, sees.size, sees.grey, sees.margin) == ("full", size, False, None)
        assert (sees.augmentation.flip > 0) == (entry.label_swap is not None)
        assert role.network == usual.network
    assert recipe.export == base.export


def test_side_views_have_half_the_epochs_and_a_temperature_that_rises_twice_as_fast() -> None:
    def told(name: str, dataset: str) -> tuple[int, int]:
        recipe = load_recipe(name, [f"dataset.name={dataset}"])
        return recipe.student.training.epochs, recipe.teachers[0].training.epochs

    assert told("krca", "driver-inattention") == (40, 20)
    assert told("krca", "state-farm") == told("dangerous-driving", "auc") == (20, 10)
    assert told("krca-long", "state-farm") == (100, 10)  # what a recipe says itself is stronger
    slopes = [
        load_recipe("dangerous-driving", [f"dataset.name={name}"]).distiller.terms[1].temperature_slope
        for name in ("driver-inattention", "state-farm", "image-folder")
    ]
    assert slopes == [0.5, 1.0, 0.5]


def test_a_data_set_is_named_shortly_or_in_its_section() -> None:
    assert dataset_of({"dataset": "auc"}) is DATASETS["auc"]
    assert dataset_of({"dataset": 3}) is None
    with pytest.raises(RecipeError, match=r"dataset\.name: There is no data set '3'"):
        dataset_of({"dataset": {"name": 3}})


def test_defaults_of_a_data_set_are_weaker_than_what_is_said() -> None:
    entry = get_dataset("state-farm")
    content: dict[str, Any] = {
        "student": {"sees": {"modality": "image", "streams": ["other"], "size": 40}},
        "teachers": [{"sees": {"modality": "smell"}}, {"sees": "x"}, 3],
    }
    found = with_dataset_defaults(content, entry)
    assert found["dataset"] == {"name": "state-farm", "protocol": entry.protocols[0], "fold": entry.fold}
    assert found["dataset"]["fold"] is not None
    sees = found["student"]["sees"]
    assert (sees["streams"], sees["size"]) == (["other"], 40) and set(sees) > {"modality", "streams", "size"}
    assert found["teachers"] == [{"sees": {"modality": "smell"}}, {"sees": "x"}, 3]
    named = with_dataset_defaults({"dataset": {"name": "state-farm", "fold": "7"}}, entry)
    assert named["dataset"] == {"name": "state-farm", "protocol": entry.protocols[0], "fold": "7"}


def test_a_folder_s_own_protocol_is_the_default_and_of_several_one_must_be_named(tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_text("format: sensor-folder 1\n")
    (tmp_path / "cross-subject.yaml").write_text("split_by: subject\n")
    section = {"name": "sensor-folder", "path": str(tmp_path)}
    found = with_dataset_defaults({"dataset": section}, get_dataset("sensor-folder"))
    assert found["dataset"] == section | {"protocol": str(tmp_path / "cross-subject.yaml"), "fold": None}
    (tmp_path / "subject-folds.yaml").write_text("split_by: subject\n")
    with pytest.raises(RecipeError, match=r"dataset\.protocol: .* several protocols of its own: .*subject-folds\.yaml"):
        with_dataset_defaults({"dataset": section}, get_dataset("sensor-folder"))
    said = section | {"protocol": "leave-one-subject-out"}
    assert with_dataset_defaults({"dataset": said}, get_dataset("sensor-folder"))["dataset"] == said


def test_roles_are_the_student_first() -> None:
    content: dict[str, Any] = {"teachers": [{"n": 1}, None, {"n": 2}], "student": {"n": 0}}
    assert [role["n"] for role in roles_of(content)] == [0, 1, 2]
    assert list(roles_of({"student": None, "teachers": {"0": {}}})) == []


def test_a_change_of_a_list_needs_its_element_and_keeps_the_others() -> None:
    base: dict[str, Any] = {"t": [{"name": "a", "v": 1}, {"loss": "b", "v": 2}, 3]}
    assert merged(base, {"t": {"b": {"v": 5}, "2": 4}})["t"] == [{"name": "a", "v": 1}, {"loss": "b", "v": 5}, 4]
    assert merged(base, {"t": {"a": 7}})["t"] == [7, {"loss": "b", "v": 5}, 4]
    with pytest.raises(RecipeError, match="t: there is no element 'c'"):
        merged(base, {"t": {"c": {"v": 1}}})
    assert [position([{"loss": "x"}, {"loss": "x"}], key, "here") for key in ("x", "0", "1")] == [0, 0, 1]
    for key in ("-1", "2", "1.0", ""):
        with pytest.raises(RecipeError, match="here: there is no element"):
            position([{"loss": "x"}, 3], key, "here")
