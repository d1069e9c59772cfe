"""Build the networks of a recipe, and load those of finished runs."""

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import nn

from vskd.distillation.run import RunFolder
from vskd.distillation.student import ImageStudent, Student, build_image_network, build_student, channels_last
from vskd.models.catalog import get_teacher
from vskd.models.weights.pretrained import load_pretrained, load_state
from vskd.recipe import Recipe


def new_teacher(recipe: Recipe, classes: int, channels: int = 3) -> nn.Module:
    """The recipe's teacher, its weights not yet trained.

    Args:
        recipe: names it, and what it sees.
        classes: number of classes.
        channels: of the images it sees (video clips always have 3).

    Raises:
        RecipeError: there is no such network, or it does not see what the recipe says.
    """
    network = _TEACHERS[recipe.teacher.input](recipe, classes, channels)
    channels_last(network)
    return network


def _video_teacher(recipe: Recipe, classes: int, channels: int) -> nn.Module:
    teacher = recipe.teacher
    return get_teacher(teacher.network).build(
        backbone=teacher.backbone,
        segments=teacher.segments,
        feature_size=teacher.feature_size,
        classes=classes,
        dropout=teacher.dropout,
        feature_init_std=teacher.feature_init_std,
    )


def _image_teacher(recipe: Recipe, classes: int, channels: int) -> nn.Module:
    teacher = recipe.teacher
    return build_image_network(
        "teacher.network", teacher.network, channels=channels, classes=classes, dropout=teacher.dropout
    )


def new_student(recipe: Recipe, classes: int, channels: int) -> Student:
    """The recipe's student, its weights not yet trained.

    Args:
        recipe: names it, and what it sees.
        classes: number of classes.
        channels: of the windows or images it sees.

    Raises:
        RecipeError: there is no such network, or it does not see what the recipe says.
    """
    return _STUDENTS[recipe.student.input](recipe, classes, channels)


def _sensor_student(recipe: Recipe, classes: int, channels: int) -> Student:
    return build_student(
        network=recipe.student.network,
        embedding_size=recipe.student.embedding_size,
        dropout=recipe.student.dropout,
        channels=channels,
        classes=classes,
        method=recipe.encoding.method,
        scaling=recipe.encoding.scaling,
        limit=recipe.encoding.limit,
        image_size=recipe.encoding.image_size,
    )


def _image_student(recipe: Recipe, classes: int, channels: int) -> Student:
    student = recipe.student
    network = build_image_network(
        "student.network",
        student.network,
        channels=channels,
        classes=classes,
        dropout=student.dropout,
        embedding_size=student.embedding_size,
    )
    channels_last(network)
    return ImageStudent(network)


_TEACHERS: Mapping[str, Callable[[Recipe, int, int], nn.Module]] = {"video": _video_teacher, "image": _image_teacher}
_STUDENTS: Mapping[str, Callable[[Recipe, int, int], Student]] = {"sensor": _sensor_student, "image": _image_student}


def initial_weights(network: nn.Module, weights: str | None) -> None:
    """Load the pretrained weights that a recipe names, where it names any."""
    if weights is not None:
        load_pretrained(network, Path(weights))


def load_teacher(teacher_run: Path, classes: int, channels: int = 3) -> nn.Module:
    """The trained teacher of a finished run, in evaluation mode."""
    folder = RunFolder(teacher_run, "teacher")
    folder.require_complete()
    network = new_teacher(folder.recipe(), classes, channels)
    load_state(network, folder.weights_file)
    return network.eval()


def load_student(run: Path, classes: int, channels: int) -> Student:
    """The trained student of a finished run, in evaluation mode."""
    folder = RunFolder(run, "student")
    folder.require_complete()
    student = new_student(folder.recipe(), classes, channels)
    load_state(student, folder.weights_file)
    return student.eval()
