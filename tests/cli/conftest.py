"""The command line as a person meets it: exit code, stdout, stderr."""

import inspect
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from vskd.cli.main import run


class Answer(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def vskd(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Call the program in this process, through the same door as the console script."""

    def call(*words: object) -> Answer:
        capsys.readouterr()
        code = run([str(word) for word in words])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, Any], list[dict[str, Any]]]:
    """Replace a library function by one that notes its calls and gives `answer`.

    Calls are bound to the parameters of the real function, so that a changed signature is noticed.
    """

    def replace(module: Any, name: str, answer: Any) -> list[dict[str, Any]]:
        signature, seen = inspect.signature(getattr(module, name)), []

        def call(*positional: Any, **named: Any) -> Any:
            bound = signature.bind(*positional, **named)
            bound.apply_defaults()
            seen.append(dict(bound.arguments))
            return answer

        monkeypatch.setattr(module, name, call)
        return seen

    return replace


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder that looks like a bundle; the library decides whether it is one."""
    folder = tmp_path / "BUNDLE"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture
def run_example(vskd: Callable[..., Answer]) -> Callable[[str, Mapping[str, object]], Answer]:
    """Run a command line of a help page for real, its placeholders replaced by real files and folders."""

    def call(example: str, places: Mapping[str, object]) -> Answer:
        program, *words = shlex.split(example)
        assert program == "vskd"
        return vskd(*(places.get(word, word) for word in words))

    return call
