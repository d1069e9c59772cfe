"""Prediction of images: the evaluated answers again, folders, refusals of the other kind of bundle, and no torch."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge.bundles import LABELS, make_bundle
from tests.preprocessing.video.clips import write_clip
from vskd.bundle.bundle import load_bundle, verify_bundle
from vskd.bundle.contract import ImageContract
from vskd.bundle.file_reading import FileReading
from vskd.bundle.predict import predict_file
from vskd.bundle.predict_images import ImagePredictor, predict_images
from vskd.errors import BundleError, DataError
from vskd.evaluation.predictions import read_csv
from vskd.export.evaluate import bundle_recipe, evaluate_bundle


def test_prediction_is_what_evaluation_found(finished_images, shapes_root: Path) -> None:
    """The path without torch against the path that evaluates."""
    table = read_csv(finished_images.student / "int8" / "predictions.csv")
    for row in (0, 7):
        answer = predict_images(finished_images.bundle, shapes_root / f"{table.ids[row]}.png")
        assert (answer.kind, len(answer.answers), answer.left_out) == ("image", 1, ())
        found = [answer.mean[name] for name in table.class_names]
        np.testing.assert_allclose(found, table.probabilities[row], atol=1e-6)
        assert answer.answers[0].label == next(iter(answer.mean))
        assert answer.latency_ms > 0


def test_a_folder_is_answered_image_by_image(finished_images, shapes_root: Path, tmp_path: Path) -> None:
    import shutil

    folder = Path(shutil.copytree(shapes_root / "test", tmp_path / "test"))
    (folder / "cross" / "broken.png").write_bytes(b"no image")
    answer = predict_images(finished_images.bundle, folder)
    table = read_csv(finished_images.student / "int8" / "predictions.csv")
    by_id = {f"test/{Path(a.source).relative_to(folder).with_suffix('').as_posix()}": a for a in answer.answers}
    assert set(by_id) == set(table.ids)
    for row, recording in enumerate(table.ids):
        assert by_id[recording].label == table.class_names[table.predicted[row]]
    assert [Path(source).name for source, _ in answer.left_out] == ["broken.png"]
    assert answer.mean == {}


def test_nothing_readable_is_an_error(finished_images, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match="none of 1 images can be read"):
        predict_images(finished_images.bundle, tmp_path)


def test_the_contract_is_read_off_the_recipe(finished_images) -> None:
    contract = load_bundle(finished_images.bundle).manifest.contract
    assert isinstance(contract, ImageContract)
    assert (contract.size, contract.channels, contract.crop, contract.margin) == (32, 1, "full", 0.0)
    recipe = bundle_recipe(load_bundle(finished_images.bundle), Path("/data"), None, None, None)
    asked, student = recipe.student.sees, finished_images.recipes[0].student.sees
    assert (asked.modality, asked.size, asked.grey, asked.streams) == ("image", 32, True, student.streams)
    assert (asked.crop, asked.margin) == (student.crop, student.margin)


def test_the_bundle_verifies_and_holds_nobody(finished_images) -> None:
    assert verify_bundle(finished_images.bundle).golden_vectors == 2
    golden = (finished_images.bundle / "golden.json").read_text(encoding="utf-8")
    assert "synthetic-0" in golden and "train/" not in golden


def test_evaluating_the_bundle_gives_what_its_run_got(finished_images, shapes_root: Path, tmp_path: Path) -> None:
    evaluate_bundle(finished_images.bundle, shapes_root, out=tmp_path / "results")
    first, second = (
        (folder / "predictions.csv").read_text(encoding="utf-8")
        for folder in (tmp_path / "results", finished_images.student / "int8")
    )
    assert first == second


def test_bundle_and_file_must_be_of_one_kind(finished_images, finished_comparison, shapes_root: Path) -> None:
    with pytest.raises(BundleError, match="takes images, not recordings of a sensor"):
        predict_file(finished_images.bundle, Path("recording.csv"))
    with pytest.raises(BundleError, match="takes recordings of a sensor"):
        predict_images(finished_comparison.bundle, shapes_root / "driver.jpg")
    with pytest.raises(
        BundleError, match=r"test is a folder, and .* takes one recording of a sensor \(accelerometer\)"
    ):
        predict_images(finished_comparison.bundle, shapes_root / "test")


def test_several_images_from_one_predictor(finished_images) -> None:
    predictor = ImagePredictor(load_bundle(finished_images.bundle))
    dark, bright = (predictor.logits(np.full((1, 32, 32), level, np.uint8)) for level in (0, 255))
    assert dark.shape == bright.shape == (3,)
    np.testing.assert_array_equal(dark, predictor.logits(np.zeros((1, 32, 32), np.uint8)))


def test_predicting_images_needs_no_torch(finished_images, shapes_root: Path) -> None:
    script = (
        "import sys\n"
        "heavy = ('torch', 'torchvision', 'litert_torch', 'ai_edge_quantizer', 'lightning', 'pandas', 'sklearn')\n"
        "from pathlib import Path\n"
        "from vskd.bundle.predict_images import predict_images\n"
        f"print(predict_images(Path({str(finished_images.bundle)!r}), Path({str(shapes_root / 'test')!r})).kind)\n"
        "loaded = [name for name in heavy if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "folder"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A hand-made bundle of colour images of 16 x 16."""
    return make_bundle(tmp_path / "bundle", ImageContract(stream="image", size=16, channels=3, crop="full")).path


def write_image(path: Path, seed: int = 0, side: int = 16) -> np.ndarray:
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def expected(bundle: Path, pixels: np.ndarray) -> np.ndarray:
    logits = ImagePredictor(load_bundle(bundle)).logits(pixels.transpose(2, 0, 1)).astype(float)
    return np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()


def test_an_image_has_one_answer_with_all_classes_the_likeliest_first(small: Path, tmp_path: Path) -> None:
    pixels = write_image(tmp_path / "a.png")
    found = predict_images(small, tmp_path / "a.png")
    (answer,) = found.answers
    assert (found.kind, found.left_out, found.mean) == ("image", (), answer.probabilities)
    assert answer.source == str(tmp_path / "a.png") and set(answer.probabilities) == set(LABELS)
    assert [answer.probabilities[name] for name in LABELS] == pytest.approx(expected(small, pixels), abs=1e-6)
    assert list(answer.probabilities.values()) == sorted(answer.probabilities.values(), reverse=True)
    assert answer.label == next(iter(answer.probabilities)) and found.latency_ms > 0


def test_of_a_folder_each_image_is_answered_and_what_is_none_is_left_out(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    pixels = {name: write_image(folder / name, seed) for seed, name in enumerate(("a.png", "c.png"))}
    (folder / "b.png").write_bytes(b"none")
    runs, now = [], iter([1.0, 2.0, 5.0, 8.0])
    logits = ImagePredictor.logits
    monkeypatch.setattr(ImagePredictor, "logits", lambda self, picture: runs.append(1) or logits(self, picture))
    monkeypatch.setattr("vskd.bundle.predict_images.time.perf_counter", lambda: next(now))
    found = predict_images(small, folder)
    assert (found.kind, found.mean, len(runs)) == ("folder", {}, 3), "the first image is run once unmeasured"
    assert found.latency_ms == pytest.approx(1000 * (1 + 3) / 2)
    assert [Path(answer.source).name for answer in found.answers] == ["a.png", "c.png"]
    assert [Path(source).name for source, _ in found.left_out] == ["b.png"]
    for answer in found.answers:
        wanted = expected(small, pixels[Path(answer.source).name])
        assert [answer.probabilities[name] for name in LABELS] == pytest.approx(wanted, abs=1e-6)


def test_of_a_video_the_mean_of_the_frames_is_given(small: Path, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", 7)
    found = predict_images(small, path, FileReading(every=3))
    assert found.kind == "video" and [answer.source for answer in found.answers] == ["frame 0", "frame 3", "frame 6"]
    for name in LABELS:
        rows = [answer.probabilities[name] for answer in found.answers]
        assert found.mean[name] == pytest.approx(np.mean(rows))
    assert list(found.mean.values()) == sorted(found.mean.values(), reverse=True)
    assert len(predict_images(small, path).answers) == 7


@pytest.mark.parametrize(("count", "more"), [(3, ""), (5, "; and 2 more")])
def test_three_problems_of_a_folder_that_cannot_be_read_are_told(
    small: Path, tmp_path: Path, count: int, more: str
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.png").write_bytes(b"none")
    with pytest.raises(DataError, match=f"images: none of {count} images can be read: ") as caught:
        predict_images(small, folder)
    assert caught.value.problem.count(".png") == 3 and caught.value.problem.endswith(more)


def test_a_box_is_handed_on_and_of_equal_classes_the_first_is_told(tmp_path: Path) -> None:
    contract = ImageContract(stream="image", size=16, channels=1, crop="box", margin=0.0)
    bundle = make_bundle(tmp_path / "boxed", contract).path
    write_image(tmp_path / "a.png", side=40)
    one, other = (
        predict_images(bundle, tmp_path / "a.png", FileReading(box=box)).mean
        for box in ("whole", (2.0, 3.0, 22.0, 23.0))
    )
    assert one != other
    predictor = ImagePredictor(load_bundle(bundle))
    found = predictor.sorted_probabilities(np.array([0.2, 0.4, 0.4, 0.0]))
    assert list(found) == [LABELS[k] for k in (1, 2, 0, 3)] and {type(value) for value in found.values()} == {float}


def test_many_equal_classes_stay_in_their_order(small: Path) -> None:
    predictor = ImagePredictor(load_bundle(small))
    labels = tuple(f"c{n:03}" for n in range(300))
    provenance = predictor.bundle.manifest.provenance.model_copy(update={"labels": labels})
    manifest = predictor.bundle.manifest.model_copy(update={"provenance": provenance})
    predictor.bundle = replace(predictor.bundle, manifest=manifest)
    assert list(predictor.sorted_probabilities(np.full(300, 1 / 300))) == list(labels)


def test_a_model_is_given_its_threads(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr("vskd.bundle.predict_images.LiteRTModel", lambda _, threads: asked.append(threads))
    ImagePredictor(load_bundle(small))
    ImagePredictor(load_bundle(small), threads=3)
    assert asked == [1, 3]
