"""`vskd recipe`: list, show, validate; mistakes come with the nearest valid name."""

import json
import re
from pathlib import Path

import pytest
import yaml

from vskd.recipe import list_recipes, load_recipe

RECIPE = "extends: demo\nname: small\n"


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def test_list_names_every_shipped_recipe(vskd) -> None:
    listed = json.loads(vskd("recipe", "list", "--json").out)
    assert [tuple(entry.values()) for entry in listed] == list_recipes()
    head, *rows = vskd("recipe", "list").out.splitlines()
    assert "* gives a student for microcontrollers" in head
    assert [row.split()[0] for row in rows] == [entry["name"] for entry in listed]
    marked = {row.split()[0] for row in rows if row.split()[1] == "*"}
    assert marked == {entry["name"] for entry in listed if entry["for_microcontrollers"]}
    wrists = {"wrist", "wrist-best", "wrist-ridge", "wrist-ridge-taught", "wrist-stream", "wrist-tiny", "depth-wrist"}
    assert marked == wrists | {"berkeley", "berkeley-best", "day-stream", "few-labels"}


def test_show_says_what_is_for_microcontrollers(vskd) -> None:
    said = "# The student is made for microcontrollers."
    assert vskd("recipe", "show", "wrist-stream").out.startswith(said)
    assert said not in vskd("recipe", "show", "vskd").out
    assert said not in vskd("recipe", "show", "wrist", "--set", "export.budget.part=wear-os").out
    assert vskd("recipe", "show", "vskd", "--set", "export.budget.part=cortex-m55").out.startswith(said)


def test_every_shipped_recipe_is_valid_and_described(vskd) -> None:
    for name, description, _ in list_recipes():
        assert vskd("recipe", "validate", name).code == 0
        assert description


def test_show_prints_yaml_that_is_the_recipe(vskd, recipe_file: Path, tmp_path: Path) -> None:
    answer = vskd("recipe", "show", recipe_file, "--set", "student.training.epochs=5", "--seed", "3")
    assert answer.code == 0
    again = tmp_path / "again.yaml"
    again.write_text(answer.out, encoding="utf-8")
    assert load_recipe(str(again)) == load_recipe(str(recipe_file), ["student.training.epochs=5", "seed=3"])
    assert yaml.safe_load(answer.out)["student"]["training"]["epochs"] == 5


def test_show_as_json_is_pure_json(vskd, recipe_file: Path) -> None:
    answer = vskd("recipe", "show", recipe_file, "--json")
    assert json.loads(answer.out) == load_recipe(str(recipe_file)).model_dump(mode="json")


def test_validate_says_valid(vskd, recipe_file: Path) -> None:
    answer = vskd("recipe", "validate", recipe_file)
    assert (answer.code, answer.out, answer.err) == (0, f"{recipe_file}: valid\n", "")


def test_all_mistakes_are_reported_at_once_with_the_nearest_name(vskd, recipe_file: Path) -> None:
    content = "student: {training: {epoch: 5, batch_size: many}, sees: {encodng: {}}}\nteachrs: []\n"
    recipe_file.write_text(RECIPE + content, encoding="utf-8")
    answer = vskd("recipe", "validate", recipe_file)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.count("\n") == 1
    assert "small.yaml" in answer.err
    for needle in (
        *("student.training.epoch:", "'epochs'", "student.training.batch_size", "student.sees.encodng", "'encoding'"),
        *("teachrs", "'teachers'", "4 problem(s)"),
    ):
        assert needle in answer.err


@pytest.mark.parametrize(
    ("words", "needles"),
    [
        (["vskdd"], ["'vskdd'", "did you mean 'vskd'?", "vskd recipe list"]),
        (["nowhere/mine.yaml"], ["nowhere/mine.yaml", "does not exist"]),
        (["vskd", "--set", "student.training.epochs"], ["student.training.epochs", "key.path=value"]),
        (["vskd", "--set", "student.training.epochs=0"], ["student.training.epochs", "0"]),
        (["vskd", "--set", "training.epochs=3"], ["training: unknown key", "valid names: ", "student", "teachers"]),
        (["vskd", "--set", "teachers.1.network=trn"], ["--set 'teachers.1.network=trn'", "no element '1'", "0"]),
        (["vskd", "--set", "teachers.0.network.dropuot=0.1"], ["teachers.0.network.dropuot", "'dropout'"]),
        (["vskd", "--set", "teachers.0.network=trm"], ["teachers.0.network.name", "'trn'"]),
        (["vskd", "--set", "distiller.terms.kdd.weight=1"], ["no element 'kdd'", "did you mean 'kd'?"]),
        (["vskd", "--set", "distiller.terms.kd.wieght=1"], ["distiller.terms.", "wieght", "'weight'"]),
        (["vskd", "--set", "distiller.terms.kd.temperature=0"], ["distiller.terms.", "temperature", "0"]),
        (["vskd", "--set", "student.sees.modality=image"], ["student.sees", "encoding"]),
        (["vskd", "--set", "student.sees.stride=8"], ["stride does nothing here", "window is sliding"]),
        (["vskd", "--set", "student.training.epochs.x=1"], ["'epochs' holds no keys of its own"]),
        (["vskd", "--set", "seed.x=1"], ["seed: input should be a valid integer"]),
        (["vskd", "--distiller", "dsak"], ["'dsak'", "dask"]),
        (["krca-no-kd"], ["use krca with --distiller none", "--controls none"]),
    ],
)
def test_mistakes_are_one_line_with_the_next_action(vskd, words: list[str], needles: list[str]) -> None:
    answer = vskd("recipe", "validate", *words)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.count("\n") == 1
    assert all(needle in answer.err for needle in needles), answer.err


def test_the_list_fits_a_screen(vskd) -> None:
    lines = vskd("recipe", "list").out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("overrides", "keys", "expected"),
    [
        (["teachers.0.network.dropout=0.2"], ("teachers", 0, "network", "dropout"), 0.2),
        (["teachers.0.sees.streams=rgb"], ("teachers", 0, "sees", "streams"), ["rgb"]),
        (["distiller.terms.kd.weight=0.5"], ("distiller", "terms", 1, "weight"), 0.5),
        (["distiller.terms.1.weight=0.5"], ("distiller", "terms", 1, "weight"), 0.5),
        (["student.training.learning_rate=1e-4"], ("student", "training", "learning_rate"), 1e-4),
        (["student.network=cnn1d", "student.sees.encoding=raw"], ("student", "sees", "encoding", "method"), "raw"),
        (["distiller=none"], ("distiller", "preset"), "none"),
    ],
)
def test_any_setting_can_be_set_by_its_path(vskd, overrides: list[str], keys: tuple[str | int, ...], expected) -> None:
    """Elements of lists by number or name; nothing else changes but what hangs on it."""
    words = [word for override in overrides for word in ("--set", override)]
    assert vskd("recipe", "validate", "vskd", *words).code == 0
    place = json.loads(vskd("recipe", "show", "vskd", *words, "--json").out)
    for key in keys:
        place = place[key]
    assert place == expected


GONE = (
    *("vskd-utd-mhad", "vskd-utd-mhad-no-kd", "vskd-utd-mhad-kd", "demo-no-kd", "dangerous-driving-weighted"),
    *(f"krca-{terms}" for terms in ("hl", "hl-sl", "hl-sl-sr", "sl", "sr", "ia")),
    *(f"krca{end}" for end in ("-no-kd", "-no-kd-full", "-no-kd-long")),
    *(f"dangerous-driving{end}" for end in ("-no-kd", "-no-kd-full")),
    *(
        f"{system}-{dataset}{end}"
        for system in ("krca", "dangerous-driving")
        for dataset in ("state-farm", "auc", "image-folder")
        for end in ("", "-no-kd")
    ),
)
"""Every recipe that was shipped before there were roles, and is not any more."""


@pytest.mark.parametrize("name", GONE)
def test_a_recipe_of_earlier_days_says_what_to_type_now(vskd, name: str) -> None:
    answer = vskd("recipe", "show", name)
    assert (answer.code, answer.out) == (1, "")
    said = re.search(rf"'{name}', use ([a-z-]+)(?: with ([^,]+?))?(?:, or .*)?\. See", answer.err)
    assert said is not None, answer.err
    shown = vskd("recipe", "show", said[1], *(said[2] or "").split(), "--json")
    assert shown.code == 0, shown.err
    recipe = json.loads(shown.out)
    assert (recipe["distiller"]["preset"] == "none") is ("-no-kd" in name)
    assert all(dataset not in name or recipe["dataset"]["name"] == dataset for dataset in ("state-farm", "auc"))


@pytest.mark.parametrize("name", ["krca-hl-full", "mine-no-kd", "mine-auc"])
def test_a_hint_never_names_what_is_not_there(vskd, name: str) -> None:
    assert ", use " not in vskd("recipe", "show", name).err


@pytest.mark.parametrize(
    ("words", "keys", "expected"),
    [
        (["--data", "D"], ("dataset", "path"), "D"),
        (["--dataset", "utd-mhad"], ("dataset", "name"), "utd-mhad"),
        (["--protocol", "P"], ("dataset", "protocol"), "P"),
        (["--fold", "3"], ("dataset", "fold"), "3"),
        (["--sensor", "gyroscope"], ("student", "sees", "streams"), ["gyroscope"]),
        (["--video", "depth"], ("teachers", 0, "sees", "streams"), ["depth"]),
        (["--teacher", "resnet18"], ("teachers", 0, "network", "name"), "resnet18"),
        (["--student", "resnet18"], ("student", "network", "name"), "resnet18"),
        (["--distiller", "kd"], ("distiller", "preset"), "kd"),
        (["--seed", "7"], ("seed",), 7),
        (["--epochs", "9"], ("student", "training", "epochs"), 9),
    ],
)
def test_every_plain_option_changes_the_recipe(vskd, words: list[str], keys: tuple[str | int, ...], expected) -> None:
    assert vskd("recipe", "validate", "demo", *words).code == 0
    place = json.loads(vskd("recipe", "show", "demo", *words, "--json").out)
    for key in keys:
        place = place[key]
    assert place == expected
