"""The figures of a bundle itself, on data that fits it and on data that does not."""

import contextlib
import csv
import hashlib
import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import write_shapes
from tests.export.conftest import sensor_contract
from vskd.bundle.bundle import Bundle, load_bundle
from vskd.bundle.contract import ImageContract, StreamContract
from vskd.bundle.encoding import model_input
from vskd.bundle.predict import predict_file
from vskd.datasets.recording import Index, Recording, Stream
from vskd.distillation.run import RunFolder
from vskd.errors import BundleError
from vskd.evaluation.evaluate import open_experiment
from vskd.evaluation.predictions import read_csv
from vskd.evaluation.results import OverTime, read_results
from vskd.export import evaluate
from vskd.export.evaluate import bundle_model, bundle_recipe, evaluate_bundle, export_and_evaluate
from vskd.files import WriteError
from vskd.recipe import load_recipe
from vskd.study.compare import compare


def test_evaluating_a_bundle_gives_what_its_run_got(finished_comparison, synthetic_root: Path, tmp_path: Path) -> None:
    """Once through the run folder, once from the bundle and the data alone."""
    results = evaluate_bundle(finished_comparison.bundle, synthetic_root, out=tmp_path / "results")
    beside = read_results(finished_comparison.student / "int8" / "results.json")
    assert results.kind == beside.kind == "bundle"
    assert results.protocol == beside.protocol
    assert (results.accuracy, results.nll) == (beside.accuracy, beside.nll)
    assert results.model_bytes == (finished_comparison.bundle / "model.tflite").stat().st_size
    first, second = (
        (folder / "predictions.csv").read_text(encoding="utf-8")
        for folder in (tmp_path / "results", finished_comparison.student / "int8")
    )
    assert first == second
    assert (tmp_path / "results" / "report.html").is_file()


def test_an_int8_model_of_images_is_given_the_very_pixels(finished_images, monkeypatch: pytest.MonkeyPatch) -> None:
    """All 256 values, which batches hold as fractions of 255; what is between two of them goes to the nearer."""
    shown: list[np.ndarray] = []

    class Model:
        def __init__(self, content: bytes) -> None:
            assert content == finished_images.bundle.joinpath("model.tflite").read_bytes()

        def predict(self, x: np.ndarray) -> np.ndarray:
            shown.append(x)
            return np.zeros((1, 3), np.float32)

    monkeypatch.setattr("vskd.export.evaluate.LiteRTModel", Model)
    bundle = load_bundle(finished_images.bundle)
    experiment = open_experiment(RunFolder.open(finished_images.student))
    channels, size, _ = experiment.inputs.shape
    pixels = np.arange(2 * channels * size * size).reshape(2, channels, size, size).astype(np.uint8)
    assert len(np.unique(pixels)) == 256
    batch = torch.from_numpy(pixels).float() / 255  # as `ImageBatches` does
    batch[0] = (batch[0] - 0.4 / 255).clamp(min=0)
    batch[1] = (batch[1] + 0.4 / 255).clamp(max=1)
    assert bundle_model(bundle, experiment.inputs)(batch.numpy()).shape == (2, 3)
    expected = [model_input(image, bundle.manifest.contract) for image in pixels]
    np.testing.assert_array_equal(np.concatenate(shown), np.stack(expected))


def test_predict_says_the_same_of_one_recording(finished_comparison, synthetic_root: Path) -> None:
    """The watch-side path (no torch) against the path that evaluates."""
    table = read_csv(finished_comparison.student / "int8" / "predictions.csv")
    recording = table.ids[0]
    answer = predict_file(finished_comparison.bundle, synthetic_root / "Inertial" / f"{recording}_inertial.mat")
    found = [answer.probabilities[name] for name in table.class_names]
    np.testing.assert_allclose(found, table.probabilities[0], atol=1e-6)


def test_int8_results_name_distiller_and_teacher(finished_comparison) -> None:
    results = read_results(finished_comparison.student / "int8" / "results.json")
    assert (results.distiller, results.network) == ("dask", "resnet18-small-stem")
    assert results.teacher is not None
    with (finished_comparison.student / "int8" / "predictions.csv").open(encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == results.n + 1


def report_of(results: Path) -> str:
    return (results / "report.html").read_text(encoding="utf-8")


def test_the_report_shows_pictures_of_the_runs_student(finished_comparison, finished_images) -> None:
    wrist, images = (report_of(finished.student / "int8") for finished in (finished_comparison, finished_images))
    assert "What the student sees" in wrist and "Grad-CAM" not in wrist
    assert "Grad-CAM" in images and "the answers in them are those of the int8 model" in images


def test_pictures_of_a_bundle_that_lies_in_its_run(
    finished_images, shapes_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr("vskd.export.evaluate.image_pictures", lambda *given: seen.append(given[2]) or {"Heat": b"png"})
    evaluate_bundle(finished_images.bundle, shapes_root, out=tmp_path / "inside")
    assert "<figcaption>Heat</figcaption>" in report_of(tmp_path / "inside")
    np.testing.assert_allclose(
        seen[0].probabilities, read_csv(tmp_path / "inside" / "predictions.csv").probabilities, atol=1e-6
    )
    shutil.copytree(finished_images.bundle, tmp_path / "bundle")
    evaluate_bundle(tmp_path / "bundle", shapes_root, out=tmp_path / "outside")
    shutil.copytree(finished_images.no_kd, tmp_path / "other")
    shutil.copytree(finished_images.bundle, tmp_path / "other" / "bundle", dirs_exist_ok=True)
    evaluate_bundle(tmp_path / "other" / "bundle", shapes_root, out=tmp_path / "in-another-run")
    assert len(seen) == 1
    assert all("float student" not in report_of(tmp_path / name) for name in ("outside", "in-another-run"))


def test_export_and_evaluate_is_done_once(finished_comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vskd.export.evaluate.export_run", None)
    monkeypatch.setattr("vskd.export.evaluate._evaluate", None)
    assert export_and_evaluate(finished_comparison.student) == finished_comparison.student / "int8"


def test_another_protocol_of_the_same_data_is_refused(
    finished_comparison, synthetic_root: Path, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    with pytest.raises(BundleError, match="may hold recordings it was trained on"):
        evaluate_bundle(finished_comparison.bundle, synthetic_root, protocol="subject-specific", out=out)
    assert not out.exists()


def test_another_protocol_is_refused_whoever_calibrated(
    finished_comparison, synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training recordings may be in its test part although none of the calibration's are."""
    out = tmp_path / "results"

    def load(path: Path) -> Bundle:
        bundle = load_bundle(path)
        quantization = bundle.manifest.quantization.model_copy(update={"calibration_ids": ("nobody",)})
        return replace(bundle, manifest=bundle.manifest.model_copy(update={"quantization": quantization}))

    monkeypatch.setattr("vskd.export.evaluate.load_bundle", load)
    with pytest.raises(BundleError, match="may hold recordings it was trained on"):
        evaluate_bundle(finished_comparison.bundle, synthetic_root, protocol="subject-specific", out=out)
    assert not out.exists()


def split_anew(root: Path, out: Path, again: str) -> Path:
    """The shapes with drivers 1 and 5 exchanged between the parts train and test, files of `again` saved again."""
    shutil.copytree(root, out)
    for driver, old, new in (("1", "train", "test"), ("5", "test", "train")):
        for path in list(out.glob(f"{old}/*/{driver}-*.png")):
            target = path.rename(out / new / path.parent.name / path.name)
            if driver == again:
                before = target.read_bytes()
                Image.open(target).save(target, compress_level=0)
                assert target.read_bytes() != before
    exchanged = {("train", "1"): "test", ("test", "5"): "train"}
    with (root / "labels.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    for row in rows:
        part, rest = row[0].split("/", 1)
        row[0] = f"{exchanged.get((part, row[1]), part)}/{rest}"
    with (out / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return out


@pytest.mark.parametrize("again", ["", "1"])
def test_a_folder_that_was_split_anew_is_refused(
    finished_images, shapes_root: Path, tmp_path: Path, again: str
) -> None:
    """Its own training images under other names, in one case also in other bytes: same protocol, same classes."""
    world, out = split_anew(shapes_root, tmp_path / "world", again), tmp_path / "results"
    told = r"bundle was trained on 15 of the 15 test recordings of .*world, .*: test/circle/1-0.*and 10 more\. Test it"
    with pytest.raises(BundleError, match=told):
        evaluate_bundle(finished_images.bundle, world, out=out)
    assert not out.exists()


def test_a_folder_of_new_images_is_welcome(finished_images, tmp_path: Path) -> None:
    """Under the ids of those that the bundle was trained on: names are no content."""
    write_shapes(tmp_path / "world", drivers=2, each=1, side=40)
    assert evaluate_bundle(finished_images.bundle, tmp_path / "world", out=tmp_path / "results").n == 3


def test_of_a_bundle_of_before_it_is_said_that_nobody_can_tell(
    finished_images, shapes_root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = Path(shutil.copytree(finished_images.bundle, tmp_path / "bundle"))
    (bundle / "learned.json").unlink()
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    del manifest["files"]["learned.json"]
    content = json.dumps(manifest)
    (bundle / "manifest.json").write_text(content, encoding="utf-8")
    digest = hashlib.sha256(content.encode()).hexdigest()
    (bundle / "manifest.sha256").write_text(f"{digest}  manifest.json\n", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        evaluate_bundle(bundle, shapes_root, out=tmp_path / "results")
    assert caplog.text.count("does not say what it learned from (it was made by an earlier version)") == 1


def test_a_fold_is_that_of_the_bundle_on_its_own_protocol_alone(finished_comparison) -> None:
    bundle = load_bundle(finished_comparison.bundle)
    origin = bundle.manifest.provenance
    protocol = origin.protocol.model_copy(update={"name": "leave-one-subject-out", "fold": "3"})
    manifest = bundle.manifest.model_copy(
        update={"provenance": origin.model_copy(update={"protocol": protocol})},
    )
    folds = {
        asked: bundle_recipe(replace(bundle, manifest=manifest), Path("/world"), None, *asked).dataset.fold
        for asked in [(None, None), ("leave-one-subject-out", None), (None, "4"), ("cross-subject", None)]
    }
    assert list(folds.values()) == ["3", "3", "4", None]


def test_other_classes_are_refused(finished_comparison, tmp_path: Path) -> None:
    from vskd.datasets.synthetic.write import write_world

    write_world(tmp_path / "world", subjects=2, actions=2, trials=1, seed=0)
    with pytest.raises(BundleError, match="knows 3 classes"):
        evaluate_bundle(finished_comparison.bundle, tmp_path / "world", out=tmp_path / "results")
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("rate", "unit", "several", "told"),
    [
        (50.0, "g", False, ""),
        (100.0, "g", False, "asks for rate 50, the data set has 100"),
        (50.0, "m/s^2", False, r"asks for unit g, the data set has m/s\^2"),
        (100.0, "g", True, ""),  # several streams are resampled to one rate
        (50.0, "m/s^2", True, r"asks for unit g, the data set has m/s\^2"),
    ],
)
def test_another_unit_or_rate_is_refused(
    monkeypatch: pytest.MonkeyPatch, rate: float, unit: str, several: bool, told: str
) -> None:
    """Each stream of a data set is held against what the contract asks of it."""
    part = StreamContract(stream="accelerometer", placement="wrist", unit="g", axes=("x", "y", "z"), range_limit=8)
    contract = sensor_contract(streams=(part,) if several else ())
    stream = Stream("accelerometer", "sensor", Path("a.npy"), rate, unit, ("x", "y", "z"))
    recording = Recording("a", "1", "1", 0, "1", {"accelerometer": stream})
    origin = SimpleNamespace(labels=("x", "y"), dataset="one", protocol=SimpleNamespace(name="p", hash="h", fold=None))
    quantization = SimpleNamespace(calibration_ids=())
    bundle = SimpleNamespace(
        path="B", manifest=SimpleNamespace(contract=contract, provenance=origin, quantization=quantization)
    )
    index = Index("two", Path(), ("x", "y"), (recording,))
    experiment = SimpleNamespace(index=index, split=SimpleNamespace(test=(), protocol_hash="other", protocol="q"))
    checked: list[object] = []
    monkeypatch.setattr(evaluate, "_check_contents", lambda *_: checked.append(1))
    if told:
        with pytest.raises(BundleError, match=told):
            evaluate._check_fits(bundle, experiment)  # type: ignore[arg-type]
    else:
        evaluate._check_fits(bundle, experiment)  # type: ignore[arg-type]
    assert bool(checked) != bool(told)


def test_a_recipe_that_reads_as_the_contract_asks(finished_comparison) -> None:
    bundle = load_bundle(finished_comparison.bundle)
    recipe = bundle_recipe(bundle, Path("/world"), None, None, None)
    assert (recipe.dataset.name, recipe.dataset.protocol, recipe.dataset.path) == (
        "synthetic",
        "cross-subject",
        "/world",
    )
    sees = recipe.student.sees
    assert (sees.modality, sees.window, sees.length, sees.streams) == ("window", "whole", 128, ("accelerometer",))
    encoding = bundle.manifest.contract.encoding
    assert (sees.encoding.method, sees.encoding.scaling) == (encoding.method, encoding.scaling)
    assert (sees.encoding.limit, sees.encoding.image_size) == (encoding.limit, encoding.image_size)
    other = bundle_recipe(bundle, Path("/world"), "utd-mhad", "leave-one-subject-out", "3")
    assert (other.dataset.name, other.dataset.protocol, other.dataset.fold) == (
        "utd-mhad",
        "leave-one-subject-out",
        "3",
    )


@pytest.mark.parametrize(
    ("dataset", "calibrated", "protocol", "fold", "told"),
    [
        ("one", "r9", "h", None, ""),
        ("one", "r1", "h", None, r"by protocol 'p'; the test part of 'q' may hold"),
        ("one", "r9", "other", None, r"by protocol 'p'; the test part of 'q' may hold"),
        ("one", "r1", "other", "3", r"by protocol 'p' fold 3; the test part of 'q' may hold"),
        ("two", "r1", "other", None, ""),  # ids of another data set are other recordings
    ],
)
def test_a_test_part_that_may_hold_training_recordings_is_refused(
    monkeypatch: pytest.MonkeyPatch, dataset: str, calibrated: str, protocol: str, fold: str | None, told: str
) -> None:
    """By another protocol, or because one calibrated."""
    contract = ImageContract(stream="image", size=8, channels=1, crop="full")
    stamp = SimpleNamespace(name="p", hash="h", fold=fold)
    origin = SimpleNamespace(labels=("x", "y"), dataset="one", protocol=stamp)
    quantization = SimpleNamespace(calibration_ids=("r0", calibrated))
    manifest = SimpleNamespace(contract=contract, provenance=origin, quantization=quantization)
    bundle: Any = SimpleNamespace(path="B", manifest=manifest)
    split = SimpleNamespace(test=("r1", "r2"), protocol_hash=protocol, protocol="q")
    experiment: Any = SimpleNamespace(index=Index(dataset, Path(), ("x", "y"), ()), split=split)
    monkeypatch.setattr(evaluate, "_check_contents", lambda *_: None)
    if told:
        with pytest.raises(BundleError, match=told):
            evaluate._check_fits(bundle, experiment)
    else:
        evaluate._check_fits(bundle, experiment)


def test_results_of_a_bundle_say_all_that_is_known(
    finished_comparison, synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 102.504])
    monkeypatch.setattr(evaluate, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr(evaluate, "left_out", lambda inputs, ids: dict.fromkeys(ids[:1], "torn"))
    build, given = evaluate.build_results, {}
    monkeypatch.setattr(evaluate, "build_results", lambda *said, **named: given.update(named) or build(*said, **named))
    results = evaluate_bundle(finished_comparison.bundle, synthetic_root, out=tmp_path / "results")
    bundle = load_bundle(finished_comparison.bundle)
    assert results.timings == {"evaluate": 2.5} and given["over_time"] == OverTime()
    assert (results.recipe, results.dataset, results.split, results.seed) == ("demo", "synthetic", "test", 0)
    assert (results.distiller, results.teacher, results.labels) == (None, None, None)
    assert results.network == f"int8 {bundle.manifest.contract.encoding.method}"
    assert results.notes[0] == f"int8 model of bundle {bundle.digest[:12]}, run by LiteRT, one recording at a time."
    assert not any("float student" in note for note in results.notes)
    assert results.environment == {"vskd": bundle.manifest.vskd_version, "runtime": "LiteRT"}
    assert [row.model for row in results.latency] == ["int8", "float32"]
    assert list(results.left_out.values()) == ["torn"]
    beside = read_results(finished_comparison.student / "int8" / "results.json")
    assert results.data is not None and beside.data is not None and beside.labels is not None
    assert results.protocol.hash == bundle.manifest.provenance.protocol.hash
    assert read_results(tmp_path / "results" / "results.json") == results


def test_results_lie_beside_the_bundle_and_stores_beside_them(finished_comparison, tmp_path: Path, monkeypatch) -> None:
    bundle = Path(shutil.copytree(finished_comparison.bundle, tmp_path / "mine"))
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(evaluate, "prepare", lambda recipe, cache: asked.append((cache,)) or "experiment")
    monkeypatch.setattr(evaluate, "_evaluate", lambda *given, **named: asked.append((*given[1:3], named)) or "results")
    for out, place in ((None, tmp_path / "mine-results"), (tmp_path / "deep" / "there", tmp_path / "deep" / "there")):
        assert evaluate_bundle(bundle, tmp_path, out=out) == "results"
        named = {"teacher": None, "distiller": None, "network": "", "labels": None}
        assert asked == [(place.parent / "cache",), ("experiment", place, named)]
        asked.clear()


def test_the_input_names_a_network_that_has_no_name() -> None:
    assert evaluate._input_name(sensor_contract()) == "gasf"
    assert evaluate._input_name(ImageContract(stream="front", size=8, channels=1, crop="full")) == "front"


@pytest.mark.parametrize("exported", [True, False])
@pytest.mark.parametrize("done", [True, False])
def test_a_run_is_exported_and_evaluated_where_it_is_not_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exported: bool, done: bool
) -> None:
    """Whether results are complete is asked of what the run has sealed; they are written under its lock."""
    steps: list[object] = []
    (tmp_path / "bundle").mkdir()
    if exported:
        (tmp_path / "bundle" / "manifest.json").touch()

    class Folder:
        sealed = ("int8/results.json",)

        @contextlib.contextmanager
        def writing(self) -> Iterator[None]:
            steps.append("lock")
            yield

    folder = Folder()
    monkeypatch.setattr(evaluate, "export_run", lambda run, out, *, measure=None: steps.append((run, out, measure)))
    monkeypatch.setattr(evaluate, "RunFolder", SimpleNamespace(open=lambda run: folder))
    monkeypatch.setattr(evaluate, "evaluated", lambda out, *, recorded=None: done and recorded is folder.sealed)
    monkeypatch.setattr(evaluate, "_evaluate_of_run", lambda *given: steps.append(given))
    assert export_and_evaluate(tmp_path, "measure") == tmp_path / "int8"  # type: ignore[arg-type]
    expected: list[object] = [] if exported else [(tmp_path, tmp_path / "bundle", "measure")]
    expected += [] if done else ["lock", (folder, tmp_path / "bundle", tmp_path / "int8")]
    assert steps == expected


IMAGES = ImageContract(stream="front", size=8, channels=1, crop="full")


@pytest.mark.parametrize(
    ("contract", "complete", "recipe", "shown"),
    [
        (IMAGES, True, ("mine", 3), True),
        (sensor_contract(), True, ("mine", 3), False),
        (IMAGES, False, ("mine", 3), False),
        (IMAGES, True, None, False),
        (IMAGES, True, ("other", 3), False),
        (IMAGES, True, ("mine", 4), False),
    ],
)
def test_pictures_are_those_of_the_finished_run_in_whose_folder_the_bundle_lies(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    contract: object,
    complete: bool,
    recipe: tuple[str, int] | None,
    shown: bool,
) -> None:
    if recipe is not None:
        (tmp_path / "recipe.yaml").touch()
    said = SimpleNamespace(name=recipe[0], seed=recipe[1]) if recipe else None
    folder = SimpleNamespace(complete=complete, recipe_file=tmp_path / "recipe.yaml", recipe=lambda: said)
    asked: list[Path] = []
    monkeypatch.setattr(evaluate, "RunFolder", lambda path: asked.append(path) or folder)
    monkeypatch.setattr(evaluate, "trained_model", lambda experiment, run: (experiment, run))
    monkeypatch.setattr(evaluate, "image_pictures", lambda *given: {"picture": given})
    manifest = SimpleNamespace(contract=contract, provenance=SimpleNamespace(recipe="mine", seed=3))
    bundle: Any = SimpleNamespace(manifest=manifest, path=tmp_path / "bundle")
    experiment: Any = SimpleNamespace(inputs="inputs")
    found = evaluate._pictures_in_run(bundle, experiment, "predictions")  # type: ignore[arg-type]
    assert found == ({"picture": ((experiment, folder), "inputs", "predictions")} if shown else {})
    assert asked == [tmp_path]


@pytest.mark.parametrize(("kind", "mark"), [("run", "recipe.yaml"), ("bundle", "manifest.json")])
def test_results_go_into_no_run_and_no_bundle(
    sealed, tmp_path: Path, synthetic_root: Path, kind: str, mark: str
) -> None:
    """Those of a run would be replaced; a bundle would no longer be what its hashes say."""
    place = tmp_path / "there"
    place.mkdir()
    (place / mark).write_text("{}", encoding="utf-8")
    before = sorted(place.iterdir())
    with pytest.raises(WriteError, match=f"there is the folder of a {kind}, .*another folder with --out"):
        evaluate_bundle(sealed.bundle.path, synthetic_root, out=place)
    with pytest.raises(WriteError, match=f"there is the folder of a {kind}, .*another folder with --out"):
        compare([load_recipe("demo")], [0], place)
    assert sorted(place.iterdir()) == before
