"""Evaluating finished runs: the files, the figures recomputed from predictions.csv, and the refusals."""

import csv
import json
import logging
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss

from tests.conftest import FinishedComparison, mend_in_place
from vskd.datasets.synthetic.dataset import index
from vskd.datasets.timeline import Timeline
from vskd.distillation.model import Model, load_model
from vskd.distillation.run import RunFolder
from vskd.distillation.teacher.cache import row_sums
from vskd.distillation.train import distill
from vskd.errors import ProtocolError, RunError
from vskd.evaluation import evaluate as evaluation
from vskd.evaluation.evaluate import Answers, evaluate_run, predict_recordings, softmax
from vskd.evaluation.events import event_figures
from vskd.evaluation.predictions import Predictions
from vskd.evaluation.results import read_results
from vskd.evaluation.windows import WindowPredictions, window_figures
from vskd.export.evaluate import export_and_evaluate
from vskd.files import sha256_file, write_text
from vskd.modalities.base import Batch
from vskd.recipe import load_recipe
from vskd.recipe.labels import Labels
from vskd.sums import Sums

RESULTS = ("predictions.csv", "report.html", "results.json")


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(params=["teacher", "student", "no_kd", "int8"])
def evaluated(request: pytest.FixtureRequest, finished_comparison) -> Path:
    if request.param == "int8":
        return finished_comparison.student / "int8"
    folder: Path = getattr(finished_comparison, request.param)
    return folder


def test_the_files_are_there_and_the_report_needs_no_other(evaluated: Path) -> None:
    assert all((evaluated / name).stat().st_size > 0 for name in RESULTS)
    report = (evaluated / "report.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in report
    assert 'src="http' not in report and 'href="http' not in report


def test_figures_follow_from_predictions(evaluated: Path) -> None:
    """Recomputed by scikit-learn from the CSV alone."""
    rows, results = rows_of(evaluated), json.loads((evaluated / "results.json").read_text(encoding="utf-8"))
    names = [row["name"] for row in results["per_class"]]
    truth = np.array([int(row["label"]) for row in rows])
    predicted = np.array([int(row["predicted"]) for row in rows])
    probabilities = np.array([[float(row[f"p_{name}"]) for name in names] for row in rows])
    assert results["n"] == len(rows)
    assert results["accuracy"] == pytest.approx(accuracy_score(truth, predicted))
    assert results["macro_f1"] == pytest.approx(
        f1_score(truth, predicted, average="macro", labels=np.unique(truth), zero_division=0)
    )
    assert results["nll"] == pytest.approx(log_loss(truth, probabilities, labels=range(len(names))), rel=1e-4)
    np.testing.assert_array_equal(results["confusion"], confusion_matrix(truth, predicted, labels=range(len(names))))
    np.testing.assert_array_equal(predicted, probabilities.argmax(axis=1))


def test_every_test_recording_once_and_no_other(evaluated: Path, synthetic_root: Path) -> None:
    even = sorted(r.id for r in index(synthetic_root) if int(r.subject) % 2 == 0)
    assert sorted(row["id"] for row in rows_of(evaluated)) == even


def test_the_teacher_stands_beside_every_student(finished_comparison) -> None:
    teacher = read_results(finished_comparison.teacher / "results.json")
    assert teacher.teacher is None
    for run in (finished_comparison.student, finished_comparison.no_kd, finished_comparison.student / "int8"):
        beside = read_results(run / "results.json").teacher
        assert beside is not None
        assert (beside.accuracy, beside.macro_f1, beside.n) == (teacher.accuracy, teacher.macro_f1, teacher.n)


def test_stamps(finished_comparison) -> None:
    found = [read_results(run / "results.json") for run in (finished_comparison.teacher, finished_comparison.student)]
    assert [r.kind for r in found] == ["teacher", "student"]
    assert found[0].protocol == found[1].protocol
    assert found[1].protocol.name == "cross-subject"
    assert (found[1].distiller, found[1].seed, found[1].split) == ("dask", 0, "test")


def test_results_say_which_data_they_are_of(finished_comparison) -> None:
    """A student's with its teacher's stream; where two see the same stream, the same of it."""
    runs = (finished_comparison.teacher, finished_comparison.student, finished_comparison.student / "int8")
    teacher, student, int8 = (read_results(run / "results.json").data for run in runs)
    assert teacher is not None and student is not None
    assert (set(teacher.parts), set(student.parts)) == ({"labels", "rgb"}, {"labels", "rgb", "accelerometer"})
    assert teacher.parts.items() <= student.parts.items()
    assert int8 == student
    facts = RunFolder(finished_comparison.student).facts()
    assert (student.hash, student.parts) == (facts["data_hash"], facts["data"])
    assert student.hash in (finished_comparison.student / "report.html").read_text(encoding="utf-8")


def test_a_second_evaluation_reads_the_first(finished_comparison, monkeypatch) -> None:
    run = finished_comparison.student
    before = {name: (run / name).stat().st_mtime_ns for name in RESULTS}
    monkeypatch.setattr("vskd.evaluation.evaluate.predict_recordings", None)
    assert evaluate_run(run) == read_results(run / "results.json")
    assert {name: (run / name).stat().st_mtime_ns for name in RESULTS} == before


@pytest.fixture
def copied(finished_comparison, tmp_path: Path) -> Path:
    """A copy of the student's run, at the same place in a tree of its own, so that it still finds what is beside it."""
    tree = tmp_path / "comparison"
    shutil.copytree(finished_comparison.out, tree, ignore=shutil.ignore_patterns("bundle", "int8", "demo-no-kd"))
    return tree / "runs" / "demo" / "seed0"


@pytest.fixture
def copied_images(finished_images, tmp_path: Path) -> FinishedComparison:
    """A copy of the runs of images that were evaluated, not yet evaluated."""
    tree = tmp_path / "images"
    shutil.copytree(
        finished_images.out, tree, ignore=shutil.ignore_patterns("bundle", "int8", "teacher-*.h5", *RESULTS)
    )
    return FinishedComparison(tree, finished_images.recipes)


def test_a_students_weights_are_loaded_once_for_figures_and_pictures(
    copied_images: FinishedComparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []

    def load(run: Path, *words: Any) -> Model:
        loaded.append(run)
        return load_model(run, *words)

    monkeypatch.setattr("vskd.evaluation.evaluate.load_model", load)
    evaluate_run(copied_images.student)
    assert loaded == [copied_images.student]
    assert "Grad-CAM" in (copied_images.student / "report.html").read_text(encoding="utf-8")


def asked_of(cache: Path) -> list[list[str]]:
    """Recordings in each file of teacher outputs."""
    found = []
    for path in cache.glob("teacher-*.h5"):
        with h5py.File(path) as file:
            found.append(sorted(name.decode() for name in file["ids"][:]))
    return found


def test_a_teacher_of_the_student_s_own_images_is_run_over_the_evaluated_recordings_alone_and_once(
    copied_images: FinishedComparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every student that is evaluated beside it reads the same file; no training image is shown to it."""
    monkeypatch.setattr("vskd.evaluation.evaluate.run_pictures", lambda *_: {})
    evaluate_run(copied_images.teacher)
    assert asked_of(copied_images.out / "cache") == []  # its own answers are nobody's targets
    evaluate_run(copied_images.student)
    tested = sorted(row["id"] for row in rows_of(copied_images.student))
    assert len(tested) == 15  # of 75: 3 shapes x 5 pictures of the driver of the part test
    assert tested == sorted(row["id"] for row in rows_of(copied_images.teacher))
    assert asked_of(copied_images.out / "cache") == [tested]
    evaluate_run(copied_images.no_kd)
    assert asked_of(copied_images.out / "cache") == [tested]
    evaluate_run(copied_images.student, split="validation")
    left_out = sorted(row["id"] for row in rows_of(copied_images.student / "validation"))
    assert sorted(asked_of(copied_images.out / "cache")) == sorted([tested, left_out])


def test_a_teacher_of_videos_is_run_over_all_recordings_which_distillation_reads(
    comparison_copy: FinishedComparison, synthetic_root: Path
) -> None:
    for path in (comparison_copy.out / "cache").glob("teacher-*.h5"):
        path.unlink()
    for name in RESULTS:
        (comparison_copy.student / name).unlink()
    evaluate_run(comparison_copy.student)
    assert asked_of(comparison_copy.out / "cache") == [sorted(r.id for r in index(synthetic_root))]


def test_predicting_anew_gives_the_same(finished_comparison, copied: Path) -> None:
    for name in RESULTS:
        (copied / name).unlink()
    fresh, first = evaluate_run(copied), read_results(finished_comparison.student / "results.json")
    assert fresh.model_copy(update={"timings": {}}) == first.model_copy(update={"timings": {}})
    assert 0 <= fresh.timings["evaluate"] < 600, "the time that it took, not one of the clock"
    assert rows_of(copied) == rows_of(finished_comparison.student)


def test_validation_is_what_training_left_out(copied: Path) -> None:
    results = evaluate_run(copied, split="validation")
    left_out = json.loads((copied / "training.json").read_text(encoding="utf-8"))["validation"]
    assert results.split == "validation"
    assert sorted(row["id"] for row in rows_of(copied / "validation")) == sorted(left_out)
    assert left_out


def test_an_unfinished_run_is_refused(copied: Path) -> None:
    (copied / "training.json").unlink()
    with pytest.raises(RunError, match="training has not finished"):
        evaluate_run(copied)


def test_changed_data_is_refused(copied: Path, synthetic_root: Path, tmp_path: Path) -> None:
    world = tmp_path / "world"
    shutil.copytree(synthetic_root, world)
    for file in world.glob("*/a1_s2_t1_*"):
        file.unlink()
    recipe = copied / "recipe.yaml"
    recipe.write_text(recipe.read_text(encoding="utf-8").replace(str(synthetic_root), str(world)), encoding="utf-8")
    Sums(copied).record([recipe.name])
    (copied / "results.json").unlink()
    with pytest.raises(ProtocolError, match="split otherwise"):
        evaluate_run(copied)
    assert not (copied / "results.json").exists()


def test_a_list_of_labels_or_a_protocol_that_was_edited_since_is_refused(
    alone: Callable[..., Path], tmp_path: Path
) -> None:
    """Its figures would be stamped with what it was not trained by, and its validation part be another."""
    ids, rule = tmp_path / "ids.csv", tmp_path / "rule.yaml"
    parts = "split_by: subject\nparts: {train: odd, test: even}\ndisjoint: none\nvalidation_unit: "
    ids.write_text("id\na1_s1_t1\na2_s1_t1\n")
    rule.write_text(f"name: rule\nversion: 1\ndataset: synthetic\n{parts}subject\n")
    run = alone(f"labels.ids={ids}", f"dataset.protocol={rule}")
    ids.write_text("id\na1_s1_t1\na3_s1_t1\n")
    with pytest.raises(ProtocolError, match=rf"labels \(ids of ids\.csv\): other recordings.*Restore {ids}"):
        evaluate_run(run)
    ids.write_text("id\na1_s1_t1\na2_s1_t1\n")
    rule.write_text(f"name: rule\nversion: 1\ndataset: synthetic\n{parts}recording\n")
    with pytest.raises(ProtocolError, match=rf"Protocol {rule} is not the one that {run} was trained by"):
        evaluate_run(run, split="validation")
    rule.write_text(f"name: rule\nversion: 1\ndataset: synthetic\n{parts}subject\n")
    assert evaluate_run(run).n == 12


@pytest.fixture
def alone(synthetic_root: Path, tmp_path: Path) -> Callable[..., Path]:
    """Trains a student without a teacher for one epoch."""
    quick = (
        *("student.sees.encoding=raw", "student.sees.length=32", "student.network=cnn1d", "distiller=none"),
        *("student.training.epochs=1", f"dataset.path={synthetic_root}"),
    )
    return lambda *words: distill(load_recipe("demo", (*quick, *words)), tmp_path / "run").run


@pytest.fixture
def moved(copied: Path, synthetic_root: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A finished run, and the folder of its data, which is the test's own."""
    world, recipe = tmp_path / "world", copied / "recipe.yaml"
    shutil.copytree(synthetic_root, world)
    recipe.write_text(recipe.read_text(encoding="utf-8").replace(str(synthetic_root), str(world)), encoding="utf-8")
    Sums(copied).record([recipe.name])
    return copied, world


@pytest.mark.parametrize("measured", [True, False])
@pytest.mark.parametrize("file", ["Inertial/a1_s2_t1_inertial.mat", "RGB/a1_s2_t1_color.mp4"])
def test_data_mended_in_place_are_refused(moved: tuple[Path, Path], measured: bool, file: str) -> None:
    """Also where the figures of before are there: they are not those of these data."""
    run, world = moved
    assert evaluate_run(run) == read_results(run / "results.json")
    if not measured:
        (run / "results.json").unlink()
    mend_in_place(world / file)
    stream = "accelerometer" if "Inertial" in file else "rgb"
    told = rf"data in .*world are not those that .*seed0 was trained on: 1 recording.* a1_s2_t1 \({stream}\)\. Restore"
    with pytest.raises(ProtocolError, match=told):
        evaluate_run(run)


def test_figures_outlive_their_data_and_say_so(moved: tuple[Path, Path], caplog: pytest.LogCaptureFixture) -> None:
    run, world = moved
    shutil.rmtree(world)
    with caplog.at_level(logging.WARNING):
        assert evaluate_run(run) == read_results(run / "results.json")
    assert "its data are not in" in caplog.text


def test_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run folder"):
        evaluate_run(tmp_path)


def test_softmax_closed_form() -> None:
    np.testing.assert_allclose(softmax(np.log(np.array([[1.0, 2.0, 5.0]]))), [[0.125, 0.25, 0.625]])
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0]], dtype=np.float32)), [[1.0, 0.0]])


def test_probabilities_of_several_windows_are_averaged_whatever_batch_they_are_in() -> None:
    """The first recording's windows lie in two batches, among others."""
    windows = torch.tensor([[0.9, 0.1], [0.5, 0.5], [0.3, 0.7]]).log()
    batches = [
        Batch(ids, rows, torch.zeros(len(ids)), torch.zeros(len(ids)))
        for ids, rows in ((("a", "b"), windows[:2]), (("a",), windows[2:]))
    ]
    asked: list[tuple[object, int]] = []

    def of(ids: tuple[str, ...], *, batch_size: int) -> list[Batch]:
        asked.append((ids, batch_size))
        return batches

    experiment = SimpleNamespace(
        inputs=SimpleNamespace(ids=frozenset({"a", "b"}), name="accelerometer", batches=of),
        recipe=SimpleNamespace(student=SimpleNamespace(training=SimpleNamespace(batch_size=2))),
        index=SimpleNamespace(labels=("left", "right")),
        recordings={i: SimpleNamespace(subject="1", label=1) for i in "ab"},
        only=lambda ids, _stored, _what: ids,
    )
    predictions = predict_recordings(experiment, ("a", "b"), lambda samples: samples, "x")
    assert asked == [(("a", "b"), 2)]
    assert predictions.ids == ("a", "b")
    np.testing.assert_allclose(predictions.probabilities, [[0.6, 0.4], [0.5, 0.5]], rtol=1e-6)


def wrong_in_trial_2_of_subject_2(recording: str) -> bool:
    return recording.endswith("_s2_t2")


def wrong_once(recording: str) -> bool:
    return recording == "a1_s2_t1"


@pytest.fixture
def known(comparison_copy: FinishedComparison, answers: Callable[..., None]) -> FinishedComparison:
    """The distilled student, its int8 model and the teacher, each with mistakes of its own, not yet evaluated."""
    answers(student=wrong_in_trial_2_of_subject_2, int8=wrong_once)
    for place in (comparison_copy.student, comparison_copy.student / "int8"):
        for name in RESULTS:
            (place / name).unlink()
    return comparison_copy


def test_known_answers_give_known_figures(known: FinishedComparison) -> None:
    """Of 12 test recordings (3 actions x subjects 2 and 4 x 2 trials) one in four is taken for the next action."""
    results = evaluate_run(known.student)
    assert (results.n, results.accuracy, results.balanced_accuracy) == (12, 0.75, 0.75)
    assert results.confusion == ((3, 1, 0), (0, 3, 1), (1, 0, 3))
    assert [(row.name, row.support, row.precision, row.recall) for row in results.per_class] == [
        (row.name, 4, 0.75, 0.75) for row in results.per_class
    ]
    assert [(row.subject, row.n, row.accuracy) for row in results.per_subject] == [("2", 6, 0.5), ("4", 6, 1.0)]
    confidence = np.exp(4) / (np.exp(4) + 2)  # of every answer, right or wrong
    assert results.ece == pytest.approx(confidence - 0.75, abs=1e-6)
    for row in rows_of(known.student):
        action = int(row["id"][1]) - 1
        assert int(row["label"]) == action
        assert int(row["predicted"]) == (action + wrong_in_trial_2_of_subject_2(row["id"])) % 3


def test_an_int8_model_is_measured_by_its_own_answers(known: FinishedComparison) -> None:
    int8 = read_results(export_and_evaluate(known.student) / "results.json")
    assert int8.accuracy == 11 / 12
    assert int8.confusion == ((3, 1, 0), (0, 4, 0), (0, 0, 4))
    assert [row.accuracy for row in int8.per_subject] == [5 / 6, 1.0]
    assert evaluate_run(known.student).accuracy == 0.75


def wrong_for_action_3_of_subject_4(recording: str) -> bool:
    return "a3_s4" in recording


def test_a_teacher_is_measured_by_its_own_answers(
    comparison_copy: FinishedComparison, answers: Callable[..., None]
) -> None:
    answers(teacher=wrong_for_action_3_of_subject_4)
    for name in RESULTS:
        (comparison_copy.teacher / name).unlink()
    teacher = evaluate_run(comparison_copy.teacher)
    assert (teacher.kind, teacher.distiller, teacher.n) == ("teacher", None, 12)
    assert (teacher.accuracy, teacher.confusion) == (10 / 12, ((4, 0, 0), (0, 4, 0), (2, 0, 2)))
    assert [row.accuracy for row in teacher.per_subject] == [1.0, 4 / 6]


def test_the_teacher_s_figures_beside_a_student_are_those_of_its_cache(known: FinishedComparison) -> None:
    """Cached logits that are wrong for the third action of subject 4 alone, in whatever order they are stored."""
    (cache,) = (known.out / "cache").glob("teacher-*.h5")
    content = cache.read_bytes()
    cache.unlink()  # a link to what other tests read
    cache.write_bytes(content)
    with h5py.File(cache, "r+") as file:
        names = [name.decode() for name in file["ids"][:]]
        answer = [(int(n[1]) - 1 + wrong_for_action_3_of_subject_4(n)) % 3 for n in names]
        file["logits"][:] = 4 * np.eye(3, dtype=np.float32)[answer]
        file["crc32"][:] = row_sums(file["ids"][:], [file[name][:] for name in ("logits", "embedding", "labels")])
    beside = evaluate_run(known.student).teacher
    assert beside is not None
    assert beside.accuracy == 10 / 12
    assert beside.macro_f1 == pytest.approx((8 / 10 + 1 + 4 / 6) / 3)  # of ((4, 0, 0), (0, 4, 0), (2, 0, 2))
    assert beside.n == 12


def note_experiment(unlabelled: int) -> SimpleNamespace:
    return SimpleNamespace(
        setting=SimpleNamespace(title="10 %", hash="h", labelled=("a", "b"), unlabelled=("c",) * unlabelled),
        labelled=("a", "b"),
        recordings={name: SimpleNamespace(classes={n}) for name, n in {"a": 0, "b": 1, "c": 2, "v": 2}.items()},
        index=SimpleNamespace(labels=("walk", "run", "jump")),
    )


@pytest.mark.parametrize(
    ("select", "said"),
    [("best", "best on 3 validation recordings."), ("last", "the last one; no epoch was selected.")],
)
def test_notes_say_which_weights_labels_and_problems(select: str, said: str) -> None:
    training = {"validation": ["x", "y", "z"], "selected_epoch": 4, "epochs": 9, "select": select, "train": 12}
    problem = {"kind": "corrupt", "recording": "r", "path": "p.csv", "detail": "it is empty"}
    problems = [problem, {**problem, "recording": ""}]
    folder = SimpleNamespace(training=lambda: training, facts=lambda: {"problems_in_data": problems})
    assert evaluation._notes(note_experiment(3), folder, ()) == [  # type: ignore[arg-type]
        f"Weights of epoch 5 of 9, {said}",
        "12 training recordings. Labels: 10 %; 2 of them carried one, the other 3 were pairs without labels.",
        "2 problems found while indexing the data set: corrupt r: it is empty; corrupt p.csv: it is empty.",
    ]
    folder = SimpleNamespace(training=lambda: training, facts=dict)
    assert evaluation._notes(note_experiment(0), folder, ())[1:] == [  # type: ignore[arg-type]
        "12 training recordings.",
    ]
    one = SimpleNamespace(training=lambda: training, facts=lambda: {"problems_in_data": problems[:1]})
    assert evaluation._notes(note_experiment(0), one, ())[-1] == (  # type: ignore[arg-type]
        "1 problem found while indexing the data set: corrupt r: it is empty."
    )
    many = SimpleNamespace(training=lambda: training, facts=lambda: {"problems_in_data": problems * 6})
    (*_, listed) = evaluation._notes(note_experiment(0), many, ())  # type: ignore[arg-type]
    assert listed.startswith("12 problems found") and listed.count("it is empty") == 10 and "2 more" in listed


@pytest.mark.parametrize(
    ("ids", "said"),
    [(("a", "b"), []), (("b", "c", "c"), ["1 tested class(es) had no label in training: jump."]), ((), [])],
)
def test_tested_classes_without_a_label_in_training_are_named(ids: tuple[str, ...], said: list[str]) -> None:
    training = {"validation": [], "selected_epoch": 0, "epochs": 1, "select": "last", "train": 3}
    folder = SimpleNamespace(training=lambda: training, facts=dict)
    assert evaluation._notes(note_experiment(1), folder, ids)[2:] == said  # type: ignore[arg-type]


def test_stamps_are_the_experiments_own() -> None:
    split = SimpleNamespace(protocol="p", rule_hash="r", fold="f", split_hash="s", test=("t",))
    experiment = SimpleNamespace(split=split, data_hash="a" * 64, data={"labels": "b" * 64}, **vars(note_experiment(3)))
    stamp = evaluation.stamp(experiment)  # type: ignore[arg-type]
    assert (stamp.name, stamp.hash, stamp.fold, stamp.split_hash) == ("p", "r", "f", "s")
    data = evaluation.data_stamp(experiment)  # type: ignore[arg-type]
    assert (data.hash, data.parts) == ("a" * 64, {"labels": "b" * 64})
    labels = evaluation.labels_stamp(experiment)  # type: ignore[arg-type]
    assert (labels.title, labels.hash, labels.labelled, labels.unlabelled) == ("10 %", "h", 2, 3)


def test_what_could_not_be_read_is_left_out_with_its_reason() -> None:
    inputs = SimpleNamespace(ids={"a", "b"}, problems={"c": "cut off", "e": "of no part"}, name="watch")
    assert evaluation.left_out(inputs, ("a", "c", "d")) == {"c": "cut off", "d": "no watch"}  # type: ignore[arg-type]
    assert evaluation.left_out(inputs, ("a", "b")) == {}  # type: ignore[arg-type]


def test_the_parts_of_a_run(tmp_path: Path) -> None:
    asked: list[object] = []

    def training_split(training: object) -> SimpleNamespace:
        asked.append(training)
        return SimpleNamespace(validation=kept)

    experiment = SimpleNamespace(
        split=SimpleNamespace(test=("t", "u"), validation=("nobody",)),
        recipe=SimpleNamespace(student=SimpleNamespace(training="how")),
        training_split=training_split,
    )
    folder, kept = SimpleNamespace(path=tmp_path), ("v", "w")
    assert evaluation.split_ids(experiment, folder, "test") == ("t", "u") and asked == []  # type: ignore[arg-type]
    assert evaluation.split_ids(experiment, folder, "validation") == ("v", "w")  # type: ignore[arg-type]
    assert asked == ["how"]
    kept = ()
    with pytest.raises(RunError, match="was trained without validation recordings"):
        evaluation.split_ids(experiment, folder, "validation")  # type: ignore[arg-type]


def test_what_recordings_show_over_time() -> None:
    """Where one has a timeline, the others show their class all of the time; where none has, there is none."""
    day = Timeline(((0.0, 2.0, 1),))
    recordings = {
        "a": SimpleNamespace(id="a", label=2, timeline=None),
        "b": SimpleNamespace(id="b", label=1, timeline=day),
        "c": SimpleNamespace(id="c", label=0, timeline=None),
    }
    experiment = SimpleNamespace(recordings=recordings)
    assert evaluation.timelines_of(experiment, "ab") == {"a": Timeline((), 2), "b": day}  # type: ignore[arg-type]
    assert evaluation.timelines_of(experiment, "ac") == {}  # type: ignore[arg-type]


@pytest.mark.parametrize("long", [True, False])
def test_figures_over_time_are_of_the_windows_and_of_long_recordings(long: bool) -> None:
    windows = WindowPredictions(
        ("a",) * 3, ("s",) * 3, np.array([[0.0, 2.0], [1.0, 3.0], [2.0, 4.0]]), np.array([0, 1, 1]),
        np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]]), ("none", "run"),
    )  # fmt: skip
    timeline = Timeline(((1.0, 4.0, 1),), 0) if long else None
    experiment = SimpleNamespace(
        index=SimpleNamespace(null_class="none"), recordings={"a": SimpleNamespace(id="a", label=1, timeline=timeline)}
    )
    whole = Predictions(("a",), ("s",), np.array([1]), np.array([[0.4, 0.6]]), ("none", "run"))
    found = evaluation.over_time(Answers(whole, windows), experiment)  # type: ignore[arg-type]
    assert found.windows == window_figures(windows, "none") and found.windows.null_missed == 0.5
    assert found.events == (event_figures(windows, {"a": timeline}, "none") if timeline else None)
    bare = evaluation.over_time(Answers(whole), experiment)  # type: ignore[arg-type]
    assert (bare.windows, bare.events) == (None, None)


def test_a_teacher_stands_beside_a_run_that_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several, the first."""
    sure = Predictions(("a", "b"), ("s", "s"), np.array([0, 1]), np.eye(2)[[0, 0]], ("x", "y"))
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(evaluation, "teacher_predictions", lambda *words: asked.append(words) or sure)
    first = weighing(tmp_path / "first", b"weights")
    hashes = [sha256_file(RunFolder(first).weights_file), "2"]
    taught = SimpleNamespace(
        path="RUN", teacher_runs=lambda: (first, Path("second")), facts=lambda: {"teacher_hashes": hashes}
    )
    found = evaluation.teacher_beside("experiment", taught, ("a", "b"))  # type: ignore[arg-type]
    assert asked == [("experiment", first, ("a", "b"))]
    assert found is not None and (found.accuracy, found.n) == (0.5, 2)
    weighing(first, b"others")
    said = (
        f"{first}, the teacher of RUN, whose .*: its weights are not those any more that the student was trained with"
    )
    with pytest.raises(RunError, match=said):
        evaluation.teacher_beside("experiment", taught, ("a", "b"))  # type: ignore[arg-type]
    RunFolder(first).weights_file.unlink()
    with pytest.raises(RunError, match=r"it is not there any more\. Put that run back there"):
        evaluation.teacher_beside("experiment", taught, ("a", "b"))  # type: ignore[arg-type]
    alone = SimpleNamespace(teacher_runs=lambda: (), facts=dict)
    assert evaluation.teacher_beside("experiment", alone, ("a",)) is None  # type: ignore[arg-type]


def weighing(run: Path, weights: bytes) -> Path:
    """A run of which nothing is there but its weights."""
    RunFolder(run).weights_file.parent.mkdir(parents=True, exist_ok=True)
    RunFolder(run).weights_file.write_bytes(weights)
    return run


def test_a_teacher_that_was_trained_on_what_is_evaluated_has_no_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A student may set recordings aside for validation that its teacher trains on: it knows them by heart."""
    sure = Predictions(("a", "b"), ("s", "s"), np.array([0, 1]), np.eye(2), ("x", "y"))
    monkeypatch.setattr(evaluation, "teacher_predictions", lambda *_: sure)
    weighing(tmp_path, b"weights")
    folder = SimpleNamespace(path="RUN", teacher_runs=lambda: (tmp_path,), facts=dict)
    for train, figures in ((["c"], True), (["b", "c"], False)):
        write_text(tmp_path / "learned.json", json.dumps({"train": train, "subjects": ["s"], "labels": train}))
        found = evaluation.teacher_beside("experiment", folder, ("a", "b"))  # type: ignore[arg-type]
        assert (found is not None) == figures
    assert f"the teacher's figure is left out: {tmp_path} was trained on 1 of these recordings, 2 in all" in caplog.text


@pytest.mark.parametrize("only", [True, False])
def test_a_teacher_says_what_its_cache_holds(only: bool) -> None:
    shown: list[object] = []
    logits = torch.tensor([[0.0, np.log(3.0)], [np.log(4.0), 0.0]])

    class Cache:
        ids = ("a", "b")

        def outputs(self, ids: tuple[str, ...]) -> tuple[SimpleNamespace, None, None]:
            assert ids == ("b", "a")
            return SimpleNamespace(logits=logits), None, None

    teacher = SimpleNamespace(cache=lambda ids: shown.append(ids) or Cache(), inputs=SimpleNamespace(name="rgb"))
    experiment = SimpleNamespace(
        only=lambda ids, there, name: tuple(i for i in ids if i in there and name == "rgb"),
        recordings={i: SimpleNamespace(subject=f"s{i}", label=int(i == "a")) for i in "abc"},
        index=SimpleNamespace(labels=("x", "y")),
    )
    found = evaluation.cached_predictions(experiment, teacher, ["b", "c", "a"], only=only)  # type: ignore[arg-type]
    assert shown == [["b", "c", "a"] if only else None]
    assert (found.ids, found.subjects, found.labels.tolist()) == (("b", "a"), ("sb", "sa"), [0, 1])
    np.testing.assert_allclose(found.probabilities, [[0.25, 0.75], [0.8, 0.2]], rtol=1e-6)


@pytest.mark.parametrize(("role", "kind", "distiller"), [("teacher", "teacher", None), ("student", "student", "kd")])
def test_results_are_stamped_with_all_that_is_known_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str, kind: str, distiller: str | None
) -> None:
    stamped: list[dict[str, Any]] = []
    monkeypatch.setattr(evaluation, "build_results", lambda predictions, **words: stamped.append(words) or predictions)
    (tmp_path / "weights").write_bytes(bytes(321))
    training = {"seconds": 7.5, "parameters": 12, "validation": [], "selected_epoch": 0, "epochs": 1, "select": "last"}
    facts = {"vskd": "1.0", "packages": {"torch": "2.0"}, "accelerator": "cpu", "torch_threads": 3, "x": "y"}
    folder = SimpleNamespace(
        role=role, facts=lambda: facts, training=lambda: {**training, "train": 4}, weights_file=tmp_path / "weights"
    )
    experiment = SimpleNamespace(
        recipe=SimpleNamespace(
            name="mine", seed=6, dataset=SimpleNamespace(name="world"), distiller=SimpleNamespace(title="kd"),
            student=SimpleNamespace(network=SimpleNamespace(name="net"), training="how"),
        ),
        split=SimpleNamespace(protocol="p", rule_hash="r", fold="f", split_hash="s", test=("a", "b", "c")),
        training_split=lambda _: SimpleNamespace(validation=("v",)),
        data_hash="a" * 64, data={"labels": "b" * 64}, **vars(note_experiment(3)),
        inputs=SimpleNamespace(ids={"a", "c"}, problems={"b": "cut off", "v": "empty"}, name="watch"),
    )  # fmt: skip
    whole = Predictions(("a",), ("s",), np.array([1]), np.array([[0.4, 0.6]]), ("x", "y"))
    for split, lost, asked in (("test", {"b": "cut off"}, ("a", "b", "c")), ("validation", {"v": "empty"}, ("v",))):
        said = evaluation._results(experiment, folder, Answers(whole), "beside", split, 1.23456)  # type: ignore[arg-type]
        assert said is whole
        assert stamped.pop() == {
            "over_time": evaluation.OverTime(), "kind": kind, "recipe": "mine", "dataset": "world", "network": "net",
            "distiller": distiller, "protocol": evaluation.stamp(experiment), "data": evaluation.data_stamp(experiment),
            "labels": evaluation.labels_stamp(experiment), "split": split, "seed": 6, "teacher": "beside",
            "timings": {"train": 7.5, "evaluate": 1.23}, "left_out": lost,
            "notes": evaluation._notes(experiment, folder, asked), "model_bytes": 321, "parameters": 12,
            "environment": {"vskd": "1.0", "torch": "2.0", "accelerator": "cpu", "threads": "3"},
        }  # fmt: skip


@pytest.mark.parametrize("beside", [Path("stores"), None])
@pytest.mark.parametrize("teachers", [(), (Path("T"),)])
def test_the_data_of_a_run_are_opened_where_they_were_stored(
    monkeypatch: pytest.MonkeyPatch, beside: Path | None, teachers: tuple[Path, ...]
) -> None:
    opened: list[tuple[object, ...]] = []
    recipe = SimpleNamespace(dataset=SimpleNamespace(path="DATA", protocol="mine.yaml"), labels=Labels(ids="list.csv"))
    setting = SimpleNamespace(title="ids of list.csv", hash="l", labelled=("a",))
    experiment = SimpleNamespace(
        split=SimpleNamespace(split_hash="s", protocol_hash="p"), data_hash="h", data_rows="rows", setting=setting,
        recipe=recipe,
    )  # fmt: skip
    monkeypatch.setattr(
        evaluation,
        "prepare",
        lambda *words, with_teachers: opened.append((*words, with_teachers)) or experiment,
    )
    facts = {"split_hash": "s", "data_hash": "h", "protocol_hash": "p", "labels_hash": "l", "labelled": 2}
    folder = SimpleNamespace(
        recipe=lambda: recipe, facts=lambda: facts, path=Path("runs") / "mine", teacher_runs=lambda: teachers,
        beside=lambda name: {"cache": beside}[name], data_changes=lambda rows: f"{rows} changed",
    )  # fmt: skip
    assert evaluation.open_experiment(folder) is experiment  # type: ignore[arg-type]
    assert opened == [(recipe, beside or Path("runs") / "cache", bool(teachers))]
    facts["data_hash"] = "other"
    with pytest.raises(ProtocolError, match="data in DATA are not those that runs/mine was trained on: rows changed"):
        evaluation.open_experiment(folder)  # type: ignore[arg-type]
    facts["split_hash"] = "other"
    with pytest.raises(ProtocolError, match="in DATA are split otherwise than when runs/mine was trained"):
        evaluation.open_experiment(folder)  # type: ignore[arg-type]
    facts["labels_hash"] = "other"
    said = (
        r"labels \(ids of list\.csv\): other recordings carry labels than when runs/mine was trained "
        r"\(1 now, 2 then\)\. Restore list\.csv, or train again in a new folder"
    )
    with pytest.raises(ProtocolError, match=said):
        evaluation.open_experiment(folder)  # type: ignore[arg-type]
    facts["protocol_hash"] = "other"
    with pytest.raises(
        ProtocolError, match=r"Protocol mine\.yaml is not the one that runs/mine was trained by.*Restore"
    ):
        evaluation.open_experiment(folder)  # type: ignore[arg-type]


@pytest.mark.parametrize("split", ["test", "validation"])
@pytest.mark.parametrize("done", [True, False])
def test_a_finished_run_is_read_where_it_was_evaluated_and_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: Any, done: bool
) -> None:
    """Hashes must be on record where the run has any; nothing is asked of a run that is not finished."""
    did: list[object] = []
    folder = SimpleNamespace(
        require_complete=lambda: did.append("complete"), sealed="as it is", tidy=lambda: did.append("swept"),
        writing=lambda: nullcontext(),
    )  # fmt: skip
    out = tmp_path if split == "test" else tmp_path / "validation"
    monkeypatch.setattr(evaluation, "RunFolder", SimpleNamespace(open=lambda run: folder if run == tmp_path else None))
    monkeypatch.setattr(evaluation, "evaluated", lambda place, *, recorded: did.append((place, recorded)) or done)
    monkeypatch.setattr(evaluation, "_check_data", lambda *words: did.append(words))
    monkeypatch.setattr(evaluation, "read_results", lambda path: path)
    monkeypatch.setattr(evaluation, "_evaluate", lambda *words: words)
    found = evaluate_run(tmp_path, **({} if split == "test" else {"split": split}))
    assert did[:2] == ["complete", (out, "as it is")]
    assert did[2:] == ([(folder, out), "swept"] if done else [])
    assert found == (out / "results.json" if done else (folder, split, out))


@pytest.mark.parametrize(("several", "alike"), [(True, True), (False, True), (False, False)])
def test_a_teacher_is_asked_about_what_is_evaluated_or_read_from_its_cache(
    monkeypatch: pytest.MonkeyPatch, several: bool, alike: bool
) -> None:
    """A cache has one answer a recording; and one of the student's own samples is made of these recordings alone."""
    asked: list[tuple[object, ...]] = []
    teacher = SimpleNamespace(
        inputs=SimpleNamespace(several=several, hash="same" if alike else "other"),
        experiment="its own",
        model="network",
    )
    experiment = SimpleNamespace(inputs=SimpleNamespace(hash="same"))
    monkeypatch.setattr(evaluation, "finished_teacher", lambda found, run: teacher if found is experiment else run)
    monkeypatch.setattr(evaluation, "logits_of", lambda model: f"logits of {model}")
    monkeypatch.setattr(evaluation, "predict_recordings", lambda *words: asked.append(words))
    monkeypatch.setattr(evaluation, "cached_predictions", lambda *words, only: asked.append((*words, only)))
    evaluation.teacher_predictions(experiment, Path("T"), ("a",))  # type: ignore[arg-type]
    own = ("its own", ("a",), "logits of network", "Evaluating the teacher")
    assert asked == [own if several else (experiment, teacher, ("a",), alike)]
