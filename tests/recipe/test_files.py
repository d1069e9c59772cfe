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
    assert yaml.safe_load(dump_recipe(recipe))["version"] == 2


def test_a_complete_recipe_takes_nothing_from_today_s_defaults_of_its_data_set(tmp_path: Path) -> None:
    """The recipe of a run folder says what was done, even where the data set now wants something else."""
    recipe = load_recipe("krca", ["student.sees.margin=0.3", "student.training.epochs=7"])
    content = yaml.safe_load(dump_recipe(recipe))
    del content["student"]["sees"]["margin"]  # the data set would say 0.1, the modality 0
    found = load_recipe(write(tmp_path / "recipe.yaml", **content))
    assert found.student.sees.margin == 0.0
    assert found.student.training.epochs == 7
    assert load_recipe(str(tmp_path / "recipe.yaml"), ["student.training.epochs=8"]).student.training.epochs == 8


def test_list_names_every_shipped_recipe_and_fits_a_screen() -> None:
    assert [name for name, *_ in list_recipes()] == SHIPPED
    assert len(SHIPPED) <= 24
    assert all(description and "\n" not in description for _, description, _ in list_recipes())


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("vskdd", "did you mean 'vskd'"),
        ("vskd-utd-mhad", "use vskd"),
        ("vskd-utd-mhad-no-kd", "use vskd with --distiller none"),
        ("vskd-utd-mhad-kd", "use vskd with --distiller kd"),
        ("demo-no-kd", "use demo with --distiller none"),
        ("krca-state-farm", "use krca with --dataset state-farm"),
        ("krca-hl-sl", "use krca with --distiller krca-hl-sl"),
    ],
)
def test_unknown_recipe_proposes_the_nearest_or_what_took_its_place(name: str, hint: str) -> None:
    with pytest.raises(RecipeError, match=f"No recipe is called '{name}', {hint}"):
        load_recipe(name)


def test_extends_lays_changes_over_the_base(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.yaml", extends="vskd", name="mine", student={"training": {"epochs": 3}})
    mine, base = load_recipe(path), load_recipe("vskd")
    assert mine.student.training.epochs == 3
    assert mine.student.training.learning_rate == base.student.training.learning_rate
    assert mine.teachers == base.teachers


def test_elements_of_lists_are_changed_by_number_or_name(tmp_path: Path) -> None:
    words = {"teachers": {0: {"network": {"dropout": 0.1}}}, "distiller": {"terms": {"kd": {"weight": 0.5}}}}
    mine, base = load_recipe(write(tmp_path / "mine.yaml", extends="vskd", name="mine", **words)), load_recipe("vskd")
    assert mine.teachers[0].network.dropout == 0.1
    assert mine.teachers[0].network.backbone == "resnet18"
    assert [t.weight for t in mine.distiller.terms] == [1.0, 0.5, 1.0, 1.0, 1.0]
    assert mine.student == base.student


def test_student_and_teacher_that_see_the_same_are_changed_apart(tmp_path: Path) -> None:
    """krca says it once for both, by a YAML anchor."""
    words = {"student": {"sees": {"size": 48, "augmentation": {"erase": 0.5}}}}
    mine = load_recipe(write(tmp_path / "mine.yaml", extends="krca", name="mine", **words))
    assert (mine.student.sees.size, mine.teachers[0].sees.size) == (48, 64)
    assert (mine.student.sees.augmentation.erase, mine.teachers[0].sees.augmentation.erase) == (0.5, 0.0)


def test_short_forms_of_a_file_can_be_changed_by_one_that_extends_it(tmp_path: Path) -> None:
    student = {"sees": {"modality": "window", "encoding": "raw"}, "network": "cnn1d"}
    write(tmp_path / "a.yaml", extends="vskd", name="a", distiller="kd", student=student)
    changes = {"student": {"network": {"dropout": 0.5}, "sees": {"encoding": {"limit": 2.0}}}}
    path = write(
        tmp_path / "b.yaml",
        extends=str(tmp_path / "a.yaml"),
        name="b",
        distiller={"terms": {"kd": {"weight": 0.5}}},
        **changes,
    )
    found = load_recipe(path)
    assert (found.student.network.name, found.student.network.dropout) == ("cnn1d", 0.5)
    assert (found.student.sees.encoding.method, found.student.sees.encoding.limit) == ("raw", 2.0)
    assert found.distiller.preset == "kd"
    assert [term.weight for term in found.distiller.terms] == [0.1, 0.5]


def test_a_data_set_that_is_named_later_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.yaml", extends="krca", name="mine", dataset={"name": "state-farm"})
    mine = load_recipe(path)
    assert (mine.dataset.protocol, mine.dataset.fold) == ("driver-folds", "1")
    assert mine.student.training.epochs == 20
    assert mine.student == load_recipe("krca", ["dataset.name=state-farm"]).student


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


def test_a_recipe_of_before_there_were_roles_says_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path / "recipe.yaml", name="vskd", frames={"size": 64}, teacher={"network": "trn"}, seed=0)
    with pytest.raises(RecipeError, match=r"recipe.yaml was written for an older vskd.*\(frames, teacher\)") as caught:
        load_recipe(path)
    assert "must be trained again" in str(caught.value)


def test_missing_file_and_missing_keys_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"does not exist"):
        load_recipe(str(tmp_path / "none.yaml"))
    with pytest.raises(RecipeError, match=r"dataset: missing") as caught:
        load_recipe(write(tmp_path / "a.yaml", name="a"))
    assert "student: missing" in str(caught.value) and "distiller: missing" in str(caught.value)


def test_exponents_of_a_file_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: vskd\nname: mine\nstudent: {training: {learning_rate: 1e-3, weight_decay: 2e-2}}\n")
    training = load_recipe(str(path)).student.training
    assert (training.learning_rate, training.weight_decay) == (0.001, 0.02)


@pytest.mark.parametrize(
    ("line", "needle"),
    [
        ("seed: 010", "line 3: 010 may be read as 8 (octal) or 10, or as the text '010'"),
        ("student: {training: {epochs: 1_000}}", "line 3: 1_000 may be read as 1000"),
        ("student: {sees: {length: 1:30}}", "line 3: 1:30 may be read as 90 (base 60)"),
        ("dataset: {fold: no}", "line 3: no may be read as false"),
        ("name: other", "line 3: the key 'name' stands twice"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(tmp_path: Path, line: str, needle: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"extends: vskd\nname: mine\n{line}\n")
    with pytest.raises(RecipeError) as caught:
        load_recipe(str(path))
    assert str(path) in str(caught.value) and needle in str(caught.value)


@pytest.mark.parametrize("text", ["08", "1e3", "0o17", "1:30", "no"])
def test_names_that_look_like_numbers_survive_a_run_folder(tmp_path: Path, text: str) -> None:
    recipe = load_recipe("vskd", [f"dataset.fold='{text}'"])
    (tmp_path / "again.yaml").write_text(dump_recipe(recipe))
    assert load_recipe(str(tmp_path / "again.yaml")) == recipe


@pytest.mark.parametrize("name", ["x" * 5000, f"folder/{'ä' * 200}.yaml"])
def test_a_name_that_no_file_system_takes_is_no_recipe(name: str) -> None:
    with pytest.raises(RecipeError, match="No recipe is called"):
        load_recipe(name)


def test_overrides_of_any_part_reach_the_recipe() -> None:
    found = load_recipe("demo", ["teachers.0.seed=7", " dataset.max_bad_fraction=0.1", "seed=3"])
    assert (found.teachers[0].seed, found.dataset.max_bad_fraction, found.seed) == (7, 0.1, 3)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("dangerous-driving-weighted", "use dangerous-driving with --set student.training.class_weights=balanced"),
        ("dangerous-driving-auc", "use dangerous-driving with --dataset auc"),
        ("krca-image-folder", "use krca with --dataset image-folder"),
        ("krca-hl-state-farm-no-kd", "use krca with --dataset state-farm --distiller krca-hl --distiller none"),
        ("vskd-utd-mhad-kd-no-kd", "use vskd with --distiller kd --distiller none, or `vskd compare ... --controls"),
        ("nothing-no-kd", "valid names"),
        ("nothing-auc", "valid names"),
    ],
)
def test_recipes_of_earlier_days_are_told_in_words_of_today(name: str, hint: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(name)
    assert f"No recipe is called '{name}', {hint}" in str(caught.value)


def test_only_a_recipe_without_a_teacher_is_told_of_controls() -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe("krca-state-farm")
    assert "--controls" not in str(caught.value) and "with --dataset state-farm. See" in str(caught.value)


@pytest.mark.parametrize(("length", "too_long"), [(240, False), (241, True)])
def test_the_longest_name_that_is_looked_up(length: int, too_long: bool) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe("y" * length)
    assert (f"'{'y' * 40}...'" in str(caught.value)) is too_long
    with pytest.raises(RecipeError, match=r"'ä{40}\.\.\.'"):
        load_recipe("ä" * 121)  # bytes count, not letters


@pytest.mark.parametrize("name", ["mine.yaml", "mine.yml", "mine"])
def test_any_file_can_be_a_recipe_and_one_that_is_missing_is_said_by_its_ending(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(RecipeError, match="does not exist" if "." in name else "No recipe is called"):
        load_recipe(str(path))
    write(path, extends="demo", name="mine")
    assert load_recipe(str(path)).name == "mine"


def test_the_list_is_sorted_and_tells_what_its_recipes_say() -> None:
    listed = list_recipes()
    assert [one.name for one in listed] == sorted(one.name for one in listed)
    for one in listed:
        recipe = load_recipe(one.name)
        assert (one.description, one.for_microcontrollers) == (recipe.description, recipe.for_microcontrollers)
    assert len({one.for_microcontrollers for one in listed}) == 2


def test_what_the_data_set_changes_lies_between_the_base_and_what_extends_it(tmp_path: Path) -> None:
    """State Farm halves the epochs of `krca`: its recipe is stronger than that, and its overrides than all."""
    path = write(tmp_path / "mine.yaml", extends="krca", name="mine", student={"training": {"batch_size": 5}})
    mine = load_recipe(path, ["dataset.name=state-farm"])
    assert (mine.student.training.epochs, mine.student.training.batch_size) == (20, 5)
    write(tmp_path / "mine.yaml", extends="krca", name="mine", student={"training": {"epochs": 33}})
    assert load_recipe(path, [" dataset.name=state-farm"]).student.training.epochs == 33
    said = load_recipe(path, ["dataset.name=state-farm", "student.training.epochs=44"])
    assert said.student.training.epochs == 44
    write(tmp_path / "other.yaml", extends=path, name="other", dataset={"name": "state-farm"})
    write(tmp_path / "last.yaml", extends=str(tmp_path / "other.yaml"), name="last", dataset={"fold": "3"})
    last = load_recipe(str(tmp_path / "last.yaml"))
    assert (last.dataset.name, last.dataset.fold, last.student.training.epochs) == ("state-farm", "3", 33)


def test_an_old_recipe_is_refused_by_its_keys_in_their_order(tmp_path: Path) -> None:
    old = ("sensor", "frames", "images", "encoding", "augmentation", "teacher", "training")
    for key in old:
        with pytest.raises(RecipeError, match=rf"was written for an older vskd.*\({key}\)"):
            load_recipe(write(tmp_path / "recipe.yaml", name="x", **{key: {}}))
    with pytest.raises(RecipeError, match=r"\(augmentation, encoding, frames, images, sensor, teacher, training\)"):
        load_recipe(write(tmp_path / "recipe.yaml", name="x", **dict.fromkeys(old, 1)))


def test_a_recipe_that_extends_a_complete_one_takes_the_defaults_of_its_data_set(tmp_path: Path) -> None:
    """The recipe of a run folder, with the data of another data set: that one's own protocol, and how it is seen."""
    (tmp_path / "complete.yaml").write_text(dump_recipe(load_recipe("krca")))
    changed = {"extends": str(tmp_path / "complete.yaml"), "name": "mine", "dataset": {"name": "state-farm"}}
    mine = load_recipe(write(tmp_path / "mine.yaml", **changed))
    assert (mine.dataset.protocol, mine.dataset.fold) == ("driver-folds", "1")
    whole = {**changed, "version": 2}
    with pytest.raises(RecipeError, match=r"dataset\.protocol: missing"):
        load_recipe(write(tmp_path / "whole.yaml", **whole))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 2\nname: x\n", "problem"),
        ("- a list\n", "is not a mapping"),
        ("extends: nowhere\n", "extends: No recipe is called 'nowhere'"),
        ("extends: gone.yaml\n", "extends: Recipe file gone.yaml does not exist"),
        ("extends: wrist\nnonsense: 1\n", "nonsense"),
        ("a: [", "is no valid YAML"),
    ],
)
def test_errors_name_the_file_with_its_path(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "run" / "recipe.yaml"
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(RecipeError) as caught:
        load_recipe(str(file))
    assert str(file) in caught.value.problem and told in caught.value.problem
