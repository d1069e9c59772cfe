"""Logits MSE against its formula in loops."""

import pytest
import torch

from vskd.errors import SettingError
from vskd.losses.logits_mse import LogitsMSE, LogitsMSESettings
from vskd.losses.term import TermContext


@pytest.mark.parametrize(("batch", "classes"), [(1, 2), (5, 3), (2, 27)])
def test_equals_the_formula_and_the_papers_up_to_its_factor(batch: int, classes: int) -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(batch, classes), torch.randn(batch, classes)
    squares = [(student[n, k] - teacher[n, k]).item() ** 2 for n in range(batch) for k in range(classes)]
    loss = LogitsMSE()(student, teacher).item()
    assert loss == pytest.approx(sum(squares) / (batch * classes), rel=1e-5)
    paper = 0.5 * (student - teacher).square().sum(dim=1).mean().item()
    assert loss * classes / 2 == pytest.approx(paper, rel=1e-5)


def test_half_precision_is_computed_in_float32() -> None:
    teacher = torch.full((1, 2), 300.0).half()
    assert LogitsMSE()(torch.zeros(1, 2).half(), teacher).item() == 90_000  # beyond float16


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="logits MSE: student"):
        LogitsMSE()(torch.zeros(2, 3), torch.zeros(2, 1))
    with pytest.raises(SettingError, match="'logits_mse' compares logits of one size"):
        LogitsMSESettings().build(TermContext({"logits": (3,)}, {"logits": (4,)}))
