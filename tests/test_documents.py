"""What the documents show is true: their recipes are ones, and their tables name what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import FinishedComparison
from vskd.losses.catalog import LOSSES
from vskd.losses.presets.catalog import PRESETS
from vskd.recipe import load_recipe
from vskd.study.demo import SHOWN

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SECTIONS = {"student", "teachers", "distiller", "name"}
FORMER = ("teacher.", "training.", "frames.", "sensor.", "encoding.", "images.", "augmentation.")
"""How paths of keys began before there were roles."""


def yaml_blocks(page: Path) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(yaml_blocks(page))
    if SECTIONS & set(yaml.safe_load(block)) and not block.startswith("# vskd/")
]


@pytest.mark.parametrize("block", BLOCKS)
def test_recipes_that_are_shown_are_recipes(block: str, tmp_path: Path) -> None:
    """A part of one stands for itself in a recipe that is otherwise the shipped one."""
    content = yaml.safe_load(block)
    path = tmp_path / "shown.yaml"
    path.write_text(block if "name" in content else f"extends: vskd\nname: shown\n{block}")
    assert load_recipe(str(path)).student


def test_recipes_are_found() -> None:
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_key_of_former_recipes_is_set(page: Path) -> None:
    keys = re.findall(r"--set ([a-z_0-9.]+)=", page.read_text(encoding="utf-8"))
    assert [key for key in keys if key.startswith(FORMER)] == []


def test_every_loss_and_every_preset_is_explained() -> None:
    text = (ROOT / "docs" / "distillation.md").read_text(encoding="utf-8")
    for name in (*LOSSES, *(preset for preset in PRESETS if not preset.startswith("krca-"))):
        assert f"`{name}`" in text, name
    assert all(f"`-{name.removeprefix('krca-')}`" in text or f"`{name}`" in text for name in PRESETS)


RESULTS = ROOT / "results"
ALL_PAGES = [*PAGES, *sorted(RESULTS.glob("**/*.md"))]
PUBLISHED = sorted(path.parent for path in RESULTS.glob("*/*/comparison.json"))


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.name)
def test_each_published_comparison_is_told_of_by_its_data_set(folder: Path) -> None:
    """How its settings were chosen stands in the README beside it."""
    text = (folder.parent / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"`{folder.name}/?`|\({folder.name}/?\)", text)


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.parent.name + page.name)
def test_fences_open_and_close(page: Path) -> None:
    """A line between two blocks of code is not in a third one: an edit has lost nothing of either."""
    fences = re.findall(r"^[ ]*```(\w*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(fences) % 2 == 0 and not any(fences[1::2]), fences


def test_the_python_of_the_readme_runs(
    finished_comparison: FinishedComparison, synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the synthetic world, whose files are laid out and named as those of UTD-MHAD."""
    (tmp_path / "UTD-MHAD").symlink_to(synthetic_root)
    (tmp_path / "BUNDLE").symlink_to(finished_comparison.bundle)
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names["loss"].ndim == 0 and names["windows"].shape[1:] == (3, 128)
    assert sum(names["answer"].probabilities.values()) == pytest.approx(1)


def test_the_demo_in_the_readme_is_what_it_printed() -> None:
    """With one line for each of the recordings that it predicts, and the first picture of its report."""
    readme, printed = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "results/demo.txt"))
    (block,) = re.findall(r"```text\n(training:.*?)\n```", readme, flags=re.DOTALL)
    assert printed.startswith(f"{block}\n")
    assert len(re.findall(r": '.*' \((?:right|wrong, it is '.*')\)", printed)) == SHOWN
    assert "](docs/demo.png)" in readme and (ROOT / "docs" / "demo.png").read_bytes().startswith(b"\x89PNG")
