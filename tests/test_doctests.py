"""The examples in docstrings give what they say they give."""

import doctest
import importlib
from pathlib import Path

import pytest

from tests.conftest import FinishedComparison

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "vskd").rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def places(
    synthetic_root: Path, finished_comparison: FinishedComparison, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with what the examples name: the synthetic data set `world`, and a `bundle` trained on it."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "world").symlink_to(synthetic_root)
    (folder / "bundle").symlink_to(finished_comparison.bundle)
    return folder


def test_there_are_examples() -> None:
    assert {"vskd.schema", "vskd.errors", "vskd.bundle.opened", "vskd.datasets.opened"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_examples_of(module: str, places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(places)
    found = doctest.testmod(
        importlib.import_module(module), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    assert found.attempted > 0 and found.failed == 0
