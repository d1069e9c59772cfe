"""Cross entropy on the labels."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.losses.term import Term, TermContext, TermSettings, labelled

UNLABELLED = -1
"""The label of a sample that has none."""


def balanced_weights(class_counts: Sequence[int]) -> Tensor:
    """Class weights that make every class count alike: samples / (present classes * samples of the class).

    Args:
        class_counts: training samples of every class; an absent class gets weight 0.

    Returns:
        (classes,) float32; the mean weight of the training samples is 1.

    Raises:
        ValueError: a negative count, or no samples at all.

    Examples:
        >>> balanced_weights([30, 10])
        tensor([0.6667, 2.0000])
    """
    counts = torch.tensor(class_counts, dtype=torch.float32)
    if bool((counts < 0).any()) or not bool((counts > 0).any()):
        raise ValueError(f"balanced class weights need samples of at least one class, got counts {tuple(class_counts)}")
    present = counts > 0
    return torch.where(present, counts.sum() / (present.sum() * counts.clamp(min=1)), 0.0)


class CrossEntropy(nn.Module):
    """L = -sum_c q_c log softmax(z)_c, batch mean, with q = (1 - s) * onehot(label) + s / classes.

    Samples without a label (-1) are left out of the mean; a batch without any label has loss 0.

    With class weights w, every summand is multiplied by w_c, and the mean is weighted by the samples' w_label.

    Args:
        label_smoothing: s, 0 <= s < 1 (Szegedy et al., CVPR 2016); 0 is plain cross entropy.
        class_weights: (classes,), see `balanced_weights`; None where every class weighs the same.

    Shape:
        logits: (batch, classes); labels: (batch,) int64; output: scalar.

    Raises:
        ValueError: label_smoothing out of range.

    Examples:
        >>> import torch
        >>> logits = torch.tensor([[3.0, 1.0], [1.0, 3.0]]).log()  # probabilities 3/4 and 1/4
        >>> round(CrossEntropy()(logits, torch.tensor([0, 1])).item(), 4)  # -log(3/4)
        0.2877
        >>> balanced = CrossEntropy(class_weights=balanced_weights([30, 10]))
        >>> round(balanced(logits, torch.tensor([0, 1])).item(), 4)
        0.2877
    """

    class_weights: Tensor | None

    def __init__(self, label_smoothing: float = 0.0, class_weights: Tensor | None = None) -> None:
        super().__init__()
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing must be at least 0 and below 1, not {label_smoothing}")
        self.label_smoothing = label_smoothing
        self.register_buffer("class_weights", class_weights, persistent=False)  # a fact of the data, not a state

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of a batch."""
        if bool((labels == UNLABELLED).all()):
            return logits[:0].sum()  # of nothing: 0, with a gradient of 0
        return F.cross_entropy(
            logits, labels, self.class_weights, ignore_index=UNLABELLED, label_smoothing=self.label_smoothing
        )


class CrossEntropySettings(TermSettings):
    """`cross_entropy` as a term. Label smoothing and class weights are the training's, with a teacher and without."""

    description: ClassVar[str] = "cross entropy on the labels"
    loss: Literal["cross_entropy"] = "cross_entropy"

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        weights = balanced_weights(context.class_counts) if context.balanced else None
        return Term(CrossEntropy(context.label_smoothing, weights), labelled)
