"""results.json: figures that match their predictions, a schema that lets nothing else through."""

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from vskd.errors import DataError
from vskd.evaluation import statistics
from vskd.evaluation.metrics import evaluate_predictions
from vskd.evaluation.predictions import read_csv, write_csv
from vskd.evaluation.results import (
    Bootstrap,
    LabelsStamp,
    ProtocolStamp,
    build_results,
    read_results,
    teacher_figures,
    write_results,
)


def test_figures_are_those_of_the_predictions(make_predictions, make_results) -> None:
    predictions = make_predictions()
    results, metrics = make_results(predictions), evaluate_predictions(predictions)
    for name in (
        "n",
        "accuracy",
        "macro_f1",
        "balanced_accuracy",
        "top3_accuracy",
        "ece",
        "nll",
        "mean_average_precision",
    ):
        assert getattr(results, name) == getattr(metrics, name), name
    np.testing.assert_array_equal(results.confusion, metrics.confusion)
    assert [row.name for row in results.per_class] == list(predictions.class_names)
    assert sum(row.support for row in results.per_class) == sum(row.n for row in results.per_subject) == results.n
    expected = statistics.bootstrap_interval(predictions, "macro_f1", "subjects", resamples=200)
    assert results.intervals["macro_f1"].subjects == expected
    for row in results.per_subject:
        low, high = row.accuracy_interval
        assert low <= row.accuracy <= high


def test_round_trip_and_recomputation_from_csv(make_predictions, make_results, tmp_path: Path) -> None:
    predictions = make_predictions()
    results = make_results(predictions, model_bytes=1234)
    write_results(results, tmp_path / "results.json")
    write_csv(predictions, tmp_path / "predictions.csv")
    assert read_results(tmp_path / "results.json") == results
    assert make_results(read_csv(tmp_path / "predictions.csv"), model_bytes=1234) == results
    assert json.loads((tmp_path / "results.json").read_text())["schema"] == 1


def test_few_subjects_leave_a_note(make_predictions, make_results) -> None:
    assert "3 subjects" in make_results(make_predictions(subjects=3)).bootstrap.note
    assert make_results(make_predictions(subjects=6)).bootstrap.note == ""


def test_bootstrap_setting_is_used_and_recorded(make_predictions, make_results) -> None:
    predictions = make_predictions()
    a = make_results(predictions, bootstrap=Bootstrap(resamples=50, seed=1))
    b = make_results(predictions, bootstrap=Bootstrap(resamples=50, seed=2))
    assert (a.bootstrap.resamples, a.bootstrap.seed) == (50, 1)
    assert a.intervals != b.intervals


def test_perfect_predictions_stay_inside_the_schema(make_predictions, make_results) -> None:
    results = make_results(make_predictions(skill=500.0))
    assert results.accuracy == 1
    assert results.intervals["macro_f1"].subjects is None
    assert results.intervals["accuracy"].subjects == statistics.wilson_interval(6, 6)
    assert results.intervals["accuracy"].recordings == statistics.wilson_interval(60, 60)


def test_remarks_are_what_is_left_out_the_notes_and_how_good_the_intervals_are(make_predictions, make_results) -> None:
    predictions = make_predictions(subjects=3)
    results = make_results(predictions, notes=["said"], left_out={"a/1": "truncated"})
    lost, said, coarse = results.remarks
    assert lost == "1 recording(s) could not be read and are in no figure: a/1 (truncated)."
    assert (said, coarse) == ("said", results.bootstrap.note)
    assert make_results(make_predictions(subjects=6)).remarks == ()


def test_teacher_figures(make_predictions) -> None:
    predictions = make_predictions(seed=4)
    figures, metrics = teacher_figures(predictions), evaluate_predictions(predictions)
    assert (figures.accuracy, figures.macro_f1, figures.n) == (metrics.accuracy, metrics.macro_f1, 60)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"accuracy": 1.5}, "accuracy"),
        ({"accuracy": "0.9"}, "accuracy"),
        ({"accuracy": None}, "accuracy"),
        ({"schema": 2}, "schema"),
        ({"kind": "pupil"}, "kind"),
        ({"surprise": 1}, "surprise"),
        ({"n": 0}, "n"),
        ({"teacher": {"accuracy": 0.5}}, "teacher.macro_f1"),
        ({"protocol": {"name": "x", "hash": "y", "fold": None}}, "protocol.split_hash"),
        ({"timings": {"train": -1.0}}, "timings.train"),
    ],
)
def test_misfits_are_named(
    make_predictions, make_results, tmp_path: Path, change: dict[str, object], place: str
) -> None:
    path = tmp_path / "results.json"
    write_results(make_results(make_predictions()), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError) as caught:
        read_results(path)
    assert str(path) in str(caught.value)
    assert f"{place}: " in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"accuracy": NaN}'])
def test_damaged_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"results\.json"):
        read_results(path)
    with pytest.raises(DataError, match=r"nothing\.json"):
        read_results(tmp_path / "nothing.json")


def test_results_cannot_be_changed(make_predictions, make_results) -> None:
    results = make_results(make_predictions())
    with pytest.raises(ValidationError, match="frozen"):
        results.accuracy = 1.0


def test_optional_parts_may_be_absent(make_predictions, make_results) -> None:
    predictions, full = make_predictions(), make_results(make_predictions())
    lean = build_results(
        predictions,
        kind="teacher",
        recipe="demo",
        dataset="synthetic",
        network="trn",
        distiller=None,
        protocol=full.protocol,
        split="validation",
        seed=3,
    )
    assert (lean.teacher, lean.model_bytes, lean.timings, lean.environment, lean.left_out) == (None, None, {}, {}, {})
    assert lean.bootstrap.resamples == 2000


def test_the_label_setting_is_stamped_and_older_files_had_all_labels(
    make_predictions, make_results, tmp_path: Path
) -> None:
    stamp = LabelsStamp(title="subject 1", hash="aa" * 32, labelled=107, unlabelled=324)
    results = make_results(make_predictions(), labels=stamp)
    assert (results.labels, results.labels_title) == (stamp, "subject 1")
    write_results(results, tmp_path / "results.json")
    assert read_results(tmp_path / "results.json") == results
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["labels"] == {"title": "subject 1", "hash": "aa" * 32, "labelled": 107, "unlabelled": 324}
    del content["labels"]
    (tmp_path / "results.json").write_text(json.dumps(content))
    older = read_results(tmp_path / "results.json")
    assert (older.labels, older.labels_title) == (None, "all")


def test_what_is_stamped_stands_under_its_own_name(make_predictions) -> None:
    """No two can be exchanged, and none is lost."""
    from vskd.evaluation.results import DataStamp, LatencyRow, OverTime, ProtocolStamp, TeacherFigures
    from vskd.evaluation.windows import WindowFigures

    windows = WindowFigures(
        n=4, unlabelled=1, accuracy=0.5, macro_f1=0.4, balanced_accuracy=0.3, confusion=((1, 1), (1, 1))
    )
    latency = LatencyRow(model="int8", p50_ms=1, p95_ms=2, min_ms=0.5, images_per_s=9, threads=1, warmup=2, runs=3)
    stamped = {
        "kind": "bundle",
        "recipe": "r",
        "dataset": "d",
        "network": "n",
        "distiller": "kd",
        "protocol": ProtocolStamp(name="p", hash="h", fold="f", split_hash="s"),
        "split": "validation",
        "seed": 7,
        "data": DataStamp(hash="a" * 64, parts={"labels": "b" * 64}),
        "labels": LabelsStamp(title="10 %", hash="x", labelled=1, unlabelled=9),
        "teacher": TeacherFigures(accuracy=0.9, macro_f1=0.8, n=5),
        "timings": {"train": 1.5},
        "model_bytes": 11,
        "parameters": 22,
        "environment": {"torch": "2"},
        "latency": (latency,),
        "left_out": {"a": "broken"},
        "notes": ("so",),
    }
    results = build_results(make_predictions(), over_time=OverTime(windows=windows), **stamped)
    assert {name: getattr(results, name) for name in stamped} == stamped
    assert (results.windows, results.events) == (windows, None)


def test_rows_of_classes_and_subjects_are_the_metrics_own(make_predictions, make_results) -> None:
    predictions = make_predictions()
    results = make_results(predictions, bootstrap=Bootstrap(resamples=20, level=0.5))
    metrics = evaluate_predictions(predictions)
    for row, own in zip(results.per_class, metrics.per_class, strict=True):
        expected = (own.name, own.precision, own.recall, own.f1, own.support)
        assert (row.name, row.precision, row.recall, row.f1, row.support) == expected
    for row, one in zip(results.per_subject, metrics.per_subject, strict=True):
        assert (row.subject, row.accuracy, row.macro_f1, row.n) == (one.subject, one.accuracy, one.macro_f1, one.n)
        assert row.accuracy_interval == statistics.wilson_interval(round(one.accuracy * one.n), one.n, 0.5)
    expected = statistics.bootstrap_interval(predictions, "macro_f1", "recordings", resamples=20, level=0.5)
    assert results.intervals["macro_f1"].recordings == expected
    assert set(results.intervals) == {"accuracy", "macro_f1"}


def test_several_that_could_not_be_read_are_named(make_predictions, make_results) -> None:
    results = make_results(make_predictions(), left_out={"a": "cut off", "b": "empty"}, notes=["one", "two"])
    lost = "2 recording(s) could not be read and are in no figure: a (cut off); b (empty)."
    assert results.remarks == (lost, "one", "two")


def test_what_is_not_said_is_not_there(make_predictions) -> None:
    stamp = ProtocolStamp(name="p", hash="h", fold=None, split_hash="s")
    words = {"recipe": "r", "dataset": "d", "network": "n", "distiller": None, "protocol": stamp, "split": "test"}
    results = build_results(make_predictions(), kind="student", seed=0, **words)
    bare = ("data", "labels", "teacher", "model_bytes", "parameters", "windows", "events")
    assert [getattr(results, name) for name in bare] == [None] * len(bare)
    assert (results.timings, results.latency, results.left_out, results.notes) == ({}, (), {}, ())
    assert (results.environment, results.labels_title) == ({}, "all")
    assert (results.bootstrap.resamples, results.bootstrap.seed, results.bootstrap.level) == (2000, 0, 0.95)


@pytest.mark.parametrize("people", [1, 6])
def test_a_figure_that_no_draw_changes_has_a_dash_and_a_reason(make_predictions, make_results, people: int) -> None:
    """Macro F1 of 100 %, where all are right."""
    predictions = make_predictions(subjects=people, skill=1000.0)
    results = make_results(predictions)
    assert results.macro_f1 == 1 and results.intervals["macro_f1"].recordings is None
    assert results.remarks[-1] == statistics.NO_WIDTH
