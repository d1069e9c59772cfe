"""`vskd datasets sync`: what it writes, what it refuses, and what the page holds."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Answer
from vskd.datasets.sync.table import read_sync

Vskd = Callable[..., Answer]


@pytest.fixture
def world(synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Some recordings of the synthetic world; two of them are drawn."""
    monkeypatch.setattr("vskd.evaluation.report.sync_page.SHOWN", 2)
    root = tmp_path / "world"
    for path in sorted([*synthetic_root.rglob("a*_s[12]_*"), synthetic_root / "world.json"]):
        target = root / path.relative_to(synthetic_root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return root


def test_unclear_recordings_are_named_and_nothing_is_written(vskd: Vskd, world: Path, tmp_path: Path) -> None:
    answer = vskd("datasets", "sync", "synthetic", "--data", world, "--html", tmp_path / "page.html")
    assert answer.code == 1 and "have no clear peak" in answer.err and "a1_s" in answer.err
    assert not (world / "sync.csv").exists()
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png") == 3 and "not clear" in page


def test_medians_are_written_and_read_when_the_data_set_is_opened(vskd: Vskd, world: Path, tmp_path: Path) -> None:
    words = ("datasets", "sync", "synthetic", "--data", world, "--median", "all", "--png", tmp_path / "png")
    monitored = vskd(*words[:-2], "--dry-run", "--json")
    answer = vskd(*words)
    assert (monitored.code, answer.code) == (0, 0), monitored.err + answer.err
    assert json.loads(monitored.out)["written"] is None
    rows = read_sync(world / "sync.csv")
    assert len(rows) == 12 and {row.by[:9] for row in rows} == {"median of"} and abs(rows[0].offset_s) < 0.1
    assert len(list((tmp_path / "png").glob("a*.png"))) == 2
    index = json.loads(vskd("datasets", "index", "synthetic", "--data", world, "--json").out)
    assert index["recordings"] == 12
    again = vskd(*words[:-2], "--json")  # on what is uncut, not on what the first correction left
    assert json.loads(again.out)["rows"][0]["sensor_s"] == pytest.approx(rows[0].sensor_s, abs=1e-3)


def test_clear_recordings_alone_are_written_where_asked(vskd: Vskd, world: Path) -> None:
    answer = vskd("datasets", "sync", "synthetic", "--data", world, "--clear-only")
    assert answer.code == 0 and "no clear peak, not corrected: " in answer.out
    assert 1 <= len(read_sync(world / "sync.csv")) < 12
