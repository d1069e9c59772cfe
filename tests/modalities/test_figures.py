"""The base of every picture."""

import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import RendererAgg
from PIL import Image

from vskd.modalities.figures import (
    DPI,
    GRID,
    LONG_NAME,
    MUTED,
    blank_figure,
    new_figure,
    plain_logarithms,
    short_name,
    to_png,
)


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


@pytest.mark.parametrize("name", ["$x_1$", r"$\notacommand$", r"\$", "a$b$c$", "$$", "50% & #1 ~^{}"])
def test_no_text_is_a_formula(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The font draws each letter of a name, wherever it stands in the picture."""
    letters: list[str] = []
    draw = RendererAgg.draw_text
    monkeypatch.setattr(RendererAgg, "draw_mathtext", lambda *_: pytest.fail("a formula"), raising=True)
    monkeypatch.setattr(
        RendererAgg,
        "draw_text",
        lambda self, gc, x, y, s, *rest, **more: (letters.append(s), draw(self, gc, x, y, s, *rest, **more)),
    )
    figure, (ax,) = new_figure(4, 4)
    (line,) = ax.plot([0, 1], [1, 0], label=name)
    ax.set_title(name)
    ax.set_xticks([0], [name])
    ax.set_xlabel(name)
    ax.text(0, 0, name)
    ax.legend(handles=[line])
    figure.legend(handles=[line], loc="outside lower center")
    to_png(figure)
    assert letters.count(name) == 6


@pytest.mark.parametrize("limits", [(1e-3, 1e3), (2.0, 30.0)])
def test_a_logarithmic_axis_has_numbers(limits: tuple[float, float]) -> None:
    figure, (ax,) = new_figure(4, 4)
    ax.set_yscale("log")
    ax.set_ylim(*limits)
    plain_logarithms(ax.yaxis)
    to_png(figure)
    labels = [label.get_text() for label in ax.get_yticklabels(which="both") if label.get_text()]
    assert "10" in labels and all(float(label.replace("\N{MINUS SIGN}", "-")) > 0 for label in labels)


def test_a_long_name_keeps_its_ends_and_stands_on_one_line() -> None:
    assert short_name("wave\nboth  hands") == "wave both hands"
    exact = "x" * LONG_NAME
    assert short_name(exact) == exact
    short = short_name("begin" + "x" * 300 + "end")
    assert len(short) == LONG_NAME and short.startswith("beginx") and short.endswith("xend") and "…" in short
