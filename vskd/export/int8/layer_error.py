"""Where int8 loses: the error of every intermediate tensor of a quantized model against its float model.

The comparison itself is ai-edge-quantizer's `model_validator`; here it gets decibels as its measure, the graph's order,
and the loss that each operator adds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd.bundle.native_output import quiet_native_output
from vskd.errors import BundleError, DataError, MissingExtraError

MAX_DB = 120.0  # equal tensors; float32 itself does not carry more


@dataclass(frozen=True)
class LayerError:
    """The error of one operator's output.

    Attributes:
        position: of the operator in the graph, from 0.
        operator: its name, e.g. CONV_2D.
        tensor: name of its output.
        shape: of its output.
        sqnr_db: signal to quantization noise, 10 log10(mean(x^2) / mean((x - q)^2)), x the float model's values and q
            the int8 model's; mean over samples, at most 120. All that went before is in it.
        added_db: what this operator lost, i.e. the lowest `sqnr_db` of its computed inputs less its own; negative where
            it averages noise away.
    """

    position: int
    operator: str
    tensor: str
    shape: tuple[int, ...]
    sqnr_db: float
    added_db: float


def layer_errors(
    float_model: bytes, int8_model: bytes, samples: Iterable[npt.NDArray[np.float32]]
) -> tuple[LayerError, ...]:
    """Compare every tensor that the two models have in common by name, in the order of the graph.

    Args:
        float_model: the model that was quantized.
        int8_model: what `quantize_int8` made of it, with either type of input.
        samples: inputs of the float model, with or without the batch of one; a few are enough, each runs both models
            with all tensors kept.

    Returns:
        One entry for each operator output that both models have; QUANTIZE and DEQUANTIZE at the ends have none.

    Raises:
        DataError: no sample, or one of the wrong shape or with values that are not finite.
        BundleError: the two models have no tensors in common.
        MissingExtraError: ai-edge-quantizer is not installed.
    """
    try:
        with quiet_native_output():
            from ai_edge_quantizer import model_validator
            from ai_edge_quantizer.utils import validation_utils

            from vskd.export.int8.quantize import model_signature
    except ImportError as error:
        raise MissingExtraError("ai-edge-quantizer", "export") from error
    signature, name, shape = model_signature(float_model)
    inputs = [{name: x} for x in _checked(samples, shape)]
    try:
        with quiet_native_output():
            comparison = model_validator.compare_model(
                float_model,
                int8_model,
                {signature: inputs},
                error_metrics=[validation_utils.ValidationErrorMetric.SNR],
                compare_fns=[signal_to_noise_db],
                num_threads=1,
            )
    except (ValueError, KeyError, RuntimeError) as error:
        raise _unrelated(" ".join(str(error).split())[:200]) from error
    found: dict[str, Any] = comparison.get_all_tensor_results()
    measured = {tensor: float(result["snr"]) for tensor, result in found.items()}
    rows = _in_graph_order(float_model, measured)
    if not rows:
        raise _unrelated("they have no tensor in common")
    return rows


def signal_to_noise_db(noisy: npt.ArrayLike, clean: npt.ArrayLike) -> float:
    """10 log10(mean(clean^2) / mean((noisy - clean)^2)), at most `MAX_DB`; a clean tensor of zeros gives 0 if noisy."""
    signal = np.asarray(clean, dtype=np.float64).ravel()
    noise = np.asarray(noisy, dtype=np.float64).ravel() - signal
    signal_power, noise_power = float(np.mean(signal**2)), float(np.mean(noise**2))
    if noise_power <= signal_power * 10 ** (-MAX_DB / 10):
        return MAX_DB
    return 10 * float(np.log10(signal_power / noise_power)) if signal_power else 0.0


def worst_layers(errors: Sequence[LayerError], count: int = 5) -> tuple[LayerError, ...]:
    """The operators that add most error, the worst first: where clipping, another range or training helps."""
    return tuple(sorted(errors, key=lambda layer: -layer.added_db)[:count])


def render_layer_errors(errors: Sequence[LayerError]) -> str:
    """The whole table as Markdown, the five worst operators marked."""
    worst = {layer.position for layer in worst_layers(errors)}
    lines = ["| # | operator | output | shape | SQNR dB | lost here dB |", "|--:|---|---|---|--:|--:|"]
    for layer in errors:
        shape, mark = "x".join(map(str, layer.shape)), " **" if layer.position in worst else ""
        name = layer.tensor.replace("|", "\\|")[-60:]
        figures = f"{layer.sqnr_db:.1f} | {layer.added_db:+.1f}{mark}"
        lines.append(f"| {layer.position} | {layer.operator} | {name} | {shape} | {figures} |")
    return "\n".join(lines)


def _checked(samples: Iterable[npt.NDArray[np.float32]], shape: tuple[int, ...]) -> list[npt.NDArray[np.float32]]:
    checked = []
    for count, x in enumerate(samples):
        sample = np.asarray(x, dtype=np.float32)
        if sample.shape not in (shape, shape[1:]) or not np.isfinite(sample).all():
            raise DataError(
                f"Sample {count} has values that are not finite, or its shape {sample.shape} is not {shape}",
                "Compare on inputs that are prepared like those of the network",
            )
        checked.append(sample.reshape(shape))
    if not checked:
        raise DataError("There is no sample to compare the models on", "Give at least one validation input")
    return checked


def _in_graph_order(float_model: bytes, measured: dict[str, float]) -> tuple[LayerError, ...]:
    from vskd.export.convert.structure import operator_tensors, read_flatbuffer

    (graph,) = read_flatbuffer(float_model).subgraphs
    rows: list[LayerError] = []
    computed = {graph.tensors[int(i)].name.decode("utf-8") for i in graph.inputs} & measured.keys()  # not the weights
    for position, (operator, tensors) in enumerate(operator_tensors(float_model)):
        *inputs, (output, shape) = tensors
        if output in measured:
            before = [measured[name] for name, _ in inputs if name in computed]
            added = min(before, default=MAX_DB) - measured[output]
            rows.append(LayerError(position, operator, output, shape, measured[output], added))
            computed.add(output)
    return tuple(rows)


def _unrelated(detail: str) -> BundleError:
    return BundleError(
        f"The int8 model cannot be compared with the float model: {detail}", "Give the float model that was quantized"
    )
