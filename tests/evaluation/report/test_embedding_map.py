"""The embedding map keeps neighbours together, repeats itself, and can be drawn."""

import io

import numpy as np
from PIL import Image

from vskd.evaluation.report.embedding_map import embedding_map, embedding_positions


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
