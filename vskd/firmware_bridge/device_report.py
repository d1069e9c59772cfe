"""What a bundle needs on a part, its time and its energy: the `device` section of `vskd bundle show`."""

from dataclasses import asdict
from typing import Any

from vskd.bundle.budget import Budget, Needs, PartName, budget_lines
from vskd.bundle.bundle import MODEL, Bundle
from vskd.bundle.contract import SensorContract
from vskd.bundle.parts import PARTS
from vskd.bundle.stream.stream_plan import MICROSECONDS, plan_stream
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.errors import VskdError
from vskd.firmware_bridge.energy import estimate_energy
from vskd.firmware_bridge.footprint import measure_needs
from vskd.firmware_bridge.graph import read_graph
from vskd.firmware_bridge.vela import vela_estimate

HOUR_US = 3600 * MICROSECONDS


def device_report(
    bundle: Bundle, part_name: PartName, *, battery_mah: float, decisions_per_hour: float | None = None
) -> dict[str, Any]:
    """Figures for people and programs; what cannot be said is a sentence in its place, for old bundles, too.

    Args:
        bundle: opened.
        part_name: of `vskd.bundle.parts`.
        battery_mah: charge of the battery.
        decisions_per_hour: None: those of the stream.
    """
    part, content = PARTS[part_name], bundle.read(MODEL)
    report: dict[str, Any] = {"part": f"{part.name} ({part.title})", "part_source": part.source}
    try:
        needs = measure_needs(content, bundle.manifest.contract)
    except VskdError as error:
        return report | {"firmware": f"none: {error.problem}", "vela": _vela(content)}
    fits = budget_lines(needs, Budget(part=part_name))
    latency = needs.latency_ms(part)
    return report | {
        "fits": "; ".join(str(line) for line in fits if line.over) or "yes",
        "ram": {"planned_bytes": needs.ram_bytes, "model": needs.model_ram_bytes, "stream": needs.stream_ram_bytes}
        | {"stack": needs.stack_ram_bytes},
        "flash": {"bytes": needs.flash_bytes, "weights": needs.weights_bytes, "code_estimated": needs.code_bytes},
        "macs": needs.macs,
        "latency_ms_at_least": "the part has no clock" if latency is None else latency,
        "energy": _energy(bundle, content, needs, part_name, battery_mah, decisions_per_hour),
        "vela": _vela(content),
    }


def _energy(
    bundle: Bundle, content: bytes, needs: Needs, part: PartName, battery_mah: float, decisions_per_hour: float | None
) -> Any:
    samples, decisions = 0.0, decisions_per_hour
    contract = bundle.manifest.contract
    if isinstance(contract, SensorContract):
        plan = plan_stream(contract, StreamSettings(), read_graph(content).output.scale)
        samples = HOUR_US / plan.period_us
        decisions = decisions or samples * plan.resampling.up / plan.resampling.down / plan.stride
    if decisions is None:
        return "not known without a rate: give --decisions-per-hour"
    energy = estimate_energy(
        needs, PARTS[part], samples_per_hour=samples, decisions_per_hour=decisions, battery_mah=battery_mah
    )
    return "not known: no current of this part is stated" if energy is None else asdict(energy)


def _vela(content: bytes) -> Any:
    try:
        return asdict(vela_estimate(content))
    except VskdError as error:
        return f"none: {error}"
