"""Tensors that are alive together never share a byte; those that are not do."""

from dataclasses import replace

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value
from vskd.firmware_bridge.graph import Graph, Operator, read_graph
from vskd.firmware_bridge.operators.catalog import OPERATORS
from vskd.firmware_bridge.planner import ALIGNMENT, _Block, _lowest_place, plan_memory


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


def placed(*blocks: tuple[int, int]) -> list[_Block]:
    """Blocks of a size at an offset."""
    found = []
    for size, offset in blocks:
        found.append(_Block(size, 0, 0))
        found[-1].offset = offset
    return found


@pytest.mark.parametrize(
    ("size", "others", "place"),
    [
        (16, [], 0),
        (16, [(16, 16)], 0),
        (17, [(16, 16)], 32),
        (16, [(16, 32), (16, 0)], 16),  # in whatever order they were placed
        (32, [(16, 32), (16, 0)], 48),
        (16, [(5, 0)], 16),
        (1, [(16, 48), (33, 0), (100, 0)], 112),
        (16, [(64, 0), (16, 16)], 64),  # the longer one counts, though it begins before
    ],
)
def test_the_lowest_place_is_the_first_gap_that_is_wide_enough(
    size: int, others: list[tuple[int, int]], place: int
) -> None:
    assert _lowest_place(_Block(size, 0, 0), placed(*others)) == place


@pytest.mark.parametrize(
    ("first", "second", "meet"),
    [
        ((0, 2), (2, 4), True),
        ((2, 4), (0, 2), True),
        ((0, 1), (2, 4), False),
        ((3, 4), (0, 2), False),
        ((1, 2), (0, 5), True),
    ],
)
def test_who_is_alive_together(first: tuple[int, int], second: tuple[int, int], meet: bool) -> None:
    assert _Block(1, *first).meets(_Block(1, *second)) == meet


def test_a_shared_place_is_as_wide_as_the_widest_that_takes_it() -> None:
    values = [Value((1, n)) for n in (16, 160, 320, 64)]
    graph = read_graph(HandMade(values, [Step("PAD", (n,), n + 1) for n in range(3)]).pack())
    plan = plan_memory(graph, lambda operator: operator.computed[0])
    assert plan.arena_bytes == 320 and set(plan.offsets.values()) == {0}


def test_an_answer_that_others_use_too_is_kept_to_the_end() -> None:
    """Its bytes are not given to what is computed after its last use."""
    values = [Value((1, 64)) for _ in range(4)]
    graph = read_graph(HandMade(values, [Step("ADD", (n, n), n + 1) for n in range(3)]).pack())
    early = replace(graph, output=graph.operators[0].output)
    plan = plan_memory(early, lambda _: None)
    places = [plan.at(operator.output) for operator in early.operators]
    assert len(set(places)) == 3 and plan.arena_bytes == 192
    assert plan_memory(graph, lambda _: None).arena_bytes == 128


def test_places_are_multiples_of_sixteen() -> None:
    assert ALIGNMENT == 16
    values = [Value((1, n)) for n in (17, 5, 33)]
    graph = read_graph(HandMade(values, [Step("PAD", (0,), 1), Step("ADD", (0, 1), 2)]).pack())
    assert plan_memory(graph, lambda _: None).arena_bytes == 48 + 32 + 16
