"""TCKD and NCKD against the definition in plain Python and against Hinton's loss."""

import math
import warnings

import pytest
import torch

from vskd.errors import SettingError
from vskd.losses.dkd import NCKD, TCKD, NCKDSettings, TCKDSettings, split_target
from vskd.losses.kd import KD
from vskd.losses.term import TermBatch, TermContext


def softmax(row: list[float]) -> list[float]:
    powers = [math.exp(z - max(row)) for z in row]
    return [p / sum(powers) for p in powers]


def kl(p: list[float], q: list[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def naive(student: torch.Tensor, teacher: torch.Tensor, labels: list[int], t: float) -> tuple[float, float]:
    target = other = 0.0
    for s, z, y in zip(student.tolist(), teacher.tolist(), labels, strict=True):
        p, q = softmax([v / t for v in z]), softmax([v / t for v in s])
        target += kl([p[y], 1 - p[y]], [q[y], 1 - q[y]])
        other += kl(
            softmax([v / t for k, v in enumerate(z) if k != y]), softmax([v / t for k, v in enumerate(s) if k != y])
        )
    return t**2 * target / len(labels), t**2 * other / len(labels)


@pytest.mark.parametrize(("batch", "classes"), [(1, 2), (1, 10), (5, 3), (7, 22)])
@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_equals_the_definition(batch: int, classes: int, temperature: float) -> None:
    torch.manual_seed(batch)
    student, teacher = torch.randn(batch, classes) * 3, torch.randn(batch, classes) * 3
    labels = torch.randint(0, classes, (batch,))
    target, other = naive(student, teacher, labels.tolist(), temperature)
    assert TCKD(temperature)(student, teacher, labels).item() == pytest.approx(target, rel=1e-4, abs=1e-6)
    assert NCKD(temperature)(student, teacher, labels).item() == pytest.approx(other, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("scale", [0.1, 3.0, 40.0])
def test_both_parts_make_up_hintons_loss(scale: float) -> None:
    """KL(p_t || p_s) = KL(b_t || b_s) + (1 - p_t of the label) * KL(q_t || q_s), for each sample."""
    torch.manual_seed(0)
    for _ in range(20):
        student, teacher = (
            torch.randn(1, 6, dtype=torch.float64) * scale,
            torch.randn(1, 6, dtype=torch.float64) * scale,
        )
        label = torch.randint(0, 6, (1,))
        rest = 1 - (teacher / 4).softmax(1)[0, label]
        both = TCKD(4.0)(student, teacher, label) + rest * NCKD(4.0)(student, teacher, label)
        torch.testing.assert_close(both.squeeze(), KD(4.0)(student, teacher), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("loss", [TCKD(1.0), NCKD(1.0)])
@pytest.mark.parametrize("size", [1e3, 1e6, 1e30])
def test_saturated_logits_stay_finite(loss: torch.nn.Module, size: float) -> None:
    student = torch.tensor([[size, -size, 0.0], [-size, size, size]], requires_grad=True)
    value = loss(student, -student.detach(), torch.tensor([0, 2]))
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(student.grad).all()


def test_a_sure_and_wrong_student_is_pulled_back() -> None:
    """Where probabilities are 0 in floating point, the gradient still points to the teacher's answer."""
    student = torch.tensor([[-500.0, 500.0, 0.0]], requires_grad=True)
    TCKD(1.0)(student, torch.tensor([[500.0, -500.0, 0.0]]), torch.tensor([0])).backward()
    assert student.grad[0, 0] < -0.9 and student.grad[0, 1] > 0.9


def test_half_precision_is_computed_in_float32() -> None:
    torch.manual_seed(0)
    student, teacher = (torch.randn(4, 5) * 50).half(), (torch.randn(4, 5) * 50).half()
    labels = torch.arange(4)
    for loss in (TCKD(2.0), NCKD(2.0)):
        value = loss(student, teacher, labels)
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, loss(student.float(), teacher.float(), labels), rtol=1e-2, atol=1e-2)


def test_a_teachers_twin_pays_nothing() -> None:
    logits = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    for loss in (TCKD(), NCKD()):
        assert loss(logits + 2, logits, torch.tensor([0, 1, 3])).item() == pytest.approx(0.0, abs=1e-6)


def test_split_takes_out_the_label() -> None:
    target, others = split_target(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), torch.tensor([2, 0]))
    assert target.tolist() == [[3.0], [4.0]]
    assert others.tolist() == [[1.0, 2.0], [5.0, 6.0]]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="temperature"):
        TCKD(0.0)
    with pytest.raises(ValueError, match="differ in shape"):
        NCKD()(torch.zeros(2, 3), torch.zeros(2, 1), torch.tensor([0, 0]))
    with pytest.raises(ValueError, match="2 or more classes"):
        NCKD()(torch.zeros(2, 1), torch.zeros(2, 1), torch.tensor([0, 0]))
    for loss in (TCKD(), NCKD()):
        for shape in ((4,), (2, 3, 4)):
            with pytest.raises(ValueError, match="2 or more classes"):
                loss(torch.zeros(shape), torch.zeros(shape), torch.tensor([0, 0]))
    for temperature in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="temperature"):
            NCKD(temperature)


@pytest.mark.parametrize(("settings", "loss"), [(TCKDSettings, TCKD), (NCKDSettings, NCKD)])
def test_as_a_term_it_gets_temperature_and_labels(settings: type, loss: type) -> None:
    torch.manual_seed(0)
    student, teacher, labels = torch.randn(5, 4), torch.randn(5, 4), torch.tensor([0, 3, 1, 1, 2])
    context = TermContext({"logits": (4,)}, {"logits": (4,)})
    value = settings(temperature=2.0).build(context)(TermBatch((student,), (teacher,), labels, torch.arange(5)))
    assert torch.equal(value, loss(2.0)(student, teacher, labels))
    with pytest.raises(SettingError, match=r"logits of one size, but .* \(4,\) and .* \(3,\)"):
        settings().build(TermContext({"logits": (4,)}, {"logits": (3,)}))


@pytest.mark.parametrize(("settings", "loss"), [(TCKDSettings, TCKD), (NCKDSettings, NCKD)])
def test_what_a_part_is_where_nothing_is_said(settings: type, loss: type) -> None:
    assert loss().temperature == settings().temperature == 4.0
    assert settings.needs_labels and settings.needs_teacher and not settings.needs_positions
    with pytest.raises(SettingError, match=r"compares logits, but the student's layer 'logits' has shape \(4, 2\)"):
        settings().build(TermContext({"logits": (4, 2)}, {"logits": (4, 2)}))


def test_the_classes_are_the_second_axis_without_a_guess_of_torch() -> None:
    """Torch warns where it has to guess the axis of a softmax."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for loss in (TCKD(), NCKD()):
            assert loss(torch.eye(3), torch.ones(3, 3), torch.tensor([0, 1, 2])).isfinite()


@pytest.mark.parametrize("temperature", [1e-3, 0.5, 1.0, 30.0])
def test_any_temperature_above_zero_is_one(temperature: float) -> None:
    assert TCKD(temperature).temperature == NCKD(temperature).temperature == temperature
