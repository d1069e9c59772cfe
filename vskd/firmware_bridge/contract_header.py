"""vskd_contract.h: what the bundle asks of the sensor and what is decided, as constants of C."""

from collections.abc import Iterable, Mapping

import numpy as np

from vskd import __version__
from vskd.bundle.bundle import Bundle
from vskd.bundle.contract import ImageContract, SensorContract
from vskd.bundle.encode_numpy import SMALLEST_SQUARE
from vskd.bundle.stream.stream_plan import MICROSECONDS, StreamPlan
from vskd.firmware_bridge.model_source import NOTICE, c_float

ENCODINGS = {"raw": "RAW", "gasf": "GASF", "gadf": "GADF", "gasf+gadf": "BOTH"}
ENUMERATIONS = """#define VSKD_ENCODING_WINDOW 0
#define VSKD_ENCODING_RAW 1
#define VSKD_ENCODING_GASF 2
#define VSKD_ENCODING_GADF 3
#define VSKD_ENCODING_BOTH 4
#define VSKD_SMOOTHING_NONE 0
#define VSKD_SMOOTHING_MAJORITY 1
#define VSKD_SMOOTHING_HYSTERESIS 2
"""


def stream_header(bundle: Bundle, plan: StreamPlan) -> str:
    """The header of a bundle of a sensor."""
    blocks = [_identity(bundle), _sensor(plan), _window(plan), _encoding(plan.contract), _decision(plan)]
    return _guarded(ENUMERATIONS + "\n" + "\n".join(blocks))


def image_header(bundle: Bundle, contract: ImageContract, pixels: list[int]) -> str:
    """The header of a bundle of images.

    Args:
        bundle: the bundle.
        contract: its contract.
        pixels: int8 input of the model for each pixel value 0..255.
    """
    values: dict[str, str | int] = {
        "VSKD_IMAGE_SIZE": contract.size,
        "VSKD_IMAGE_CHANNELS": contract.channels,
        "VSKD_PIXELS": _braces(pixels),
    }
    return _guarded(_identity(bundle) + "\n" + _defines(values))


def c_string(text: str) -> str:
    """A string constant; what is not plain ASCII is written as octal bytes of UTF-8.

    >>> c_string('a "b"?')
    '"a \\\\"b\\\\"\\\\?"'
    """
    escaped = []
    for byte in text.encode("utf-8"):
        plain = 32 <= byte < 127 and chr(byte) not in '"\\?'
        escaped.append(chr(byte) if plain else f"\\{chr(byte)}" if 32 <= byte < 127 else f"\\{byte:03o}")
    return '"' + "".join(escaped) + '"'


def c_double(value: float) -> str:
    """A float64 as a C constant, exact."""
    return float(value).hex()


def _identity(bundle: Bundle) -> str:
    manifest = bundle.manifest
    return "/* what it was made from */\n" + _defines(
        {
            "VSKD_VERSION": c_string(__version__),
            "VSKD_BUNDLE_SHA256": c_string(bundle.digest),
            "VSKD_MODEL_SHA256": c_string(manifest.files["model.tflite"]),
            "VSKD_RECIPE": c_string(manifest.provenance.recipe),
            "VSKD_DATASET": c_string(manifest.provenance.dataset),
            "VSKD_LABELS": _braces([c_string(label) for label in manifest.provenance.labels]),
        }
    )


def _sensor(plan: StreamPlan) -> str:
    contract, gravity = plan.contract, plan.gravity
    rest = None if gravity is None else gravity.rest
    return "/* the sensor: stream, place, unit and axes after mapping */\n" + _defines(
        {
            "VSKD_STREAM": c_string(contract.stream),
            "VSKD_PLACEMENT": c_string(contract.placement),
            "VSKD_UNIT": c_string(contract.unit),
            "VSKD_AXIS_NAMES": _braces([c_string(axis) for axis in contract.axes]),
            "VSKD_AXES": len(contract.axes),
            "VSKD_DEVICE_AXES": plan.device_axes,
            "VSKD_DEVICE_RATE_HZ": c_float(np.float32(MICROSECONDS / plan.period_us).item()),
            "VSKD_AXIS_OF": _braces(plan.axes),
            "VSKD_SIGN_OF": _braces([f"{sign}.0f" for sign in plan.signs]),
            "VSKD_UNIT_FACTOR": c_float(plan.factor),
            "VSKD_RANGE_LIMIT": c_float(np.float32(contract.range_limit).item()),
            "VSKD_MAX_SATURATED": plan.max_saturated,
            "VSKD_MIN_ELAPSED_US": f"{plan.elapsed[0]}u",
            "VSKD_MAX_ELAPSED_US": f"{plan.elapsed[1]}u",
            "VSKD_MAX_GAP_US": f"{plan.gap}u",
            "VSKD_HAS_GRAVITY": int(gravity is not None),
            "VSKD_GRAVITY": c_double(1.0 if gravity is None else gravity.unit),
            "VSKD_STILL": c_float(0.0 if gravity is None else gravity.still),
            "VSKD_HAS_REST": int(rest is not None),
            "VSKD_REST": _braces([c_double(v) for v in rest or (0.0, 0.0, 0.0)]),
        }
    )


def _window(plan: StreamPlan) -> str:
    resampling = plan.resampling
    values: dict[str, str | int] = {
        "VSKD_UP": resampling.up,
        "VSKD_DOWN": resampling.down,
        "VSKD_HALF": resampling.half,
        "VSKD_SPAN": plan.span,
        "VSKD_LENGTH": plan.length,
        "VSKD_STEP": c_double(plan.step),
        "VSKD_STRIDE": plan.stride,
        "VSKD_CHECKED": plan.checked,
        "VSKD_RING": plan.ring,
    }
    if resampling.half:
        values["VSKD_TAPS"] = _braces([c_double(tap) for tap in resampling.taps])
    return "/* the window */\n" + _defines(values)


def _encoding(contract: SensorContract) -> str:
    encoding = contract.encoding
    raw = encoding.method == "raw"
    side = contract.length if raw else encoding.image_size
    kind = "WINDOW" if contract.encoding_inside else ENCODINGS[encoding.method]
    values: dict[str, str | int] = {
        "VSKD_ENCODING": f"VSKD_ENCODING_{kind}",
        "VSKD_FIXED_SCALING": int(encoding.scaling == "fixed"),
        "VSKD_LIMIT": c_double(encoding.limit),
        "VSKD_SMALLEST_SQUARE": c_double(SMALLEST_SQUARE),
        "VSKD_SIDE": 1 if contract.encoding_inside else side,
    }
    if not raw and not contract.encoding_inside:
        bounds = np.linspace(0, contract.length, side + 1).astype(np.int64)
        values["VSKD_BOUNDS"] = _braces([int(bound) for bound in bounds])
    return "/* the encoding */\n" + _defines(values)


def _decision(plan: StreamPlan) -> str:
    return "/* the decision */\n" + _defines(
        {
            "VSKD_SMOOTHING": f"VSKD_SMOOTHING_{plan.decision.smoothing.upper()}",
            "VSKD_VOTES": plan.decision.votes,
            "VSKD_HOLD": plan.decision.hold,
            "VSKD_MIN_MARGIN": plan.min_margin,
        }
    )


def _braces(values: Iterable[int | str]) -> str:
    return "{" + ", ".join(str(value) for value in values) + "}"


def _defines(values: Mapping[str, str | int]) -> str:
    return "".join(f"#define {name} {value}\n" for name, value in values.items())


def _guarded(body: str) -> str:
    return f"{NOTICE}#ifndef VSKD_CONTRACT_H\n#define VSKD_CONTRACT_H\n\n{body}\n#endif\n"
