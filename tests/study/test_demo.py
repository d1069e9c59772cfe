"""The whole road: its stages in order, resumed where they stopped, and a report that says what is on disk.

Training is left out: the road is walked over a finished comparison of recipes of the same kind, made small.
"""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.conftest import TINY, FinishedComparison
from vskd.bundle.bundle import verify_bundle
from vskd.bundle.predict import predict_file
from vskd.datasets.synthetic.dataset import index
from vskd.errors import BundleError
from vskd.recipe import load_recipe
from vskd.study import demo
from vskd.study.comparison_schema import read_comparison
from vskd.study.comparison_tables import to_text
from vskd.study.demo import RECIPE, SHOWN, SHOWN_SEED, TRIALS, drawn, run_demo


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, dict[str, Any]]]:
    """The worlds that were asked for; recipes are small, and the converter must not be needed again."""
    asked: list[tuple[Path, dict[str, Any]]] = []
    monkeypatch.setattr(demo, "write_world", lambda root, **settings: asked.append((root, settings)))
    monkeypatch.setattr(demo, "load_recipe", lambda name: load_recipe("demo", TINY))
    monkeypatch.setattr(demo, "RECIPE", "demo")
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
    assert worlds == [(out / "world", {"trials": TRIALS, "skeletons": True})]
    assert report.comparison == read_comparison(out / "comparison" / "comparison.json")
    assert {row.recipe for row in report.comparison.rows} == {"demo", "demo-no-kd"}
    assert report.bundle == out / "comparison" / "runs" / "demo" / "seed0" / "bundle"
    verify_bundle(report.bundle)
    text = str(report)
    facts = json.loads((report.bundle.parent / "environment.json").read_text(encoding="utf-8"))
    counted = f"{facts['labelled']} recordings with labels, {facts['unlabelled']} pairs without"
    assert facts["labelled"] > 0 and text.startswith(f"training:         {counted}\n")
    assert to_text(report.comparison) in text
    for line in text.splitlines():
        if line.startswith("reports:") or line.endswith("report.html"):
            assert Path(line.split()[-1]).is_file(), line
    assert list(report.seconds) == ["world", "teach, distil, evaluate, export", "verify, predict"]
    assert all(f"{stage} {seconds:.0f} s" in text for stage, seconds in report.seconds.items())


def test_what_is_shown_are_test_recordings_one_a_class_with_their_own_labels(worlds: list, out: Path) -> None:
    report = run_demo(out)
    found = index(out / "world").by_id()
    labels = index(out / "world").labels
    assert sorted(one.truth for one in report.shown) == sorted(labels)  # three classes
    for one in report.shown:
        recording = found[one.recording]
        assert int(recording.subject) % 2 == 0 and one.truth == labels[recording.label]
        said = predict_file(report.bundle, recording.stream("accelerometer").path)
        assert one.predicted == said.label
        verdict = "(right)" if one.predicted == one.truth else f"(wrong, it is '{one.truth}')"
        assert f"{one.recording}: '{one.predicted}' {verdict}" in str(report)
    right = sum(one.predicted == one.truth for one in report.shown)
    assert f"{right} of 3 right" in str(report) and report.latency_ms > 0


def test_the_draw_depends_on_its_seed_alone_and_not_on_what_is_right(synthetic_root: Path) -> None:
    recordings = list(index(synthetic_root))
    first, again, other = (drawn(recordings, SHOWN, seed) for seed in (0, 0, 1))
    assert first == again != other
    assert [recording.label for recording in first] == [0, 1, 2]
    assert len({recording.label for recording in drawn(recordings, 2, 0)}) == 2


def test_a_second_call_finishes_what_is_missing(worlds: list, out: Path) -> None:
    first = run_demo(out)
    run = first.bundle.parent
    before = (run / "predictions.csv").read_bytes()
    for name in ("results.json", "predictions.csv"):
        (run / name).unlink()
    assert run_demo(out).comparison == first.comparison
    assert (run / "predictions.csv").read_bytes() == before


def test_a_bundle_that_was_changed_stops_it(worlds: list, out: Path) -> None:
    bundle = out / "comparison" / "runs" / "demo" / "seed0" / "bundle"
    (bundle / "MODEL_CARD.md").write_text("better than it is", encoding="utf-8")
    with pytest.raises(BundleError, match=r"MODEL_CARD\.md was changed"):
        run_demo(out)


def test_few_labels_of_one_subject_and_a_skeleton_teacher_on_either_data() -> None:
    for words in ((), ("dataset.name=utd-mhad",)):
        recipe = load_recipe(RECIPE, words)
        assert recipe.labels.title == "subject 1" and recipe.distiller.needs_teacher
        (teacher,) = recipe.teachers
        assert (teacher.sees.modality, recipe.student.sees.modality) == ("skeleton", "window")
        assert recipe.dataset.name == (words[0].partition("=")[2] if words else "synthetic")


def test_real_data_are_used_where_they_are_given(
    monkeypatch: pytest.MonkeyPatch, worlds: list, out: Path, tmp_path: Path
) -> None:
    asked = []
    monkeypatch.setattr(demo, "load_recipe", lambda name, words: asked.append((name, words)) or load_recipe("demo"))
    assert demo._recipe(out, tmp_path).name == "demo"
    assert asked == [("demo", ["dataset.name=utd-mhad", f"dataset.path={tmp_path}"])] and worlds == []


def test_how_large_the_demo_is() -> None:
    """The world of the README and of docs/command-line.md, and whom it shows."""
    assert (RECIPE, TRIALS, SHOWN, SHOWN_SEED) == ("few-labels", 6, 8, 0)


def test_stages_are_timed_one_by_one_and_the_latency_is_the_median(
    worlds: list, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, latencies = iter([100.0, 101.0, 103.0, 107.0, 115.0, 131.0]), iter([9.0, 1.0, 2.0])
    monkeypatch.setattr(demo, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    verified: list[Path] = []
    monkeypatch.setattr(demo, "compare", lambda *_, **__: read_comparison(out / "comparison" / "comparison.json"))
    monkeypatch.setattr(demo, "verify_bundle", verified.append)
    monkeypatch.setattr(
        demo, "predict_file", lambda bundle, path: SimpleNamespace(label=bundle.name, latency_ms=next(latencies))
    )
    report = run_demo(out)
    assert list(report.seconds.values()) == [1.0, 4.0, 16.0]
    assert verified == [report.bundle]
    assert report.latency_ms == 2.0 and {one.predicted for one in report.shown} == {"bundle"}
    text = str(report)
    assert "0 of 3 right, drawn one a class; 2.00 ms each (int8)" in text
    assert "world 1 s, teach, distil, evaluate, export 4 s, verify, predict 16 s" in text


@pytest.mark.parametrize("seed", range(6))
def test_the_draw_is_of_classes_and_then_of_their_recordings(seed: int) -> None:
    """In the order of the classes, whatever the order in which they come; sets of 0, 8, 16 ... keep no order."""
    recordings = [SimpleNamespace(label=8 * label, id=f"{label}-{n}") for label in range(5) for n in range(3)]
    random = np.random.default_rng(seed)
    classes = np.sort(random.permutation([0, 8, 16, 24, 32])[:3])
    expected = [f"{label // 8}-{random.choice(3)}" for label in classes]
    assert [r.id for r in drawn(recordings, 3, seed)] == expected  # type: ignore[arg-type]
    late = sorted(recordings, key=lambda r: (-r.label, r.id))
    assert [r.id for r in drawn(late, 3, seed)] == expected  # type: ignore[arg-type]
