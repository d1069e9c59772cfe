"""CONTRIBUTING.md is true: its examples are added to a copy of the package, tested there, and trained with."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CONTRACTS = (
    "conftest.py",
    "losses/test_catalog.py",
    "models/test_catalog.py",
    "models/test_contract.py",
    "models/test_head.py",
    "modalities/conftest.py",
    "modalities/test_contract.py",
    "datasets/conftest.py",
    "datasets/entries.py",
    "datasets/test_catalog.py",
    "datasets/test_contract.py",
    "preprocessing/sensor/test_encodings.py",
    "preprocessing/test_encodings_contract.py",
    "recipe/test_defaults.py",
    "test_documents.py",
)
"""The tests that every entry of a catalog is held to."""
LEAST = {
    "recipe/test_defaults.py": 1,
    "test_documents.py": 1,
    "datasets/test_catalog.py": 2,
    "preprocessing/sensor/test_encodings.py": 1,
    "models/test_catalog.py": 2,
    "models/test_head.py": 1,
}
"""How many tests of each must have run on what was added, where it is fewer than five."""
RECIPE = """
name: toys
dataset: {name: steps}
student:
  sees: {modality: spectrum, length: 32}
  network: mlp
  training: {epochs: 2, batch_size: 4, validation: none, select: last}
teachers:
- sees: {modality: window, length: 32, encoding: energy}
  network: {name: cnn1d, embedding_size: 12}
  training: {epochs: 1, batch_size: 4, validation: none, select: last}
distiller: {terms: [{loss: cross_entropy}, {loss: logit_mse, weight: 0.1}]}
"""


def sections() -> dict[str, str]:
    """`a loss` -> what stands under "Adding a loss"."""
    parts = re.split(r"^## Adding (.*)\n", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def new_files(text: str) -> dict[str, str]:
    """Path -> content of the code blocks that begin with a path."""
    return dict(re.findall(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", text, flags=re.DOTALL))


def changes(text: str) -> list[tuple[str, list[str]]]:
    """Path, and the lines of a block that changes it, in the order of the text."""
    found = re.findall(r"```diff\n\+\+\+ (\S+)\n(.*?)```", text, flags=re.DOTALL)
    return [(path, lines.splitlines()) for path, lines in found]


def changed(content: str, lines: list[str]) -> str:
    """`content` with the `+` lines put behind the lines that stand before them, and the `-` lines taken away."""
    result = content.splitlines()
    place = 0
    for line in lines:
        if line.startswith("+"):
            result.insert(place, line[1:])
            place += 1
        else:
            place = result.index(line[1:], place)
            if line.startswith("-"):
                del result[place]
            else:
                place += 1
    return "\n".join(result) + "\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and of the contract tests, with everything that CONTRIBUTING.md adds."""
    root = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "vskd", root / "vskd", ignore=shutil.ignore_patterns("__pycache__"))
    for name in CONTRACTS:
        (root / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests" / name, root / "tests" / name)
    shutil.copy(ROOT / "tests" / "recipe" / "defaults.txt", root / "tests" / "recipe")
    shutil.copytree(ROOT / "docs", root / "docs", ignore=shutil.ignore_patterns("*.png"))
    for name in ("pyproject.toml", "README.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, root)
    for path, content in new_files(PAGE).items():
        assert not (ROOT / path).exists(), f"{path} is there already"
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    for path, lines in changes(PAGE):
        (root / path).write_text(changed((root / path).read_text(), lines))
    return root


def run(house: Path, *command: str) -> str:
    """Run a module in the copy."""
    environment = {**os.environ, "PYTHONPATH": str(house), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=house, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("what", "files"),
    [("a loss", 1), ("a network", 1), ("a modality", 1), ("a data set", 2)],  # a data set has a protocol, too
)
def test_an_addition_is_one_file_and_one_catalog(what: str, files: int) -> None:
    text = sections()[what]
    new = [path for path in new_files(text) if path.startswith("vskd/")]
    tests = [path for path in new_files(text) if path.startswith("tests/")]
    ((catalog, lines),) = [change for change in changes(text) if change[0].startswith("vskd/")]
    assert (len(new), len(tests)) == (files, 1)
    assert catalog.endswith("catalog.py")
    assert sum(line.startswith("+") for line in lines) == 2  # the import and the line
    mirrored = new[0].replace("vskd/", "tests/", 1).replace(Path(new[0]).name, f"test_{Path(new[0]).name}")
    assert tests == [mirrored]


def test_the_contract_tests_run_on_the_additions(house: Path) -> None:
    additions = "logit_mse or mlp or spectrum or steps or energy or every_loss or every_key or every_entry"
    said = run(house, "pytest", "-vv", "-p", "no:cacheprovider", "tests", "-k", additions)
    passed = re.findall(r"^(\S+)::.* PASSED", said, flags=re.MULTILINE)
    for contract in CONTRACTS:
        if Path(contract).name.startswith("test_"):
            assert passed.count(f"tests/{contract}") >= LEAST.get(contract, 5), contract
    assert set(passed) >= {path for path in new_files(PAGE) if path.startswith("tests/")}
    assert "skipped" not in said.splitlines()[-1]


def test_the_additions_are_lint_free(house: Path) -> None:
    python = [path for path in (*new_files(PAGE), *dict(changes(PAGE))) if path.endswith(".py")]
    run(house, "ruff", "check", "--no-cache", *python)
    run(house, "ruff", "format", "--no-cache", "--check", *python)


def test_a_student_is_trained_with_all_of_them(house: Path) -> None:
    sample = "from pathlib import Path; from tests.datasets.sensors.test_steps import write_sample as w; "
    (house / "steps").mkdir()
    (house / "sample.py").write_text(f"{sample}w(Path('steps'))\n")
    run(house, "sample")
    (house / "toys.yaml").write_text(RECIPE)
    said = run(house, "vskd.cli", "distill", "--recipe", "toys.yaml", "--data", "steps", "--out", "RUN", "--json")
    assert "train/logit_mse" in said
    assert "steps" in run(house, "vskd.cli", "datasets", "list")
