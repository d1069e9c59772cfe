"""Plain options are a short way of writing overrides; logging is quiet until asked."""

import json
import logging
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from vskd.cli.options import (
    RECIPE_OPTIONS,
    LabelsType,
    Session,
    VskdCommand,
    VskdGroup,
    as_one,
    cache_option,
    chosen_recipe,
    configure_logging,
    json_option,
    recipe_name_option,
    recipe_options,
    recipe_overrides,
)
from vskd.recipe import Recipe, load_recipe

RECIPE = "extends: demo\nname: small\n"


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def overrides_of(*words: str) -> list[str]:
    found: list[str] = []

    @click.command(cls=VskdCommand)
    @recipe_options(*(name for name in RECIPE_OPTIONS if name != "teacher_epochs"))
    @click.pass_context
    def command(ctx: click.Context) -> None:
        found.extend(recipe_overrides(ctx))

    outcome = CliRunner().invoke(command, words, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return found


def test_nothing_given_changes_nothing() -> None:
    assert overrides_of() == []


def test_every_plain_option_names_an_existing_key(recipe_file: Path) -> None:
    """The strict recipe refuses unknown keys, so a wrong path in the table cannot pass."""
    before = load_recipe(str(recipe_file)).model_dump()
    for option in RECIPE_OPTIONS.values():
        *sections, last = option.key.split(".")
        place = before
        for section in sections:
            place = place[int(section)] if section.isdecimal() else place[section]
        assert last in place, option.key


def test_plain_options_become_overrides_of_the_right_type(recipe_file: Path) -> None:
    words = [
        "--data",
        "some folder",
        "--protocol",
        "leave-one-subject-out",
        "--fold",
        "s1",
        "--seed",
        "3",
        "--epochs",
        "7",
    ]
    recipe = load_recipe(str(recipe_file), overrides_of(*words))
    assert (recipe.dataset.path, recipe.dataset.protocol, recipe.dataset.fold) == ("some folder", words[3], "s1")
    assert (recipe.seed, recipe.student.training.epochs) == (3, 7)


@pytest.mark.parametrize(("flag", "key"), [("--fold", "fold"), ("--data", "path"), ("--protocol", "protocol")])
@pytest.mark.parametrize("text", ["1", "2024", "1e3", "yes", "null", "a: b", "[x", "a=b", "it's"])
def test_text_stays_text(recipe_file: Path, flag: str, key: str, text: str) -> None:
    """YAML would turn these into numbers, booleans, mappings or errors."""
    recipe = load_recipe(str(recipe_file), overrides_of(flag, text))
    assert getattr(recipe.dataset, key) == text


def test_set_wins_over_plain_options_wherever_it_stands(recipe_file: Path) -> None:
    overrides = overrides_of("--set", "student.training.epochs=9", "--epochs", "7", "--set", "seed=5")
    recipe = load_recipe(str(recipe_file), overrides)
    assert (recipe.student.training.epochs, recipe.seed) == (9, 5)


def test_a_fold_belongs_to_the_protocol_of_its_recipe(recipe_file: Path) -> None:
    recipe_file.write_text(f"{RECIPE}dataset: {{protocol: a, fold: '1'}}\n", encoding="utf-8")
    folds = {
        words: load_recipe(str(recipe_file), overrides_of(*words)).dataset.fold
        for words in [(), ("--fold", "2"), ("--protocol", "b"), ("--protocol", "b", "--fold", "3")]
    }
    assert list(folds.values()) == ["1", "2", None, "3"]
    assert load_recipe(str(recipe_file), overrides_of("--protocol", "b", "--set", "dataset.fold=x")).dataset.fold == "x"


def test_teacher_epochs_are_the_teachers(recipe_file: Path) -> None:
    seen: list[Recipe] = []

    @click.command(cls=VskdCommand)
    @recipe_options("teacher_epochs")
    @click.pass_context
    def command(ctx: click.Context) -> None:
        seen.append(chosen_recipe(ctx, str(recipe_file)))

    assert CliRunner().invoke(command, ["--epochs", "4"], catch_exceptions=False).exit_code == 0
    assert seen[0].teachers[0].training.epochs == 4
    assert seen[0].student == load_recipe(str(recipe_file)).student


@pytest.mark.parametrize(
    ("verbosity", "shown"),
    [
        (0, ["ours-warning"]),
        (1, ["ours-info", "ours-warning", "theirs"]),
        (2, ["ours-debug", "ours-info", "ours-warning", "theirs"]),
    ],
)
def test_the_terminal_log_is_quiet_until_asked(capsys, verbosity: int, shown: list[str]) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger("vskd").level
    logging.captureWarnings(False)  # an earlier call's hook is not the one of this test's own warnings machinery
    configure_logging(verbosity)
    try:
        ours = logging.getLogger("vskd.somewhere")
        ours.debug("ours-debug")
        ours.info("ours-info")
        ours.warning("ours-warning")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(True)
            warnings.warn("theirs", UserWarning, stacklevel=1)
        captured = capsys.readouterr()
        assert captured.out == ""
        words = ("ours-debug", "ours-info", "ours-warning", "theirs")
        assert [word for word in words if word in captured.err] == shown
    finally:
        logging.captureWarnings(False)
        logging.getLogger().handlers[:], level = before
        logging.getLogger("vskd").setLevel(level)


@pytest.mark.parametrize(("verbosity", "shown"), [(0, False), (2, True)])
def test_lightning_is_quiet_although_it_is_imported_later(verbosity: int, shown: bool) -> None:
    code = (
        f"from vskd.cli.options import configure_logging; configure_logging({verbosity})\n"
        "from vskd.models.torchvision_shim import load_torchvision; load_torchvision()\n"
        "from lightning.pytorch.utilities.rank_zero import rank_zero_info; rank_zero_info('GPU available: False')\n"
        "import logging; logging.getLogger('lightning.pytorch.trainer').warning('worth knowing')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ("GPU available" in done.stderr) is shown
    assert "worth knowing" in done.stderr
    assert done.stdout == ""


def test_logging_is_set_up_once_however_often_it_is_asked(capsys) -> None:
    for _ in range(3):
        configure_logging(0)
    logging.getLogger("vskd.somewhere").warning("once")
    assert capsys.readouterr().err.count("once") == 1


@pytest.mark.parametrize(
    ("words", "expected", "dataset"),
    [
        ([], "wrist", "utd-mhad"),
        (["--teacher", "trn"], "vskd", "utd-mhad"),
        (["--teacher", "convnext-tiny"], "krca", "driver-inattention"),
        (["--teacher", "efficientnet-v2-s"], "dangerous-driving", "driver-inattention"),
        (["--student", "mobilenet-v3-small-100-relu6"], "dangerous-driving", "driver-inattention"),
        (["--student", "efficientnet-lite0"], "dangerous-driving", "driver-inattention"),
        (["--dataset", "driver-inattention"], "krca", "driver-inattention"),
        (["--dataset", "state-farm"], "krca", "state-farm"),
        (["--dataset", "auc"], "krca", "auc"),
        (["--dataset", "image-folder"], "krca", "image-folder"),
        (["--dataset", "sensor-folder"], "berkeley", "sensor-folder"),
        (["--teacher", "efficientnet-v2-s", "--dataset", "state-farm"], "dangerous-driving", "state-farm"),
        (["--teacher", "convnext-tiny", "--dataset", "auc"], "krca", "auc"),
        (["--student", "mobilenet-v3-small-075", "--dataset", "state-farm"], "dangerous-driving", "state-farm"),
        (["--student", "mobilenet-v3-small-075", "--dataset", "auc"], "dangerous-driving", "auc"),
        (["--student", "mobilenet-v3-small-075", "--dataset", "image-folder"], "dangerous-driving", "image-folder"),
        (["--recipe", "krca-long", "--dataset", "state-farm"], "krca-long", "state-farm"),
        (["--distiller", "krca-sr"], "krca", "driver-inattention"),
        (["--distiller", "kd"], "wrist", "utd-mhad"),
        (["--recipe", "demo", "--teacher", "convnext-tiny"], "demo", "synthetic"),
    ],
)
def test_without_a_recipe_the_one_that_fits_is_taken(words: list[str], expected: str, dataset: str) -> None:
    chosen: list[Recipe] = []

    @click.command(cls=VskdCommand)
    @recipe_name_option
    @recipe_options("teacher", "student", "distiller", "dataset")
    @click.pass_context
    def command(ctx: click.Context, recipe_name: str | None) -> None:
        chosen.append(chosen_recipe(ctx, recipe_name))

    command.main(words, standalone_mode=False)
    assert [(recipe.name, recipe.dataset.name) for recipe in chosen] == [(expected, dataset)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("subjects=1", {"subjects": ("1",)}),
        ("subjects=1, 3,5", {"subjects": ("1", "3", "5")}),
        ("trials=1", {"trials": ("1",)}),
        ("classes=wave,swipe left", {"classes": ("wave", "swipe left")}),
        ("fraction=0.1", {"fraction": 0.1}),
        ("fraction=1", {"fraction": 1.0}),
        ("ids=some folder/2024=a.csv", {"ids": "some folder/2024=a.csv"}),
        ("untested-subjects", {"untested_subjects": True}),
        ("all", {}),
    ],
)
def test_labels_are_read(text: str, said: dict[str, object]) -> None:
    labels = load_recipe("demo", ["labels.trials=[2]", *overrides_of("--labels", text)]).labels
    assert labels.model_dump(exclude_none=True) == said


@pytest.mark.parametrize("read", ["{}", '{"subjects": ["1", "3"]}', '{"fraction": 0.5}'])
def test_labels_that_were_read_already_are_left_as_they_are(read: str) -> None:
    assert LabelsType().convert(read, None, None) == read


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('"Doe, J.", 3', ["Doe, J.", "3"]),
        ('"a,b;c"', ["a,b;c"]),
        ("quo\"te's", ["quo\"te's"]),
        ("-4;,$x$", ["-4;", "$x$"]),
    ],
)
def test_a_name_with_a_comma_stands_in_quotation_marks(text: str, names: list[str]) -> None:
    assert json.loads(LabelsType().convert(f"subjects={text}", None, None)) == {"subjects": names}


def test_set_changes_single_keys_of_labels_that_were_said_plainly() -> None:
    overrides = overrides_of("--labels", "fraction=0.1", "--set", "labels.seed=3")
    assert load_recipe("demo", overrides).labels.title == "10 % (draw 3)"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "says nobody; write all, or one of subjects=1,3 trials=1"),
        ("subject=1", "'subject=1' says nobody"),
        ("untested-subjects=1", "'untested-subjects=1' says nobody"),
        ("untested_subjects", "'untested_subjects' says nobody"),
        ("subjects", "'subjects' says nobody"),
        ("subjects=", "'subjects=' says nobody"),
        ("fraction=ten", "fraction should be a number such as 0.1, not 'ten'"),
        ("fraction=10", "fraction should be above 0 and at most 1, not 10"),
        ("fraction=0", "fraction should be above 0 and at most 1, not 0"),
        ("fraction=nan", "fraction should be above 0 and at most 1, not nan"),
    ],
)
def test_labels_that_say_nobody_are_explained(text: str, told: str) -> None:
    @click.command(cls=VskdCommand)
    @recipe_options("labels")
    def command() -> None:
        raise AssertionError

    outcome = CliRunner().invoke(command, ["--labels", text])
    assert outcome.exit_code == 2
    assert told in " ".join(outcome.output.split()).replace("│ ", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "x"], 'dataset.path="x"'),
        (["--dataset", "x"], 'dataset.name="x"'),
        (["--protocol", "x", "--fold", "1"], 'dataset.protocol="x" dataset.fold="1"'),
        (["--labels", "trials=2"], 'labels={"trials": ["2"]}'),
        (["--sensor", "watch"], 'student.sees.streams="watch"'),
        (["--video", "rgb"], 'teachers.0.sees.streams="rgb"'),
        (["--teacher", "trn"], 'teachers.0.network="trn"'),
        (["--student", "cnn1d"], 'student.network="cnn1d"'),
        (["--distiller", "kd"], 'distiller="kd"'),
        (["--seed", "3"], "seed=3"),
        (["--epochs", "0"], "student.training.epochs=0"),
        (["--set", "a=1", "--seed", "0", "--set", "b=2"], "seed=0 a=1 b=2"),
    ],
)
def test_what_every_plain_option_is_short_for(words: list[str], said: str) -> None:
    assert " ".join(overrides_of(*words)) == said


@pytest.mark.parametrize("words", [["--seed", "x"], ["--epochs", "1.5"]])
def test_numbers_are_numbers(words: list[str]) -> None:
    @click.command(cls=VskdCommand)
    @recipe_options("seed", "epochs")
    def command() -> None:
        raise AssertionError

    assert CliRunner().invoke(command, words).exit_code == 2


@pytest.mark.parametrize(
    ("verbosity", "line"), [(0, "WARNING: hot\n"), (1, "WARNING: hot\n"), (2, "vskd.somewhere: hot\n")]
)
def test_what_a_line_of_the_log_looks_like(capsys, monkeypatch: pytest.MonkeyPatch, verbosity: int, line: str) -> None:
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    before = logging.getLogger().handlers[:], logging.getLogger("vskd").level
    configure_logging(verbosity)
    try:
        logging.getLogger("vskd.somewhere").warning("hot")
        assert capsys.readouterr().err == line
        assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2", "LiteRT's own news stay away"
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
        configure_logging(verbosity)
        assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0", "what the user asked for is kept"
    finally:
        logging.captureWarnings(False)
        logging.getLogger().handlers[:], level = before
        logging.getLogger("vskd").setLevel(level)


@pytest.mark.parametrize(
    ("words", "debug", "verbosity"),
    [
        ([], False, 0),
        (["go"], False, 0),
        (["--debug", "go"], True, 0),
        (["go", "--debug"], True, 0),
        (["-v", "go"], False, 1),
        (["go", "-vv"], False, 2),
        (["-vv", "--debug", "go", "-v"], True, 2),
    ],
)
def test_debug_and_v_are_taken_before_and_after_the_command(
    words: list[str], debug: bool, verbosity: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr("vskd.cli.options.configure_logging", told.append)
    session = Session()

    @click.group(
        cls=VskdGroup, examples=("vskd of a group that is longer than a line of the help is wide: " + "x" * 60,)
    )
    def group() -> None:
        pass

    @group.command("go", examples=("vskd go",))
    def go() -> None:
        pass

    CliRunner().invoke(group, words, obj=session)
    if words:
        assert (session.debug, session.verbosity) == (debug, verbosity)
        assert told[-1] == verbosity
    pages = [CliRunner().invoke(group, ["--help"]).output, CliRunner().invoke(group, ["go", "--help"]).output]
    assert f"Examples:\n  {group.examples[0]}\n" in pages[0], "not wrapped: a wrapped command cannot be copied"
    assert "Examples:\n  vskd go\n" in pages[1]


def test_the_options_that_several_commands_share() -> None:
    seen: list[object] = []

    @click.command(cls=VskdCommand)
    @cache_option
    @json_option
    @recipe_name_option
    def command(**given: object) -> None:
        seen.append(given)

    CliRunner().invoke(command, ["--cache", "a", "--json", "--recipe", "b"], catch_exceptions=False)
    CliRunner().invoke(command, [], catch_exceptions=False)
    assert seen == [
        {"cache": Path("a"), "as_json": True, "recipe_name": "b"},
        {"cache": None, "as_json": False, "recipe_name": None},
    ]
    assert CliRunner().invoke(command, ["--cache", __file__]).exit_code == 2, "a file is no folder"


@dataclass(frozen=True)
class Pair:
    number: int
    word: str | None


def test_options_are_gathered_into_one_value_and_stand_in_the_help_as_they_are_written() -> None:
    """Others beside them are handed on as they are."""
    seen: list[dict[str, object]] = []
    pair = as_one("pair", Pair, click.option("-n", "number", type=int, default=1), click.option("--word"))

    @click.command()
    @click.argument("first")
    @pair
    @click.option("--last")
    def command(**given: object) -> None:
        seen.append(given)

    run = CliRunner().invoke(command, ["a", "--word", "b", "--last", "c"])
    assert run.exit_code == 0 and seen == [{"first": "a", "pair": Pair(1, "b"), "last": "c"}]
    assert [param.name for param in command.params] == ["first", "number", "word", "last"]
