"""No distillation."""

import torch

from vskd.distillation.distiller import Distiller
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.presets.none import NONE
from vskd.losses.term import TermContext
from vskd.network import Outputs


def test_is_plain_cross_entropy_whatever_the_teacher() -> None:
    torch.manual_seed(0)
    student, labels = Outputs(torch.randn(6, 4), torch.randn(6, 3)), torch.randint(0, 4, (6,))
    expected = CrossEntropy()(student.logits, labels)
    for teacher in (None, Outputs(torch.randn(6, 4), torch.randn(6, 3))):
        terms = Distiller(NONE.terms, NONE.weighting, TermContext())(student, teacher, labels, torch.arange(6))
        assert list(terms) == ["cross_entropy"]
        assert torch.equal(terms["cross_entropy"], expected)
