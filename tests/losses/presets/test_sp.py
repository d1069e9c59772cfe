"""The preset of similarity-preserving distillation."""

import torch

from vskd.distillation.distiller import Distiller
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.presets.sp import SP as PRESET
from vskd.losses.similarity_preserving import SimilarityPreserving
from vskd.losses.term import TermContext
from vskd.network import Outputs


def test_loss_is_the_weighted_sum_of_the_paper() -> None:
    torch.manual_seed(0)
    student, teacher = Outputs(torch.randn(6, 4), torch.randn(6, 3)), Outputs(torch.randn(6, 4), torch.randn(6, 8))
    labels = torch.randint(0, 4, (6,))
    distiller = Distiller(PRESET.terms, PRESET.weighting, TermContext({"embedding": (3,)}, {"embedding": (8,)}))
    terms = distiller(student, teacher, labels, torch.arange(6))
    torch.testing.assert_close(terms["cross_entropy"], CrossEntropy()(student.logits, labels))
    torch.testing.assert_close(
        terms["similarity_preserving"], 3000 * SimilarityPreserving()(student.embedding, teacher.embedding)
    )
    assert len(terms) == 2
