"""Forms of contract and settings, and random streams for them: movement with all that can go wrong."""

import numpy as np

from tests.firmware_bridge.bundles import chunked, clock, encoded, movement, sensor_contract
from vskd.bundle.contract import SensorContract
from vskd.bundle.decision import DecisionSettings
from vskd.bundle.stream.stream_plan import MICROSECONDS, StreamPlan
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.bundle.stream.synthetic_stream import Call

Form = tuple[SensorContract, StreamSettings]
WHOLE = {"window_mode": "whole", "stride": None, "window_rate_hz": None}
FORMS: dict[str, Form] = {
    "raw": (sensor_contract(), StreamSettings()),
    "inside": (sensor_contract(encoding_inside=True), StreamSettings()),
    "minmax": (sensor_contract(**encoded("raw", "minmax")), StreamSettings()),
    "gasf": (
        sensor_contract(**encoded("gasf")),
        StreamSettings(decision=DecisionSettings(smoothing="majority", votes=4)),
    ),
    "gadf": (sensor_contract(**encoded("gadf", "minmax", 7)), StreamSettings(decision=DecisionSettings(hold=3))),
    "both": (
        sensor_contract(**encoded("gasf+gadf", "fixed", 16)),
        StreamSettings(decision=DecisionSettings(smoothing="hysteresis", votes=3, hold=4, min_log_odds=0.3)),
    ),
    "whole": (sensor_contract(**WHOLE), StreamSettings(samples=37, stride=9)),
    "whole gasf": (sensor_contract(**WHOLE, **encoded("gasf", "minmax")), StreamSettings()),
    "device": (
        sensor_contract(unit="m/s^2", range_limit=80.0),
        StreamSettings(
            device=DeviceSettings(
                unit_factor=9.80665 / 1024, axes=(1, 0, 3), signs=(1, -1, 1), rest=(0.0, 0.0, 1.0), rate_hz=50.0
            ),
            decision=DecisionSettings(smoothing="majority", votes=5, hold=2, min_log_odds=0.1),
        ),
    ),
    "down": (sensor_contract(), StreamSettings(device=DeviceSettings(rate_hz=100.0))),
    "down 6:5": (sensor_contract(stride=3), StreamSettings(device=DeviceSettings(rate_hz=60.0))),
    "up": (sensor_contract(), StreamSettings(device=DeviceSettings(rate_hz=25.0))),
    "whole, down": (sensor_contract(**WHOLE), StreamSettings(samples=30, device=DeviceSettings(rate_hz=100.0))),
}


def random_form(generator: np.random.Generator) -> Form:
    """A contract and settings of any kind."""

    def one_of(*values: object) -> object:
        return values[int(generator.integers(len(values)))]

    length, channels = int(generator.integers(8, 33)), int(generator.integers(1, 7))
    method, scaling = one_of("raw", "gasf", "gadf", "gasf+gadf"), one_of("fixed", "minmax")
    changes: dict[str, object] = encoded(str(method), str(scaling), int(generator.integers(4, 9)))
    changes |= {"length": length, "axes": tuple("abcdef"[:channels]), "stride": int(generator.integers(3, 2 * length))}
    changes |= {"unit": one_of("g", "m/s^2", "deg/s"), "range_limit": float(generator.uniform(2, 80))}
    samples = None
    if generator.random() < 0.3:
        changes |= {**WHOLE}
        samples = int(generator.integers(8, 60))
    axes, signs = generator.permutation(channels + 1)[:channels], generator.choice([-1, 1], channels)
    contract = sensor_contract(**changes)
    calibrated = contract.unit in ("g", "m/s^2") and channels == 3
    device = DeviceSettings(
        rate_hz=float(generator.choice([50.0, 50.0, 25.0, 60.0, 75.0, 100.0])),
        unit_factor=float(generator.choice([1.0, 1 / 1024, 9.80665])),
        axes=tuple(int(axis) for axis in axes),
        signs=tuple(int(sign) for sign in signs),  # type: ignore[arg-type]
        rest=(0.0, 0.0, 1.0) if calibrated and generator.random() < 0.5 else None,
        gap_periods=float(generator.uniform(1.5, 8)),
        max_saturated=float(generator.choice([0.0, 0.05, 0.3])),
    )
    decision = DecisionSettings(
        smoothing=one_of("none", "majority", "hysteresis"),  # type: ignore[arg-type]
        votes=int(generator.integers(1, 8)),
        hold=int(generator.integers(0, 5)),
        min_log_odds=float(generator.choice([0.0, 0.1, 1.0])),
    )
    return contract, StreamSettings(device=device, decision=decision, samples=samples)


def random_stream(
    plan: StreamPlan, generator: np.random.Generator, *, most_stretches: int = 4, most_samples: int = 200
) -> list[Call]:
    """Movement with all that can go wrong, cut into calls of random size.

    Args:
        plan: of the stream.
        generator: decides.
        most_stretches: each has its trouble, or none.
        most_samples: of a stretch, besides two windows.
    """
    rate = MICROSECONDS / plan.period_us
    calls: list[Call] = []
    for _ in range(int(generator.integers(1, most_stretches + 1))):
        count = int(generator.integers(1, most_samples + 2 * plan.checked))
        scale = float(np.exp(generator.uniform(-2, 2))) * generator.choice([1.0, 1.0, 1 / plan.factor])
        samples = movement(count, generator, plan.device_axes, scale)
        times = clock(count, rate * generator.choice([1.0, 1.0, 1.0, 0.96, 1.05, 1.6]), generator)
        trouble = generator.integers(0, 9)
        place = int(generator.integers(0, count))
        if trouble == 0:
            samples[place, -1] = generator.choice([np.nan, np.inf, -np.inf, 3e38])
        elif trouble == 1:
            times[place:] += np.uint64(generator.choice([90_000, 100_001, 10_000_000]))
        elif trouble == 2:
            samples[:] = samples[place]
        elif trouble == 3:
            samples = np.clip(samples, -plan.contract.range_limit / plan.factor, None)
            samples[place:] *= np.float32(50)
        elif trouble in (4, 7):  # at rest, in any pose
            samples[:] = 0
            length = 9.80665 if plan.contract.unit == "m/s^2" else 1.0
            axis = -1 if trouble == 7 else int(generator.integers(0, min(3, plan.device_axes)))
            samples[:, axis] = generator.choice([-1, 1]) * length / plan.factor
            samples += generator.normal(0, 1e-3, samples.shape).astype(np.float32)
        calls += chunked(samples, None if trouble == 5 else times, generator)
        if trouble == 6:
            calls.append((samples[:0], None))
    return calls
