"""Weights move into the flatbuffer, aligned, and nothing else changes."""

import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder
from torch import nn

from tests.export.conftest import IMAGE, random_inputs
from tests.firmware_bridge.conftest import HandMade, Step, Value
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError
from vskd.export.convert import inline_weights as module
from vskd.export.convert.inline_weights import inline_weights
from vskd.export.convert.litert import convert_float
from vskd.export.convert.structure import external_buffers, read_flatbuffer
from vskd.export.int8.quantize import quantize_int8


@pytest.fixture(scope="module")
def quantized_outside() -> bytes:
    """What the quantizer itself writes for a model of 300 kB: weights behind the flatbuffer (it inlines small ones)."""
    torch.manual_seed(0)
    content = convert_float(nn.Sequential(nn.Linear(64, 2048), nn.ReLU(), nn.Linear(2048, 96)), torch.zeros(1, 64))
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "inline_weights", lambda raw: raw)
    raw = quantize_int8(content, random_inputs(4, (64,)))
    patch.undo()
    return raw


def test_the_quantizer_puts_weights_outside(quantized_outside: bytes):
    assert external_buffers(quantized_outside)


def test_all_data_are_inside_aligned_and_equal(quantized_outside: bytes):
    inside = inline_weights(quantized_outside)
    assert external_buffers(inside) == []
    before, after = (schema.Model.GetRootAs(c, 0) for c in (quantized_outside, inside))
    start = np.frombuffer(inside, np.uint8).ctypes.data
    checked = 0
    for index in range(after.BuffersLength()):
        old, new = before.Buffers(index), after.Buffers(index)
        if new.DataLength():
            assert (new.DataAsNumpy().ctypes.data - start) % 16 == 0
            length = old.Size() or old.DataLength()
            expected = quantized_outside[old.Offset() :][:length] if old.Offset() else old.DataAsNumpy().tobytes()
            assert new.DataAsNumpy().tobytes() == expected
            checked += 1
    assert checked >= 4


@pytest.mark.parametrize("reference_kernels", [False, True])
def test_answers_are_equal_bit_for_bit(quantized_outside: bytes, reference_kernels: bool):
    old = LiteRTModel(quantized_outside, reference_kernels=reference_kernels)
    new = LiteRTModel(inline_weights(quantized_outside), reference_kernels=reference_kernels)
    generator = np.random.default_rng(5)
    for _ in range(8):
        x = generator.integers(-128, 128, (1, 64)).astype(np.int8)
        np.testing.assert_array_equal(old.raw(x), new.raw(x))


def test_twice_is_the_same_as_once(quantized_outside: bytes):
    once = inline_weights(quantized_outside)
    assert inline_weights(once) == once


def test_quantize_int8_returns_weights_inside(quantized_outside: bytes):
    content = convert_float(nn.Sequential(nn.Linear(64, 2048), nn.ReLU(), nn.Linear(2048, 96)), torch.zeros(1, 64))
    assert external_buffers(quantize_int8(content, random_inputs(2, (64,)))) == []


def test_a_truncated_model_is_refused(quantized_outside: bytes):
    with pytest.raises(BundleError, match="ends at byte"):
        inline_weights(quantized_outside[:-4096])


def test_a_rewrite_that_changes_answers_is_refused(quantized_outside: bytes, monkeypatch: pytest.MonkeyPatch):
    class Damaging(module._AlignedBuffer):
        def __init__(self, data=None):
            super().__init__(data=data if data is None or len(data) < 1000 else np.bitwise_xor(data, 1))

    monkeypatch.setattr(module, "_AlignedBuffer", Damaging)
    with pytest.raises(BundleError, match="changed the model's answers"):
        inline_weights(quantized_outside)


def with_weights_behind(values: np.ndarray) -> tuple[bytes, bytes]:
    """A fully connected layer with its weights inside, and the same with them behind the flatbuffer, at its end."""
    layer = Step("FULLY_CONNECTED", (0, 1, -1), 2, ("FullyConnectedOptions", {}))
    inside = HandMade([Value((1, 6)), Value(values.shape, data=values), Value((1, len(values)))], [layer]).pack()
    model = read_flatbuffer(inside)
    (buffer,) = (b for b in model.buffers if b.data is not None and len(b.data) == values.size)
    buffer.data, buffer.offset, buffer.size = None, 1, values.size
    for _ in range(2):  # the second time with the offset that follows from the length
        builder = Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        packed = bytes(builder.Output())
        buffer.offset = -(-len(packed) // 16) * 16
    return inside, packed.ljust(buffer.offset, b"\0") + values.tobytes()


def test_weights_may_end_with_the_file_and_not_a_byte_later():
    values = np.arange(-12, 12).astype(np.int8).reshape(4, 6)
    inside, behind = with_weights_behind(values)
    assert len(external_buffers(behind)) == 1
    moved = inline_weights(behind)
    assert external_buffers(moved) == [] and moved == inline_weights(inside)
    x = np.arange(6).astype(np.int8)[None]
    np.testing.assert_array_equal(LiteRTModel(moved).raw(x), LiteRTModel(inside).raw(x))
    with pytest.raises(BundleError, match=f"ends at byte {len(behind)} of {len(behind) - 1}"):
        inline_weights(behind[:-1])


def test_data_of_any_length_are_aligned_and_an_empty_buffer_stays_empty() -> None:
    values = np.arange(-15, 15).astype(np.int8).reshape(5, 6)
    inside, _ = with_weights_behind(values)
    model = read_flatbuffer(inside)
    model.buffers[0].data = np.zeros(0, np.uint8)
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    moved = inline_weights(bytes(builder.Output()))
    after, start = schema.Model.GetRootAs(moved, 0), np.frombuffer(moved, np.uint8).ctypes.data
    assert after.Buffers(0).DataIsNone()
    filled = [buffer for n in range(after.BuffersLength()) if (buffer := after.Buffers(n)).DataLength()]
    assert values.size in [buffer.DataLength() for buffer in filled]
    assert all((buffer.DataAsNumpy().ctypes.data - start) % 16 == 0 for buffer in filled)


def test_a_float_model_is_rewritten_too(tiny_float: bytes) -> None:
    (x,) = random_inputs(1, IMAGE)
    moved = inline_weights(tiny_float)
    np.testing.assert_array_equal(LiteRTModel(moved).predict(x[None]), LiteRTModel(tiny_float).predict(x[None]))


def test_a_rewrite_that_leaves_weights_outside_is_refused(quantized_outside: bytes) -> None:
    with pytest.raises(BundleError, match="still has weights outside"):
        module._check_same(quantized_outside, quantized_outside)
