"""The embedding MSE against its formula."""

import pytest
import torch

from vskd.errors import SettingError
from vskd.losses.embedding_mse import EmbeddingMSE, EmbeddingMSESettings
from vskd.losses.term import TermContext


def test_equals_the_formula() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(3, 4), torch.randn(3, 4)
    expected = sum((x - y) ** 2 for x, y in zip(a.flatten().tolist(), b.flatten().tolist(), strict=True)) / 12
    assert EmbeddingMSE(4, 4)(a, b).item() == pytest.approx(expected, rel=1e-5)


def test_different_widths_are_refused_instead_of_broadcast() -> None:
    with pytest.raises(ValueError, match=r"student \(3, 1\) and teacher \(3, 4\)"):
        EmbeddingMSE(1, 1)(torch.zeros(3, 1), torch.zeros(3, 4))


def test_equal_widths_are_compared_as_they_are() -> None:
    assert not list(EmbeddingMSE(4, 4).parameters())


def test_other_widths_are_projected_by_a_trained_linear_layer() -> None:
    torch.manual_seed(0)
    loss, a, b = EmbeddingMSE(2, 4), torch.randn(3, 2), torch.randn(3, 4)
    weight, bias = (p.detach() for p in loss.projector.parameters())
    assert weight.shape == (4, 2)
    expected = 0.0
    for row, wanted in zip(a.tolist(), b.tolist(), strict=True):
        for out in range(4):
            value = bias[out].item() + sum(weight[out, i].item() * row[i] for i in range(2))
            expected += (value - wanted[out]) ** 2 / 12
    assert loss(a, b).item() == pytest.approx(expected, rel=1e-5)
    loss(a, b).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in loss.parameters())


def test_half_precision_is_computed_in_float32() -> None:
    loss, a, b = EmbeddingMSE(2, 4), torch.randn(3, 2), torch.full((3, 4), 300.0)
    value = loss(a.half(), b.half())
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(a, b), rtol=1e-3, atol=0)


def test_as_a_term_it_has_the_widths_of_the_layers_it_compares() -> None:
    context = TermContext({"embedding": (5,), "pooled": (2,)}, {"embedding": (4,)})
    assert EmbeddingMSESettings().build(context).loss.projector.weight.shape == (4, 5)
    assert EmbeddingMSESettings(student_layer="pooled").build(context).loss.projector.weight.shape == (4, 2)
    with pytest.raises(SettingError, match=r"the student's layer 'deep' has shape \(3, 2, 2\)"):
        EmbeddingMSESettings(student_layer="deep").build(TermContext({"deep": (3, 2, 2)}, {"embedding": (4,)}))
