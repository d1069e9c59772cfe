"""The base of every picture."""

import io

import numpy as np
from PIL import Image

from vskd.modalities.figures import DPI, GRID, MUTED, blank_figure, new_figure, to_png


def test_size_is_in_inches_and_the_ground_is_white() -> None:
    picture = Image.open(io.BytesIO(to_png(blank_figure(3.0, 2.0))))
    assert picture.size == (3 * DPI, 2 * DPI)
    assert (np.asarray(picture.convert("L")) == 255).all()


def test_axes_come_row_by_row_and_are_quiet() -> None:
    figure, axes = new_figure(4, 4, 2, 3)
    assert [ax.get_subplotspec().num1 for ax in axes] == list(range(6))
    assert len(figure.axes) == 6
    for ax in axes:
        assert not ax.spines["top"].get_visible() and not ax.spines["right"].get_visible()
        assert tuple(round(255 * c) for c in ax.spines["left"].get_edgecolor()[:3]) == tuple(bytes.fromhex(GRID[1:]))


def test_the_same_figure_gives_the_same_bytes() -> None:
    def drawn() -> bytes:
        figure, (ax,) = new_figure(3, 3)
        ax.plot([0, 1], [1, 0])
        return to_png(figure)

    assert drawn() == drawn()


def test_a_figure_has_one_axis_unless_more_are_asked_for_and_no_version_inside() -> None:
    figure, axes = new_figure(2.5, 1.5)
    assert len(axes) == 1 and figure.get_size_inches().tolist() == [2.5, 1.5] and figure.dpi == DPI
    (ax,) = axes
    assert ax.spines["left"].get_visible() and ax.spines["bottom"].get_visible()
    for spine in ("left", "bottom"):
        assert tuple(round(255 * c) for c in ax.spines[spine].get_edgecolor()[:3]) == tuple(bytes.fromhex(GRID[1:]))
    marks = ax.xaxis.get_tick_params()
    assert (marks["labelsize"], marks["labelcolor"], marks["length"]) == (9, MUTED, 0)
    assert ax.get_axisbelow() is True and figure.get_layout_engine() is not None
    assert b"Software" not in to_png(figure)
