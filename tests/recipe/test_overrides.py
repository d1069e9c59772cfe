"""Overrides of single keys: read as YAML, laid over what is there, and refused where they cannot be meant."""

import math

import pytest

from vskd.errors import RecipeError
from vskd.recipe import load_recipe
from vskd.recipe.overrides import changeable, with_overrides
from vskd.recipe.training import Training


def test_overrides_are_typed_as_yaml_and_exponents_are_numbers() -> None:
    recipe = load_recipe(
        "vskd", ["student.training.learning_rate=1e-3", "dataset.path=/some/where", "dataset.fold=null"]
    )
    assert recipe.student.training.learning_rate == 0.001
    assert recipe.dataset.path == "/some/where"
    assert recipe.dataset.fold is None


@pytest.mark.parametrize(
    ("override", "needle"),
    [
        ("student.training.epochs", "is not of the form key.path=value"),
        ("=5", "is not of the form"),
        ("student..epochs=1", "is not of the form"),
        ("student.training.epochs.more=1", "'epochs' holds no keys of its own"),
        ("seed=[1", "the value is not YAML"),
        ("teachers.1.network.dropout=0.1", "there is no element '1'"),
        ("distiller.terms.kdd.weight=1", "there is no element 'kdd', did you mean 'kd'"),
    ],
)
def test_malformed_overrides_are_refused(override: str, needle: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe("vskd", [override])
    assert f"--set '{override}'" in str(caught.value)
    assert needle in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("'1e-3'", "1e-3"),
        ("7", 7),
        ("true", True),
        ("null", None),
        ("[1, 2]", [1, 2]),
        ("a=b", "a=b"),
        ("nan", "nan"),
        ("1e999", math.inf),  # refused by every number type
    ],
)
def test_values_are_what_a_person_means(text: str, value: object) -> None:
    (found,) = with_overrides({}, [f"key={text}"]).values()
    assert (found, type(found)) == (value, type(value))


def test_other_keys_stay_and_the_last_word_counts() -> None:
    content = {"training": {"epochs": 1, "batch_size": 4}, "seed": 0}
    found = with_overrides(content, ["training.epochs=2", "training.epochs=3", "sees.augmentation.flip=0.5"])
    assert found == {
        "training": {"epochs": 3, "batch_size": 4},
        "seed": 0,
        "sees": {"augmentation": {"flip": 0.5}},
    }


def test_elements_of_lists_go_by_number_and_by_name() -> None:
    words = ["teachers.0.network.dropout=0.1", "distiller.terms.kd.weight=0.5", "distiller.terms.3.weight=2"]
    recipe = load_recipe("vskd", words)
    assert recipe.teachers[0].network.dropout == 0.1
    assert [term.weight for term in recipe.distiller.terms] == [1.0, 0.5, 1.0, 2.0, 1.0]


def test_naming_the_network_that_is_there_changes_none_of_its_settings_and_another_takes_none_over() -> None:
    words = ["student.network=resnet18", "teachers.0.network=trn", "distiller=dask"]
    assert load_recipe("vskd", words) == load_recipe("vskd")
    changed = load_recipe("vskd", ["student.network=cnn1d", "student.sees.encoding=raw"])
    assert changed.student.network.model_dump() == {"name": "cnn1d", "embedding_size": 300, "dropout": 0.0}
    assert changed.student.sees.encoding.model_dump() == {"method": "raw", "scaling": "fixed", "limit": 4.0}


def test_the_settings_of_a_network_that_was_just_named_can_be_set() -> None:
    words = ["student.sees.encoding=raw", "student.network=cnn1d", "student.network.embedding_size=12"]
    assert load_recipe("vskd", words).student.network.embedding_size == 12


def test_what_nobody_said_stands_in_no_overrides_way() -> None:
    """The defaults of keys that depend on another one: the recipe of a run folder is complete and has them all."""
    said = Training(schedule="onecycle", optimizer="sgd", momentum=0.5)
    assert "warmup" not in changeable(said)
    assert changeable(said)["momentum"] == 0.5
    krca = load_recipe("krca")
    assert krca.updated() == krca
    constant = krca.updated("student.training.schedule=constant").student.training
    assert (constant.schedule, constant.warmup) == ("constant", None)
    assert krca.updated("export.fine_tuning=never").export.fine_tuning_epochs is None
    assert krca.updated("student.network=mobilenet-v3-small-075").export.prune_stem is None
    assert load_recipe("vskd").updated("student.sees.encoding.scaling=minmax").student.sees.encoding.limit is None


def test_what_was_said_and_would_do_nothing_is_still_refused() -> None:
    said = load_recipe("krca", ["student.training.warmup=0.3", "export.prune_stem=0.1"])
    with pytest.raises(RecipeError, match="warmup does nothing here"):
        said.updated("student.training.schedule=constant")
    with pytest.raises(RecipeError, match=r"export\.prune_stem does nothing here"):
        said.updated("student.network=mobilenet-v3-small-075")


@pytest.mark.parametrize(
    ("value", "readings"),
    [
        ("010", "8 (octal) or 10, or as the text '010'"),
        ("0x10", "16"),
        ("1:30", "90 (base 60)"),
        ("1_000", "1000"),
        ("yes", "true"),
        ("off", "false"),
    ],
)
@pytest.mark.parametrize("key", ["student.training.epochs", "dataset.fold", "student.network.dropout"])
def test_what_can_be_read_in_two_ways_is_refused(key: str, value: str, readings: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe("vskd", [f"{key}={value}"])
    assert f"--set '{key}={value}': {value} may be read as {readings}" in str(caught.value)


def test_quoted_it_is_text() -> None:
    assert load_recipe("vskd", ["dataset.fold='010'"]).dataset.fold == "010"


@pytest.mark.parametrize("tells", ["name", "method", "modality", "preset", "loss"])
def test_naming_what_is_there_changes_none_of_its_settings(tells: str) -> None:
    """In a mapping and in a list; another one takes its place whole."""
    content = {"place": {tells: "x", "c": 2}, "list": [{tells: "x", "c": 2}]}
    assert with_overrides(content, ["place=x", "list.0=x"]) == {
        "place": {tells: "x", "c": 2},
        "list": [{tells: "x", "c": 2}],
    }
    assert with_overrides(content, ["place=y", "list.0=y"]) == {"place": "y", "list": ["y"]}


def test_a_section_that_is_empty_is_made_and_one_without_keys_is_refused() -> None:
    assert with_overrides({"head": None}, ["head.width=3"]) == {"head": {"width": 3}}
    assert with_overrides({"list": [{"name": "a"}]}, ["list.a.b.c=3"]) == {"list": [{"name": "a", "b": {"c": 3}}]}
    assert with_overrides({"list": [[1, 2]]}, ["list.0.1=3", "list.0.0=4"]) == {"list": [[4, 3]]}
    for path in ("list.0.x=1", "text.x=1", "zero.x=1"):
        with pytest.raises(RecipeError, match="holds no keys of its own"):
            with_overrides({"list": [3], "text": "a", "zero": 0}, [path])
    assert with_overrides({}, [" a.b =1", "c="]) == {"a": {"b": 1}, "c": None}
    for path in (".a=1", "a.=1", "a"):
        with pytest.raises(RecipeError, match=r"is not of the form key\.path=value"):
            with_overrides({}, [path])


def test_short_forms_are_written_out_after_each_override() -> None:
    content = {"student": {"network": "cnn1d", "sees": {"encoding": "raw"}}}
    with_overrides(content, ["student.network=resnet18", "student.network.dropout=0.5"])
    assert content["student"]["network"] == {"name": "resnet18", "dropout": 0.5}
    assert with_overrides({"student": {"network": "cnn1d"}}, []) == {"student": {"network": "cnn1d"}}
