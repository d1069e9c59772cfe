"""The semantic loss against its formula."""

import pytest
import torch

from vskd.losses.semantic import Semantic


def test_equals_the_formula() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(3, 4), torch.randn(3, 4)
    expected = sum((x - y) ** 2 for x, y in zip(a.flatten().tolist(), b.flatten().tolist(), strict=True)) / 12
    assert Semantic()(a, b).item() == pytest.approx(expected, rel=1e-5)


def test_different_widths_are_refused_instead_of_broadcast() -> None:
    with pytest.raises(ValueError, match=r"student \(3, 1\) and teacher \(3, 4\)"):
        Semantic()(torch.zeros(3, 1), torch.zeros(3, 4))
