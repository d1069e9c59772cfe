"""How a student is guided: whether its teachers look at its own batches or are read from their caches."""

from collections.abc import Sequence

from vskd.distillation.distiller import layers
from vskd.distillation.teacher.fusion import FusedTeacher
from vskd.distillation.teacher.outputs import CachedTeacher, FinishedTeacher, OnlineTeacher, TeacherSource
from vskd.errors import RecipeError, SettingError
from vskd.modalities.base import Inputs
from vskd.recipe import Recipe


def teacher_source(recipe: Recipe, inputs: Inputs, teachers: Sequence[FinishedTeacher]) -> TeacherSource:
    """The teachers as the recipe's distiller needs them: cached or online, one or fused.

    Args:
        recipe: the student's.
        inputs: what the student sees.
        teachers: finished runs, one or more.

    Raises:
        RecipeError: online is not possible, a cached answer would be of another class, or a term names a layer that
            the teacher lacks.
    """
    _, wanted = layers(recipe.distiller.terms)
    try:
        sources = [_source(recipe, inputs, teacher, wanted) for teacher in teachers]
        return sources[0] if len(sources) == 1 else FusedTeacher(sources)
    except RecipeError:
        raise
    except SettingError as error:
        raise RecipeError(f"distiller: the teacher does not fit: {error.problem}", error.action) from error


def _source(recipe: Recipe, inputs: Inputs, teacher: FinishedTeacher, wanted: Sequence[str]) -> TeacherSource:
    if online(recipe.distiller.teacher_outputs, inputs, teacher.inputs):
        return OnlineTeacher(teacher.model, inputs, wanted)
    return CachedTeacher(teacher.cache(layers=wanted))


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
