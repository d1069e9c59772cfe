"""Contract and settings as integers and floats: each number by hand."""

import math

import numpy as np
import pytest

from tests.firmware_bridge.bundles import encoded, sensor_contract
from vskd.bundle.contract import SensorContract
from vskd.bundle.stream.stream_plan import StreamPlan, plan_stream
from vskd.bundle.stream.stream_settings import DecisionSettings, StreamSettings
from vskd.errors import BundleError, SettingError

WHOLE = {"window_mode": "whole", "stride": None, "window_rate_hz": None}


def planned(contract: SensorContract | None = None, scale: float = 0.1, **settings: object) -> StreamPlan:
    return plan_stream(contract or sensor_contract(), StreamSettings.model_validate(settings), scale)


def test_what_follows_from_the_contract_alone() -> None:
    plan = planned()
    assert (plan.axes, plan.signs, plan.factor, plan.device_axes) == ((0, 1, 2), (1, 1, 1), 1.0, 3)
    assert (plan.resampling.up, plan.resampling.down, plan.resampling.half) == (1, 1, 0)
    assert (plan.span, plan.stride, plan.length, plan.checked, plan.step) == (16, 5, 16, 16, 0.0)
    assert plan.ring == 17  # a window, and one
    assert plan.period_us == 20_000
    assert plan.elapsed == (math.ceil(15 * 20_000 / 1.03), math.floor(15 * 20_000 / 0.97)) == (291_263, 309_278)
    assert (plan.gap, plan.max_saturated, plan.min_margin, plan.delay) == (100_000, 0, 0, 0)
    assert plan.decision == DecisionSettings()


def test_what_a_device_is_asked() -> None:
    device = {
        "axes": (3, 0, 1),
        "signs": (1, -1, 1),
        "unit_factor": 0.1,
        "rest": (0, 0, -1),
        "gap_periods": 2.50003,
        "max_saturated": 0.2,
    }
    plan = planned(device=device, decision={"min_log_odds": 0.25, "votes": 3})
    assert (plan.axes, plan.signs, plan.device_axes) == ((3, 0, 1), (1, -1, 1), 4)
    assert plan.factor == float(np.float32(0.1)) != 0.1 and type(plan.factor) is float
    assert plan.gap == 50_001  # 50000.6, rounded up
    assert plan.max_saturated == 3  # 3.2 of 16, rounded down
    assert plan.min_margin == 3  # 2.5 steps, rounded up
    assert plan.decision.votes == 3
    assert plan.gravity is not None and plan.gravity.rest == (0.0, 0.0, -1.0)


@pytest.mark.parametrize(("unit", "gravity"), [("g", 1.0), ("m/s^2", 9.80665)])
def test_gravity_in_the_contracts_unit(unit: str, gravity: float) -> None:
    plan = planned(sensor_contract(unit=unit, range_limit=80.0))
    assert plan.gravity is not None
    assert plan.gravity.unit == gravity
    assert plan.gravity.still == float(np.float32(0.1 * gravity)) and type(plan.gravity.still) is float
    assert plan.gravity.rest is None


@pytest.mark.parametrize("changes", [{"unit": "deg/s"}, {"axes": ("x", "y")}, {"calibrated": False}])
def test_without_three_calibrated_axes_of_acceleration_there_is_none(changes: dict[str, object]) -> None:
    contract = sensor_contract(**changes)
    assert planned(contract).gravity is None
    with pytest.raises(SettingError, match="needs three calibrated axes of acceleration, not"):
        planned(contract, device={"rest": (0.0,) * len(contract.axes)})


def test_a_faster_device() -> None:
    plan = planned(device={"rate_hz": 100.0})
    assert (plan.resampling.up, plan.resampling.down, plan.resampling.half) == (1, 2, 20)
    assert plan.checked == 15 * 2 + 1
    assert plan.ring == 15 * 2 + 2 * 20 + 2
    assert plan.period_us == 10_000
    assert plan.elapsed == (math.ceil(30 * 10_000 / 1.03), math.floor(30 * 10_000 / 0.97))
    assert (plan.gap, plan.delay) == (50_000, 20)


def test_a_slower_device() -> None:
    plan = planned(device={"rate_hz": 25.0})
    assert (plan.resampling.up, plan.resampling.down, plan.resampling.half) == (2, 1, 20)
    assert plan.checked == 15 // 2 + 1
    assert plan.ring == (15 + 2 * 20) // 2 + 2
    assert plan.period_us == 40_000
    assert (plan.gap, plan.delay) == (200_000, 10)


def test_windows_have_a_rate_of_their_own() -> None:
    """The contract's recordings at 50 Hz, its windows at 25 Hz: the device measures at 50."""
    plan = planned(sensor_contract(window_rate_hz=25.0))
    assert (plan.resampling.up, plan.resampling.down) == (1, 2)
    assert plan.period_us == 20_000


def test_a_whole_recording_lies_between_shortest_and_longest() -> None:
    plan = planned(sensor_contract(**WHOLE))
    assert plan.span == round((2 * 8 + 400 / 1.5) / 2) == 141
    assert plan.stride == 141 // 4
    assert plan.step == 140 / 15
    assert plan.period_us == 20_000
    chosen = planned(sensor_contract(**WHOLE), samples=31, stride=9)
    assert (chosen.span, chosen.stride, chosen.step, chosen.checked) == (31, 9, 2.0, 31)
    assert planned(sensor_contract(**WHOLE), samples=16).step == 0.0  # the contract's own length
    assert planned(sensor_contract(**WHOLE, min_samples=2), samples=3).stride == 1


@pytest.mark.parametrize("samples", [8, 400])
def test_both_ends_are_allowed(samples: int) -> None:
    assert planned(sensor_contract(**WHOLE), samples=samples).span == samples


@pytest.mark.parametrize(("samples", "least"), [(7, 8), (401, 8), (1, 1)])
def test_beyond_them_is_refused(samples: int, least: int) -> None:
    with pytest.raises(SettingError, match=f"samples is {samples}; the contract takes {least} to 400"):
        planned(sensor_contract(**WHOLE, min_samples=least), samples=samples)
    assert planned(sensor_contract(**WHOLE, min_samples=1), samples=2).span == 2


@pytest.mark.parametrize("key", ["samples", "stride"])
def test_sliding_windows_have_their_own_length_and_stride(key: str) -> None:
    with pytest.raises(SettingError, match="their own length and stride"):
        planned(**{key: 16})


@pytest.mark.parametrize("name", ["axes", "signs", "rest"])
def test_one_entry_for_each_axis(name: str) -> None:
    with pytest.raises(SettingError, match=rf"device\.{name} has 4 entries for 3 axes"):
        planned(device={name: (1, 1, 1, 1)})


@pytest.mark.parametrize("method", ["gasf", "gadf", "gasf+gadf"])
def test_a_window_shorter_than_its_image_is_refused(method: str) -> None:
    with pytest.raises(BundleError, match="shorter than the image"):
        planned(sensor_contract(**encoded(method, size=17)))
    assert planned(sensor_contract(**encoded(method, size=16))).length == 16
    assert planned(sensor_contract(**encoded("raw", size=17))).length == 16


def test_an_encoding_that_is_not_there_in_c_is_refused_by_name() -> None:
    with pytest.raises(BundleError, match=r"The encoding 'mtf' is not there in C, but for raw, gasf, gadf, gasf\+gadf"):
        planned(sensor_contract(**encoded("mtf", size=16)))


def test_a_stride_is_at_least_one_sample_of_the_device() -> None:
    assert planned(sensor_contract(stride=2), device={"rate_hz": 25.0}).stride == 2
    with pytest.raises(SettingError, match="A stride of 1 gives several windows for one sample"):
        planned(sensor_contract(stride=1), device={"rate_hz": 25.0})
