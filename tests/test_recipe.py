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


def test_all_problems_are_reported_at_once_with_path_and_nearest_name() -> None:
    overrides = ["training.epoch=5", "encoding.method=gas", "teacher.dropout=2", "training.batch_size=many"]
    with pytest.raises(RecipeError) as caught:
        load_recipe("vskd-utd-mhad", overrides)
    message = str(caught.value)
    assert "4 problem(s)" in message
    assert "training.epoch: unknown key, did you mean 'epochs'?" in message
    assert "encoding.method: 'gas' is not allowed, did you mean 'gasf'?" in message
    assert "teacher.dropout" in message
    assert "training.batch_size" in message


def test_unknown_recipe_proposes_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"did you mean 'vskd-utd-mhad'"):
        load_recipe("vskd-utd-mha")


def test_overrides_are_typed_as_yaml_and_exponents_are_numbers() -> None:
    recipe = load_recipe(
        "vskd-utd-mhad", ["training.learning_rate=1e-3", "dataset.path=/some/where", "dataset.fold=null"]
    )
    assert recipe.training.learning_rate == 0.001
    assert recipe.dataset.path == "/some/where"
    assert recipe.dataset.fold is None


@pytest.mark.parametrize(
    "override", ["training.epochs", "=5", "training.epochs.more=1", "training..epochs=1", "seed=[1"]
)
def test_malformed_overrides_are_refused(override: str) -> None:
    with pytest.raises(RecipeError, match=r"--set"):
        load_recipe("vskd-utd-mhad", [override])


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


def test_hash_ignores_where_the_data_lies_but_not_what_is_done() -> None:
    recipe = load_recipe("vskd-utd-mhad")
    assert recipe.hash_of("dataset") == recipe.updated("dataset.path=/elsewhere").hash_of("dataset")
    assert recipe.hash_of("dataset") != recipe.updated("dataset.protocol=subject-specific").hash_of("dataset")
    assert recipe.updated("seed=3").seed == 3


def test_kd_and_no_kd_recipes_differ_in_the_distiller_only() -> None:
    with_kd, without = load_recipe("vskd-utd-mhad"), load_recipe("vskd-utd-mhad-no-kd")
    for part in ("seed", "dataset", "sensor", "encoding", "augmentation", "frames", "teacher", "student", "training"):
        assert getattr(with_kd, part) == getattr(without, part)
    assert without.distiller.name == "none"
