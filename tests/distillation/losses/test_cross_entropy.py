"""Cross entropy against its formula."""

import math

import pytest
import torch

from vskd.distillation.losses.cross_entropy import CrossEntropy


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equals_the_formula(smoothing: float) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    expected = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        total = sum(math.exp(z) for z in row)
        for c, z in enumerate(row):
            wanted = smoothing / 3 + (1 - smoothing) * (c == label)
            expected -= wanted * math.log(math.exp(z) / total) / 4
    assert CrossEntropy(smoothing)(logits, labels).item() == pytest.approx(expected, rel=1e-5)


def test_uniform_logits_give_log_classes() -> None:
    assert CrossEntropy()(torch.zeros(5, 27), torch.arange(5)).item() == pytest.approx(math.log(27))


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_smoothing_out_of_range_is_refused(smoothing: float) -> None:
    with pytest.raises(ValueError, match="label_smoothing"):
        CrossEntropy(smoothing)
