"""The Python of docs/python.md runs as it stands, from its first block to its last, and does what the text says."""

import re
from pathlib import Path
from typing import Any

import pytest

import vskd
from tests.conftest import FinishedComparison

GUIDE = Path(__file__).parents[1] / "docs" / "python.md"
PARTS = {
    title: re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    for title, _, text in (part.partition("\n") for part in GUIDE.read_text(encoding="utf-8").split("\n## ")[1:])
}


@pytest.fixture(scope="module")
def places(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the guide is read in, with its data set."""
    folder = tmp_path_factory.mktemp("guide")
    (folder / "WORLD").symlink_to(synthetic_root)
    return folder


def run(titles: list[str], places: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the blocks of some sections leave in their common namespace."""
    monkeypatch.chdir(places)
    names: dict[str, Any] = {"vskd": vskd}
    for title in titles:
        for number, block in enumerate(PARTS[title]):
            exec(compile(block, f"{GUIDE.name}, {title}, block {number}", "exec"), names)
    return names


TRAINING = [
    "A data set as arrays",
    "A loss in a loop of your own",
    "Distil any two modules",
    "Any layer",
    "Your own loop",
]
FINISHED = ["Run a bundle", "Read results"]


def test_every_section_has_code_and_is_tested() -> None:
    assert set(PARTS) == {*TRAINING, *FINISHED}
    assert all(PARTS.values())


def test_data_losses_and_distillation(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run(TRAINING[:3], places, monkeypatch)
    assert names["acceleration"].shape == names["rotation"].shape == (len(names["labels"]), 3, 128)
    history = names["result"].history
    assert len(history) == 5 and history[-1].loss < history[0].loss
    assert list(history[0].terms) == ["cross_entropy", "kd", "embedding_mse", "rkd_distance", "rkd_angle"]


def test_layers_and_a_loop_of_ones_own(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run(TRAINING, places, monkeypatch)
    assert list(names["result"].history[0].terms) == ["cross_entropy", "kd"]
    assert list(names["parts"]) == ["cross_entropy", "kd", "embedding_mse", "rkd_distance", "rkd_angle"]
    assert all(parameter.grad is not None for parameter in names["student"].parameters())
    assert all(parameter.grad is None for parameter in names["teacher"].parameters())


def test_bundle_and_results(
    finished_comparison: FinishedComparison, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (places / "BUNDLE").symlink_to(finished_comparison.bundle)
    (places / "RUN").symlink_to(finished_comparison.student)
    names = run(FINISHED, places, monkeypatch)
    assert names["answer"].label in names["bundle"].classes
    assert names["low"] <= names["results"].accuracy <= names["high"]
