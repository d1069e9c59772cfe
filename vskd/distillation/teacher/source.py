"""How a student is guided: whether its teachers look at its own batches or are read from their caches."""

from collections.abc import Sequence

from vskd.distillation.distiller import layers
from vskd.distillation.experiment import Experiment
from vskd.distillation.teacher.fusion import FusedTeacher
from vskd.distillation.teacher.outputs import CachedTeacher, FinishedTeacher, OnlineTeacher, TeacherSource
from vskd.distillation.teacher.permuted import PermutedTeacher, permutation
from vskd.distillation.teacher.untrained import UntrainedTeacher
from vskd.errors import RecipeError, as_recipe_error
from vskd.modalities.base import Inputs


def teacher_source(experiment: Experiment, teachers: Sequence[FinishedTeacher]) -> TeacherSource:
    """The teachers as the recipe's distiller needs them: cached, online, permuted or untrained, one or fused.

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
    if distiller.untrained:
        teacher = UntrainedTeacher(teacher.folder, teacher.experiment)
    if distiller.permuted != "none":
        return _permuted(experiment, teacher, wanted)
    if online(distiller.teacher_outputs, inputs, teacher.inputs):
        return OnlineTeacher(teacher.model, teacher.inputs, wanted)
    return CachedTeacher(teacher.cache(layers=wanted))


def _permuted(experiment: Experiment, teacher: FinishedTeacher, wanted: Sequence[str]) -> PermutedTeacher:
    """The control: the true classes are used to exchange within them, which no student could."""
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
    return wanted == "online" or (wanted == "auto" and alike and student.augmented)
