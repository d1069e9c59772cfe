"""Contract and settings as the integers and floats with which Python and C run the same stream."""

import math
from dataclasses import dataclass

import numpy as np

from vskd.bundle.contract import SensorContract
from vskd.bundle.decision import DecisionSettings
from vskd.bundle.sensor_checks import RATE_TOLERANCE
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.errors import BundleError, SettingError
from vskd.preprocessing.sensor.resampling import Resampling, plan_resampling
from vskd.preprocessing.sensor.units import GRAVITY

MICROSECONDS = 1_000_000
LONGER_THAN_SHORTEST, SHORTER_THAN_LONGEST = 2.0, 1.5
"""The export accepts recordings of half the shortest and 1.5 times the longest of training (its LENGTH_MARGIN)."""
REST_RANGE = 0.1
"""At rest no axis moves by more, in multiples of gravity."""
MOST_TAPS = 1_100
"""104 Hz to 50 Hz needs 1,041 and is allowed; 59.94 Hz to 50 Hz (669 to 802) would need 16,041."""


IN_C = ("raw", "gasf", "gadf", "gasf+gadf")
"""The encodings that the C sources compute."""


@dataclass(frozen=True)
class Gravity:
    """What is checked of gravity at rest.

    Attributes:
        unit: what 1 g is in the contract's unit.
        still: largest range of an axis at rest, float32 in the contract's unit.
        rest: direction in the pose of calibration; None: only the length is checked.
    """

    unit: float
    still: float
    rest: tuple[float, ...] | None


@dataclass(frozen=True)
class StreamPlan:
    """One stream. Times are in microseconds, samples are counted from the last (re)start.

    Attributes:
        contract: of the bundle.
        axes, signs, factor: of the device; axis c of the contract is factor * signs[c] * sample[axes[c]], in float32.
        device_axes: values of one sample of the device.
        resampling: from the device's rate to that of the windows.
        span: samples of a window at its rate, before a whole recording is resampled to the contract's length.
        stride: from one window to the next.
        checked: the device's samples that a window's conditions are judged by, the newest ones.
        ring: the device's samples that are kept.
        elapsed: shortest and longest time between the first and last of `checked`.
        gap: longest time between neighbours.
        max_saturated: how many of `checked` may lie at the limit.
        gravity: None where the unit is not one of acceleration.
        decision: smoothing and rejection.
        min_margin: int8 steps between the two largest logits below which a window is unknown.
        step: of the window's resampling to the contract's length; 0 where there is none.
    """

    contract: SensorContract
    axes: tuple[int, ...]
    signs: tuple[int, ...]
    factor: float
    device_axes: int
    resampling: Resampling
    span: int
    stride: int
    checked: int
    ring: int
    elapsed: tuple[int, int]
    gap: int
    max_saturated: int
    gravity: Gravity | None
    decision: DecisionSettings
    min_margin: int
    step: float

    @property
    def length(self) -> int:
        """Samples of the window that the model sees."""
        return self.contract.length

    @property
    def period_us(self) -> float:
        """Nominal time between two of the device's samples."""
        target = self.contract.window_rate_hz if self.contract.window_mode == "sliding" else None
        rate = (target or self.contract.rate_hz) * self.resampling.down / self.resampling.up
        return MICROSECONDS / rate

    @property
    def delay(self) -> int:
        """The device's samples by which a decision is later than the last sample of its window."""
        return self.resampling.delay


def plan_stream(contract: SensorContract, settings: StreamSettings, output_scale: float) -> StreamPlan:
    """Resolve the settings of a stream.

    Args:
        contract: of the bundle.
        settings: of device and decision.
        output_scale: step of the model's int8 logits.

    Raises:
        SettingError: axes that do not fit the contract, or a rate that cannot be resampled at a bounded cost.
        BundleError: the encoding averages fewer samples than it has segments, or is not there in C, or the model sees
            several streams.
    """
    if contract.streams:
        raise BundleError(
            f"The model sees {len(contract.streams)} streams ({contract.stream}), and the firmware reads one sensor",
            "Export a student that sees one stream",
        )
    if contract.encoding.method not in IN_C:
        raise BundleError(
            f"The encoding '{contract.encoding.method}' is not there in C, but for {', '.join(IN_C)}",
            "Use the bundle from Python, or export a student with another encoding",
        )
    device, channels = settings.device, len(contract.axes)
    axes = device.axes or tuple(range(channels))
    signs = device.signs or (1,) * channels
    for name, given in (("axes", axes), ("signs", signs), ("rest", device.rest or axes)):
        if len(given) != channels:
            raise SettingError(f"device.{name} has {len(given)} entries for {channels} axes", "Give one for each axis")
    if contract.encoding.method != "raw" and contract.length < contract.encoding.image_size:
        raise BundleError("The window is shorter than the image", "Export the run again")
    span, stride, rate = _window(contract, settings)
    device_rate = device.rate_hz or contract.rate_hz
    resampling = _resampling(device_rate, rate)
    if stride * resampling.down < resampling.up:
        raise SettingError(f"A stride of {stride} gives several windows for one sample", "Choose a larger stride")
    checked = (span - 1) * resampling.down // resampling.up + 1
    period = MICROSECONDS / device_rate
    steps = checked - 1
    elapsed = (
        math.ceil(steps * period / (1 + RATE_TOLERANCE)),
        math.floor(steps * period / (1 - RATE_TOLERANCE)),
    )
    return StreamPlan(
        contract=contract,
        axes=axes,
        signs=signs,
        factor=float(np.float32(device.unit_factor)),
        device_axes=max(axes) + 1,
        resampling=resampling,
        span=span,
        stride=stride,
        checked=checked,
        ring=((span - 1) * resampling.down + 2 * resampling.half) // resampling.up + 2,
        elapsed=elapsed,
        gap=math.ceil(device.gap_periods * period),
        max_saturated=int(device.max_saturated * checked),
        gravity=_gravity(contract, device.rest),
        decision=settings.decision,
        min_margin=math.ceil(settings.decision.min_log_odds / output_scale),
        step=0.0 if span == contract.length else (span - 1) / (contract.length - 1),
    )


def _window(contract: SensorContract, settings: StreamSettings) -> tuple[int, int, float]:
    """Span, stride and rate of the windows that are cut from the stream."""
    if contract.window_mode == "sliding" and contract.stride and contract.window_rate_hz:
        if settings.samples is not None or settings.stride is not None:
            raise SettingError(
                "The contract's windows have their own length and stride", "Leave samples and stride out"
            )
        return contract.length, contract.stride, contract.window_rate_hz
    shortest, longest = contract.min_samples * LONGER_THAN_SHORTEST, contract.max_samples / SHORTER_THAN_LONGEST
    span = settings.samples or round((shortest + longest) / 2)
    if not contract.min_samples <= span <= contract.max_samples or span < 2:
        raise SettingError(
            f"samples is {span}; the contract takes {contract.min_samples} to {contract.max_samples}", "Choose within"
        )
    return span, settings.stride or max(1, span // 4), contract.rate_hz


def _resampling(rate_hz: float, new_rate_hz: float) -> Resampling:
    made = plan_resampling(rate_hz, new_rate_hz)
    taps = 2 * made.half + 1
    if taps > MOST_TAPS:
        raise SettingError(
            f"From {rate_hz:g} to {new_rate_hz:g} Hz a filter of {taps} taps is needed, more than {MOST_TAPS}",
            "Set the device to a rate with a simpler ratio, or give its nominal rate",
        )
    return made


def _gravity(contract: SensorContract, rest: tuple[float, ...] | None) -> Gravity | None:
    unit = GRAVITY.get(contract.unit) if contract.calibrated else None
    if unit is None or len(contract.axes) != 3:
        if rest is not None:
            raise SettingError(
                f"device.rest needs three calibrated axes of acceleration, not {contract.unit}", "Leave it out"
            )
        return None
    return Gravity(unit, float(np.float32(REST_RANGE * unit)), rest)
