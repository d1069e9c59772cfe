import numpy as np
import pytest

from vskd.datasets.images.image_baselines import score
from vskd.datasets.recording import Recording
from vskd.datasets.splits.split import UNKNOWN
from vskd.datasets.video.random_division import random_division


class Pictures:
    """Tiny clips of one number each: what is nearest can be told by eye."""

    def __init__(self, values: dict[str, float]) -> None:
        self.values = values
        self.ids, self.unreadable = values.keys(), dict[str, str]()

    def of(self, recordings: list[Recording]) -> np.ndarray:
        return np.array([[[[self.values[r.id]]]] for r in recordings], dtype=np.float32)


def clip(name: str, label: int, group: str) -> Recording:
    return Recording(name, group, "1", label, group, {})


def test_clips_beside_their_group_are_recognised_by_it() -> None:
    """Of ten groups each has a place of its own and the label of its clips is its parity."""
    recordings = [clip(f"{g}-{n}", g % 2, str(g)) for g in range(10) for n in range(4)]
    values = {r.id: 10.0 * int(r.group) + 0.1 * int(r.id[-1]) for r in recordings}
    found = random_division(recordings, Pictures(values))
    assert found is not None and found.recordings == 40
    assert found.accuracy == found.macro_f1 == found.groups_in_training == 1.0


def test_the_figures_are_those_of_a_loop_with_the_same_draws() -> None:
    random = np.random.default_rng(5)
    recordings = [clip(str(n), int(random.integers(3)), str(random.integers(20))) for n in range(41)]
    values = {r.id: float(random.normal()) for r in recordings}
    del values["7"]
    found = random_division(recordings, Pictures(values))
    readable = [r for r in recordings if r.id in values]
    right, known = [], []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(40)
        test, train = [readable[n] for n in order[:8]], [readable[n] for n in order[8:]]
        nearest = [min(train, key=lambda r, t=t: abs(values[r.id] - values[t.id])) for t in test]
        right += [t.label == near.label for t, near in zip(test, nearest, strict=True)]
        known += [any(r.group == t.group for r in train) for t in test]
    assert found is not None and found.recordings == 40
    assert found.accuracy == pytest.approx(np.mean(right)) and found.groups_in_training == pytest.approx(np.mean(known))


def test_without_groups_nothing_is_said_of_them_and_one_clip_is_not_divided() -> None:
    recordings = [clip(str(n), n % 2, UNKNOWN) for n in range(6)]
    found = random_division(recordings, Pictures({r.id: float(r.label) for r in recordings}))
    assert found is not None and found.groups_in_training is None
    assert random_division(recordings[:1], Pictures({"0": 0.0})) is None


def test_two_clips_are_divided_and_a_fifth_is_rounded_up() -> None:
    two = random_division([clip("0", 0, "a"), clip("1", 1, "b")], Pictures({"0": 0.0, "1": 1.0}))
    assert two is not None and (two.recordings, two.accuracy, two.groups_in_training) == (2, 0.0, 0.0)
    asked: list[int] = []

    class Counted(Pictures):
        def of(self, recordings: list[Recording]) -> np.ndarray:
            asked.append(len(recordings))
            return super().of(recordings)

    recordings = [clip(str(n), n % 2, str(n)) for n in range(11)]
    random_division(recordings, Counted({r.id: float(r.label) for r in recordings}))
    assert asked == [8, 3] * 3, "training and test of three divisions"


def test_macro_figures_are_means_over_the_divisions() -> None:
    random = np.random.default_rng(6)
    recordings = [clip(str(n), int(random.integers(4)), str(n)) for n in range(30)]
    values = {r.id: float(random.normal()) for r in recordings}
    f1, recall = [], []
    for seed in range(3):
        order = [recordings[n] for n in np.random.default_rng(seed).permutation(30)]
        test, train = order[:6], order[6:]
        said = [min(train, key=lambda r, t=t: abs(values[r.id] - values[t.id])).label for t in test]
        figures = score(np.array([t.label for t in test]), np.array(said))
        f1.append(figures.macro_f1)
        recall.append(figures.macro_recall)
    found = random_division(recordings, Pictures(values))
    assert found is not None and f1 != recall
    assert (found.macro_f1, found.macro_recall) == (pytest.approx(np.mean(f1)), pytest.approx(np.mean(recall)))
