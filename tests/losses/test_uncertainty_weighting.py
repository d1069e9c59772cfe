"""Learned loss weights against the formula, and what learning them does."""

import math

import pytest
import torch

from vskd.losses.uncertainty_weighting import UncertaintyWeighting


@pytest.mark.parametrize("w", [1.0, -1.0, 0.3, 2.5])
@pytest.mark.parametrize("loss", [0.0, 0.5, 40.0])
def test_equals_the_formula(w: float, loss: float) -> None:
    module = UncertaintyWeighting(["a"])
    with torch.no_grad():
        module.w["a"].fill_(w)
    value = module({"a": torch.tensor(loss)})["a"].item()
    assert value == pytest.approx(0.5 / w**2 * loss + math.log(1 + w**2), rel=1e-6)


def test_starts_at_half_plus_log_two() -> None:
    assert UncertaintyWeighting(["a"])({"a": torch.tensor(3.0)})["a"].item() == pytest.approx(1.5 + math.log(2))


def test_every_term_has_a_living_weight() -> None:
    module = UncertaintyWeighting(["a", "b", "c"])
    sum(module({"a": torch.tensor(1.0), "b": torch.tensor(2.0), "c": torch.tensor(3.0)}).values()).backward()
    assert len(list(module.parameters())) == 3
    for name, loss in (("a", 1.0), ("b", 2.0), ("c", 3.0)):
        # d/dw at w = 1: -loss / w^3 + 2 w / (1 + w^2)
        assert module.w[name].grad.item() == pytest.approx(-loss + 1)


@pytest.mark.parametrize("loss", [0.2, 1.0, 30.0])
def test_learning_finds_the_minimum(loss: float) -> None:
    """-loss / w^3 + 2 w / (1 + w^2) = 0, so 2 w^4 = loss * (1 + w^2)."""
    module = UncertaintyWeighting(["a"])
    optimizer = torch.optim.Adam(module.parameters(), lr=0.1)
    for _ in range(1000):
        optimizer.zero_grad()
        module({"a": torch.tensor(loss)})["a"].backward()
        optimizer.step()
    square = (loss + math.sqrt(loss**2 + 8 * loss)) / 4
    assert module.w["a"].item() ** 2 == pytest.approx(square, rel=1e-2)


def test_a_term_at_zero_cannot_explode_when_it_comes_back() -> None:
    module = UncertaintyWeighting(["a"])
    with torch.no_grad():
        module.w["a"].fill_(1e-6)
    loss = torch.tensor(4.0, requires_grad=True)
    value = module({"a": loss})["a"]
    value.backward()
    assert loss.grad.item() == pytest.approx(50.0, rel=1e-4)
    assert module.w["a"].grad.item() < 0  # and learning leads away from zero
    assert value.item() == pytest.approx(50.0 * 4.0, rel=1e-4)  # the regulariser, log(1 + w^2), has no floor
    with torch.no_grad():
        module.w["a"].fill_(0.05)
    assert module({"a": torch.tensor(0.0)})["a"].item() == pytest.approx(math.log(1.0025), rel=1e-4)


def test_the_students_gradient_is_scaled_and_the_rest_untouched() -> None:
    a, b = torch.tensor(1.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    module = UncertaintyWeighting(["a", "b"])
    with torch.no_grad():
        module.w["b"].fill_(2.0)
    sum(module({"a": a, "b": b}).values()).backward()
    assert (a.grad.item(), b.grad.item()) == (0.5, 0.125)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        UncertaintyWeighting([])
    with pytest.raises(ValueError, match="no weight for b"):
        UncertaintyWeighting(["a"])({"a": torch.tensor(1.0), "b": torch.tensor(1.0)})


def test_the_weights_stand_in_alphabetical_order() -> None:
    """Parameters in another order would change the last bit of the norm that gradients are clipped by."""
    assert [name for name, _ in UncertaintyWeighting(["c", "a", "b"]).named_parameters()] == ["w.a", "w.b", "w.c"]
