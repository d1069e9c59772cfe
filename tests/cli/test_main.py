"""The one manner of failing: exit codes, one line on stderr, Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from vskd.cli.exits import INTERRUPTED, TERMINATED, Terminated
from vskd.cli.main import CATALOG, OF_TRAINING, cli, run
from vskd.errors import DataError, MissingExtraError

GROUPS = {n: c for n in CATALOG if isinstance(c := cli.get_command(click.Context(cli), n), click.Group)}
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "needles"),
    [
        (["distil"], ["No such command 'distil'. Did you mean 'distill'? Run 'vskd --help'"]),
        (["recipe", "shw", "x"], ["No such command 'shw'. Did you mean 'show'? Run 'vskd recipe --help'"]),
        (["firmware", "gen"], ["No such command 'gen'. Did you mean 'generate'? Run 'vskd firmware --help'"]),
        (["datasets", "s"], ["Valid names: signals, sync. Run"]),
        (["link", "xyz"], ["Valid names: record, send, simulate. Run"]),
        (["xyz"], ["No such command 'xyz'. Valid names: bundle, compare, "]),
        (["recipe", "list", "--jsn"], ["No such option", "--json", "vskd recipe list --help"]),
        (["distill", "--epochs", "many", "--out", "RUN"], ["--epochs", "'many'", "vskd distill --help"]),
        (["distill"], ["--out", "vskd distill --help"]),
        (["recipe", "show"], ["NAME", "vskd recipe show --help"]),
        (["compare", "a", "--seeds", "one", "--out", "x"], ["'one' is not a seed", "vskd compare --help"]),
        (["evaluate", "RUN", "--data", "x"], ["--data only fits a bundle", "vskd evaluate --help"]),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(vskd, words: list[str], needles: list[str]) -> None:
    answer = vskd(*words)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.count("\n") == 1
    assert answer.err.startswith("error: ")
    assert all(needle in answer.err for needle in needles), answer.err


@pytest.mark.parametrize(
    ("group", "name"), [(g, n) for g, one in {"": cli, **GROUPS}.items() for n in one.list_commands(click.Context(one))]
)
def test_half_a_name_is_enough_to_be_told_the_whole(vskd, group: str, name: str) -> None:
    """Of every command of every group; where several begin so, all of them."""
    half = name[: (len(name) + 1) // 2]
    answer = vskd(*group.split(), half)
    assert answer.code == 2 and f"No such command '{half}'" in answer.err
    assert f"'{name}'?" in answer.err or re.search(rf"Valid names: .*\b{name}\b", answer.err), answer.err


def test_a_group_alone_shows_its_help_and_exits_2(vskd) -> None:
    answer = vskd("recipe")
    assert answer.code == 2
    assert "Examples:" in answer.err


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make `vskd recipe list` meet `error`."""

    def raise_it() -> None:
        raise error

    monkeypatch.setattr("vskd.recipe.list_recipes", raise_it)


def test_our_errors_are_one_line_with_the_next_action(vskd, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, DataError("utd/a1.mat: NaN in\n axis x.", "Remove the recording."))
    answer = vskd("recipe", "list")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "error: utd/a1.mat: NaN in axis x. Remove the recording.\n"


def test_unforeseen_errors_are_one_line_and_point_to_debug(vskd, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, KeyError("label"))
    answer = vskd("recipe", "list")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "error: KeyError: 'label'. Run the same command again with --debug to see where.\n"


@pytest.mark.parametrize("words", [["--debug", "recipe", "list"], ["recipe", "list", "--debug"]])
@pytest.mark.parametrize("error", [KeyError("label"), DataError("bad", "Do this")])
def test_debug_shows_the_traceback_wherever_it_is_typed(vskd, monkeypatch, words: list[str], error: Exception) -> None:
    fail_with(monkeypatch, error)
    answer = vskd(*words)
    assert answer.code == 1
    assert "Traceback (most recent call last)" in answer.err
    assert "raise_it" in answer.err
    assert answer.err.splitlines()[-1].startswith("error: ")
    assert "again with --debug" not in answer.err


def test_ctrl_c_says_that_the_work_can_go_on(vskd, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, KeyboardInterrupt())
    answer = vskd("recipe", "list")
    assert answer.code == 130
    assert "Run the same command again" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(("stopped", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_a_stop_inside_lightning_is_recognised(vskd, monkeypatch, stopped: type[BaseException], code: int) -> None:
    """Lightning turns the interrupt into sys.exit(1), which alone would look like an error without a message."""

    def train() -> None:
        try:
            raise stopped
        except KeyboardInterrupt:
            sys.exit(1)

    def fit() -> None:
        try:
            train()
        except SystemExit as stop:
            raise KeyboardInterrupt from stop

    for road in (train, fit):
        monkeypatch.setattr("vskd.recipe.list_recipes", road)
        answer = vskd("recipe", "list")
        said = (TERMINATED if stopped is Terminated else INTERRUPTED).text
        assert (answer.code, answer.err.strip()) == (code, said)


def test_a_plain_exit_keeps_its_code(vskd, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, SystemExit(3))
    assert vskd("recipe", "list").code == 3


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_a_real_sigint_exits_130() -> None:
    code = (
        # a suite that runs in the background of a shell, as some CI does, hands an ignored SIGINT down to its children
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys, time, vskd.recipe, vskd.cli.main as m\n"
        "def wait():\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "vskd.recipe.list_recipes = wait\n"
        "sys.exit(m.run(['recipe', 'list']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Run the same command again" in err
    assert "Traceback" not in err


def test_a_reader_that_goes_away_is_not_an_error() -> None:
    """`vskd --help | head -1` ends quietly."""
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m vskd.cli --help | head -1"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout.startswith("Usage: vskd")
    assert "Traceback" not in done.stderr


def test_no_colour_codes_anywhere(vskd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    for words in (["--help"], ["nonsense"], ["recipe", "show", "nonsense"]):
        answer = vskd(*words)
        assert "\x1b" not in answer.out + answer.err


def test_run_takes_the_words_of_the_process(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["vskd", "--version"])
    assert run() == 0
    assert capsys.readouterr().out.startswith("vskd, version ")


def test_the_console_script_is_declared() -> None:
    assert "vskd = vskd.cli.entry:main" in (ROOT / "setup.cfg").read_text(encoding="utf-8")


@pytest.mark.parametrize(("module", "package"), OF_TRAINING.items())
@pytest.mark.parametrize("submodule", ["", ".inner"])
def test_a_module_of_training_that_is_missing_names_the_extra(
    vskd, monkeypatch: pytest.MonkeyPatch, module: str, package: str, submodule: str
) -> None:
    fail_with(monkeypatch, ModuleNotFoundError("gone", name=module + submodule))
    answer = vskd("recipe", "list")
    assert (answer.code, answer.out) == (1, "") and answer.err.count("\n") == 1
    assert f"error: {MissingExtraError(package, 'train')}\n" == answer.err


@pytest.mark.parametrize("name", ["elsewhere", None])
def test_another_module_that_is_missing_is_unforeseen(vskd, monkeypatch: pytest.MonkeyPatch, name: str | None) -> None:
    fail_with(monkeypatch, ModuleNotFoundError("gone", name=name))
    answer = vskd("recipe", "list")
    assert answer.err == "error: ModuleNotFoundError: gone. Run the same command again with --debug to see where.\n"


def test_modules_of_training_are_those_of_the_extra() -> None:
    assert set(OF_TRAINING) == {
        *("torch", "torchvision", "lightning", "torchmetrics", "safetensors", "scipy", "pandas", "h5py"),
        *("matplotlib", "jinja2", "rich", "av", "sklearn", "PIL", "yaml"),
    }
    assert {m: p for m, p in OF_TRAINING.items() if m != p} == {
        **{"sklearn": "scikit-learn", "PIL": "pillow", "yaml": "PyYAML"}
    }


def failing(code: int) -> click.ClickException:
    error = click.ClickException("so it is")
    error.exit_code = code
    return error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (failing(7), 7, "error: so it is\n"),
        (click.UsageError("not so"), 2, "error: not so. Run 'vskd recipe list --help' to see what it takes.\n"),
        (click.UsageError("not so."), 2, "error: not so. Run 'vskd recipe list --help' to see what it takes.\n"),
        (click.Abort(), 130, f"{INTERRUPTED.text}\n"),
        (SystemExit(0), 0, ""),
        (SystemExit(4), 4, ""),
        (SystemExit("text"), 1, ""),
        (SystemExit(None), 1, ""),
        (OSError("disk"), 1, "error: OSError: disk. Run the same command again with --debug to see where.\n"),
    ],
    ids=repr,
)
def test_every_manner_of_failing_has_its_code(
    vskd, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    fail_with(monkeypatch, error)
    assert vskd("recipe", "list") == (code, "", said)


def test_a_command_that_ends_by_a_code_ends_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for result, code in ((3, 3), (0, 0), (None, 0), ("text", 0)):
        monkeypatch.setattr("vskd.cli.main.cli.main", lambda *_, result=result, **__: result)
        assert run(["x"]) == code


def test_commands_are_listed_as_in_the_catalog_and_found_by_their_name(vskd) -> None:
    context = click.Context(cli)
    assert cli.list_commands(context) == list(CATALOG) and cli.get_command(context, "nonsense") is None
    for name in CATALOG:
        command = cli.get_command(context, name)
        assert command is not None and command.name == name
    lines = vskd("--help").out.split("Commands:")[1].splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("   ")]
    assert listed[: len(CATALOG)] == list(CATALOG)
    assert "No such option" in vskd("--nonsense").err


def test_a_mistake_of_no_command_in_particular_points_to_the_program(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise click.UsageError("not so")

    monkeypatch.setattr("vskd.cli.main.cli.main", refuse)
    assert run(["x"]) == 2
    assert capsys.readouterr().err == "error: not so. Run 'vskd --help' to see what it takes.\n"
