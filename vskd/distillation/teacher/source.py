"""How a student is guided: whether its teachers look at its own batches or are read from their caches."""

import logging
from collections.abc import Collection, Mapping, Sequence

import torch

from vskd.distillation.distiller import layers
from vskd.distillation.experiment import Experiment
from vskd.distillation.teacher.cache import Answers
from vskd.distillation.teacher.cross_fit import CrossFitted
from vskd.distillation.teacher.fusion import FusedTeacher, fusion_weights
from vskd.distillation.teacher.outputs import (
    CachedTeacher,
    FinishedTeacher,
    OnlineTeacher,
    TeacherSource,
    ViewedTeacher,
)
from vskd.distillation.teacher.permuted import PermutedTeacher, permutation
from vskd.distillation.teacher.untrained import UntrainedTeacher
from vskd.errors import RecipeError, as_recipe_error, first_few
from vskd.modalities.base import Inputs

logger = logging.getLogger(__name__)

NAMED = 5

Folds = Mapping[str, FinishedTeacher]
"""Subject -> the teacher that never saw it."""


def teacher_source(
    experiment: Experiment, teachers: Sequence[FinishedTeacher], folds: Sequence[Folds] = ()
) -> TeacherSource:
    """The teachers as the recipe's distiller needs them: cached, online, permuted or untrained, one or fused.

    Args:
        experiment: the student's.
        teachers: finished runs, one or more.
        folds: of each that is cross-fitted, those without a subject; empty for others, or none at all.

    Raises:
        RecipeError: online is not possible, several views are not, a cached answer would be of another class, a term
            names a layer that the teacher lacks, or their weights cannot be chosen.
    """
    distiller = experiment.recipe.distiller
    if distiller.untrained:
        teachers, folds = [UntrainedTeacher(teacher.folder, teacher.experiment) for teacher in teachers], ()
    _, wanted = layers(distiller.terms)
    with as_recipe_error("distiller: the teacher does not fit"):
        sources = [
            _source(experiment, teacher, folds[number] if folds else {}, number, wanted)
            for number, teacher in enumerate(teachers)
        ]
        weights = _chosen_weights(experiment, teachers) if distiller.fusion == "validation" else None
        return sources[0] if len(sources) == 1 else FusedTeacher(sources, weights)


def _chosen_weights(experiment: Experiment, teachers: Sequence[FinishedTeacher]) -> tuple[float, ...]:
    """The teachers' weights on the validation recordings, which none of them was trained on.

    Raises:
        RecipeError: there are no validation recordings that all of them see, or one was trained on some.
    """
    validation = experiment.training_split(experiment.recipe.student.training).validation
    seen = [i for i in validation if all(i in teacher.inputs.ids for teacher in teachers)]
    if not seen:
        raise nothing_to_weigh_by()
    for teacher in teachers:
        learned = teacher.folder.learned()
        if learned is not None:
            refuse_known(seen, {*learned.train} & {*learned.labels}, f"the teacher in {teacher.folder.path}")
    truth = torch.tensor([[experiment.recordings[i].label] for i in seen])
    said = [teacher.cache(seen).outputs(seen)[0].logits.softmax(dim=1) for teacher in teachers]
    weights = fusion_weights(torch.stack([one.gather(1, truth)[:, 0] for one in said]))
    told = ", ".join(f"{weight:.2f}" for weight in weights)
    logger.info("the teachers are fused with the weights %s, by %d validation recordings", told, len(seen))
    return weights


def nothing_to_weigh_by() -> RecipeError:
    """The error where teachers are to be weighed by validation recordings, and there are none."""
    return RecipeError(
        "distiller.fusion 'validation' weighs teachers by validation recordings, and there are none that all see",
        "Set student.training.validation to a part of the training subjects, or fusion to equal",
    )


def refuse_known(validation: Collection[str], labelled: Collection[str], who: str) -> None:
    """Refuse to weigh a teacher by recordings that it knows by heart.

    Args:
        validation: recordings to weigh it by.
        labelled: recordings with whose labels it is trained.
        who: it is.

    Raises:
        RecipeError: it is trained on some of them; they are named.
    """
    known = sorted(set(validation).intersection(labelled))
    if known:
        raise RecipeError(
            f"distiller.fusion 'validation' weighs teachers by validation recordings, and {who} is trained on "
            f"{len(known)} of the {len(validation)}: {first_few(known, NAMED, ', ')}",
            "Set teachers.N.training.validation of each to carve, as the student's, or fusion to equal",
        )


def _source(
    experiment: Experiment, teacher: FinishedTeacher, folds: Folds, number: int, wanted: Sequence[str]
) -> TeacherSource:
    if looks_at_batches(experiment, teacher.inputs, number, cross_fitted=bool(folds)):
        return OnlineTeacher(teacher.model, teacher.inputs, wanted)
    views = _views(experiment, number)
    sources = [_of_stored(experiment, _answers(experiment, teacher, folds, wanted, view)) for view in range(views)]
    return sources[0] if views == 1 else ViewedTeacher(sources)


def _views(experiment: Experiment, number: int) -> int:
    """How many views a teacher is shown; one, where the recipe says nothing of it."""
    own = experiment.recipe.teachers
    return own[number].views if number < len(own) else 1


def looks_at_batches(experiment: Experiment, teacher: Inputs, number: int, *, cross_fitted: bool) -> bool:
    """Whether a teacher looks at the student's own batches, rather than being stored; nothing is decoded to tell.

    Args:
        experiment: the student's.
        teacher: what the teacher sees.
        number: of the teacher in the recipe.
        cross_fitted: whether others speak in its place of those that it learned from.

    Raises:
        RecipeError: it can speak neither way as the recipe wants it.
    """
    distiller, views = experiment.recipe.distiller, _views(experiment, number)
    stored = cross_fitted or views > 1 or distiller.permuted != "none"
    if stored and distiller.teacher_outputs == "online":
        raise RecipeError(
            "distiller.teacher_outputs is 'online', but cross_fit and views of a teacher are of what was stored",
            "Set distiller.teacher_outputs to cached or auto, or leave cross_fit and views out",
        )
    if distiller.permuted == "none" and online(
        "cached" if stored else distiller.teacher_outputs, experiment.inputs, teacher
    ):
        return True
    _refuse_several(experiment, teacher)
    if views > 1:
        _check_views(teacher)
    return False


def _refuse_several(experiment: Experiment, teacher: Inputs) -> None:
    """Refuse a cached teacher whose answer is of another window, or of a whole recording that shows several classes.

    Raises:
        RecipeError: a cache holds one answer for a recording, and there are several windows to speak of.
    """
    if teacher.several:
        raise RecipeError(
            f"the teacher sees sliding windows of {teacher.name}, and its cache holds one answer a recording",
            "Let student and teacher see the same (equal `sees`), or give the teacher window: whole",
        )
    if any(recording.timeline for recording in experiment.recordings.values()):
        raise RecipeError(
            f"recordings show several classes one after the other, and the teacher sees the {teacher.name} of "
            "each as one",
            "Let student and teacher see the same sliding windows, or leave whole_files out in dataset.yaml",
        )


def _check_views(inputs: Inputs) -> None:
    """Refuse several views where they would be one, or might be of another class."""
    if not inputs.augmented or inputs.mirrored:
        how = "may mirror them, into another class" if inputs.mirrored else "changes nothing at random"
        raise RecipeError(
            f"teachers.views: a teacher is to be shown several views of {inputs.name}, but its augmentation {how}",
            "Set views to 1, or change sees.augmentation of the teacher",
        )


def _answers(
    experiment: Experiment, teacher: FinishedTeacher, folds: Folds, wanted: Sequence[str], view: int
) -> Answers:
    """What was stored of one view; of a training subject, by the teacher that never saw it."""
    if not folds:
        return teacher.cache(layers=wanted, view=view)
    train = experiment.training_split(experiment.recipe.student.training).train
    of = {i: experiment.recordings[i].subject for i in train}
    said: dict[str, Answers] = {}
    for subject, fold in folds.items():
        own = [i for i in train if of[i] == subject]
        said |= dict.fromkeys(own, fold.cache(own, wanted, view))
    rest = [i for i in experiment.recordings if i not in said]
    return CrossFitted(teacher.cache(rest, wanted, view), said)


def _of_stored(experiment: Experiment, answers: Answers) -> TeacherSource:
    """The answers as they are; or, a control, exchanged: within true classes, which no student knows, where asked."""
    recipe = experiment.recipe
    if recipe.distiller.permuted == "none":
        return CachedTeacher(answers)
    train = experiment.training_split(recipe.student.training).train
    classes = {i: experiment.recordings[i].label for i in train} if recipe.distiller.permuted == "class" else None
    return PermutedTeacher(answers, permutation([i for i in train if i in answers.ids], classes, recipe.seed))


def online(wanted: str, student: Inputs, teacher: Inputs) -> bool:
    """Whether a teacher looks at the student's own batches.

    Args:
        wanted: `auto`, `cached` or `online`.
        student, teacher: what they see.

    Raises:
        RecipeError: not possible as wanted.
    """
    alike = student.hash == teacher.hash
    if wanted == "online" and not alike:
        raise RecipeError(
            f"distiller.teacher_outputs is 'online', but the student sees {student.name} and the teacher "
            f"{teacher.name}, or both see them otherwise (size, crop, grey differ)",
            "Give both the same `sees`, or set distiller.teacher_outputs to 'cached' or 'auto'",
        )
    if student.mirrored and not (alike and wanted != "cached"):
        raise RecipeError(
            "student.sees.augmentation.flip: a mirror image may be of another class than the image in the teacher's "
            "cache",
            "Give teacher and student the same `sees` and set distiller.teacher_outputs to 'auto', or flip to 0",
        )
    return wanted == "online" or (wanted == "auto" and alike and (student.augmented or student.several))
