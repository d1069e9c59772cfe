"""The preset of CRD."""

import torch

from vskd.distillation.distiller import Distiller
from vskd.losses.crd import CRD
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.presets.crd import CRD as PRESET
from vskd.losses.term import TermContext
from vskd.network import Outputs


def test_loss_is_the_weighted_sum_of_the_public_code() -> None:
    torch.manual_seed(0)
    student, teacher = Outputs(torch.randn(6, 4), torch.randn(6, 3)), Outputs(torch.randn(6, 4), torch.randn(6, 8))
    labels, positions = torch.randint(0, 4, (6,)), torch.arange(6)
    context = TermContext({"embedding": (3,)}, {"embedding": (8,)}, samples=40)
    distiller = Distiller(PRESET.terms, PRESET.weighting, context)
    terms = distiller(student, teacher, labels, positions)
    own = CRD(3, 8, samples=40, width=128, negatives=4096, temperature=0.07, momentum=0.5)
    own.student, own.teacher = distiller.terms["crd"].loss.student, distiller.terms["crd"].loss.teacher
    torch.testing.assert_close(terms["cross_entropy"], CrossEntropy()(student.logits, labels))
    torch.testing.assert_close(terms["crd"], 0.8 * own(student.embedding, teacher.embedding, positions))
    assert len(terms) == 2
