"""A signal over time with strips: what is drawn where."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from vskd.modalities import timeline_figure as module
from vskd.modalities.figures import GRID
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
    assert len({module._colour(k) for k in range(60)}) == 60


def test_a_long_line_keeps_its_extremes() -> None:
    values = np.zeros(100_000, np.float32)
    values[[17, 54_321]] = 5, -7
    times, line = thinned(np.arange(100_000) / 50, values)
    assert len(times) == len(line) == 2 * COLUMNS and (line.max(), line.min()) == (5, -7)
    assert times[line.argmax()] <= 17 / 50 and abs(times[line.argmin()] - 54_321 / 50) < 2 * 100_000 / COLUMNS / 50
    short = np.arange(4.0 * COLUMNS), np.ones(4 * COLUMNS, np.float32)
    assert thinned(*short) == short
