"""A term of a distiller: one published loss with its weight, and the layers of student and teacher that it compares.

To add a loss: one file in this folder with the loss (an `nn.Module` on tensors, usable alone) and its settings (a
`ComparisonSettings`, or a `TermSettings` where it needs no teacher, whose `build` makes the term), one line in
catalog.py, one test against a second implementation.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, field_validator
from torch import Tensor, nn

from vskd.errors import SettingError
from vskd.network import Outputs
from vskd.schema import NonNegative, Strict


class Layers(NamedTuple):
    """Which layers of student and teacher a term compares; none of the teacher where it does not listen to one."""

    student: tuple[str, ...]
    teacher: tuple[str, ...] = ()


Shapes = Mapping[str, tuple[int, ...]]
"""Layer -> shape of one sample, without the batch."""
Weighting = Literal["fixed", "uncertainty"]
"""Whether terms have their fixed weights alone, or learned ones besides: see `UncertaintyWeighting`."""


@dataclass(frozen=True)
class TermContext:
    """What a term may be built from, beside its own settings; each takes what it needs.

    Attributes:
        student, teacher: shapes of the layers that the terms name, logits and embedding included, see
            `TermSettings.layers`; empty of the teacher where there is none.
        samples: size of the training list.
        class_counts: training samples of each class.
        balanced: whether the cross entropy weighs a class by the inverse of its count (`training.class_weights`).
        label_smoothing: of the cross entropy (`training.label_smoothing`).
        seed: of what a term draws at random.
        batch: the largest number of samples that is compared at once.
    """

    student: Shapes = field(default_factory=dict)
    teacher: Shapes = field(default_factory=dict)
    samples: int = 0
    class_counts: tuple[int, ...] = ()
    balanced: bool = False
    label_smoothing: float = 0.0
    seed: int = 0
    batch: int = 0


@dataclass(frozen=True)
class TermBatch:
    """What a term sees of a batch: both sides describe the SAME recordings in the same order.

    Attributes:
        students: the student's layers, in the order of `TermSettings.layers`.
        teachers: the teacher's, without a gradient; empty of a term that needs no teacher.
        labels: (batch,) int64.
        positions: (batch,) int64, of each sample in the training list.
    """

    students: tuple[Tensor, ...]
    teachers: tuple[Tensor, ...]
    labels: Tensor
    positions: Tensor

    @property
    def student(self) -> Tensor:
        """The student's layer, of a term that compares one."""
        return self.students[0]

    @property
    def teacher(self) -> Tensor:
        """The teacher's layer, of a term that compares one."""
        return self.teachers[0]


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


_TAKEN = frozenset(dir(nn.ModuleDict())) | frozenset(dir(nn.ParameterDict()))


class TermSettings(Strict):
    """Settings of a term; a loss adds its own, its `description`, and `loss: Literal["its-name"] = "its-name"`.

    As it stands, for a loss of the student's logits and the labels; see `ComparisonSettings` for the others.

    Attributes:
        description: one line, for lists.
        needs_teacher: whether the loss compares with a teacher.
        needs_labels: whether the loss needs the label of every sample, so that none may be without one.
        needs_positions: whether the loss remembers every sample of the training list, by its position in it.
        reuses_classifier: whether the student is to have the teacher's classifier, see `vskd.models.head`.
        weight: of the term in the sum; 0 leaves it out, and nothing of it is computed.
        name: what logs call it; the loss's name by default. Two terms of one loss need two names.
    """

    description: ClassVar[str]
    needs_teacher: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = False
    needs_positions: ClassVar[bool] = False
    reuses_classifier: ClassVar[bool] = False
    loss: str
    weight: NonNegative = 1.0
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")] | None = None

    @field_validator("name")
    @classmethod
    def _name_is_free(cls, name: str | None) -> str | None:
        if name in _TAKEN:
            raise ValueError("torch uses this name itself, choose another")
        return name

    @property
    def title(self) -> str:
        """What logs call the term."""
        return self.name or self.loss

    @property
    def layers(self) -> Layers:
        """Layers of student and teacher that are compared."""
        return Layers(("logits",))

    @abstractmethod
    def build(self, context: TermContext) -> Term:
        """Make the term.

        Raises:
            SettingError: the networks have no such layers, or layers of shapes that the loss cannot compare.
        """


class ComparisonSettings(TermSettings):
    """Settings of a term that compares a layer of the student with one of the teacher.

    Attributes:
        student_layer, teacher_layer: `logits`, `embedding`, a feature of the network's own (`deep`), or the path of a
            module.
    """

    needs_teacher: ClassVar[bool] = True
    student_layer: str = "logits"
    teacher_layer: str = "logits"

    @property
    def layers(self) -> Layers:
        """Layers of student and teacher that are compared."""
        return Layers((self.student_layer,), (self.teacher_layer,))

    def shapes(self, context: TermContext) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of the two layers.

        Raises:
            SettingError: the context lacks one; the message names those it has.
        """
        return (
            layer_shape(self.title, "student", self.student_layer, context),
            layer_shape(self.title, "teacher", self.teacher_layer, context),
        )

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

    def require_same_shape(self, context: TermContext, rank: int, what: str) -> tuple[int, ...]:
        """The shape that both layers must have.

        Raises:
            SettingError: as `require_rank`, or the shapes differ.
        """
        student, teacher = self.require_rank(context, rank, what)
        if student != teacher:
            raise SettingError(
                f"Loss term '{self.title}' compares {what} of one size, but the student's layer "
                f"'{self.student_layer}' has shape {student} and the teacher's '{self.teacher_layer}' {teacher}",
                "Name layers of equal shapes, or set the term's weight to 0",
            )
        return student


def layer_shape(title: str, who: Literal["student", "teacher"], layer: str, context: TermContext) -> tuple[int, ...]:
    """Shape of a layer that a term compares.

    Raises:
        SettingError: the network has none of that name; the message names those it has.
    """
    shapes = context.student if who == "student" else context.teacher
    if layer not in shapes:
        has = ", ".join(shapes) or "none"
        raise SettingError(
            f"Loss term '{title}' compares the layer '{layer}', but the {who} has {has}",
            f"Set the term's {who} layer to another one, its weight to 0, or choose another {who} network",
        )
    return shapes[layer]


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
    own, others = settings.layers
    compared = () if teacher is None else tuple(teacher.layer(layer) for layer in others)
    return TermBatch(tuple(student.layer(layer) for layer in own), compared, labels, positions)
