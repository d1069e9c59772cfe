"""Golden streams: every stage is what it is named, replayed bit for bit, and every deviation named."""

import base64
import hashlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge.bundles import encoded, linear_model, make_bundle, sensor_contract
from vskd.bundle.bundle import MODEL, read_golden, verify_bundle, write_bundle
from vskd.bundle.contract import ImageContract, SensorContract, StreamContract, parse_json
from vskd.bundle.encoding import model_input
from vskd.bundle.golden import Golden
from vskd.bundle.predict import contract_windows
from vskd.bundle.recorded import Recorded
from vskd.bundle.runtime import LiteRTModel
from vskd.bundle.stream import golden_stream
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.golden_stream import (
    IN_FULL,
    GoldenStream,
    GoldenWindow,
    make_streams,
    replay_stream,
    stored_stream,
)
from vskd.bundle.stream.stream_plan import plan_stream
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.bundle.stream.synthetic_stream import golden_calls
from vskd.errors import BundleError

CONTRACT = sensor_contract(**encoded("gasf"))
RESAMPLED = sensor_contract(rate_hz=100.0)
MODEL_OF = {id(CONTRACT): linear_model((3, 8, 8)), id(RESAMPLED): linear_model((3, 16))}


def made(contract: SensorContract = CONTRACT) -> GoldenStream:
    (stream,) = make_streams(MODEL_OF[id(contract)], contract)
    return stream


@pytest.fixture(scope="module")
def stream() -> GoldenStream:
    return made()


def replay(stream: GoldenStream, contract: SensorContract = CONTRACT) -> None:
    replay_stream(stream, MODEL_OF[id(contract)], contract, "golden.json")


def numbers(text: str | None, kind: str) -> np.ndarray:
    assert text is not None
    return np.frombuffer(base64.b64decode(text), kind)


def test_it_is_the_synthetic_stream_at_the_devices_rate_in_irregular_calls(stream: GoldenStream) -> None:
    plan = plan_stream(CONTRACT, StreamSettings(), 0.1)
    calls = golden_calls(plan, windows=2)
    assert stream.calls == tuple(len(samples) for samples, _ in calls) and len(set(stream.calls)) > 3
    assert stream.axes == 3 and stream.settings == StreamSettings()
    played = stored_stream(stream, CONTRACT, "a")
    for (samples, times), (given, stamps) in zip(calls, played.calls, strict=True):
        np.testing.assert_array_equal(samples, given)
        np.testing.assert_array_equal(times, stamps)
    assert made(RESAMPLED).calls != stream.calls


def test_all_that_can_go_wrong_is_in_it(stream: GoldenStream) -> None:
    assert {d.status for d in stream.decisions} == {c.name for c in Condition} - {"WRONG_GRAVITY", "WRONG_UNIT"}
    assert len({d.label for d in stream.decisions}) > 1


def test_windows_are_those_of_the_offline_pipeline(stream: GoldenStream) -> None:
    """Of the first stretch, in which nothing is wrong: up to the gap."""
    first = [d.status for d in stream.decisions].index("GAP")
    played = stored_stream(stream, CONTRACT, "a")
    samples = np.concatenate([samples for samples, _ in played.calls])[: stream.decisions[first].sample - 1]
    offline = contract_windows(Recorded(samples.T, 50.0, ()), CONTRACT)
    assert len(offline) == first == 3
    np.testing.assert_array_equal(played.windows[:first], offline)


def test_encodings_inputs_and_outputs_are_the_models(stream: GoldenStream) -> None:
    model = LiteRTModel(MODEL_OF[id(CONTRACT)], reference_kernels=True)
    for number, stored in enumerate(stream.windows):
        window = numbers(stored.window, "<f4").reshape(3, 16)
        encoding = model_input(window, CONTRACT)
        raw = model.to_raw(encoding[np.newaxis])
        assert stored.encoding_sha256 == hashlib.sha256(encoding.tobytes()).hexdigest()
        assert stored.input_sha256 == hashlib.sha256(raw.tobytes()).hexdigest()
        assert stored.output == tuple(model.raw(raw)[0].tolist())
        if number < IN_FULL:
            np.testing.assert_array_equal(numbers(stored.encoding, "<f4"), encoding.reshape(-1))
            np.testing.assert_array_equal(numbers(stored.input, "i1"), raw.reshape(-1))
        else:
            assert (stored.encoding, stored.input) == (None, None)
    answered = [d for d in stream.decisions if d.status == "OK"]
    for decision, stored in zip(answered, stream.windows, strict=True):
        second, largest = sorted(stored.output)[-2:]
        assert decision.window_label == decision.label == stored.output.index(largest)
        assert decision.margin == largest - second


@pytest.mark.parametrize("contract", [CONTRACT, RESAMPLED])
def test_a_replay_accepts_it_also_through_json(contract: SensorContract) -> None:
    replay(GoldenStream.model_validate_json(made(contract).model_dump_json()), contract)


Change = Callable[[GoldenStream], dict[str, object]]


def first_window(**changes: object) -> Change:
    return lambda s: {"windows": (s.windows[0].model_copy(update=changes), *s.windows[1:])}


def flipped(text: str | None, place: int = 5) -> str:
    content = bytearray(base64.b64decode(text or ""))
    content[place] ^= 1
    return base64.b64encode(bytes(content)).decode()


def last_decision(**changes: object) -> Change:
    return lambda s: {"decisions": (*s.decisions[:-1], s.decisions[-1].model_copy(update=changes))}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: first_window(window=flipped(s.windows[0].window))(s), "window 0 is cut otherwise here: off by up"),
        (lambda s: first_window(window=flipped(s.windows[0].window, 4))(s), "is cut otherwise here"),  # the last bit
        (first_window(encoding_sha256="0" * 64), "window 0 has another encoding here"),
        (first_window(input_sha256="0" * 64), "window 0 has another input here"),
        (lambda s: first_window(encoding=flipped(s.windows[0].encoding))(s), "window 0 has another encoding here"),
        (lambda s: first_window(input=flipped(s.windows[0].input))(s), "window 0 has another input here"),
        (
            lambda s: first_window(output=(s.windows[0].output[0] ^ 1, *s.windows[0].output[1:]))(s),
            r"window 0 gives \[.*\] instead of \[",
        ),
        (first_window(output=(300, 0, 0, 0)), "outputs that are not int8 values of one number of classes"),
        (first_window(output=(128, 0, 0, 0)), "outputs that are not int8 values of one number of classes"),
        (first_window(output=(0, 0, -129, 0)), "outputs that are not int8 values of one number of classes"),
        (first_window(output=(1, 0)), "outputs that are not int8 values of one number of classes"),
        (first_window(window="AAAA"), r"values that are not <f4 of shape \(3, 16\)"),
        (first_window(window="?"), "values that are not <f4"),
        (lambda s: first_window(window="????" + s.windows[0].window)(s), "values that are not <f4"),
        (lambda s: {"samples": flipped(s.samples)}, "window 0 is cut otherwise"),
        (lambda s: {"samples": s.samples[:-8]}, r"values that are not <f4 of shape \(\d+, 3\)"),
        (lambda s: {"times_us": s.times_us[:-8]}, r"values that are not <u8 of shape"),
        (lambda s: {"calls": s.calls[:-1]}, "values that are not <f4"),
        (lambda s: {"axes": 2}, "has 2 axes instead of 3"),
        (last_decision(label=9), r"decision \d+ is Decision\(.*instead of Decision"),
        (last_decision(time_us=9), r"decision \d+ is Decision\(.*instead of Decision"),
        (lambda s: {"decisions": s.decisions[:-1]}, r"gives \d+ decisions instead of \d+"),
        (lambda s: {"windows": s.windows[:-1]}, "there is one more window than is stored"),
        (lambda s: {"settings": StreamSettings(samples=9)}, "does not fit the contract: The contract's windows have"),
    ],
)
def test_every_deviation_is_named(stream: GoldenStream, change: Change, told: str) -> None:
    with pytest.raises(BundleError, match=rf"^golden\.json: stream synthetic-stream-0 .*{told}"):
        replay(stream.model_copy(update=change(stream)))


def test_each_stage_is_of_the_stored_one_before(stream: GoldenStream) -> None:
    """What a window is answered does not depend on how it is cut: each difference is found where it is."""
    other = make_streams(linear_model((3, 8, 8), seed=1), CONTRACT)[0]
    assert [w.window for w in other.windows] == [w.window for w in stream.windows]
    with pytest.raises(BundleError, match="window 0 gives"):
        replay(other)


def test_the_last_bit_of_a_resampled_window_is_forgiven_and_no_more() -> None:
    stream = made(RESAMPLED)
    for change, fits in ((5e-6, True), (1.2e-5, False)):  # a millionth of a range of 8
        window = numbers(stream.windows[0].window, "<f4") + np.float32(change)
        again = _window_of(window.reshape(3, 16))
        changed = stream.model_copy(update={"windows": (again, *stream.windows[1:])})
        if fits:
            replay(changed, RESAMPLED)
        else:
            with pytest.raises(BundleError, match="window 0 is cut otherwise"):
                replay(changed, RESAMPLED)


def _window_of(window: np.ndarray) -> GoldenWindow:
    """All that follows from a window."""
    model = LiteRTModel(MODEL_OF[id(RESAMPLED)], reference_kernels=True)
    encoding = model_input(window, RESAMPLED)
    raw = model.to_raw(encoding[np.newaxis])
    return GoldenWindow(
        window=base64.b64encode(window.astype("<f4").tobytes()).decode(),
        encoding_sha256=hashlib.sha256(encoding.tobytes()).hexdigest(),
        input_sha256=hashlib.sha256(raw.tobytes()).hexdigest(),
        output=tuple(model.raw(raw)[0].tolist()),
    )


def test_what_has_no_stream() -> None:
    model = MODEL_OF[id(CONTRACT)]
    part = StreamContract(stream="a", placement="wrist", unit="g", axes=("x", "y", "z"), range_limit=8)
    for contract in (
        sensor_contract(window_mode="whole", stride=None, window_rate_hz=None),
        sensor_contract(streams=(part,)),
        sensor_contract(rate_hz=59.94),  # needs too long a filter
        ImageContract(stream="image", size=8, channels=1, crop="full"),
    ):
        assert make_streams(model, contract) == ()


def test_a_model_with_ends_of_floats_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Float(LiteRTModel):
        input_type = "float32"

    monkeypatch.setattr(golden_stream, "LiteRTModel", Float)
    assert make_streams(MODEL_OF[id(CONTRACT)], CONTRACT) == ()


@pytest.mark.parametrize("end", ["input_quantization", "output_quantization"])
def test_a_stream_is_replayed_by_a_model_with_int8_ends_alone(
    stream: GoldenStream, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(LiteRTModel, end, property(lambda _: None))
    with pytest.raises(BundleError, match="A stream is decided in int8, and the model's ends are not"):
        replay(stream)


def test_parts_that_do_not_fit_together_are_refused(stream: GoldenStream) -> None:
    content = stream.model_dump_json()
    for before, after, told in (
        ('"status":"GAP"', '"status":"HOLE"', "no status is called HOLE"),
        ('"status":"GAP"', '"status":"OK"', "windows for"),
        ('"axes":3', '"axes":0', "axes"),
    ):
        with pytest.raises(BundleError, match=told):
            parse_json(GoldenStream, content.replace(before, after, 1).encode(), "golden.json")


def test_a_bundle_holds_it_under_its_seal_and_verify_runs_it(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", CONTRACT)
    golden = read_golden(bundle)
    (stream,) = golden.streams
    assert verify_bundle(bundle.path).golden_decisions == len(stream.decisions)
    late = stream.decisions[3].model_copy(update={"sample": 1})
    wrong = stream.model_copy(update={"decisions": (*stream.decisions[:3], late, *stream.decisions[4:])})
    content = bundle.read(MODEL)
    spoilt = golden.model_copy(update={"streams": (wrong,)})
    write_bundle(bundle.path, model=content, float_model=content, golden=spoilt, manifest=bundle.manifest)
    with pytest.raises(BundleError, match=r"golden\.json: stream synthetic-stream-0 decision 3 is"):
        verify_bundle(bundle.path)


def test_golden_files_of_before_are_read_and_written_as_they_were(tmp_path: Path) -> None:
    golden = read_golden(make_bundle(tmp_path / "bundle", CONTRACT))
    old = golden.model_copy(update={"streams": ()}).model_dump_json()
    assert "streams" not in old and Golden.model_validate_json(old).streams == ()
    assert Golden.model_validate_json(golden.model_dump_json()) == golden


def test_its_size_is_moderate() -> None:
    """Windows of 128 samples with images of 64 x 64: a third of a megabyte, most of it two encodings in full."""
    contract = sensor_contract(length=128, stride=64, **encoded("gasf+gadf", size=64))
    (stream,) = make_streams(linear_model((6, 64, 64)), contract)
    assert len(stream.windows) > 10
    assert len(stream.model_dump_json()) < 500_000
    assert all(a.sample <= b.sample for a, b in pairwise(stream.decisions))


def test_all_of_it_is_of_the_reference_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    class Spy(LiteRTModel):
        def __init__(self, content: bytes, threads: int = 1, reference_kernels: bool = False) -> None:
            asked.append(reference_kernels)
            super().__init__(content, threads, reference_kernels)

    monkeypatch.setattr(golden_stream, "LiteRTModel", Spy)
    replay(made())
    assert asked == [True] * 4


def test_a_model_without_a_stream_has_nothing_of_it() -> None:
    nothing = golden_stream.NO_STREAM
    assert (nothing.calls, nothing.decisions) == ([], [])
    assert (nothing.windows.shape, nothing.outputs.shape) == ((0, 0, 0), (0, 0))
