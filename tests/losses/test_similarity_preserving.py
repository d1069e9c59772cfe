"""SP against its formula in loops, and what it does not depend on."""

import math

import pytest
import torch
from torch import Tensor

from vskd.errors import SettingError
from vskd.losses.similarity_preserving import SimilarityPreserving, SimilarityPreservingSettings, similarities
from vskd.losses.term import TermContext


def naive(layer: Tensor) -> list[list[float]]:
    rows = [row.flatten().double() for row in layer]
    products = [[float((a * b).sum()) for b in rows] for a in rows]
    lengths = [math.sqrt(sum(value**2 for value in row)) or 1.0 for row in products]
    return [[value / length for value in row] for row, length in zip(products, lengths, strict=True)]


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize(("own", "other"), [((3,), (7,)), ((4, 10), (2, 3, 3)), ((2, 4, 4), (5, 2, 2))])
def test_equals_the_formula_for_layers_of_any_shape(batch: int, own: tuple[int, ...], other: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(batch, *own), torch.randn(batch, *other)
    pairs = zip(naive(student), naive(teacher), strict=True)
    total = sum((a - b) ** 2 for s, t in pairs for a, b in zip(s, t, strict=True))
    assert SimilarityPreserving()(student, teacher).item() == pytest.approx(total / batch**2, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("factor", [1e-12, 3.0, 1e18])
def test_scale_does_not_count_and_leaves_no_infinity(factor: float) -> None:
    torch.manual_seed(0)
    layer = torch.randn(4, 6)
    torch.testing.assert_close(similarities(layer * factor), similarities(layer), rtol=1e-4, atol=1e-6)


def test_rotations_do_not_count_and_zero_rows_stay_zero() -> None:
    torch.manual_seed(0)
    layer = torch.randn(4, 6)
    rotation = torch.linalg.qr(torch.randn(6, 6))[0]
    assert SimilarityPreserving()(layer, layer @ rotation).item() == pytest.approx(0, abs=1e-10)
    dead = torch.zeros(3, 2, requires_grad=True)
    SimilarityPreserving()(dead, torch.eye(3)).backward()
    assert torch.equal(similarities(dead), torch.zeros(3, 3)) and torch.isfinite(dead.grad).all()


def test_other_batches_are_refused() -> None:
    for other in (torch.zeros(2, 3), torch.zeros(3)):
        with pytest.raises(ValueError, match="similarity preserving: needs two"):
            SimilarityPreserving()(torch.zeros(3, 3), other)


def test_as_a_term_it_compares_the_layers_it_names() -> None:
    context = TermContext({"embedding": (3,), "block1": (4, 9)}, {"embedding": (5,)})
    assert SimilarityPreservingSettings(student_layer="block1").build(context)
    with pytest.raises(SettingError, match="compares the layer 'deep', but the teacher has embedding"):
        SimilarityPreservingSettings(teacher_layer="deep").build(context)


@pytest.mark.parametrize("shapes", [((3,), (3,)), ((3,), (3, 2)), ((3, 2), (3,)), ((3, 2), (2, 2))])
def test_a_layer_without_a_dimension_beside_the_batch_is_refused(shapes: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match="similarity preserving: needs two"):
        SimilarityPreserving()(*(torch.zeros(shape) for shape in shapes))
