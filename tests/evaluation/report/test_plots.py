"""Plots: real PNGs, the same every time, that show the figures they are given."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from vskd.evaluation.metrics import reliability_bins
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


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots are given as figures."""
    monkeypatch.setattr(plots, "to_png", lambda figure: figure)


@pytest.mark.usefixtures("drawn")
def test_confusion_matrix_shows_shares_and_counts_row_by_row() -> None:
    counts = np.array([[3, 1, 0], [0, 0, 0], [2, 2, 4]])
    ax, bar = plots.confusion_matrix(counts, ["sit_down", "run", "up"]).axes  # type: ignore[attr-defined]
    (image,) = ax.get_images()
    np.testing.assert_allclose(image.get_array(), [[0.75, 0.25, 0], [0, 0, 0], [0.25, 0.25, 0.5]])
    assert image.get_clim() == (0, 1)
    said = {tuple(map(int, t.get_position())): t for t in ax.texts}  # (column, row)
    assert {place: t.get_text() for place, t in said.items()} == {
        (0, 0): "75.0 %\n3",
        (1, 0): "25.0 %\n1",
        (0, 2): "25.0 %\n2",
        (1, 2): "25.0 %\n2",
        (2, 2): "50.0 %\n4",
    }
    assert (said[0, 0].get_color(), said[2, 2].get_color()) == ("white", plots.INK)
    assert [t.get_weight() for t in (said[0, 0], said[2, 2], said[1, 0])] == ["bold", "bold", "normal"]
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [t.get_text() for t in labels] == ["sit down", "run", "up"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")
    assert ax.get_xticklabels()[0].get_rotation() == 45
    assert bar.get_ylabel() == "share of the true class"
    flat = plots.confusion_matrix(np.eye(2, dtype=int), ["a", "bcd"]).axes[0]  # type: ignore[attr-defined]
    assert flat.get_xticklabels()[0].get_rotation() == 0


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(("classes", "text"), [(12, "100.0 %\n9"), (13, "9")])
def test_up_to_twelve_classes_have_percentages(classes: int, text: str) -> None:
    figure = plots.confusion_matrix(9 * np.eye(classes, dtype=int), [f"c{n}" for n in range(classes)])
    assert {t.get_text() for t in figure.axes[0].texts} == {text}  # type: ignore[attr-defined]


@pytest.mark.usefixtures("drawn")
def test_subject_bars_have_accuracy_interval_and_the_overall_line(make_predictions, make_results) -> None:
    results = make_results(make_predictions(subjects=3))
    (ax,) = plots.subject_bars(results).axes
    bars = [patch for patch in ax.patches if patch.get_width() == pytest.approx(0.62)]
    assert [bar.get_height() for bar in bars] == [row.accuracy for row in results.per_subject]
    (errors,) = (c for c in ax.collections if len(c.get_segments()) == 3)
    for segment, row in zip(errors.get_segments(), results.per_subject, strict=True):
        low, high = row.accuracy_interval
        assert segment[:, 1].tolist() == pytest.approx([min(low, row.accuracy), max(high, row.accuracy)])
    assert results.accuracy in [line.get_ydata()[0] for line in ax.lines]
    assert [t.get_text() for t in ax.texts] == [
        f"all {results.accuracy:.1%}",
        *(f"{row.accuracy:.0%}\nn={row.n}" for row in results.per_subject),
    ]
    assert [t.get_text() for t in ax.get_xticklabels()] == [row.subject for row in results.per_subject]
    assert ax.get_ylim() == (0, 1.03) and ax.get_xlabel() == "subject"
    assert ax.yaxis.get_major_formatter()(0.25) == "25%"


@pytest.mark.usefixtures("drawn")
def test_reliability_diagram_has_the_bins(make_predictions) -> None:
    predictions = make_predictions()
    bins = reliability_bins(predictions)
    used = bins.count > 0
    top, bottom = plots.reliability_diagram(predictions, 0.1234).axes
    assert [bar.get_height() for bar in top.patches] == bins.accuracy[used].tolist()
    assert [bar.get_x() + bar.get_width() / 2 for bar in top.patches] == pytest.approx(
        ((bins.edges[:-1] + bins.edges[1:]) / 2)[used]
    )
    assert {round(bar.get_width(), 6) for bar in top.patches} == {round(0.9 / 15, 6)}
    (gaps,) = top.collections
    assert [s[:, 1].tolist() for s in gaps.get_segments()] == [
        [a, c] for a, c in zip(bins.accuracy[used], bins.confidence[used], strict=True)
    ]
    diagonal, dots = top.lines
    assert (list(diagonal.get_xdata()), list(diagonal.get_ydata())) == ([0, 1], [0, 1])
    assert dots.get_ydata().tolist() == bins.confidence[used].tolist()
    assert [bar.get_height() for bar in bottom.patches] == bins.count.tolist()
    assert top.get_title(loc="left") == "expected calibration error 0.123"
    assert (top.get_xlim(), top.get_ylim(), bottom.get_xlabel()) == ((0, 1), (0, 1.02), "confidence")


@pytest.mark.usefixtures("drawn")
def test_training_curves_are_sorted_into_panels() -> None:
    rows = [
        {
            "epoch": e,
            "train/loss": 100.0 / 10**e,
            "train/kd": 1.0 + e,
            "validation/loss": 3.0,
            "validation/accuracy": 0.5,
        }
        | ({"validation/macro_f1": 0.4} if e else {})
        for e in range(3)
    ]
    accuracy, loss, terms = plots.training_curves(rows).axes  # type: ignore[union-attr]

    def lines(ax: object) -> dict[str, tuple[list[float], list[float], str, str]]:
        return {
            line.get_label(): (list(line.get_xdata()), list(line.get_ydata()), line.get_color(), line.get_linestyle())
            for line in ax.lines  # type: ignore[attr-defined]
        }

    assert [ax.get_title(loc="left") for ax in (accuracy, loss, terms)] == ["accuracy", "loss", "loss terms"]
    assert lines(accuracy) == {
        "validation": ([1, 2, 3], [0.5] * 3, plots.ORANGE, "-"),
        "validation macro F1": ([2, 3], [0.4] * 2, plots.ORANGE, "--"),
    }
    assert lines(loss) == {"train": ([1, 2, 3], [100.0, 10.0, 1.0], plots.BLUE, "-")} | {
        "validation": ([1, 2, 3], [3.0] * 3, plots.ORANGE, "-")
    }
    assert lines(terms) == {"kd": ([1, 2, 3], [1.0, 2.0, 3.0], plots.BLUE, "-")}
    assert (loss.get_yscale(), terms.get_yscale()) == ("log", "linear")  # a hundredfold range, and a threefold one
    assert accuracy.get_ylim() == (0, 1.02)
    (single,) = plots.training_curves([{"epoch": 0, "train/loss": 1.0}]).axes  # type: ignore[union-attr]
    assert single.lines[0].get_marker() == "o"
    low, high = single.get_xlim()
    assert [tick for tick in single.get_xticks() if low <= tick <= high] == [1]  # no thousandths of an epoch


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(("most", "scale"), [(50.0, "linear"), (50.1, "log")])
def test_losses_over_more_than_a_factor_of_fifty_are_logarithmic(most: float, scale: str) -> None:
    rows = [{"epoch": 0, "train/loss": most}, {"epoch": 1, "train/loss": 1.0}]
    assert plots.training_curves(rows).axes[0].get_yscale() == scale  # type: ignore[union-attr]
    with_zero = plots.training_curves([*rows, {"epoch": 2, "train/loss": 0.0}])
    assert with_zero.axes[0].get_yscale() == "linear"  # type: ignore[union-attr]


@pytest.mark.usefixtures("drawn")
def test_interval_plot_has_a_line_per_row_from_above() -> None:
    rows = [ForestRow("plain", 0.8, (0.7, 0.9), "80 %"), ForestRow("dask", 0.85, None, "85 %", True)]
    (ax,) = plots.interval_plot(rows, "accuracy", 0.75).axes  # type: ignore[attr-defined]
    assert [(list(line.get_xdata()), list(line.get_ydata()), line.get_color()) for line in ax.lines[:3]] == [
        ([0.7, 0.9], [0, 0], plots.MUTED),
        ([0.8], [0], plots.MUTED),
        ([0.85], [1], plots.BLUE),
    ]
    assert list(ax.lines[3].get_xdata()) == [0.75, 0.75]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["plain", "dask"]
    assert [t.get_text() for t in ax.texts] == ["80 %", "85 %"]
    assert (ax.get_ylim(), ax.get_xlabel()) == ((1.5, -0.5), "accuracy")
    assert ax.xaxis.get_major_formatter()(0.1234, 0) == "12.34%"
    (ax,) = plots.interval_plot(rows, "gain", 0.0, differences=True).axes  # type: ignore[attr-defined]
    assert [ax.xaxis.get_major_formatter()(gain, 0) for gain in (0.025, -0.1)] == ["+2.5", "-10"]


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(
    ("names", "size"),
    [
        (["a", "b"], (3.2 + 0.075 + 0.9, 3.2 + 0.06 + 0.5)),
        (["abcd"] * 12, (7.2 + 0.3 + 0.9, 7.2 + 0.24 + 0.5)),
        (["abc"] * 13, (4.68 + 0.225 + 0.9, 4.68 + 0.18 + 0.5)),
    ],
)
def test_confusion_matrices_have_room_for_cells_and_names(names: list[str], size: tuple[float, float]) -> None:
    figure = plots.confusion_matrix(np.eye(len(names), dtype=int), names)
    assert figure.get_size_inches().tolist() == pytest.approx(size)  # type: ignore[attr-defined]
    ax, bar = figure.axes  # type: ignore[attr-defined]
    slanted = len(names[0]) > 3
    assert {t.get_rotation() for t in ax.get_xticklabels()} == {45 if slanted else 0}
    assert {t.get_ha() for t in ax.get_xticklabels()} == {"right" if slanted else "center"}
    assert {t.get_rotation_mode() for t in ax.get_xticklabels()} == {"anchor"}
    edges = (np.arange(len(names) + 1) - 0.5).tolist()
    assert ax.get_xticks(minor=True).tolist() == ax.get_yticks(minor=True).tolist() == edges
    assert ax.xaxis.get_minor_ticks()[0].gridline.get_visible()
    assert bar.yaxis.get_major_formatter()(0.5) == "50%" and ax.get_aspect() == 1.0


@pytest.mark.usefixtures("drawn")
def test_digits_are_white_on_what_is_dark() -> None:
    texts = plots.confusion_matrix([[11, 9], [44, 56]], ["a", "b"]).axes[0].texts  # type: ignore[attr-defined]
    assert [t.get_color() for t in texts] == [plots.INK, plots.INK, plots.INK, "white"]  # 55, 45, 44 and 56 %


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(("people", "width"), [(1, 4.5), (10, 0.62 * 10 + 1.6)])
def test_subject_bars_have_room(make_predictions, make_results, people: int, width: float) -> None:
    results = make_results(make_predictions(subjects=people))
    figure = plots.subject_bars(results)
    assert figure.get_size_inches().tolist() == pytest.approx([width, 3.2])  # type: ignore[attr-defined]
    (ax,) = figure.axes  # type: ignore[attr-defined]
    line = next(line for line in ax.lines if set(line.get_ydata()) == {results.accuracy} and len(line.get_xdata()) == 2)
    assert (line.get_linestyle(), line.get_color()) == ("--", plots.VERMILION)
    said = ax.texts[0]
    assert said.get_position() == (1.01, results.accuracy) and said.get_transform() == ax.get_yaxis_transform()
    assert [t.get_position() for t in ax.texts[1:]] == [(n, 0.02) for n in range(people)]
    assert ax.get_ylabel() == "accuracy" and ax.yaxis.get_gridlines()[0].get_visible()


@pytest.mark.usefixtures("drawn")
def test_reliability_diagram_is_labelled(make_predictions) -> None:
    figure = plots.reliability_diagram(make_predictions(), 0.1)
    top, bottom = figure.axes  # type: ignore[attr-defined]
    assert figure.get_size_inches().tolist() == [4.6, 4.9]  # type: ignore[attr-defined]
    assert top.get_position().height / bottom.get_position().height == pytest.approx(3.2, rel=0.1)
    (legend,) = figure.legends  # type: ignore[attr-defined]
    assert [t.get_text() for t in legend.get_texts()] == ["accuracy", "gap to mean confidence", "perfect"]
    diagonal, dots = top.lines
    assert (diagonal.get_linestyle(), dots.get_marker(), dots.get_linestyle()) == ("--", "o", "None")
    assert (top.get_ylabel(), bottom.get_ylabel()) == ("accuracy", "recordings")
    assert top.yaxis.get_major_formatter()(0.5) == bottom.xaxis.get_major_formatter()(0.5) == "50%"
    assert [bar.get_width() for bar in bottom.patches] == pytest.approx([0.9 / 15] * 15)


@pytest.mark.usefixtures("drawn")
def test_eight_terms_have_seven_colours_and_curves_no_markers() -> None:
    rows = [{"epoch": e, "train/loss": 1.0, **{f"train/t_{n}": 1.0 for n in range(8)}} for e in range(2)]
    figure = plots.training_curves(rows)
    loss, terms = figure.axes  # type: ignore[union-attr]
    assert figure.get_size_inches().tolist() == pytest.approx([8.8, 3.1])  # type: ignore[union-attr]
    assert [line.get_color() for line in terms.lines] == [*plots.PALETTE, plots.PALETTE[0]]
    assert [line.get_label() for line in terms.lines][:2] == ["t 0", "t 1"]
    assert {line.get_marker() for line in (*loss.lines, *terms.lines)} == {"None"}
    assert (loss.get_xlabel(), loss.get_legend() is not None, len(terms.get_legend().get_texts())) == ("epoch", True, 8)
    assert all(float(tick).is_integer() for tick in loss.xaxis.get_major_locator()())
    assert loss.yaxis.get_gridlines()[0].get_visible()


@pytest.mark.usefixtures("drawn")
def test_interval_plot_has_room_and_a_dashed_reference() -> None:
    rows = [ForestRow(f"r{n}", 0.8, (0.7, 0.9), f"n{n}") for n in range(5)]
    figure = plots.interval_plot(rows, "accuracy", 0.75)
    (ax,) = figure.axes  # type: ignore[attr-defined]
    assert figure.get_size_inches().tolist() == pytest.approx([8.2, 0.42 * 5 + 1.0])  # type: ignore[attr-defined]
    reference = ax.lines[-1]
    assert (reference.get_linestyle(), reference.get_color(), reference.get_zorder()) == ("--", plots.VERMILION, 0)
    assert [t.get_position() for t in ax.texts] == [(1.02, n) for n in range(5)]
    assert all(t.get_transform() == ax.get_yaxis_transform() for t in ax.texts)
    assert not ax.spines["left"].get_visible() and ax.xaxis.get_gridlines()[0].get_visible()
    low, high = ax.get_xlim()
    assert (low, high) == pytest.approx((0.7 - 0.06 * 0.2, 0.9 + 0.06 * 0.2))
