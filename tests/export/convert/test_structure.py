"""What is said of a flatbuffer, beside LiteRT's own interpreter and a flatbuffer that is built by hand."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from flatbuffers import Builder
from torch import nn

from tests.export.conftest import CLASSES, IMAGE, random_inputs
from tests.firmware_bridge.conftest import HandMade, Step, Value, constant
from vskd.export.convert import structure
from vskd.export.convert.litert import convert_float
from vskd.export.convert.structure import (
    accumulations,
    biases,
    concatenated,
    external_buffers,
    float_operators,
    operator_names,
    operator_tensors,
    read_flatbuffer,
    weight_scales,
)
from vskd.export.int8.quantize import quantize_int8
from vskd.models.squeezenet_lw import Fire


@pytest.fixture(params=["float", "int8", "float ends"])
def model(request: pytest.FixtureRequest, tiny_float: bytes, tiny_int8: bytes) -> bytes:
    if request.param == "float ends":
        ends = {"input_type": "float32", "output_type": "float32"}
        return quantize_int8(tiny_float, random_inputs(8, IMAGE), **ends)
    return tiny_float if request.param == "float" else tiny_int8


def interpreter(content: bytes) -> Interpreter:
    """Without delegates, which would replace the operators by one of their own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Interpreter(
            model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        )


def test_operators_are_those_that_the_interpreter_runs(model: bytes):
    run = interpreter(model)
    details = {tensor["index"]: tensor for tensor in run.get_tensor_details()}
    operators = run._get_ops_details()
    assert operator_names(model) == [operator["op_name"] for operator in operators]
    floating = [
        operator["op_name"]
        for operator in operators
        if any(details[i]["dtype"] == np.float32 for i in (*operator["inputs"], *operator["outputs"]) if i in details)
    ]
    assert float_operators(model) == floating


def test_tensors_are_those_of_the_interpreter(model: bytes):
    """Inputs first, then the output; a place without a tensor is left out."""
    run = interpreter(model)
    details = {tensor["index"]: tensor for tensor in run.get_tensor_details()}
    for (name, tensors), operator in zip(operator_tensors(model), run._get_ops_details(), strict=True):
        indices = [int(i) for i in (*operator["inputs"], *operator["outputs"]) if i >= 0]
        assert name == operator["op_name"]
        assert tensors == [(details[i]["name"], tuple(details[i]["shape"])) for i in indices]


def test_what_is_float_depends_on_the_model(tiny_float: bytes, tiny_int8: bytes):
    assert float_operators(tiny_float) == operator_names(tiny_float) != []
    assert float_operators(tiny_int8) == []
    assert {"CONV_2D", "FULLY_CONNECTED"} <= set(operator_names(tiny_int8))


def test_float_ends_are_a_quantize_and_a_dequantize(tiny_float: bytes):
    ends = quantize_int8(tiny_float, random_inputs(8, IMAGE), input_type="float32", output_type="float32")
    assert float_operators(ends) == ["QUANTIZE", "DEQUANTIZE"]


def test_scales_are_those_of_the_interpreter(tiny_int8: bytes):
    """One scale per output channel of both convolutions (8, 16) and of the classifier."""
    details = {t["name"]: t["quantization_parameters"]["scales"] for t in interpreter(tiny_int8).get_tensor_details()}
    found = weight_scales(tiny_int8)
    assert sorted(found.values()) == sorted([(8, 8), (16, 16), (CLASSES, CLASSES)])
    assert {name: scales for name, (scales, _) in found.items()} == {name: len(details[name]) for name in found}


def test_float_weights_have_no_scale(tiny_float: bytes):
    assert sorted(weight_scales(tiny_float).values()) == sorted([(0, 8), (0, 16), (0, CLASSES)])


def test_biases_are_those_of_the_network_and_of_the_interpreter(
    tiny_network: nn.Module, tiny_float: bytes, tiny_int8: bytes
):
    plain, rounded = biases(tiny_float), biases(tiny_int8)
    assert [bias.broadcast for bias in rounded] == [(8, 1, 1, 1), (16, 1, 1, 1), (CLASSES, 1)]
    np.testing.assert_array_equal(plain[1].values, tiny_network.second.bias.detach().numpy())
    np.testing.assert_array_equal(plain[2].values, tiny_network.head.bias.detach().numpy())
    assert all(len(bias.scales) == len(bias.weight_scales) == 0 for bias in plain)
    details = {t["name"]: t["quantization_parameters"]["scales"] for t in interpreter(tiny_int8).get_tensor_details()}
    for before, after in zip(plain, rounded, strict=True):
        np.testing.assert_array_equal(after.weight_scales.astype(np.float32), details[after.weight])
        np.testing.assert_allclose(after.values * after.scales, before.values, atol=after.scales.max() / 2)


def test_steps_of_sums_are_those_of_the_bias(tiny_float: bytes, tiny_int8: bytes):
    """LiteRT's specification: bias step = input step x weight step."""
    found = accumulations(tiny_int8)
    for sum_, bias in zip(found, biases(tiny_int8), strict=True):
        assert sum_.step == pytest.approx(bias.scales.max(), rel=1e-5)
    details = {t["name"]: t["quantization_parameters"]["scales"] for t in interpreter(tiny_int8).get_tensor_details()}
    assert [a.output_step for a in found] == [float(details[a.output][0]) for a in found]
    assert {(a.step, a.output_step) for a in accumulations(tiny_float)} == {(0.0, 0.0)}


def test_concatenations_are_those_of_the_interpreter(tiny_float: bytes):
    torch.manual_seed(0)
    fire = convert_float(Fire(4, 2, 3).eval(), torch.zeros(1, 4, 5, 5))
    (operator,) = (o for o in operator_tensors(fire) if o[0] == "CONCATENATION")
    one, other, whole = (name for name, _ in operator[1])
    assert concatenated(fire) == {one: whole, other: whole}
    assert concatenated(tiny_float) == {}


def pack(model: schema.ModelT) -> bytes:
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_buffers_outside_the_flatbuffer_are_found(tiny_int8: bytes):
    """Offset or size alone already point outside."""
    assert external_buffers(tiny_int8) == []
    model = read_flatbuffer(tiny_int8)
    for number, (offset, size) in {2: (4096, 16), 4: (4096, 0), 5: (0, 16)}.items():
        model.buffers[number].offset, model.buffers[number].size = offset, size
    assert external_buffers(pack(model)) == [2, 4, 5]


def test_reading_and_packing_again_changes_nothing_that_is_said(model: bytes):
    again = pack(read_flatbuffer(model))
    assert operator_names(again) == operator_names(model)
    assert weight_scales(again) == weight_scales(model)


def test_layers_without_a_bias_and_operators_of_four_tensors_have_none():
    layer = Step("FULLY_CONNECTED", (0, 1, -1), 2, ("FullyConnectedOptions", {}))
    pad = Step("PADV2", (2, 3, 4), 5, ("PadV2Options", {}))
    values = [Value((1, 6)), Value((4, 6), data=np.ones((4, 6), np.int8)), Value((1, 4))]
    values += [constant(((0, 0), (1, 1))), Value((1,), data=np.zeros(1, np.int8)), Value((1, 6))]
    content = HandMade(values, [layer, pad]).pack()
    assert [len(tensors) for _, tensors in operator_tensors(content)] == [3, 4]
    assert biases(content) == []


def graph_of(types: list[int], **operator: object) -> SimpleNamespace:
    """A model of one operator, as `read_flatbuffer` gives it; codes are (of today, of old files)."""
    code = SimpleNamespace(builtinCode=0, deprecatedBuiltinCode=0)
    said = {"opcodeIndex": 0, "inputs": [*range(len(types) - 1)], "outputs": [len(types) - 1]} | operator
    codes = said.pop("codes", None)
    if isinstance(codes, tuple):
        code.builtinCode, code.deprecatedBuiltinCode = codes
    tensors = [SimpleNamespace(type=kind, name=b"t%d" % n, shape=None) for n, kind in enumerate(types)]
    graph = SimpleNamespace(operators=[SimpleNamespace(**said)], tensors=tensors)
    return SimpleNamespace(subgraphs=[graph], operatorCodes=[code], buffers=[])


@pytest.mark.parametrize(
    ("codes", "name"),
    [
        ((3, 3), "CONV_2D"),
        ((0, 3), "CONV_2D"),
        ((126, 127), "PLACEHOLDER_FOR_GREATER_OP_CODES"),
        ((9999, 127), "CUSTOM"),
    ],
)
def test_an_operator_has_the_larger_of_its_two_codes(
    monkeypatch: pytest.MonkeyPatch, codes: tuple[int, int], name: str
):
    """Old files know one of them alone; one that nobody knows is a custom one."""
    monkeypatch.setattr(structure, "read_flatbuffer", lambda _: graph_of([0, 0], codes=codes))
    assert operator_tensors(b"") == [(name, [("t0", ()), ("t1", ())])]


def test_operators_without_inputs_or_outputs_have_no_tensors(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(structure, "read_flatbuffer", lambda _: graph_of([0], inputs=None, outputs=None))
    assert operator_tensors(b"") == [("ADD", [])]


@pytest.mark.parametrize(
    ("kind", "floating"),
    [(name, "FLOAT" in name) for name, value in vars(schema.TensorType).items() if isinstance(value, int)],
)
def test_any_of_the_float_types_on_either_side_makes_an_operator_a_float_one(
    monkeypatch: pytest.MonkeyPatch, kind: str, floating: bool
):
    whole, own = schema.TensorType.INT8, getattr(schema.TensorType, kind)
    for types in ([whole, own], [own, whole], [whole, own, whole]):
        monkeypatch.setattr(structure, "read_flatbuffer", lambda _, types=types: graph_of(types))
        assert float_operators(b"") == ["ADD"] * floating


def test_a_tensor_without_steps_has_none_and_a_buffer_outside_is_read_where_it_lies():
    for quantization in (None, SimpleNamespace(scale=None)):
        assert len(structure._scales(SimpleNamespace(quantization=quantization))) == 0
    assert structure._scales(SimpleNamespace(quantization=SimpleNamespace(scale=[0.5]))) == [0.5]
    outside = SimpleNamespace(data=None, offset=2, size=3)
    assert structure._data(b"0123456", outside).tobytes() == b"234"
    assert structure._data(b"0123456", SimpleNamespace(data=[7, 8], offset=0, size=0)).tolist() == [7, 8]


def test_channels_of_a_depthwise_convolution_are_its_last_axis():
    weight, bias = np.ones((1, 3, 3, 6), np.int8), np.arange(6, dtype=np.int32)
    values = [Value((1, 5, 5, 6)), Value(weight.shape, (0.5,) * 6, 0, weight), Value((6,), (0.1,) * 6, 0, bias)]
    layer = Step("DEPTHWISE_CONV_2D", (0, 1, 2), 3, ("DepthwiseConv2DOptions", {"strideH": 1, "strideW": 1}))
    content = HandMade([*values, Value((1, 3, 3, 6))], [layer]).pack()
    assert list(weight_scales(content).values()) == [(6, 6)]
    (found,) = biases(content)
    assert found.broadcast == (1, 1, 1, 6) and found.values.tolist() == bias.tolist()


def test_steps_are_plain_numbers(tiny_int8: bytes):
    assert {type(n) for a in accumulations(tiny_int8) for n in (a.step, a.output_step)} == {float}
    assert {type(n) for sizes in weight_scales(tiny_int8).values() for n in sizes} == {int}
