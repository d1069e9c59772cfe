"""The base of every picture."""

import io

import numpy as np
from PIL import Image

from vskd.modalities.figures import DPI, GRID, blank_figure, new_figure, to_png


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
