"""What the page knows of a bundle: the contract, the stream, and the words of columns and units, as JSON."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd import __version__
from vskd.bundle.contract import SensorContract
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream_plan import MICROSECONDS, StreamPlan
from vskd.firmware_bridge.generate import Firmware
from vskd.preprocessing.sensor.column_names import quantity_of, vocabulary
from vskd.preprocessing.sensor.units import conversion, spellings

STEPS = 256
"""Differences of two int8 logits, 0 among them."""
PHONE_UNIT, PHONE_AXES = "m/s^2", ("x", "y", "z")
"""Of DeviceMotion's accelerationIncludingGravity."""


def page_contract(firmware: Firmware, plan: StreamPlan) -> dict[str, Any]:
    """All that the page needs besides the module.

    Args:
        firmware: of the bundle.
        plan: its stream.
    """
    manifest, contract, graph = firmware.bundle.manifest, plan.contract, firmware.graph
    return {
        "version": __version__,
        "bundle": firmware.bundle.digest,
        "recipe": manifest.provenance.recipe,
        "dataset": manifest.provenance.dataset,
        "labels": list(manifest.provenance.labels),
        "stream": contract.stream,
        "placement": contract.placement,
        "unit": contract.unit,
        "axes": list(contract.axes),
        "range_limit": contract.range_limit,
        "length": contract.length,
        "encoding": _encoding(contract),
        "input": {"scale": graph.input.scale, "zero_point": graph.input.zero_point},
        "output_scale": graph.output.scale,
        "powers": powers(graph.output.scale),
        "device": _device(plan),
        "motion": _motion(contract),
        "statuses": [{"name": condition.name, "meaning": condition.meaning} for condition in Condition],
        "words": vocabulary(),
        "units": {text: [unit.name, unit.quantity, unit.factor] for text, unit in spellings().items()},
    }


def powers(scale: float) -> list[float]:
    """exp(-n * scale) for every difference n of two int8 logits: with them the page needs no exponential function."""
    return [math.exp(-n * scale) for n in range(STEPS)]


def probabilities(logits: npt.NDArray[np.int8], scale: float) -> list[float]:
    """Softmax of int8 logits, float64, in the order in which the page adds, so that both agree bit for bit.

    Args:
        logits: (classes,).
        scale: of a step.
    """
    table, best = powers(scale), int(logits.max())
    parts = [table[best - int(logit)] for logit in logits]
    total = 0.0
    for part in parts:
        total += part
    return [part / total for part in parts]


def _encoding(contract: SensorContract) -> dict[str, Any]:
    """`images`: which fields the model sees of every axis; none where it sees the window."""
    method = contract.encoding.method
    fields = [] if method == "raw" or contract.encoding_inside else method.split("+")
    return {"images": fields, "side": contract.encoding.image_size}


def _device(plan: StreamPlan) -> dict[str, Any]:
    rate = MICROSECONDS / plan.period_us
    return {
        "rate_hz": rate,
        "window_rate_hz": rate * plan.resampling.up / plan.resampling.down,
        "axes": list(plan.axes),
        "signs": list(plan.signs),
        "factor": plan.factor,
        "checked": plan.checked,
        "delay": plan.delay,
        "gap_us": plan.gap,
    }


def _motion(contract: SensorContract) -> dict[str, Any]:
    """How a phone's acceleration becomes the contract's; `refused` says why it cannot."""
    factor = conversion(PHONE_UNIT, contract.unit)
    axes = [axis.lower() for axis in contract.axes]
    if factor is None or sorted(axes) != sorted(PHONE_AXES) or quantity_of(contract.stream) != "accelerometer":
        asked = f"{contract.stream} ({', '.join(contract.axes)}) in {contract.unit}"
        return {"refused": f"A phone's page gives acceleration along x, y and z; the model asks for {asked}."}
    return {"factor": factor, "axes": [PHONE_AXES.index(axis) for axis in axes]}
