"""The generated model: its figures, and weights as an array or in the file."""

import re

import numpy as np
import pytest

from tests.firmware_bridge.bundles import linear_model
from tests.firmware_bridge.conftest import HandMade, Step, Value, Workbench, full_range, reference
from vskd.errors import BundleError
from vskd.firmware_bridge.graph import Graph, Operator, Tensor, read_graph
from vskd.firmware_bridge.model_source import c_float, count_macs, model_source


def test_the_figures_are_in_the_header() -> None:
    content = linear_model((6, 8, 8))
    source = model_source(read_graph(content), in_place=False)
    numbers = {name: int(value) for name, value in re.findall(r"#define VSKD_(\w+) (\d+)\n", source.header)}
    assert numbers["MODEL_INPUT_BYTES"] == 384 and numbers["MODEL_CLASSES"] == 4
    assert numbers["MODEL_ARENA_BYTES"] == source.plan.arena_bytes == 400  # the reshapes take nothing
    assert source.macs == 384 * 4
    assert source.weight_bytes == numbers["WEIGHTS_BYTES"] == 384 * 4


@pytest.mark.parametrize("in_place", [False, True])
def test_weights_as_an_array_or_in_the_file(workbench: Workbench, in_place: bool) -> None:
    content = linear_model((3, 7))
    inputs = full_range((1, 3, 7), np.random.default_rng(0))
    np.testing.assert_array_equal(workbench.answers(content, inputs, in_place=in_place), reference(content, inputs))


def test_floats_are_exact() -> None:
    for value in np.random.default_rng(0).normal(size=50).astype(np.float32):
        assert np.float32(float.fromhex(c_float(float(value))[:-1])) == value


def values(*shape: int, constant: bool = False) -> Tensor:
    return Tensor(0, "t", shape, "INT8", (1.0,), 0, np.zeros(shape, np.int8) if constant else None, 0)


@pytest.mark.parametrize(
    ("name", "weights", "expected"),
    [
        ("CONV_2D", (6, 3, 5, 4), 7 * 8 * 6 * (3 * 5 * 4)),  # (outputs, height, width, inputs)
        ("DEPTHWISE_CONV_2D", (1, 3, 5, 6), 7 * 8 * 6 * (3 * 5)),  # (1, height, width, channels)
        ("FULLY_CONNECTED", (6, 4), 7 * 8 * 6 * 4),  # (outputs, inputs)
        ("ADD", (7, 8, 6), 0),
    ],
)
def test_multiply_accumulates_by_hand(name: str, weights: tuple[int, ...], expected: int) -> None:
    one = Operator(name, 0, (values(1, 7, 8, 4), values(*weights, constant=True)), values(1, 7, 8, 6), None)
    assert count_macs(Graph((one,), values(1), values(1), b"")) == expected
    assert count_macs(Graph((one, one), values(1), values(1), b"")) == 2 * expected


@pytest.mark.parametrize("in_place", [False, True])
def test_the_header_says_where_and_in_which_steps(in_place: bool) -> None:
    content = linear_model((3, 7))
    graph = read_graph(content)
    source = model_source(graph, in_place=in_place)
    said = dict(re.findall(r"#define VSKD_(\w+) (\S+)\n", source.header))
    assert said["MODEL_INPUT_OFFSET"] == str(source.plan.at(graph.input))
    assert said["MODEL_OUTPUT_OFFSET"] == str(source.plan.at(graph.output))
    assert said["MODEL_INPUT_SCALE"] == c_float(graph.input.scale)
    assert said["MODEL_OUTPUT_SCALE"] == c_float(graph.output.scale)
    assert said["MODEL_INPUT_ZERO"] == f"({graph.input.zero_point})"
    assert said["MODEL_OUTPUT_ZERO"] == f"({graph.output.zero_point})"
    assert said["WEIGHTS_IN_PLACE"] == str(int(in_place))
    assert said["WEIGHTS_BYTES"] == str(source.weight_bytes) == str(len(content) if in_place else 84)
    assert ("extern const int8_t vskd_weights" in source.header) == (not in_place)
    assert ("weights: the bytes of model.tflite." in source.header) == in_place
    for place, operator in enumerate(graph.operators):
        assert f"/* {place}: {operator.name} */" in source.code
    numbers = [int(text) for text in re.findall(r"-?\d+", source.weights.partition("{")[2])]
    assert numbers == ([] if in_place else np.frombuffer(weights_of(graph), np.int8).tolist())
    assert all(len(line.split(",")) <= 33 for line in source.weights.splitlines())


def weights_of(graph: Graph) -> bytes:
    (layer,) = (operator for operator in graph.operators if operator.name == "CONV_2D")
    data = layer.inputs[1].data
    assert data is not None
    return data.tobytes()


def test_a_model_without_constants_has_one_byte_of_weights() -> None:
    """An array of C has one element at least."""
    content = HandMade([Value((1, 4)), Value((1, 4))], [Step("ADD", (0, 0), 1, ("AddOptions", {}))]).pack()
    source = model_source(read_graph(content), in_place=False)
    assert source.weight_bytes == 0 and "#define VSKD_WEIGHTS_BYTES 1\n" in source.header
    assert source.weights.endswith("const int8_t vskd_weights[VSKD_WEIGHTS_BYTES] = {\n0\n};\n")


def test_bytes_are_numbers_from_minus_128_to_127_and_32_stand_in_a_row() -> None:
    data = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
    content = HandMade([Value((1, 256)), Value((1, 256), data=data), Value((1, 256))], [SUM]).pack()
    lines = model_source(read_graph(content), in_place=False).weights.splitlines()
    rows = [line.rstrip(",").split(",") for line in lines if re.fullmatch(r"-?\d+(,-?\d+)*,?", line)]
    assert [len(row) for row in rows] == [32] * 8
    assert [int(number) for row in rows for number in row] == list(range(-128, 128))


SUM = Step("ADD", (0, 1), 2, ("AddOptions", {}))


def test_an_operator_without_a_kernel_is_refused_before_anything_is_planned() -> None:
    content = HandMade([Value((1, 4)), Value((1, 4))], [Step("TANH", (0,), 1)]).pack()
    with pytest.raises(BundleError, match="no operator TANH"):
        model_source(read_graph(content), in_place=False)
