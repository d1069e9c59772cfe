"""Attention transfer: the student is to look where the teacher looks. No parameters."""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.losses.term import ComparisonSettings, Term, TermContext, pairwise

Pooling = Literal["squares", "features"]
"""What is averaged where two maps differ in size: see `AttentionTransfer`."""


def common_grid(student: Tensor, teacher: Tensor) -> tuple[int, int]:
    """The largest (height, width) that both maps can be averaged to."""
    return min(student.shape[2], teacher.shape[2]), min(student.shape[3], teacher.shape[3])


def attention_map(feature: Tensor, grid: tuple[int, int], pooling: Pooling = "squares") -> Tensor:
    """Mean square over channels, averaged to `grid`, as a vector of length 1 (a zero vector for zero features).

    Args:
        feature: (batch, channels, height, width); computed in at least float32.
        grid: (height, width) of the map.
        pooling: whether the squares are averaged, or the features before they are squared.

    Returns:
        (batch, height * width), no value below 0.
    """
    # Maps keep their direction under scaling; without it, the squares of large or tiny features leave float32's range.
    x = feature / _largest(feature.detach())
    if pooling == "features":
        x = F.adaptive_avg_pool2d(x, grid)
    # The norm over channels needs no map of squares: together half the time of square and mean (SqueezeNet_LW's stem).
    energy = torch.linalg.vector_norm(x, dim=1, keepdim=True).square() / x.shape[1]
    return F.normalize(F.adaptive_avg_pool2d(energy, grid).flatten(1), eps=1e-8)


def _largest(feature: Tensor) -> Tensor:
    """Largest magnitude of each sample, above 0, in at least float32: (batch, 1, 1, 1)."""
    high, low = (extreme(feature, dim=(1, 2, 3), keepdim=True) for extreme in (torch.amax, torch.amin))
    largest = torch.maximum(high, -low)
    largest = largest.to(torch.promote_types(largest.dtype, torch.float32))
    return largest.clamp(min=torch.finfo(largest.dtype).tiny)


class AttentionTransfer(nn.Module):
    """L = batch mean of || Q(student) / |Q(student)| - Q(teacher) / |Q(teacher)| ||^2, between 0 and 2.

    Q sums the squares of a feature map over its channels. Maps of different sizes are averaged to the smaller height
    and width; channels may differ. The authors' code divides by the number of positions and multiplies by beta = 1000;
    on a 7 x 7 map this loss with weight 20 is the same.

    What is averaged is `pooling`. With `squares`, the default and what the presets use, it is Q: the paper resizes
    attention maps, and where a place is strong in features of opposite signs it stays strong. With `features` it is the
    feature maps, before they are squared: so does the published code that compares maps of different sizes
    (RepDistiller), and features of opposite signs within a cell cancel. The two differ on maps of different sizes only,
    and there by much: 0.0325 (squares) against 0.1012 (features) in a reported case. A weight that was found for one is
    not one for the other.

    Source: Zagoruyko & Komodakis, "Paying More Attention to Attention", ICLR 2017 (arXiv 1612.03928). `features`: Tian,
    Krishnan & Isola, "Contrastive Representation Distillation", ICLR 2020, public code.

    Args:
        pooling: `squares` or `features`.

    Shape:
        student, teacher: (batch, any channels, any height, any width); output: scalar.

    Raises:
        ValueError: not two maps of the same batch.

    Examples:
        >>> import torch
        >>> student, teacher = torch.zeros(1, 2, 1, 2), torch.zeros(1, 5, 1, 2)
        >>> student[0, :, 0, 0], teacher[0, :, 0, 0] = 1.0, 3.0  # both look left, with other channels and strengths
        >>> AttentionTransfer()(student, teacher).item()
        0.0
        >>> AttentionTransfer()(student, teacher.flip(3)).item()  # the teacher looks right
        2.0
    """

    def __init__(self, pooling: Pooling = "squares") -> None:
        super().__init__()
        self.pooling: Pooling = pooling

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of a batch."""
        require_maps("attention transfer", student, teacher)
        grid = common_grid(student, teacher)
        difference = attention_map(student, grid, self.pooling) - attention_map(teacher, grid, self.pooling)
        return difference.square().sum(dim=1).mean()


def require_maps(what: str, student: Tensor, teacher: Tensor) -> None:
    """Refuse anything but two stacks of feature maps of the same batch.

    Raises:
        ValueError: naming both shapes.
    """
    if student.ndim != 4 or teacher.ndim != 4 or student.shape[0] != teacher.shape[0]:
        shapes = f"student {tuple(student.shape)}, teacher {tuple(teacher.shape)}"
        raise ValueError(f"{what}: needs two (batch, channels, height, width) maps of the same batch, got {shapes}")


class AttentionTransferSettings(ComparisonSettings):
    """`attention_transfer` as a term; see `AttentionTransfer`."""

    description: ClassVar[str] = "where in the picture the feature maps are strong (Zagoruyko & Komodakis)"
    loss: Literal["attention_transfer"] = "attention_transfer"
    student_layer: str = "deep"
    teacher_layer: str = "deep"
    pooling: Pooling = "squares"

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        self.require_rank(context, 3, "feature maps")
        return Term(AttentionTransfer(self.pooling), pairwise)
