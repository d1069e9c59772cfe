"""vskd_golden.h: the bundle's golden vectors for the test in C."""

import base64

import numpy as np

from vskd.bundle.golden import Golden
from vskd.errors import BundleError
from vskd.firmware_bridge.model_source import NOTICE, c_float

ROW = 24


def golden_source(golden: Golden, *, with_windows: bool) -> str:
    """int8 inputs and outputs, and where the device encodes, the windows that the inputs are of.

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
    if with_windows:
        windows = [np.array(vector.window, dtype=np.float32).reshape(-1) for vector in golden.vectors]
        values = [[c_float(float(v)) for v in window] for window in windows]
        arrays.append(_array("float", "golden_windows", "VSKD_AXES * VSKD_LENGTH", values))
    body = "\n".join(arrays)
    return f"""{NOTICE}#ifndef VSKD_GOLDEN_H
#define VSKD_GOLDEN_H

#include "vskd_contract.h"
#include "vskd_model.h"

#define VSKD_GOLDEN_VECTORS {len(golden.vectors)}
#define VSKD_GOLDEN_HAS_WINDOWS {int(with_windows)}

{body}
#endif
"""


def _array(kind: str, name: str, width: str, rows: list[list[str]]) -> str:
    lines = ["{" + ",\n".join(",".join(row[i : i + ROW]) for i in range(0, len(row), ROW)) + "}" for row in rows]
    return f"static const {kind} {name}[VSKD_GOLDEN_VECTORS][{width}] = {{\n" + ",\n".join(lines) + "};\n"
