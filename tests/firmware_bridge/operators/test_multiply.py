"""Constants of MUL by hand; what it computes is in test_elementwise.py."""

import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value
from vskd.errors import BundleError
from vskd.firmware_bridge.graph import Graph, Operator, Tensor, read_graph
from vskd.firmware_bridge.operators.elementwise import shares_input
from vskd.firmware_bridge.operators.multiply import MULTIPLY, emit
from vskd.firmware_bridge.planner import plan_memory
from vskd.firmware_bridge.source import Source


def product(scales: tuple[float, float, float], activation: int = 0) -> tuple[Graph, Source]:
    values = [Value((1, 4), (scale,), zero) for scale, zero in zip(scales, (3, -7, 11), strict=True)]
    options = ("MulOptions", {"fusedActivationFunction": activation})
    graph = read_graph(HandMade(values, [Step("PAD", (0,), 1), Step("MUL", (0, 1), 2, options)]).pack())
    return graph, Source(plan_memory(graph, lambda _: None), in_place=False)


def declared(source: Source) -> str:
    return next(text for text in source.declarations if "vskd_product" in text)


def fields(source: Source) -> dict[str, str]:
    lines = [line.strip().rstrip(",") for line in declared(source).splitlines()[1:-1]]
    return dict(line.removeprefix(".").split(" = ") for line in lines)


def test_the_multiplier_is_that_of_the_steps() -> None:
    graph, source = product((0.5, 0.375, 0.25))
    (statement,) = emit(graph.operators[1], source)
    assert statement.startswith("vskd_mul(&broadcast_1, &product_1, arena + ")
    assert fields(source) == {
        "first_zero": "3",
        "second_zero": "-7",
        "output_zero": "11",
        "multiplier": str(3 * 2**29),  # 0.5 * 0.375 / 0.25 = 0.75
        "shift": "0",
        "low": "-128",
        "high": "127",
    }
    assert declared(source).startswith("static const vskd_product product_1 = {")


def test_the_product_of_the_steps_is_float32() -> None:
    """float32(0.1) * float32(0.3) / float32(0.7) rounds twice in float32; in float64 the multiplier is another."""
    graph, source = product((0.1, 0.3, 0.7))
    emit(graph.operators[1], source)
    assert fields(source)["multiplier"] == str(1472560256)
    assert fields(source)["shift"] == "-4"


def test_a_fused_relu_clamps_below() -> None:
    graph, source = product((0.5, 0.5, 0.25), 1)
    emit(graph.operators[1], source)
    assert (fields(source)["low"], fields(source)["high"]) == ("11", "127")


def test_other_kinds_are_refused_and_the_output_may_take_an_input() -> None:
    graph, source = product((0.5, 0.5, 0.25))
    operator, wide = graph.operators[1], Tensor(9, "wide", (1, 4), "INT32", (0.1,), 0, None, 0)
    for inputs, output in (
        ((wide, operator.inputs[1]), operator.output),
        ((operator.inputs[0], wide), operator.output),
        (operator.inputs, wide),
    ):
        with pytest.raises(BundleError, match=r"INT32 tensors \('wide'\)"):
            emit(Operator("MUL", 1, inputs, output, operator.options), source)
    assert MULTIPLY.shares is shares_input


def test_a_fused_relu6_clamps_at_both_ends() -> None:
    graph, source = product((0.5, 0.5, 0.25), 3)
    emit(graph.operators[1], source)
    assert (fields(source)["low"], fields(source)["high"]) == ("11", "35")
