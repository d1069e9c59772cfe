"""Weights move into the flatbuffer, aligned, and nothing else changes."""

import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from torch import nn

from tests.export.conftest import random_inputs
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError
from vskd.export.convert import inline_weights as module
from vskd.export.convert.inline_weights import inline_weights
from vskd.export.convert.litert import convert_float
from vskd.export.convert.structure import external_buffers
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
