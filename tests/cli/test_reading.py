"""The options of how a file is read: the same ones in both commands, and what they refuse."""

from pathlib import Path

import click
import pytest

from vskd.bundle.file_reading import OPTIONS
from vskd.cli.bundle import personalise
from vskd.cli.predict import predict


def option(command: click.Command, flag: str) -> dict[str, object]:
    (found,) = (p for p in command.params if isinstance(p, click.Option) and flag in p.opts)
    return found.to_info_dict() | {"callback": found.callback}


def test_both_commands_take_a_file_in_the_same_words() -> None:
    """What counts for a kind of bundle is an option of that name, and each of them is one that counts."""
    for flags in OPTIONS.values():
        for name, flag in flags.items():
            assert option(predict, flag) == option(personalise, flag)
            assert option(predict, flag)["name"] == name


@pytest.mark.parametrize("command", [("predict",), ("bundle", "personalise", "--recordings", "T", "--out", "O")])
@pytest.mark.parametrize(
    ("flag", "values"),
    [("columns", ["a", "1,,2", "1;2;3", "-1,2,3"]), ("box", ["1,2,3", "a,b,c,d", "all"]), ("time", ["-1", "t"])],
)
def test_words_that_say_nothing_are_refused(
    vskd, bundle: Path, tmp_path: Path, command: tuple[str, ...], flag: str, values: list[str]
) -> None:
    for value in values:
        rest = [tmp_path / "r.csv"] if command == ("predict",) else []
        answer = vskd(*command, bundle, *rest, f"--{flag}={value}")
        assert answer.code == 2
        assert f"--{flag}" in answer.err
