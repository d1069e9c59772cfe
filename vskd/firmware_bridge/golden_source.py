"""vskd_golden.h: the bundle's golden vectors, and a golden stream with its decisions, for the test in C."""

import base64
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vskd.bundle.golden import Golden
from vskd.bundle.stream.stream import Decision
from vskd.bundle.stream.synthetic_stream import Call
from vskd.errors import BundleError
from vskd.firmware_bridge.model_source import NOTICE, c_float

ROW = 24


def golden_source(golden: Golden, calls: Sequence[Call] = (), decisions: Sequence[Decision] = ()) -> str:
    """int8 inputs and outputs; where the device encodes, also the windows that the inputs are of, and a stream.

    Args:
        golden: the bundle's vectors.
        calls: the stream's samples, all with time stamps; none for images.
        decisions: that follow from them.

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
    if calls:
        windows = [np.array(vector.window, dtype=np.float32).reshape(-1) for vector in golden.vectors]
        arrays.append(_array("float", "golden_windows", "VSKD_AXES * VSKD_LENGTH", [_floats(w) for w in windows]))
        arrays += _stream_arrays(calls, decisions)
    body = "\n".join(arrays)
    includes = '#include "vskd_stream.h"' if calls else '#include "vskd_contract.h"\n#include "vskd_model.h"'
    return f"""{NOTICE}#ifndef VSKD_GOLDEN_H
#define VSKD_GOLDEN_H

{includes}

#define VSKD_GOLDEN_VECTORS {len(golden.vectors)}
#define VSKD_GOLDEN_SAMPLES {sum(len(samples) for samples, _ in calls)}
#define VSKD_GOLDEN_DECISIONS {len(decisions)}

{body}
#endif
"""


def _stream_arrays(calls: Sequence[Call], decisions: Sequence[Decision]) -> list[str]:
    samples = np.concatenate([samples for samples, _ in calls])
    times = np.concatenate([times for _, times in calls if times is not None])
    rows = [[str(int(d.status)), str(d.label), str(d.window_label), str(d.margin), str(d.sample)] for d in decisions]
    count = "VSKD_GOLDEN_SAMPLES"
    return [
        _array("float", "golden_samples", "VSKD_DEVICE_AXES", [_floats(sample) for sample in samples], count),
        f"static const uint64_t golden_times[{count}] = {{\n{_lines([f'{time}u' for time in times])}}};\n",
        _array("int32_t", "golden_decisions", "5", rows, "VSKD_GOLDEN_DECISIONS"),
    ]


def _floats(values: npt.NDArray[np.float32]) -> list[str]:
    """C constants; NaN has none in C99 without math.h, so that a quotient stands for it."""
    return ["(0.0f / 0.0f)" if np.isnan(v) else c_float(float(v)) for v in values]


def _lines(values: list[str]) -> str:
    return ",\n".join(",".join(values[i : i + ROW]) for i in range(0, len(values), ROW))


def _array(kind: str, name: str, width: str, rows: list[list[str]], count: str = "VSKD_GOLDEN_VECTORS") -> str:
    body = ",\n".join("{" + _lines(row) + "}" for row in rows)
    return f"static const {kind} {name}[{count}][{width}] = {{\n{body}}};\n"
