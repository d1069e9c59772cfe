"""Which distillers exist. To add one: write distillers/<name>.py and add it here; the contract tests then run on it."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from vskd.distillation.distillers import dangerous_driving, dask, kd, krca, none
from vskd.distillation.distillers.base import Distiller
from vskd.errors import RecipeError, nearest
from vskd.losses.cross_entropy import balanced_weights
from vskd.losses.soft_target import TemperatureSchedule

Shapes = Mapping[str, tuple[int, ...]]
"""Feature map's name -> (channels, height, width)."""


@dataclass(frozen=True)
class DistillerOptions:
    """Everything a distiller may be built from; each takes what it needs. See `build_distiller`."""

    weights: Mapping[str, float]
    temperature: float
    student_width: int
    teacher_width: int
    label_smoothing: float
    student_shapes: Shapes = field(default_factory=dict)
    teacher_shapes: Shapes = field(default_factory=dict)
    samples: int = 0
    class_counts: tuple[int, ...] = ()
    temperature_slope: float = 0.0
    temperature_max: float = 20.0
    seed: int = 0

    @property
    def schedule(self) -> TemperatureSchedule:
        """The temperature over the epochs."""
        return TemperatureSchedule(self.temperature, self.temperature_slope, self.temperature_max)

    @property
    def class_weights(self) -> Tensor | None:
        """Weights of the cross entropy."""
        return balanced_weights(self.class_counts) if self.class_counts else None

    def channels(self, name: str) -> tuple[int, int]:
        """Channels of a feature map of student and teacher; 0 where there is none."""
        student, teacher = (shapes.get(name, (0,))[0] for shapes in (self.student_shapes, self.teacher_shapes))
        return student, teacher


@dataclass(frozen=True)
class DistillerEntry:
    """A distiller: how it is built, its terms with their default weights, and one line for lists."""

    build: Callable[[DistillerOptions], Distiller]
    terms: Mapping[str, float]
    description: str


DISTILLERS: Mapping[str, DistillerEntry] = {
    "dask": DistillerEntry(
        lambda o: dask.Dask(
            o.student_width, o.teacher_width, o.weights, o.schedule, o.label_smoothing, o.class_weights
        ),
        dask.TERMS,
        "cross entropy, soft targets, semantic, distance-wise and angle-wise terms (VSKD)",
    ),
    "kd": DistillerEntry(
        lambda o: kd.KD(o.weights, o.schedule, o.label_smoothing, o.class_weights),
        kd.TERMS,
        "cross entropy and soft targets (Hinton et al.)",
    ),
    "none": DistillerEntry(
        lambda o: none.NoDistiller(o.weights, o.label_smoothing, o.class_weights),
        none.TERMS,
        "cross entropy only, no teacher",
    ),
    "krca": DistillerEntry(
        lambda o: krca.KRCA(
            *(o.student_width, o.teacher_width, o.samples, o.weights),
            *(o.temperature, o.label_smoothing, o.class_weights, o.seed),
        ),
        krca.TERMS,
        "labels, decoupled soft targets, sample relations and attention, with learned weights (KRCA)",
    ),
    "dangerous-driving": DistillerEntry(
        lambda o: dangerous_driving.DangerousDriving(
            *o.channels("deep"), o.weights, o.schedule, o.label_smoothing, o.class_weights
        ),
        dangerous_driving.TERMS,
        "labels, soft targets of rising temperature, hint and attention (dangerous driving)",
    ),
}

# The feature map that a term compares.
MAPS: Mapping[str, str] = {"hint": "deep", "deep_attention": "deep", "shallow_attention": "shallow"}


def _unknown(kind: str, name: str, known: Iterable[str]) -> RecipeError:
    names = sorted(known)
    return RecipeError(f"Unknown {kind} '{name}': {nearest(name, names)}", f"Choose one of: {', '.join(names)}")


def _check_options(options: DistillerOptions) -> None:
    terms = {term for entry in DISTILLERS.values() for term in entry.terms}
    for name, weight in options.weights.items():
        if name not in terms:
            raise _unknown("loss term", name, terms)
        if not (math.isfinite(weight) and weight >= 0):
            raise RecipeError(f"The weight of loss term '{name}' is {weight}", "Set it to a number of at least 0")
    _check_temperature(options)
    if not 0 <= options.label_smoothing < 1:
        raise RecipeError(f"label_smoothing is {options.label_smoothing}", "Set it to at least 0 and below 1")


def _check_temperature(options: DistillerOptions) -> None:
    start, slope, maximum = options.temperature, options.temperature_slope, options.temperature_max
    if not (math.isfinite(start) and start > 0):
        raise RecipeError(f"temperature is {start}", "Set temperature to a number above 0")
    if not (math.isfinite(slope) and slope >= 0):
        raise RecipeError(f"temperature_slope is {slope}", "Set temperature_slope to a number of at least 0")
    if slope > 0 and not (math.isfinite(maximum) and maximum >= start):
        action = "Set temperature_max to at least temperature, or temperature_slope to 0"
        raise RecipeError(f"temperature is {start} and rises, but temperature_max is {maximum}", action)


def _check_terms(name: str, options: DistillerOptions) -> None:
    """The networks and the training list offer what the terms in use compare."""
    used = [term for term, weight in options.weights.items() if weight]
    if not used:
        terms = ", ".join(options.weights)
        raise RecipeError(f"All terms of distiller '{name}' have weight 0", f"Give one of {terms} a weight")
    for term in used:
        for who, shapes in (("student", options.student_shapes), ("teacher", options.teacher_shapes)):
            if term in MAPS and MAPS[term] not in shapes:
                has = ", ".join(shapes) or "none"
                problem = f"Loss term '{term}' compares the feature maps '{MAPS[term]}', but the {who} has {has}"
                raise RecipeError(problem, f"Set its weight to 0, or choose another {who} network")
    if "sample_relation" in used and options.samples < 2:
        problem = f"Loss term 'sample_relation' needs 2 training samples or more, not {options.samples}"
        raise RecipeError(problem, "Set its weight to 0, or give more training data")


def build_distiller(
    name: str,
    *,
    temperature: float,
    weights: Mapping[str, float],
    student_width: int,
    teacher_width: int,
    label_smoothing: float,
    student_shapes: Shapes | None = None,
    teacher_shapes: Shapes | None = None,
    samples: int = 0,
    class_counts: tuple[int, ...] = (),
    temperature_slope: float = 0.0,
    temperature_max: float = 20.0,
    seed: int = 0,
) -> Distiller:
    """Build a distiller by its name.

    Args:
        name: key of `DISTILLERS`.
        temperature: of the soft targets, above 0; in the first epoch, where it rises.
        weights: overrides of the distiller's default weights by term name. Weights of terms that this distiller does
            not have are not used, so that one recipe also serves its twins with another distiller.
        student_width, teacher_width: of the embeddings; any number where no teacher is needed.
        label_smoothing: of the cross entropy, 0 <= s < 1.
        student_shapes, teacher_shapes: of the networks' feature maps, see `models.feature_shapes`; needed by the terms
            in `MAPS`.
        samples: size of the training list; needed by `sample_relation`.
        class_counts: training samples of every class, for a balanced cross entropy; empty where every sample weighs the
            same.
        temperature_slope, temperature_max: what the temperature of Hinton's soft targets gains per epoch, and up to
            where; krca's decoupled ones keep theirs.
        seed: of the sample relation's memories and negatives.

    Raises:
        RecipeError: unknown distiller or term, a value out of range, all terms at weight 0, or a term that compares
            what the networks do not have.
    """
    if name not in DISTILLERS:
        raise _unknown("distiller", name, DISTILLERS)
    entry = DISTILLERS[name]
    options = DistillerOptions(
        weights=weights,
        temperature=temperature,
        student_width=student_width,
        teacher_width=teacher_width,
        label_smoothing=label_smoothing,
        student_shapes=student_shapes or {},
        teacher_shapes=teacher_shapes or {},
        samples=samples,
        class_counts=class_counts,
        temperature_slope=temperature_slope,
        temperature_max=temperature_max,
        seed=seed,
    )
    _check_options(options)
    own = replace(options, weights={term: weights.get(term, default) for term, default in entry.terms.items()})
    _check_terms(name, own)
    return entry.build(own)
