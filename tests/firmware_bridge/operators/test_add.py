"""Constants of ADD and SUB by hand; what they compute is in test_elementwise.py."""

import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value
from vskd.errors import BundleError
from vskd.firmware_bridge.graph import Tensor, read_graph
from vskd.firmware_bridge.operators.add import ADD, emit
from vskd.firmware_bridge.operators.elementwise import shares_input
from vskd.firmware_bridge.planner import plan_memory
from vskd.firmware_bridge.source import Source


def emitted(name: str, activation: int = 0) -> tuple[list[str], str]:
    """Statement and the declaration of its constants: steps 0.5 and 0.125, output 0.25."""
    values = [Value((1, 4), (0.5,), 3), Value((1, 4), (0.125,), -7), Value((1, 4), (0.25,), 11)]
    options = (f"{name.title()}Options", {"fusedActivationFunction": activation})
    steps = [Step("PAD", (0,), 1), Step(name, (0, 1), 2, options)]
    graph = read_graph(HandMade(values, steps).pack())
    source = Source(plan_memory(graph, lambda _: None), in_place=False)
    statements = emit(graph.operators[1], source)
    return statements, next(text for text in source.declarations if "vskd_sum" in text)


@pytest.mark.parametrize(("name", "kernel"), [("ADD", "vskd_add"), ("SUB", "vskd_sub")])
def test_both_inputs_come_to_twice_the_larger_step(name: str, kernel: str) -> None:
    """Common step 1: 0.5 -> 2^30/2^31; 0.125 -> 2^30/2^31 * 2^-2; 1 / (2^20 * 0.25) = 2^-18 -> shift -17."""
    statements, declared = emitted(name)
    assert len(statements) == 1 and statements[0].startswith(f"{kernel}(&broadcast_1, &sum_1, arena + ")
    lines = [line.strip().rstrip(",") for line in declared.splitlines()[1:-1]]
    assert dict(line.removeprefix(".").split(" = ") for line in lines) == {
        "first_multiplier": str(2**30),
        "second_multiplier": str(2**30),
        "output_multiplier": str(2**30),
        "first_shift": "0",
        "second_shift": "-2",
        "output_shift": "-17",
        "first_zero": "3",
        "second_zero": "-7",
        "output_zero": "11",
        "low": "-128",
        "high": "127",
    }
    assert declared.startswith("static const vskd_sum sum_1 = {")


def test_a_fused_relu6_clamps() -> None:
    _, declared = emitted("ADD", 3)
    assert ".low = 11,\n    .high = 35\n" in declared  # 0 and 6 at steps of 0.25 above 11


def test_other_kinds_are_refused_and_the_output_may_take_an_input() -> None:
    values = [Value((1, 4)), Value((1, 4)), Value((1, 4))]
    graph = read_graph(HandMade(values, [Step("PAD", (0,), 1), Step("ADD", (0, 1), 2)]).pack())
    operator = graph.operators[1]
    wide = Tensor(9, "wide", (1, 4), "INT32", (0.1,), 0, None, 0)
    for inputs, output in (
        ((wide, operator.inputs[1]), operator.output),
        ((operator.inputs[0], wide), operator.output),
        (operator.inputs, wide),
    ):
        changed = type(operator)("ADD", 1, inputs, output, operator.options)
        with pytest.raises(BundleError, match=r"INT32 tensors \('wide'\)"):
            emit(changed, Source(plan_memory(graph, lambda _: None), in_place=False))
    assert ADD.shares is shares_input
