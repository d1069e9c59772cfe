"""DASK: the five terms of the paper with the reference's weights."""

import pytest
import torch
from torch import nn

from vskd.distillation.distiller import Distiller
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.embedding_mse import EmbeddingMSE
from vskd.losses.kd import KD
from vskd.losses.presets.dask import DASK
from vskd.losses.rkd_angle import RKDAngle
from vskd.losses.rkd_distance import RKDDistance
from vskd.losses.term import TermContext
from vskd.network import Outputs

POSITIONS = torch.arange(6)


def pair(student_width: int, teacher_width: int) -> tuple[Outputs, Outputs, torch.Tensor]:
    torch.manual_seed(0)
    student = Outputs(torch.randn(6, 4), torch.randn(6, student_width))
    return student, Outputs(torch.randn(6, 4), torch.randn(6, teacher_width)), torch.randint(0, 4, (6,))


def dask(student_width: int, teacher_width: int, label_smoothing: float = 0.0) -> Distiller:
    student, teacher = ({"logits": (4,), "embedding": (width,)} for width in (student_width, teacher_width))
    return Distiller(DASK.terms, DASK.weighting, TermContext(student, teacher, label_smoothing=label_smoothing))


def test_default_loss_is_that_of_the_specification() -> None:
    student, teacher, labels = pair(5, 5)
    total = sum(dask(5, 5)(student, teacher, labels, POSITIONS).values())
    expected = (
        CrossEntropy()(student.logits, labels)
        + 0.01 * KD(4.0)(student.logits, teacher.logits)
        + EmbeddingMSE(5, 5)(student.embedding, teacher.embedding)
        + RKDDistance()(student.embedding, teacher.embedding)
        + RKDAngle()(student.embedding, teacher.embedding)
    )
    torch.testing.assert_close(total, expected)
    weights = {"cross_entropy": 1, "kd": 0.01, "embedding_mse": 1, "rkd_distance": 1, "rkd_angle": 1}
    assert dask(5, 5).weights == weights


def test_equal_widths_need_no_projector() -> None:
    assert not list(dask(5, 5).parameters())


def test_projector_serves_the_embedding_mse_only() -> None:
    student, teacher, labels = pair(5, 7)
    distiller = dask(5, 7)
    (projector,) = (module for module in distiller.modules() if isinstance(module, nn.Linear))
    terms = distiller(student, teacher, labels, POSITIONS)
    projected = EmbeddingMSE(7, 7)(projector(student.embedding), teacher.embedding)
    torch.testing.assert_close(terms["embedding_mse"], projected)
    torch.testing.assert_close(terms["rkd_distance"], RKDDistance()(student.embedding, teacher.embedding))
    torch.testing.assert_close(terms["rkd_angle"], RKDAngle()(student.embedding, teacher.embedding))


def test_a_twin_of_the_teacher_pays_cross_entropy_only() -> None:
    _, teacher, labels = pair(5, 5)
    terms = dask(5, 5)(teacher, teacher, labels, POSITIONS)
    assert terms.pop("cross_entropy").item() > 0.1
    assert [term.item() for term in terms.values()] == pytest.approx([0.0] * 4, abs=1e-6)


def test_describing_other_recordings_raises_the_loss() -> None:
    """What the pairing is for: the same teacher outputs in another order are worse targets for their twin."""
    _, teacher, labels = pair(5, 5)
    shuffled = Outputs(teacher.logits.roll(1, 0), teacher.embedding.roll(1, 0))
    terms = dask(5, 5)(teacher, shuffled, labels, POSITIONS)
    for name in ("kd", "embedding_mse", "rkd_distance", "rkd_angle"):
        assert terms[name].item() > 1e-3


def test_label_smoothing_reaches_the_cross_entropy() -> None:
    student, teacher, labels = pair(5, 5)
    terms = dask(5, 5, label_smoothing=0.2)(student, teacher, labels, POSITIONS)
    torch.testing.assert_close(terms["cross_entropy"], CrossEntropy(0.2)(student.logits, labels))
