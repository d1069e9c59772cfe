"""The learning rate of every step against closed forms, and the settings that reach the optimizer."""

import math

import pytest
import torch

from vskd.distillation.optimizer import build_optimizer, build_schedule
from vskd.recipe import Training


def rates(training: Training, steps_per_epoch: int) -> list[float]:
    optimizer = build_optimizer([torch.nn.Parameter(torch.zeros(1))], training)
    schedule = build_schedule(optimizer, training, steps_per_epoch)
    seen = []
    for _ in range(training.epochs * steps_per_epoch):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)]
)
def test_the_named_optimizer_gets_rate_and_decay(name, kind) -> None:
    momentum = {"momentum": 0.75} if name == "sgd" else {}
    training = Training(optimizer=name, learning_rate=0.5, weight_decay=0.25, **momentum)
    optimizer = build_optimizer([torch.nn.Parameter(torch.zeros(1))], training)
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.5, 0.25)
    assert group.get("momentum") == momentum.get("momentum")


def test_groups_keep_their_own_rates_under_onecycle() -> None:
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (0.1, 0.2)]
    training = Training(schedule="onecycle", epochs=5)
    optimizer = build_optimizer(groups, training)
    build_schedule(optimizer, training, 4)
    first, second = optimizer.param_groups
    assert second["max_lr"] == 2 * first["max_lr"] == 0.2


def test_constant_step_and_cosine_in_closed_form() -> None:
    constant = Training(schedule="constant", epochs=3, learning_rate=0.1)
    assert rates(constant, 4) == [0.1] * 12
    step = Training(schedule="step", epochs=6, step_epochs=2, learning_rate=0.1)
    assert rates(step, 3) == pytest.approx([0.1 * 0.1 ** (i // 6) for i in range(18)])
    cosine = Training(schedule="cosine", epochs=5, learning_rate=0.1)
    assert rates(cosine, 4) == pytest.approx([0.05 * (1 + math.cos(math.pi * i / 20)) for i in range(20)])


def test_onecycle_peaks_at_the_end_of_the_warm_up_and_ends_near_zero() -> None:
    seen = rates(Training(schedule="onecycle", epochs=10, warmup=0.2, learning_rate=0.1), 5)
    assert max(seen) == pytest.approx(0.1, rel=0.01)
    assert seen.index(max(seen)) == 9
    assert seen[-1] < 1e-5


def test_momentum_under_onecycle_is_what_the_recipe_says_and_adams_follows_the_rate() -> None:
    """`OneCycleLR` would put its own 0.85 to 0.95 in place of the recipe's."""

    def momenta(training: Training) -> list[float]:
        optimizer = build_optimizer([torch.nn.Parameter(torch.zeros(1))], training)
        schedule = build_schedule(optimizer, training, 5)
        seen = []
        for _ in range(training.epochs * 5):
            (group,) = optimizer.param_groups
            seen.append(group["momentum"] if training.optimizer == "sgd" else group["betas"][0])
            optimizer.step()
            schedule.step()
        return seen

    assert set(momenta(Training(optimizer="sgd", momentum=0.7, schedule="onecycle", epochs=4))) == {0.7}
    adam = momenta(Training(optimizer="adamw", schedule="onecycle", epochs=4, warmup=0.25))
    assert (adam[0], min(adam)) == (pytest.approx(0.95), pytest.approx(0.85, abs=0.01))


def test_momentum_is_nine_tenths_unless_said_and_may_be_none() -> None:
    for said, momentum in (({}, 0.9), ({"momentum": 0.0}, 0.0)):
        optimizer = build_optimizer([torch.nn.Parameter(torch.zeros(1))], Training(optimizer="sgd", **said))
        assert optimizer.param_groups[0]["momentum"] == momentum


def test_a_step_falls_to_a_tenth_after_every_epoch_where_one_is_said() -> None:
    training = Training(schedule="step", epochs=3, step_epochs=1, learning_rate=1.0)
    assert rates(training, 2) == pytest.approx([1.0, 1.0, 0.1, 0.1, 0.01, 0.01])
