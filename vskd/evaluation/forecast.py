"""A forecast before a student is trained: will its teacher help? From validation recordings alone, never test ones.

A teacher pays as an annotator of recordings that nobody labelled (Gupta, Hoffman & Malik, "Cross Modal Distillation for
Supervision Transfer", CVPR 2016): where it is right and the student's own network is not. So the two are compared on
recordings that neither learned from, one by one:

- will hurt: the student is right where the teacher is wrong more often than the other way round, by more than chance
  (McNemar's exact test, one-sided, level `LEVEL`);
- will help: there are recordings without labels, the teacher is right where the student is wrong more often than the
  other way round, by more than chance, and at least `TEACHES` of the student's mistakes are none of the teacher's;
- cannot say: a verdict would need the validation recordings, and they show nobody new: people with labels that are
  trained on alone, while people test of whom no label is. What a teacher knows of these, nothing tells;
- will not help: everything else. With all labels a teacher repeats what the labels say.

Both numbers are conventions (5 %; more often right than not), not fitted. How often the rule was right:
docs/evaluation.md.
"""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.stats import binomtest

from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.run import RunFolder, default_cache
from vskd.distillation.teacher.outputs import finished_teacher
from vskd.errors import RunError, VskdError, first_few, natural_order
from vskd.evaluation.evaluate import cached_predictions, evaluate_run
from vskd.evaluation.finished import PREDICTIONS
from vskd.evaluation.predictions import Predictions, read_csv
from vskd.evaluation.statistics import mcnemar
from vskd.recipe import DECIDING, Recipe
from vskd.recipe.roles import Teacher
from vskd.schema import Count, Fraction, Size, Strict

logger = logging.getLogger(__name__)

LEVEL = 0.05
"""Of the one-sided test of who of the two is right more often."""
TEACHES = 0.5
"""Share of the student's mistakes on which a teacher that helps is right."""

Verdict = Literal["will help", "will not help", "will hurt", "cannot say"]


class Forecast(Strict):
    """Whether a teacher will help a student, and why.

    Attributes:
        verdict: see the module's text; `reason`: in words.
        n: validation recordings.
        teacher_accuracy, student_accuracy: on these, of the student without a teacher.
        disagreement: share on which the two answer otherwise.
        teaches: the teacher's accuracy where the student is wrong; None where it is always right.
        only_teacher, only_student: recordings that one of them alone is right on.
        p_value: of the one-sided test in favour of the better one.
        unlabelled: share of the training recordings without a label.
    """

    verdict: Verdict
    reason: str
    n: Count
    teacher_accuracy: Fraction
    student_accuracy: Fraction
    disagreement: Fraction
    teaches: Fraction | None
    only_teacher: Size
    only_student: Size
    p_value: Fraction
    unlabelled: Fraction

    def __str__(self) -> str:
        """One line."""
        return f"{self.verdict}: {self.reason}"


def forecast(teacher: Predictions, student: Predictions, unlabelled: float, strangers: Sequence[str] = ()) -> Forecast:
    """Compare a teacher with a student that has none.

    Args:
        teacher, student: of the same recordings, which neither learned from.
        unlabelled: share of the training recordings that carry no label.
        strangers: people who test and of whom no label is trained on, where validation shows nobody of that kind.

    Raises:
        ProtocolError: the two are not of the same recordings.
    """
    test = mcnemar(teacher, student)
    taught, alone = teacher.sorted_by_id(), student.sorted_by_id()
    wrong = ~alone.correct
    teaches = float(taught.correct[wrong].mean()) if wrong.any() else None
    better = max(test.only_candidate, test.only_baseline)
    decided = test.only_candidate + test.only_baseline
    p_value = float(binomtest(better, decided, 0.5, alternative="greater").pvalue) if decided else 1.0
    teacher_leads = test.only_candidate > test.only_baseline
    hurts = p_value <= LEVEL and not teacher_leads
    if strangers and (unlabelled or hurts):
        verdict, why = _blind(strangers)
    else:
        verdict, why = _verdict(hurts=hurts, sure=p_value <= LEVEL, teaches=teaches, unlabelled=unlabelled)
    accuracies = float(taught.correct.mean()), float(alone.correct.mean())
    return Forecast(
        verdict=verdict,
        reason=f"{_seen(accuracies, teaches, len(alone))}; {why}",
        n=len(alone),
        teacher_accuracy=accuracies[0],
        student_accuracy=accuracies[1],
        disagreement=float(np.mean(taught.predicted != alone.predicted)),
        teaches=teaches,
        only_teacher=test.only_candidate,
        only_student=test.only_baseline,
        p_value=p_value,
        unlabelled=unlabelled,
    )


def _blind(strangers: Sequence[str]) -> tuple[Verdict, str]:
    return "cannot say", (
        "these are of people whose labels are trained on, and say nothing of new people: of "
        f"{first_few(strangers, 4, ', ')}, who test, no label is trained on; validate on a person with labels who "
        "does not train: give --protocol a file with a part `validation` to both runs"
    )


def _verdict(*, hurts: bool, sure: bool, teaches: float | None, unlabelled: float) -> tuple[Verdict, str]:
    """The rule, and in words which part of it decided."""
    if hurts:
        return "will hurt", "it would pass on more mistakes than it corrects"
    if not unlabelled:
        return "will not help", "every training recording has a label, which says as much"
    if not sure:
        return "will not help", "who of the two is better is within chance"
    if teaches is None or teaches < TEACHES:
        return "will not help", "it makes most of the student's mistakes too"
    return "will help", f"it knows better what the {100 * unlabelled:.0f} % of recordings without a label are"


def _seen(accuracies: tuple[float, float], teaches: float | None, n: int) -> str:
    rest = "" if teaches is None else f", and on {100 * teaches:.0f} % of what the student gets wrong"
    return (
        f"the teacher is right on {100 * accuracies[0]:.1f} % of {n} validation recordings{rest}, "
        f"the student without it on {100 * accuracies[1]:.1f} %"
    )


def forecast_of_runs(teacher_runs: Sequence[Path], student_run: Path) -> Forecast:
    """The forecast of finished runs; nothing is trained. Of several teachers the probabilities are averaged.

    The student's answers are those of `vskd evaluate --split validation`, made here where they are missing.

    Args:
        teacher_runs: one or more.
        student_run: trained without a teacher, on the labels that the student with one will have.

    Raises:
        RunError: a run is not finished, the student had a teacher, or no validation part.
        ProtocolError: a teacher learned from the validation recordings, or does not fit; or the data changed.
    """
    folder = RunFolder.open(student_run)
    folder.require_complete()
    if folder.recipe().distiller.needs_teacher:
        raise RunError(f"{student_run} had a teacher already", "Name a run that was trained with --distiller none")
    if not folder.training()["validation"]:
        raise RunError(
            f"{student_run} was trained without validation recordings, so nothing can be foretold",
            "Train it with --set student.training.validation=carve, and the teacher likewise",
        )
    evaluate_run(student_run, split="validation")
    student = read_csv(student_run / "validation" / PREDICTIONS)
    experiment = _beside(folder, teacher_runs, student.ids)
    teacher = _teachers(experiment, teacher_runs)
    rows = {recording: row for row, recording in enumerate(student.ids)}
    facts = folder.facts()
    count = facts.get("unlabelled", 0) + facts.get("labelled", 0)
    share = facts.get("unlabelled", 0) / count if count else 0.0
    return forecast(teacher, student.take([rows[i] for i in teacher.ids]), share, _strangers(experiment, teacher.ids))


def _strangers(experiment: Experiment, validation: Sequence[str]) -> tuple[str, ...]:
    """People who test and of whom no label is trained on; empty where somebody like that is validated on."""
    known, validated, tested = (
        {experiment.recordings[i].subject for i in ids}
        for ids in (experiment.labelled, validation, experiment.split.test)
    )
    return natural_order(tested - known) if validated <= known else ()


def _beside(folder: RunFolder, teacher_runs: Sequence[Path], validation: Sequence[str]) -> Experiment:
    """The data of a student's run as far as its teachers see them too.

    What was validated on, carved ones too, is its validation part, so that no teacher that learned from it is admitted.
    """
    roles = [RunFolder.open(run).recipe().student for run in teacher_runs]
    recipe = folder.recipe().model_copy(update={"teachers": tuple(Teacher(**dict(role)) for role in roles)})
    experiment = prepare(recipe, folder.beside("cache") or default_cache(folder.path), with_teachers=True)
    kept = tuple(i for i in validation if i in experiment.recordings)
    train = tuple(i for i in experiment.split.train if i not in set(kept))
    return dataclasses.replace(experiment, split=dataclasses.replace(experiment.split, train=train, validation=kept))


def _teachers(experiment: Experiment, teacher_runs: Sequence[Path]) -> Predictions:
    """The mean of what the teachers say of the validation part, as far as all see it; nothing else is shown to them."""
    shown = experiment.split.validation
    said = [cached_predictions(experiment, finished_teacher(experiment, run), shown, only=True) for run in teacher_runs]
    common = [i for i in said[0].ids if all(i in other.ids for other in said)]
    aligned = [one.take([one.ids.index(i) for i in common]) for one in said]
    first = aligned[0]
    mean = np.mean([one.probabilities for one in aligned], axis=0)
    return Predictions(first.ids, first.subjects, first.labels, mean, first.class_names)


def finished_twin(recipe: Recipe, run: Path) -> Path | None:
    """The finished run of a recipe's twin without a teacher, where one lies near.

    Looked for beside the run, and where `vskd compare` puts those of the same seed.

    Args:
        recipe: of a student with a teacher.
        run: where it is, or will be, trained.
    """
    wanted = recipe.undistilled().hash_of(*DECIDING)
    beside = run.parent.glob("*/recipe.yaml")
    compared = run.parent.parent.glob(f"*/{run.name}/recipe.yaml")
    in_folds = run.parent.parent.parent.glob(f"*/{run.parent.name}/{run.name}/recipe.yaml")
    for file in sorted({*beside, *compared, *in_folds}):
        if file.parent != run and _is_twin(RunFolder(file.parent), wanted):
            return file.parent
    return None


def _is_twin(folder: RunFolder, wanted: str) -> bool:
    try:
        return folder.complete and folder.recipe().hash_of(*DECIDING) == wanted
    except VskdError as error:  # another run's damage is not this one's affair
        logger.debug("%s is not looked at: %s", folder.path, error)
        return False


def forecast_before(recipe: Recipe, run: Path, teacher_runs: Sequence[Path]) -> Forecast | None:
    """The forecast of a student that is about to be trained, where a finished twin without a teacher lies near.

    None where there is no twin, or nothing can be foretold from it; the log says which.
    """
    twin = finished_twin(recipe, run) if recipe.distiller.needs_teacher else None
    if twin is None:
        logger.info("no forecast for %s: no finished run of the same student without a teacher is near", run)
        return None
    try:
        return forecast_of_runs(teacher_runs, twin)
    except VskdError as error:
        logger.info("no forecast for %s: %s", run, error.problem)
        return None
