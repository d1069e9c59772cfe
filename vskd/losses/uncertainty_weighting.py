"""Uncertainty weighting: learned weights of loss terms."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

_LEAST_SQUARE = 0.01


class UncertaintyWeighting(nn.Module):
    """L_k = 0.5 / w_k^2 * l_k + log(1 + w_k^2), one learned w_k for every term, initially 1.

    At the optimum a large term gets a large w_k, so that terms of different size pull alike, and none is switched off.

    Source: Kendall, Gal & Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses", CVPR 2018 (arXiv
    1705.07115), with the positive regulariser of Liebel & Koerner, 2018 (arXiv 1805.06334).

    Points of deviation: below w_k^2 = 0.01 the term's factor stays 50, or a term that reaches 0 would let its factor
    grow without bound; the gradient keeps its direction there.

    Args:
        names: of the terms.

    Shape:
        terms: name -> scalar; output: the same names -> scalar. Each is zero or more where the term is.

    Raises:
        ValueError: no names, or a term without a weight.

    Examples:
        >>> import torch
        >>> weighting = UncertaintyWeighting(["cross_entropy", "kd"])
        >>> terms = weighting({"cross_entropy": torch.tensor(2.0), "kd": torch.tensor(0.0)})
        >>> {name: round(term.item(), 4) for name, term in terms.items()}  # half of each, and log 2
        {'cross_entropy': 1.6931, 'kd': 0.6931}
        >>> len(list(weighting.parameters()))  # to be trained with the student's, without weight decay
        2
    """

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__()
        # Alphabetically, as in the published runs: the order of parameters decides the last bit of the norm that
        # gradients are clipped by.
        self.w = nn.ParameterDict((name, nn.Parameter(torch.ones(()))) for name in sorted(names))
        if not self.w:
            raise ValueError("uncertainty weights need at least one term")

    def forward(self, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Every term with its learned weight and that weight's regulariser."""
        unknown = [name for name in terms if name not in self.w]
        if unknown:
            raise ValueError(f"uncertainty weights: no weight for {', '.join(unknown)}")
        return {name: _weighted(term, self.w[name]) for name, term in terms.items()}


def _weighted(term: Tensor, w: Tensor) -> Tensor:
    square = w.square()
    floored = square + (_LEAST_SQUARE - square).clamp(min=0).detach()
    return 0.5 / floored * term + torch.log1p(square)
