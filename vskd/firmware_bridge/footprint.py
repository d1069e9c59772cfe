"""What a model needs on a device with the generated C: RAM, flash, multiply-accumulates and instructions.

RAM is planned, to the byte. Flash is weights and the layers' tables, to the byte, and code, of which the sizes below
are those that arm-none-eabi-gcc 12.2 -O2 gives for Cortex-M4 and M33. Instructions are a fit to those that qemu counts
(see benchmarks/instructions.py) on five networks from 0.35 to 10.5 million multiply-accumulates, from which it is up to
7 % away. Tests compare sizes with compilers.
"""

from vskd.bundle.budget import Needs
from vskd.bundle.contract import ClipContract, Contract, ImageContract, SensorContract
from vskd.bundle.stream.stream_plan import StreamPlan, plan_stream
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.errors import BundleError
from vskd.firmware_bridge.generate import LARGEST_ARRAY
from vskd.firmware_bridge.graph import Graph, read_graph
from vskd.firmware_bridge.model_source import ModelSource, model_source

KERNELS_BYTES, STREAM_BYTES, IMAGE_BYTES = 3200, 3400, 600
"""Code of vskd_kernels.c, vskd_stream.c without its tables, and vskd_image.c."""
LIBRARY_BYTES = 5600
"""Of the compiler's own libraries: double precision in software and sqrt, which only streams need."""
OPERATOR_BYTES = 150
"""Of the call of a kernel, with the constants that are no table."""
LABEL_BYTES = 24
"""Of the name of a class, with the pointer to it."""
STACK_BYTES = 1280
"""More than the frames of all functions together, 1,120 bytes; none calls itself."""
INSTRUCTIONS_PER_MAC, INSTRUCTIONS_PER_VALUE = 2.6, 117.0
"""Of a multiply-accumulate, and of a value that an operator writes: rounding, clamping, and the loops around."""


def measure_needs(content: bytes, contract: Contract, settings: StreamSettings | None = None) -> Needs:
    """What a bundle's model needs.

    Args:
        content: the .tflite file.
        contract: of the bundle.
        settings: of the device's sensor and of the decision; for bundles of a sensor.

    Raises:
        BundleError: firmware cannot be made of it: float ends, an operator that it lacks, or video clips.
    """
    if isinstance(contract, ClipContract):
        raise BundleError("The model takes video clips, which firmware does not read", "Leave export.budget out")
    graph = read_graph(content)
    source = model_source(graph, in_place=len(content) > LARGEST_ARRAY)
    labels = LABEL_BYTES * graph.output.size
    code = KERNELS_BYTES + source.table_bytes + OPERATOR_BYTES * len(graph.operators) + labels
    if isinstance(contract, ImageContract):
        return _needs(graph, source, code + IMAGE_BYTES, 0)
    plan = plan_stream(contract, settings or StreamSettings(), graph.output.scale)
    tables = 8 * len(plan.resampling.taps) + 4 * _side(contract)
    code += STREAM_BYTES + LIBRARY_BYTES + tables
    return _needs(graph, source, code, stream_bytes(plan))


def _needs(graph: Graph, source: ModelSource, code: int, stream: int) -> Needs:
    values = sum(operator.output.size for operator in graph.operators if operator.name != "RESHAPE")
    return Needs(
        model_ram_bytes=source.plan.arena_bytes,
        stream_ram_bytes=stream,
        stack_ram_bytes=STACK_BYTES,
        weights_bytes=source.weight_bytes,
        code_bytes=code,
        macs=source.macs,
        instructions=round(INSTRUCTIONS_PER_MAC * source.macs + INSTRUCTIONS_PER_VALUE * values),
    )


def stream_bytes(plan: StreamPlan, model_bytes: int = 0) -> int:
    """sizeof(vskd_stream), the arena of a stream, as vskd_stream.h has its members.

    Args:
        plan: of the stream.
        model_bytes: the model's share of it.
    """
    axes, contract = len(plan.axes), plan.contract
    floats = plan.ring * axes + axes + axes * plan.length + 2 * axes * _side(contract)
    members = (
        (8, 4 + plan.ring),  # one of them a pointer: on a Cortex-M of 4 bytes, with 4 more to the next multiple of 8
        (4, floats),
        (8, 2),
        (4, plan.decision.votes + 8),
        (1, model_bytes),
    )
    size = 0
    for width, count in members:
        size = _aligned(size, width) + width * count
    return _aligned(size, 8)


def _side(contract: SensorContract) -> int:
    """Columns of the encoding's tables."""
    if contract.encoding_inside:
        return 1
    return contract.length if contract.encoding.method == "raw" else contract.encoding.image_size


def _aligned(size: int, width: int) -> int:
    return -(-size // width) * width
