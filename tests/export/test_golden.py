"""Golden vectors: made with the reference kernels, replayed bit for bit, and every deviation named."""

import base64
from functools import partial

import numpy as np
import pytest

from tests.export.conftest import LABELS, sensor_contract, windows
from vskd.errors import BundleError
from vskd.export.encoding import model_input
from vskd.export.golden import Golden, GoldenVector, make_golden, replay_golden
from vskd.export.quantize import quantize_int8
from vskd.export.runtime import LiteRTModel

CONTRACT = sensor_contract()
ENCODE = partial(model_input, contract=CONTRACT)


def replay(golden: Golden, model: bytes, encode=ENCODE) -> None:
    replay_golden(golden, model, CONTRACT, encode, LABELS)


@pytest.fixture(scope="module")
def golden(tiny_int8: bytes) -> Golden:
    return make_golden(tiny_int8, [(f"r{n}", w) for n, w in enumerate(windows(3))], ENCODE, LABELS)


def with_first(golden: Golden, **changes: object) -> Golden:
    return golden.model_copy(update={"vectors": (golden.vectors[0].model_copy(update=changes), *golden.vectors[1:])})


def test_vectors_hold_input_output_logits_and_label(golden: Golden, tiny_int8: bytes):
    model = LiteRTModel(tiny_int8, reference_kernels=True)
    for vector, window in zip(golden.vectors, windows(3), strict=True):
        stored = np.frombuffer(base64.b64decode(vector.input), np.int8).reshape(model.input_shape)
        np.testing.assert_array_equal(np.array(vector.window, np.float32), window)
        np.testing.assert_array_equal(stored, model.to_raw(ENCODE(window)[None]))
        np.testing.assert_array_equal(model.raw(stored)[0], np.array(vector.output, np.int8))
        np.testing.assert_array_equal(model.predict(ENCODE(window)[None])[0], np.array(vector.logits, np.float32))
        assert vector.label == LABELS[int(np.argmax(vector.logits))]


def test_replay_accepts_its_own_vectors_also_through_json(golden: Golden, tiny_int8: bytes):
    replay(golden, tiny_int8)
    replay(Golden.model_validate_json(golden.model_dump_json()), tiny_int8)


def test_float_ends_replay_too(tiny_float: bytes):
    inputs = [ENCODE(w) for w in windows(8)]
    model = quantize_int8(tiny_float, inputs, input_type="float32", output_type="float32")
    replay(make_golden(model, [("r", windows(1)[0])], ENCODE, LABELS), model)


def first(golden: Golden) -> GoldenVector:
    return golden.vectors[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: {"output": (v.output[0] + 1, *v.output[1:])}, "gives"),
        (lambda v: {"output": v.output[:-1]}, "gives"),
        (lambda v: {"logits": (v.logits[0] + 0.01, *v.logits[1:])}, "do not follow"),
        (lambda v: {"label": next(name for name in LABELS if name != v.label)}, "not the class"),
        (lambda v: {"input": v.input[:-4]}, "has an input that is not"),
        (lambda v: {"input": "?" + v.input[1:]}, "has an input that is not"),
        (lambda v: {"window": v.window[:2]}, r"shape \(2, 32\)"),
        (lambda v: {"window": tuple(tuple(-x for x in row[::-1]) for row in v.window)}, "encoded differently"),
    ],
)
def test_every_deviation_is_found(golden: Golden, tiny_int8: bytes, change, message: str):
    with pytest.raises(BundleError, match=rf"vector r0 .*{message}"):
        replay(with_first(golden, **change(first(golden))), tiny_int8)


def test_another_encoding_is_found(golden: Golden, tiny_int8: bytes):
    other = sensor_contract(encoding=CONTRACT.encoding.model_copy(update={"limit": 2.0}))
    with pytest.raises(BundleError, match="encoded differently"):
        replay(golden, tiny_int8, encode=partial(model_input, contract=other))


def test_one_step_of_the_input_is_forgiven_and_two_are_not(golden: Golden, tiny_int8: bytes):
    model = LiteRTModel(tiny_int8)
    step = model._input_scale[0]
    replay(golden, tiny_int8, encode=lambda w: ENCODE(w) + np.float32(0.4 * step))
    with pytest.raises(BundleError, match="off by up to"):
        replay(golden, tiny_int8, encode=lambda w: ENCODE(w) + np.float32(2.4 * step))


def test_vectors_of_another_model_are_refused(golden: Golden, tiny_float: bytes):
    with pytest.raises(BundleError, match="another model"):
        replay(golden, tiny_float)
