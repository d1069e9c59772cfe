"""The distiller: terms built in order, weighted and summed; see tests/losses/presets for those of published systems."""

import copy
import math
from typing import ClassVar, Literal

import pytest
import torch
from torch import Tensor, nn

from vskd.distillation.distiller import Distiller, in_use, layers
from vskd.errors import SettingError
from vskd.losses.attention_transfer import AttentionTransferSettings
from vskd.losses.crcd import CRCDSettings
from vskd.losses.cross_entropy import CrossEntropy, CrossEntropySettings
from vskd.losses.embedding_mse import EmbeddingMSESettings
from vskd.losses.fitnets_hint import FitNetsHintSettings
from vskd.losses.kd import KD, KDSettings
from vskd.losses.rkd_distance import RKDDistance, RKDDistanceSettings
from vskd.losses.term import ComparisonSettings, Term, TermBatch, TermContext
from vskd.network import Outputs

CONTEXT = TermContext(
    {"logits": (4,), "embedding": (5,), "deep": (3, 4, 4)},
    {"logits": (4,), "embedding": (7,), "deep": (6, 4, 4)},
    samples=9,
)
LABELS, POSITIONS = torch.tensor([0, 3, 1]), torch.tensor([7, 3, 0])


def outputs(width: int, channels: int, seed: int, **options: bool) -> Outputs:
    generator = torch.Generator().manual_seed(seed)
    draw = [torch.randn(3, *shape, generator=generator, **options) for shape in ((4,), (width,), (channels, 4, 4))]
    return Outputs(draw[0], draw[1], {"deep": draw[2]})


STUDENT, TEACHER = outputs(5, 3, 1), outputs(7, 6, 2)
TERMS = (CrossEntropySettings(weight=0.5), KDSettings(weight=3.0), RKDDistanceSettings(name="relations"))


class Recorder(nn.Module):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[TermBatch] = []


class RecorderSettings(ComparisonSettings):
    """A term that keeps its batches."""

    description: ClassVar[str] = "keeps its batches"
    loss: Literal["recorder"] = "recorder"

    def build(self, context: TermContext) -> Term:
        return Term(Recorder(), self.call)

    @staticmethod
    def call(module: nn.Module, batch: TermBatch) -> Tensor:
        module.given.append(batch)
        return batch.student.sum()


class ImpossibleSettings(ComparisonSettings):
    """A term that nobody may build."""

    description: ClassVar[str] = "cannot be built"
    loss: Literal["impossible"] = "impossible"

    def build(self, context: TermContext) -> Term:
        raise AssertionError("built")


def test_fixed_weights_multiply_the_losses() -> None:
    distiller = Distiller(TERMS, "fixed", CONTEXT)
    losses = distiller(STUDENT, TEACHER, LABELS, POSITIONS)
    expected = {
        "cross_entropy": 0.5 * CrossEntropy()(STUDENT.logits, LABELS),
        "kd": 3.0 * KD(4.0)(STUDENT.logits, TEACHER.logits),
        "relations": RKDDistance()(STUDENT.embedding, TEACHER.embedding),
    }
    assert list(losses) == list(expected)
    for title, value in expected.items():
        assert torch.equal(losses[title], value)
    assert distiller.weights == {"cross_entropy": 0.5, "kd": 3.0, "relations": 1.0}
    assert not distiller.undecayed_parameters()


def test_uncertainty_stands_inside_the_fixed_weights() -> None:
    distiller = Distiller(TERMS, "uncertainty", CONTEXT)
    plain = Distiller(TERMS, "fixed", CONTEXT)(STUDENT, TEACHER, LABELS, POSITIONS)
    with torch.no_grad():
        for weight in distiller.undecayed_parameters():
            weight.fill_(2.0)
    losses = distiller(STUDENT, TEACHER, LABELS, POSITIONS)
    assert list(losses) == list(plain)
    for title, value in plain.items():
        unweighted = value / distiller.weights[title]
        torch.testing.assert_close(losses[title], distiller.weights[title] * (unweighted / 8 + math.log(5)))


def test_groups_for_the_optimizer_hold_each_parameter_once_and_none_is_empty() -> None:
    plain = Distiller(TERMS, "fixed", CONTEXT)
    assert plain.parameter_groups() == []
    terms = [*TERMS, FitNetsHintSettings()]
    projectors, learned = Distiller(terms, "uncertainty", CONTEXT).parameter_groups()
    assert "weight_decay" not in projectors and [p.ndim for p in projectors["params"]] == [4, 1]
    assert learned["weight_decay"] == 0.0 and [p.ndim for p in learned["params"]] == [0, 0, 0, 0]


def test_terms_get_the_teacher_without_gradient_with_labels_and_positions() -> None:
    teacher = outputs(7, 6, 2, requires_grad=True)
    for layer in ("logits", "embedding", "deep"):
        distiller = Distiller([RecorderSettings(teacher_layer=layer, weight=2.0)], "fixed", CONTEXT)
        losses = distiller(STUDENT, teacher, LABELS, POSITIONS)
        assert torch.equal(losses["recorder"], 2.0 * STUDENT.logits.sum())
        (batch,) = distiller.terms["recorder"].loss.given
        assert torch.equal(batch.teacher, teacher.layer(layer)) and not batch.teacher.requires_grad
        assert batch.labels is LABELS and batch.positions is POSITIONS


def test_what_the_teacher_says_in_half_precision_is_compared_in_float32() -> None:
    distiller = Distiller([RecorderSettings()], "fixed", CONTEXT)
    halved = Outputs(TEACHER.logits.bfloat16(), TEACHER.embedding, TEACHER.features)
    distiller(STUDENT, halved, LABELS, POSITIONS)
    assert distiller.terms["recorder"].loss.given[0].teacher.dtype == torch.float32


def test_terms_of_weight_zero_are_neither_built_nor_computed() -> None:
    distiller = Distiller([CrossEntropySettings(), ImpossibleSettings(weight=0.0)], "uncertainty", CONTEXT)
    assert not distiller.needs_teacher
    assert list(distiller(STUDENT, None, LABELS, POSITIONS)) == list(distiller.weights) == ["cross_entropy"]
    assert len(distiller.undecayed_parameters()) == 1
    with pytest.raises(AssertionError, match="built"):
        Distiller([ImpossibleSettings()], "fixed", CONTEXT)


def test_random_numbers_are_drawn_in_the_order_of_the_terms() -> None:
    drawing = [EmbeddingMSESettings(), RKDDistanceSettings(), FitNetsHintSettings(), CRCDSettings(width=2)]
    makers = [
        [lambda: nn.Linear(5, 7)],
        [],
        [lambda: nn.Conv2d(3, 6, 1)],
        [lambda: nn.Linear(5, 2), lambda: nn.Linear(7, 2)],
    ]
    for order in ((0, 1, 2, 3), (3, 2, 1, 0)):
        torch.manual_seed(0)
        built = Distiller([drawing[i] for i in order], "uncertainty", CONTEXT)
        torch.manual_seed(0)
        expected = [p for i in order for make in makers[i] for p in make().parameters()]
        assert len(expected) == 8
        for parameter, wanted in zip(built.parameters(), expected, strict=False):
            assert torch.equal(parameter, wanted)


def test_epochs_reach_every_term() -> None:
    twice = [KDSettings(temperature_slope=0.5), KDSettings(name="slow", temperature=2.0, temperature_slope=0.25)]
    distiller = Distiller(twice, "fixed", CONTEXT)
    copied = copy.deepcopy(distiller)
    copied.start_epoch(4)
    for made, temperatures in ((distiller, {"kd": 4.0, "slow": 2.0}), (copied, {"kd": 6.0, "slow": 3.0})):
        losses = made(STUDENT, TEACHER, LABELS, POSITIONS)
        assert list(losses) == list(temperatures)
        for title, temperature in temperatures.items():
            assert torch.equal(losses[title], KD(temperature)(STUDENT.logits, TEACHER.logits))


def test_a_missing_teacher_is_named_with_those_who_ask() -> None:
    with pytest.raises(ValueError, match=r"needs the teacher's outputs for: kd, relations$"):
        Distiller(TERMS, "fixed", CONTEXT)(STUDENT, None, LABELS, POSITIONS)


def test_a_missing_layer_is_named() -> None:
    distiller = Distiller([AttentionTransferSettings()], "fixed", CONTEXT)
    with pytest.raises(ValueError, match="no layer 'deep' among the outputs, only logits, embedding"):
        distiller(STUDENT, Outputs(TEACHER.logits, TEACHER.embedding), LABELS, POSITIONS)


@pytest.mark.parametrize(
    ("terms", "named"),
    [
        ([], "nothing to learn from: There are no terms"),
        ([KDSettings(weight=0.0), CrossEntropySettings(weight=0.0)], r"All terms \(kd, cross_entropy\) have weight 0"),
        ([KDSettings(), KDSettings(temperature=2.0)], "Two loss terms are called 'kd'"),
        ([KDSettings(), CrossEntropySettings(name="kd", weight=0.0)], "Two loss terms are called 'kd'"),
        ([AttentionTransferSettings(student_layer="layer9")], "'layer9', but the student has logits, embedding, deep"),
    ],
)
def test_impossible_lists_of_terms_are_refused(terms: list[ComparisonSettings], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        Distiller(terms, "fixed", CONTEXT)


def test_layers_beyond_the_outputs_are_listed_once_and_only_where_used() -> None:
    terms = [
        CrossEntropySettings(),
        KDSettings(),
        FitNetsHintSettings(teacher_layer="layer4.1"),
        AttentionTransferSettings(),
        EmbeddingMSESettings(student_layer="head.pool"),
        AttentionTransferSettings(name="unused", weight=0.0, student_layer="shallow", teacher_layer="shallow"),
    ]
    assert layers(terms) == (("deep", "head.pool"), ("layer4.1", "deep"))
    assert layers([CrossEntropySettings()]) == ((), ())
    assert [term.title for term in in_use(terms)] == [term.title for term in terms[:5]]
