"""Plots: real PNGs, the same every time, that show the figures they are given."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from vskd.evaluation.report import plots
from vskd.evaluation.report.plots import ForestRow


def pixels(png: bytes) -> np.ndarray:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def share_of(png: bytes, colour: str, tolerance: int = 60) -> float:
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return float((np.abs(pixels(png).astype(int) - wanted).max(axis=-1) <= tolerance).mean())


@pytest.mark.parametrize("classes", [2, 27])
def test_confusion_matrix_is_darkest_where_counts_are(classes: int) -> None:
    names = [f"some_action_{i}" for i in range(classes)]
    diagonal = plots.confusion_matrix(np.eye(classes, dtype=int) * 9, names)
    image = pixels(diagonal)
    assert image.shape[0] >= 16 * classes  # tall enough to read a label per row
    assert share_of(diagonal, "#08306b", 8) > 0
    half = plots.confusion_matrix(np.full((classes, classes), 1), names)
    assert share_of(half, "#08306b", 8) < share_of(diagonal, "#08306b", 8)


def test_confusion_matrix_with_a_class_that_is_never_performed() -> None:
    pixels(plots.confusion_matrix([[3, 1], [0, 0]], ["a", "b"]))


def test_subject_bars_grow_with_the_subjects(make_predictions, make_results) -> None:
    few = pixels(plots.subject_bars(make_results(make_predictions(subjects=1))))
    many = pixels(plots.subject_bars(make_results(make_predictions(subjects=20))))
    assert many.shape[1] > 2 * few.shape[1]


def test_reliability_diagram_shows_the_gap(make_predictions, make_results) -> None:
    predictions = make_predictions()
    png = plots.reliability_diagram(predictions, make_results(predictions).ece)
    assert share_of(png, plots.SKY) > 0.01
    assert share_of(png, plots.VERMILION) > 0.001


def test_training_curves_have_a_panel_per_quantity() -> None:
    rows = [{"epoch": e, "train/loss": 1 / (e + 1), "train/soft": 0.1, "validation/accuracy": e / 10} for e in range(5)]
    one = pixels(plots.training_curves([{"epoch": 0, "train/loss": 1.0}]))
    three = pixels(plots.training_curves(rows))
    assert three.shape[1] == pytest.approx(3 * one.shape[1], rel=0.02)


@pytest.mark.parametrize(
    "rows", [[], [{"epoch": 0}], [{"epoch": 0, "train/loss": float("nan")}], [{"epoch": 1, "x": 2}]]
)
def test_training_curves_of_nothing_are_nothing(rows: list[dict[str, object]]) -> None:
    assert plots.training_curves(rows) is None


def test_training_curves_survive_gaps_and_text() -> None:
    rows = [{"epoch": 0, "train/loss": 3.0, "note": "x"}, {"epoch": 1, "train/loss": float("inf")}, {"epoch": 2}]
    assert plots.training_curves(rows) is not None


def test_interval_plot_emphasis_and_reference() -> None:
    rows = [ForestRow("plain", 0.8, (0.7, 0.9)), ForestRow("dask", 0.85, (0.8, 0.9), "85.0 %", True)]
    with_reference = plots.interval_plot(rows, "accuracy", 0.8)
    assert share_of(with_reference, plots.VERMILION) > 0
    assert share_of(with_reference, plots.BLUE) > 0
    assert share_of(plots.interval_plot(rows, "accuracy"), plots.VERMILION) == 0
    assert share_of(plots.interval_plot(rows[:1], "accuracy"), plots.BLUE) == 0


def test_a_row_without_an_interval_is_a_point() -> None:
    point, line = (plots.interval_plot([ForestRow("dask", 0.8, i, "", True)], "accuracy") for i in (None, (0.7, 0.9)))
    assert 0 < share_of(point, plots.BLUE) < share_of(line, plots.BLUE)


def test_same_figures_same_bytes(make_predictions, make_results) -> None:
    results = make_results(make_predictions())
    assert plots.subject_bars(results) == plots.subject_bars(results)


def test_data_uri() -> None:
    uri = plots.data_uri(b"\x89PNG")
    assert base64.b64decode(uri.removeprefix("data:image/png;base64,")) == b"\x89PNG"


def test_few_classes_get_percentages_and_many_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    from matplotlib.axes import Axes

    write = Axes.text
    monkeypatch.setattr(Axes, "text", lambda self, x, y, s, **k: texts.append(s) or write(self, x, y, s, **k))
    plots.confusion_matrix([[3, 1], [0, 8]], ("a", "b"))
    assert texts == ["75.0 %\n3", "25.0 %\n1", "100.0 %\n8"]
    texts.clear()
    plots.confusion_matrix(np.eye(13, dtype=int), tuple("abcdefghijklm"))
    assert texts == ["1"] * 13
