"""The pairing check: teacher and student must speak of the same recordings, in every batch.

The published VSKD code zips two independently shuffled loaders, so that its teacher describes other clips
(same-sample rate measured 0.3 %). Here a batch that is not paired by recording id ends the run.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vskd.datasets.recording import UNLABELLED
from vskd.errors import CacheError


def same_labels(one: Tensor, other: Tensor) -> bool:
    """Whether no recording has two labels; one side or both may not know it."""
    one, other = one.cpu(), other.cpu()
    known = (one != UNLABELLED) & (other != UNLABELLED)
    return torch.equal(one[known], other[known])


def check_paired(student_ids: Sequence[str], teacher_ids: Sequence[str]) -> None:
    """Raise unless both sequences name the same recordings in the same order.

    Raises:
        CacheError: names the first pair that differs and how many do.
    """
    if len(student_ids) != len(teacher_ids):
        raise CacheError(
            f"The student's batch has {len(student_ids)} recordings, the teacher's {len(teacher_ids)}",
            "Read the teacher's outputs by the ids of the student's batch",
        )
    wrong = [(s, t) for s, t in zip(student_ids, teacher_ids, strict=True) if s != t]
    if wrong:
        raise CacheError(
            f"{len(wrong)} of {len(student_ids)} teacher outputs belong to other recordings "
            f"(first: student {wrong[0][0]}, teacher {wrong[0][1]})",
            "Read the teacher's outputs by the ids of the student's batch",
        )
