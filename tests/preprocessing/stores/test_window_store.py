"""The store of windows: whole recordings and sliding windows, against the functions they are made of."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tests.preprocessing.sensor.recordings import wrist
from vskd.errors import CacheError, DamagedCacheError, DataError
from vskd.preprocessing.sensor.clock import Clock
from vskd.preprocessing.sensor.joined import joined
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.resampling import resampled
from vskd.preprocessing.sensor.signals import resample_to_length, sliding_windows
from vskd.preprocessing.sensor.timed import Timed
from vskd.preprocessing.stores.window_store import (
    RESAMPLING_VERSION,
    Mode,
    WindowSettings,
    WindowSource,
    WindowStore,
    build_window_store,
    cut_windows,
    read_source,
    refuse_faults,
)
from vskd.preprocessing.sync.cut import Cut

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
        wanted = sliding_windows(resampled(signal, 50.0, rate or 50.0), length, used)
        assert len(wanted) == store.num_windows(name) > 0
        np.testing.assert_array_equal(store.windows(name), wanted)
        assert store.num_samples(name) == SAMPLES[name]  # of the original


def test_a_store_of_windows_that_were_resampled_otherwise_is_not_taken_for_this_one(
    sources: list[WindowSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stores of before say no version."""
    out = tmp_path / "w.h5"
    sliding = partial(build_window_store, sources, out, mode="sliding", length=16, stride=8)
    sliding(rate_hz=25.0)
    settings = WindowStore(out).settings
    assert settings["resampling"] == RESAMPLING_VERSION == 2
    assert sliding(rate_hz=25.0).reused
    monkeypatch.setattr("vskd.preprocessing.stores.window_store.RESAMPLING_VERSION", 3)
    with pytest.raises(CacheError, match=r"w\.h5 was made with other settings"):
        sliding(rate_hz=25.0)
    assert not sliding(rate_hz=None, overwrite=True).reused
    assert "resampling" not in WindowStore(out).settings, "windows at the stream's own rate are what they were"


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


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda v: v * 9.80665, "look like m/s^2"),
        (lambda v: v - v.mean(axis=0), "gravity was removed"),
        (lambda v: v * [1, 0, 1], "axis y is 0 in every sample"),
    ],
)
def test_one_subject_s_signals_that_are_no_accelerometer_s_in_g(tmp_path: Path, change, told: str) -> None:
    """Of four recordings one is in another unit, or dead: it is named, and it stops the build or is left out."""
    sources = []
    for seed in range(4):
        values = wrist(seed=seed)
        np.save(tmp_path / f"r{seed}.npy", change(values) if seed == 2 else values)
        sources.append(
            WindowSource(f"r{seed}", tmp_path / f"r{seed}.npy", "", (), ("x", "y", "z"), 50.0, "g", "accelerometer")
        )
    with pytest.raises(DataError, match=r"r2\.npy") as caught:
        build_window_store(sources, tmp_path / "w.h5", mode="whole", length=32)
    assert told in str(caught.value)
    build_window_store(sources, tmp_path / "v.h5", mode="whole", length=32, max_bad_fraction=0.25)
    store = WindowStore(tmp_path / "v.h5")
    assert store.ids == {"r0", "r1", "r3"} and told in store.problems["r2"]
    assert len(store.largest_of(["r0", "r1"])) == 2


def test_of_streams_without_gravity_none_is_asked(tmp_path: Path) -> None:
    np.save(tmp_path / "r.npy", wrist() - wrist().mean(axis=0))
    source = WindowSource("r", tmp_path / "r.npy", "", (), ("x", "y", "z"), 50.0, "g", "linear acceleration")
    build_window_store([source], tmp_path / "w.h5", mode="whole", length=32)


def test_columns_are_those_of_the_stream(tmp_path: Path) -> None:
    """A file names its columns; those of a gyroscope are no accelerometer's."""
    samples = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    np.savetxt(tmp_path / "r.csv", samples, delimiter=",", header="gyro_x,gyro_y,gyro_z", comments="", fmt="%.9g")
    of_gyroscope, of_accelerometer = (
        WindowSource("r", tmp_path / "r.csv", "", (), ("x", "y", "z"), 50.0, unit, stream)
        for unit, stream in (("rad/s", "gyroscope"), ("g", "accelerometer"))
    )
    np.testing.assert_array_equal(read_source(of_gyroscope).signal, samples.T)
    with pytest.raises(DataError, match=r"r\.csv"):
        read_source(of_accelerometer)


def test_the_same_samples_in_another_file_have_the_same_content(tmp_path: Path) -> None:
    """A .mat saved again compressed, and with another number type; whatever the windows."""
    samples = np.random.default_rng(0).normal(size=(90, 6)).astype(np.float32)
    savemat(tmp_path / "a.mat", {"d": samples})
    savemat(tmp_path / "b.mat", {"d": samples.astype(np.float64)}, do_compression=True)
    savemat(tmp_path / "c.mat", {"d": samples + np.eye(90, 6, dtype=np.float32) * 1e-3})
    for length in (32, 64):
        sources = [WindowSource(n, tmp_path / f"{n}.mat", "d", (0, 1, 2), ("x", "y", "z"), 50.0) for n in "abc"]
        sources.append(WindowSource("gyroscope", tmp_path / "a.mat", "d", (3, 4, 5), ("x", "y", "z"), 50.0))
        build_window_store(sources, tmp_path / f"{length}.h5", mode="whole", length=length)
    contents = WindowStore(tmp_path / "32.h5").contents
    assert contents == WindowStore(tmp_path / "64.h5").contents
    assert contents["a"] == contents["b"]
    assert len({contents[i] for i in ("a", "c", "gyroscope")}) == 3


def test_when_windows_begin(tmp_path: Path) -> None:
    """By the clock: gaps are in it, and rows with empty cells at the beginning are time that passed."""
    signal = wrist(400)
    stamps = 20 * np.arange(400) + np.where(np.arange(400) >= 250, 3000, 0)
    rows = [f"{t},{x},{y},{z}" for t, (x, y, z) in zip(stamps, signal, strict=True)]
    rows[:10] = [f"{t},,," for t in stamps[:10]]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    source = WindowSource(
        "a", tmp_path / "a.csv", "", (1, 2, 3), ("x", "y", "z"), 50.0, time_column=0, reading=Reading(time_unit_s=1e-3)
    )
    build_window_store([source], tmp_path / "w.h5", mode="sliding", length=40, rate_hz=25.0, stride=20)
    times = WindowStore(tmp_path / "w.h5").times("a")
    starts = [0.2 + k * 0.8 for k in range(5)] + [8.0 + k * 0.8 for k in range(2)]
    np.testing.assert_allclose(times, [[s, s + 1.6] for s in starts], atol=1e-9)


def test_of_a_long_recording_one_window_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not all of it for each: that was quadratic in its length."""
    np.save(tmp_path / "a.npy", wrist(2000))
    build_window_store(
        [WindowSource("a", tmp_path / "a.npy", "", (), ("x", "y", "z"), 50.0)],
        tmp_path / "w.h5", mode="sliding", length=32, stride=8,
    )  # fmt: skip
    kept, store = WindowStore(tmp_path / "w.h5"), WindowStore(tmp_path / "w.h5")
    monkeypatch.setattr(store, "_room", 1000)
    monkeypatch.setattr(store, "read", lambda _: pytest.fail("the whole recording was read"))
    for k in (0, 100, store.num_windows("a") - 1):
        np.testing.assert_array_equal(store.window("a", k), kept.windows("a")[k])


def test_damage_in_a_window_is_found_where_it_alone_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "a.npy", wrist(2000))
    path = tmp_path / "w.h5"
    build_window_store(
        [WindowSource("a", tmp_path / "a.npy", "", (), ("x", "y", "z"), 50.0)],
        path, mode="sliding", length=32, stride=8,
    )  # fmt: skip
    wanted = WindowStore(path).windows("a")[7].tobytes()
    content = bytearray(path.read_bytes())
    content[content.index(wanted) + 5] ^= 1
    path.write_bytes(content)
    store = WindowStore(path)
    monkeypatch.setattr(store, "_room", 1000)
    np.testing.assert_array_equal(store.window("a", 6).shape, (3, 32))
    with pytest.raises(DamagedCacheError, match="row 7"):
        store.window("a", 7)


def of_two_sensors(folder: Path) -> WindowSource:
    """Acceleration at 50 Hz in g, and turning at 100 Hz in deg/s, which begin together."""
    turning = np.random.default_rng(0).normal(0, 100, size=(300, 3)).cumsum(axis=0) / 50
    np.save(folder / "acc.npy", wrist(150))
    np.save(folder / "gyr.npy", turning)
    gyroscope = WindowSource(
        "r", folder / "gyr.npy", "", (), ("x", "y", "z"), 100.0, "deg/s", "gyroscope", scale=200.0, range_limit=1.0
    )
    return WindowSource(
        "r",
        folder / "acc.npy",
        "",
        (),
        ("x", "y", "z"),
        50.0,
        "g",
        "accelerometer",
        range_limit=8.0,
        scale=4.0,
        others=(gyroscope,),
    )


@pytest.mark.parametrize(("rate", "used"), [(None, 100.0), (50.0, 50.0)])
def test_several_sensors_share_a_window_each_divided_by_its_scale(
    tmp_path: Path, rate: float | None, used: float
) -> None:
    source = of_two_sensors(tmp_path)
    out = tmp_path / "w.h5"
    build_window_store([source], out, mode="sliding", length=32, rate_hz=rate, stride=32)
    store = WindowStore(out)
    names = ("accelerometer x", "accelerometer y", "accelerometer z", "gyroscope x", "gyroscope y", "gyroscope z")
    assert store.axes == source.channels == names
    parts = [read_source(part) for part in source.parts]
    scaled = [replace(part, signal=part.signal / np.float32(s)) for part, s in zip(parts, (4.0, 200.0), strict=True)]
    whole = joined(scaled, ("a", "b"), "r", used)
    np.testing.assert_array_equal(store.windows("r"), sliding_windows(whole.signal, 32, 32))
    assert store.num_samples("r") == whole.signal.shape[1]
    assert store.largest_of(["r"]) == [pytest.approx(float(np.abs(wrist(150)).max()), rel=1e-6)]
    assert store.largest_of(["r"], 1) == [float(np.abs(parts[1].signal).max())]  # in its unit, not scaled
    assert store.largest(["r"]) == store.largest_of(["r"])[0]


def test_what_recordings_show_of_their_devices_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sources = []
    for number in range(3):
        values = wrist(seed=number)
        if number:
            values[50, 1] = 2.0 if number == 1 else 9.0  # at the range, and beyond it
        np.save(tmp_path / f"r{number}.npy", 0.5 * values if number == 0 else values)
        sources.append(
            WindowSource(
                f"r{number}",
                tmp_path / f"r{number}.npy",
                "",
                (),
                ("x", "y", "z"),
                50.0,
                "g",
                "accelerometer",
                calibrated=number > 0,
                range_limit=2.0 if number else 8.0,
            )
        )
    with caplog.at_level("WARNING", logger="vskd"):
        build_window_store(sources, tmp_path / "w.h5", mode="whole", length=32)
    facts = WindowStore(tmp_path / "w.h5").device_facts()
    assert facts == (
        "1 of 3 recordings reach the sensor's range, where it saturates: r1",
        "1 of 3 recordings hold samples that the sensor cannot measure (glitches); they are left as they are: r2",
        "1 of 3 recordings do not show 1 g at rest; the sensor is known not to be calibrated: r0",
    )
    assert all(f"accelerometer: {fact}" in caplog.text for fact in facts)
    caplog.clear()
    with caplog.at_level("WARNING", logger="vskd"):
        assert build_window_store(sources, tmp_path / "w.h5", mode="whole", length=32).reused
    assert "recordings" not in caplog.text


@pytest.mark.parametrize(("length", "stride"), [(1, 1), (2, 1), (3, 1), (9, 4)])
def test_without_a_stride_windows_overlap_by_half(length: int, stride: int) -> None:
    signal = np.arange(60, dtype=np.float32).reshape(3, 20)
    timed = Timed(signal, 50.0, np.arange(20) / 50.0)
    found = cut_windows(timed, WindowSettings("sliding", length), Path("r"))
    np.testing.assert_array_equal(found, sliding_windows(signal, length, stride))


def test_no_sliding_window_reaches_across_a_gap() -> None:
    signal = np.arange(60, dtype=np.float32).reshape(3, 20)
    times = np.arange(20) / 50.0
    times[12:] += 5
    timed = Timed(signal, 50.0, times, clock=Clock(50.0, (12,), (5.02,), (), 0.02))
    found = cut_windows(timed, WindowSettings("sliding", 8, None, 4), Path("r"))
    assert [int(window[0, 0]) for window in found] == [0, 4, 12]
    with pytest.raises(DataError, match="r: 12 samples between 1 gaps are shorter than one window of 13"):
        cut_windows(timed, WindowSettings("sliding", 13), Path("r"))


def test_gaps_are_said_and_glitches_of_any_stream(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stamps = np.arange(150) / 50 + np.where(np.arange(150) >= 70, 0.5, 0.0)
    np.savetxt(tmp_path / "r.csv", np.column_stack([stamps, wrist(150)]), delimiter=",", fmt="%.5f")
    source = WindowSource(
        "r", tmp_path / "r.csv", "", (1, 2, 3), ("x", "y", "z"), 50.0, "g", time_column=0,
        reading=Reading(time_unit_s=1.0),
    )  # fmt: skip
    with caplog.at_level("WARNING", logger="vskd"):
        build_window_store([source], tmp_path / "w.h5", mode="whole", length=64)
    told = "1 of 1 recordings have gaps in time (whole windows bridge them, sliding ones do not reach across): r"
    assert WindowStore(tmp_path / "w.h5").device_facts() == (told,)
    assert f"w.h5: {told}" in caplog.text  # a stream without a name
    both = of_two_sensors(tmp_path)  # its gyroscope goes far beyond the range that it states
    build_window_store([both], tmp_path / "b.h5", mode="whole", length=64)
    assert any("hold samples that the sensor cannot" in fact for fact in WindowStore(tmp_path / "b.h5").device_facts())


@pytest.mark.parametrize(
    ("mode", "seconds", "told"), [("whole", 14, True), ("whole", 12, False), ("sliding", 14, False)]
)
def test_a_long_recording_in_one_window_is_said(tmp_path: Path, mode: Mode, seconds: int, told: bool) -> None:
    np.save(tmp_path / "a.npy", wrist(50 * seconds))
    source = WindowSource("a", tmp_path / "a.npy", "", (), ("x", "y", "z"), 50.0)
    build_window_store([source], tmp_path / "w.h5", mode=mode, length=128)
    facts = WindowStore(tmp_path / "w.h5").device_facts()
    assert [("has as few as 9.1 samples a second" in fact, fact.endswith(": a")) for fact in facts] == [
        (True, True)
    ] * told


def test_windows_begin_half_a_window_apart_unless_a_stride_is_said(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", wrist(100))
    source = WindowSource("a", tmp_path / "a.npy", "", (), ("x", "y", "z"), 50.0)
    build_window_store([source], tmp_path / "w.h5", mode="sliding", length=33)
    starts = np.array([0, 16, 32, 48, 64]) / 50
    np.testing.assert_allclose(WindowStore(tmp_path / "w.h5").times("a"), np.stack([starts, starts + 0.66], axis=1))


def test_by_default_none_may_be_bad_and_nothing_is_replaced(sources: list[WindowSource], tmp_path: Path) -> None:
    out = tmp_path / "w.h5"
    build_window_store(sources, out, mode="whole", length=16)
    with pytest.raises(CacheError, match="made with other settings"):
        build_window_store(sources, out, mode="whole", length=32)
    build_window_store(sources, out, mode="whole", length=32, overwrite=True)
    assert WindowStore(out).windows("long").shape == (1, 3, 32)
    sources[0].path.write_bytes(b"x")
    with pytest.raises(DataError, match="1 of 3 recordings are corrupt"):
        build_window_store(sources, out, mode="whole", length=32)


def test_largest_values_are_plain_numbers(sources: list[WindowSource], tmp_path: Path) -> None:
    build_window_store(sources, tmp_path / "w.h5", mode="whole", length=8)
    assert {type(value) for value in WindowStore(tmp_path / "w.h5").largest_of(list(SAMPLES))} == {float}


def test_a_part_of_a_stream_and_the_array_that_is_named(tmp_path: Path) -> None:
    values = wrist(200).astype(np.float32)
    savemat(tmp_path / "a.mat", {"other": values + 1, "mine": np.hstack([values[:, :1], values])})
    source = WindowSource("a", tmp_path / "a.mat", "mine", (1, 2, 3), ("x", "y", "z"), 50.0, cut=Cut(1.0, 3.0))
    read = read_source(source)
    np.testing.assert_array_equal(read.signal, values.T[:, 50:150])
    assert (read.rate_hz, read.times[0]) == (50.0, 1.0)
    build_window_store([source], tmp_path / "w.h5", mode="sliding", length=32)
    store = WindowStore(tmp_path / "w.h5")
    np.testing.assert_array_equal(store.windows("a"), sliding_windows(read.signal, 32, 16))
    assert store.dataset("a").chunks == (1, 3, 32) and store.fact("a", "rate_hz") == 50.0


@pytest.mark.parametrize("calibrated", [True, False])
def test_a_sensor_that_was_never_calibrated_may_show_anything_but_death(tmp_path: Path, calibrated: bool) -> None:
    source = WindowSource("a", tmp_path / "a.npy", "", (), ("x", "y", "z"), 50.0, "g", "accelerometer")
    source = replace(source, calibrated=calibrated)
    strange = (9.81 * wrist(200)).T.astype(np.float32)
    if calibrated:
        with pytest.raises(DataError, match=r"a\.npy: .*look like m/s\^2"):
            refuse_faults(source, strange)
    else:
        refuse_faults(source, strange)
    refuse_faults(replace(source, unit="deg/s", stream="gyroscope"), strange)
    with pytest.raises(DataError, match=r"a\.npy: axis y is 0 in every sample"):
        refuse_faults(source, strange * np.array([[1], [0], [1]], np.float32))
