"""The catalog of losses: every file is listed, and every listed loss behaves."""

import pytest
import torch
from torch import nn

from vskd.distillation import losses
from vskd.distillation.losses.catalog import LOSSES


def test_every_loss_file_is_in_the_catalog() -> None:
    from pathlib import Path

    files = {p.stem for folder in losses.__path__ for p in Path(folder).glob("*.py")}
    listed = {loss.__module__.rpartition(".")[2] for loss in LOSSES.values()}
    assert listed == files - {"__init__", "catalog", "shapes"}


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_gives_a_finite_scalar_with_finite_gradients(name: str) -> None:
    torch.manual_seed(0)
    loss: nn.Module = LOSSES[name]()
    student = torch.randn(6, 5, requires_grad=True)
    target = torch.randint(0, 5, (6,)) if name == "cross_entropy" else torch.randn(6, 5)
    value = loss(student, target)
    value.backward()
    assert value.shape == ()
    assert value.item() > 0
    assert torch.isfinite(student.grad).all()
    assert student.grad.abs().max() > 0
