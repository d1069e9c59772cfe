"""Arrays asked about in memory get the answers that their files get."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vskd
from tests.export.conftest import LABELS, export_tiny, sensor_contract
from tests.firmware_bridge.bundles import make_bundle
from vskd.bundle.contract import ClipContract, ImageContract
from vskd.bundle.file_reading import FileReading
from vskd.bundle.image_input import picture_of, read_pictures
from vskd.bundle.opened import OpenedBundle
from vskd.bundle.predict import Prediction, predict_file, predict_samples
from vskd.bundle.predict_images import predict_images
from vskd.bundle.probabilities import softmax
from vskd.errors import BundleError, DataError
from vskd.export.ship import ExportReport


def samples(count: int = 100) -> np.ndarray:
    """(samples, 3) of a turning sensor in g."""
    time = np.linspace(0, 4, count)[:, None]
    return 0.8 * np.sin(time * np.array([1.0, 1.5, 2.0]) + np.arange(3))


@pytest.fixture
def opened(sealed: ExportReport) -> OpenedBundle:
    return vskd.load_bundle(sealed.bundle.path)


def test_an_array_and_its_file_get_one_answer(opened: OpenedBundle, tmp_path: Path) -> None:
    np.save(tmp_path / "r.npy", samples())
    by_file = predict_file(opened.bundle.path, tmp_path / "r.npy", FileReading(rate_hz=50, unit="g"))
    by_array = opened.predict(samples(), rate_hz=50)
    assert replace(by_array, latency_ms=0.0) == replace(by_file, latency_ms=0.0)
    np.testing.assert_array_equal(by_array.per_window, by_file.per_window)
    assert opened.classes == by_array.classes == LABELS
    assert opened.predict(samples().tolist(), rate_hz=50).probabilities == by_array.probabilities


def test_each_window_has_its_own_answer(tiny_student, out: Path) -> None:
    export_tiny(tiny_student, out, contract=sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=16))
    answer = vskd.load_bundle(str(out)).predict(samples(96), 50)
    assert answer.windows == len(answer.labels) == 5
    assert answer.per_window.shape == (5, 4)
    np.testing.assert_allclose(answer.per_window.sum(axis=1), 1)
    mean = answer.per_window.mean(axis=0)
    assert [answer.probabilities[name] for name in LABELS] == pytest.approx(mean)
    assert answer.label == LABELS[int(mean.argmax())]
    assert answer.labels == tuple(LABELS[k] for k in answer.per_window.argmax(axis=1))


def test_samples_are_averaged_as_probabilities() -> None:
    logits = {0: np.array([3.0, 0.0], np.float32), 1: np.array([0.0, 1.0], np.float32)}
    answer = predict_samples(logits.__getitem__, [0, 1], ("a", "b"), ("said",))
    expected = softmax(np.stack([logits[0], logits[1]])).mean(axis=0)
    assert answer.probabilities == pytest.approx({"a": expected[0], "b": expected[1]})
    assert (answer.labels, answer.label, answer.notes, answer.windows) == (("a", "b"), "a", ("said",), 2)
    assert Prediction("a", {"a": 1.0}, 0.1, 1).labels == ()


def test_a_rate_that_nobody_said_is_noted(opened: OpenedBundle) -> None:
    assert opened.predict(samples()).notes == ("no rate was given; 50 Hz is assumed",)
    assert opened.predict(samples(), rate_hz=49.5).notes == ()


@pytest.mark.parametrize(
    ("array", "rate_hz", "error", "match"),
    [
        (samples(), 20.0, BundleError, "the array: wrong rate: the model asks for 50 Hz, the caller says 20 Hz"),
        (samples(), 0.0, BundleError, "wrong rate"),
        (samples().T, None, BundleError, r"asks for 3 channels \(x, y, z\), the array has shape \(3, 100\)"),
        (samples()[:, 0], None, BundleError, r"shape \(100,\)"),
        (samples(10), None, BundleError, "wrong length: the model asks for 20 to 400 samples"),
        (samples(401), None, BundleError, "the recording has 401"),
        (9.81 * samples(), None, BundleError, "look like m/s"),
        (np.full((100, 3), "x"), None, DataError, "not real numbers"),
        (np.full((100, 3), 1j), None, DataError, "not real numbers"),
        (np.where(np.arange(100)[:, None] == 7, np.nan, samples()), None, DataError, "axis x, sample 7"),
        (np.full((100, 3), 1e300), None, DataError, "not finite"),
    ],
)
def test_what_does_not_fit_is_refused(opened: OpenedBundle, array, rate_hz, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        opened.predict(array, rate_hz=rate_hz)


def test_a_box_is_for_images_and_a_rate_for_recordings(opened: OpenedBundle, finished_images) -> None:
    with pytest.raises(BundleError, match="A box was given"):
        opened.predict(samples(), box="whole")
    with pytest.raises(BundleError, match="A rate was given"):
        vskd.load_bundle(finished_images.bundle).predict(np.zeros((40, 40), np.uint8), rate_hz=50)


def test_it_says_what_it_is_and_verifies_itself(opened: OpenedBundle, bundle_copy: Path) -> None:
    assert opened.contract.unit == "g" and str(opened.bundle.path) in repr(opened)
    assert opened.verify().golden_vectors > 0
    copy = vskd.load_bundle(bundle_copy)
    (bundle_copy / "golden.json").write_text("{}")
    with pytest.raises(BundleError, match=r"golden\.json was changed"):
        copy.verify()
    with pytest.raises(vskd.VskdError, match="There is no folder"):
        vskd.load_bundle("nowhere")


def test_images_and_their_files_get_one_answer(finished_images, shapes_root: Path) -> None:
    from PIL import Image

    opened = vskd.load_bundle(finished_images.bundle)
    files = sorted(shapes_root.rglob("*.png"))[:3]
    pixels = np.stack([np.asarray(Image.open(file)) for file in files])
    together = opened.predict(pixels)
    assert together.per_window.shape == (3, len(opened.classes))
    for row, file in enumerate(files):
        expected = predict_images(finished_images.bundle, file).mean
        assert opened.predict(pixels[row]).probabilities == expected
        assert dict(zip(opened.classes, together.per_window[row], strict=True)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.zeros((40, 40, 3)), "holds float64; the model asks for pixel values 0..255"),
        (np.zeros((40, 40, 4), np.uint8), r"has shape \(40, 40, 4\)"),
        (np.zeros(40, np.uint8), r"has shape \(40,\)"),
        (np.zeros((0, 40, 40, 3), np.uint8), "asks for images"),
        (np.zeros((4, 40), np.uint8), "the image has 40 x 4 pixels"),
    ],
)
def test_arrays_that_are_no_images_are_refused(finished_images, array: np.ndarray, match: str) -> None:
    with pytest.raises(BundleError, match=match):
        vskd.load_bundle(finished_images.bundle).predict(array)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_that_fits_already_is_taken_as_pillow_would(tmp_path: Path, channels: int) -> None:
    from PIL import Image

    contract = ImageContract(stream="image", size=16, channels=channels, crop="full")
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3)[: 2 if channels == 1 else 3], dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (by_pillow,) = (shown.picture for shown in read_pictures(tmp_path / "a.png", contract, box=None))
    np.testing.assert_array_equal(picture_of(pixels, contract, None, tmp_path), by_pillow)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("box", [None, (5.0, 4.0, 25.0, 24.0)])
def test_a_picture_is_cut_and_scaled_as_its_file_is(tmp_path: Path, channels: int, box) -> None:
    from PIL import Image

    crop = "full" if box is None else "box"
    contract = ImageContract(stream="image", size=16, channels=channels, crop=crop, margin=0.25)
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (by_file,) = (shown.picture for shown in read_pictures(tmp_path / "a.png", contract, box=box))
    np.testing.assert_array_equal(picture_of(pixels, contract, box, tmp_path), by_file)


@pytest.mark.parametrize("channels", [1, 3])
def test_one_image_several_and_grey_ones(tmp_path: Path, channels: int) -> None:
    """By a hand-made bundle: each gets the answer that it gets alone, whatever its size."""
    contract = ImageContract(stream="image", size=16, channels=channels, crop="full")
    opened = vskd.load_bundle(make_bundle(tmp_path / "bundle", contract).path)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 20, 24, 3), dtype=np.uint8)
    together = opened.predict(pixels)
    assert (together.windows, together.per_window.shape, together.classes) == (2, (2, 4), opened.classes)
    for row, image in enumerate(pixels):
        np.testing.assert_allclose(opened.predict(image).per_window[0], together.per_window[row])
        np.testing.assert_allclose(
            together.per_window[row],
            softmax(opened._predictor.logits(picture_of(image, contract, None, tmp_path))),  # type: ignore[union-attr, arg-type]
        )
    grey = np.repeat(pixels[0, :, :, :1], 3, axis=2)
    np.testing.assert_allclose(opened.predict(grey[..., 0]).per_window, opened.predict(grey).per_window, atol=0.02)
    with pytest.raises(BundleError, match="A rate was given, and the model takes images"):
        opened.predict(pixels, rate_hz=50.0)
    with pytest.raises(BundleError, match="takes whole images, and a box was given"):
        opened.predict(pixels, box=(0.0, 0.0, 16.0, 16.0))
    for wrong in (pixels[..., :2], pixels[:0], pixels[None], pixels[0, 0, :, 0]):
        with pytest.raises(BundleError, match="asks for images"):
            opened.predict(wrong)
    with pytest.raises(BundleError, match="holds int64; the model asks for pixel values"):
        opened.predict(pixels.astype(np.int64))


def test_a_box_of_an_array_is_cut_out_of_every_image(tmp_path: Path) -> None:
    contract = ImageContract(stream="image", size=16, channels=3, crop="box", margin=0.0, min_side=10)
    opened = vskd.load_bundle(make_bundle(tmp_path / "bundle", contract).path)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 30, 40, 3), dtype=np.uint8)
    cut = opened.predict(pixels, box=(4.0, 2.0, 20.0, 18.0)).per_window
    np.testing.assert_allclose(cut, opened.predict(pixels[:, 2:18, 4:20], box="whole").per_window)
    with pytest.raises(BundleError, match="no box was given"):
        opened.predict(pixels)
    with pytest.raises(BundleError, match="the array: the box has 9 x 16 pixels; the model asks for at least 10"):
        opened.predict(pixels, box=(4.0, 2.0, 13.0, 18.0))
    with pytest.raises(BundleError, match="the array: the image has 40 x 9 pixels"):
        opened.predict(pixels[0, :9], box="whole")


def test_the_model_gets_as_many_threads_as_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = make_bundle(tmp_path / "image", ImageContract(stream="image", size=16, channels=1, crop="full")).path
    sensor = make_bundle(tmp_path / "sensor", sensor_contract()).path
    asked: list[int] = []
    for module in ("predict", "predict_images"):
        monkeypatch.setattr(f"vskd.bundle.{module}.LiteRTModel", lambda _, threads: asked.append(threads))
    for path in (image, sensor):
        vskd.load_bundle(path)
        vskd.load_bundle(str(path), threads=3)
    assert asked == [1, 3, 1, 3]


def test_frames_of_a_clip_are_asked_about_without_a_rate_or_a_box(tmp_path: Path) -> None:
    contract = ClipContract(stream="rgb", length=2, height=8, width=6, fit="squash", sampling="spread")
    opened = vskd.load_bundle(make_bundle(tmp_path / "clips", contract).path)
    frames = np.random.default_rng(0).integers(0, 256, (2, 8, 6, 3), dtype=np.uint8)
    logits = opened._predictor.logits(frames.transpose(3, 0, 1, 2))  # type: ignore[union-attr, arg-type]
    np.testing.assert_allclose(opened.predict(frames).per_window, softmax(logits)[None])
    for words in ({"rate_hz": 30.0}, {"box": "whole"}):
        with pytest.raises(BundleError, match="A rate or a box was given, and the model takes clips"):
            opened.predict(frames, **words)  # type: ignore[arg-type]


def test_a_signature_is_asked_for_where_keys_are_named(opened: OpenedBundle, tmp_path: Path) -> None:
    (tmp_path / "keys.pub").touch()
    with pytest.raises(BundleError, match="is not signed"):
        vskd.load_bundle(opened.bundle.path, signed_by=str(tmp_path / "keys.pub"))
