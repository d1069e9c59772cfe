"""RKD-A against a naive loop, closed forms, and the cases where a careless version gives NaN or huge gradients."""

import math

import pytest
import torch

from vskd.errors import SettingError
from vskd.losses.rkd_angle import RKDAngle, RKDAngleSettings, cosines
from vskd.losses.term import TermBatch, TermContext


def huber(x: float) -> float:
    return 0.5 * x * x if abs(x) < 1 else abs(x) - 0.5


def direction(a: list[float], b: list[float]) -> list[float]:
    length = math.dist(a, b)
    return [(x - y) / length if length else 0.0 for x, y in zip(a, b, strict=True)]


def naive_psi(e: list[list[float]], i: int, j: int, k: int) -> float:
    return sum(x * y for x, y in zip(direction(e[i], e[j]), direction(e[k], e[j]), strict=True))


def naive(student: torch.Tensor, teacher: torch.Tensor) -> float:
    s, t = student.tolist(), teacher.tolist()
    triplets = [(i, j, k) for i in range(len(s)) for j in range(len(s)) for k in range(len(s))]
    return sum(huber(naive_psi(s, *ijk) - naive_psi(t, *ijk)) for ijk in triplets) / len(triplets)


def batch(seed: int, width: int = 6, size: int = 5) -> torch.Tensor:
    return torch.randn(size, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("widths", [(6, 6), (6, 2)])
def test_equals_the_naive_loop(widths: tuple[int, int]) -> None:
    student, teacher = batch(0, widths[0]), batch(1, widths[1])
    assert RKDAngle()(student, teacher).item() == pytest.approx(naive(student, teacher), rel=1e-5)


def test_equals_the_naive_loop_with_duplicates() -> None:
    student, teacher = batch(0), batch(1)
    student[3], teacher[4] = student[1], teacher[0]
    assert RKDAngle()(student, teacher).item() == pytest.approx(naive(student, teacher), rel=1e-5)


def test_cosines_of_a_right_triangle() -> None:
    corner = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    psi = cosines(corner)
    assert psi[0, 1, 2].item() == pytest.approx(0.0, abs=1e-6)
    assert psi[1, 0, 2].item() == pytest.approx(0.6)
    assert psi[2, 0, 1].item() == pytest.approx(0.8)


def test_does_not_see_rotation_shift_and_scale() -> None:
    teacher = batch(0)
    rotation, _ = torch.linalg.qr(batch(2, 6, 6))
    assert RKDAngle()(3.0 * teacher @ rotation + 5.0, teacher).item() == pytest.approx(0.0, abs=1e-10)


def test_gradient_equals_finite_differences() -> None:
    student = batch(0, 3, 4).double().requires_grad_()
    teacher = batch(1, 3, 4).double()
    assert torch.autograd.gradcheck(lambda s: RKDAngle()(s, teacher), (student,))


@pytest.mark.parametrize("student", [torch.zeros(4, 3), torch.ones(1, 3), torch.tensor([[1.0], [1.0], [2.0]])])
def test_duplicates_have_small_gradients_and_a_batch_of_one_gives_zero(student: torch.Tensor) -> None:
    student = student.clone().requires_grad_()
    loss = RKDAngle()(student, batch(1, 3, len(student)))
    loss.backward()
    assert torch.isfinite(loss)
    assert student.grad.abs().max() < 10  # normalising with an epsilon of 1e-12 would give up to 1e12
    assert len(student) > 1 or loss.item() == 0


def test_memory_of_a_batch_of_64() -> None:
    assert cosines(batch(0, 300, 64)).numel() * 4 == 64**3 * 4


def test_batches_of_different_size_are_refused() -> None:
    with pytest.raises(ValueError, match="same batch"):
        RKDAngle()(batch(0, size=4), batch(1, size=5))


def test_as_a_term_it_compares_embeddings_of_any_width() -> None:
    context = TermContext({"embedding": (6,), "deep": (3, 2, 2)}, {"embedding": (2,)})
    term = RKDAngleSettings().build(context)
    value = term(TermBatch((batch(0),), (batch(1, 2),), torch.zeros(0), torch.zeros(0)))
    assert torch.equal(value, RKDAngle()(batch(0), batch(1, 2)))
    with pytest.raises(SettingError, match="'rkd_angle' compares embeddings, but the student's layer 'deep'"):
        RKDAngleSettings(student_layer="deep").build(context)


def test_coinciding_embeddings_have_no_gradient_between_them() -> None:
    """As if their cosines were constants: in loops, over the pairs that are apart."""
    student = batch(0, 3, 5).double()
    student[3] = student[1]
    student[4] = student[1]
    teacher, own, other = batch(1, 3, 5).double(), student.clone().requires_grad_(), student.clone().requires_grad_()

    def direction_of(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a - b) / (a - b).norm() if not torch.equal(a, b) else torch.zeros(3, dtype=torch.float64)

    psi = [[[direction_of(i, j) @ direction_of(k, j) for k in other] for i in other] for j in other]
    wanted = torch.nn.functional.smooth_l1_loss(
        torch.stack([torch.stack(list(map(torch.stack, p))) for p in psi]), cosines(teacher)
    )
    wanted.backward()
    loss = RKDAngle()(own, teacher)
    loss.backward()
    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(own.grad, other.grad)
