"""Trainings that diverged: which figure or tensor is named, and in which epoch."""

import pytest
import torch
from torch import nn

from vskd.distillation.divergence import diverged, refuse_diverged
from vskd.errors import DivergedError

WRONG = [float("nan"), float("inf"), float("-inf")]


def test_the_message_counts_epochs_from_1_and_names_the_keys_to_change() -> None:
    text = str(diverged("the loss is not finite (kd nan)", 4))
    assert text.startswith("training diverged in epoch 5: the loss is not finite (kd nan).")
    for key in ("training.learning_rate", "training.gradient_clip", "training.precision"):
        assert key in text


def test_finite_trainings_pass() -> None:
    refuse_diverged(0, nn.BatchNorm1d(3), {"train/loss": 1e30, "validation/loss": torch.tensor(2.0)})


@pytest.mark.parametrize("value", WRONG)
def test_a_figure_that_is_not_finite_is_named(value: float) -> None:
    with pytest.raises(DivergedError, match=rf"epoch 3: validation/loss {value:g}\."):
        refuse_diverged(2, nn.Linear(2, 2), {"train/loss": 0.5, "validation/loss": torch.tensor(value)})


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("name", ["weight", "running_var"])
def test_a_weight_or_buffer_that_is_not_finite_is_named(value: float, name: str) -> None:
    module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    with torch.no_grad():
        module.state_dict()[f"1.{name}"][1] = value
    with pytest.raises(DivergedError, match=rf"NaN or infinity in 1 tensors \(1\.{name}\)"):
        refuse_diverged(0, module, {"train/loss": 0.5})
