"""Long recordings in a report: which are drawn, and that truth, answers and signal stand where they belong."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vskd.datasets.timeline import UNLABELLED, Timeline
from vskd.evaluation.report import timeline_pictures as module
from vskd.evaluation.report.timeline_pictures import signal_of, timeline_pictures
from vskd.evaluation.windows import WindowPredictions
from vskd.modalities.window import WindowInputs

CLASSES = ("none", "walk")


class Store:
    """One recording of 10 samples a second, cut into windows."""

    axes = ("x", "y")

    def __init__(self, stride: int | None, length: int = 4, windows: int = 3) -> None:
        self.settings = {"length": length, "stride": stride}
        self.step, self.length, self.count = stride or max(1, length // 2), length, windows
        self.samples = np.arange(200, dtype=np.float32).reshape(2, 100)

    def times(self, _: str) -> np.ndarray:
        starts = np.arange(self.count) * self.step / 10
        return np.stack([starts, starts + self.length / 10], axis=1)

    def window(self, _: str, number: int) -> np.ndarray:
        return self.samples[:, number * self.step : number * self.step + self.length]


@pytest.mark.parametrize(("stride", "fresh"), [(3, 3), (None, 2), (4, 4), (6, 4)])
def test_a_recording_is_put_together_without_what_windows_share(stride: int | None, fresh: int) -> None:
    """A stride beyond the window leaves gaps, which are not filled."""
    store = Store(stride)
    moments, signal = signal_of(store, "r")  # type: ignore[arg-type]
    places = [number * store.step + k for number in range(3) for k in range(fresh)]
    np.testing.assert_allclose(moments, np.array(places) / 10)
    np.testing.assert_array_equal(signal, store.samples[:, places])


def test_windows_of_one_sample_are_not_lost() -> None:
    assert signal_of(Store(None, length=1), "r")[1].shape == (2, 3)  # type: ignore[arg-type]


class Windows(WindowInputs):
    """Inputs that need no training split."""

    def __init__(self) -> None:
        pass

    store = Store(3)  # type: ignore[assignment]
    first = (SimpleNamespace(unit="g"),)  # type: ignore[assignment]


def opened(names: str, timelines: dict[str, Timeline | None], inputs: object) -> tuple[Any, WindowPredictions]:
    """An experiment, and two windows of each of its recordings: nothing for 2 s, then walking."""
    index = SimpleNamespace(labels=CLASSES, null_class="none")
    recordings = {i: SimpleNamespace(timeline=timelines.get(i)) for i in names}
    ids = tuple(i for i in names for _ in range(2))
    times = np.tile([[0.0, 2.0], [2.0, 4.0]], (len(names), 1))
    answers = np.tile([[0.9, 0.1], [0.2, 0.8]], (len(names), 1))
    windows = WindowPredictions(ids, ids, times, np.zeros(len(ids), int), answers, CLASSES)
    return SimpleNamespace(index=index, recordings=recordings, inputs=inputs), windows


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the figure is given."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(module, "timeline_figure", lambda *args, **named: calls.append((*args, named)) or b"png")
    return calls


def test_truth_and_answers_are_those_of_the_recording(drawn: list[tuple[Any, ...]]) -> None:
    experiment, windows = opened("ab", {"b": Timeline(((1.0, 3.0, 1),))}, Windows())
    assert timeline_pictures(experiment, windows) == {"Truth and answers over time: b": b"png"}
    ((moments, signal, strips, classes, named),) = drawn
    assert signal.shape == (2, len(moments)) and classes == CLASSES
    assert named == {"channels": ("x", "y"), "unit": "g", "null_class": "none"}
    assert strips == {
        "truth": ((0.0, 1.0, UNLABELLED), (1.0, 3.0, 1), (3.0, 4.0, UNLABELLED)),
        "answers": [(0.0, 2.0, 0), (2.0, 4.0, 1)],
    }


@pytest.mark.parametrize(
    ("long", "shown"), [("", ""), ("c", "c"), ("bd", "bd"), ("bcd", "bcd"), ("abcdef", "acf"), ("abcdefg", "adg")]
)
@pytest.mark.usefixtures("drawn")
def test_up_to_three_are_spread_over_all_long_ones(long: str, shown: str) -> None:
    experiment, windows = opened("abcdefg", dict.fromkeys(long, Timeline((), 0)), Windows())
    assert [title[-1] for title in timeline_pictures(experiment, windows)] == list(shown)


def test_what_has_no_windows_has_no_picture(drawn: list[tuple[Any, ...]]) -> None:
    timelines = {"a": Timeline((), 0)}
    experiment, windows = opened("a", timelines, Windows())
    assert timeline_pictures(experiment, None) == {}
    other, windows = opened("a", timelines, object())
    assert timeline_pictures(other, windows) == {} and not drawn
