"""Golden vectors and streams: inputs with the answers that every runtime of the bundle must give, bit for bit.

The inputs are synthetic. Anybody may receive a bundle, and a window of a recording is a piece of a person's
movement, by which that person can be told from others; who agreed to train a model has not agreed to be shipped inside
it. Bit exactness is a property of arithmetic, for which any signal that drives the model through its range serves as
well. Bundles made before this was so hold windows of recordings, and are still read.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from vskd.bundle.contract import Contract, SensorContract, TensorKind
from vskd.bundle.runtime import LiteRTModel
from vskd.bundle.stream.golden_stream import GoldenStream, make_streams, replay_stream
from vskd.errors import BundleError
from vskd.preprocessing.sensor.units import GRAVITY
from vskd.schema import Finite, Strict

FloatArray = npt.NDArray[np.float32]
ModelInput = Callable[[FloatArray], FloatArray]

# The encoding is computed in floating point, whose last bit differs between processors: a value at a rounding boundary
# of the int8 input may then fall one step aside. The model itself is integer arithmetic and gets no such allowance.
MAX_INPUT_STEPS = 1
MAX_FLOAT_ERROR = 1e-4

GOLDEN_FILE = "golden.json"
AMPLITUDES = (0.1, 0.3, 0.6, 1.0)
"""One golden window each: standard deviation of its signals as a fraction of the encoding's range, so that the faintest
is almost at rest and the strongest passes both ends of the range."""
PARTIALS = 5
"""Sines that make up a signal."""
CYCLES = (0.5, 8.0)
"""Slowest and fastest of them, in turns per window."""


class GoldenVector(Strict):
    """One window and the model's answer.

    Attributes:
        id: name of the window, e.g. `synthetic-0`; in older bundles the recording it is from.
        window: (channels, samples) in the contract's unit.
        input: the model's own input, as base64 of little-endian values in C order.
        output: the model's own output, one number per class.
        logits: the output as real numbers.
        label: name of the class with the largest logit, the first of equals.
    """

    id: str
    window: tuple[tuple[Finite, ...], ...]
    input: str
    output: tuple[Finite, ...]
    logits: tuple[Finite, ...]
    label: str

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len({len(row) for row in self.window}) != 1:
            raise ValueError("window: its channels must have the same number of samples, at least one each")
        if len(self.output) != len(self.logits):
            raise ValueError(f"{len(self.output)} outputs and {len(self.logits)} logits")
        return self


class Golden(Strict):
    """Vectors and streams of one model, computed with LiteRT's reference kernels.

    TFLite Micro and generated C give the same integers where the model has no fully connected layer, which LiteRT's
    reference kernel scales in float64 and they in int32; models exported since that is so have 1x1 convolutions there.

    Attributes:
        streams: of models of sliding windows; older bundles hold none.
    """

    kernels: Literal["BUILTIN_REF"] = "BUILTIN_REF"
    input_shape: tuple[int, ...]
    input_type: TensorKind
    output_type: TensorKind
    vectors: Annotated[tuple[GoldenVector, ...], Field(min_length=1)]
    streams: tuple[GoldenStream, ...] = ()

    @model_serializer(mode="wrap")
    def _as_before_there_were_streams(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        return content if self.streams else {key: value for key, value in content.items() if key != "streams"}


def synthetic_windows(contract: SensorContract, seed: int = 0) -> list[tuple[str, FloatArray]]:
    """Smooth random signals, no one's recording, from faint ones to ones that overdrive the encoding.

    Each channel is a sum of sines of random turns and phases. Where the unit is one of acceleration, gravity is added
    in a random direction. Values stay within what the contract says the sensor can measure.

    Args:
        contract: gives shape, unit and range.
        seed: the same seed gives the same windows (up to the last bit of the processor's sine; what a bundle stores are
            the values themselves).

    Returns:
        (name, float32 (channels, samples) in the contract's unit) pairs.
    """
    generator = np.random.default_rng(seed)
    channels, samples = contract.window_shape
    time = np.arange(samples) / samples
    result = []
    for number, amplitude in enumerate(AMPLITUDES):
        turns = generator.uniform(*CYCLES, (PARTIALS, channels, 1))
        phase = generator.uniform(0, 2 * np.pi, (PARTIALS, channels, 1))
        signal = np.sin(2 * np.pi * turns * time + phase).sum(axis=0)  # (channels, samples), deviation sqrt(PARTIALS/2)
        signal *= amplitude * contract.encoding.limit / np.sqrt(PARTIALS / 2)
        direction = generator.standard_normal((channels, 1))
        signal += GRAVITY.get(contract.unit, 0.0) * direction / np.linalg.norm(direction)
        window = np.clip(signal, -contract.range_limit, contract.range_limit).astype(np.float32)
        result.append((f"synthetic-{number}", window))
    return result


def make_golden(
    model: bytes,
    windows: Sequence[tuple[str, FloatArray]],
    model_input: ModelInput,
    labels: Sequence[str],
    contract: Contract | None = None,
) -> Golden:
    """Run windows through the model and keep inputs and answers.

    Args:
        model: the shipped LiteRT model.
        windows: (name, float32 (channels, samples)) pairs; see `synthetic_windows`.
        model_input: window -> network input, float32.
        labels: class names, in the order of the logits.
        contract: of the model's input, for streams; None: no streams.
    """
    runner = LiteRTModel(model, reference_kernels=True)
    vectors = []
    for name, window in windows:
        raw_input = runner.to_raw(model_input(window)[np.newaxis])
        raw_output = runner.raw(raw_input)
        (output,), (logits,) = raw_output, runner.from_raw(raw_output)
        vectors.append(
            GoldenVector(
                id=name,
                window=tuple(tuple(float(v) for v in row) for row in window.astype(np.float32)),
                input=base64.b64encode(raw_input.astype(raw_input.dtype.newbyteorder("<")).tobytes()).decode("ascii"),
                output=tuple(float(v) for v in output),
                logits=tuple(float(v) for v in logits),
                label=labels[int(logits.argmax())],
            )
        )
    return Golden(
        input_shape=runner.input_shape,
        input_type=_kind(runner.input_type),
        output_type=_kind(runner.output_type),
        vectors=tuple(vectors),
        streams=() if contract is None else make_streams(model, contract),
    )


def _kind(name: str) -> TensorKind:
    return "int8" if name == "int8" else "float32"


def replay_golden(
    golden: Golden,
    model: bytes,
    contract: Contract,
    model_input: ModelInput,
    labels: Sequence[str],
    source: str = GOLDEN_FILE,
) -> None:
    """Check that the model, and all in front of it, give the golden answers here; `source` is for messages.

    Raises:
        BundleError: names the vector, or the stream and window, and what differs.
    """
    runner = LiteRTModel(model, reference_kernels=True)
    if (runner.input_shape, runner.input_type, runner.output_type) != (
        golden.input_shape,
        golden.input_type,
        golden.output_type,
    ):
        raise _mismatch(source, "all vectors", "are of another model: shape or types differ")
    for vector in golden.vectors:
        raw_input = _decode(vector, golden, source)
        window = np.array(vector.window, dtype=np.float32)
        if window.shape != contract.window_shape:
            raise _mismatch(
                source, vector.id, f"has a window of shape {window.shape}; the contract says {contract.window_shape}"
            )
        _check_input(source, vector.id, runner.to_raw(model_input(window)[np.newaxis]), raw_input)
        raw_output = runner.raw(raw_input)
        (output,), (logits,) = raw_output, runner.from_raw(raw_output)
        expected = np.array(vector.output, dtype=np.float32)
        if not np.array_equal(output.astype(np.float32), expected):
            raise _mismatch(source, vector.id, f"gives {output.tolist()} instead of {expected.tolist()}")
        if not np.allclose(logits, np.array(vector.logits), rtol=1e-6, atol=1e-6):
            raise _mismatch(source, vector.id, "has logits that do not follow from its output")
        if len(labels) != len(logits) or labels[int(logits.argmax())] != vector.label:
            raise _mismatch(
                source, vector.id, f"is labelled '{vector.label}', which is not the class of its largest logit"
            )
    for stream in golden.streams:
        replay_stream(stream, model, contract, source)


def _decode(vector: GoldenVector, golden: Golden, source: str) -> Any:
    kind = np.dtype(golden.input_type).newbyteorder("<")
    try:
        data = base64.b64decode(vector.input, validate=True)
        return np.frombuffer(data, dtype=kind).reshape(golden.input_shape).astype(golden.input_type)
    except (binascii.Error, ValueError) as error:
        raise _mismatch(
            source, vector.id, f"has an input that is not {golden.input_shape} {golden.input_type} values"
        ) from error


def _check_input(source: str, name: str, computed: Any, stored: Any) -> None:
    difference = float(np.abs(computed.astype(np.float64) - stored.astype(np.float64)).max())
    allowed = MAX_INPUT_STEPS if stored.dtype == np.int8 else MAX_FLOAT_ERROR
    if difference > allowed:
        raise _mismatch(source, name, f"is encoded differently here: the model's input is off by up to {difference:g}")


def _mismatch(source: str, vector: str, problem: str) -> BundleError:
    return BundleError(
        f"{source}: vector {vector} {problem}",
        "Use the vskd and ai-edge-litert versions that the manifest names, or export the run again",
    )
