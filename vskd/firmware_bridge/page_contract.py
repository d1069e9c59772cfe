"""What the page knows of a bundle: the contract, the stream, and the words of columns and units, as JSON."""

from typing import Any

from vskd import __version__
from vskd.bundle.contract import SensorContract
from vskd.bundle.probabilities import powers
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream_plan import MICROSECONDS, StreamPlan
from vskd.firmware_bridge.generate import Firmware
from vskd.preprocessing.sensor.column_names import quantity_of, vocabulary
from vskd.preprocessing.sensor.units import conversion, spellings

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
        "powers": list(powers(graph.output.scale)),
        "device": _device(plan),
        "motion": _motion(contract),
        "statuses": [{"name": condition.name, "meaning": condition.meaning} for condition in Condition],
        "words": vocabulary(),
        "units": {text: [unit.name, unit.quantity, unit.factor] for text, unit in spellings().items()},
    }


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
    if factor is None or sorted(axes) != list(PHONE_AXES) or quantity_of(contract.stream) != "accelerometer":
        asked = f"{contract.stream} ({', '.join(contract.axes)}) in {contract.unit}"
        return {"refused": f"A phone's page gives acceleration along x, y and z; the model asks for {asked}."}
    return {"factor": factor, "axes": [PHONE_AXES.index(axis) for axis in axes]}
