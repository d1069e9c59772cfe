"""How a student is guided: whether its teachers look at its own batches or are read from their caches."""

from collections.abc import Sequence

from vskd.distillation.distiller import layers
from vskd.distillation.experiment import Experiment
from vskd.distillation.teacher.fusion import FusedTeacher
from vskd.distillation.teacher.outputs import CachedTeacher, FinishedTeacher, OnlineTeacher, TeacherSource
from vskd.distillation.teacher.permuted import PermutedTeacher, permutation
from vskd.errors import RecipeError, as_recipe_error
from vskd.modalities.base import Inputs


def teacher_source(experiment: Experiment, teachers: Sequence[FinishedTeacher]) -> TeacherSource:
    """The teachers as the recipe's distiller needs them: cached, online or permuted, one or fused.

    Args:
        experiment: the student's.
        teachers: finished runs, one or more.

    Raises:
        RecipeError: online is not possible, a cached answer would be of another class, or a term names a layer that
            the teacher lacks.
    """
    _, wanted = layers(experiment.recipe.distiller.terms)
    with as_recipe_error("distiller: the teacher does not fit"):
        sources = [_source(experiment, teacher, wanted) for teacher in teachers]
        return sources[0] if len(sources) == 1 else FusedTeacher(sources)


def _source(experiment: Experiment, teacher: FinishedTeacher, wanted: Sequence[str]) -> TeacherSource:
    inputs, distiller = experiment.inputs, experiment.recipe.distiller
    if distiller.permuted != "none":
        return _permuted(experiment, teacher, wanted)
    if online(distiller.teacher_outputs, inputs, teacher.inputs):
        return OnlineTeacher(teacher.model, teacher.inputs, wanted)
    _refuse_several(experiment, teacher)
    return CachedTeacher(teacher.cache(layers=wanted))


def _refuse_several(experiment: Experiment, teacher: FinishedTeacher) -> None:
    """Refuse a cached teacher whose answer is of another window, or of a whole recording that shows several classes.

    Raises:
        RecipeError: a cache holds one answer for a recording, and there are several windows to speak of.
    """
    if teacher.inputs.several:
        raise RecipeError(
            f"the teacher sees sliding windows of {teacher.inputs.name}, and its cache holds one answer a recording",
            "Let student and teacher see the same (equal `sees`), or give the teacher window: whole",
        )
    if any(recording.timeline for recording in experiment.recordings.values()):
        raise RecipeError(
            f"recordings show several classes one after the other, and the teacher sees the {teacher.inputs.name} of "
            "each as one",
            "Let student and teacher see the same sliding windows, or leave whole_files out in dataset.yaml",
        )


def _permuted(experiment: Experiment, teacher: FinishedTeacher, wanted: Sequence[str]) -> PermutedTeacher:
    """The control: the true classes are used to exchange within them, which no student could."""
    _refuse_several(experiment, teacher)
    cache, recipe = teacher.cache(layers=wanted), experiment.recipe
    train = experiment.training_split(recipe.student.training).train
    classes = {i: experiment.recordings[i].label for i in train} if recipe.distiller.permuted == "class" else None
    return PermutedTeacher(cache, permutation([i for i in train if i in cache.ids], classes, recipe.seed))


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
