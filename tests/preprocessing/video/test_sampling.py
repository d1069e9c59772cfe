from pathlib import Path

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.video.sampling import clip_indices, refuse_short, shown_indices


def naive_reference(count: int, length: int) -> list[int]:
    """As the published loop."""
    skip = max(int(count / length), 1)
    return [k * skip for k in range(length)]


@pytest.mark.parametrize("count", [16, 17, 31, 32, 33, 100, 187])
def test_the_reference_is_the_published_loop(count: int) -> None:
    assert clip_indices(count, 16, "reference", 1).tolist() == naive_reference(count, 16)


def test_the_reference_never_sees_the_tail_and_the_spread_does() -> None:
    """Of 31 frames the published code sees the first 16."""
    assert clip_indices(31, 16, "reference", 1)[-1] == 15
    assert clip_indices(31, 16, "spread", 1)[-1] >= 29


def test_clips_shorter_than_the_sample() -> None:
    with pytest.raises(DataError, match=r"clip.mp4: 15 frames are fewer than the 16"):
        refuse_short(15, 16, Path("clip.mp4"))
    refuse_short(16, 16, Path("clip.mp4"))
    repeated = clip_indices(5, 16, "spread", 1)
    assert len(repeated) == 16 and set(repeated.tolist()) == set(range(5)) and (np.diff(repeated) >= 0).all()


@pytest.mark.parametrize(("count", "length", "choices"), [(100, 16, 1), (100, 16, 3), (48, 8, 4), (7, 3, 2), (1, 4, 2)])
def test_the_spread_is_the_middle_of_equal_parts(count: int, length: int, choices: int) -> None:
    parts = length * choices
    naive = []
    for k in range(parts):
        first, last = count * k // parts, max(count * (k + 1) // parts, count * k // parts + 1) - 1
        naive.append((first + last) // 2)
    for k in range(length):
        first, last = count * k // length, max(count * (k + 1) // length, count * k // length + 1) - 1
        naive[choices * k + (choices - 1) // 2] = (first + last) // 2
    assert clip_indices(count, length, "spread", choices).tolist() == naive


def test_one_frame_of_each_part_is_shown_the_middle_one_without_a_seed() -> None:
    assert shown_indices(3, 1, None).tolist() == [0, 1, 2]
    assert shown_indices(3, 3, None).tolist() == [1, 4, 7]
    assert shown_indices(2, 4, None).tolist() == [1, 5]
    drawn = np.stack([shown_indices(3, 4, np.random.default_rng(seed)) for seed in range(60)])
    for part in range(3):
        assert set(drawn[:, part].tolist()) == {4 * part + k for k in range(4)}
    before = np.random.default_rng(0)
    shown_indices(3, 1, before)
    assert before.random() == np.random.default_rng(0).random(), "nothing is drawn where there is no choice"
