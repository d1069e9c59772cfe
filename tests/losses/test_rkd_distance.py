"""RKD-D against a naive loop, closed forms, and the cases where a careless version gives NaN."""

import math

import pytest
import torch

from vskd.errors import SettingError
from vskd.losses.rkd_distance import RKDDistance, RKDDistanceSettings, normalised_distances
from vskd.losses.term import TermBatch, TermContext


def huber(x: float) -> float:
    return 0.5 * x * x if abs(x) < 1 else abs(x) - 0.5


def naive_psi(embedding: list[list[float]]) -> list[list[float]]:
    distances = [[math.dist(a, b) for b in embedding] for a in embedding]
    positive = [d for row in distances for d in row if d > 0]
    mean = sum(positive) / len(positive) if positive else 1.0
    return [[d / mean for d in row] for row in distances]


def naive(student: torch.Tensor, teacher: torch.Tensor) -> float:
    s, t = naive_psi(student.tolist()), naive_psi(teacher.tolist())
    size = len(s)
    return sum(huber(s[i][j] - t[i][j]) for i in range(size) for j in range(size)) / size**2


def batch(seed: int, width: int = 6, size: int = 7) -> torch.Tensor:
    return torch.randn(size, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("widths", [(6, 6), (6, 3)])
def test_equals_the_naive_loop(widths: tuple[int, int]) -> None:
    student, teacher = batch(0, widths[0]), batch(1, widths[1])
    assert RKDDistance()(student, teacher).item() == pytest.approx(naive(student, teacher), rel=1e-5)


def test_equals_the_naive_loop_with_duplicates() -> None:
    student, teacher = batch(0), batch(1)
    student[3], teacher[5] = student[1], teacher[0]
    assert RKDDistance()(student, teacher).item() == pytest.approx(naive(student, teacher), rel=1e-5)


def test_equals_the_naive_loop_beyond_the_quadratic_part() -> None:
    student, teacher = torch.zeros(6, 2), batch(1, 2, 6)
    student[0, 0] = 100.0  # one point far away: scaled distances of 1 and 0; the teacher's outlier gives more than 1
    teacher[5] *= 50
    assert RKDDistance()(student, teacher).item() == pytest.approx(naive(student, teacher), rel=1e-5)


def published_psi(embedding: torch.Tensor) -> torch.Tensor:
    """The authors' `pdist` (squared=False, eps=1e-12) over its mean, in float64, where the expansion cancels less."""
    e = embedding.double()
    square, product = e.pow(2).sum(dim=1), e @ e.t()
    distances = (square.unsqueeze(1) + square.unsqueeze(0) - 2 * product).clamp(min=1e-12).sqrt()
    distances[range(len(e)), range(len(e))] = 0
    return distances / distances[distances > 0].mean()


def test_distances_are_the_authors_without_identical_embeddings() -> None:
    torch.testing.assert_close(normalised_distances(batch(0)).double(), published_psi(batch(0)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("copies", [2, 3, 5])
def test_identical_embeddings_do_not_count_in_the_mean_as_they_do_with_the_authors(copies: int) -> None:
    """Of 7 embeddings, `copies` are identical: d = copies^2 - copies ordered pairs."""
    embedding = torch.tensor([[3.0, 4.0], [6.0, 8.0], [0.0, 4.0], [1.0, 1.0], [2.0, 7.0], [5.0, 1.0], [9.0, 2.0]])
    embedding[:copies] = embedding[0].clone()
    d, pairs = copies**2 - copies, 7**2 - 7
    ours, theirs = normalised_distances(embedding).double(), published_psi(embedding)
    torch.testing.assert_close(ours, theirs * (1 - d / pairs), rtol=1e-5, atol=1e-5)
    assert (ours[:copies, :copies] == 0).all()


def test_a_collapsed_student_is_told_here_and_looks_equidistant_there() -> None:
    collapsed = torch.full((4, 2), 3.0)
    assert torch.equal(published_psi(collapsed), (1 - torch.eye(4)).double())
    assert not normalised_distances(collapsed).any()
    simplex = torch.eye(4)  # every pair equally far: 12 of the 16 distances are 1
    assert RKDDistance()(collapsed, simplex).item() == pytest.approx(0.5 * 12 / 16)


def test_closed_form_of_three_points() -> None:
    # Equilateral: all scaled distances 1. In a row: 0.75, 0.75, 1.5. Each pair counts twice among 9.
    equilateral = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, math.sqrt(0.75)]])
    row = torch.tensor([[0.0], [1.0], [2.0]])
    expected = 2 * (0.5 * 0.25**2 * 2 + 0.5 * 0.5**2) / 9
    assert RKDDistance()(row, equilateral).item() == pytest.approx(expected, rel=1e-5)


def test_does_not_see_rotation_shift_and_scale() -> None:
    teacher = batch(0)
    rotation, _ = torch.linalg.qr(batch(2, 6, 6))
    assert RKDDistance()(3.0 * teacher @ rotation + 5.0, teacher).item() == pytest.approx(0.0, abs=1e-10)


def test_gradient_equals_finite_differences() -> None:
    student = batch(0, 3, 4).double().requires_grad_()
    teacher = batch(1, 3, 4).double()
    assert torch.autograd.gradcheck(lambda s: RKDDistance()(s, teacher), (student,))


@pytest.mark.parametrize("student", [torch.zeros(4, 3), torch.ones(1, 3), torch.tensor([[1.0], [1.0], [2.0]])])
def test_duplicates_and_batches_of_one_have_finite_gradients(student: torch.Tensor) -> None:
    student = student.clone().requires_grad_()
    loss = RKDDistance()(student, batch(1, 3, len(student)))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(student.grad).all()
    assert len(student) > 1 or loss.item() == 0


def test_near_duplicates_far_from_the_origin_keep_their_distance() -> None:
    """The expansion |a|^2 + |b|^2 - 2ab would lose these distances in float32."""
    embedding = torch.tensor([[1000.0, 0.0], [1000.0, 0.01], [1000.0, 0.03]])
    expected = naive_psi(embedding.double().tolist())
    torch.testing.assert_close(normalised_distances(embedding), torch.tensor(expected), rtol=1e-3, atol=0)


def test_half_precision_is_computed_in_float32() -> None:
    student, teacher = batch(0).bfloat16(), batch(1)
    value = RKDDistance()(student, teacher)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(naive(student.float(), teacher), rel=1e-5)


def test_batches_of_different_size_are_refused() -> None:
    with pytest.raises(ValueError, match="same batch"):
        RKDDistance()(batch(0, size=4), batch(1, size=5))


def test_as_a_term_it_compares_embeddings_of_any_width() -> None:
    context = TermContext({"embedding": (6,), "deep": (3, 2, 2)}, {"embedding": (2,)})
    term = RKDDistanceSettings().build(context)
    value = term(TermBatch((batch(0),), (batch(1, 2),), torch.zeros(0), torch.zeros(0)))
    assert torch.equal(value, RKDDistance()(batch(0), batch(1, 2)))
    with pytest.raises(SettingError, match="'rkd_distance' compares embeddings, but the student's layer 'deep'"):
        RKDDistanceSettings(student_layer="deep").build(context)


@pytest.mark.parametrize("size", [1e-6, 0.01, 0.3, 1e6])
def test_proportions_do_not_depend_on_the_unit(size: float) -> None:
    """Also where all distances, and their mean, are below 1."""
    student, teacher = batch(0), batch(1)
    found = RKDDistance()(student * size, teacher / size)
    assert found.item() == pytest.approx(naive(student, teacher), rel=1e-5)
