"""Golden vectors: inputs with the answers that every runtime of the bundle must give, bit for bit."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from vskd.errors import BundleError
from vskd.export.contract import Finite, SensorContract, Strict, TensorKind
from vskd.export.runtime import LiteRTModel

FloatArray = npt.NDArray[np.float32]
ModelInput = Callable[[FloatArray], FloatArray]

# The encoding is computed in floating point, whose last bit differs between processors: a value at a rounding boundary
# of the int8 input may then fall one step aside. The model itself is integer arithmetic and gets no such allowance.
MAX_INPUT_STEPS = 1
MAX_FLOAT_ERROR = 1e-4


class GoldenVector(Strict):
    """One window and the model's answer.

    Attributes:
        id: recording that the window is from.
        window: (channels, samples) in the contract's unit.
        input: the model's own input, as base64 of little-endian values in C order.
        output: the model's own output, one number per class.
        logits: the output as real numbers.
        label: name of the class with the largest logit.
    """

    id: str
    window: tuple[tuple[Finite, ...], ...]
    input: str
    output: tuple[Finite, ...]
    logits: tuple[Finite, ...]
    label: str


class Golden(Strict):
    """Vectors of one model, computed with LiteRT's reference kernels, with which TFLite Micro agrees exactly."""

    kernels: Literal["BUILTIN_REF"] = "BUILTIN_REF"
    input_shape: tuple[int, ...]
    input_type: TensorKind
    output_type: TensorKind
    vectors: Annotated[tuple[GoldenVector, ...], Field(min_length=1)]


def make_golden(
    model: bytes, windows: Sequence[tuple[str, FloatArray]], model_input: ModelInput, labels: Sequence[str]
) -> Golden:
    """Run windows through the model and keep inputs and answers.

    Args:
        model: the shipped LiteRT model.
        windows: (recording id, float32 (channels, samples)) pairs.
        model_input: window -> network input, float32.
        labels: class names, in the order of the logits.
    """
    runner = LiteRTModel(model, reference_kernels=True)
    vectors = []
    for recording, window in windows:
        raw_input = runner.to_raw(model_input(window)[np.newaxis])
        raw_output = runner.raw(raw_input)
        logits = runner.from_raw(raw_output)[0]
        vectors.append(
            GoldenVector(
                id=recording,
                window=tuple(tuple(float(v) for v in row) for row in window.astype(np.float32)),
                input=base64.b64encode(raw_input.astype(raw_input.dtype.newbyteorder("<")).tobytes()).decode("ascii"),
                output=tuple(float(v) for v in raw_output[0]),
                logits=tuple(float(v) for v in logits),
                label=labels[int(logits.argmax())],
            )
        )
    return Golden(
        input_shape=runner.input_shape,
        input_type=_kind(runner.input_type),
        output_type=_kind(runner.output_type),
        vectors=tuple(vectors),
    )


def _kind(name: str) -> TensorKind:
    return "int8" if name == "int8" else "float32"


def replay_golden(
    golden: Golden, model: bytes, contract: SensorContract, model_input: ModelInput, labels: Sequence[str]
) -> None:
    """Check that the model, and the encoding in front of it, give the golden answers here.

    Raises:
        BundleError: names the vector and what differs.
    """
    runner = LiteRTModel(model, reference_kernels=True)
    if (runner.input_shape, runner.input_type, runner.output_type) != (
        golden.input_shape,
        golden.input_type,
        golden.output_type,
    ):
        raise _mismatch("all vectors", "are of another model: shape or types differ")
    for vector in golden.vectors:
        raw_input = _decode(vector, golden)
        window = np.array(vector.window, dtype=np.float32)
        if window.shape != contract.window_shape:
            raise _mismatch(
                vector.id, f"has a window of shape {window.shape}; the contract says {contract.window_shape}"
            )
        _check_input(vector.id, runner.to_raw(model_input(window)[np.newaxis]), raw_input)
        raw_output = runner.raw(raw_input)
        expected = np.array(vector.output, dtype=np.float32)
        if not np.array_equal(raw_output[0].astype(np.float32), expected):
            raise _mismatch(vector.id, f"gives {raw_output[0].tolist()} instead of {expected.tolist()}")
        logits = runner.from_raw(raw_output)[0]
        if not np.allclose(logits, np.array(vector.logits), rtol=1e-6, atol=1e-6):
            raise _mismatch(vector.id, "has logits that do not follow from its output")
        if len(labels) != len(logits) or labels[int(logits.argmax())] != vector.label:
            raise _mismatch(vector.id, f"is labelled '{vector.label}', which is not the class of its largest logit")


def _decode(vector: GoldenVector, golden: Golden) -> Any:
    kind = np.dtype(golden.input_type).newbyteorder("<")
    try:
        data = base64.b64decode(vector.input, validate=True)
        return np.frombuffer(data, dtype=kind).reshape(golden.input_shape).astype(golden.input_type)
    except (binascii.Error, ValueError) as error:
        raise _mismatch(
            vector.id, f"has an input that is not {golden.input_shape} {golden.input_type} values"
        ) from error


def _check_input(name: str, computed: Any, stored: Any) -> None:
    difference = float(np.abs(computed.astype(np.float64) - stored.astype(np.float64)).max())
    allowed = MAX_INPUT_STEPS if stored.dtype == np.int8 else MAX_FLOAT_ERROR
    if difference > allowed:
        raise _mismatch(name, f"is encoded differently here: the model's input is off by up to {difference:g}")


def _mismatch(vector: str, problem: str) -> BundleError:
    return BundleError(
        f"golden.json: vector {vector} {problem}",
        "Use the vskd and ai-edge-litert versions that the manifest names, or export the run again",
    )
