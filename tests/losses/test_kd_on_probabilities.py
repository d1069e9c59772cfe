"""Softmax taken twice: the formula, and how little of the soft signal is left of it."""

import math

import pytest
import torch

from vskd.errors import SettingError
from vskd.losses.kd import KD
from vskd.losses.kd_on_probabilities import KDOnProbabilities, KDOnProbabilitiesSettings
from vskd.losses.term import TermContext


def test_equals_the_formula() -> None:
    """Two classes, p = (3/4, 1/4) and (1/2, 1/2): the second softmax sees a difference of 1/2 and of 0."""
    teacher, student = torch.tensor([[3.0, 1.0]]).log(), torch.zeros(1, 2)
    for temperature in (1.0, 5.0):
        q = 1 / (1 + math.exp(-0.5 / temperature))
        expected = temperature**2 * (q * math.log(2 * q) + (1 - q) * math.log(2 * (1 - q)))
        assert KDOnProbabilities(temperature)(student, teacher).item() == pytest.approx(expected, rel=1e-4)


def surest(classes: int, confidence: float) -> torch.Tensor:
    """Logits of one recording: `confidence` for class 0, the rest shared alike."""
    return torch.tensor([confidence, *[(1 - confidence) / (classes - 1)] * (classes - 1)]).log()[None]


def from_chance(step: float, classes: int) -> tuple[float, float]:
    """Largest target, and KL to chance, where one logit is `log(step)` above all others."""
    largest, other = step / (step + classes - 1), 1 / (step + classes - 1)
    return largest, largest * math.log(classes * largest) + (1 - largest) * math.log(classes * other)


def test_a_hundredth_of_the_signal_is_left() -> None:
    """101 classes, T = 10, a teacher that is 95 % sure, a student that knows nothing: all in closed form."""
    classes, temperature, confidence = 101, 10.0, 0.95
    teacher, student, rest = surest(classes, confidence), torch.zeros(1, classes), (1 - confidence) / (classes - 1)
    largest, left = from_chance(math.exp((confidence - rest) / temperature), classes)
    target = (teacher.softmax(dim=1) / temperature).softmax(dim=1)
    assert target.max().item() == pytest.approx(largest, rel=1e-5) and round(largest, 4) == 0.0109
    assert KDOnProbabilities(temperature)(student, teacher).item() == pytest.approx(temperature**2 * left, abs=2e-4)
    _, whole = from_chance((confidence / rest) ** (1 / temperature), classes)
    assert KD(temperature)(student, teacher).item() == pytest.approx(temperature**2 * whole, abs=2e-4)
    assert 0.0095 < left / whole < 0.0105


@pytest.mark.parametrize("temperature", [1.0, 5.0, 10.0, 15.0, 20.0])
def test_the_surest_teacher_stays_next_to_chance(temperature: float) -> None:
    """No target is further from chance than the bound exp(1 / T): at T = 10 1.1 times the others."""
    target = (surest(27, 1 - 1e-6).softmax(dim=1) / temperature).softmax(dim=1)
    assert 1 < target.max() / target.min() <= math.exp(1 / temperature) + 1e-4
    variation = 0.5 * (target - 1 / 27).abs().sum().item()  # total variation from chance
    assert variation < math.exp(1 / temperature) / 27


def test_at_high_temperatures_it_is_the_squared_difference_of_probabilities() -> None:
    """T^2 KL -> (1 / 2C) sum (p_t - p_s)^2, as of centred logits in Hinton et al."""
    torch.manual_seed(0)
    student, teacher = torch.randn(4, 6, dtype=torch.float64) * 2, torch.randn(4, 6, dtype=torch.float64) * 2
    squares = (student.softmax(dim=1) - teacher.softmax(dim=1)).square().sum(dim=1).mean().item() / (2 * 6)
    assert KDOnProbabilities(1000.0)(student, teacher).item() == pytest.approx(squares, rel=2e-3)


def test_gradient_reaches_the_students_logits() -> None:
    student = torch.zeros(2, 5, requires_grad=True)
    KDOnProbabilities()(student, torch.eye(5)[:2] * 4).backward()
    assert student.grad is not None and student.grad.abs().sum() > 0


def test_as_a_term() -> None:
    shapes = {"logits": (5,)}
    loss = KDOnProbabilitiesSettings(temperature=5.0).build(TermContext(shapes, shapes)).loss
    assert isinstance(loss, KDOnProbabilities) and loss.kd.temperature == 5.0
    with pytest.raises(SettingError, match="logits"):
        KDOnProbabilitiesSettings().build(TermContext(shapes, {"logits": (4,)}))


def test_what_a_loss_is_where_nothing_is_said() -> None:
    assert KDOnProbabilities().kd.temperature == KDOnProbabilitiesSettings().temperature == 10.0
    with pytest.raises(SettingError, match=r"compares logits, but the student's layer 'logits' has shape \(4, 2\)"):
        KDOnProbabilitiesSettings().build(TermContext({"logits": (4, 2)}, {"logits": (4, 2)}))
