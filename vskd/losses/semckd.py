"""Cross-layer distillation with semantic calibration (SemCKD): every layer of the student learns from every layer of
the teacher, each sample as much as an attention says."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.errors import SettingError
from vskd.losses.term import Layers, Term, TermBatch, TermContext, TermSettings, layer_shape
from vskd.network import Shape, whole

LayerNames = Annotated[tuple[str, ...], Field(min_length=1)]


def as_map(layer: Tensor) -> Tensor:
    """(batch, width), (batch, channels, samples) or (batch, channels, height, width), all as the last of these."""
    x = whole(layer)
    return x.reshape(*x.shape[:2], *(1,) * (4 - x.ndim), *x.shape[2:])


class SemCKD(nn.Module):
    """L = mean over the batch of the mean over the student's layers s of sum_t alpha[s, t] * MSE(P_st(F_s), F_t).

    For a layer, A = R R^T with R the layer as (batch, rest): how alike the samples of the batch are. A row of A,
    through a small network of the layer's own, is a query of unit length for a student's layer and a key for a
    teacher's; alpha[s, :] = softmax over the teacher's layers of <query, key>, for every sample. P_st projects the
    student's layer to the teacher's channels; both are averaged to the smaller height and width. All of it is trained
    with the student and exists in training only.

    Source: Chen, Mei, Zhang, Wang, Feng & Chen, "Cross-Layer Distillation with Semantic Calibration", AAAI 2021 (arXiv
    2012.03236), equations 4 to 9.

    Points of deviation from the authors' code: series (channels, samples) are maps of one row and vectors maps of one
    place, so that a wrist network, whose layers are no pictures, can learn from a video network; rows of a smaller
    batch (the last of an epoch) are filled with 0, as if its missing samples resembled nobody (the code asks for equal
    batches); the projections have group instead of batch normalisation, so that a batch of one is one; each A is
    divided by its largest magnitude, so that the two do not depend on the scale of activations.

    Args:
        student, teacher: shapes of the layers of a sample, of 1 to 3 dimensions.
        batch: the largest batch.
        factor: the query has batch / factor values (at least 1).

    Shape:
        students: as many tensors (batch, *shape) as there are student's layers, teachers: likewise; output: scalar.

    Raises:
        ValueError: other numbers of layers, different batches, or one larger than `batch`.

    Examples:
        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> loss = SemCKD([(4, 10), (6,)], [(3, 8, 8), (5, 4, 4), (7,)], batch=2)
        >>> students = [torch.randn(2, 4, 10), torch.randn(2, 6)]
        >>> teachers = [torch.randn(2, 3, 8, 8), torch.randn(2, 5, 4, 4), torch.randn(2, 7)]
        >>> loss(students, teachers).shape, loss.attention(students, teachers).shape
        (torch.Size([]), torch.Size([2, 2, 3]))
    """

    def __init__(self, student: Sequence[Shape], teacher: Sequence[Shape], batch: int, *, factor: int = 4) -> None:
        super().__init__()
        width = max(1, batch // factor)
        self.queries = nn.ModuleList(_Embedding(batch, width) for _ in student)
        self.keys = nn.ModuleList(_Embedding(batch, width) for _ in teacher)
        self.projectors = nn.ModuleList(
            nn.ModuleList(_projector(own[0], other[0]) for other in teacher) for own in student
        )
        self._batch = batch

    def forward(self, students: Sequence[Tensor], teachers: Sequence[Tensor]) -> Tensor:
        """Loss of a batch."""
        self._check(students, teachers)
        alpha = self.attention(students, teachers)
        errors = torch.stack([self._errors(s, layer, teachers) for s, layer in enumerate(students)], dim=1)
        return (alpha * errors).sum(dim=2).mean()

    def attention(self, students: Sequence[Tensor], teachers: Sequence[Tensor]) -> Tensor:
        """How much each layer of the student learns from each of the teacher: (batch, student's, teacher's), rows add
        to 1."""
        queries = torch.stack([net(self._alike(x)) for net, x in zip(self.queries, students, strict=True)], dim=1)
        keys = torch.stack([net(self._alike(x)) for net, x in zip(self.keys, teachers, strict=True)], dim=1)
        return (queries @ keys.transpose(1, 2)).softmax(dim=2)

    def _errors(self, number: int, student: Tensor, teachers: Sequence[Tensor]) -> Tensor:
        """Mean squared error of each sample against each of the teacher's layers: (batch, teacher's)."""
        projectors = self.projectors[number]
        assert isinstance(projectors, nn.ModuleList)
        errors = []
        for projector, teacher in zip(projectors, teachers, strict=True):
            own, other = as_map(student), as_map(teacher)
            grid = min(own.shape[2], other.shape[2]), min(own.shape[3], other.shape[3])
            difference = projector(F.adaptive_avg_pool2d(own, grid)) - F.adaptive_avg_pool2d(other, grid)
            errors.append(difference.square().flatten(1).mean(dim=1))
        return torch.stack(errors, dim=1)

    def _alike(self, layer: Tensor) -> Tensor:
        """(batch, ...) -> (batch, largest batch): how alike the samples are, at most 1."""
        flat = whole(layer).flatten(1)
        flat = flat / flat.detach().abs().max().clamp(min=torch.finfo(flat.dtype).tiny)
        products = flat @ flat.T
        products = products / products.detach().abs().max().clamp(min=torch.finfo(flat.dtype).tiny)
        return F.pad(products, (0, self._batch - len(products)))

    def _check(self, students: Sequence[Tensor], teachers: Sequence[Tensor]) -> None:
        if (len(students), len(teachers)) != (len(self.queries), len(self.keys)):
            built = f"{len(self.queries)} and {len(self.keys)}"
            raise ValueError(f"SemCKD: built for {built} layers, got {len(students)} and {len(teachers)}")
        batch, *others = sorted({len(x) for x in (*students, *teachers)})
        if others or batch > self._batch:
            raise ValueError(f"SemCKD: built for batches up to {self._batch}, got {[batch, *others]}")


class _Embedding(nn.Module):
    """Rows to unit vectors, through one hidden layer."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(self.layers(x), eps=1e-6)


def _projector(own: int, other: int) -> nn.Module:
    def normalised() -> list[nn.Module]:
        return [nn.GroupNorm(1, other), nn.ReLU()]

    wide = nn.Conv2d(other, other, 3, padding=1)
    return nn.Sequential(nn.Conv2d(own, other, 1), *normalised(), wide, *normalised(), nn.Conv2d(other, other, 1))


class SemCKDSettings(TermSettings):
    """`semckd` as a term.

    Attributes:
        student_layers, teacher_layers: all that are compared, each with each; the published code takes the output of
            every stage. The default is what every network has, and then there is nothing to calibrate.
        factor: see `SemCKD`.
    """

    description: ClassVar[str] = "SemCKD: every layer with every layer, by an attention (Chen et al.)"
    needs_teacher: ClassVar[bool] = True
    loss: Literal["semckd"] = "semckd"
    student_layers: LayerNames = ("embedding",)
    teacher_layers: LayerNames = ("embedding",)
    factor: Annotated[int, Field(ge=1)] = 4

    @property
    def layers(self) -> Layers:
        """See `TermSettings`."""
        return Layers(self.student_layers, self.teacher_layers)

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        student = [self._shape("student", layer, context) for layer in self.student_layers]
        teacher = [self._shape("teacher", layer, context) for layer in self.teacher_layers]
        if context.batch < 1:
            raise SettingError(f"Loss term '{self.title}' needs the size of a batch", "Give TermContext its `batch`")
        return Term(SemCKD(student, teacher, context.batch, factor=self.factor), _every_layer)

    def _shape(self, who: Literal["student", "teacher"], layer: str, context: TermContext) -> Shape:
        shape = layer_shape(self.title, who, layer, context)
        if not 1 <= len(shape) <= 3:
            raise SettingError(
                f"Loss term '{self.title}' compares vectors, series and maps, but the {who}'s layer '{layer}' has "
                f"shape {shape}",
                f"Name other layers in {who}_layers",
            )
        return shape


def _every_layer(module: nn.Module, batch: TermBatch) -> Tensor:
    result: Tensor = module(batch.students, batch.teachers)
    return result
