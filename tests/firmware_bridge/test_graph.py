"""Reading a .tflite: shapes, steps, constants and where they lie in the file."""

import sys
from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.firmware_bridge.conftest import HandMade, Step, Value
from vskd.errors import BundleError, MissingExtraError
from vskd.firmware_bridge.graph import read_graph


def model() -> HandMade:
    weight = np.arange(-6, 6, dtype=np.int8).reshape(3, 1, 1, 4)
    values = [
        Value((1, 2, 2, 4), (0.25,), -3),
        Value(weight.shape, (0.1, 0.2, 0.3), 0, weight),
        Value((1, 2, 2, 3), (0.5,), 9),
    ]
    return HandMade(values, [Step("CONV_2D", (0, 1, -1), 2, ("Conv2DOptions", {"strideH": 1, "strideW": 1}))])


def test_what_is_read() -> None:
    content = model().pack()
    graph = read_graph(content)
    (operator,) = graph.operators
    given, weight = operator.inputs  # the absent bias is left out
    assert (operator.name, operator.position) == ("CONV_2D", 0)
    assert (given.shape, given.scale, given.zero_point, given.size) == ((1, 2, 2, 4), 0.25, -3, 16)
    assert operator.computed == (given,) and graph.input is given and graph.output is operator.output
    assert weight.scales == pytest.approx((0.1, 0.2, 0.3))
    np.testing.assert_array_equal(weight.data, np.arange(-6, 6).reshape(3, 1, 1, 4))
    assert np.frombuffer(content, np.int8, 12, weight.file_offset).tolist() == list(range(-6, 6))


def test_several_scales_are_no_activation() -> None:
    weight = read_graph(model().pack()).operators[0].inputs[1]
    with pytest.raises(BundleError, match="'t1' has 3 scales instead of one"):
        _ = weight.scale


def test_ends_that_are_not_int8_are_refused() -> None:
    made = model()
    made.values[0] = Value((1, 2, 2, 4), (), 0, np.zeros((1, 2, 2, 4), np.float32))
    with pytest.raises(BundleError, match="input is FLOAT32; one int8 tensor is expected"):
        read_graph(made.pack())


@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_file_is_one_clear_error_or_none(seed: int) -> None:
    """The generated reader follows every offset that the file gives, wherever it leads."""
    content, generator, refused = model().pack(), np.random.default_rng(seed), 0
    for _ in range(60):
        damaged = bytearray(content)
        for place in generator.integers(0, len(content), 4):
            damaged[place] = generator.integers(0, 256)
        try:
            read_graph(bytes(damaged), "x.tflite")
        except BundleError as error:
            refused += "x.tflite is damaged" in str(error)
    assert refused > 0


@pytest.mark.parametrize("content", [b"", b"\0" * 3, b"\xff" * 64])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(BundleError, match=r"x\.tflite is damaged"):
        read_graph(content, "x.tflite")


def changed(change: Callable[[Any], object]) -> bytes:
    """The model with something of its schema changed."""
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model().pack(), 0))
    change(content)
    builder = flatbuffers.Builder(1024)
    builder.Finish(content.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda m: m.subgraphs.append(m.subgraphs[0]), "has 2 subgraphs instead of one"),
        (lambda m: setattr(m.subgraphs[0].operators[0], "outputs", [2, 2]), "Operator 0, CONV_2D, has 2 outputs"),
        (lambda m: setattr(m.subgraphs[0], "inputs", [0, 2]), "input is INT8, INT8; one int8 tensor"),
        (lambda m: setattr(m.subgraphs[0], "outputs", [2, 0]), "output is INT8, INT8; one int8 tensor"),
        (
            lambda m: setattr(m.subgraphs[0].tensors[1].quantization, "zeroPoint", [0, 1, 0]),
            "Tensor 't1' has several zero points",
        ),
        (lambda m: setattr(m.buffers[1], "size", 12), "weights outside the flatbuffer"),
        (lambda m: setattr(m.buffers[1], "offset", 99), "weights outside the flatbuffer"),
    ],
)
def test_what_the_firmware_does_not_read_is_refused(change: Callable[[Any], object], problem: str) -> None:
    assert len(read_graph(changed(lambda m: None)).operators) == 1
    with pytest.raises(BundleError, match=problem):
        read_graph(changed(change))


def test_custom_and_late_operators_have_names() -> None:
    def late(m: Any) -> None:
        m.operatorCodes[0].builtinCode, m.operatorCodes[0].deprecatedBuiltinCode = 150, 127

    (operator,) = read_graph(changed(late)).operators
    assert operator.name == next(n for n, v in vars(schema.BuiltinOperator).items() if v == 150)
    (operator,) = read_graph(changed(lambda m: setattr(m.operatorCodes[0], "deprecatedBuiltinCode", 100))).operators
    assert operator.name == next(n for n, v in vars(schema.BuiltinOperator).items() if v == 100)


def test_a_tensor_without_dimensions_or_steps() -> None:
    def bare(m: Any) -> None:
        m.subgraphs[0].tensors[0].shape, m.subgraphs[0].tensors[0].quantization = None, None

    given = read_graph(changed(bare)).input
    assert (given.shape, given.size, given.scales, given.zero_point, given.data) == ((), 1, (), 0, None)


def test_without_litert_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(MissingExtraError, match=r"vskd\[export\]"):
        read_graph(model().pack())


def test_a_buffer_without_bytes_is_no_constant() -> None:
    (operator,) = read_graph(changed(lambda m: setattr(m.buffers[0], "data", np.array([], np.uint8)))).operators
    assert operator.inputs[0].data is None and operator.computed == operator.inputs[:1]


def test_a_tensor_may_say_nothing_of_its_steps() -> None:
    def bare(m: Any) -> None:
        quantization = m.subgraphs[0].tensors[0].quantization
        quantization.scale, quantization.zeroPoint = None, None

    given = read_graph(changed(bare)).input
    assert (given.scales, given.zero_point) == ((), 0)
    with pytest.raises(BundleError, match="'t0' has 0 scales instead of one"):
        _ = given.scale


def test_steps_are_numbers_of_python_and_tensors_are_told_by_themselves() -> None:
    """float32 numbers would make products of float32."""
    first, second = read_graph(model().pack()), read_graph(model().pack())
    assert [type(step) for step in first.operators[0].inputs[1].scales] == [float] * 3
    assert type(first.input.scale) is float and first.input.file_offset == 0
    assert len({first.input, first.output, second.input}) == 3 and first.input != second.input


def test_a_name_that_is_no_text_is_read_all_the_same() -> None:
    graph = read_graph(changed(lambda m: setattr(m.subgraphs[0].tensors[0], "name", b"\xffx")))
    assert graph.input.name == "\ufffdx"


def test_no_end_at_all_is_refused() -> None:
    with pytest.raises(BundleError, match="The model's output is ; one int8 tensor is expected"):
        read_graph(changed(lambda m: setattr(m.subgraphs[0], "outputs", [])))
