"""The catalog of losses: every file is listed, and every listed loss behaves."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from vskd import losses
from vskd.losses.catalog import LOSSES


def test_every_loss_file_is_in_the_catalog() -> None:
    from pathlib import Path

    files = {p.stem for folder in losses.__path__ for p in Path(folder).glob("*.py")}
    listed = {loss.__module__.rpartition(".")[2] for loss in LOSSES.values()}
    assert listed == files - {"__init__", "catalog", "shapes"}


def labels() -> Tensor:
    return torch.arange(6) % 5


# The arguments of the losses that take more than two (6, 5) tensors: of the constructor, and after the student's.
ARGUMENTS: dict[str, tuple[tuple[int, ...], Callable[[], tuple[Tensor, ...]]]] = {
    "cross_entropy": ((), lambda: (labels(),)),
    "target": ((), lambda: (torch.randn(6, 5), labels())),
    "non_target": ((), lambda: (torch.randn(6, 5), labels())),
    "sample_relation": ((5, 7, 20), lambda: (torch.randn(6, 7), torch.arange(6))),
    "attention_transfer": ((), lambda: (torch.randn(6, 3, 4, 4),)),
    "hint": ((2, 3), lambda: (torch.randn(6, 3, 4, 4),)),
}
MAPS = {"attention_transfer", "hint"}


@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"uncertainty"}))  # which weighs losses and is none itself
def test_gives_a_finite_scalar_with_finite_gradients(name: str) -> None:
    torch.manual_seed(0)
    settings, others = ARGUMENTS.get(name, ((), lambda: (torch.randn(6, 5),)))
    loss: nn.Module = LOSSES[name](*settings)
    student = torch.randn(6, 2, 6, 6) if name in MAPS else torch.randn(6, 5)
    student.requires_grad_()
    value = loss(student, *others())
    value.backward()
    assert value.shape == ()
    assert value.item() > 0
    assert torch.isfinite(student.grad).all()
    assert student.grad.abs().max() > 0
