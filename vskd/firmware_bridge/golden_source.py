"""vskd_golden.h: the bundle's golden vectors, and a golden stream with its decisions, for the test in C."""

import base64

import numpy as np
import numpy.typing as npt

from vskd.bundle.golden import Golden
from vskd.bundle.stream.golden_stream import NO_STREAM, Played
from vskd.errors import BundleError
from vskd.firmware_bridge.model_source import NOTICE, c_float

ROW = 24


def golden_source(golden: Golden, stream: Played = NO_STREAM) -> str:
    """int8 inputs and outputs; where the device encodes, also the windows that the inputs are of, and a stream.

    Args:
        golden: the bundle's vectors.
        stream: all its samples have time stamps; empty for images.

    Raises:
        BundleError: the bundle's ends are not int8.
    """
    if (golden.input_type, golden.output_type) != ("int8", "int8"):
        raise BundleError("The golden vectors are not int8 at both ends", "Export the run again with int8 ends")
    inputs = [np.frombuffer(base64.b64decode(vector.input), np.int8) for vector in golden.vectors]
    outputs = [np.array(vector.output, dtype=np.int8) for vector in golden.vectors]
    arrays = [
        _array("int8_t", "golden_inputs", "VSKD_MODEL_INPUT_BYTES", [[str(int(v)) for v in x] for x in inputs]),
        _array("int8_t", "golden_outputs", "VSKD_MODEL_CLASSES", [[str(int(v)) for v in x] for x in outputs]),
    ]
    if stream.calls:
        windows = [np.array(vector.window, dtype=np.float32).reshape(-1) for vector in golden.vectors]
        arrays.append(_array("float", "golden_windows", "VSKD_AXES * VSKD_LENGTH", [_floats(w) for w in windows]))
        arrays += _stream_arrays(stream)
    body = "\n".join(arrays)
    includes = '#include "vskd_stream.h"' if stream.calls else '#include "vskd_contract.h"\n#include "vskd_model.h"'
    return f"""{NOTICE}#ifndef VSKD_GOLDEN_H
#define VSKD_GOLDEN_H

{includes}

#define VSKD_GOLDEN_VECTORS {len(golden.vectors)}
#define VSKD_GOLDEN_SAMPLES {sum(len(samples) for samples, _ in stream.calls)}
#define VSKD_GOLDEN_DECISIONS {len(stream.decisions)}
#define VSKD_GOLDEN_ANSWERED {len(stream.windows)}

{body}
#endif
"""


def _stream_arrays(stream: Played) -> list[str]:
    samples = np.concatenate([samples for samples, _ in stream.calls])
    times = np.concatenate([times for _, times in stream.calls if times is not None])
    rows = [
        [str(int(d.status)), str(d.label), str(d.window_label), str(d.margin), str(d.sample)] for d in stream.decisions
    ]
    windows = [_floats(window.reshape(-1)) for window in stream.windows]
    outputs = [[str(int(value)) for value in output] for output in stream.outputs]
    width = "VSKD_AXES * VSKD_LENGTH"
    count, answered = "VSKD_GOLDEN_SAMPLES", "VSKD_GOLDEN_ANSWERED"
    return [
        _array("float", "golden_samples", "VSKD_DEVICE_AXES", [_floats(sample) for sample in samples], count),
        f"static const uint64_t golden_times[{count}] = {{\n{_lines([f'{time}u' for time in times])}}};\n",
        _array("int32_t", "golden_decisions", "5", rows, "VSKD_GOLDEN_DECISIONS"),
        *([] if not windows else [_array("float", "golden_stream_windows", width, windows, answered)]),
        *([] if not windows else [_array("int8_t", "golden_stream_outputs", "VSKD_MODEL_CLASSES", outputs, answered)]),
    ]


def _floats(values: npt.NDArray[np.float32]) -> list[str]:
    """C constants; NaN has none in C99 without math.h, so that a quotient stands for it."""
    return ["(0.0f / 0.0f)" if np.isnan(v) else c_float(float(v)) for v in values]


def _lines(values: list[str]) -> str:
    return ",\n".join(",".join(values[i : i + ROW]) for i in range(0, len(values), ROW))


def _array(kind: str, name: str, width: str, rows: list[list[str]], count: str = "VSKD_GOLDEN_VECTORS") -> str:
    body = ",\n".join("{" + _lines(row) + "}" for row in rows)
    return f"static const {kind} {name}[{count}][{width}] = {{\n{body}}};\n"
