"""The embedding map keeps neighbours together, repeats itself, and can be drawn."""

import io
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from vskd.evaluation.report import embedding_map as module
from vskd.evaluation.report.embedding_map import embedding_map, embedding_positions
from vskd.evaluation.report.plots import PALETTE
from vskd.modalities.figures import short_name
from vskd.modalities.timeline_figure import class_colour


def clusters(each: int = 20) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), each)
    return 20 * np.eye(3, 8)[labels] + generator.standard_normal((3 * each, 8)), labels


def test_neighbours_stay_neighbours() -> None:
    embeddings, labels = clusters()
    positions = embedding_positions(embeddings)
    assert positions.shape == (60, 2)
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).all()


def test_the_seed_decides_and_nothing_else_does() -> None:
    """Of wide embeddings (more than 500) the principal components, from which it starts, are found by chance."""
    embeddings = np.random.default_rng(0).standard_normal((30, 600))
    np.random.seed(1)  # what an unseeded t-SNE draws from
    first = embedding_positions(embeddings, 1)
    np.random.seed(2)
    np.testing.assert_array_equal(embedding_positions(embeddings, 1), first)
    assert not np.array_equal(embedding_positions(embeddings, 2), first)
    np.testing.assert_array_equal(embedding_positions(embeddings), embedding_positions(embeddings, 0))


def test_the_picture_shows_every_present_class_and_marks_wrong_answers() -> None:
    embeddings, labels = clusters(4)
    positions = embedding_positions(embeddings)
    right = np.ones(len(labels), dtype=bool)
    names = ("a", "b", "c", "absent")
    plain = embedding_map(positions, labels, right, names)
    assert plain == embedding_map(positions, labels, right, names)
    assert plain != embedding_map(positions, labels, labels != 1, names)
    picture = np.asarray(Image.open(io.BytesIO(plain)).convert("RGB")).reshape(-1, 3)
    coloured = picture[np.ptp(picture, axis=1) > 60]
    assert len(np.unique(coloured // 64, axis=0)) >= 3


def test_each_class_has_its_colour_and_wrong_answers_a_cross(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "to_png", lambda figure: figure)
    positions = np.arange(12.0).reshape(6, 2)
    labels, correct = np.array([0, 0, 1, 1, 1, 2]), np.array([True, False, True, True, False, False])
    (ax,) = embedding_map(positions, labels, correct, ("a", "b", "c", "absent")).axes  # type: ignore[attr-defined]
    dots = [(c.get_label(), c.get_offsets().tolist(), c.get_facecolor()[:, :3].tolist()) for c in ax.collections]
    assert [(label, where) for label, where, _ in dots if not label.startswith("_")] == [
        ("a", [[0, 1]]),
        ("b", [[4, 5], [6, 7]]),
        ("c", []),
    ]
    assert [where for label, where, _ in dots if label.startswith("_")] == [[[2, 3]], [[8, 9]], [[10, 11]]]
    assert dots[0][2] == [list(to_rgb(PALETTE[0]))] and dots[2][2] == [list(to_rgb(PALETTE[1]))]
    assert ax.get_xlabel() == "cross: wrong answer"


@pytest.mark.parametrize("classes", [2, 7, 8, 27, 40])
def test_more_classes_than_colours_are_numbered_and_every_name_is_inside(
    monkeypatch: pytest.MonkeyPatch, classes: int
) -> None:
    monkeypatch.setattr(module, "to_png", lambda figure: figure)
    labels, positions = np.repeat(np.arange(classes), 3), np.random.default_rng(0).normal(size=(3 * classes, 2))
    figure: Any = embedding_map(positions, labels, np.ones(3 * classes, bool), [f"class {n}" for n in range(classes)])
    (ax,), numbered = figure.axes, classes > len(PALETTE)
    names = [f"{n + 1}  class {n}" if numbered else f"class {n}" for n in range(classes)]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names
    colours = [c.get_facecolor()[0, :3].tolist() for c in ax.collections if c.get_label() in names]
    assert colours == [list(class_colour(n)[:3] if numbered else to_rgb(PALETTE[n])) for n in range(classes)]
    middles = {text.get_text(): text.get_position() for text in ax.texts}
    of = {str(n + 1): tuple(np.median(positions[labels == n], axis=0)) for n in range(classes)}
    assert middles == (of if numbered else {})
    figure.canvas.draw()
    box, page = figure.legends[0].get_window_extent(), figure.bbox
    assert page.y0 <= box.y0 and box.y1 <= page.y1 and page.x0 <= box.x0 and box.x1 <= page.x1


@pytest.mark.parametrize(("count", "perplexity"), [(5, 4 / 3), (91, 30.0), (200, 30.0)])
def test_few_recordings_have_fewer_neighbours(monkeypatch: pytest.MonkeyPatch, count: int, perplexity: float) -> None:
    asked: dict[str, object] = {}

    class Plain:
        def __init__(self, **settings: object) -> None:
            asked.update(settings)

        def fit_transform(self, x: np.ndarray) -> np.ndarray:
            return x[:, :2]

    monkeypatch.setattr("sklearn.manifold.TSNE", Plain)
    embedding_positions(np.zeros((count, 3), np.float32), 7)
    expected = {"n_components": 2, "perplexity": perplexity, "init": "pca", "learning_rate": "auto", "random_state": 7}
    assert asked == expected


def test_the_plane_has_no_ticks_and_a_cross_is_a_cross(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "to_png", lambda figure: figure)
    figure = embedding_map(np.zeros((2, 2)), np.array([0, 0]), np.array([True, False]), ("a", "b"))
    (ax,) = figure.axes  # type: ignore[attr-defined]
    assert (list(ax.get_xticks()), list(ax.get_yticks())) == ([], [])
    assert figure.get_size_inches().tolist() == [6.6, 4.6]  # type: ignore[attr-defined]
    dot, cross = ax.collections
    assert (dot.get_sizes().tolist(), cross.get_sizes().tolist()) == ([9], [26])
    assert len(cross.get_paths()[0].vertices) == 4, "two lines"
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["a"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("more", [0, 8])
def test_every_name_is_in_the_legend_whatever_it_begins_with(monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    monkeypatch.setattr(module, "to_png", lambda figure: figure)
    names = ["_hidden", "$x$", "L" * 200, *map(str, range(more))]
    count = len(names)
    figure: Any = embedding_map(np.zeros((count, 2)), np.arange(count), np.ones(count, bool), names)
    said = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [name.rpartition("  ")[2] for name in said] == [short_name(name) for name in names]
