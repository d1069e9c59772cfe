"""Recipes on disk: the shipped ones, files of one's own that extend them, and files that are no recipe."""

from pathlib import Path

import pytest
import yaml

from vskd.errors import RecipeError
from vskd.recipe import RECIPES_FOLDER, dump_recipe, list_recipes, load_recipe

SHIPPED = sorted(p.stem for p in RECIPES_FOLDER.glob("*.yaml"))


def write(path: Path, **content: object) -> str:
    path.write_text(yaml.safe_dump(content))
    return str(path)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipes_are_valid_and_survive_a_round_trip(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description
    (tmp_path / "again.yaml").write_text(dump_recipe(recipe))
    assert load_recipe(str(tmp_path / "again.yaml")) == recipe


def test_list_names_every_shipped_recipe() -> None:
    assert [name for name, _ in list_recipes()] == SHIPPED


def test_unknown_recipe_proposes_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"did you mean 'vskd-utd-mhad'"):
        load_recipe("vskd-utd-mha")


def test_extends_lays_changes_over_the_base(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.yaml", extends="vskd-utd-mhad", name="mine", training={"epochs": 3})
    mine, base = load_recipe(path), load_recipe("vskd-utd-mhad")
    assert mine.training.epochs == 3
    assert mine.training.learning_rate == base.training.learning_rate
    assert mine.teacher == base.teacher


def test_a_recipe_that_extends_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "loop.yaml"
    write(path, extends=str(path), name="loop")
    with pytest.raises(RecipeError, match=r"extends itself"):
        load_recipe(str(path))


def test_recipes_that_extend_each_other_are_refused_with_the_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The circle need not begin at the file that is loaded, and a file may be named in two ways."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "start.yaml", extends="a.yaml")
    write(tmp_path / "a.yaml", extends=str(tmp_path / "b.yaml"))
    write(tmp_path / "b.yaml", extends=str(tmp_path / "a.yaml"))
    with pytest.raises(RecipeError, match=r"extends itself: start.yaml -> a.yaml -> .*b.yaml -> .*a.yaml\. Name"):
        load_recipe("start.yaml")


@pytest.mark.parametrize("text", ["- a\n- b\n", "name: [", "!!python/object/apply:os.system ['true']"])
def test_files_that_are_no_recipe_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=r"bad.yaml"):
        load_recipe(str(path))


def test_missing_file_and_missing_keys_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"does not exist"):
        load_recipe(str(tmp_path / "none.yaml"))
    with pytest.raises(RecipeError, match=r"dataset: missing"):
        load_recipe(write(tmp_path / "a.yaml", name="a"))
