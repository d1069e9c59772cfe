"""Where each tensor lies in the arena: tensors that are never alive together share bytes.

Greedy by size, as TFLite Micro's planner: the largest tensor first, each at the lowest free place among those that are
alive at the same time. What only renames bytes (a reshape) takes none.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from vskd.firmware_bridge.graph import Graph, Operator, Tensor

ALIGNMENT = 16
"""Every tensor begins at a multiple of it, so that wide loads are possible."""


@dataclass(frozen=True)
class Plan:
    """Offsets of tensors.

    Attributes:
        arena_bytes: size of the arena.
        offsets: by the tensor's index in the file.
    """

    arena_bytes: int
    offsets: dict[int, int]

    def at(self, tensor: Tensor) -> int:
        """Where the tensor begins."""
        return self.offsets[tensor.index]


@dataclass
class _Block:
    """Bytes that one tensor, or several that are one, need from `first` to `last`, positions of operators."""

    size: int
    first: int
    last: int
    offset: int = field(init=False)

    def meets(self, other: "_Block") -> bool:
        return self.first <= other.last and other.first <= self.last


def plan_memory(graph: Graph, shares: Callable[[Operator], Tensor | None]) -> Plan:
    """Place every tensor that is computed.

    Args:
        graph: the model.
        shares: the input whose place an operator's output may take, or None. It is taken where that input is not used
            afterwards.
    """
    last_use = {tensor.index: op.position for op in graph.operators for tensor in op.computed}
    last_use[graph.output.index] = len(graph.operators)
    blocks: dict[int, _Block] = {graph.input.index: _Block(graph.input.size, -1, last_use.get(graph.input.index, -1))}
    for operator in graph.operators:
        output, source = operator.output, shares(operator)
        last = last_use.get(output.index, operator.position)
        if source is not None and blocks[source.index].last == operator.position:
            block = blocks[source.index]
            block.size, block.last = max(block.size, output.size), last
        else:
            block = _Block(output.size, operator.position, last)
        blocks[output.index] = block
    placed: list[_Block] = []
    for block in sorted({id(b): b for b in blocks.values()}.values(), key=lambda b: (-b.size, b.first)):
        block.offset = _lowest_place(block, [other for other in placed if other.meets(block)])
        placed.append(block)
    arena = max(_aligned(block.offset + block.size) for block in placed)
    return Plan(arena, {index: block.offset for index, block in blocks.items()})


def _lowest_place(block: _Block, others: list[_Block]) -> int:
    """The lowest aligned offset at which `block` meets none of the others."""
    offset = 0
    for other in sorted(others, key=lambda o: o.offset):
        if offset + block.size <= other.offset:
            break
        offset = max(offset, _aligned(other.offset + other.size))
    return offset


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
