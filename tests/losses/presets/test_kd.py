"""Plain KD."""

import torch

from vskd.distillation.distiller import Distiller
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.kd import KD
from vskd.losses.presets.kd import KD as PRESET
from vskd.losses.term import TermContext
from vskd.network import Outputs


def test_loss_is_the_weighted_sum_of_the_paper() -> None:
    torch.manual_seed(0)
    student, teacher = Outputs(torch.randn(6, 4), torch.randn(6, 3)), Outputs(torch.randn(6, 4), torch.randn(6, 8))
    labels = torch.randint(0, 4, (6,))
    distiller = Distiller(PRESET.terms, PRESET.weighting, TermContext({"logits": (4,)}, {"logits": (4,)}))
    terms = distiller(student, teacher, labels, torch.arange(6))
    torch.testing.assert_close(terms["cross_entropy"], 0.1 * CrossEntropy()(student.logits, labels))
    torch.testing.assert_close(terms["kd"], 0.9 * KD(4.0)(student.logits, teacher.logits))
    assert len(terms) == 2
