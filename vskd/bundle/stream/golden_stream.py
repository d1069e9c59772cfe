"""Golden streams: raw samples as a device gives them, with what every runtime must make of them, stage by stage.

Samples -> windows -> encodings -> the model's int8 inputs -> its outputs -> decisions. Like golden vectors they are
synthetic, nobody's movement. Only contracts of sliding windows have one: of those of whole recordings the device
decides what it takes for one.
"""

import base64
import binascii
import hashlib
import itertools
import logging
from collections.abc import Sequence
from typing import Annotated, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from vskd.bundle.contract import Contract, SensorContract
from vskd.bundle.encoding import model_input
from vskd.bundle.runtime import LiteRTModel
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream import Decision, Stream
from vskd.bundle.stream.stream_plan import StreamPlan, plan_stream
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.bundle.stream.synthetic_stream import Call, golden_calls
from vskd.errors import BundleError, SettingError
from vskd.schema import Count, Sha256, Size, Strict

logger = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float32]
Int8 = npt.NDArray[np.int8]

WINDOWS = 2
"""Strides in each stretch of a stream that a bundle holds, besides a window: fewer than in a test that nobody ships."""
IN_FULL = 2
"""Windows whose encoding and input are stored as values; of the others it is their hashes."""
MAX_WINDOW_ERROR = 1e-6
"""Of resampled windows, in multiples of the sensor's range: the filter holds a sine, whose last bit differs between
processors. Other windows are the samples themselves, and come out bit for bit."""


class GoldenDecision(Strict):
    """One decision; see `vskd.bundle.stream.stream.Decision`, whose status is here by its name."""

    status: str
    label: int
    window_label: int
    margin: Size
    sample: Count
    time_us: Size


class GoldenWindow(Strict):
    """What became of one window with nothing wrong.

    Attributes:
        window: base64 of little-endian float32, (axes, samples), in the contract's unit.
        encoding_sha256: of the network's float32 input, little-endian, in C order.
        input_sha256: of the model's own int8 input.
        encoding, input: base64 of the same; of the first windows alone.
        output: the model's own int8 output.
    """

    window: str
    encoding_sha256: Sha256
    input_sha256: Sha256
    encoding: str | None = None
    input: str | None = None
    output: tuple[int, ...]


class GoldenStream(Strict):
    """One stream.

    Attributes:
        id: its name.
        settings: of the device and the decision.
        axes: values of one sample.
        calls: samples of each call of push: they arrive irregularly.
        samples: base64 of little-endian float32, (samples, axes), in the device's unit and order.
        times_us: base64 of little-endian uint64, one for each sample.
        decisions: that follow, in order.
        windows: one for each decision with the status OK, in order.
    """

    id: str
    settings: StreamSettings
    axes: Count
    calls: Annotated[tuple[Count, ...], Field(min_length=1)]
    samples: str
    times_us: str
    decisions: Annotated[tuple[GoldenDecision, ...], Field(min_length=1)]
    windows: tuple[GoldenWindow, ...]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        unknown = {d.status for d in self.decisions} - set(Condition.__members__)
        if unknown:
            raise ValueError(f"decisions: no status is called {', '.join(sorted(unknown))}")
        answered = sum(d.status == Condition.OK.name for d in self.decisions)
        if answered != len(self.windows):
            raise ValueError(f"{len(self.windows)} windows for {answered} decisions that have one")
        return self


class Played(NamedTuple):
    """A stream and what follows from it.

    Attributes:
        calls: of push.
        decisions: in order.
        windows: float32 (answered, axes, samples).
        outputs: int8 (answered, classes).
    """

    calls: list[Call]
    decisions: list[Decision]
    windows: FloatArray
    outputs: Int8


NO_STREAM = Played([], [], np.zeros((0, 0, 0), np.float32), np.zeros((0, 0), np.int8))
"""Of models that take no stream."""


class _Recorder(Stream):
    """A stream that keeps its windows, and the model's outputs."""

    def __init__(self, plan: StreamPlan, runner: LiteRTModel) -> None:
        given, _ = _scales(runner)
        super().__init__(plan, *given, self._run)
        self._runner = runner
        self.windows: list[FloatArray] = []
        self.outputs: list[Int8] = []

    def quantized(self, window: FloatArray) -> Int8:
        """See `Stream`."""
        self.windows.append(window)
        return super().quantized(window)

    def _run(self, x: Int8) -> Int8:
        output: Int8
        (output,) = self._runner.raw(x[np.newaxis]).astype(np.int8)
        self.outputs.append(output)
        return output


def play(model: bytes, plan: StreamPlan, calls: Sequence[Call]) -> Played:
    """What Python makes of a stream, with LiteRT's reference kernels.

    Args:
        model: with int8 ends.
        plan: of the stream.
        calls: of push.
    """
    stream = _Recorder(plan, LiteRTModel(model, reference_kernels=True))
    decisions = [decision for samples, times in calls for decision in stream.feed(samples, times)]
    windows = np.array(stream.windows, dtype=np.float32).reshape(-1, *plan.contract.window_shape)
    return Played(list(calls), decisions, windows, np.array(stream.outputs, dtype=np.int8).reshape(len(windows), -1))


def make_streams(model: bytes, contract: Contract) -> tuple[GoldenStream, ...]:
    """The streams that a bundle holds: one of sliding windows of one sensor, else none.

    Args:
        model: the shipped LiteRT model.
        contract: of its input.
    """
    plan = _default_plan(model, contract)
    if plan is None:
        return ()
    played = play(model, plan, golden_calls(plan, windows=WINDOWS))
    return (
        GoldenStream(
            id="synthetic-stream-0",
            settings=StreamSettings(),
            axes=plan.device_axes,
            calls=tuple(len(samples) for samples, _ in played.calls),
            samples=_text(np.concatenate([samples for samples, _ in played.calls]), "<f4"),
            times_us=_text(np.concatenate([times for _, times in played.calls if times is not None]), "<u8"),
            decisions=tuple(_stored(decision) for decision in played.decisions),
            windows=_windows(model, plan, played),
        ),
    )


def _default_plan(model: bytes, contract: Contract) -> StreamPlan | None:
    """Of a device as the contract says; None where the firmware takes no such stream."""
    if not isinstance(contract, SensorContract) or contract.window_mode != "sliding":
        return None
    runner = LiteRTModel(model, reference_kernels=True)
    if (runner.input_type, runner.output_type) != ("int8", "int8"):
        logger.info("no golden stream: the model's ends are not int8")
        return None
    try:
        _, (output_scale, _) = _scales(runner)
        return plan_stream(contract, StreamSettings(), output_scale)
    except (SettingError, BundleError) as error:
        logger.info("no golden stream: %s", error.problem)
        return None


def _scales(runner: LiteRTModel) -> tuple[tuple[float, int], tuple[float, int]]:
    """Scale and zero point of both ends."""
    given, answer = runner.input_quantization, runner.output_quantization
    if given is None or answer is None:
        raise BundleError("A stream is decided in int8, and the model's ends are not", "Export the run with int8 ends")
    return given, answer


def _windows(model: bytes, plan: StreamPlan, played: Played) -> tuple[GoldenWindow, ...]:
    runner, found = LiteRTModel(model, reference_kernels=True), []
    for number, (window, output) in enumerate(zip(played.windows, played.outputs, strict=True)):
        encoding = model_input(window, plan.contract)
        raw = runner.to_raw(encoding)
        found.append(
            GoldenWindow(
                window=_text(window, "<f4"),
                encoding_sha256=_digest(encoding, "<f4"),
                input_sha256=_digest(raw, "i1"),
                encoding=_text(encoding, "<f4") if number < IN_FULL else None,
                input=_text(raw, "i1") if number < IN_FULL else None,
                output=tuple(int(value) for value in output),
            )
        )
    return tuple(found)


def _stored(decision: Decision) -> GoldenDecision:
    return GoldenDecision(
        status=decision.status.name,
        label=decision.label,
        window_label=decision.window_label,
        margin=decision.margin,
        sample=decision.sample,
        time_us=decision.time_us,
    )


def _bytes(values: npt.NDArray[np.generic], kind: str) -> bytes:
    return np.ascontiguousarray(values, dtype=kind).tobytes()


def _text(values: npt.NDArray[np.generic], kind: str) -> str:
    return base64.b64encode(_bytes(values, kind)).decode("ascii")


def _digest(values: npt.NDArray[np.generic], kind: str) -> str:
    return hashlib.sha256(_bytes(values, kind)).hexdigest()


def stored_stream(stream: GoldenStream, contract: SensorContract, source: str) -> Played:
    """A stream as it was stored.

    Args:
        stream: of a bundle.
        contract: the bundle's.
        source: name of the file, for messages.

    Raises:
        BundleError: its parts do not fit together.
    """
    samples = _values(stream, stream.samples, "<f4", (sum(stream.calls), stream.axes), source)
    times = _values(stream, stream.times_us, "<u8", (sum(stream.calls),), source)
    bounds = itertools.accumulate((0, *stream.calls))
    calls: list[Call] = [
        (samples[a:b].astype(np.float32), times[a:b].astype(np.uint64)) for a, b in itertools.pairwise(bounds)
    ]
    decisions = [
        Decision(Condition[d.status], d.label, d.window_label, d.margin, d.sample, d.time_us) for d in stream.decisions
    ]
    windows = [_values(stream, w.window, "<f4", contract.window_shape, source) for w in stream.windows]
    outputs = [w.output for w in stream.windows]
    if len({len(output) for output in outputs}) > 1 or any(not -128 <= v <= 127 for o in outputs for v in o):
        raise _mismatch(source, stream, "has outputs that are not int8 values of one number of classes")
    shaped = np.array(windows, dtype=np.float32).reshape(-1, *contract.window_shape)
    return Played(calls, decisions, shaped, np.array(outputs, dtype=np.int8).reshape(len(outputs), -1))


def _values(
    stream: GoldenStream, text: str, kind: str, shape: tuple[int, ...], source: str
) -> npt.NDArray[np.float32] | npt.NDArray[np.uint64]:
    try:
        found: npt.NDArray[np.float32] = np.frombuffer(base64.b64decode(text, validate=True), dtype=kind).reshape(shape)
    except (binascii.Error, ValueError) as error:
        raise _mismatch(source, stream, f"has values that are not {kind} of shape {shape}") from error
    return found


class _Replayer(Stream):
    """A stream that compares every stage with the stored one, and goes on from the stored one."""

    def __init__(
        self, plan: StreamPlan, runner: LiteRTModel, stream: GoldenStream, stored: Played, source: str
    ) -> None:
        given, _ = _scales(runner)
        super().__init__(plan, *given, self._run)
        self._runner, self._stream, self._stored, self._source, self._number = runner, stream, stored, source, 0

    def quantized(self, window: FloatArray) -> Int8:
        """See `Stream`; of the stored window."""
        if self._number >= len(self._stored.windows):
            raise self._other("there is one more window than is stored")
        given, expected = self._stream.windows[self._number], self._stored.windows[self._number]
        plan, difference = self.plan, np.abs(window - expected).max()
        exact = plan.resampling.half == 0 and plan.step == 0
        if not difference <= (0 if exact else MAX_WINDOW_ERROR * plan.contract.range_limit):
            raise self._other(f"is cut otherwise here: off by up to {difference:g}")
        encoding = model_input(expected, plan.contract)
        self._check("encoding", encoding, "<f4", given.encoding_sha256, given.encoding)
        raw = super().quantized(expected)
        self._check("input", raw, "i1", given.input_sha256, given.input)
        return raw

    def _check(self, what: str, found: npt.NDArray[np.generic], kind: str, digest: str, text: str | None) -> None:
        if _digest(found, kind) != digest or (text is not None and _text(found, kind) != text):
            raise self._other(f"has another {what} here")

    def _run(self, x: Int8) -> Int8:
        output: Int8
        (output,) = self._runner.raw(x[np.newaxis]).astype(np.int8)
        expected = self._stored.outputs[self._number]
        if not np.array_equal(output, expected):
            raise self._other(f"gives {output.tolist()} instead of {expected.tolist()}")
        self._number += 1
        return output

    def _other(self, problem: str) -> BundleError:
        return _mismatch(self._source, self._stream, f"window {self._number} {problem}")


def replay_stream(stream: GoldenStream, model: bytes, contract: Contract, source: str) -> None:
    """Check that the stream gives here what is stored, at every stage.

    Args:
        stream: of a bundle.
        model: the bundle's.
        contract: the bundle's.
        source: name of the file, for messages.

    Raises:
        BundleError: names the stream, the window and what differs.
    """
    if not isinstance(contract, SensorContract):
        raise _mismatch(source, stream, f"does not fit a model of {contract.kind}s")
    runner = LiteRTModel(model, reference_kernels=True)
    try:
        _, (output_scale, _) = _scales(runner)
        plan = plan_stream(contract, stream.settings, output_scale)
    except SettingError as error:
        raise _mismatch(source, stream, f"does not fit the contract: {error.problem}") from error
    if stream.axes < plan.device_axes:
        raise _mismatch(source, stream, f"has {stream.axes} axes instead of {plan.device_axes}")
    stored = stored_stream(stream, contract, source)
    replayer = _Replayer(plan, runner, stream, stored, source)
    found = [decision for samples, times in stored.calls for decision in replayer.feed(samples, times)]
    for number, (decision, expected) in enumerate(zip(found, stored.decisions, strict=False)):
        if decision != expected:
            raise _mismatch(source, stream, f"decision {number} is {decision} instead of {expected}")
    if len(found) != len(stored.decisions):
        raise _mismatch(source, stream, f"gives {len(found)} decisions instead of {len(stored.decisions)}")


def _mismatch(source: str, stream: GoldenStream, problem: str) -> BundleError:
    return BundleError(
        f"{source}: stream {stream.id} {problem}",
        "Use the vskd and ai-edge-litert versions that the manifest names, or export the run again",
    )
