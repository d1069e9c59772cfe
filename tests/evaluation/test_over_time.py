"""Evaluation of sliding windows on long recordings: rows of windows, stretches, events, and the picture of a report."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.long_recordings import day_of
from vskd.datasets.sensors.sensor_folder import index
from vskd.evaluation.evaluate import evaluate_run
from vskd.evaluation.events import event_figures
from vskd.evaluation.predictions import read_csv
from vskd.evaluation.results import Results, read_results
from vskd.evaluation.windows import read_windows, window_figures


@pytest.fixture(scope="module")
def measured(long_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = Path(shutil.copytree(long_run, tmp_path_factory.mktemp("measured") / "run"))
    evaluate_run(run)
    return run


@pytest.fixture(scope="module")
def results(measured: Path) -> Results:
    return read_results(measured / "results.json")


def rows(run: Path) -> Iterator[dict[str, str]]:
    with (run / "predictions.csv").open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


def test_every_window_of_the_test_people_has_a_row_with_its_time(measured: Path) -> None:
    windows = [row for row in rows(measured) if row["window"]]
    assert len(windows) == 2 * ((48 * 25 - 32) // 8 + 1)
    assert {row["subject"] for row in windows} == {"2", "4"} and {row["seed"] for row in windows} == {"0"}
    first, second = windows[:2]
    assert (first["start_s"], first["end_s"], second["start_s"]) == ("0.0", "1.28", "0.32")
    assert {row["label_name"] for row in windows} == {"none", "run", "walk"}


def test_stretches_of_one_label_stand_where_recordings_do(measured: Path, results: Results) -> None:
    stretches = [row for row in rows(measured) if not row["window"]]
    days = {subject: day_of(subject, 48.0) for subject in (2, 4)}
    assert [(row["subject"], float(row["start_s"]), row["label_name"]) for row in stretches] == [
        (str(subject), pytest.approx(start, abs=0.021), label or "none")
        for subject, day in days.items()
        for start, _, label in day
    ]
    assert results.n == len(stretches) == len(read_csv(measured / "predictions.csv"))


def test_the_figures_follow_from_the_file(measured: Path, results: Results, long_root: Path) -> None:
    windows = read_windows(measured / "predictions.csv")
    assert windows is not None and results.windows == window_figures(windows, "none")
    timelines = {r.id: r.timeline for r in index(long_root) if r.timeline}
    assert results.events == event_figures(windows, timelines, "none")
    assert results.events is not None and results.events.hours == pytest.approx(2 * 47.68 / 3600, rel=0.01)


def test_what_is_easy_to_learn_is_learned(results: Results) -> None:
    """Rest, 1 Hz and 3 Hz: a student that got its windows with the labels of others could not."""
    assert results.windows is not None and results.windows.accuracy > 0.75
    assert results.events is not None and results.events.found > 0.8
    assert results.windows.null_answered is not None and results.windows.null_missed is not None
    counts = np.array(results.windows.confusion)
    assert results.windows.null_answered == pytest.approx(1 - counts[0, 0] / counts[0].sum())
    assert results.windows.null_missed == pytest.approx(counts[1:, 0].sum() / counts[1:].sum())


def test_the_report_shows_truth_and_answers_over_time(measured: Path) -> None:
    page = (measured / "report.html").read_text(encoding="utf-8")
    assert "Truth and answers over time: s2_2" in page and "events in 0.0" in page
    assert "false alarms per hour" in page and "null class called something" in page


def test_windows_of_short_recordings_have_rows_too(synthetic_root: Path, tmp_path: Path) -> None:
    from tests.long_recordings import long_recipe
    from vskd.distillation.train import distill

    words = ("dataset.name=synthetic", "dataset.protocol=cross-subject", "student.training.epochs=1")
    distill(long_recipe(synthetic_root, *words), tmp_path / "run", cache=tmp_path / "cache")
    done = evaluate_run(tmp_path / "run")
    assert done.windows is not None and done.events is None and done.windows.null_answered is None
    found = read_windows(tmp_path / "run" / "predictions.csv")
    recordings = read_csv(tmp_path / "run" / "predictions.csv")
    assert found is not None and tuple(found.recordings) == recordings.ids and len(found) == done.windows.n
    for name, row in zip(recordings.ids, recordings.probabilities, strict=True):
        np.testing.assert_allclose(found.probabilities[found.recordings[name]].mean(axis=0), row)
