"""What an accelerometer shows at rest: units of every factor, gravity removed, dead axes."""

from pathlib import Path

import numpy as np
import pytest

from tests.preprocessing.sensor.recordings import wrist
from vskd.preprocessing.sensor.gravity import at_rest, dead_fault, gravity_fault, measures_gravity
from vskd.preprocessing.sensor.signals import read_sensor

SEEDS = range(20)


def signal(seed: int = 0, factor: float = 1.0) -> np.ndarray:
    return (factor * wrist(seed=seed).T).astype(np.float32)


def test_at_rest_is_the_stillest_stretch_by_a_naive_loop() -> None:
    values = signal(3)
    rest = at_rest(values, 50)
    ordered = np.sort(values, axis=1)  # of 150 the third is the first within the quantiles
    values = np.clip(values, ordered[:, [2]], ordered[:, [-3]]).astype(np.float64)
    stretches = [values[:, k : k + 15] for k in range(150 - 14)]
    stillest = sorted(stretches, key=lambda s: s.var(axis=1).sum())[: 136 // 10]
    assert rest.length == pytest.approx(np.median([np.linalg.norm(s.mean(axis=1)) for s in stillest]), rel=1e-6)
    assert rest.mean == pytest.approx(np.linalg.norm(values.mean(axis=1)))
    assert rest.rms == pytest.approx(np.sqrt((values**2).sum(axis=0).mean()))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_wrist_in_g_is_right(seed: int) -> None:
    assert gravity_fault(signal(seed), "g", 50) is None
    assert gravity_fault(signal(seed, 9.80665), "m/s^2", 50) is None
    assert gravity_fault(signal(seed, 64), "1/64 g", 50) is None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("factor", "name"), [(9.80665, "m/s^2"), (1000, "mg"), (64, "1/64 g"), (16384, "1/16384 g"), (4096, "1/4096 g")]
)
def test_another_unit_is_named(seed: int, factor: float, name: str) -> None:
    fault = gravity_fault(signal(seed, factor), "g", 50)
    assert fault is not None and fault.unit == name
    assert f"divide by {factor:.6g}" in fault.action


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("factor", [0.02, 0.5, 2.0, 30.0])
def test_any_other_factor_is_noticed(seed: int, factor: float) -> None:
    fault = gravity_fault(signal(seed, factor), "g", 50)
    assert fault is not None and not fault.unit and "fits" in fault.action


def without_mean(values: np.ndarray) -> np.ndarray:
    return values - values.mean(axis=1, keepdims=True)


def without_low_frequencies(values: np.ndarray) -> np.ndarray:
    """As the operating system of a telephone does it: less an exponential mean."""
    gravity, found = values[:, 0].copy(), []
    for sample in values.T:
        gravity = 0.8 * gravity + 0.2 * sample
        found.append(sample - gravity)
    return np.stack(found, axis=1)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("remove", [without_mean, without_low_frequencies])
@pytest.mark.parametrize("factor", [1.0, 9.80665])
def test_gravity_removed_is_named_in_any_unit(seed: int, remove, factor: float) -> None:
    fault = gravity_fault(remove(signal(seed, factor)), "g", 50)
    assert fault is not None and "gravity was removed" in fault.problem


@pytest.mark.parametrize("seed", SEEDS)
def test_one_glitch_hides_nothing_and_causes_nothing(seed: int) -> None:
    glitch, removed = signal(seed), without_low_frequencies(signal(seed))
    glitch[:, 70] = removed[:, 70] = 60
    assert gravity_fault(glitch, "g", 50) is None
    assert gravity_fault(removed, "g", 50) is not None


def test_other_quantities_and_sensors_of_other_axes_show_no_gravity() -> None:
    assert gravity_fault(signal(), "deg/s", 50) is None
    assert gravity_fault(signal()[:2], "g", 50) is None


@pytest.mark.parametrize(
    ("stream", "unit", "shows"),
    [
        ("accelerometer", "g", True),
        ("wrist accelerometer", "m/s2", True),
        ("acc", "g", True),
        ("linear acceleration", "m/s^2", False),
        ("body_acc", "g", False),
        ("gyroscope", "deg/s", False),
        ("accelerometer", "counts", False),
        ("", "", False),
    ],
)
def test_which_streams_show_gravity(stream: str, unit: str, shows: bool) -> None:
    assert measures_gravity(stream, unit) is shows


def test_dead_sensors_and_axes() -> None:
    values = signal()
    assert dead_fault(values, "xyz") is None
    constant = values.copy()
    constant[1] = 0.25
    assert "axis y is 0.25 in every sample" in dead_fault(constant, "xyz").problem
    assert "a dead sensor" in dead_fault(np.ones_like(values), "xyz").problem
    frozen = values.copy()
    frozen[:, 60:140] = frozen[:, [60]]
    assert "80 of 150 samples" in dead_fault(frozen, "xyz").problem
    frozen = values.copy()
    frozen[:, 60:90] = frozen[:, [60]]
    assert dead_fault(frozen, "xyz") is None


def test_every_real_recording_is_right(utd_mhad_root: Path) -> None:
    files = sorted((utd_mhad_root / "Inertial").glob("*_inertial.mat"))
    for file in files:
        values = read_sensor(file, axes="xyz", variable="d_iner", columns=(0, 1, 2))
        assert gravity_fault(values, "g", 50) is None and dead_fault(values, "xyz") is None, file
        assert gravity_fault(without_mean(values), "g", 50) is not None, file
        assert gravity_fault(values * 9.80665, "g", 50) is not None, file


def test_a_circling_arm_is_not_taken_for_a_sensor_of_another_unit() -> None:
    """Never still: a steady pull of the circle is added to gravity, and turns with it."""
    time = np.arange(200) / 50
    circling = np.stack([2 * np.sin(8 * time), 2 * np.cos(8 * time), np.full(200, 0.7)]).astype(np.float32)
    assert at_rest(circling, 50.0).length > 1.6
    assert gravity_fault(circling, "g", 50.0, stated=True) is None
    assert gravity_fault(circling, "g", 50.0) is not None, "where nobody says the unit, it must be proven"
    assert gravity_fault(9.81 * circling, "g", 50.0, stated=True) is not None, "whatever is said, a factor of ten shows"


@pytest.mark.parametrize(("count", "dead"), [(74, False), (75, True)])
def test_half_of_a_recording_that_stands_still_is_dead(count: int, dead: bool) -> None:
    frozen = signal()
    frozen[:, 20 : 20 + count] = frozen[:, [20]]
    assert (dead_fault(frozen, "xyz") is not None) == dead


def test_two_equal_samples_of_four_are_no_dead_sensor() -> None:
    few = np.array([[0, 1, 1, 2], [3, 1, 1, 0], [1, 2, 2, 5]], dtype=np.float32)
    assert dead_fault(few, "xyz") is None
    assert "3 of 4 samples" in dead_fault(few[:, [0, 1, 1, 1]], "xyz").problem


@pytest.mark.parametrize(("rate", "width"), [(10.0, 5), (50.0, 15), (1000.0, 150)])
def test_a_stretch_is_three_tenths_of_a_second_and_five_samples(rate: float, width: int) -> None:
    """Of a recording that is shorter, all of it."""
    values = signal(3)
    ordered = np.sort(values, axis=1)
    clipped = np.clip(values, ordered[:, [2]], ordered[:, [-3]]).astype(np.float64)
    stretches = [clipped[:, k : k + width] for k in range(150 - width + 1)]
    stillest = sorted(stretches, key=lambda s: s.var(axis=1).sum())[: max(1, len(stretches) // 10)]
    rest = at_rest(values, rate)
    assert rest.length == pytest.approx(np.median([np.linalg.norm(s.mean(axis=1)) for s in stillest]), rel=1e-6)
    change = np.sqrt(np.median([s.var(axis=1).sum() for s in stillest]))
    assert rest.change == pytest.approx(change, rel=1e-3, abs=1e-6)


def still(length: float) -> np.ndarray:
    """Somebody who lies still, the vector so long."""
    noise = np.random.default_rng(0).normal(0, 0.003, (3, 200))
    return (np.array([[0.6], [0.0], [0.8]]) * length + noise).astype(np.float32)


@pytest.mark.parametrize(
    ("length", "fine", "unit"),
    [
        *((0.61, True, ""), (0.59, False, ""), (1.59, True, ""), (1.61, False, "")),
        *((7.9, False, "m/s^2"), (7.7, False, "")),
    ],
)
def test_limits_of_gravity_and_of_units(length: float, fine: bool, unit: str) -> None:
    """0.6 to 1.6 g at rest; another unit is named within a quarter of its own gravity."""
    fault = gravity_fault(still(length), "g", 50.0)
    assert (fault is None) == fine and (fault is None or fault.unit in (unit, ""))
    assert fault is None or (fault.unit == "m/s^2") == (unit == "m/s^2")


@pytest.mark.parametrize("bits", [6, 7, 8, 9, 11, 12, 13, 14])
def test_counts_of_every_usual_converter_are_named(bits: int) -> None:
    fault = gravity_fault(still(float(2**bits)), "g", 50.0)
    assert fault is not None and fault.unit == f"1/{2**bits} g"
    assert fault.action == f"Convert the samples to g (divide by {2**bits:g})"


def test_a_unit_that_is_larger_is_multiplied() -> None:
    fault = gravity_fault(still(1.0), "mg", 50.0)
    assert fault is not None and (fault.unit, fault.action) == ("g", "Convert the samples to mg (multiply by 1000)")
    fault = gravity_fault(still(12.4), "g", 50.0)
    assert fault is not None and fault.unit == ""
    assert "times 0.0806" in fault.action and "gravity is 1 g" in fault.problem


@pytest.mark.parametrize("word", ["linear", "user", "body", "removed", "dynamic", "gravity"])
def test_streams_without_gravity_say_so(word: str) -> None:
    assert not measures_gravity(f"{word} acceleration", "g") and measures_gravity("acceleration", "g")


def circling(speed: float, across: float, along: float) -> np.ndarray:
    """A vector that turns: `across` its axis and `along` it, for 8 s at 50 Hz in whole turns."""
    time = np.arange(400) / 50
    turn = 2 * np.pi * round(speed * 8 / (2 * np.pi)) / 8 * time
    return np.stack([across * np.sin(turn), across * np.cos(turn), np.full(400, along)]).astype(np.float32)


@pytest.mark.parametrize(("length", "fine"), [(2.95, True), (3.05, False), (0.34, True), (0.32, False)])
def test_a_recording_that_is_never_still_may_show_a_third_to_three_g(length: float, fine: bool) -> None:
    values = circling(8.0, 2.0, 0.7)
    values = values * np.float32(length / at_rest(values, 50.0).length)
    assert (gravity_fault(values, "g", 50.0, stated=True) is None) is fine


@pytest.mark.parametrize(("speed", "moves"), [(1.0, False), (2.4, True)])
def test_a_change_of_a_tenth_of_the_vector_is_no_rest(speed: float, moves: bool) -> None:
    values = circling(speed, 1.5, 1.3)
    rest = at_rest(values, 50.0)
    assert 0.05 < rest.change / rest.length < 0.2 and (rest.change > 0.1 * rest.length) is moves
    assert (gravity_fault(values, "g", 50.0, stated=True) is None) is moves


@pytest.mark.parametrize(("along", "removed"), [(0.095, True), (0.11, False)])
def test_a_mean_of_a_tenth_of_all_vectors_is_left_of_gravity(along: float, removed: bool) -> None:
    fault = gravity_fault(circling(3.0, 1.0, along), "g", 50.0)
    assert (fault is not None and "gravity was removed" in fault.problem) is removed


@pytest.mark.parametrize(("swing", "removed"), [(2.7, False), (3.3, True)])
def test_at_rest_a_third_of_all_vectors_is_left_of_gravity(swing: float, removed: bool) -> None:
    """Half of the time it lies still at 0.8 g, then it is shaken along gravity."""
    values = np.zeros((3, 400), np.float32)
    values[2] = 0.8
    values[2, 200:] += swing * np.where(np.arange(200) // 2 % 2, 1, -1)
    rest = at_rest(values, 50.0)
    assert (rest.length < 0.35 * rest.rms) is removed and 0.3 < rest.length / rest.rms < 0.4
    fault = gravity_fault(values, "g", 50.0)
    assert (fault is not None and "gravity was removed" in fault.problem) is removed


def test_the_first_dead_axis_is_named_with_its_value() -> None:
    values = signal()
    values[1], values[2] = -0.0, 7.0
    fault = dead_fault(values, "xyz")
    assert fault is not None and fault.problem.startswith("axis y is 0 in every sample")


def test_what_is_measured_at_rest_are_plain_numbers() -> None:
    rest = at_rest(signal(1), 50.0)
    assert {type(value) for value in (rest.length, rest.change, rest.mean, rest.rms)} == {float}


def test_of_stretches_that_are_equally_still_the_first_count() -> None:
    """So that the same recording is judged alike on every processor: whole numbers, in which no sum is rounded."""
    steps = np.repeat([1.0, 3.0], 400)
    for values, length in ((steps, 1.0), (steps[::-1], 3.0)):
        rest = at_rest(values[None].astype(np.float32), 50)
        assert (rest.length, rest.change, rest.mean) == (length, 0.0, 2.0)


def test_a_recording_of_few_samples_is_one_stretch() -> None:
    """At least five samples long, or all there are."""
    assert at_rest(np.array([[1.0, 2.0, 3.0]], np.float32), 50).length == 2.0
    values = np.array([[5, 5, 9, 2, 7, 5, 5, 5, 5, 5, 1]], np.float32)
    assert at_rest(values, 1).change == pytest.approx(0.0, abs=1e-6)
