"""FitNets hint: the student's feature map, projected, is to equal the teacher's."""

from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from vskd.losses.attention_transfer import common_grid, require_maps
from vskd.losses.term import ComparisonSettings, Term, TermContext, pairwise
from vskd.network import whole


class FitNetsHint(nn.Module):
    """L = mean of (W * f_student - f_teacher)^2 over batch, channels and positions; W is a trained 1x1 convolution.

    Maps of different sizes are averaged to the smaller height and width. W exists only for training.

    Source: Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015 (arXiv 1412.6550).

    Args:
        student_channels, teacher_channels: of the two maps.

    Shape:
        student: (batch, student_channels, height, width), teacher: (batch, teacher_channels, any, any); output: scalar.

    Raises:
        ValueError: not two maps of the same batch with these channels.

    Examples:
        >>> import torch
        >>> hint = FitNetsHint(student_channels=4, teacher_channels=8)
        >>> hint(torch.zeros(2, 4, 6, 6), torch.zeros(2, 8, 3, 3)).shape
        torch.Size([])
        >>> [tuple(parameter.shape) for parameter in hint.parameters()]  # to be trained with the student's
        [(8, 4, 1, 1), (8,)]
    """

    def __init__(self, student_channels: int, teacher_channels: int) -> None:
        super().__init__()
        self.projector = nn.Conv2d(student_channels, teacher_channels, 1)

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Loss of a batch."""
        require_maps("FitNets hint", student, teacher)
        wanted = (self.projector.in_channels, self.projector.out_channels)
        if (student.shape[1], teacher.shape[1]) != wanted:
            found = f"{student.shape[1]} and {teacher.shape[1]}"
            raise ValueError(f"FitNets hint: built for {wanted[0]} and {wanted[1]} channels, got {found}")
        grid = common_grid(student, teacher)
        # Averaging before the 1x1 convolution gives the same as after it, for less work.
        projected = self.projector(F.adaptive_avg_pool2d(whole(student), grid))
        return F.mse_loss(whole(projected), F.adaptive_avg_pool2d(whole(teacher), grid))


class FitNetsHintSettings(ComparisonSettings):
    """`fitnets_hint` as a term; see `FitNetsHint`."""

    description: ClassVar[str] = "the feature map itself, through a trained 1x1 convolution (FitNets, Romero et al.)"
    loss: Literal["fitnets_hint"] = "fitnets_hint"
    student_layer: str = "deep"
    teacher_layer: str = "deep"

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        student, teacher = self.require_rank(context, 3, "feature maps")
        return Term(FitNetsHint(student[0], teacher[0]), pairwise)
