"""A bundle of clips: from a trained run to int8, its own checks, and videos labelled whole and piece by piece."""

import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.firmware_bridge.bundles import make_bundle
from tests.preprocessing.video.clips import write_clip
from vskd.bundle import predict_clips
from vskd.bundle.bundle import load_bundle, verify_bundle
from vskd.bundle.contract import ClipContract, ImageContract
from vskd.bundle.golden_clips import synthetic_clips
from vskd.bundle.predict_clips import ClipPredictor, predict_clip
from vskd.bundle.probabilities import softmax
from vskd.errors import BundleError, DataError
from vskd.preprocessing.video.chosen import pieces

CONTRACT = ClipContract(stream="rgb", length=5, height=16, width=20, fit="squash", sampling="spread")


def test_golden_clips_fill_their_range_and_move() -> None:
    (_, dull), (_, bright) = synthetic_clips(CONTRACT)
    for clip, low, high in ((dull, 90, 165), (bright, 0, 255)):
        assert clip.shape == CONTRACT.window_shape and clip.dtype == np.float32
        assert low <= clip.min() < low + 12 and high - 12 < clip.max() <= high and (clip == clip.round()).all()
        frames = clip.reshape(CONTRACT.sample_shape).transpose(1, 0, 2, 3)
        assert all(np.abs(a - b).mean() > 1 for a, b in itertools.pairwise(frames))
    assert all(
        np.array_equal(a[1], b[1]) for a, b in zip(synthetic_clips(CONTRACT), synthetic_clips(CONTRACT), strict=True)
    )


def test_a_video_of_no_rate_has_no_pieces_and_arrays_are_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = CONTRACT.model_copy(update={"length": 4, "width": 16})
    bundle = make_bundle(tmp_path / "bundle", contract)
    predictor = ClipPredictor(bundle)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    np.testing.assert_array_equal(predictor.clip_of(pixels), pixels.transpose(3, 0, 1, 2))
    with pytest.raises(BundleError, match=r"array: is float64 \(4, 16, 16, 3\); the model asks for uint8"):
        predictor.clip_of(pixels.astype(float))
    path = write_clip(tmp_path / "a.mp4", 5)
    monkeypatch.setattr("vskd.preprocessing.video.probe.probe_video", lambda _: SimpleNamespace(rate_hz=0.0))
    with pytest.raises(BundleError, match="does not say how many frames a second it has"):
        predict_clip(bundle.path, path, piece_s=1.0)
    asked: list[int] = []
    monkeypatch.setattr("vskd.bundle.predict_clips.LiteRTModel", lambda _, threads: asked.append(threads))
    ClipPredictor(load_bundle(bundle.path))
    ClipPredictor(load_bundle(bundle.path), threads=3)
    assert asked == [1, 3]


def test_a_hand_made_bundle_answers_about_a_video_and_its_pieces(tmp_path: Path) -> None:
    """Each piece is labelled as a clip of its own; grey frames are three equal channels."""
    bundle = make_bundle(tmp_path / "bundle", CONTRACT)
    path = write_clip(tmp_path / "a.mp4", 12)
    whole = predict_clip(bundle.path, path)
    assert whole.starts_s == (0.0,) and whole.answer.windows == 1
    timed = predict_clip(bundle.path, path, piece_s=0.2)  # six frames of thirty a second
    assert timed.starts_s == pytest.approx((0.0, 0.2)) and timed.answer.per_window.shape == (2, 4)
    predictor, cut = ClipPredictor(bundle), predict_clips.cut_of(CONTRACT)
    for row, (frames, count) in zip(timed.answer.per_window, pieces(path, cut, 6, cut.fit), strict=True):
        logits = predictor.logits(predictor.clip_of(frames))
        assert count == 6
        np.testing.assert_allclose(row, softmax(logits))
    assert predict_clip(bundle.path, path, piece_s=9.0).answer.per_window == pytest.approx(whole.answer.per_window)
    grey = np.arange(24, dtype=np.uint8).reshape(2, 3, 4, 1)
    np.testing.assert_array_equal(predict_clips._sample(grey), np.repeat(grey.transpose(3, 0, 1, 2), 3, axis=0))


def test_a_bundle_of_something_else_takes_no_clips(tmp_path: Path) -> None:
    images = ImageContract(stream="image", size=16, channels=1, crop="full")
    with pytest.raises(BundleError, match="does not take video clips"):
        ClipPredictor(make_bundle(tmp_path / "images", images))


def test_the_bundle_is_sealed_and_integers_throughout(clip_bundle: Path) -> None:
    manifest = load_bundle(clip_bundle).manifest
    assert isinstance(manifest.contract, ClipContract)
    assert manifest.contract.sample_shape == (3, 4, 16, 16)
    assert (manifest.quantization.input_type, manifest.quantization.output_type) == ("int8", "int8")
    assert manifest.parity_float32.max_abs_error < 1e-3
    verify_bundle(clip_bundle)
    card = (clip_bundle / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "4 frames of it: the middle ones of equal parts" in card and "for one clip" in card


def test_a_file_gives_what_its_stored_frames_give(clip_bundle: Path, moves_root: Path, tmp_path: Path) -> None:
    """The frames that training saw, through another door."""
    from vskd.datasets.catalog import get_dataset
    from vskd.modalities.base import Source
    from vskd.modalities.catalog import asked_by, inputs_of
    from vskd.modalities.clip import ClipSees
    from vskd.schema import parse

    index = get_dataset("video-folder").index(moves_root)
    predictor = ClipPredictor(load_bundle(clip_bundle))
    source = Source("video-folder", index.by_id(), index.labels, None, "camera", tmp_path)
    inputs = inputs_of(source, parse(ClipSees, asked_by(predictor.contract)))
    for recording in ("test/down/f.mp4", "train/still/b.mp4"):
        (batch,) = inputs.batches([recording], batch_size=1)
        logits = predictor.logits(inputs.deployed(batch.inputs)[0])
        answer = predict_clip(clip_bundle, moves_root / recording).answer
        probabilities = np.exp(logits) / np.exp(logits).sum()
        assert answer.label == index.labels[int(logits.argmax())]
        np.testing.assert_allclose(answer.per_window[0], probabilities, atol=1e-6)


def test_a_long_video_is_labelled_piece_by_piece(clip_bundle: Path, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "long.mp4", 75)
    timed = predict_clip(clip_bundle, path, piece_s=1.0)
    assert timed.starts_s == (0.0, 1.0, 2.0) and timed.answer.per_window.shape == (3, 3)
    np.testing.assert_allclose(sum(timed.answer.probabilities.values()), 1, atol=1e-6)
    assert predict_clip(clip_bundle, path).starts_s == (0.0,)


def test_arrays_of_frames(clip_bundle: Path) -> None:
    from vskd import load_bundle as opened

    bundle = opened(clip_bundle)
    answer = bundle.predict(np.zeros((4, 16, 16, 3), np.uint8))
    assert answer.label in bundle.classes and answer.windows == 1
    with pytest.raises(BundleError, match=r"uint8 \(4, 20, 16, 3\); the model asks for uint8 \(4, 16, 16, 3\)"):
        bundle.predict(np.zeros((4, 20, 16, 3), np.uint8))
    with pytest.raises(BundleError, match="Leave out rate_hz and box"):
        bundle.predict(np.zeros((4, 16, 16, 3), np.uint8), rate_hz=30.0)


def test_what_a_bundle_of_clips_does_not_take(clip_bundle: Path, tmp_path: Path) -> None:
    from vskd.bundle.predict import predict_file
    from vskd.bundle.predict_images import predict_images
    from vskd.firmware_bridge.generate import read_firmware

    with pytest.raises(BundleError, match="takes video clips, not recordings of a sensor"):
        predict_file(clip_bundle, tmp_path / "a.csv")
    with pytest.raises(BundleError, match="takes video clips, not images"):
        predict_images(clip_bundle, tmp_path / "a.jpg")
    with pytest.raises(BundleError, match="which firmware does not read"):
        read_firmware(load_bundle(clip_bundle))
    with pytest.raises(DataError, match="no such file"):
        predict_clip(clip_bundle, tmp_path / "none.mp4")
    with pytest.raises(BundleError, match=f"^{tmp_path} is a folder, and {clip_bundle} takes one video at a time"):
        predict_clip(clip_bundle, tmp_path)


def test_the_command_line(clip_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from vskd.cli.main import run

    path = write_clip(tmp_path / "long.mp4", 75)

    def vskd(*words: object) -> tuple[int, str]:
        capsys.readouterr()
        code = run([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    code, text = vskd("predict", clip_bundle, path, "--piece", "1")
    assert code == 0 and "start (s)" in text and "ms a clip" in text
    code, text = vskd("predict", clip_bundle, path, "--json")
    assert code == 0 and '"pieces"' in text
    code, text = vskd("predict", clip_bundle, path, "--every", "3")
    assert code == 2 and f"--every does not fit {clip_bundle}, which takes video clips." in text


def test_pieces_have_a_frame_at_least_and_begin_where_the_one_before_ends(clip_bundle: Path, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "short.mp4", 5)
    assert predict_clip(clip_bundle, path, piece_s=0.001).starts_s == pytest.approx([k / 30 for k in range(5)])
    two = predict_clip(clip_bundle, path, piece_s=0.06)  # 1.8 frames
    assert two.starts_s == pytest.approx([0, 2 / 30, 4 / 30]) and two.answer.windows == 3
    assert predict_clip(clip_bundle, path, piece_s=99.0).starts_s == (0.0,)


def test_what_cannot_be_cut_into_pieces_is_refused(
    clip_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "a.mp4", 5)
    plain = predict_clips.cut_of(CONTRACT)
    assert (plain.length, plain.height, plain.width, plain.fit, plain.sampling) == (5, 16, 20, "squash", "spread")
    for fit in ("foreground", "projections"):
        asked = predict_clips.cut_of(CONTRACT.model_copy(update={"fit": fit}))
        monkeypatch.setattr(predict_clips, "cut_of", lambda _, asked=asked: asked)
        with pytest.raises(BundleError, match="cuts out the figure of a whole clip"):
            predict_clip(clip_bundle, path, piece_s=1.0)
