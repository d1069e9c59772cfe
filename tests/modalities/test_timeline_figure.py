"""A signal over time with strips: what is drawn where."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from vskd.modalities import timeline_figure as module
from vskd.modalities.figures import GRID, INK, MUTED, short_name
from vskd.modalities.timeline_figure import COLUMNS, thinned, timeline_figure


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Figure]]:
    figures: list[Figure] = []
    render = module.to_png
    monkeypatch.setattr(module, "to_png", lambda figure: figures.append(figure) or render(figure))
    yield figures


def test_signal_strips_and_legend(drawn: list[Figure]) -> None:
    times = np.arange(100) / 50
    strips = {"truth": [(0.0, 0.5, 1), (0.5, 2.0, 0)], "answers": [(0.0, 0.75, 1), (0.75, 2.0, -1)]}
    signal = np.stack([np.sin(times), np.cos(times)]).astype(np.float32)
    png = timeline_figure(times, signal, strips, ("none", "walk", "run"), unit="g", null_class="none")
    assert Image.open(io.BytesIO(png)).format == "PNG"
    (figure,) = drawn
    top, truth, answers = figure.axes
    np.testing.assert_array_equal(np.stack([line.get_ydata() for line in top.lines]), signal)
    assert top.get_ylabel() == "g" and answers.get_xlabel() == "seconds"
    assert [label.get_text() for ax in (truth, answers) for label in ax.get_yticklabels()] == ["truth", "answers"]
    spans = [[path.vertices[:, 0].min() for path in group.get_paths()] for group in truth.collections]
    assert spans == [[0.5], [0.0]]  # by class: none, walk
    assert len(answers.collections) == 1  # a negative class is left blank
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["none", "walk"]
    from matplotlib.colors import to_rgba

    assert tuple(truth.collections[0].get_facecolor()[0]) == to_rgba(GRID)
    assert tuple(truth.collections[1].get_facecolor()[0]) == tuple(answers.collections[0].get_facecolor()[0])


def test_a_signal_alone_has_its_seconds(drawn: list[Figure]) -> None:
    timeline_figure(np.arange(3.0), np.zeros((1, 3), np.float32), {}, ())
    assert len(drawn[0].axes) == 1 and drawn[0].axes[0].get_xlabel() == "seconds"


def test_sixty_classes_have_colours_of_their_own() -> None:
    assert len({module.class_colour(k) for k in range(60)}) == 60


def test_a_long_line_keeps_its_extremes() -> None:
    values = np.zeros(100_000, np.float32)
    values[[17, 54_321]] = 5, -7
    times, line = thinned(np.arange(100_000) / 50, values)
    assert len(times) == len(line) == 2 * COLUMNS and (line.max(), line.min()) == (5, -7)
    assert times[line.argmax()] <= 17 / 50 and abs(times[line.argmin()] - 54_321 / 50) < 2 * 100_000 / COLUMNS / 50
    short = np.arange(4.0 * COLUMNS), np.ones(4 * COLUMNS, np.float32)
    assert thinned(*short) == short


def test_each_label_has_its_stretches_and_room_for_its_name(drawn: list[Figure]) -> None:
    """Two stretches of a class make one group; what is at the bottom says the seconds."""
    strips = {"truth": [(0.0, 1.0, 2), (1.0, 1.5, 0), (1.5, 4.0, 2)], "answers": [(0.5, 3.0, 1)]}
    names = tuple(f"c{n}" for n in range(9))
    timeline_figure(np.arange(5.0), np.zeros((2, 5), np.float32), strips, names, unit="m/s^2")
    (figure,) = drawn
    top, truth, answers = figure.axes
    assert (top.get_xlabel(), truth.get_xlabel(), answers.get_xlabel()) == ("", "", "seconds")
    assert figure.get_size_inches().tolist() == pytest.approx([11, 2.2 + 2 * 0.45 + 0.25])
    groups = [[path.get_extents() for path in group.get_paths()] for group in truth.collections]
    assert [[(box.x0, box.x1, box.y0, box.y1) for box in group] for group in groups] == [
        [(1.0, 1.5, 0, 1)],
        [(0.0, 1.0, 0, 1), (1.5, 4.0, 0, 1)],
    ]
    assert truth.get_ylim() == (0, 1) and [t.get_text() for t in figure.legends[0].get_texts()] == ["c0", "c1", "c2"]
    colours = [tuple(group.get_facecolor()[0]) for ax in (truth, answers) for group in ax.collections]
    assert colours == [module.class_colour(0), module.class_colour(2), module.class_colour(1)]
    assert not top.spines["top"].get_visible() and not truth.spines["right"].get_visible()


def test_colours_go_through_the_three_palettes_and_start_again() -> None:
    from matplotlib import colormaps

    for number, (palette, place) in {0: ("tab20", 0), 19: ("tab20", 19), 20: ("tab20b", 0), 59: ("tab20c", 19)}.items():
        assert module.class_colour(number) == tuple(colormaps[palette](place))
    assert module.class_colour(60) == module.class_colour(0)


def test_a_line_is_thinned_from_one_sample_more_than_four_a_column() -> None:
    """Against a naive loop over the parts."""
    count = 4 * COLUMNS + 1
    values = np.random.default_rng(0).normal(size=count).astype(np.float32)
    times, line = thinned(np.arange(count) / 50, values)
    bounds = [int(count * k / COLUMNS) for k in range(COLUMNS + 1)]
    for k in (0, 1, 700, COLUMNS - 1):
        part = values[bounds[k] : bounds[k + 1]]
        assert line[2 * k : 2 * k + 2].tolist() == [part.min(), part.max()]
        assert times[2 * k] == times[2 * k + 1] == bounds[k] / 50


def test_labels_are_in_their_order_in_one_legend_over_one_time(drawn: list[Figure]) -> None:
    """Whatever comes first: names of the classes in their order, drawn in their order."""
    strips = {"truth": [(0.0, 1.0, 8), (1.0, 2.0, 0)], "answers": [(0.0, 2.0, 8)]}
    timeline_figure(np.arange(5.0), np.zeros((1, 5), np.float32), strips, tuple(f"c{n}" for n in range(9)))
    (figure,) = drawn
    top, truth, answers = figure.axes
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["c0", "c8"]
    assert [tuple(group.get_facecolor()[0]) for group in truth.collections] == [
        module.class_colour(0),
        module.class_colour(8),
    ]
    assert not legend.get_frame_on() and legend._ncols > 1
    assert [tuple(patch.get_facecolor()) for patch in truth.patches] == [module.class_colour(0), module.class_colour(8)]
    assert not answers.patches, "the legend's handles are drawn once"
    assert all(top.get_shared_x_axes().joined(top, ax) for ax in (truth, answers))
    assert {type(part) for part in module.class_colour(3)} == {float}
    assert {line.get_linewidth() for line in top.lines} == {0.6}
    assert top.yaxis.label.get_color() == answers.xaxis.label.get_color() == MUTED
    assert {(text.get_fontsize(), to_hex(text.get_color())) for text in legend.get_texts()} == {(8, INK)}
    assert top.get_gridspec().get_height_ratios() == [4, 1, 1] and legend._outside_loc == "lower"


def test_channels_are_named_in_the_colours_of_their_lines(drawn: list[Figure]) -> None:
    timeline_figure(np.arange(5.0), np.zeros((3, 5), np.float32), {}, (), channels=("x", "y", "z"), unit="g")
    timeline_figure(np.arange(5.0), np.zeros((3, 5), np.float32), {}, ())
    named, bare = (figure.axes[0] for figure in drawn)
    legend = named.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["x", "y", "z"]
    colours = [line.get_color() for line in legend.get_lines()]
    assert colours == [line.get_color() for line in named.lines] and len(set(colours)) == 3
    assert bare.get_legend() is None
    with pytest.raises(ValueError, match="zip"):
        timeline_figure(np.arange(5.0), np.zeros((3, 5), np.float32), {}, (), channels=("x", "y"))


@pytest.mark.parametrize(("count", "numbered"), [(7, False), (8, True)])
def test_of_many_classes_the_wider_stretches_bear_their_numbers(
    drawn: list[Figure], count: int, numbered: bool
) -> None:
    strip = [(10.0 * k, 10.0 * k + 10, k) for k in range(count)]
    strip += [(10.0 * count, 10.0 * count + 1, 0), (10.0 * count + 1, 10.0 * count + 9, -1)]
    timeline_figure(np.arange(5.0), np.zeros((1, 5), np.float32), {"truth": strip}, [f"c{k}" for k in range(12)])
    (figure,) = drawn
    said = [(text.get_position()[0], text.get_text()) for text in figure.axes[1].texts]
    assert said == ([(10.0 * k + 5, str(k + 1)) for k in range(count)] if numbered else [])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [f"{k + 1}  c{k}" if numbered else f"c{k}" for k in range(count)]


def test_every_name_is_in_a_legend_whatever_it_begins_with(drawn: list[Figure]) -> None:
    names = ["_hidden", "$x$", "L" * 200]
    strip = {"truth": [(0.0, 1.0, 0), (1.0, 2.0, 1), (2.0, 3.0, 2)]}
    timeline_figure(
        np.arange(3.0), np.zeros((2, 3), np.float32), strip, names, channels=("_x", "y"), null_class=names[2]
    )
    (figure,) = drawn
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [short_name(name) for name in names]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["_x", "y"]
    assert to_hex(figure.axes[1].collections[2].get_facecolor()[0]) == GRID
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1


@pytest.mark.parametrize("count", [60, 60_000])  # drawn as it is, and by its extremes
def test_no_line_is_drawn_across_a_gap(drawn: list[Figure], count: int) -> None:
    times = np.arange(count) / 50
    times[count // 3 :] += times[-1]
    times[count // 2 :] += 2 * times[-1]
    timeline_figure(times, np.ones((2, count), np.float32), {}, ())
    for line in drawn[0].axes[0].lines:
        x, y = line.get_data()
        whole = np.isfinite(y[1:]) & np.isfinite(y[:-1])
        assert np.isnan(y).sum() == 2 and np.diff(x)[whole].max() < times[count // 3] / 10
        assert len(y) == min(count, 2 * COLUMNS) + 2
