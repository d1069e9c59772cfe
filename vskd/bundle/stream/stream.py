"""A stream of samples to decisions, in Python: what vskd_stream.c does, bit for bit, sample by sample."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vskd.bundle.decision import NO_LABEL, Decider, window_label
from vskd.bundle.encoding import model_input
from vskd.bundle.runtime import quantize
from vskd.bundle.stream.conditions import Condition, check_window
from vskd.bundle.stream.stream_plan import StreamPlan
from vskd.errors import DataError

FloatArray = npt.NDArray[np.float32]
Answer = Callable[[npt.NDArray[np.int8]], npt.NDArray[np.int8]]
"""int8 input -> int8 logits (classes,)."""


@dataclass(frozen=True)
class Decision:
    """What a window, or an interruption, led to.

    Attributes:
        status: `Condition.OK`, or what is wrong; then there is no label.
        label: the smoothed decision, an index of class, or -1.
        window_label: this window's own label, or -1 where it is unknown.
        margin: difference of its two largest logits, in int8 steps.
        sample: samples of the device up to the newest that it depends on, since the last reset.
        time_us: time stamp of that sample; 0 without time stamps.
    """

    status: Condition
    label: int
    window_label: int
    margin: int
    sample: int
    time_us: int


class Stream:
    """Takes samples in pieces of any size, and gives a decision per window.

    Args:
        plan: of the stream.
        input_scale, input_zero: of the model's int8 input.
        answer: the model.

    Attributes:
        logits: int8 (classes,), the model's answer to the newest window that it was asked about; None before.
    """

    def __init__(self, plan: StreamPlan, input_scale: float, input_zero: int, answer: Answer) -> None:
        self.plan, self._answer = plan, answer
        self._scale, self._zero = input_scale, input_zero
        self._decider = Decider(plan.decision)
        self.logits: npt.NDArray[np.int8] | None = None
        self.reset()

    def reset(self) -> None:
        """Forget all samples, the decision, and whether gravity was right."""
        self._total, self._confirmed, self._bad = 0, False, False
        self._restart()

    def feed(self, samples: FloatArray, times_us: npt.NDArray[np.uint64] | None = None) -> Iterator[Decision]:
        """Decisions that follow from more samples.

        Args:
            samples: float32 (count, device axes), in the device's unit.
            times_us: (count,), when they were measured; with or without for a whole stream. None: rate and gaps are
                not checked.

        Raises:
            DataError: the samples have another number of axes, or not one time stamp each.
        """
        if samples.ndim != 2 or samples.shape[1] < self.plan.device_axes:
            raise DataError(
                f"Samples of shape {samples.shape}; (count, {self.plan.device_axes}) are expected", "Give all axes"
            )
        if times_us is not None and len(times_us) != len(samples):
            raise DataError(f"{len(times_us)} time stamps for {len(samples)} samples", "Give one for each sample")
        with np.errstate(over="ignore"):
            signs = np.array(self.plan.signs, dtype=np.float32)
            mapped = samples[:, list(self.plan.axes)].astype(np.float32) * np.float32(self.plan.factor) * signs
        finite = np.isfinite(mapped).all(axis=1)
        for number, sample in enumerate(mapped):
            time = None if times_us is None else int(times_us[number])
            decision = self._push(sample, bool(finite[number]), time)
            if decision is not None:
                yield decision

    def _restart(self) -> None:
        self._count, self._next = 0, 0  # samples since here, first output of the next window
        self._samples = np.zeros((self.plan.ring, len(self.plan.axes)), dtype=np.float32)
        self._times = [0] * self.plan.ring
        self._first = np.zeros(len(self.plan.axes))
        self._decider.reset()

    def _push(self, sample: FloatArray, finite: bool, time: int | None) -> Decision | None:
        self._total += 1
        if not finite:
            again, self._bad = self._bad, True
            self._restart()
            return None if again else self._event(Condition.NOT_FINITE, time)
        self._bad = False
        gap = time is not None and self._count > 0 and not 0 <= time - self._last_time() <= self.plan.gap
        if gap:
            self._restart()
        if self._count == 0:
            self._first = sample.astype(np.float64)
        place = self._count % self.plan.ring
        self._samples[place], self._times[place] = sample, time or 0
        self._count += 1
        if gap:
            return self._event(Condition.GAP, time)
        if self._count - 1 < self.plan.resampling.last_needed(self._next + self.plan.span - 1):
            return None
        return self._window(time)

    def _last_time(self) -> int:
        return self._times[(self._count - 1) % self.plan.ring]

    def _event(self, condition: Condition, time: int | None) -> Decision:
        return Decision(condition, NO_LABEL, NO_LABEL, 0, self._total, time or 0)

    def _kept(self, first: int, last: int) -> FloatArray:
        """Samples of these numbers, both included."""
        return self._samples[np.arange(first, last + 1) % self.plan.ring]

    def _window(self, time: int | None) -> Decision:
        newest = self._count - 1
        oldest = newest - self.plan.checked + 1
        elapsed = None if time is None else time - self._times[oldest % self.plan.ring]
        condition, self._confirmed = check_window(
            self.plan, self._kept(oldest, newest), elapsed, confirmed=self._confirmed
        )
        start = self._next
        self._next += self.plan.stride
        if condition is not Condition.OK:
            self._decider.reset()
            return self._event(condition, time)
        self.logits = logits = self._answer(self.quantized(self._cut(start)))
        label, margin = window_label(logits, self.plan.min_margin)
        return Decision(Condition.OK, self._decider.decide(label), label, margin, self._total, time or 0)

    def _cut(self, start: int) -> FloatArray:
        """The window whose first output is `start`, float32 (axes, length)."""
        plan = self.plan
        oldest = max(0, plan.resampling.first_needed(start))
        kept = self._kept(oldest, self._count - 1)
        return stretched(plan.resampling.outputs(start, start + plan.span, kept.T, oldest, self._first), plan)

    def quantized(self, window: FloatArray) -> npt.NDArray[np.int8]:
        """The model's int8 input of a window, without a batch dimension."""
        return quantize(model_input(window, self.plan.contract), self._scale, self._zero)


def stretched(window: FloatArray, plan: StreamPlan) -> FloatArray:
    """(axes, span) -> (axes, length): what `resample_to_length` does, with positions that C computes alike."""
    if plan.step == 0:
        return window
    positions = np.arange(plan.length) * plan.step
    positions[-1] = plan.span - 1
    left = np.minimum(positions.astype(np.int64), plan.span - 2)
    weight = positions - left
    return np.asarray(window[:, left] * (1 - weight) + window[:, left + 1] * weight, dtype=np.float32)
