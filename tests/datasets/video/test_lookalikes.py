"""Copies among clips, against a loop over all pairs."""

import numpy as np
import pytest

from vskd.datasets.video import lookalikes
from vskd.datasets.video.lookalikes import NEAR, SameClip, nearest_rows, same_clips, same_rows


def standardised(clips: np.ndarray) -> np.ndarray:
    flat = clips.reshape(len(clips), -1)
    flat = (flat - flat.mean(axis=1, keepdims=True)) / flat.std(axis=1, keepdims=True)
    return flat.reshape(clips.shape).astype(np.float32)


@pytest.fixture
def clips() -> np.ndarray:
    """Twelve clips; 7 is a brighter copy of 2, 11 a noisy one, and 9 of 4, which are still by far the nearest.

    3 and 6 are near, too, but 8 is nearly as near to them.
    """
    random = np.random.default_rng(0)
    clips = random.normal(size=(12, 8, 6, 5))
    clips[7] = 3 + 1.5 * clips[2]
    for copy, of, noise in ((11, 2, 0.03), (9, 4, 0.15), (6, 3, 0.12), (8, 3, 0.2)):
        clips[copy] = clips[of] + random.normal(scale=noise, size=clips[of].shape)
    return standardised(clips)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.mean((one - other) ** 2)))


@pytest.mark.parametrize(("block", "others"), [(1, 1), (5, 3), (2, 7), (100, 5), (100, 100)])
def test_neighbours_are_those_of_a_loop(
    clips: np.ndarray, block: int, others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookalikes, "_BLOCK", block)
    monkeypatch.setattr(lookalikes, "_OTHERS", others)
    distances, rows = nearest_rows(clips)
    for row in range(12):
        naive = sorted((distance(clips[row], clips[n]), n) for n in range(12) if n != row)[:8]
        np.testing.assert_allclose(distances[row] ** 2, [d**2 for d, _ in naive], atol=1e-5)
        assert rows[row].tolist() == [n for _, n in naive]


def test_copies_are_near_or_by_far_the_nearest(clips: np.ndarray) -> None:
    assert distance(clips[2], clips[11]) < NEAR < distance(clips[4], clips[9])
    assert distance(clips[3], clips[6]) < distance(clips[4], clips[9]), "near, and not alone"
    assert set(same_rows(clips)) == {(2, 7), (2, 11), (7, 11), (4, 9)}


def test_of_two_clips_only_very_near_ones_are_copies(clips: np.ndarray) -> None:
    """There is no further one to compare with."""
    assert list(same_rows(clips[[4, 9]])) == [] and list(same_rows(clips[[2, 7]])) == [(0, 1)]
    assert list(same_rows(clips[:1])) == list(same_rows(clips[:0])) == []


def test_equal_bytes_are_told_from_what_was_encoded_anew(clips: np.ndarray) -> None:
    ids = [f"clip{n:02}" for n in range(12)]
    contents = {i: i for i in ids} | {"clip05": "twin", "clip01": "twin", "broken1": "b", "broken2": "b"}
    assert same_clips(ids, clips, contents) == (
        SameClip(("broken1", "broken2"), True),
        SameClip(("clip01", "clip05"), True),
        SameClip(("clip02", "clip07", "clip11"), False),
        SameClip(("clip04", "clip09"), False),
    )
    assert same_clips(ids[:2], clips[:2], {i: i for i in ids[:2]}) == ()


def test_few_clips_are_in_memory_at_a_time(clips: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookalikes, "_BLOCK", 3)
    monkeypatch.setattr(lookalikes, "_OTHERS", 2)
    asked = []

    class Rows:
        def __len__(self) -> int:
            return len(clips)

        def __getitem__(self, rows: slice) -> np.ndarray:
            asked.append(len(range(*rows.indices(len(clips)))))
            return clips[rows]

    assert len(list(same_rows(Rows()))) == 4 and max(asked) == 3


@pytest.mark.parametrize(
    ("distances", "count"),
    [
        ([], 0), ([0.05], 1), ([0.051], 0),
        ([0.01, 0.02, 0.03], 3),
        ([0.05, 0.06, 1.0], 2),  # the second is by far nearer than the third
        ([0.06, 0.07], 0),
        ([0.2, 0.5], 1), ([0.2, 0.49], 0), ([0.21, 0.9], 0),
        ([0.02, 0.1, 0.3, 0.9], 2),
        ([0.01, 0.04, 0.045, 0.046], 4),
    ],
)  # fmt: skip
def test_how_many_of_the_nearest_are_copies(distances: list[float], count: int) -> None:
    assert lookalikes._copies(np.array(distances)) == count


def test_recordings_of_a_clip_are_named_in_order(clips: np.ndarray) -> None:
    """Whatever the order in which they were given."""
    ids = [f"clip{99 - n:02}" for n in range(12)]
    assert [clip.ids for clip in same_clips(ids, clips, {})] == [("clip88", "clip92", "clip97"), ("clip90", "clip95")]
