"""A distiller: loss terms, weighted and named, whose sum a student is trained on."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vskd.errors import SettingError, as_recipe_error
from vskd.losses.term import Shapes, Term, TermContext, TermSettings, Weighting, batch_of
from vskd.losses.uncertainty_weighting import UncertaintyWeighting
from vskd.network import OUTPUT_LAYERS, Outputs
from vskd.recipe import Recipe


class Distiller(nn.Module):
    """L = sum over the terms of weight * loss; with uncertainty weighting, of weight * (the loss so weighted).

    A term of weight 0 is neither built nor computed nor returned. The teacher's tensors never receive a gradient.

    Args:
        terms: built in this order, which decides what random numbers a trained projector starts from.
        weighting: fixed weights alone, or learned ones besides.
        context: what the terms are built from.

    Attributes:
        weights: title -> weight of the terms in use, in their order.
        needs_teacher: whether a term in use compares with a teacher.

    Raises:
        SettingError: no term has a weight, two have one title, or one compares what the networks do not have.
    """

    def __init__(self, terms: Sequence[TermSettings], weighting: Weighting, context: TermContext) -> None:
        super().__init__()
        _require_titles(terms)
        self._settings = {term.title: term for term in in_use(terms)}
        if not self._settings:
            named = f"All terms ({', '.join(t.title for t in terms)}) have weight 0" if terms else "There are no terms"
            raise SettingError(f"The distiller has nothing to learn from: {named}", "Give one loss term a weight")
        self.weights = {title: float(term.weight) for title, term in self._settings.items()}
        self.needs_teacher = any(term.needs_teacher for term in self._settings.values())
        self.terms = nn.ModuleDict({title: term.build(context) for title, term in self._settings.items()})
        self.uncertainty = UncertaintyWeighting(self.weights) if weighting == "uncertainty" else None

    def start_epoch(self, epoch: int) -> None:
        """To be called before the first batch of every training epoch, also after resuming.

        Args:
            epoch: number of the epoch, from 0.
        """
        for term in self.terms.values():
            assert isinstance(term, Term)
            term.start_epoch(epoch)

    def undecayed_parameters(self) -> list[nn.Parameter]:
        """The learned weights, which weight decay would falsify."""
        return [] if self.uncertainty is None else list(self.uncertainty.parameters())

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups for the optimizer: the projectors, and the learned weights without weight decay; none is empty."""
        undecayed = self.undecayed_parameters()
        apart = {id(parameter) for parameter in undecayed}
        decayed = [parameter for parameter in self.parameters() if id(parameter) not in apart]
        groups: list[dict[str, Any]] = [{"params": decayed}, {"params": undecayed, "weight_decay": 0.0}]
        return [group for group in groups if group["params"]]

    def forward(
        self, student: Outputs, teacher: Outputs | None, labels: Tensor, positions: Tensor
    ) -> dict[str, Tensor]:
        """Loss terms of a batch, computed in at least float32 even inside a mixed-precision training.

        Args:
            student: the student's outputs for the batch.
            teacher: the teacher's outputs for the SAME recordings in the same order; None where `needs_teacher` is
                False.
            labels: (batch,) int64.
            positions: (batch,) int64, of every sample in the training list; for losses with a memory of it.

        Returns:
            Title -> weighted scalar; the loss is their sum. Without uncertainty weighting,
            `term / distiller.weights[title]` is the unweighted one.

        Raises:
            ValueError: a teacher is needed and missing, or does not fit the student.
        """
        if self.needs_teacher and teacher is None:
            asking = ", ".join(title for title, term in self._settings.items() if term.needs_teacher)
            raise ValueError(f"the distiller needs the teacher's outputs for: {asking}")
        fixed = None if teacher is None else teacher.fixed()
        with torch.autocast(student.logits.device.type, enabled=False):
            losses: dict[str, Tensor] = {
                title: self.terms[title](batch_of(settings, student, fixed, labels, positions))
                for title, settings in self._settings.items()
            }
            if self.uncertainty is not None:
                losses = self.uncertainty(losses)
        return {title: self.weights[title] * loss for title, loss in losses.items()}


def in_use(terms: Iterable[TermSettings]) -> tuple[TermSettings, ...]:
    """The terms that have a weight."""
    return tuple(term for term in terms if term.weight != 0)


def term_context(
    recipe: Recipe, student: Shapes, teacher: Shapes, samples: int, class_counts: tuple[int, ...]
) -> TermContext:
    """What the terms of a recipe's distiller are built from.

    Args:
        recipe: whose student's training says the rest.
        student, teacher, samples, class_counts: see `TermContext`.
    """
    training = recipe.student.training
    return TermContext(
        student=student,
        teacher=teacher,
        samples=samples,
        class_counts=class_counts,
        balanced=training.class_weights == "balanced",
        label_smoothing=training.label_smoothing,
        seed=recipe.seed,
        batch=training.batch_size,
    )


def new_distiller(recipe: Recipe, context: TermContext) -> Distiller:
    """The recipe's distiller, its projectors not yet trained.

    Raises:
        RecipeError: a term does not fit the networks.
    """
    with as_recipe_error("distiller"):
        return Distiller(recipe.distiller.terms, recipe.distiller.weighting, context)


def layers(terms: Iterable[TermSettings]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Layers of student and teacher that the terms in use compare, beyond those that every network returns.

    For feature taps, see `vskd.network.FeatureTaps`.
    """
    compared = [term.layers for term in in_use(terms)]
    return _inside(pair.student for pair in compared), _inside(pair.teacher for pair in compared)


def hears_logits(terms: Iterable[TermSettings]) -> bool:
    """Whether a term in use compares with the teacher's logits, so that the student hears what class it names."""
    return any("logits" in term.layers.teacher for term in in_use(terms))


def _inside(named: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in named for name in names if name not in OUTPUT_LAYERS))


def _require_titles(terms: Sequence[TermSettings]) -> None:
    titles = [term.title for term in terms]
    twice = next((title for title in titles if titles.count(title) > 1), None)
    if twice is not None:
        raise SettingError(f"Two loss terms are called '{twice}'", "Give one of them a `name` of its own")
