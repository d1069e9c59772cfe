"""Prediction of images: the evaluated answers again, folders, refusals of the other kind of bundle, and no torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vskd.bundle.bundle import load_bundle, verify_bundle
from vskd.bundle.contract import ImageContract
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
