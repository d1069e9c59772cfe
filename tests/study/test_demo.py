"""The whole road: its stages in order, resumed where they stopped, and a report that says what is on disk.

Training is left out: the road is walked over a finished comparison of the same recipes, made small.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TINY, FinishedComparison
from vskd.bundle.bundle import verify_bundle
from vskd.bundle.predict import predict_file
from vskd.errors import BundleError
from vskd.recipe import load_recipe
from vskd.study import demo
from vskd.study.comparison_schema import read_comparison
from vskd.study.comparison_tables import to_text
from vskd.study.demo import RECIPE, TRIALS, run_demo


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, dict[str, Any]]]:
    """The worlds that were asked for; recipes are small, and the converter must not be needed again."""
    asked: list[tuple[Path, dict[str, Any]]] = []
    monkeypatch.setattr(demo, "write_world", lambda root, **settings: asked.append((root, settings)))
    monkeypatch.setattr(demo, "load_recipe", lambda name: load_recipe(name, TINY))
    monkeypatch.setattr("vskd.export.evaluate.export_run", None)
    return asked


@pytest.fixture
def out(comparison_copy: FinishedComparison, synthetic_root: Path, tmp_path: Path) -> Path:
    """A demo's folder in which everything was done before."""
    folder = tmp_path / "demo"
    folder.mkdir()
    shutil.copytree(synthetic_root, folder / "world")
    comparison_copy.out.rename(folder / "comparison")
    return folder


def test_the_report_says_what_is_on_disk(worlds: list, out: Path) -> None:
    report = run_demo(out)
    assert worlds == [(out / "world", {"trials": TRIALS})]
    assert report.comparison == read_comparison(out / "comparison" / "comparison.json")
    assert {row.recipe for row in report.comparison.rows} == {RECIPE, f"{RECIPE}-no-kd"}
    assert report.bundle == out / "comparison" / "runs" / RECIPE / "seed0" / "bundle"
    verify_bundle(report.bundle)
    text = str(report)
    assert text.startswith(to_text(report.comparison))
    assert f"predicted '{report.predicted}', truth '{report.truth}'" in text
    for line in text.splitlines():
        if line.startswith(("reports:", " " * 18)):
            assert Path(line.split()[-1]).is_file(), line
    assert list(report.seconds) == ["world", "teach, distil, evaluate, export", "verify, predict"]
    assert all(f"{stage} {seconds:.0f} s" in text for stage, seconds in report.seconds.items())


def test_the_one_recording_is_a_test_recording_with_its_own_label(worlds: list, out: Path) -> None:
    report = run_demo(out)
    rows = (report.bundle.parent / "int8" / "predictions.csv").read_text(encoding="utf-8").splitlines()[1:]
    ids = sorted(row.split(",")[0] for row in rows)
    prediction = predict_file(report.bundle, out / "world" / "Inertial" / f"{ids[0]}_inertial.mat")
    assert report.predicted == prediction.label
    labels = json.loads((out / "world" / "world.json").read_text(encoding="utf-8"))["actions"]
    assert report.truth == labels[int(ids[0].removeprefix("a").split("_")[0]) - 1]
    assert report.latency_ms > 0


def test_a_second_call_finishes_what_is_missing(worlds: list, out: Path) -> None:
    first = run_demo(out)
    run = first.bundle.parent
    before = (run / "predictions.csv").read_bytes()
    for name in ("results.json", "predictions.csv"):
        (run / name).unlink()
    assert run_demo(out).comparison == first.comparison
    assert (run / "predictions.csv").read_bytes() == before


def test_a_bundle_that_was_changed_stops_it(worlds: list, out: Path) -> None:
    bundle = out / "comparison" / "runs" / RECIPE / "seed0" / "bundle"
    (bundle / "MODEL_CARD.md").write_text("better than it is", encoding="utf-8")
    with pytest.raises(BundleError, match=r"MODEL_CARD\.md was changed"):
        run_demo(out)
