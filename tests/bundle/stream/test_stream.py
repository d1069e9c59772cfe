"""Streaming equals offline: in any chunking the windows are those that the offline pipeline cuts, bit for bit."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.firmware_bridge.bundles import chunked, clock, encoded, movement, sensor_contract
from vskd.bundle.contract import StreamContract
from vskd.bundle.decision import NO_LABEL, window_label
from vskd.bundle.encoding import model_input
from vskd.bundle.long_file import as_long
from vskd.bundle.predict import contract_windows
from vskd.bundle.recorded import Recorded
from vskd.bundle.runtime import quantize
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream import Decision, Stream
from vskd.bundle.stream.stream_plan import StreamPlan, plan_stream
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.errors import BundleError, DataError, SettingError
from vskd.preprocessing.sensor.resampling import resampled
from vskd.preprocessing.sensor.signals import resample_to_length, sliding_windows

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


class Kept(Stream):
    """A stream that keeps its windows, the model's inputs and what it answers."""

    def __init__(self, plan: StreamPlan) -> None:
        super().__init__(plan, SCALE, ZERO, self._of)
        self.windows: list[npt.NDArray[np.float32]] = []
        self.inputs: Inputs = []

    def quantized(self, window: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
        """See `Stream`."""
        self.windows.append(window)
        self.inputs.append(super().quantized(window))
        return self.inputs[-1]

    @staticmethod
    def _of(x: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        return x.reshape(-1)[:7]


RATES = (100.0, 104.0, 20.0, 25.0, 31.25, 60.0, 50.0, 40.0)


def form(seed: int) -> tuple[StreamPlan, np.random.Generator]:
    """A device at random: its rate, unit, and which of its axes, with which sign, are the contract's."""
    generator = np.random.default_rng(seed)
    axes, length = int(generator.integers(1, 7)), int(generator.integers(40, 60))
    contract = sensor_contract(
        axes=tuple("abcdef"[:axes]), length=length, stride=int(generator.integers(3, length + 9)), calibrated=False,
        rate_hz=float(generator.choice([20.0, 50.0])), range_limit=100.0, **encoded(("raw", "gasf")[seed % 2]),
    )  # fmt: skip
    device = DeviceSettings(
        rate_hz=RATES[seed % len(RATES)],
        unit_factor=float(generator.choice([1.0, 1 / 1024, 9.80665, 0.001])),
        axes=tuple(int(axis) for axis in generator.permutation(axes + 1)[:axes]),
        signs=tuple(int(sign) for sign in generator.choice([-1, 1], axes)),  # type: ignore[arg-type]
    )
    return plan_stream(contract, StreamSettings(device=device), 0.1), generator


def stretches_of(plan: StreamPlan, generator: np.random.Generator) -> list[np.ndarray]:
    """What a device measures between gaps; the last stretch has windows for certain."""
    sizes = [*generator.integers(1, 3 * plan.checked, 3), 4 * plan.checked + plan.ring]
    return [movement(int(size), generator, plan.device_axes, 1 / plan.factor) for size in sizes]


def offline(plan: StreamPlan, stretches: list[np.ndarray]) -> Recorded:
    """The recording in the contract's unit and axes, as `vskd predict` has it."""
    device = np.concatenate(stretches).T
    mapped = [
        (device[axis] * np.float32(plan.factor)) * np.float32(sign)
        for axis, sign in zip(plan.axes, plan.signs, strict=True)
    ]
    breaks = tuple(int(b) for b in np.cumsum([len(one) for one in stretches])[:-1])
    return Recorded(np.stack(mapped), 1e6 / plan.period_us, (), breaks=breaks)


def streamed(plan: StreamPlan, stretches: list[np.ndarray], generator: np.random.Generator) -> tuple[Kept, list]:
    """The stretches in any chunking, after gaps of any length."""
    rate, start, times = 1e6 / plan.period_us, 0.0, []
    for stretch in stretches:
        times.append(clock(len(stretch), rate, generator) + np.uint64(start))
        start += len(stretch) * plan.period_us + plan.gap * generator.uniform(1.5, 90)
    stream = Kept(plan)
    calls = chunked(np.concatenate(stretches), np.concatenate(times), generator)
    return stream, [decision for call in calls for decision in stream.feed(*call)]


@pytest.mark.parametrize("seed", range(16))
def test_streaming_equals_offline(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any chunking, at any rate, with any gaps: bit for bit, and all windows once the end is held for the delay."""
    plan, generator = form(seed)
    stretches, contract = stretches_of(plan, generator), plan.contract
    recorded = offline(plan, stretches)
    windows = contract_windows(recorded, contract)
    monkeypatch.setattr("vskd.bundle.long_file.PIECE", int(generator.integers(1, 90)))
    pieces = np.concatenate([some for some, _ in as_long(recorded).windows(contract)])
    np.testing.assert_array_equal(pieces, windows)
    held = [np.concatenate([one, np.repeat(one[-1:], plan.delay, axis=0)]) for one in stretches]
    stream, found = streamed(plan, held, generator)
    np.testing.assert_array_equal(np.stack(stream.windows), windows)
    expected = [quantize(model_input(window, contract), SCALE, ZERO) for window in windows]
    np.testing.assert_array_equal(np.stack(stream.inputs), np.stack(expected))
    answers = [d for d in found if d.status is Condition.OK]
    labels = [window_label(x.reshape(-1)[:7], 0) for x in expected]
    assert [(d.window_label, d.margin) for d in answers] == labels and [d.label for d in answers] == [
        n for n, _ in labels
    ]
    assert [d.status for d in found if d.status is not Condition.OK] == [Condition.GAP] * 3


@pytest.mark.parametrize("seed", range(16))
def test_without_what_follows_the_windows_are_those_whose_samples_are_there(seed: int) -> None:
    """Of each stretch the first ones, none later than the stated delay and the sample by which it is rounded down."""
    plan, generator = form(seed)
    stretches, made = stretches_of(plan, generator), plan.resampling
    stream, found = streamed(plan, stretches, generator)
    answers, expected, begun = [d.sample for d in found if d.status is Condition.OK], [], 0
    for stretch in stretches:
        samples = offline(plan, [stretch]).signal
        all_of_it = sliding_windows(resampled(samples, 1e6 / plan.period_us, 50.0), plan.length, plan.stride)
        last = [(plan.stride * n + plan.length - 1) * made.down / made.up for n in range(len(all_of_it))]
        there = [place for place in last if int(place + made.half / made.up + 1e-9) < len(stretch)]
        expected += list(all_of_it[: len(there)])
        for place in there:
            late = answers.pop(0) - 1 - begun - place  # in samples, behind the time of the window's last one
            assert plan.delay - 1 < late <= plan.delay + 1
        begun += len(stretch)
    assert not answers and len(stream.windows) == len(expected)
    np.testing.assert_array_equal(np.stack(stream.windows), np.stack(expected))


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
        ({}, {"device": {"rate_hz": 59.94}}, "a filter of 16041 taps is needed, more than 1100"),
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


def statuses(samples: np.ndarray, times: np.ndarray | None = None, **device: object) -> list[tuple[str, int]]:
    """Status and sample of each decision of windows of 16 samples every 5."""
    settings = StreamSettings(device=DeviceSettings(**device))  # type: ignore[arg-type]
    stream, _ = recorder(plan_stream(sensor_contract(), settings, 0.1))
    return [(d.status.name, d.sample) for d in stream.feed(samples, times)]


def test_numbers_that_are_none_in_a_row_are_told_once_and_the_window_starts_anew() -> None:
    samples = movement(60, np.random.default_rng(0))
    samples[[17, 18, 19], 1] = np.nan, np.inf, -np.inf
    samples[21, 2] = np.nan
    told = [("OK", 16), ("NOT_FINITE", 18), ("NOT_FINITE", 22), ("OK", 38), ("OK", 43), ("OK", 48), ("OK", 53)]
    assert statuses(samples)[:7] == told
    huge = movement(16, np.random.default_rng(0)) * np.float32(1e38)
    assert statuses(huge, unit_factor=10.0) == [("NOT_FINITE", 1)], "overflown by the device's factor"


@pytest.mark.parametrize(("silence", "status"), [(100_000, "OK"), (100_001, "GAP"), (0, "OK"), (-1, "GAP")])
def test_five_periods_are_the_longest_silence_and_time_does_not_go_back(silence: int, status: str) -> None:
    samples = movement(40, np.random.default_rng(0))
    times = np.arange(40, dtype=np.int64) * 20_000 + 10**6
    times[20:] += silence - 20_000
    found = statuses(samples, times.astype(np.uint64))
    assert found[0] == ("OK", 16)
    if status == "GAP":
        assert found[1] == ("GAP", 21) and found[2] == ("OK", 36), "sixteen samples behind it"
    else:
        assert "GAP" not in {name for name, _ in found} and found[1][1] == 21


def test_after_a_reset_nothing_is_remembered() -> None:
    settings = StreamSettings(
        device=DeviceSettings(rest=(0.0, 0.0, 1.0)), decision={"smoothing": "hysteresis", "votes": 2}
    )  # type: ignore[arg-type]
    stream, kept = recorder(plan_stream(sensor_contract(), settings, 0.1))
    random = np.random.default_rng(0)
    up, down = (np.array([0, 0, g]) + random.normal(0, 0.01, (16, 3)) for g in (1.0, -1.0))
    assert [d.status.name for d in stream.feed(up.astype(np.float32))] == ["OK"]
    assert [d.status.name for d in stream.feed(down.astype(np.float32))][-1] == "OK", "the sign was right before"
    first = [d.label for d in stream.feed(up.astype(np.float32))]
    assert first[-1] == 1 and stream.logits is not None and len(kept) > 2
    stream.reset()
    (again,) = stream.feed(up.astype(np.float32))
    assert (again.label, again.sample, again.window_label) == (NO_LABEL, 16, 1)
    stream.reset()
    (wrong,) = stream.feed(down.astype(np.float32))
    assert (wrong.status, wrong.label, wrong.window_label, wrong.margin) == (Condition.WRONG_GRAVITY, -1, -1, 0)


def test_votes_do_not_outlive_what_went_wrong() -> None:
    """Two windows have to agree, behind a stuck sensor anew; without stamps what is wrong has no time."""
    settings = StreamSettings.model_validate({"decision": {"smoothing": "hysteresis", "votes": 2}})
    stream, _ = recorder(plan_stream(sensor_contract(), settings, 0.1))
    random = np.random.default_rng(0)
    stuck = np.full((30, 3), 0.5, np.float32)
    samples = np.concatenate([movement(26, random), stuck, movement(40, random)])
    found = list(stream.feed(samples))
    wrong = [n for n, d in enumerate(found) if d.status is Condition.CONSTANT]
    assert wrong and [d.label for d in found[: wrong[0]]][:2] == [NO_LABEL, 1]
    assert [d.label for d in found[wrong[-1] + 1 :]][:3] == [NO_LABEL, 1, 1]
    assert {d.time_us for d in found} == {0} and {d.label for d in found if d.status is not Condition.OK} == {NO_LABEL}


def test_when_something_went_wrong_is_told_and_what_overflows_is_no_warning() -> None:
    stream, _ = recorder(plan_stream(sensor_contract(), StreamSettings(device=DeviceSettings(unit_factor=10.0)), 0.1))
    samples = movement(4, np.random.default_rng(0))
    samples[2] = 1e38
    with np.errstate(all="raise"):
        found = list(stream.feed(samples, np.arange(7, 11, dtype=np.uint64)))
    assert [(d.status, d.time_us, d.sample) for d in found] == [(Condition.NOT_FINITE, 9, 3)]
