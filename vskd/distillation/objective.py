"""The loss of a distillation between any two modules, for a training loop of one's own."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from vskd.datasets.recording import UNLABELLED
from vskd.distillation.any_module import AnyModule, device_of
from vskd.distillation.distiller import Distiller, in_use
from vskd.errors import SettingError
from vskd.losses.catalog import AnyTerm
from vskd.losses.term import TermContext, TermSettings, Weighting
from vskd.network import Network, Outputs, whole
from vskd.recipe.distiller import Distiller as DistillerSection
from vskd.recipe.distiller import expanded_distiller
from vskd.schema import explain, parse

AnyDistiller = str | Mapping[str, Any] | Sequence[TermSettings | Mapping[str, Any]]
"""What names a distiller, see `DistillationObjective`."""


class DistillationObjective(nn.Module):
    """Student and teacher of any kind, and the weighted loss terms between them.

    Both are modules that take one tensor and return logits (batch, classes) or `vskd.network.Outputs`. Terms compare
    the logits, the embedding (`AnyModule` says which tensor that is), or any layer by its module path (`layer3.1`).
    Projectors that a term needs, where widths differ, are trained with the student and are no part of it.

    The teacher is put in evaluation mode and frozen, in place; it receives no gradient and is no submodule, so
    `parameters()` are those of the student and of the terms. Both modules keep their forward hooks until `remove`.

    Args:
        student: is trained.
        teacher: compared with; None where no term needs one (`none`).
        example: a batch as the training has it: (inputs, labels) where both see the same, else (student inputs, teacher
            inputs, labels). Two of its samples show the shapes of the layers.
        distiller: a preset's name (`kd`, `dask`); the content of a recipe's `distiller`, e.g. `{"preset": "kd",
            "terms": {"kd": {"temperature": 2}}}`; or a list of terms, each the settings of a loss (`KDSettings()`,
            also of one of your own) or a mapping (`{"loss": "kd", "weight": 0.5}`).
        student_embedding, teacher_embedding: paths of the layers whose outputs are the embeddings.
        label_smoothing: of the term `cross_entropy`.
        samples: size of the training list, which `crcd` asks for.
        seed: of the projectors; torch's global generator is left as it is.

    Shape:
        student_inputs, teacher_inputs: (batch, ...), of the SAME samples in the same order; labels: (batch,) int64;
        output: scalar, and title -> weighted scalar, whose sum it is.

    Raises:
        SettingError: there is no such preset, loss or layer (the nearest name is given), a term does not fit the
            modules, or its embedding is unknown.

    Examples:
        >>> import torch
        >>> from torch import nn
        >>> _ = torch.manual_seed(0)
        >>> student, teacher = (nn.Sequential(nn.Linear(4, w), nn.ReLU(), nn.Linear(w, 3)) for w in (5, 8))
        >>> x, labels = torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 2])
        >>> objective = DistillationObjective(student, teacher, (x, labels), "dask")
        >>> optimizer = torch.optim.AdamW(objective.parameters(), lr=1e-3)
        >>> loss, terms = objective(x, x, labels)
        >>> loss.backward()
        >>> optimizer.step()
        >>> list(terms)
        ['cross_entropy', 'kd', 'embedding_mse', 'rkd_distance', 'rkd_angle']
        >>> objective.distiller.terms["embedding_mse"].loss.projector  # 5 and 8 are different widths
        Linear(in_features=5, out_features=8, bias=True)
    """

    def __init__(
        self,
        student: nn.Module,
        teacher: nn.Module | None,
        example: Sequence[Tensor],
        distiller: AnyDistiller = "kd",
        *,
        student_embedding: str | None = None,
        teacher_embedding: str | None = None,
        label_smoothing: float = 0.0,
        samples: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        require_modules(student, teacher)
        terms, weighting = parse_distiller(distiller)
        own, others, _, _ = split_batch(example)
        _require_teacher(terms, student, teacher)
        _refuse_reused(terms)
        used = in_use(terms)
        self._remembering = [term.title for term in used if term.needs_positions]
        self._teacher: tuple[AnyModule, ...] = ()  # a tuple, so that it is neither trained nor saved
        with ExitStack() as undo:
            undo.callback(self.remove)  # modules that do not fit keep no hook
            asked = [layer for term in used for layer in term.layers.student]
            self.student = AnyModule(student, own, asked, embedding=student_embedding, who="student")
            if teacher is not None and any(term.needs_teacher for term in used):
                asked = [layer for term in used for layer in term.layers.teacher]
                frozen = teacher.eval().requires_grad_(False)
                self._teacher = (AnyModule(frozen, others, asked, embedding=teacher_embedding, who="teacher"),)
            context = TermContext(
                student=self.student.shapes,
                teacher=next((one.shapes for one in self._teacher), {}),
                samples=samples,
                label_smoothing=label_smoothing,
                seed=seed,
                batch=len(own),
            )
            with torch.random.fork_rng(devices=[]):  # projectors are drawn on the CPU
                torch.default_generator.manual_seed(seed)
                self.distiller = Distiller(terms, weighting, context).to(device_of(student))
            undo.pop_all()

    def forward(
        self, student_inputs: Tensor, teacher_inputs: Tensor | None, labels: Tensor, positions: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a batch and its weighted terms by title.

        Args:
            student_inputs, labels: see the class.
            teacher_inputs: None where no term needs the teacher.
            positions: (batch,) int64, of the samples in the training list; needed by `crcd` alone.

        Raises:
            SettingError: a term needs positions, or the teacher's inputs, and there are none; a label is of no class.
        """
        if self._remembering and positions is None:
            raise SettingError(
                f"Loss term '{self._remembering[0]}' remembers every training sample, but is not told which these are",
                "Let batches be (student inputs, teacher inputs, labels, positions)",
            )
        said: Outputs = self.student(student_inputs)
        refuse_foreign_labels(labels, said.logits)
        student = Outputs(whole(said.logits), whole(said.embedding), said.features)
        where = labels if positions is None else positions
        terms: dict[str, Tensor] = self.distiller(student, self._taught(teacher_inputs), labels, where)
        return torch.stack(list(terms.values())).sum(), terms

    def start_epoch(self, epoch: int) -> None:
        """To be called before the first batch of every epoch, counted from 0, where a term follows a schedule."""
        self.distiller.start_epoch(epoch)

    def parameter_groups(self, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
        """Groups for an optimizer of these settings: the student's, and the terms', learned weights without decay."""
        module = self.student.module
        own: list[dict[str, Any]] = [{"params": list(module.parameters())}]
        if isinstance(module, Network):
            own = module.parameter_groups(learning_rate, weight_decay)
        return [*own, *self.distiller.parameter_groups()]

    def remove(self) -> None:
        """Take the forward hooks of student and teacher away; the objective is of no use afterwards."""
        for module in (*self._teacher, *(part for part in self.children() if isinstance(part, AnyModule))):
            module.remove()

    def _taught(self, inputs: Tensor | None) -> Outputs | None:
        if not self._teacher:
            return None
        if inputs is None:
            raise SettingError("The distiller compares with a teacher, but has no inputs for it", "Give teacher_inputs")
        (teacher,) = self._teacher
        teacher.eval()  # whatever was done to it meanwhile
        with torch.no_grad():
            outputs: Outputs = teacher(inputs)
        return outputs


def require_modules(student: Any, teacher: Any) -> None:
    """Refuse what is no module, such as the name of a network."""
    for who, given in (("student", student), ("teacher", teacher)):
        if not isinstance(given, nn.Module) and not (given is None and who == "teacher"):
            raise SettingError(f"The {who} should be an nn.Module, not {given!r:.80}", "Give the module itself")


def refuse_foreign_labels(labels: Tensor, logits: Tensor) -> None:
    """Refuse labels that are of none of the logits' classes, nor `UNLABELLED`."""
    classes = logits.shape[1]
    foreign = labels[(labels < UNLABELLED) | (labels >= classes)]
    if len(foreign):
        raise SettingError(
            f"Label {int(foreign[0])} is of none of the {classes} classes of the student's logits (0 to {classes - 1})",
            f"Count classes from 0, and let the student have a logit for each; {UNLABELLED} stands for no label",
        )


def split_batch(batch: Any) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Student inputs, teacher inputs, labels, and positions where there are any.

    Args:
        batch: (inputs, labels), (student inputs, teacher inputs, labels), or these with positions behind them; labels
            are (batch,) int64.

    Raises:
        SettingError: it is nothing of this kind.
    """
    parts = tuple(batch) if isinstance(batch, Sequence) else ()
    if not 2 <= len(parts) <= 4 or not all(isinstance(part, Tensor) for part in parts):
        shown = f"({', '.join(type(part).__name__ for part in parts)})" if parts else f"a {type(batch).__name__}"
        raise SettingError(
            f"A batch should be tensors (inputs, labels) or (student inputs, teacher inputs, labels), not {shown}",
            "Change what the data loader gives, by its collate_fn",
        )
    if len({len(part) for part in parts}) > 1:
        raise SettingError(
            f"The parts of a batch are of {' and '.join(str(len(part)) for part in parts)} samples",
            "Let them describe the same samples in the same order",
        )
    own, others, labels = (parts[0], *parts[:2]) if len(parts) == 2 else parts[:3]
    if labels.ndim != 1 or labels.dtype != torch.int64:
        raise SettingError(
            f"Labels should be (batch,) int64, the number of each class, not {tuple(labels.shape)} {labels.dtype}",
            "Convert them, e.g. labels.long() of whole numbers or labels.argmax(dim=1) of one-hot rows, and put them "
            "behind the inputs",
        )
    return own, others, labels, parts[3] if len(parts) == 4 else None


def parse_distiller(distiller: AnyDistiller) -> tuple[tuple[TermSettings, ...], Weighting]:
    """Terms and weighting of a distiller, see `DistillationObjective`.

    Raises:
        SettingError: there is no such preset or loss, or a loss has no such setting.
    """
    if not isinstance(distiller, str | Mapping):
        if not isinstance(distiller, Sequence):
            raise SettingError(
                f"The distiller should be a preset's name or a list of terms, not {distiller!r:.80}",
                "Give 'none' for training without a teacher",
            )
        return tuple(term if isinstance(term, TermSettings) else _parsed(AnyTerm, term) for term in distiller), "fixed"
    section: DistillerSection = _parsed(DistillerSection, expanded_distiller(distiller))
    if "teacher_outputs" in section.model_fields_set:
        raise SettingError(
            "distiller: teacher_outputs does nothing here: the teacher always looks at the batch", "Leave it out"
        )
    return section.terms, section.weighting


def _parsed(model: Any, content: Any) -> Any:
    try:
        return parse(model, content)
    except ValidationError as error:
        raise SettingError(f"distiller: {'; '.join(explain(error, model))}", "Correct its settings") from error


def _refuse_reused(terms: Sequence[TermSettings]) -> None:
    """Of a module of any kind nobody knows what its classifier is, so that none is put in its place."""
    reusing = [term.title for term in in_use(terms) if term.reuses_classifier]
    if reusing:
        raise SettingError(
            f"Loss term '{reusing[0]}' puts the teacher's classifier into the student, which recipes alone can",
            "Train by a recipe with student.head, or compare embeddings by embedding_mse",
        )


def _require_teacher(terms: Sequence[TermSettings], student: nn.Module, teacher: nn.Module | None) -> None:
    """A teacher, where a term needs one, which freezing does not take from the student."""
    asking = [term.title for term in in_use(terms) if term.needs_teacher]
    if asking and teacher is None:
        raise SettingError(f"There is no teacher, but the distiller compares with one: {', '.join(asking)}", "Give one")
    own = {id(parameter) for parameter in student.parameters()}
    if asking and teacher is not None and any(id(parameter) in own for parameter in teacher.parameters()):
        raise SettingError(
            "Student and teacher share parameters, and the teacher's are frozen", "Give the teacher a copy.deepcopy"
        )
