"""How a student is guided: the recipe's distiller, and whether its teacher is asked online or from the cache."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vskd.distillation.distillers.base import Distiller
from vskd.distillation.distillers.catalog import DISTILLERS, build_distiller
from vskd.distillation.inputs import Inputs
from vskd.distillation.student import Student
from vskd.distillation.teacher.outputs import CachedTeacher, FinishedTeacher, OnlineTeacher, TeacherSource
from vskd.errors import RecipeError, nearest
from vskd.models.feature_shapes import feature_shapes
from vskd.recipe import Recipe

Shapes = Mapping[str, tuple[int, ...]]
LOOK_INSIDE = frozenset({"hint", "deep_attention", "shallow_attention"})
"""Terms that compare feature maps, which the teacher cache does not hold."""


@dataclass(frozen=True)
class Widths:
    """What a distiller must know of a network: width of its embedding, and shapes of its features where they count."""

    embedding: int
    features: Shapes = field(default_factory=dict)


def new_distiller(
    recipe: Recipe, student: Widths, teacher: Widths | None = None, *, samples: int = 0, counts: tuple[int, ...] = ()
) -> Distiller:
    """The recipe's distiller, its projectors not yet trained.

    Args:
        recipe: names it and its weights.
        student, teacher: the two networks; without a teacher, the distiller must not need one.
        samples: size of the training list, for distillers that remember every sample.
        counts: training samples of each class; used where the recipe wants class weights.

    Raises:
        RecipeError: unknown distiller, or a weight out of range.
    """
    section, training = recipe.distiller, recipe.training
    teacher = teacher or student
    return build_distiller(
        section.name,
        temperature=section.temperature,
        weights=section.weights.model_dump(exclude_none=True),
        student_width=student.embedding,
        teacher_width=teacher.embedding,
        label_smoothing=training.label_smoothing,
        student_shapes=student.features,
        teacher_shapes=teacher.features,
        samples=samples,
        class_counts=counts if training.class_weights == "balanced" else (),
        temperature_slope=section.temperature_slope,
        temperature_max=section.temperature_max,
        seed=recipe.seed,
    )


def check_distiller(recipe: Recipe) -> None:
    """Refuse an unknown distiller, before a teacher is trained for it.

    Raises:
        RecipeError: names the nearest one.
    """
    name = recipe.distiller.name
    if name not in DISTILLERS:
        raise RecipeError(
            f"distiller.name: '{name}' is unknown, {nearest(name, list(DISTILLERS))}",
            f"Choose one of: {', '.join(sorted(DISTILLERS))}",
        )


def needs_teacher(recipe: Recipe) -> bool:
    """Whether any term of the recipe's distiller listens to a teacher."""
    return bool(_terms(recipe) - {"cross_entropy"})


def student_widths(student: Student, inputs: Inputs, guide: "Guide | None") -> Widths:
    """What a distiller must know of the student; shapes only where the teacher's are known too."""
    inside = guide is not None and guide.widths.features
    shapes = feature_shapes(student, inputs.shape) if inside else {}
    return Widths(int(student.network.embedding_size), shapes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Guide:
    """A teacher as a student listens to it.

    Attributes:
        source: gives its outputs for the student's batches.
        widths: of its network.
        ids: recordings that it can speak of.
    """

    source: TeacherSource
    widths: Widths
    ids: frozenset[str]


def guide(recipe: Recipe, inputs: Inputs, teacher: FinishedTeacher) -> Guide:
    """Ask the teacher as the recipe says.

    Args:
        recipe: the student's.
        inputs: what the student sees.
        teacher: a finished run.

    Raises:
        RecipeError: online is not possible, or the cache does not hold what the distiller asks for.
    """
    if not _online(recipe, inputs):
        cache = teacher.cache()
        return Guide(CachedTeacher(cache), Widths(cache.embedding_size), cache.ids)
    if teacher.inputs.hash != inputs.hash:
        raise RecipeError(
            f"The student must see the teacher's own images, but {teacher.folder.path} was trained on others "
            "(data, size, crop or grey differ)",
            "Give both the same `images`, or set distiller.teacher_outputs to 'cached'",
        )
    network = teacher.network()
    shapes = feature_shapes(network, inputs.shape)
    return Guide(OnlineTeacher(network), Widths(int(network.embedding_size), shapes), inputs.ids)  # type: ignore[arg-type]


def _online(recipe: Recipe, inputs: Inputs) -> bool:
    """Whether the teacher looks at the student's own batches."""
    wanted = recipe.distiller.teacher_outputs
    inside = sorted(_terms(recipe) & LOOK_INSIDE)
    if recipe.student.input != recipe.teacher.input:
        if wanted == "online":
            raise RecipeError(
                "distiller.teacher_outputs is 'online', but teacher and student see different streams",
                "Set it to 'cached' or 'auto'",
            )
        wanted = "cached"
    if wanted == "auto":
        return inputs.augmented or bool(inside)
    if wanted == "cached" and inside:
        raise RecipeError(
            f"The loss terms {', '.join(inside)} look inside the teacher, whose features no cache holds",
            "Set distiller.teacher_outputs to 'auto', or the weights of these terms to 0",
        )
    if wanted == "cached" and recipe.student.input == "image" and recipe.images.augmentation.flip:
        raise RecipeError(
            "images.augmentation.flip: a mirror image may be of another class than the image in the teacher's cache",
            "Set distiller.teacher_outputs to 'auto', or flip to 0",
        )
    return wanted == "online"


def _terms(recipe: Recipe) -> set[str]:
    """The distiller's terms that have a weight."""
    own = recipe.distiller.weights.model_dump(exclude_none=True)
    entry = DISTILLERS[recipe.distiller.name]
    return {term for term, default in entry.terms.items() if own.get(term, default)}
