"""Tensors that are alive together never share a byte; those that are not do."""

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value
from vskd.firmware_bridge.graph import Graph, Operator, read_graph
from vskd.firmware_bridge.operators.catalog import OPERATORS
from vskd.firmware_bridge.planner import ALIGNMENT, plan_memory


def random_graph(generator: np.random.Generator) -> Graph:
    """A chain of sums and reshapes in which older tensors are used again."""
    values, steps = [Value((1, int(generator.integers(1, 50))))], []
    for _ in range(12):
        sources = [n for n, value in enumerate(values) if value.shape == values[-1].shape]
        if generator.random() < 0.4:
            values.append(Value((1, values[-1].shape[1])))
            steps.append(Step("RESHAPE", (len(values) - 2,), len(values) - 1))
        elif generator.random() < 0.5:
            values.append(Value(values[-1].shape))
            first, second = (int(generator.choice(sources)) for _ in range(2))
            steps.append(Step("ADD", (first, second), len(values) - 1))
        else:
            values.append(Value((1, values[-1].shape[1] + int(generator.integers(1, 50)))))
            steps.append(Step("PAD", (len(values) - 2,), len(values) - 1))
    return read_graph(HandMade(values, steps).pack())


def owners(graph: Graph, offsets: dict[int, int]) -> None:
    """Follow the operators and note which tensor each byte holds: every input must still be whole when it is read."""
    held: dict[int, int] = {offsets[graph.input.index] + n: graph.input.index for n in range(graph.input.size)}
    same = {graph.input.index: graph.input.index}
    for operator in graph.operators:
        for tensor in operator.computed:
            place = range(offsets[tensor.index], offsets[tensor.index] + tensor.size)
            assert {same[held[byte]] for byte in place} == {same[tensor.index]}
        output, renames = operator.output, operator.name == "RESHAPE"
        same[output.index] = same[operator.inputs[0].index] if renames else output.index
        for byte in range(offsets[output.index], offsets[output.index] + output.size):
            held[byte] = output.index


@pytest.mark.parametrize("seed", range(30))
def test_no_input_is_overwritten_before_it_is_read(seed: int) -> None:
    graph = random_graph(np.random.default_rng(seed))
    plan = plan_memory(graph, lambda operator: OPERATORS[operator.name].shares(operator))
    owners(graph, plan.offsets)
    assert all(offset % ALIGNMENT == 0 for offset in plan.offsets.values())
    largest = max(plan.at(op.output) + op.output.size for op in graph.operators)
    assert largest <= plan.arena_bytes < max(largest, graph.input.size) + ALIGNMENT


def test_a_chain_needs_its_two_largest_neighbours() -> None:
    values = [Value((1, n)) for n in (16, 160, 320, 64)]
    graph = read_graph(HandMade(values, [Step("PAD", (n,), n + 1) for n in range(3)]).pack())
    assert plan_memory(graph, lambda _: None).arena_bytes == 160 + 320


def test_a_sum_takes_the_place_of_an_input_that_is_not_needed_again() -> None:
    values = [Value((1, 64)), Value((1, 64)), Value((1, 64))]
    steps = [Step("ADD", (0, 0), 1), Step("ADD", (0, 1), 2)]
    graph = read_graph(HandMade(values, steps).pack())

    def shares(operator: Operator) -> object:
        return OPERATORS["ADD"].shares(operator)

    assert plan_memory(graph, shares).arena_bytes == 128  # type: ignore[arg-type]
    assert plan_memory(graph, lambda _: None).arena_bytes == 192
