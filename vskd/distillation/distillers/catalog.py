"""Which distillers exist. To add one: write distillers/<name>.py and add it here; the contract tests then run on it."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from vskd.distillation.distillers import dask, kd, none
from vskd.distillation.distillers.base import Distiller
from vskd.distillation.losses.catalog import LOSSES
from vskd.errors import RecipeError
from vskd.recipe import nearest


@dataclass(frozen=True)
class DistillerOptions:
    """Everything a distiller may be built from; each takes what it needs."""

    weights: Mapping[str, float]
    temperature: float
    student_width: int
    teacher_width: int
    label_smoothing: float


@dataclass(frozen=True)
class DistillerEntry:
    """A distiller: how it is built, its terms with their default weights, and one line for lists."""

    build: Callable[[DistillerOptions], Distiller]
    terms: Mapping[str, float]
    description: str


DISTILLERS: Mapping[str, DistillerEntry] = {
    "dask": DistillerEntry(
        lambda o: dask.Dask(o.student_width, o.teacher_width, o.weights, o.temperature, o.label_smoothing),
        dask.TERMS,
        "cross entropy, soft targets, semantic, distance-wise and angle-wise terms (VSKD)",
    ),
    "kd": DistillerEntry(
        lambda o: kd.KD(o.weights, o.temperature, o.label_smoothing),
        kd.TERMS,
        "cross entropy and soft targets (Hinton et al.)",
    ),
    "none": DistillerEntry(
        lambda o: none.NoDistiller(o.weights, o.label_smoothing), none.TERMS, "cross entropy only, no teacher"
    ),
}


def _unknown(kind: str, name: str, known: Iterable[str]) -> RecipeError:
    names = sorted(known)
    return RecipeError(f"Unknown {kind} '{name}': {nearest(name, names)}", f"Choose one of: {', '.join(names)}")


def _check_options(options: DistillerOptions) -> None:
    for name, weight in options.weights.items():
        if name not in LOSSES:
            raise _unknown("loss term", name, LOSSES)
        if not (math.isfinite(weight) and weight >= 0):
            raise RecipeError(f"The weight of loss term '{name}' is {weight}", "Set it to a number of at least 0")
    if not (math.isfinite(options.temperature) and options.temperature > 0):
        raise RecipeError(f"temperature is {options.temperature}", "Set temperature to a number above 0")
    if not 0 <= options.label_smoothing < 1:
        raise RecipeError(f"label_smoothing is {options.label_smoothing}", "Set it to at least 0 and below 1")


def build_distiller(
    name: str,
    *,
    temperature: float,
    weights: Mapping[str, float],
    student_width: int,
    teacher_width: int,
    label_smoothing: float,
) -> Distiller:
    """Build a distiller by its name.

    Args:
        name: key of `DISTILLERS`.
        temperature: of the soft targets, above 0.
        weights: overrides of the distiller's default weights by term name. Weights of terms that this distiller does
            not have are not used, so that one recipe also serves its twins with another distiller.
        student_width, teacher_width: of the embeddings; any number where no teacher is needed.
        label_smoothing: of the cross entropy, 0 <= s < 1.

    Raises:
        RecipeError: unknown distiller or term, a value out of range, or all terms at weight 0.
    """
    if name not in DISTILLERS:
        raise _unknown("distiller", name, DISTILLERS)
    entry = DISTILLERS[name]
    _check_options(DistillerOptions(weights, temperature, student_width, teacher_width, label_smoothing))
    own = {term: weights.get(term, default) for term, default in entry.terms.items()}
    if not any(own.values()):
        raise RecipeError(f"All terms of distiller '{name}' have weight 0", f"Give one of {', '.join(own)} a weight")
    return entry.build(DistillerOptions(own, temperature, student_width, teacher_width, label_smoothing))
