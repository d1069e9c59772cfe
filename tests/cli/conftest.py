"""The command line as a person meets it: exit code, stdout, stderr."""

import inspect
from collections.abc import Callable
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
