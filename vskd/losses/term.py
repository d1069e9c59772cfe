"""A term of a distiller: one published loss with its weight, and the layers of student and teacher that it compares.

To add a loss: one file in this folder with the loss (an `nn.Module` on tensors, usable alone) and its settings (a
`TermSettings`, whose `build` makes the term), one line in catalog.py, one test against a second implementation.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor, nn

from vskd.errors import SettingError
from vskd.network import Outputs
from vskd.schema import NonNegative, Strict

Shapes = Mapping[str, tuple[int, ...]]
"""Layer -> shape of one sample, without the batch."""


@dataclass(frozen=True)
class TermContext:
    """What a term may be built from, beside its own settings; each takes what it needs.

    Attributes:
        student, teacher: shapes of the layers that the terms name, see `TermSettings.layers`; empty of the teacher
            where there is none.
        samples: size of the training list.
        class_counts: training samples of each class.
        balanced: whether the cross entropy weighs a class by the inverse of its count (`training.class_weights`).
        label_smoothing: of the cross entropy (`training.label_smoothing`).
        seed: of what a term draws at random.
    """

    student: Shapes = field(default_factory=dict)
    teacher: Shapes = field(default_factory=dict)
    samples: int = 0
    class_counts: tuple[int, ...] = ()
    balanced: bool = False
    label_smoothing: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class TermBatch:
    """What a term sees of a batch: both sides describe the SAME recordings in the same order.

    Attributes:
        student: the student's layer.
        teacher: the teacher's layer, without a gradient; None of a term that needs no teacher.
        labels: (batch,) int64.
        positions: (batch,) int64, of each sample in the training list.
    """

    student: Tensor
    teacher: Tensor | None
    labels: Tensor
    positions: Tensor


class Term(nn.Module):
    """A loss as the distiller calls it.

    Args:
        loss: the module that computes it.
        call: (module, batch) -> unweighted scalar.
        schedule: (module, epoch) -> None, called at the start of every epoch, counted from 0; None where nothing
            depends on the epoch.
    """

    def __init__(
        self,
        loss: nn.Module,
        call: Callable[[nn.Module, TermBatch], Tensor],
        schedule: Callable[[nn.Module, int], None] | None = None,
    ) -> None:
        super().__init__()
        self.loss = loss
        self._call, self._schedule = call, schedule

    def start_epoch(self, epoch: int) -> None:
        """Let the loss follow its schedule."""
        if self._schedule is not None:
            self._schedule(self.loss, epoch)

    def forward(self, batch: TermBatch) -> Tensor:
        """The unweighted loss of a batch."""
        return self._call(self.loss, batch)


class TermSettings(Strict):
    """Settings of a term; a loss adds its own, and `loss: Literal["its-name"] = "its-name"`.

    Attributes:
        weight: of the term in the sum; 0 leaves it out, and nothing of it is computed.
        name: what logs call it; the loss's name by default. Two terms of one loss need two names.
        student_layer, teacher_layer: what is compared: `logits`, `embedding`, a feature of the network's own (`deep`),
            or the path of a module.
        needs_teacher: whether the loss compares with a teacher.
    """

    needs_teacher: ClassVar[bool] = True
    loss: str
    weight: NonNegative = 1.0
    name: str | None = None
    student_layer: str = "logits"
    teacher_layer: str = "logits"

    @property
    def title(self) -> str:
        """What logs call the term."""
        return self.name or self.loss

    @abstractmethod
    def build(self, context: TermContext) -> Term:
        """Make the term.

        Raises:
            SettingError: the layers have shapes that the loss cannot compare.
        """

    def shapes(self, context: TermContext) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of the two layers."""
        return context.student[self.student_layer], context.teacher[self.teacher_layer]

    def require_rank(self, context: TermContext, rank: int, what: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of the two layers, which must have `rank` dimensions beside the batch.

        Raises:
            SettingError: one has another number; the message names term, layer and shape.
        """
        student, teacher = self.shapes(context)
        for who, layer, shape in (("student", self.student_layer, student), ("teacher", self.teacher_layer, teacher)):
            if len(shape) != rank:
                raise SettingError(
                    f"Loss term '{self.title}' compares {what}, but the {who}'s layer '{layer}' has shape {shape}",
                    f"Set {who}_layer of the term to a layer that is one, or its weight to 0",
                )
        return student, teacher


def pairwise(module: nn.Module, batch: TermBatch) -> Tensor:
    """The call of a loss of (student, teacher)."""
    result: Tensor = module(batch.student, batch.teacher)
    return result


def labelled(module: nn.Module, batch: TermBatch) -> Tensor:
    """The call of a loss of (student, labels)."""
    result: Tensor = module(batch.student, batch.labels)
    return result


def pairwise_labelled(module: nn.Module, batch: TermBatch) -> Tensor:
    """The call of a loss of (student, teacher, labels)."""
    result: Tensor = module(batch.student, batch.teacher, batch.labels)
    return result


def pairwise_placed(module: nn.Module, batch: TermBatch) -> Tensor:
    """The call of a loss of (student, teacher, positions)."""
    result: Tensor = module(batch.student, batch.teacher, batch.positions)
    return result


def batch_of(
    settings: TermSettings, student: Outputs, teacher: Outputs | None, labels: Tensor, positions: Tensor
) -> TermBatch:
    """What a term sees of the networks' outputs."""
    compared = teacher.layer(settings.teacher_layer) if teacher is not None and settings.needs_teacher else None
    return TermBatch(student.layer(settings.student_layer), compared, labels, positions)
