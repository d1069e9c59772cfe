"""Which pairs without labels a student learns from, where not all: those of which its teacher is sure.

A threshold as in pseudo-labelling (Lee, ICML workshop 2013; FixMatch: Sohn et al., NeurIPS 2020); a share of each class
that the teacher names, its surest, as in class-balanced self-training (Zou et al., ECCV 2018): of a single threshold,
classes that are easy would take all places.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from vskd.distillation.teacher.outputs import TeacherSource
from vskd.errors import RecipeError
from vskd.modalities.base import Batch
from vskd.recipe.distiller import Confidence

Probabilities = Mapping[str, npt.NDArray[np.float64]]


def probabilities_of(teacher: TeacherSource, batches: Iterable[Batch]) -> dict[str, npt.NDArray[np.float64]]:
    """What a teacher says of recordings, at temperature 1; of several windows the mean."""
    said: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    for batch in batches:
        outputs, _, _ = teacher.outputs(batch)
        for recording, row in zip(batch.ids, outputs.logits.double().softmax(dim=1).cpu().numpy(), strict=True):
            said[recording].append(row)
    return {recording: np.mean(rows, axis=0) for recording, rows in said.items()}


def confident(said: Probabilities, setting: Confidence) -> frozenset[str]:
    """Those recordings that a setting keeps.

    Args:
        said: recording without a label -> the teacher's probabilities.
        setting: threshold and share; the share is rounded up, so that of no class all are left out.

    Raises:
        RecipeError: none is kept.
    """
    sure = {i: float(row.max()) for i, row in said.items() if row.max() >= setting.threshold}
    groups: dict[int, list[str]] = defaultdict(list)
    for recording in sorted(sure, key=lambda i: (-sure[i], i)):
        groups[int(said[recording].argmax()) if setting.by_class else 0].append(recording)
    kept = frozenset(i for members in groups.values() for i in _first(members, setting.share))
    if said and not kept:
        raise RecipeError(
            f"distiller.confidence: of none of the {len(said)} recordings without a label is the teacher sure enough "
            f"(threshold {setting.threshold:g}; it is {max(float(row.max()) for row in said.values()):.2f} at most)",
            "Lower the threshold, or leave confidence out",
        )
    return kept


def _first(members: Sequence[str], share: float) -> Sequence[str]:
    return members[: int(np.ceil(share * len(members)))]
