"""Terms: their settings, the layers they compare, and how a loss of one's own becomes one."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Literal

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from vskd.distillation.distiller import Distiller
from vskd.errors import SettingError
from vskd.losses import catalog
from vskd.losses.term import (
    ComparisonSettings,
    Term,
    TermBatch,
    TermContext,
    TermSettings,
    batch_of,
    labelled,
    pairwise,
    pairwise_labelled,
    pairwise_placed,
)
from vskd.network import Outputs
from vskd.schema import parse

TOY = """
from typing import ClassVar, Literal

from torch import Tensor, nn

from vskd.losses.term import ComparisonSettings, Term, TermContext, pairwise
from vskd.schema import Positive


class Toy(nn.Module):
    def __init__(self, power: float) -> None:
        super().__init__()
        self.power = power

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        return (student - teacher).abs().pow(self.power).mean()


class ToySettings(ComparisonSettings):
    description: ClassVar[str] = "a toy"
    loss: Literal["toy"] = "toy"
    power: Positive = 1.0

    def build(self, context: TermContext) -> Term:
        self.require_same_shape(context, rank=1, what="logits")
        return Term(Toy(self.power), pairwise)
"""


def module_of(name: str, path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_a_loss_of_ones_own_is_one_file_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toy.py").write_text(TOY)
    monkeypatch.setitem(sys.modules, "vskd.losses.toy", module_of("vskd.losses.toy", tmp_path / "toy.py"))
    line = '    "toy": ToySettings,\n'
    source = Path(catalog.__file__).read_text().replace("LOSSES: Mapping[str, type[TermSettings]] = {\n", f"&{line}")
    source = source.replace("&", "from vskd.losses.toy import ToySettings\n\nLOSSES = {\n")
    (tmp_path / "catalog.py").write_text(source)
    with_toy = module_of("catalog_with_toy", tmp_path / "catalog.py")
    assert len(with_toy.LOSSES) == len(catalog.LOSSES) + 1
    with pytest.raises(ValidationError):
        parse(catalog.AnyTerm, {"loss": "toy"})

    terms = [parse(with_toy.AnyTerm, {"loss": "toy", "power": 3, "weight": 0.5, "name": "cubed"})]
    shapes = {"logits": (2,), "embedding": (3,)}
    distiller = Distiller(terms, "fixed", TermContext(shapes, shapes))
    student = Outputs(torch.tensor([[1.0, 2.0]]), torch.zeros(1, 3))
    teacher = Outputs(torch.tensor([[3.0, 2.0]]), torch.zeros(1, 3))
    losses = distiller(student, teacher, torch.tensor([0]), torch.tensor([0]))
    assert {name: value.item() for name, value in losses.items()} == {"cubed": 0.5 * 8 / 2}


class Settings(ComparisonSettings):
    """Compares nothing."""

    description: ClassVar[str] = "nothing"
    loss: Literal["nothing"] = "nothing"

    def build(self, context: TermContext) -> Term:
        return Term(nn.Identity(), lambda module, batch: module(batch.student.sum()))


def test_a_term_is_called_by_its_name_or_its_loss() -> None:
    assert Settings().title == "nothing"
    assert Settings(name="deep-2").title == "deep-2"


@pytest.mark.parametrize("name", ["", "Deep", "a.b", "2", "train/loss", "keys", "training", "forward"])
def test_names_that_no_module_can_have_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        Settings(name=name)


CONTEXT = TermContext({"logits": (4,), "deep": (8, 2, 2)}, {"logits": (5,), "embedding": (6,)})


def test_shapes_are_those_of_the_layers() -> None:
    assert Settings().shapes(CONTEXT) == ((4,), (5,))
    assert Settings(student_layer="deep", teacher_layer="embedding").shapes(CONTEXT) == ((8, 2, 2), (6,))
    assert Settings(teacher_layer="embedding").layers == (("logits",), ("embedding",))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"student_layer": "layer3"}, "'nothing' compares the layer 'layer3', but the student has logits, deep"),
        (
            {"teacher_layer": "deep", "name": "mine"},
            "'mine' compares the layer 'deep', but the teacher has logits, emb",
        ),
        ({"student_layer": "deep"}, r"compares vectors, but the student's layer 'deep' has shape \(8, 2, 2\)"),
        ({}, r"vectors of one size, but the student's layer 'logits' has shape \(4,\) and the teacher's .* \(5,\)"),
    ],
)
def test_layers_that_do_not_fit_are_named(settings: dict[str, str], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        Settings(**settings).require_same_shape(CONTEXT, rank=1, what="vectors")


def test_layers_that_fit_pass() -> None:
    assert Settings().require_rank(CONTEXT, 1, "vectors") == ((4,), (5,))
    assert Settings().require_same_shape(TermContext({"logits": (4,)}, {"logits": (4,)}), 1, "vectors") == (4,)


def test_a_batch_holds_the_layers_that_are_named() -> None:
    student = Outputs(torch.zeros(2, 4), torch.zeros(2, 3), {"deep": torch.ones(2, 8)})
    teacher = Outputs(torch.zeros(2, 5), torch.full((2, 6), 7.0))
    labels, positions = torch.tensor([0, 1]), torch.tensor([7, 3])
    settings = Settings(student_layer="deep", teacher_layer="embedding")
    batch = batch_of(settings, student, teacher, labels, positions)
    assert batch.student is student.features["deep"] and batch.teacher is teacher.embedding
    assert batch.labels is labels and batch.positions is positions
    assert batch_of(catalog.LOSSES["cross_entropy"](), student, teacher, labels, positions).teachers == ()


class Kept(nn.Module):
    """Keeps what it is called with."""

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        return given


def test_calls_hand_over_what_their_names_say() -> None:
    batch = TermBatch((torch.zeros(1),), (torch.ones(1),), torch.tensor([2]), torch.tensor([3]))
    for call, given in (
        (pairwise, (0, 1)),
        (labelled, (0, 2)),
        (pairwise_labelled, (0, 1, 2)),
        (pairwise_placed, (0, 1, 3)),
    ):
        assert tuple(tensor.item() for tensor in call(Kept(), batch)) == given


def test_a_term_without_a_schedule_does_not_see_epochs() -> None:
    plain, seen = Settings().build(CONTEXT), []
    plain.start_epoch(3)
    Term(nn.Identity(), pairwise, lambda module, epoch: seen.append((type(module), epoch))).start_epoch(3)
    assert seen == [(nn.Identity, 3)]


def test_a_context_that_says_nothing_is_of_no_data_and_no_setting() -> None:
    assert TermContext() == TermContext({}, {}, 0, (), False, 0.0, 0, 0)
    first, second = TermContext().student, TermContext().student
    assert isinstance(first, dict) and first is not second


class Plain(TermSettings):
    """A loss of the student's logits alone."""

    description: ClassVar[str] = "plain"
    loss: Literal["plain"] = "plain"

    def build(self, context: TermContext) -> Term:
        return Term(nn.Identity(), labelled)


def test_a_term_asks_for_nothing_that_it_does_not_say() -> None:
    assert (Plain.needs_teacher, Plain.needs_labels, Plain.needs_positions, Plain.reuses_classifier) == (False,) * 4
    assert (Plain().weight, Plain().name, Plain().layers) == (1.0, None, (("logits",), ()))
    assert (Settings.needs_teacher, Settings.needs_labels, Settings.needs_positions) == (True, False, False)
    assert Settings().layers == (("logits",), ("logits",))
    assert Plain(weight=0.0).weight == 0.0
    with pytest.raises(ValidationError, match="weight"):
        Plain(weight=-0.1)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("own", "other"), [((), ()), ((2,), (3,)), ((2, 3), (4, 5)), ((2, 3, 4), (5, 6, 7)), ((2,), ())]
)
def test_both_layers_must_have_the_rank(rank: int, own: tuple[int, ...], other: tuple[int, ...]) -> None:
    context = TermContext({"logits": own}, {"logits": other})
    if (len(own), len(other)) == (rank, rank):
        assert Settings().require_rank(context, rank, "x") == (own, other)
        return
    who, shape = ("student", own) if len(own) != rank else ("teacher", other)
    with pytest.raises(SettingError, match=rf"compares x, but the {who}'s layer 'logits' has shape") as caught:
        Settings().require_rank(context, rank, "x")
    assert str(shape) in str(caught.value) and f"Set {who}_layer of the term" in str(caught.value)


def test_without_a_teacher_a_batch_holds_none_of_its_layers() -> None:
    said = Outputs(torch.zeros(2, 4), torch.zeros(2, 3))
    batch = batch_of(Settings(), said, None, torch.tensor([0, 1]), torch.tensor([7, 3]))
    assert batch.teachers == () and batch.students == (said.logits,)


def test_of_several_layers_the_first_is_the_one_of_a_pair() -> None:
    ones = torch.ones(1), 2 * torch.ones(1)
    batch = TermBatch(ones, ones[::-1], torch.tensor([0]), torch.tensor([0]))
    assert batch.student is ones[0] and batch.teacher is ones[1]


@pytest.mark.parametrize("who", ["student", "teacher"])
def test_a_network_without_layers_has_none(who: str) -> None:
    context = TermContext({}, {}) if who == "student" else TermContext({"logits": (4,)}, {})
    with pytest.raises(SettingError, match=f"compares the layer 'logits', but the {who} has none"):
        Settings().shapes(context)
