"""DASK: the five terms of the paper with the reference's weights."""

import pytest
import torch
from torch import nn

from vskd.distillation.distillers.dask import TERMS, Dask
from vskd.losses.angle import Angle
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.distance import Distance
from vskd.losses.semantic import Semantic
from vskd.losses.soft_target import SoftTarget
from vskd.network import Outputs


def pair(student_width: int, teacher_width: int) -> tuple[Outputs, Outputs, torch.Tensor]:
    torch.manual_seed(0)
    student = Outputs(torch.randn(6, 4), torch.randn(6, student_width))
    return student, Outputs(torch.randn(6, 4), torch.randn(6, teacher_width)), torch.randint(0, 4, (6,))


def test_default_loss_is_that_of_the_specification() -> None:
    student, teacher, labels = pair(5, 5)
    total = sum(Dask(5, 5)(student, teacher, labels).values())
    expected = (
        CrossEntropy()(student.logits, labels)
        + 0.01 * SoftTarget(4.0)(student.logits, teacher.logits)
        + Semantic()(student.embedding, teacher.embedding)
        + Distance()(student.embedding, teacher.embedding)
        + Angle()(student.embedding, teacher.embedding)
    )
    torch.testing.assert_close(total, expected)
    assert TERMS == {"cross_entropy": 1, "soft": 0.01, "semantic": 1, "distance": 1, "angle": 1}


def test_equal_widths_need_no_projector() -> None:
    assert not list(Dask(5, 5).parameters())


def test_projector_serves_the_semantic_term_only() -> None:
    student, teacher, labels = pair(5, 7)
    dask = Dask(5, 7)
    assert isinstance(dask.projector, nn.Linear)
    terms = dask(student, teacher, labels)
    torch.testing.assert_close(terms["semantic"], Semantic()(dask.projector(student.embedding), teacher.embedding))
    torch.testing.assert_close(terms["distance"], Distance()(student.embedding, teacher.embedding))
    torch.testing.assert_close(terms["angle"], Angle()(student.embedding, teacher.embedding))


def test_a_twin_of_the_teacher_pays_cross_entropy_only() -> None:
    _, teacher, labels = pair(5, 5)
    terms = Dask(5, 5)(teacher, teacher, labels)
    assert all(term.item() == pytest.approx(0.0, abs=1e-6) for name, term in terms.items() if name != "cross_entropy")


def test_describing_other_recordings_raises_the_loss() -> None:
    """What the pairing is for: the same teacher outputs in another order are worse targets for their twin."""
    _, teacher, labels = pair(5, 5)
    shuffled = Outputs(teacher.logits.roll(1, 0), teacher.embedding.roll(1, 0))
    terms = Dask(5, 5)(teacher, shuffled, labels)
    assert all(terms[name].item() > 1e-3 for name in ("soft", "semantic", "distance", "angle"))


def test_label_smoothing_and_temperature_reach_their_terms() -> None:
    student, teacher, labels = pair(5, 5)
    terms = Dask(5, 5, {"soft": 1.0}, temperature=2.0, label_smoothing=0.2)(student, teacher, labels)
    torch.testing.assert_close(terms["cross_entropy"], CrossEntropy(0.2)(student.logits, labels))
    torch.testing.assert_close(terms["soft"], SoftTarget(2.0)(student.logits, teacher.logits))
