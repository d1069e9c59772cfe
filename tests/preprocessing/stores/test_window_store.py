"""The store of windows: whole recordings and sliding windows, against the functions they are made of."""

from pathlib import Path

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.signals import resample_to_length, resample_to_rate, sliding_windows
from vskd.preprocessing.stores.window_store import WindowSource, WindowStore, build_window_store

SAMPLES = {"short": 40, "middle": 100, "long": 173}


@pytest.fixture
def signals() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=(3, samples)).astype(np.float32) for name, samples in SAMPLES.items()}


@pytest.fixture
def sources(tmp_path: Path, signals: dict[str, np.ndarray]) -> list[WindowSource]:
    for name, signal in signals.items():
        np.save(tmp_path / f"{name}.npy", signal.T)
    return [WindowSource(n, tmp_path / f"{n}.npy", "", (), ("x", "y", "z"), 50.0) for n in signals]


def test_whole(sources: list[WindowSource], signals: dict[str, np.ndarray], tmp_path: Path) -> None:
    build_window_store(sources, tmp_path / "w.h5", mode="whole", length=64)
    store = WindowStore(tmp_path / "w.h5")
    assert (store.axes, store.channels) == (("x", "y", "z"), 3)
    for name, signal in signals.items():
        windows = store.windows(name)
        assert windows.shape == (1, 3, 64) and windows.dtype == np.float32
        np.testing.assert_array_equal(windows[0], resample_to_length(signal, 64))
        assert (store.num_windows(name), store.num_samples(name)) == (1, SAMPLES[name])


@pytest.mark.parametrize(("rate", "stride", "used"), [(None, None, 16), (None, 7, 7), (25.0, 8, 8), (100.0, 32, 32)])
def test_sliding(
    sources: list[WindowSource],
    signals: dict[str, np.ndarray],
    tmp_path: Path,
    rate: float | None,
    stride: int | None,
    used: int,
) -> None:
    out = tmp_path / "w.h5"
    length = 32 if rate is None or rate > 50 else 16
    build_window_store(sources, out, mode="sliding", length=length, rate_hz=rate, stride=stride)
    store = WindowStore(out)
    for name, signal in signals.items():
        wanted = sliding_windows(resample_to_rate(signal, 50.0, rate or 50.0), length, used)
        assert len(wanted) == store.num_windows(name) > 0
        np.testing.assert_array_equal(store.windows(name), wanted)
        assert store.num_samples(name) == SAMPLES[name]  # of the original


def test_a_recording_shorter_than_one_sliding_window(sources: list[WindowSource], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"short\.npy: 40 samples are shorter than one window of 64"):
        build_window_store(sources, tmp_path / "w.h5", mode="sliding", length=64)
    report = build_window_store(sources, tmp_path / "w.h5", mode="sliding", length=64, max_bad_fraction=0.5)
    assert [f.id for f in report.failures] == ["short"]


def test_largest_is_of_the_original_recordings_asked_for(
    sources: list[WindowSource], signals: dict[str, np.ndarray], tmp_path: Path
) -> None:
    build_window_store(sources, tmp_path / "w.h5", mode="whole", length=8)
    store = WindowStore(tmp_path / "w.h5")
    for ids in (["short"], ["short", "long"], list(signals)):
        assert store.largest(ids) == max(float(np.abs(signals[i]).max()) for i in ids)
