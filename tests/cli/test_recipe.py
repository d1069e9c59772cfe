"""`vskd recipe`: list, show, validate; mistakes come with the nearest valid name."""

import json
from pathlib import Path

import pytest
import yaml

from vskd.recipe import list_recipes, load_recipe

RECIPE = "name: small\ndataset: {name: synthetic}\n"


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def test_list_names_every_shipped_recipe(vskd) -> None:
    listed = json.loads(vskd("recipe", "list", "--json").out)
    assert [(entry["name"], entry["description"]) for entry in listed] == list_recipes()
    text = vskd("recipe", "list").out
    assert all(entry["name"] in text for entry in listed)


def test_every_shipped_recipe_is_valid_and_described(vskd) -> None:
    for name, description in list_recipes():
        assert vskd("recipe", "validate", name).code == 0
        assert description


def test_show_prints_yaml_that_is_the_recipe(vskd, recipe_file: Path, tmp_path: Path) -> None:
    answer = vskd("recipe", "show", recipe_file, "--set", "training.epochs=5", "--seed", "3")
    assert answer.code == 0
    again = tmp_path / "again.yaml"
    again.write_text(answer.out, encoding="utf-8")
    assert load_recipe(str(again)) == load_recipe(str(recipe_file), ["training.epochs=5", "seed=3"])
    assert yaml.safe_load(answer.out)["training"]["epochs"] == 5


def test_show_as_json_is_pure_json(vskd, recipe_file: Path) -> None:
    answer = vskd("recipe", "show", recipe_file, "--json")
    assert json.loads(answer.out) == load_recipe(str(recipe_file)).model_dump(mode="json")


def test_validate_says_valid(vskd, recipe_file: Path) -> None:
    answer = vskd("recipe", "validate", recipe_file)
    assert (answer.code, answer.out, answer.err) == (0, f"{recipe_file}: valid\n", "")


def test_all_mistakes_are_reported_at_once_with_the_nearest_name(vskd, recipe_file: Path) -> None:
    recipe_file.write_text(RECIPE + "training: {epoch: 5, batch_size: no}\nencodng: {}\n", encoding="utf-8")
    answer = vskd("recipe", "validate", recipe_file)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.count("\n") == 1
    assert "small.yaml" in answer.err
    for needle in ("training.epoch:", "'epochs'", "training.batch_size", "encodng", "'encoding'"):
        assert needle in answer.err


@pytest.mark.parametrize(
    ("words", "needles"),
    [
        (["vskd-utd-mhd"], ["vskd-utd-mhd", "vskd-utd-mhad", "vskd recipe list"]),
        (["nowhere/mine.yaml"], ["nowhere/mine.yaml", "does not exist"]),
        (["vskd-utd-mhad", "--set", "training.epochs"], ["training.epochs", "key.path=value"]),
        (["vskd-utd-mhad", "--set", "training.epochs=0"], ["training.epochs", "0"]),
    ],
)
def test_mistakes_are_one_line_with_the_next_action(vskd, words: list[str], needles: list[str]) -> None:
    answer = vskd("recipe", "validate", *words)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.count("\n") == 1
    assert all(needle in answer.err for needle in needles), answer.err
