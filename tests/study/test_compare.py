"""`compare` runs what is missing, once, and leaves one table."""

import csv
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from tests.conftest import TINY, TINY_IMAGES, TINY_STUDENT, FinishedComparison, mend_in_place
from tests.study.conftest import quick
from vskd.datasets.recording import Index
from vskd.distillation.experiment import read_index
from vskd.distillation.run import RunFolder
from vskd.errors import ProtocolError, RecipeError, RunError
from vskd.evaluation.results import read_results
from vskd.export.evaluate import export_and_evaluate
from vskd.locks import lock_of
from vskd.recipe import Recipe, load_recipe
from vskd.recipe.roles import Teacher
from vskd.study.compare import compare
from vskd.study.comparison_schema import read_comparison
from vskd.study.controls import CONTROLS, with_controls
from vskd.study.foretold import Foretelling
from vskd.study.jobs import Job
from vskd.study.students import teacher_key


def test_the_table_in_every_form(finished_comparison) -> None:
    out = finished_comparison.out
    comparison = read_comparison(out / "comparison.json")
    found = [(row.recipe, row.kind) for row in comparison.rows]
    students = [(name, kind) for name in ("demo", "demo-no-kd") for kind in ("student", "bundle")]
    assert sorted(found) == sorted([("demo", "teacher"), *students])
    assert {row.recipe for row in comparison.rows if row.is_baseline} == {"demo-no-kd"}
    with (out / "comparison.csv").open(newline="", encoding="utf-8") as file:
        assert {row["recipe"] for row in csv.DictReader(file)} == {"demo", "demo-no-kd"}
    assert "data:image/png;base64," in (out / "comparison.html").read_text(encoding="utf-8")
    assert "demo-no-kd (baseline)" in (out / "comparison.txt").read_text(encoding="utf-8")


def test_rows_are_the_figures_of_the_runs(finished_comparison) -> None:
    comparison = read_comparison(finished_comparison.out / "comparison.json")
    rows = {(row.recipe, row.kind): row for row in comparison.rows}
    folders = {
        ("demo", "student"): finished_comparison.student,
        ("demo", "bundle"): finished_comparison.student / "int8",
        ("demo-no-kd", "student"): finished_comparison.no_kd,
        ("demo", "teacher"): finished_comparison.teacher,
    }
    for key, folder in folders.items():
        results = read_results(folder / "results.json")
        assert rows[key].accuracy.mean == pytest.approx(results.accuracy)
        assert rows[key].seeds == (0,)
        assert comparison.protocol_hash == results.protocol.hash


def test_one_teacher_serves_both(finished_comparison) -> None:
    assert len(list((finished_comparison.out / "teachers").iterdir())) == 1
    assert len(list((finished_comparison.out / "cache").glob("teacher-*.h5"))) == 1


def test_nothing_is_run_twice(finished_comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was run again")

    out = finished_comparison.out
    monkeypatch.setattr("vskd.distillation.lightning_imports.Trainer", refuse)
    monkeypatch.setattr("vskd.distillation.teacher.outputs.write_teacher_cache", refuse)
    monkeypatch.setattr("vskd.evaluation.evaluate.predict_recordings", refuse)
    monkeypatch.setattr("vskd.export.evaluate.export_run", refuse)
    kept = [*out.rglob("*.safetensors"), *out.rglob("*.tflite"), *out.rglob("predictions.csv"), *out.rglob("*.h5")]
    before = {path: path.stat().st_mtime_ns for path in kept}
    assert len(before) > 10
    table = read_comparison(out / "comparison.json")
    again = compare(finished_comparison.recipes, [0], out, after_run=export_and_evaluate)
    assert again == table
    assert {path: path.stat().st_mtime_ns for path in kept} == before


def test_finished_runs_are_seen_in_one_look_at_the_data_and_without_stores(
    comparison_copy: FinishedComparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many they are; the table is the same, byte by byte."""
    seen: list[str] = []

    def counted(recipe: Recipe) -> Index:
        seen.append(recipe.name)
        return read_index(recipe)

    out, recipes = comparison_copy.out, comparison_copy.recipes
    names = ("comparison.json", "comparison.csv", "comparison.txt")
    table = compare(recipes, [0], out, after_run=export_and_evaluate)
    before = [(out / name).read_bytes() for name in names]
    shutil.rmtree(out / "cache")
    monkeypatch.setattr("vskd.distillation.experiment.read_index", counted)
    assert compare(recipes, [0], out, after_run=export_and_evaluate) == table
    assert [(out / name).read_bytes() for name in names] == before
    assert len(seen) == 1
    assert not list((out / "cache").glob("*.h5"))


def test_data_mended_in_place_never_give_the_figures_of_before(
    comparison_copy: FinishedComparison, synthetic_root: Path, tmp_path: Path
) -> None:
    """Neither the teacher's, nor the student's run is taken for one of the mended data."""
    world = Path(shutil.copytree(synthetic_root, tmp_path / "world"))
    recipes = [r.updated(f"dataset.path={world}") for r in comparison_copy.recipes]
    assert compare(recipes, [0], comparison_copy.out).rows
    mend_in_place(world / "RGB" / "a1_s2_t1_color.mp4")
    with pytest.raises(RunError, match=r"teachers/.*data_hash, 1 recording\(s\) changed: a1_s2_t1 \(rgb\)"):
        compare(recipes, [0], comparison_copy.out)
    shutil.copytree(synthetic_root, world, dirs_exist_ok=True)
    mend_in_place(world / "Inertial" / "a1_s2_t1_inertial.mat")
    with pytest.raises(RunError, match=r"runs/demo-no-kd/seed0.*data_hash, 1 recording.*a1_s2_t1 \(accelerometer\)"):
        compare(recipes, [0], comparison_copy.out)


def test_two_recipes_of_one_name_are_refused(tmp_path: Path) -> None:
    recipe = load_recipe("demo")
    with pytest.raises(RecipeError, match="share a name: demo, demo"):
        compare([recipe, recipe], [0], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_known_answers_give_a_known_table(comparison_copy: FinishedComparison, answers: Callable[..., None]) -> None:
    """Right where the other is wrong, three times: one difference, one exact test, no row in the place of another."""
    answers(
        student=lambda i: i.endswith("_s2_t2"),  # 3 of 12
        no_kd=lambda i: i.endswith("_t2"),  # 6 of 12, those 3 among them
        int8=lambda i: i == "a1_s2_t1",
    )
    students = (comparison_copy.student, comparison_copy.no_kd)
    for place in (*students, *(run / "int8" for run in students)):
        for name in ("results.json", "predictions.csv"):
            (place / name).unlink()
    comparison = compare(comparison_copy.recipes, [0], comparison_copy.out, after_run=export_and_evaluate)
    rows = {(row.recipe, row.kind): row for row in comparison.rows}
    found = {key: row.accuracy.mean for key, row in rows.items() if key[1] != "teacher"}
    assert found == {
        ("demo", "student"): 0.75,
        ("demo-no-kd", "student"): 0.5,
        ("demo", "bundle"): 11 / 12,
        ("demo-no-kd", "bundle"): 11 / 12,
    }
    versus = rows["demo", "student"].versus_baseline
    assert versus is not None and versus.difference == 0.25
    (test,) = versus.tests
    assert (test.only_candidate, test.only_baseline, test.n, test.p_value) == (3, 0, 12, 0.25)
    (same,) = rows["demo", "bundle"].versus_baseline.tests
    assert (same.only_candidate, same.only_baseline, same.p_value) == (0, 0, 1.0)


TWO_FOLDS = """\
name: two
version: 1
dataset: image-folder
split_by: subject
folds: {first: [1, 2], second: [3, 4, 5]}
disjoint: subject
validation_unit: subject
"""


def test_all_folds_are_run_and_pooled(shapes_root: Path, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(TWO_FOLDS, encoding="utf-8")
    epochs = ("student.training.epochs=1", "teachers.0.training.epochs=1")
    folds = (f"dataset.path={shapes_root}", f"dataset.protocol={tmp_path / 'two.yaml'}", "dataset.fold=all")
    recipe = load_recipe("krca", (*TINY_IMAGES, *epochs, *folds, "distiller=none", "name=krca-no-kd"))
    comparison = compare([recipe], [0], tmp_path / "out")
    everyone = sum(len(list((shapes_root / part).rglob("*.png"))) for part in ("train", "test"))
    assert set(comparison.folds) == {"first", "second"}
    assert {(row.kind, row.n) for row in comparison.rows} == {("student", everyone)}
    assert set(comparison.rows[0].subjects) == {"1", "2", "3", "4", "5"}
    runs = tmp_path / "out" / "runs" / "krca-no-kd"
    parts = [read_results(runs / f"fold-{fold}" / "seed0" / "results.json") for fold in ("first", "second")]
    (student,) = [row for row in comparison.rows if row.kind == "student"]
    assert student.accuracy.mean == pytest.approx(sum(p.accuracy * p.n for p in parts) / everyone)


def test_every_teacher_of_a_recipe_has_a_row(synthetic_root: Path, tmp_path: Path) -> None:
    """The second is no second run of the first."""
    quick = (*TINY, *TINY_STUDENT, f"dataset.path={synthetic_root}", "distiller=kd")
    recipe = load_recipe("demo", quick)
    student = recipe.student.model_dump(mode="json")
    two = recipe.model_copy(
        update={"teachers": tuple(Teacher.model_validate_json(json.dumps(student | {"seed": s})) for s in (0, 1))}
    )
    comparison = compare([two], [0], tmp_path)
    assert [(row.recipe, row.kind, row.seeds) for row in comparison.rows] == [
        ("demo", "teacher", (0,)),
        ("demo", "student", (0,)),
        ("demo, teacher 1", "teacher", (1,)),
    ]
    run = RunFolder.open(tmp_path / "runs" / "demo" / "seed0")
    figures = {row.recipe: row.accuracy.mean for row in comparison.rows if row.kind == "teacher"}
    for path, name in zip(run.teacher_runs(), ("demo", "demo, teacher 1"), strict=True):
        assert read_results(path / "results.json").accuracy == figures[name]


def test_few_labels_and_all_controls_in_one_table(synthetic_root: Path, tmp_path: Path) -> None:
    """The teacher is trained once for the recipe and its permuted twins; each row says who carried labels."""
    quick = ("teachers.0.sees.size=32", "teachers.0.sees.segments=3", *TINY[2:3], *TINY_STUDENT)
    words = (*quick, f"dataset.path={synthetic_root}", "distiller=kd", "labels.trials=[1]")
    whole = tuple(f"{r}.training.{k}" for r in ("student", "teachers.0") for k in ("validation=none", "select=last"))
    recipe = load_recipe("demo", (*words, *whole))
    comparison = compare(with_controls([recipe], list(CONTROLS)), [0], tmp_path)
    twins = [f"demo-{suffix}" for _, suffix in CONTROLS.values()]
    assert {row.recipe: row.labels for row in comparison.rows if row.kind == "student"} == {
        **dict.fromkeys(("demo", *twins), "trial 1"),
        "demo-all-labels": "all",
    }
    assert comparison.baseline == "demo-no-kd"
    assert all(row.versus_baseline for row in comparison.rows if row.kind == "student" and not row.is_baseline)
    (teacher,) = (tmp_path / "teachers").iterdir()  # who teaches itself has its finished twin as its teacher
    runs = tmp_path / "runs"
    taught_by = {name: RunFolder(runs / name / "seed0").teacher_runs() for name in ("demo-self", "demo-permuted")}
    assert taught_by == {"demo-self": (runs / "demo-no-kd" / "seed0",), "demo-permuted": (teacher,)}
    (own,) = [row for row in comparison.rows if (row.recipe, row.kind) == ("demo-self", "teacher")]
    (alone,) = [row for row in comparison.rows if row.recipe == "demo-no-kd"]
    assert own.model_dump(include={"accuracy", "subjects", "n"}) == alone.model_dump(
        include={"accuracy", "subjects", "n"}
    )
    assert (own.distiller, own.teacher_accuracy) == (None, None)
    results = read_results(tmp_path / "runs" / "demo" / "seed0" / "results.json")
    assert results.labels is not None
    assert (results.labels.title, results.labels.labelled, results.labels.unlabelled) == ("trial 1", 6, 6)
    report = (tmp_path / "runs" / "demo" / "seed0" / "report.html").read_text(encoding="utf-8")
    assert "Labels: trial 1; 6 of them carried one, the other 6 were pairs without labels." in report


def test_without_a_recipe_that_needs_a_teacher_its_streams_need_not_be_there(
    synthetic_root: Path, tmp_path: Path
) -> None:
    world = tmp_path / "world"
    shutil.copytree(synthetic_root, world)
    for video in world.rglob("*"):
        if "Depth" in video.parent.name or video.suffix in (".avi", ".mp4"):
            video.unlink()
    recipe = load_recipe("demo", (*TINY, *TINY_STUDENT, f"dataset.path={world}", "distiller=none"))
    comparison = compare([recipe], [0], tmp_path / "out")
    assert [(row.recipe, row.kind) for row in comparison.rows] == [("demo", "student")]
    assert not (tmp_path / "out" / "teachers").exists()


def test_teachers_are_shared_and_several_workers_give_the_same_figures(synthetic_root: Path, tmp_path: Path) -> None:
    recipe, twin = with_controls([quick(synthetic_root, "threads=1")], ["none"])
    table = compare([recipe, twin], [0], tmp_path / "one", teachers=tmp_path / "teachers")
    (teacher,) = (tmp_path / "teachers").iterdir()
    before = (teacher / "checkpoints" / "model.safetensors").stat().st_mtime_ns
    compare([recipe], [0], tmp_path / "two", teachers=tmp_path / "teachers")
    assert (teacher / "checkpoints" / "model.safetensors").stat().st_mtime_ns == before
    assert not (tmp_path / "two" / "teachers").exists()
    (row,) = compare([twin], [0], tmp_path / "three", workers=2).rows
    (other,) = [row for row in table.rows if row.recipe == twin.name and row.kind == "student"]
    assert (row.accuracy, row.macro_f1, row.subjects) == (other.accuracy, other.macro_f1, other.subjects)
    log = (tmp_path / "three" / "compare.log").read_text(encoding="utf-8")
    assert "demo-no-kd, demo-no-kd seed 0: student: epoch 1" in log


def test_no_teacher_is_trained_that_nobody_listens_to(synthetic_root: Path, tmp_path: Path) -> None:
    """Another recipe's listening trains no teacher for a recipe that does not listen to its own."""
    other = quick(synthetic_root, "teachers.0.training.epochs=2", "distiller=none", "name=other")
    comparison = compare([quick(synthetic_root), other], [0], tmp_path)
    assert len(list((tmp_path / "teachers").iterdir())) == 1
    assert {(row.recipe, row.kind) for row in comparison.rows} == {
        ("demo", "teacher"),
        ("demo", "student"),
        ("other", "student"),
    }


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Job]]:
    """The jobs of a comparison, none of which is done."""

    def plan(recipes: list[Recipe], out: Path, seeds: tuple[int, ...] = (0,), **settings: object) -> list[Job]:
        seen: list[tuple[list[Job], int, Path]] = []

        def refuse(jobs: list[Job], workers: int, log: Path) -> None:
            seen.append((jobs, workers, log))
            raise RunError("enough", "Stop")

        monkeypatch.setattr("vskd.study.compare.run_jobs", refuse)
        monkeypatch.setattr("vskd.study.compare._refuse_untrainable", lambda *_: None)
        with pytest.raises(RunError, match="enough"):
            compare(recipes, seeds, out, **settings)
        jobs, workers, log = seen[0]
        assert (workers, log) == (settings.get("workers", 1), out / "compare.log")
        return jobs

    return plan


def test_the_plan_of_a_comparison(planned: Callable[..., list[Job]], tmp_path: Path) -> None:
    """Who listens to nobody comes first; a teacher comes once, before the first that has it."""
    recipes = with_controls([load_recipe("demo")], ["none"])
    jobs = planned(recipes, tmp_path / "out", (3, 1), workers=2)
    shown = [(str(job.folder.relative_to(tmp_path / "out")), job.title) for job in jobs]
    keys = {seed: f"teachers/{teacher_key(recipes[0].with_seed(seed))}-seed{seed}" for seed in (3, 1)}
    assert shown == [
        (keys[3], "demo-no-kd, demo-no-kd seed 3: teacher 0"),
        ("runs/demo-no-kd/seed3", "demo-no-kd, demo-no-kd seed 3: student"),
        (keys[1], "demo-no-kd, demo-no-kd seed 1: teacher 0"),
        ("runs/demo-no-kd/seed1", "demo-no-kd, demo-no-kd seed 1: student"),
        ("runs/demo/seed3", "demo, demo seed 3: student"),
        ("runs/demo/seed1", "demo, demo seed 1: student"),
    ]
    after = {str(job.folder.relative_to(tmp_path / "out")): [str(p.relative_to(tmp_path / "out")) for p in job.after]
             for job in jobs}  # fmt: skip
    assert after == {
        **{keys[seed]: [] for seed in (3, 1)},
        **{f"runs/{name}/seed{seed}": [keys[seed]] for name in ("demo", "demo-no-kd") for seed in (3, 1)},
    }


def test_who_is_foretold_waits_for_its_twin(planned: Callable[..., list[Job]], tmp_path: Path) -> None:
    out, recipes = tmp_path / "out", with_controls([load_recipe("demo")], ["none", "permuted"])
    jobs = {job.folder: job for job in planned(recipes, out, say=print, teachers=tmp_path / "T", cache=tmp_path / "C")}
    teacher = tmp_path / "T" / f"{teacher_key(recipes[0].with_seed(0))}-seed0"
    runs = out / "runs"
    assert jobs[runs / "demo" / "seed0"].after == (teacher, runs / "demo-no-kd" / "seed0")
    assert jobs[runs / "demo-no-kd" / "seed0"].after == (teacher,)
    assert jobs[teacher].after == ()
    (_, number, run, cache, _) = jobs[teacher].work.args  # type: ignore[attr-defined]
    assert (number, run, cache) == (0, teacher, tmp_path / "C")
    (student, cache, after_run, _, say) = jobs[runs / "demo" / "seed0"].work.args  # type: ignore[attr-defined]
    assert (student.run, student.teachers, cache, after_run, say) == (
        *(runs / "demo" / "seed0", (teacher,), tmp_path / "C", None, print),
    )


def test_recipes_of_several_protocols_or_data_sets_are_refused(tmp_path: Path) -> None:
    demo, other = load_recipe("demo"), load_recipe("demo", ["name=other", "dataset.protocol=subject-specific"])
    third = load_recipe("demo", ["name=third", "dataset.name=utd-mhad"])
    for second in (other, third):
        with pytest.raises(ProtocolError, match="are of several protocols"):
            compare([demo, second], [0], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_protocols_that_never_share_a_table_are_named_in_order(tmp_path: Path) -> None:
    names = ("subject-specific", "cross-subject", "leave-one-subject-out")
    recipes = [load_recipe("demo", [f"name=r{n}", f"dataset.protocol={p}"]) for n, p in enumerate(names)]
    listed = "synthetic, cross-subject; synthetic, leave-one-subject-out; synthetic, subject-specific"
    with pytest.raises(ProtocolError, match=re.escape(f"({listed})")):
        compare(recipes, [0], tmp_path / "out")


def test_a_recipe_that_cannot_be_trained_is_refused_before_the_others_are(
    synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a training was begun")

    monkeypatch.setattr("vskd.study.compare.run_jobs", never)
    good = load_recipe("demo", (*TINY, f"dataset.path={synthetic_root}", "distiller=none"))
    for word, problem in (("labels.subjects=['99']", "99"), ("student.network=trn", "reads")):
        with pytest.raises(RecipeError, match=problem):
            compare([good, good.updated("name=other", word)], [0, 1], tmp_path / "out")
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize("further", [True, False])
def test_each_training_is_evaluated_with_the_threads_and_stores_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planned: Callable[..., list[Job]], further: bool
) -> None:
    """Teachers, which another comparison may be training now, are waited for."""
    done: list[tuple[object, ...]] = []

    @contextmanager
    def noted(*words: object, **named: object) -> Iterator[None]:
        done.append(("within", *words, *named.values()))
        yield

    for name in ("teach", "distill"):
        monkeypatch.setattr(
            f"vskd.study.compare.{name}", lambda *words, name=name, **named: done.append((name, *words, named))
        )
    monkeypatch.setattr("vskd.study.compare.evaluate_run", lambda run: done.append(("evaluate", run)))
    monkeypatch.setattr("vskd.study.compare.fixed_threads", noted)
    recipes, cache = with_controls([load_recipe("demo")], ["none"]), tmp_path / "stores"
    after_run = (lambda run: run / "int8") if further else None
    jobs = planned(recipes, tmp_path / "out", (4,), cache=cache, after_run=after_run, say=print)
    monkeypatch.setattr("vskd.study.compare.only_writer", noted)
    threads = ("within", torch.get_num_threads())
    teacher, alone, taught = jobs
    assert teacher.work() is None
    assert done == [
        ("within", lock_of(teacher.folder), teacher.folder, True),
        threads,
        ("teach", recipes[1].with_seed(4), teacher.folder, {"number": 0, "cache": cache}),
        ("evaluate", teacher.folder),
    ]
    for job, recipe in ((alone, recipes[1]), (taught, recipes[0])):
        done.clear()
        assert job.work() == (job.folder / "int8" if further else None)
        ready = Foretelling(recipe.with_seed(4), job.folder, print)
        assert done == [
            threads,
            ("distill", recipe.with_seed(4), job.folder, (teacher.folder,), {"cache": cache, "ready": ready}),
            ("evaluate", job.folder),
        ]
