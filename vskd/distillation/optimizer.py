"""Optimizer and learning-rate schedule from the training section of a recipe."""

from collections.abc import Iterable
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, LRScheduler, OneCycleLR, StepLR

from vskd.recipe import Training


def build_optimizer(parameters: Iterable[Any], training: Training) -> Optimizer:
    """The optimizer that `training` names, over parameters or parameter groups."""
    groups = list(parameters)
    rate, decay = training.learning_rate, training.weight_decay
    if training.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, weight_decay=decay, momentum=training.momentum or 0.0)
    if training.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=rate, weight_decay=decay)
    return torch.optim.Adam(groups, lr=rate, weight_decay=decay)


def build_schedule(optimizer: Optimizer, training: Training, steps_per_epoch: int) -> LRScheduler:
    """The schedule that `training` names; it is stepped once per batch."""
    total = steps_per_epoch * training.epochs
    if training.schedule == "onecycle":
        peaks = [group["lr"] for group in optimizer.param_groups]
        # Adam's first beta follows the rate, as in the published runs; the momentum of sgd is what the recipe says.
        follows = training.optimizer != "sgd"
        return OneCycleLR(optimizer, peaks, total_steps=total, pct_start=training.warmup or 0.0, cycle_momentum=follows)
    if training.schedule == "cosine":
        return CosineAnnealingLR(optimizer, T_max=total)
    if training.schedule == "step":
        return StepLR(optimizer, step_size=(training.step_epochs or 1) * steps_per_epoch, gamma=0.1)
    return LambdaLR(optimizer, lambda _step: 1.0)
