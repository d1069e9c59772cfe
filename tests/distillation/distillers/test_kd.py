"""Plain KD."""

import torch

from vskd.distillation.distillers.kd import KD
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.soft_target import SoftTarget
from vskd.network import Outputs


def test_loss_is_the_weighted_sum_of_the_paper() -> None:
    torch.manual_seed(0)
    student, teacher = Outputs(torch.randn(6, 4), torch.randn(6, 3)), Outputs(torch.randn(6, 4), torch.randn(6, 8))
    labels = torch.randint(0, 4, (6,))
    terms = KD(temperature=3.0)(student, teacher, labels)
    torch.testing.assert_close(terms["cross_entropy"], 0.1 * CrossEntropy()(student.logits, labels))
    torch.testing.assert_close(terms["soft"], 0.9 * SoftTarget(3.0)(student.logits, teacher.logits))
    assert len(terms) == 2
