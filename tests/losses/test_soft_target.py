"""Soft targets against the formula of the paper."""

import math

import pytest
import torch

from vskd.losses.soft_target import SoftTarget, TemperatureSchedule


def naive(student: torch.Tensor, teacher: torch.Tensor, temperature: float) -> float:
    def softmax(row: list[float]) -> list[float]:
        powers = [math.exp(z / temperature) for z in row]
        return [p / sum(powers) for p in powers]

    total = 0.0
    for s, t in zip(student.tolist(), teacher.tolist(), strict=True):
        total += sum(q * math.log(q / p) for p, q in zip(softmax(s), softmax(t), strict=True))
    return temperature**2 * total / len(student)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_equals_the_formula(temperature: float) -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(5, 7) * 3, torch.randn(5, 7) * 3
    value = SoftTarget(temperature)(student, teacher).item()
    assert value == pytest.approx(naive(student, teacher, temperature), rel=1e-4)


def test_zero_for_the_teachers_own_logits_up_to_a_shift() -> None:
    teacher = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))
    assert SoftTarget()(teacher + 3.0, teacher).item() == pytest.approx(0.0, abs=1e-5)


def test_gradient_at_high_temperature_is_that_of_centred_logits() -> None:
    """Hinton et al., eq. 4: for large T the gradient is (z_s - z_t) / classes with zero-mean logits, per recording."""
    torch.manual_seed(0)
    student = torch.randn(3, 5, dtype=torch.float64)
    teacher = torch.randn(3, 5, dtype=torch.float64)
    student, teacher = student - student.mean(1, keepdim=True), teacher - teacher.mean(1, keepdim=True)
    student.requires_grad_()
    SoftTarget(1e4)(student, teacher).backward()
    torch.testing.assert_close(student.grad, (student - teacher).detach() / 5 / 3, rtol=1e-3, atol=1e-5)


def test_huge_logits_stay_finite() -> None:
    student = torch.tensor([[1e4, -1e4, 0.0]], requires_grad=True)
    loss = SoftTarget(1.0)(student, torch.tensor([[-1e4, 1e4, 0.0]]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(student.grad).all()


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="temperature"):
        SoftTarget(0.0)
    with pytest.raises(ValueError, match="differ in shape"):
        SoftTarget()(torch.zeros(2, 3), torch.zeros(2, 1))


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (TemperatureSchedule(3.0, 0.5), {0: 3.0, 1: 3.5, 10: 8.0, 34: 20.0, 35: 20.0, 500: 20.0}),
        (TemperatureSchedule(3.0, 0.5, maximum=4.2), {0: 3.0, 2: 4.0, 3: 4.2}),
        (TemperatureSchedule(30.0), {0: 30.0, 99: 30.0}),  # a constant temperature knows no maximum
    ],
)
def test_temperature_rises_to_its_maximum(schedule: TemperatureSchedule, expected: dict[int, float]) -> None:
    assert {epoch: schedule.at(epoch) for epoch in expected} == expected


@pytest.mark.parametrize("settings", [(0.0, 0.0, 20.0), (math.nan, 0.0, 20.0), (4.0, -0.1, 20.0), (21.0, 0.1, 20.0)])
def test_impossible_schedules_are_refused(settings: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="temperature"):
        TemperatureSchedule(*settings)
