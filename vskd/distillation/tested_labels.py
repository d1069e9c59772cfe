"""A protocol that trains on recordings of people whom it tests is meant for pairs without labels (a camera session).

Without `labels` a training learns the new people's labels, and its figures are of people who labelled for it. That is a
fair question (the control `all-labels` asks it), so it is said and not refused.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from vskd.datasets.splits.protocol import load_protocol
from vskd.distillation.experiment import DataOnce, Experiment
from vskd.errors import first_few, natural_order
from vskd.recipe import Recipe

logger = logging.getLogger(__name__)

NAMED = 8


def warn_of_tested_labels(recipes: Sequence[Recipe], cache: Path, data: DataOnce | None = None) -> None:
    """Say once whose labels are learned who are tested. Data are read only where the protocol may enrol people.

    Args:
        recipes: of one protocol, e.g. all of a comparison. Where one hides such labels, the others are its controls.
        cache: folder of the stores.
        data: the data set, where others look at it, too.

    Raises:
        VskdError: as `prepare`.
    """
    recipes = [recipe for recipe in recipes if _may_enrol(recipe)]
    found, data = [], data or DataOnce()
    for recipe in recipes:
        experiment = data.prepare(recipe, cache, with_teachers=recipe.distiller.needs_teacher)
        subjects = labelled_tested(experiment)
        if not subjects:
            return
        found.append((experiment.split, subjects))
    if found:
        split, subjects = found[0]
        fold = f", fold {split.fold}" if split.fold else ""
        logger.warning(
            "Protocol %s%s tests subject(s) %s, and labels of their other recordings are learned: figures are of "
            "people who labelled for the training. To take these labels away: --labels untested-subjects",
            split.protocol,
            fold,
            first_few(subjects, NAMED, ", "),
        )


def labelled_tested(experiment: Experiment) -> tuple[str, ...]:
    """Tested subjects whose labels are learned, where others are learned from who are not tested.

    Where everybody is in both parts, that a network knows the people is what the protocol asks.
    """
    recordings = experiment.recordings
    tested = {recordings[i].subject for i in experiment.split.test}
    if {recordings[i].subject for i in experiment.split.train} <= tested:
        return ()
    return tuple(natural_order(tested & {recordings[i].subject for i in experiment.labelled}))


def _may_enrol(recipe: Recipe) -> bool:
    """Whether the protocol chooses recordings by subject and something else (`subject-specific`: by something else)."""
    factors = load_protocol(recipe.dataset.name, recipe.dataset.protocol).split_by.split("-")
    return "subject" in factors and len(factors) > 1
