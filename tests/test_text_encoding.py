"""Text is UTF-8 whatever the locale says, and a terminal without UTF-8 harms nothing."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conftest import REPOSITORY, FinishedComparison
from vskd.evaluation.results import read_results

OPENS_NO_TEXT = {"RunFolder", "av", "Image", "os", "h5d", "h5a", "tarfile", "zipfile", "cls"}
"""What has a function `open` of its own."""
TEXT_OF_PROCESSES = {"text", "universal_newlines"}


def calls_without_encoding(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of every call that reads or writes text in the locale's encoding."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        given = {word.arg for word in node.keywords}
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if "encoding" in given:
            continue
        if name == "read_text" and owner is not None and not node.args:
            yield node.lineno, name
        if name == "write_text" and owner is not None and len(node.args) == 1:
            yield node.lineno, name
        called = getattr(owner, "id", getattr(owner, "attr", ""))
        if name == "open" and called not in OPENS_NO_TEXT and "b" not in mode_of(node, owner):
            yield node.lineno, name
        if name in ("run", "Popen", "check_output") and given & TEXT_OF_PROCESSES:
            yield node.lineno, name
        if name in ("TextIOWrapper", "NamedTemporaryFile", "fdopen") and "b" not in mode_of(node, owner, "w+b"):
            yield node.lineno, name


def mode_of(call: ast.Call, owner: ast.expr | None, default: str = "r") -> str:
    """The mode in which a call opens a file; a mode that is not written down counts as text."""
    named = [word.value for word in call.keywords if word.arg == "mode"]
    places = call.args[0 if owner is not None else 1 :][:1]
    mode = (named or places or [ast.Constant(default)])[0]
    return str(mode.value) if isinstance(mode, ast.Constant) else "r"


FILES = sorted([*REPOSITORY.glob("vskd/**/*.py"), *REPOSITORY.glob("benchmarks/**/*.py")])


def test_no_text_is_left_to_the_locale() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}:{line} {name}"
        for path in FILES
        for line, name in calls_without_encoding(path.read_text(encoding="utf-8"))
    ]
    assert len(FILES) > 200
    assert found == []


@pytest.mark.parametrize(
    "call",
    [
        *("p.read_text()", "p.write_text('x')", "p.open()", "p.open('w')", "open('x')", "open('x', mode='a')"),
        *("subprocess.run(c, text=True)", "p.open(mode)", "io.TextIOWrapper(b)", "p.read_text(errors='replace')"),
    ],
)
def test_the_search_finds(call: str) -> None:
    assert list(calls_without_encoding(call))


@pytest.mark.parametrize("call", ["p.open('rb')", "open('x', 'wb')", "write_text(p, 'x')", "p.open(encoding='utf-8')"])
def test_the_search_leaves_alone(call: str) -> None:
    assert not list(calls_without_encoding(call))


def test_a_run_is_evaluated_where_the_locale_is_not_utf_8(comparison_copy: FinishedComparison) -> None:
    """It writes and reads its results, and says them on a terminal that lacks some of the signs."""
    run = comparison_copy.student
    for name in ("results.json", "predictions.csv", "report.html"):
        (run / name).unlink()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHONUTF8"))}
    environment |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "iso-8859-1"}
    words = [sys.executable, "-m", "vskd.cli", "evaluate", str(run)]
    done = subprocess.run(words, env=environment, cwd=REPOSITORY, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"accuracy" in done.stdout and b"\\u2013" in done.stdout
    assert read_results(run / "results.json").n > 0
