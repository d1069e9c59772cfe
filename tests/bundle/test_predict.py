"""Prediction of a file: same answer as the network, sliding windows, and no torch anywhere."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from tests.export.conftest import LABELS, SAMPLES, export_tiny, sensor_contract
from tests.firmware_bridge.bundles import make_bundle
from vskd.bundle.bundle import load_bundle
from vskd.bundle.contract import ImageContract
from vskd.bundle.file_reading import FileReading
from vskd.bundle.predict import Prediction, Predictor, contract_windows, predict_file, predict_samples, sees_windows
from vskd.bundle.probabilities import softmax
from vskd.bundle.recorded import Recorded
from vskd.distillation.model import Model
from vskd.errors import BundleError
from vskd.export.ship import ExportReport
from vskd.preprocessing.sensor.resampling import resampled
from vskd.preprocessing.sensor.signals import resample_to_length, resample_to_rate


def recording(samples: int = 100) -> np.ndarray:
    """(samples, 3) of a turning sensor in g."""
    time = np.linspace(0, 4, samples)[:, None]
    return (0.8 * np.sin(time * np.array([1.0, 1.5, 2.0]) + np.arange(3))).astype(np.float32)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "recording.npy"
    np.save(path, recording())
    return path


def test_prediction_is_that_of_the_network(sealed: ExportReport, tiny_student: Model, file: Path):
    prediction = predict_file(sealed.bundle.path, file, FileReading(rate_hz=50, unit="g"))
    window = resample_to_length(recording().T, SAMPLES)
    with torch.no_grad():
        expected = tiny_student(torch.from_numpy(window[None])).logits.softmax(dim=-1)[0].numpy()
    assert prediction.label == LABELS[int(expected.argmax())]
    assert [prediction.probabilities[name] for name in LABELS] == pytest.approx(expected, abs=0.02)
    assert list(prediction.probabilities.values()) == sorted(prediction.probabilities.values(), reverse=True)
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert (prediction.windows, prediction.notes) == (1, ())
    assert prediction.latency_ms > 0


def test_of_equal_classes_the_first_wins(sealed: ExportReport, monkeypatch: pytest.MonkeyPatch):
    predictor = Predictor(load_bundle(sealed.bundle.path))
    monkeypatch.setattr(predictor, "logits", lambda _: np.array([1.0, 2.0, 2.0, 0.0], np.float32))
    assert predictor.predict(Recorded(recording().T, 50.0, ())).label == LABELS[1]


def test_sliding_windows_are_averaged(tiny_student: Model, out: Path, tmp_path: Path):
    contract = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=16)
    export_tiny(tiny_student, out, contract=contract)
    np.save(tmp_path / "recording.npy", recording(96))
    prediction = predict_file(out, tmp_path / "recording.npy", FileReading(rate_hz=50))
    assert prediction.windows == 5  # (96 - 32) / 16 + 1
    predictor = Predictor(load_bundle(out))
    starts = range(0, 65, 16)
    mean = softmax(np.stack([predictor.logits(recording(96).T[:, s : s + 32].copy()) for s in starts])).mean(axis=0)
    assert [prediction.probabilities[name] for name in LABELS] == pytest.approx(mean)


def test_sliding_windows_at_another_rate_are_resampled():
    contract = sensor_contract(window_mode="sliding", window_rate_hz=25.0, stride=32)
    windows = contract_windows(Recorded(recording(128).T.copy(), 50.0, ()), contract)
    assert windows.shape == (2, 3, 32)  # 128 samples at 50 Hz are 64 at 25 Hz


def test_the_rate_of_the_recording_itself_counts():
    """Not the one that the contract asks for, which it may differ from by a few percent."""
    contract = sensor_contract(window_mode="sliding", window_rate_hz=25.0, stride=16)
    signal = recording(128).T.copy()
    for rate, windows in ((48.5, 3), (51.5, 2)):  # 128 samples are 66 and 62 at 25 Hz
        found = contract_windows(Recorded(signal, rate, ()), contract)
        assert found.shape == (windows, 3, 32)
        np.testing.assert_array_equal(found[1], resampled(signal, rate, 25.0)[:, 16:48])


def test_a_recording_shorter_than_a_window_is_refused():
    contract = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=16)
    with pytest.raises(BundleError, match="asks for 32 samples at 50 Hz, and it has 31"):
        contract_windows(Recorded(recording(31).T.copy(), 50.0, ()), contract)


def test_no_window_reaches_across_a_gap():
    contract = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=16)
    signal = recording(100).T.copy()
    windows = contract_windows(Recorded(signal, 50.0, (), breaks=(45, 50)), contract)
    starts = [0, 50, 66]  # the five samples between the gaps give none
    np.testing.assert_array_equal(windows, np.stack([signal[:, k : k + 32] for k in starts]))
    with pytest.raises(BundleError, match="it has 31 between its 2 gaps"):
        contract_windows(Recorded(signal[:, :93].copy(), 50.0, (), breaks=(31, 62)), contract)


def test_how_a_file_was_understood_is_told(sealed: ExportReport, tmp_path: Path):
    path = tmp_path / "a.csv"
    rows = [f"{20 * n};{y};{x};{z}" for n, (x, y, z) in enumerate(recording())]
    path.write_text("time_ms;accY (g);accX (g);accZ (g)\n" + "\n".join(rows).replace(".", ","), encoding="utf-8")
    told = predict_file(sealed.bundle.path, path)
    assert told.understood == (
        ("read as", "text separated by semicolon, utf-8"),
        ("columns", "accX, accY, accZ"),
        ("unit", "g (the file)"),
        ("rate", "50 Hz (column 'time_ms', in ms)"),
    )
    assert told.probabilities == predict_file(sealed.bundle.path, path, FileReading(columns=(2, 1, 3))).probabilities


def test_every_option_reaches_the_reader(sealed: ExportReport, file: Path, tmp_path: Path):
    plain = predict_file(sealed.bundle.path, file, FileReading(rate_hz=50, unit="g"))
    both = np.hstack([recording(), 0.5 * recording()[::-1]])
    savemat(tmp_path / "two.mat", {"first": both, "second": 9.80665 * both[:, [1, 0, 2]]})
    asked = {"rate_hz": 49.5, "unit": "m/s^2", "variable": "second", "columns": (1, 0, 2)}
    told = predict_file(sealed.bundle.path, tmp_path / "two.mat", FileReading(**asked))
    assert told.probabilities == pytest.approx(plain.probabilities, abs=0.01)
    assert dict(told.understood)["unit"] == "m/s^2 (the option)"
    assert dict(told.understood)["rate"] == "49.5 Hz (the option)"


def test_a_real_recording_is_read_by_the_contract_s_hint(tiny_student: Model, out: Path, utd_mhad_root: Path):
    contract = sensor_contract(mat_variable="d_iner", mat_columns=(0, 1, 2))
    export_tiny(tiny_student, out, contract=contract)
    prediction = predict_file(out, utd_mhad_root / "Inertial" / "a1_s1_t1_inertial.mat")
    assert prediction.label in LABELS and prediction.notes == ()
    assert dict(prediction.understood)["rate"] == "50 Hz (of the data set's own files)"


def test_a_changed_bundle_does_not_predict(bundle_copy: Path, file: Path):
    content = bytearray((bundle_copy / "model.tflite").read_bytes())
    content[-1] ^= 1
    (bundle_copy / "model.tflite").write_bytes(content)
    with pytest.raises(BundleError, match=r"model\.tflite was changed"):
        predict_file(bundle_copy, file)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"rate_hz": 20.0}, ("50 Hz", "20 Hz")),
        ({"unit": "m/s^2"}, ("asks for g", "m/s^2")),
        ({"columns": (0, 1)}, ("3 channels", "2 columns")),
    ],
)
def test_a_recording_that_does_not_fit_is_refused(sealed: ExportReport, file: Path, options: dict, parts: tuple):
    with pytest.raises(BundleError) as caught:
        predict_file(sealed.bundle.path, file, FileReading(**options))
    assert all(part in str(caught.value) for part in parts)


def test_predicting_and_verifying_need_no_torch(sealed: ExportReport, file: Path):
    program = (
        "import sys; from pathlib import Path\n"
        "from vskd.bundle.file_reading import FileReading\nfrom vskd.bundle.predict import predict_file\n"
        "from vskd.bundle.bundle import verify_bundle\n"
        f"print(predict_file(Path({str(sealed.bundle.path)!r}), Path({str(file)!r}), FileReading(rate_hz=50)).label)\n"
        f"verify_bundle(Path({str(sealed.bundle.path)!r}))\n"
        "heavy = ('torch', 'torchvision', 'litert_torch', 'ai_edge_quantizer', 'lightning', 'pandas', 'sklearn')\n"
        "sys.exit(' '.join(m for m in heavy if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() in LABELS


def test_softmax_of_large_logits_is_finite():
    np.testing.assert_allclose(
        softmax(np.array([[1000.0, 1000.0], [0.0, np.log(3)]], np.float32)), [[0.5, 0.5], [0.25, 0.75]], atol=1e-6
    )


def test_a_whole_recording_at_another_rate_is_filtered_before_it_is_shortened() -> None:
    """As training saw it: at the contract's rate. Reading off every n-th sample would fold fast movements into slow."""
    contract = sensor_contract()
    fast = recording(200).T.copy()
    expected = resample_to_length(resample_to_rate(fast, 104.0, 50.0), SAMPLES)
    np.testing.assert_array_equal(contract_windows(Recorded(fast, 104.0, ()), contract)[0], expected)
    np.testing.assert_array_equal(
        contract_windows(Recorded(fast, 51.0, ()), contract)[0], resample_to_length(fast, SAMPLES)
    )


@pytest.mark.parametrize(
    ("content", "sees"),
    [
        ('{"contract": {"window_mode": "sliding"}}', True),
        ('{"contract": {"window_mode": "whole"}}', False),
        ('{"contract": {"kind": "image"}}', False),
        *(('{"contract": 3}', False), ("[]", False), ("{", False), (None, False)),
    ],
)
def test_whether_a_model_sees_windows_is_read_off_its_manifest(tmp_path: Path, content: str | None, sees: bool) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    assert sees_windows(tmp_path) is sees


def test_samples_are_run_once_unmeasured_and_then_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    now = iter([10.0, 13.0])
    monkeypatch.setattr("vskd.bundle.predict.time.perf_counter", lambda: next(now))

    def logits_of(sample: int) -> np.ndarray:
        asked.append(sample)
        return np.log(np.array([[0.2, 0.5, 0.3], [0.4, 0.1, 0.5]][sample], np.float32))

    found = predict_samples(logits_of, [0, 1, 1], ("a", "b", "c"), ("note",))
    assert asked == [0, 0, 1, 1] and found.latency_ms == pytest.approx(1000.0)
    assert (found.label, found.labels, found.windows) == ("c", ("b", "c", "c"), 3)
    assert list(found.probabilities) == ["c", "a", "b"] and found.notes == ("note",)
    assert list(found.probabilities.values()) == pytest.approx([1.3 / 3, 1.0 / 3, 0.7 / 3])
    assert {type(value) for value in found.probabilities.values()} == {float}
    np.testing.assert_allclose(found.per_window, [[0.2, 0.5, 0.3], [0.4, 0.1, 0.5], [0.4, 0.1, 0.5]], rtol=1e-6)
    bare = Prediction("a", {}, 0.0, 1)
    assert (bare.notes, bare.classes, bare.understood, bare.per_window.shape) == ((), (), (), (0, 0))


@pytest.mark.parametrize(("rate", "filtered"), [(51.5, False), (51.6, True), (48.5, False), (48.4, True)])
def test_a_whole_recording_within_three_percent_is_taken_as_it_is(rate: float, filtered: bool) -> None:
    signal = recording(90).T.copy()
    (window,) = contract_windows(Recorded(signal, rate, ()), sensor_contract())
    assert np.array_equal(window, resample_to_length(signal, SAMPLES)) is not filtered


def test_a_model_is_given_its_threads(sealed: ExportReport, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr("vskd.bundle.predict.LiteRTModel", lambda content, threads: asked.append(threads))
    for words in ({}, {"threads": 3}):
        Predictor(load_bundle(sealed.bundle.path), **words)
    assert asked == [1, 3]


def test_a_bundle_of_images_takes_no_recordings(tmp_path: Path) -> None:
    path = make_bundle(tmp_path / "images", ImageContract(stream="image", size=16, channels=1, crop="full")).path
    with pytest.raises(BundleError, match=r"takes images, not recordings of a sensor\. Name an image \(\.jpg, \.png\)"):
        predict_file(path, tmp_path / "a.csv")


def test_many_equal_classes_stay_in_their_order() -> None:
    classes = tuple(f"c{n:03}" for n in range(300))
    found = predict_samples(lambda _: np.zeros(300, np.float32), [0], classes)
    assert list(found.probabilities) == list(classes)


def test_answers_are_compared_and_shown_without_what_is_behind_them() -> None:
    one, other = (
        Prediction("a", {"a": 1.0}, 0.5, 2, per_window=np.full((2, 1), x), understood=(("unit", str(x)),))
        for x in (1.0, 0.5)
    )
    assert one == other and "per_window" not in repr(one) and "understood" in repr(one)


@pytest.mark.parametrize("missing", ["stride", "window_rate_hz"])
def test_a_contract_that_nothing_checked_is_a_programming_error(missing: str) -> None:
    contract = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=16)
    with pytest.raises(ValueError, match="a window rate and a stride"):
        contract_windows(Recorded(recording().T, 50.0, ()), contract.model_copy(update={missing: None}))
