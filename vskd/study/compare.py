"""Run what is missing of recipes x folds x seeds, then put everything into one table."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from vskd.distillation.beforehand import refuse_untrainable
from vskd.distillation.experiment import DataOnce
from vskd.distillation.run import RunFolder
from vskd.distillation.tested_labels import warn_of_tested_labels
from vskd.distillation.train import distill, fixed_threads, teach
from vskd.errors import ProtocolError, RecipeError
from vskd.evaluation.evaluate import evaluate_run
from vskd.evaluation.finished import FILES, refuse_run_or_bundle
from vskd.evaluation.predictions import read_csv
from vskd.evaluation.results import read_results
from vskd.locks import LOCK, lock_of, only_writer
from vskd.recipe import DECIDING, Recipe
from vskd.study.comparison import Comparison, EvaluatedRun
from vskd.study.comparison import compare as compare_runs
from vskd.study.comparison_tables import write_comparison
from vskd.study.foretold import Foretelling, with_forecasts
from vskd.study.jobs import Job, run_jobs
from vskd.study.students import Student, students_of

AfterRun = Callable[[Path], Path]
"""Something done with every finished student run that leaves a further results folder, e.g. export and evaluate
int8."""


def compare(
    recipes: Sequence[Recipe],
    seeds: Sequence[int],
    out: Path,
    *,
    cache: Path | None = None,
    after_run: AfterRun | None = None,
    workers: int = 1,
    teachers: Path | None = None,
    say: Callable[[str], None] | None = None,
) -> Comparison:
    """Teach, distil and evaluate every recipe with every seed, and compare.

    A teacher is trained where a recipe listens to it; where a student without a teacher is trained alike, as it is for
    its twin of self-training, that run is the teacher. A recipe that listens to none has the teacher's figures beside
    its own, and is trained on the same recordings, where its teachers are those of one that does. What is finished is
    not run again, what was interrupted is resumed.

    Args:
        recipes: their names must differ. One with `dataset.fold: all` is run on every fold of its protocol; the folds
            are pooled, each recording being tested once per seed.
        seeds: of the students, and of teachers whose recipe has no seed of its own.
        out: folder of runs, stores and the table (comparison.json, .csv, .html, .txt).
        cache: where windows, frames and teacher outputs are stored; `out`/cache by default.
        after_run: see `AfterRun`; with several workers, one that can be pickled.
        workers: how many trainings are run at a time, in as many processes, each with as many threads as it would have
            alone; their log is compare.log in `out`. The figures are the same for any number.
        teachers: where teachers' runs lie; `out`/teachers by default. Comparisons may share it, also at the same time.
        say: gets the forecast of each student with a teacher before it is trained, where its twin without one is
            compared, too, and had validation recordings; with several workers, one that can be pickled. None makes no
            forecast. Whether it came true is in the comparison.

    Raises:
        RecipeError: two recipes have one name, or one cannot be trained; nothing was.
        ProtocolError: the recipes use different protocols, or want all folds of one that has none.
        LockedError: another process writes a comparison into `out`.
        WriteError: `out` is the folder of a run or of a bundle.
        VskdError: a run fails; finished ones stay.
    """
    names = [recipe.name for recipe in recipes]
    if len(set(names)) < len(names):
        raise RecipeError(f"Recipes to compare share a name: {', '.join(names)}", "Give each recipe a name of its own")
    protocols = sorted({f"{r.dataset.name}, {r.dataset.protocol}" for r in recipes})
    if len(protocols) > 1:
        raise ProtocolError(
            f"Recipes to compare are of several protocols ({'; '.join(protocols)}), which never share a table",
            "Compare those of one protocol",
        )
    refuse_run_or_bundle(out)
    with only_writer(out / LOCK, out):
        data, cache = DataOnce(), cache or out / "cache"
        students = students_of(recipes, seeds, out, teachers or out / "teachers", data.index)
        _refuse_untrainable(students, cache, data)
        done = _finished(students, cache, data)
        jobs = _left(students, _jobs(students, cache, after_run, say), done, after_run)
        results = {**dict.fromkeys(done), **run_jobs(jobs, workers, out / "compare.log")}
        runs: dict[tuple[Path, bool], str] = {}
        for student in students:
            for path, name, teaches in student.rows(results[student.run]):
                runs.setdefault((path, teaches), name)  # a shared teacher has the name of the first that listens to it
        comparison = compare_runs([_evaluated(path, name, teaches=teaches) for (path, teaches), name in runs.items()])
        comparison = with_forecasts(comparison, [(s.recipe.name, s.recipe, s.run) for s in students])
        write_comparison(comparison, out)
        return comparison


def _refuse_untrainable(students: Sequence[Student], cache: Path, data: DataOnce) -> None:
    """Refuse a recipe before anything is trained, not when its turn comes after the others: one student of each."""
    firsts = {student.recipe.name: student for student in reversed(students)}.values()
    for student in firsts:
        if not RunFolder(student.run).complete:
            needs_teacher = student.recipe.distiller.needs_teacher
            experiment = data.prepare(student.recipe, cache, with_teachers=needs_teacher)
            refuse_untrainable(experiment, with_teachers=needs_teacher)
    if not all(RunFolder(student.run).complete for student in students):
        # of finished ones, too: one that hides labels makes another one its control
        warn_of_tested_labels([student.recipe for student in firsts], cache, data)


def _finished(students: Sequence[Student], cache: Path, data: DataOnce) -> set[Path]:
    """The runs that were trained and evaluated before, as their teachers were; in one look at the data.

    Raises:
        VskdError: one is of another recipe or of other data, or was damaged.
    """
    done: set[Path] = set()
    own = {student.run for student in students}
    for student in sorted(students, key=lambda s: s.recipe.distiller.needs_teacher):
        for number, run in enumerate(student.teachers):
            if run not in done | own and _evaluated_before(run):
                with only_writer(lock_of(run), run, wait=True):
                    teach(student.recipe, run, number=number, cache=cache, data=data)
                done.add(run)
        if done.issuperset(student.teachers) and _evaluated_before(student.run):
            distill(student.recipe, student.run, student.teachers, cache=cache, data=data)
            done.add(student.run)
    return done


def _evaluated_before(run: Path) -> bool:
    """Whether its training ended and the files of its evaluation are as they were written."""
    folder = RunFolder(run)
    return folder.complete and folder.sums.intact(FILES)


def _jobs(
    students: Sequence[Student], cache: Path, after_run: AfterRun | None, say: Callable[[str], None] | None
) -> list[Job]:
    """The trainings: every teacher once, before the first student that has it.

    Students that listen to nobody come first, so that those that do can be foretold from them.
    """
    jobs: dict[Path, Job] = {}
    threads = torch.get_num_threads()
    alone = {s.recipe.hash_of(*DECIDING): s.run for s in students if not s.recipe.distiller.needs_teacher}
    for student in sorted(students, key=lambda s: s.recipe.distiller.needs_teacher):
        name = f"{student.recipe.name}, {student.run.parent.name} seed {student.recipe.seed}"
        for number, run in enumerate(student.teachers):
            teaching = partial(_teach, student.recipe, number, run, cache, threads)
            jobs.setdefault(run, Job(run, f"{name}: teacher {number}", teaching))
        learning = partial(_distill, student, cache, after_run, threads, say)
        after = list(student.teachers)
        if say is not None and student.recipe.distiller.needs_teacher:
            after += [run for key, run in alone.items() if key == student.recipe.undistilled().hash_of(*DECIDING)]
        jobs[student.run] = Job(student.run, f"{name}: student", learning, tuple(after))
    return list(jobs.values())


def _left(
    students: Sequence[Student], jobs: Sequence[Job], done: Collection[Path], after_run: AfterRun | None
) -> list[Job]:
    """The jobs without those that are `done`; of students that are, what is done with them after their evaluation."""
    left = [
        replace(job, after=tuple(run for run in job.after if run not in done)) for job in jobs if job.folder not in done
    ]
    if after_run is None:
        return left
    further = partial(_after, after_run=after_run, threads=torch.get_num_threads())
    runs = {student.run for student in students} & set(done)
    return [*(replace(job, work=partial(further, job.folder), after=()) for job in jobs if job.folder in runs), *left]


def _teach(recipe: Recipe, number: int, run: Path, cache: Path, threads: int) -> None:
    """Train and evaluate a teacher; where another comparison does so now, wait until it has."""
    with only_writer(lock_of(run), run, wait=True), fixed_threads(threads):
        teach(recipe, run, number=number, cache=cache)
        evaluate_run(run)


def _distill(
    student: Student, cache: Path, after_run: AfterRun | None, threads: int, say: Callable[[str], None] | None
) -> Path | None:
    """Train and evaluate a student; the further folder of results, where there is one."""
    ready = None if say is None else Foretelling(student.recipe, student.run, say)
    with fixed_threads(threads):
        distill(student.recipe, student.run, student.teachers, cache=cache, ready=ready)
        evaluate_run(student.run)
        return after_run(student.run) if after_run else None


def _after(run: Path, after_run: AfterRun, threads: int) -> Path:
    """The further folder of results of a student that is trained and evaluated."""
    with fixed_threads(threads):
        return after_run(run)


def _evaluated(path: Path, name: str, *, teaches: bool) -> EvaluatedRun:
    """A run as a row has it; a student that teaches another has a row as a teacher, too."""
    results = read_results(path / "results.json")
    if teaches:
        results = results.model_copy(update={"kind": "teacher", "distiller": None, "teacher": None})
    return EvaluatedRun(name, results.seed, results, read_csv(path / "predictions.csv"))
