"""The synthetic stream: each stretch has its trouble."""

import numpy as np
import pytest

from tests.firmware_bridge.bundles import sensor_contract
from vskd.bundle.stream.stream_plan import StreamPlan, plan_stream
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.bundle.stream.synthetic_stream import LARGEST_CALL, golden_calls
from vskd.firmware_bridge.stream_records import pack_calls

TROUBLES = ("none", "gap", "nan", "stuck", "saturated", "rate", "rest", "none")


def planned(contract: dict[str, object] | None = None, **device: object) -> StreamPlan:
    settings = StreamSettings(device=DeviceSettings(**device))  # type: ignore[arg-type]
    return plan_stream(sensor_contract(**{"length": 60, "stride": 10, **(contract or {})}), settings, 0.1)


def stretches(plan: StreamPlan, seed: int = 0) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Samples and times of each stretch."""
    calls = golden_calls(plan, seed)
    samples = np.concatenate([s for s, _ in calls])
    times = np.concatenate([t for _, t in calls if t is not None])
    assert len(samples) == len(times) and len(samples) % len(TROUBLES) == 0
    count = len(samples) // len(TROUBLES)
    return {n: (samples[n * count :][:count], times[n * count :][:count]) for n in range(len(TROUBLES))}


@pytest.fixture(scope="module")
def stream() -> dict[int, tuple[np.ndarray, np.ndarray]]:
    return stretches(planned())


def test_a_stretch_holds_a_window_and_four_strides(stream: dict[int, tuple[np.ndarray, np.ndarray]]) -> None:
    assert len(stream[0][0]) == 60 + 4 * 10
    assert len(stretches(planned(rate_hz=100.0))[0][0]) == 119 + 4 * 20  # checked: 59 steps of two samples, and one
    assert len(stretches(planned({"stride": 2}, rate_hz=25.0))[0][0]) == 30 + 4 * 1


def test_each_stretch_has_its_trouble_and_no_other(stream: dict[int, tuple[np.ndarray, np.ndarray]]) -> None:
    for number, trouble in enumerate(TROUBLES):
        samples, times = stream[number]
        assert np.isnan(samples).any() == (trouble == "nan")
        assert (np.ptp(samples, axis=0) == 0).any() == (trouble == "stuck")
        assert (np.abs(samples) >= 8.0).any() == (trouble == "saturated")
        assert (np.ptp(samples, axis=0).max() < 0.1) == (trouble in ("stuck", "rest"))
        period = 24_000 if trouble == "rate" else 20_000
        assert np.diff(times.astype(float)).mean() == pytest.approx(period, rel=0.01)
    assert np.flatnonzero(np.isnan(stream[2][0]).all(axis=1)).tolist() == [50]
    assert np.flatnonzero(stream[4][0][:, 0] == 8.0).tolist() == list(range(0, 100, 3))


def test_between_stretches_lies_a_period_but_for_the_gap(stream: dict[int, tuple[np.ndarray, np.ndarray]]) -> None:
    assert int(stream[0][1][0]) == pytest.approx(1_000_000 + 20_000, abs=0.2 * 20_000 + 1)
    for number in range(1, len(TROUBLES)):
        silence = int(stream[number][1][0]) - int(stream[number - 1][1][-1])
        expected = 20 * 5 * 20_000 + 20_000 if TROUBLES[number] == "gap" else 2 * 20_000
        assert silence == pytest.approx(expected, abs=0.45 * 24_000 + 2)


def test_time_stamps_tremble_by_a_fifth_of_a_period(stream: dict[int, tuple[np.ndarray, np.ndarray]]) -> None:
    times = stream[0][1].astype(float)
    off = times - (1_020_000 + 20_000 * np.arange(100))
    assert 3_500 < np.abs(off).max() <= 4_001


def test_gravity_lies_on_the_last_axis(stream: dict[int, tuple[np.ndarray, np.ndarray]]) -> None:
    np.testing.assert_allclose(stream[6][0].mean(axis=0), [0, 0, 1], atol=0.002)
    assert np.ptp(stream[6][0], axis=0).max() < 12 * 0.002 * 0.3 * 4
    gyroscope = stretches(planned({"unit": "deg/s"}))
    np.testing.assert_allclose(gyroscope[6][0].mean(axis=0), [0, 0, 0], atol=0.002)
    metres = stretches(planned({"unit": "m/s^2", "range_limit": 80.0}))
    np.testing.assert_allclose(metres[6][0].mean(axis=0), [0, 0, 9.80665], atol=0.002)


def test_a_movement_has_three_tenths_of_the_limit(stream: dict[int, tuple[np.ndarray, np.ndarray]]) -> None:
    swing = np.abs(stream[7][0] - [0, 0, 1]).max(axis=0)
    assert (swing <= 0.3 * 4 + 1e-6).all() and swing.max() > 0.95 * 0.3 * 4


def test_samples_are_in_the_devices_unit_and_order() -> None:
    device = stretches(planned(unit_factor=1 / 1024, axes=(3, 0, 1), signs=(1, -1, -1)))[6][0]
    assert device.shape == (100, 4) and device.dtype == np.float32
    contract = stretches(planned())[6][0]
    for axis, channel, sign in ((3, 0, 1), (0, 1, -1), (1, 2, -1)):
        np.testing.assert_allclose(device[:, axis], contract[:, channel] * sign * 1024, rtol=1e-5)
    assert not device[:, 2].any()


def test_calls_are_short_and_the_seed_decides() -> None:
    plan = planned()
    calls = golden_calls(plan)
    sizes = {len(samples) for samples, _ in calls}
    assert min(sizes) >= 1 and 40 < max(sizes) < LARGEST_CALL == 50 and len(sizes) > 5
    first, again, other = (pack_calls(golden_calls(plan, seed)) for seed in (0, 0, 1))
    assert pack_calls(calls) == first == again != other
