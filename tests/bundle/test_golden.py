"""Golden vectors: made with the reference kernels, replayed bit for bit, and every deviation named."""

import base64
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.export.conftest import LABELS, sensor_contract, windows
from tests.firmware_bridge.bundles import linear_model
from tests.firmware_bridge.bundles import sensor_contract as of_windows
from vskd.bundle import golden as module
from vskd.bundle.bundle import verify_bundle, write_bundle
from vskd.bundle.contract import parse_json
from vskd.bundle.encoding import model_input
from vskd.bundle.golden import (
    AMPLITUDES,
    CYCLES,
    PARTIALS,
    Golden,
    GoldenVector,
    make_golden,
    replay_golden,
    synthetic_windows,
)
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError
from vskd.export.int8.quantize import quantize_int8
from vskd.export.ship import ExportReport

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
        (lambda v: {"input": "????" + v.input}, "has an input that is not"),
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


def test_synthetic_windows_are_in_the_contract_s_shape_and_range():
    for contract in (CONTRACT, sensor_contract(axes=("x",), length=7, range_limit=2.5)):
        for name, window in synthetic_windows(contract):
            assert (window.shape, window.dtype) == (contract.window_shape, np.float32), name
            assert np.abs(window).max() <= contract.range_limit


def test_synthetic_windows_are_seeded_and_all_different():
    first, again, other = (dict(synthetic_windows(CONTRACT, seed)) for seed in (0, 0, 1))
    assert list(first) == ["synthetic-0", "synthetic-1", "synthetic-2", "synthetic-3"]
    for name, window in first.items():
        np.testing.assert_array_equal(window, again[name])
        assert not np.array_equal(window, other[name])
    assert len({window.tobytes() for window in first.values()}) == len(first)


def deviations(unit: str) -> list[float]:
    """Of each of the amplitudes, over many seeds and without the sensor's limit."""
    contract = sensor_contract(unit=unit, range_limit=1e6, length=400)
    drawn = [[window for _, window in synthetic_windows(contract, seed)] for seed in range(40)]
    return [float(np.sqrt(np.mean(np.square(column)))) for column in zip(*drawn, strict=True)]


def test_amplitudes_are_fractions_of_the_encoding_s_range():
    """Root mean square; gravity, 1 g over three axes, adds its own third of the square."""
    limit = CONTRACT.encoding.limit
    assert deviations("deg/s") == pytest.approx([a * limit for a in AMPLITUDES], rel=0.05)
    assert deviations("g") == pytest.approx([np.hypot(a * limit, 3**-0.5) for a in AMPLITUDES], rel=0.05)


def test_gravity_is_one_constant_vector_in_a_random_direction():
    """Of the faintest window, the mean over time is about 1 g long, or what that is in m/s^2; without, about 0."""
    for unit, length in (("g", 1.0), ("m/s^2", 9.80665), ("deg/s", 0.0)):
        contract = sensor_contract(unit=unit, length=400, range_limit=1e6)
        quiet = contract.model_copy(update={"encoding": contract.encoding.model_copy(update={"limit": 1e-3})})
        means = [synthetic_windows(quiet, seed)[0][1].mean(axis=1) for seed in range(5)]
        assert [float(np.linalg.norm(mean)) for mean in means] == pytest.approx([length] * 5, abs=1e-3)
        apart = [float(np.linalg.norm(a - b)) for a, b in pairwise(means)]
        assert all(distance > 0.1 * length for distance in apart) or length == 0


def test_signals_are_smooth_and_the_strongest_overdrives_the_encoding():
    contract = sensor_contract(length=400)
    fastest = 2 * np.pi * CYCLES[1] / 400  # largest step of a sine of amplitude 1
    for (_, window), amplitude in zip(synthetic_windows(contract), AMPLITUDES, strict=True):
        bound = amplitude * contract.encoding.limit * PARTIALS / np.sqrt(PARTIALS / 2) * fastest
        assert np.abs(np.diff(window, axis=1)).max() <= bound * 1.001
    strongest = synthetic_windows(contract)[-1][1]
    assert strongest.max() > contract.encoding.limit and strongest.min() < -contract.encoding.limit


def test_the_vectors_drive_the_model_through_its_range(sealed: ExportReport):
    """Its input, quantized for windows of everyday strength, meets both ends; no two answers are the same."""
    made = make_golden(sealed.bundle.read("model.tflite"), synthetic_windows(CONTRACT), ENCODE, LABELS)
    inputs = [np.frombuffer(base64.b64decode(v.input), np.int8) for v in made.vectors]
    assert min(i.min() for i in inputs) < -120 and max(i.max() for i in inputs) == 127
    assert len({v.output for v in made.vectors}) == len(made.vectors)


def test_a_bundle_holds_nobody_s_recording(sealed: ExportReport):
    shipped = parse_json(Golden, sealed.bundle.read("golden.json"), "golden.json")
    assert [v.id for v in shipped.vectors] == [name for name, _ in synthetic_windows(CONTRACT)]
    recorded = {w.tobytes() for seed in (0, 1) for w in windows(16, seed=seed)}
    assert not recorded & {np.array(v.window, np.float32).tobytes() for v in shipped.vectors}


def test_bundles_of_before_are_still_verified(sealed: ExportReport, tmp_path: Path):
    """Their vectors are windows of recordings, under the recordings' ids."""
    files = {"model": sealed.bundle.read("model.tflite"), "float_model": sealed.bundle.read("model_float.tflite")}
    earlier = make_golden(files["model"], [("a1_s1_t1", windows(1)[0])], ENCODE, LABELS)
    write_bundle(tmp_path / "bundle", golden=earlier, manifest=sealed.bundle.manifest, **files)
    assert verify_bundle(tmp_path / "bundle").golden_vectors == 1


@pytest.mark.parametrize("unit", ["g", "deg/s"])
@pytest.mark.parametrize("seed", [0, 7])
def test_each_window_is_a_sum_of_five_sines_and_gravity(unit: str, seed: int):
    """Against a naive sum, sample by sample: half a turn to eight per window, any phase; cut at the sensor's range."""
    contract = sensor_contract(unit=unit, range_limit=3.0)
    random = np.random.default_rng(seed)
    for amplitude, (_, window) in zip((0.1, 0.3, 0.6, 1.0), synthetic_windows(contract, seed), strict=True):
        turns, phase = random.uniform(0.5, 8.0, (5, 3)), random.uniform(0, 2 * np.pi, (5, 3))
        direction = random.standard_normal(3)
        naive = np.zeros((3, 32))
        for channel, sample in np.ndindex(3, 32):
            for k in range(5):
                naive[channel, sample] += np.sin(2 * np.pi * turns[k, channel] * sample / 32 + phase[k, channel])
        naive *= amplitude * 4.0 / np.sqrt(2.5)
        if unit == "g":
            naive += (direction / np.sqrt((direction**2).sum()))[:, None]
        np.testing.assert_allclose(window, np.clip(naive, -3.0, 3.0), atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"window": ((1.0, 2.0), (1.0,))}, "the same number of samples"),
        ({"window": ()}, "the same number of samples"),
        ({"logits": (1.0,)}, "2 outputs and 1 logits"),
        ({"window": ((float("nan"),),)}, "finite"),
    ],
)
def test_a_vector_whose_parts_do_not_fit_is_refused(changes: dict[str, object], told: str):
    whole = {"id": "a", "window": ((1.0,),), "input": "", "output": (1.0, 2.0), "logits": (1.0, 2.0), "label": "x"}
    assert GoldenVector(**whole).label == "x"
    with pytest.raises(ValueError, match=told):
        GoldenVector(**whole | changes)


def test_float_inputs_may_differ_by_a_ten_thousandth_and_no_more(tiny_float: bytes):
    made = make_golden(tiny_float, [("r", windows(1)[0])], ENCODE, LABELS)
    assert (made.input_type, made.output_type, made.streams) == ("float32", "float32", ())
    replay(made, tiny_float, encode=lambda w: ENCODE(w) + np.float32(0.9e-4))
    with pytest.raises(BundleError, match="encoded differently here: the model's input is off by up to"):
        replay(made, tiny_float, encode=lambda w: ENCODE(w) + np.float32(1.1e-4))


@pytest.mark.parametrize("off", [5e-7, 5e-6])
def test_logits_follow_from_outputs_within_a_millionth(golden: Golden, tiny_int8: bytes, off: float):
    vector = first(golden)
    changed = with_first(golden, logits=(vector.logits[0] + off * (1 + abs(vector.logits[0])), *vector.logits[1:]))
    if off < 1e-6:
        replay(changed, tiny_int8)
    else:
        with pytest.raises(BundleError, match="do not follow"):
            replay(changed, tiny_int8)


def test_labels_of_another_number_and_later_vectors_are_looked_at(golden: Golden, tiny_int8: bytes):
    with pytest.raises(BundleError, match="r0 is labelled"):
        replay_golden(golden, tiny_int8, CONTRACT, ENCODE, (*LABELS, "more"))
    last = golden.vectors[-1]
    wrong = last.model_copy(update={"output": tuple(v + 1 for v in last.output)})
    with pytest.raises(BundleError, match=r"^here: vector r2 gives"):
        replay_golden(
            golden.model_copy(update={"vectors": (*golden.vectors[:-1], wrong)}), tiny_int8, CONTRACT, ENCODE, LABELS,
            "here",
        )  # fmt: skip


def test_windows_are_of_seed_zero_unless_another_is_said():
    for (_, plain), (_, zero) in zip(synthetic_windows(CONTRACT), synthetic_windows(CONTRACT, 0), strict=True):
        np.testing.assert_array_equal(plain, zero)


def test_vectors_are_of_the_reference_kernels(tiny_int8: bytes, monkeypatch: pytest.MonkeyPatch):
    asked: list[bool] = []

    class Spy(LiteRTModel):
        def __init__(self, content: bytes, threads: int = 1, reference_kernels: bool = False) -> None:
            asked.append(reference_kernels)
            super().__init__(content, threads, reference_kernels)

    monkeypatch.setattr(module, "LiteRTModel", Spy)
    replay(make_golden(tiny_int8, [("r", windows(1)[0])], ENCODE, LABELS), tiny_int8)
    assert asked == [True, True]


def test_streams_are_replayed_behind_the_vectors():
    contract = of_windows()
    model, encode = linear_model((3, 16)), partial(model_input, contract=contract)
    made = make_golden(model, synthetic_windows(contract), encode, LABELS, contract)
    replay_golden(made, model, contract, encode, LABELS)
    (stream,) = made.streams
    wrong = stream.model_copy(update={"decisions": stream.decisions[:-1]})
    with pytest.raises(BundleError, match=r"^there: stream synthetic-stream-0 gives \d+ decisions instead of \d+"):
        replay_golden(made.model_copy(update={"streams": (wrong,)}), model, contract, encode, LABELS, "there")
