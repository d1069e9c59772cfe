"""Streaming equals offline: in any chunking the windows are those that the offline pipeline cuts, bit for bit."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.firmware_bridge.bundles import chunked, clock, encoded, movement, sensor_contract
from vskd.bundle.contract import StreamContract
from vskd.bundle.decision import NO_LABEL
from vskd.bundle.encoding import model_input
from vskd.bundle.predict import contract_windows
from vskd.bundle.runtime import quantize
from vskd.bundle.sensor_file import Recorded
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream import Decision, Stream
from vskd.bundle.stream.stream_plan import StreamPlan, plan_stream
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.errors import BundleError, DataError, SettingError
from vskd.preprocessing.sensor.signals import resample_to_length, resample_to_rate, sliding_windows

SCALE, ZERO = 1 / 127, 3
Inputs = list[npt.NDArray[np.int8]]


def recorder(plan: StreamPlan) -> tuple[Stream, Inputs]:
    """A stream whose model keeps its inputs, and these."""
    kept: Inputs = []

    def answer(x: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        kept.append(x.copy())
        return np.array([0, 5, 5, -3], np.int8)

    return Stream(plan, SCALE, ZERO, answer), kept


def run(plan: StreamPlan, samples: np.ndarray, seed: int, rate: float = 50.0) -> tuple[list[Decision], Inputs]:
    """Decisions and the model's inputs of a recording in a random chunking, with time stamps."""
    generator = np.random.default_rng(seed)
    stream, kept = recorder(plan)
    found = []
    for part, times in chunked(samples, clock(len(samples), rate, generator), generator):
        found += list(stream.feed(part, times))
    return found, kept


@pytest.mark.parametrize("method", ["raw", "gasf", "gasf+gadf"])
@pytest.mark.parametrize("seed", range(5))
def test_sliding_windows_are_those_of_the_offline_pipeline(method: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    stride = int(generator.integers(1, 40))
    contract = sensor_contract(stride=stride, **encoded(method))
    samples = movement(int(generator.integers(16, 400)), generator)
    found, kept = run(plan_stream(contract, StreamSettings(), 0.1), samples, seed)
    windows = contract_windows(Recorded(samples.T, 50.0, ()), contract)
    assert len(found) == len(kept) == len(windows)
    for number, window in enumerate(windows):
        np.testing.assert_array_equal(kept[number], quantize(model_input(window, contract), SCALE, ZERO))
        assert found[number].sample == number * stride + 16
        assert (found[number].status, found[number].label, found[number].margin) == (Condition.OK, 1, 0)


@pytest.mark.parametrize("seed", range(5))
def test_whole_recordings_are_pieces_resampled_to_the_length(seed: int) -> None:
    generator = np.random.default_rng(seed)
    contract = sensor_contract(window_mode="whole", stride=None, window_rate_hz=None)
    span, stride = int(generator.integers(8, 90)), int(generator.integers(1, 60))
    samples = movement(300, generator)
    _, kept = run(plan_stream(contract, StreamSettings(samples=span, stride=stride), 0.1), samples, seed)
    starts = range(0, 300 - span + 1, stride)
    assert len(kept) == len(starts)
    for number, start in enumerate(starts):
        window = resample_to_length(np.ascontiguousarray(samples.T[:, start : start + span]), 16)
        np.testing.assert_array_equal(kept[number], quantize(model_input(window, contract), SCALE, ZERO))


@pytest.mark.parametrize("rate", [25.0, 60.0, 100.0, 104.0])
def test_a_change_of_rate_is_that_of_the_whole_recording_up_to_its_ends(rate: float) -> None:
    """What the stream cannot know is the recording's last sample, from which scipy takes a line out."""
    contract, samples = sensor_contract(), movement(1500, np.random.default_rng(0))
    plan = plan_stream(contract, StreamSettings(device=DeviceSettings(rate_hz=rate)), 0.1)
    found, kept = run(plan, samples, 0, rate)
    offline = sliding_windows(resample_to_rate(samples.T, rate, 50.0), 16, 5)
    assert 0 < len(offline) - len(kept) <= 2 * plan.resampling.half / plan.resampling.down + 2
    differences = [
        np.abs(x.astype(int) - quantize(model_input(w, contract), SCALE, ZERO)).max()
        for x, w in zip(kept[10:], offline[10:], strict=False)
    ]
    assert max(differences) <= 1
    assert found[0].sample == plan.resampling.last_needed(15) + 1
    assert plan.delay == plan.resampling.half // plan.resampling.up


def test_a_change_of_rate_does_not_depend_on_what_follows() -> None:
    samples = movement(900, np.random.default_rng(0))
    plan = plan_stream(sensor_contract(), StreamSettings(device=DeviceSettings(rate_hz=100.0)), 0.1)
    whole, part = run(plan, samples, 0, 100.0)[1], run(plan, samples[:600], 1, 100.0)[1]
    assert len(part) > 50
    np.testing.assert_array_equal(np.stack(part), np.stack(whole[: len(part)]))


def test_after_a_gap_the_windows_are_those_of_the_rest() -> None:
    contract, generator = sensor_contract(), np.random.default_rng(0)
    samples, times = movement(200, generator), clock(200, 50.0, generator)
    times[83:] += np.uint64(500_000)
    stream, kept = recorder(plan_stream(contract, StreamSettings(), 0.1))
    found = list(stream.feed(samples, times))
    before, after = (contract_windows(Recorded(part.T, 50.0, ()), contract) for part in (samples[:83], samples[83:]))
    assert [d.status for d in found].index(Condition.GAP) == len(before)
    assert len(kept) == len(before) + len(after)
    np.testing.assert_array_equal(kept[-1], quantize(model_input(after[-1], contract), SCALE, ZERO))


def naive(samples: np.ndarray, plan: StreamPlan) -> np.ndarray:
    """A piece without gaps at the windows' rate, (axes, samples), number by number: its first sample is held before it,
    and outputs that need samples behind its end are left out."""
    made, count = plan.resampling, len(samples)
    if made.half == 0:
        return samples.T
    outputs = []
    for number in range((count * made.up - made.half - 1) // made.down + 1):
        row = []
        for axis in range(samples.shape[1]):
            first, total = float(samples[0, axis]), 0.0
            for place in range(count):
                tap = made.half + number * made.down - place * made.up
                if 0 <= tap <= 2 * made.half:
                    total += (float(samples[place, axis]) - first) * float(made.taps[tap])
            row.append(np.float32(first + total))
        outputs.append(row)
    return np.array(outputs, dtype=np.float32).reshape(-1, samples.shape[1]).T


@pytest.mark.parametrize("seed", range(8))
def test_in_any_chunking_at_any_rate_with_any_gaps_the_windows_are_those_of_its_pieces(seed: int) -> None:
    """Streaming equals offline, bit for bit, and no later than the stated delay."""
    generator = np.random.default_rng(seed)
    rate, stride = float((50, 25, 100, 60)[seed % 4]), int(generator.integers(3, 20))
    contract = sensor_contract(stride=stride)
    plan = plan_stream(contract, StreamSettings(device=DeviceSettings(rate_hz=rate)), 0.1)
    sizes = generator.integers(1, 160, 3)
    samples, times = movement(int(sizes.sum()), generator), clock(int(sizes.sum()), rate, generator)
    for size in np.cumsum(sizes)[:-1]:
        times[size:] += np.uint64(generator.integers(300_000, 10_000_000))
    stream, kept = recorder(plan)
    found = [d for part in chunked(samples, times, generator) for d in stream.feed(*part)]
    expected, ends = [], []
    for piece, start in zip(np.split(samples, np.cumsum(sizes)[:-1]), np.cumsum([0, *sizes[:-1]]), strict=True):
        windows = sliding_windows(naive(piece, plan), 16, stride)
        expected += [quantize(model_input(window, contract), SCALE, ZERO) for window in windows]
        down, up = plan.resampling.down, plan.resampling.up
        ends += [start + (stride * n + 15) * down / up + 1 + plan.delay for n in range(len(windows))]
    assert len(kept) == len(expected)
    for one, other in zip(kept, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    late = [d.sample - end for d, end in zip((d for d in found if d.status is Condition.OK), ends, strict=True)]
    assert all(-1 < by < 1 for by in late)
    assert sum(d.status is Condition.GAP for d in found) == 2


def test_memory_does_not_grow_with_the_stream() -> None:
    stream, _ = recorder(plan_stream(sensor_contract(), StreamSettings(), 0.1))
    samples = movement(500, np.random.default_rng(0))
    sizes = []
    for _ in range(3):
        list(stream.feed(samples))
        sizes.append(sum(value.nbytes for value in vars(stream).values() if isinstance(value, np.ndarray)))
    assert len(set(sizes)) == 1 and sizes[0] < 1000


def test_of_equal_logits_the_first_class_wins_and_without_times_rate_is_not_checked() -> None:
    stream, _ = recorder(plan_stream(sensor_contract(), StreamSettings(), 0.1))
    found = list(stream.feed(movement(16, np.random.default_rng(0))))
    assert [(d.window_label, d.margin, d.time_us) for d in found] == [(1, 0, 0)]
    settings = StreamSettings(decision={"min_log_odds": 0.1})  # type: ignore[arg-type]
    stream, _ = recorder(plan_stream(sensor_contract(), settings, 0.1))
    assert [d.label for d in stream.feed(movement(16, np.random.default_rng(0)))] == [NO_LABEL]


def test_samples_that_do_not_fit_are_refused() -> None:
    stream, _ = recorder(plan_stream(sensor_contract(), StreamSettings(), 0.1))
    with pytest.raises(DataError, match=r"\(count, 3\) are expected"):
        list(stream.feed(np.zeros((4, 2), np.float32)))
    with pytest.raises(DataError, match="3 time stamps for 4 samples"):
        list(stream.feed(np.zeros((4, 3), np.float32), np.zeros(3, np.uint64)))


@pytest.mark.parametrize(
    ("contract", "settings", "problem"),
    [
        ({}, {"samples": 40}, "their own length and stride"),
        ({"window_mode": "whole", "stride": None, "window_rate_hz": None}, {"samples": 5}, "takes 8 to 400"),
        ({}, {"device": {"axes": (0, 1)}}, "device.axes has 2 entries for 3 axes"),
        ({}, {"device": {"rate_hz": 59.94}}, "a filter of 19981 taps|a filter of 59941 taps"),
        ({"unit": "deg/s"}, {"device": {"rest": (0.0, 0.0, 1.0)}}, "needs three calibrated axes of acceleration"),
        ({"stride": 1}, {"device": {"rate_hz": 25.0}}, "several windows for one sample"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    contract: dict[str, object], settings: dict[str, object], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match=problem):
        plan_stream(sensor_contract(**contract), StreamSettings.model_validate(settings), 0.1)


def test_a_model_of_several_streams_is_refused() -> None:
    part = StreamContract(stream="accelerometer", placement="wrist", unit="g", axes=("x", "y", "z"), range_limit=8)
    streams = (part, part.model_copy(update={"stream": "gyroscope", "unit": "deg/s"}))
    contract = sensor_contract(streams=streams, axes=tuple("abcdef"), mat_columns=())
    with pytest.raises(BundleError, match=r"sees 2 streams .*the firmware reads one sensor"):
        plan_stream(contract, StreamSettings(), 0.1)


def test_of_a_sensor_that_was_never_calibrated_no_gravity_is_checked() -> None:
    assert plan_stream(sensor_contract(), StreamSettings(), 0.1).gravity is not None
    assert plan_stream(sensor_contract(calibrated=False), StreamSettings(), 0.1).gravity is None
