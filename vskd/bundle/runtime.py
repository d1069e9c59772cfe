"""Run a LiteRT model. Needs only numpy and ai-edge-litert: no torch, no converter."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd.bundle.native_output import quiet_native_output
from vskd.errors import BundleError, DataError, MissingExtraError

FloatArray = npt.NDArray[np.float32]
RawArray = npt.NDArray[np.int8] | npt.NDArray[np.float32]


def quantize(values: FloatArray, scale: float, zero_point: int) -> npt.NDArray[np.int8]:
    """Real values to int8: round(value / scale) + zero_point, clipped.

    Halves are rounded away from zero and the quotient is float32, exactly as TFLite's QUANTIZE operator does, so that a
    C runtime that quantizes its own input gives the same integers.
    """
    quotient = (values.astype(np.float32) / np.float32(scale)).astype(np.float64)
    rounded = np.sign(quotient) * np.floor(np.abs(quotient) + 0.5)
    return np.asarray(np.clip(rounded + zero_point, -128, 127), dtype=np.int8)


def dequantize(values: npt.NDArray[np.int8], scale: float, zero_point: int) -> FloatArray:
    """int8 to real values: scale * (value - zero_point), float32."""
    return np.asarray(np.float32(scale) * (values.astype(np.int32) - zero_point).astype(np.float32), dtype=np.float32)


class LiteRTModel:
    """A LiteRT model with one input and one output, both batch-first; not thread-safe.

    Args:
        content: the flatbuffer, or the path of a .tflite file.
        threads: CPU threads of the optimised kernels.
        reference_kernels: use LiteRT's reference kernels. They are slower, but bit-exact with TFLite Micro and the
            generated C in all operators of an exported model (FULLY_CONNECTED, which older bundles have, may differ by
            one step), while the default XNNPACK kernels differ from all three by a few steps; golden vectors come from
            the reference kernels.
        keep_tensors: let what is computed on the way be read by `tensor`, for which all of it stays in memory.

    Attributes:
        input_shape: shape of one batch, e.g. (1, 6, 64, 64); the first number is the model's fixed batch size.
        output_shape: e.g. (1, 27).

    Raises:
        MissingExtraError: ai-edge-litert is not installed.
        BundleError: the content is not a LiteRT model of one input and one output, float32 or int8.
    """

    def __init__(
        self, content: bytes | Path, threads: int = 1, reference_kernels: bool = False, keep_tensors: bool = False
    ) -> None:
        self._interpreter = _build_interpreter(content, threads, reference_kernels, keep_tensors)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise BundleError(
                f"The model has {len(inputs)} inputs and {len(outputs)} outputs, not one of each",
                "Export the network with `vskd export`",
            )
        self._input, self._output = inputs[0], outputs[0]
        self.input_shape: tuple[int, ...] = tuple(int(n) for n in self._input["shape"])
        self.output_shape: tuple[int, ...] = tuple(int(n) for n in self._output["shape"])
        self._input_scale = _scale_and_zero(self._input, "input")
        self._output_scale = _scale_and_zero(self._output, "output")

    @property
    def input_type(self) -> str:
        """`int8` or `float32`."""
        return str(np.dtype(self._input["dtype"]))

    @property
    def output_type(self) -> str:
        """`int8` or `float32`."""
        return str(np.dtype(self._output["dtype"]))

    @property
    def input_quantization(self) -> tuple[float, int] | None:
        """Scale and zero point of an int8 input; None of a float32 one."""
        return self._input_scale

    @property
    def output_quantization(self) -> tuple[float, int] | None:
        """Scale and zero point of an int8 output; None of a float32 one."""
        return self._output_scale

    @property
    def classes(self) -> int:
        """Number of logits."""
        return self.output_shape[-1]

    def to_raw(self, x: FloatArray) -> RawArray:
        """Real input values to the model's own input type."""
        return x.astype(np.float32) if self._input_scale is None else quantize(x, *self._input_scale)

    def from_raw(self, y: RawArray) -> FloatArray:
        """The model's own output type to real logits."""
        return (
            y.astype(np.float32) if self._output_scale is None else dequantize(y.astype(np.int8), *self._output_scale)
        )

    def raw(self, x: RawArray) -> RawArray:
        """Run one batch of exactly `input_shape` in the model's own types; nothing is converted.

        Raises:
            DataError: shape or type differ from the model's.
            BundleError: the model is damaged.
        """
        if x.shape != self.input_shape or str(x.dtype) != self.input_type:
            raise DataError(
                f"The model takes {self.input_type} {self.input_shape}, and was given {x.dtype} {x.shape}",
                "Prepare the input as the bundle's sensor contract says",
            )
        try:
            self._interpreter.set_tensor(self._input["index"], x)
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            detail = " ".join(str(error).split())[:200]
            raise BundleError(f"The model cannot be run: {detail}", "Export it again") from error
        result: RawArray = self._interpreter.get_tensor(self._output["index"])
        return result

    def tensor(self, number: int) -> FloatArray:
        """Real values of a tensor of the last batch; needs `keep_tensors`."""
        (details,) = (d for d in self._interpreter.get_tensor_details() if d["index"] == number)
        scale, raw = _scale_and_zero(details, "tensor"), self._interpreter.get_tensor(number)
        return np.asarray(raw, dtype=np.float32) if scale is None else dequantize(raw, *scale)

    def predict(self, x: FloatArray) -> FloatArray:
        """Logits of a batch of any size, run one window after another.

        Args:
            x: float32 (batch, ...) with the model's input shape behind the batch.

        Returns:
            float32 (batch, classes).

        Raises:
            DataError: wrong shape, or values that are not finite.
        """
        if self.input_shape[0] != 1 or x.shape[1:] != self.input_shape[1:]:
            raise DataError(
                f"The model takes windows of shape {self.input_shape[1:]}, and was given a batch of shape {x.shape}",
                "Prepare the input as the bundle's sensor contract says",
            )
        if not np.isfinite(x).all():
            raise DataError("The input holds values that are not finite", "Repair the recording before it is encoded")
        logits = np.empty((len(x), self.classes), dtype=np.float32)
        for row, window in enumerate(x):
            (logits[row],) = self.from_raw(self.raw(self.to_raw(window[np.newaxis])))
        return logits


def _build_interpreter(content: bytes | Path, threads: int, reference_kernels: bool, keep_tensors: bool) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError as error:
        raise MissingExtraError("ai-edge-litert", "export") from error
    where = str(content) if isinstance(content, Path) else "The model"
    try:
        data = content.read_bytes() if isinstance(content, Path) else bytes(content)
    except OSError as error:
        raise BundleError(
            f"{where} cannot be read: {error.strerror or error}", "Check the path of the bundle"
        ) from error
    resolver = OpResolverType.BUILTIN_REF if reference_kernels else OpResolverType.AUTO
    try:
        with quiet_native_output():
            interpreter = Interpreter(
                model_content=data,
                num_threads=threads,
                experimental_op_resolver_type=resolver,
                experimental_preserve_all_tensors=keep_tensors,
            )
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        detail = " ".join(str(error).split())[:200]
        raise BundleError(f"{where} is not a LiteRT model that can run here: {detail}", "Export it again") from error
    return interpreter


def _scale_and_zero(tensor: dict[str, Any], role: str) -> tuple[float, int] | None:
    """Scale and zero point of an int8 tensor; None for a float32 one."""
    kind = str(np.dtype(tensor["dtype"]))
    if kind == "float32":
        return None
    scales = tensor["quantization_parameters"]["scales"]
    if kind != "int8" or len(scales) != 1 or not scales[0] > 0:
        raise BundleError(
            f"The model's {role} is {kind} with {len(scales)} scales; int8 with one scale, or float32, is expected",
            "Export the network with `vskd export`",
        )
    (scale,), (zero,) = scales, tensor["quantization_parameters"]["zero_points"]
    return float(scale), int(zero)
