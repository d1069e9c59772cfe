"""Full-integer static int8 quantization of a float LiteRT model."""

import copy
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import RangeEstimator, TensorKind
from vskd.bundle.native_output import quiet_native_output
from vskd.errors import BundleError, DataError, MissingExtraError

logger = logging.getLogger(__name__)

RANGE_ESTIMATORS: tuple[RangeEstimator, ...] = ("minmax", "moving-average")


def quantize_int8(
    float_model: bytes,
    calibration: Iterable[npt.NDArray[np.float32]],
    *,
    input_type: TensorKind = "int8",
    output_type: TensorKind = "int8",
    range_estimator: RangeEstimator = "minmax",
) -> bytes:
    """Quantize weights (int8, symmetric, one scale per output channel) and activations (int8, one scale per tensor).

    The scale of a channel is that of its largest weight, or a larger one that its bias needs; see `bias_range`. The
    scale of an activation is that of its range, or a larger one where that is almost empty; see `output_range`.

    Args:
        float_model: float32 LiteRT model of one input and one output.
        calibration: network inputs, each float32 of the model's input shape, with or without the batch of one; from
            training recordings only. They are read once, one at a time.
        input_type, output_type: `float32` puts a QUANTIZE or DEQUANTIZE operator at that end.
        range_estimator: how activation ranges follow from calibration. `minmax` takes the true extremes;
            `moving-average` (the quantizer's default, smoothing 0.95) clips rare values. Which is better depends on the
            network: choose by validation.

    Returns:
        The quantized flatbuffer, its weights inside.

    Raises:
        MissingExtraError: ai-edge-quantizer is not installed.
        DataError: no calibration input, or one of the wrong shape or with values that are not finite.
        BundleError: the model cannot be quantized.
    """
    try:
        with quiet_native_output():
            from ai_edge_quantizer import quantizer

            from vskd.export.convert.inline_weights import inline_weights
            from vskd.export.convert.structure import weight_scales
            from vskd.export.int8.bias_range import weight_ranges
            from vskd.export.int8.output_range import output_ranges
    except ImportError as error:
        raise MissingExtraError("ai-edge-quantizer", "export") from error
    recipe = _recipe(input_type, output_type)
    if any(scales for scales, _ in weight_scales(float_model).values()):
        raise BundleError("The model cannot be quantized: it already is", "Give the float32 model")
    try:
        with quiet_native_output():
            ranges = _calibrate(float_model, calibration, recipe, range_estimator)
            quantized = _quantized(quantizer.Quantizer(float_model, recipe), ranges)
            # Each may call for the other: a later layer's input follows from an output, its sum from its weights.
            while wider := output_ranges(float_model, quantized) or weight_ranges(float_model, quantized):
                _refuse_stuck(wider, ranges)
                ranges |= wider
                quantized = _quantized(quantizer.Quantizer(float_model, recipe), ranges)
    except (ValueError, RuntimeError, NotImplementedError) as error:
        detail = " ".join(str(error).split())[:300]
        raise BundleError(
            f"The model cannot be quantized to int8: {detail}", "Export with the encoding outside the model"
        ) from error
    return inline_weights(quantized)


def _refuse_stuck(wider: Mapping[str, Any], ranges: Mapping[str, Any]) -> None:
    """Refuse where the quantizer does not follow a range, e.g. because a concatenation gives all its inputs one."""
    for name, asked in wider.items():
        if name in ranges and not (asked["max"] > ranges[name]["max"]).any():
            raise BundleError(
                f"The model cannot be quantized to int8: the steps of {name} do not hold what is computed with them",
                "Remove the channels of almost no weight, or export with the encoding outside the model",
            )


def _quantized(quantizer: Any, ranges: dict[str, Any]) -> bytes:
    """The model, given the ranges of activations, and of those weights whose range is not that of their values."""
    # The quantizer writes into the ranges.
    result = quantizer.quantize(copy.deepcopy(ranges), enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


def _recipe(input_type: TensorKind, output_type: TensorKind) -> list[dict[str, Any]]:
    """The quantizer's own description of static int8; later entries override earlier ones."""
    from ai_edge_quantizer import qtyping, quantizer, recipe_manager

    manager = recipe_manager.RecipeManager()
    manager.add_static_config(
        regex=".*",
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        activation_num_bits=8,
        weight_num_bits=8,
        weight_granularity=qtyping.QuantGranularity.CHANNELWISE,
    )
    ends = {qtyping.TFLOperationName.INPUT: input_type, qtyping.TFLOperationName.OUTPUT: output_type}
    for end, kind in ends.items():
        if kind == "float32":
            manager.add_quantization_config(".*", end, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE)
    description: list[dict[str, Any]] = manager.get_quantization_recipe()
    return description


def _update_rule(range_estimator: RangeEstimator) -> Callable[[Any, Any], Any]:
    from ai_edge_quantizer.utils import qsv_utils

    rules = {"minmax": qsv_utils.min_max_update, "moving-average": qsv_utils.moving_average_update}
    rule: Callable[[Any, Any], Any] = rules[range_estimator]
    return rule


def _calibrate(
    float_model: bytes,
    calibration: Iterable[npt.NDArray[np.float32]],
    recipe: list[dict[str, Any]],
    range_estimator: RangeEstimator,
) -> dict[str, Any]:
    """Ranges of all activations over the calibration inputs."""
    from ai_edge_quantizer import calibrator, recipe_manager

    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(recipe)
    calibrating = calibrator.Calibrator(float_model, num_threads=1, qsv_update_func=_update_rule(range_estimator))
    signature, name, shape = model_signature(float_model)
    count = 0
    for x in calibration:
        sample = np.asarray(x, dtype=np.float32)
        if sample.shape not in (shape, shape[1:]) or not np.isfinite(sample).all():
            raise DataError(
                f"Calibration input {count} has values that are not finite, or its shape {sample.shape} is not {shape}",
                "Calibrate with inputs that are prepared like those of the network",
            )
        # One call per input keeps the memory flat: the calibrator would otherwise hold the whole list.
        calibrating.calibrate({signature: [{name: sample.reshape(shape)}]}, manager)
        count += 1
    if not count:
        raise DataError("There is no calibration input", "Give at least one training recording")
    logger.info("calibrated activation ranges (%s) with %d inputs", range_estimator, count)
    ranges: dict[str, Any] = calibrating.get_model_qsvs()
    return ranges


def model_signature(float_model: bytes) -> tuple[str, str, tuple[int, ...]]:
    """Name of the model's signature, and name and shape of its input."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=float_model)
    name, ends = next(iter(interpreter.get_signature_list().items()))
    (given,), (details,) = ends["inputs"], interpreter.get_input_details()
    return name, given, tuple(int(n) for n in details["shape"])
