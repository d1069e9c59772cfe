"""KRCA: its terms, its ablations and its learned weights."""

import copy
import math

import pytest
import torch
from torch import Tensor

from vskd.distillation.distiller import Distiller
from vskd.losses.attention_transfer import AttentionTransfer
from vskd.losses.crcd import CRCD
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.dkd import NCKD, TCKD
from vskd.losses.presets.krca import ABLATIONS, KRCA
from vskd.losses.presets.preset import Preset
from vskd.losses.term import TermContext
from vskd.models.convnext import ConvNeXt
from vskd.models.squeezenet_lw import SqueezeNetLW
from vskd.network import Outputs, layer_shapes

SAMPLES = 12
WEIGHTS = {
    "cross_entropy": 0.7,
    "tckd": 1.0,
    "nckd": 8.0,
    "sample_relation": 1.0,
    "deep_attention": 0.5,
    "shallow_attention": 0.5,
}


def shapes(width: int, side: int = 4) -> dict[str, tuple[int, ...]]:
    maps = {"deep": (width, side, side), "shallow": (3, 2 * side, 2 * side)}
    return {"logits": (4,), "embedding": (width,), **maps}


def pair() -> tuple[Outputs, Outputs, Tensor, Tensor]:
    torch.manual_seed(0)

    def outputs(width: int, side: int) -> Outputs:
        maps = {"deep": torch.randn(6, width, side, side), "shallow": torch.randn(6, 3, 2 * side, 2 * side)}
        return Outputs(torch.randn(6, 4), torch.randn(6, width), maps)

    return outputs(5, 4), outputs(7, 2), torch.randint(0, 4, (6,)), torch.tensor([0, 5, 3, 11, 7, 2])


def make(preset: Preset = KRCA, samples: int = SAMPLES) -> Distiller:
    return Distiller(preset.terms, preset.weighting, TermContext(shapes(5), shapes(7, 2), samples))


def relation_of(distiller: Distiller) -> CRCD:
    (crcd,) = (module for module in distiller.modules() if isinstance(module, CRCD))
    return crcd


def test_default_loss_is_that_of_the_formula() -> None:
    student, teacher, labels, positions = pair()
    krca = make()
    relation = copy.deepcopy(relation_of(krca))(student.embedding, teacher.embedding, positions)
    unweighted = {
        "cross_entropy": CrossEntropy()(student.logits, labels),
        "tckd": TCKD(4.0)(student.logits, teacher.logits, labels),
        "nckd": NCKD(4.0)(student.logits, teacher.logits, labels),
        "sample_relation": relation,
        "deep_attention": AttentionTransfer()(student.features["deep"], teacher.features["deep"]),
        "shallow_attention": AttentionTransfer()(student.features["shallow"], teacher.features["shallow"]),
    }
    assert krca.weights == WEIGHTS
    with torch.no_grad():
        for number, name in enumerate(WEIGHTS):
            krca.uncertainty.w[name].fill_(0.5 + number)
    terms = krca(student, teacher, labels, positions)
    assert list(terms) == list(WEIGHTS)
    for number, (name, weight) in enumerate(WEIGHTS.items()):
        square = (0.5 + number) ** 2
        expected = weight * (0.5 / square * unweighted[name] + math.log(1 + square))
        torch.testing.assert_close(terms[name], expected)


@pytest.mark.parametrize(
    ("ablation", "kept"),
    [
        ("krca-hl", ["cross_entropy"]),
        ("krca-sl", ["tckd", "nckd"]),
        ("krca-sr", ["cross_entropy", "sample_relation"]),
        ("krca-ia", ["cross_entropy", "deep_attention", "shallow_attention"]),
        ("krca-hl-sl", ["cross_entropy", "tckd", "nckd"]),
        ("krca-hl-sl-sr", ["cross_entropy", "tckd", "nckd", "sample_relation"]),
    ],
)
def test_ablations_leave_terms_out(ablation: str, kept: list[str]) -> None:
    student, teacher, labels, positions = pair()
    krca = make(ABLATIONS[ablation], SAMPLES if "sample_relation" in kept else 0)
    assert krca.weights == {name: WEIGHTS[name] for name in kept}
    terms = krca(student, None if ablation == "krca-hl" else teacher, labels, positions)
    assert list(terms) == kept
    assert {name.removeprefix("w.") for name, _ in krca.uncertainty.named_parameters()} == set(kept)
    assert krca.needs_teacher == (ablation != "krca-hl")


def test_parameters_stand_in_the_order_of_the_published_runs() -> None:
    """Another order would change the last bit of the norm that gradients are clipped by: see UncertaintyWeighting."""
    names = [name.rpartition("loss.")[2] for name, _ in make().named_parameters()]
    assert names == [
        *("student.weight", "student.bias", "teacher.weight", "teacher.bias"),
        *("uncertainty.w.cross_entropy", "uncertainty.w.deep_attention", "uncertainty.w.nckd"),
        *("uncertainty.w.sample_relation", "uncertainty.w.shallow_attention", "uncertainty.w.tckd"),
    ]


def test_projectors_are_small_for_the_real_networks() -> None:
    """The original's linear layers on flattened maps have 95 million parameters."""
    krca = Distiller(KRCA.terms, KRCA.weighting, TermContext(shapes(128), shapes(768), samples=20_000))
    assert sum(p.numel() for p in krca.parameters()) == (128 + 1) * 64 + (768 + 1) * 64 + len(WEIGHTS)


def test_the_student_of_krca_learns_with_every_term() -> None:
    """Eight pictures of four classes, each a pattern of coloured tiles, and a teacher that knows them."""
    torch.manual_seed(0)
    student, teacher = SqueezeNetLW(3, 4, dropout=0.0), ConvNeXt(3, 4).eval()
    layers = ("logits", "embedding", "deep", "shallow")
    context = TermContext(*(layer_shapes(network, (3, 48, 48), layers) for network in (student, teacher)), samples=8)
    krca = Distiller(KRCA.terms, KRCA.weighting, context)
    labels, positions = torch.arange(8) % 4, torch.arange(8)
    tiles = torch.rand(4, 3, 4, 4).repeat_interleave(12, 2).repeat_interleave(12, 3)
    images = 0.8 * tiles[labels] + 0.2 * torch.rand(8, 3, 48, 48)
    with torch.no_grad():
        told = teacher(images)
    told = Outputs(6.0 * torch.eye(4)[labels], told.embedding, told.features)
    parameters = [*student.parameters(), *krca.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=2e-3)
    targets = []
    for _ in range(30):
        optimizer.zero_grad()
        terms = krca(student(images), told, labels, positions)
        sum(terms.values()).backward()
        optimizer.step()
        assert torch.isfinite(torch.stack(list(terms.values()))).all()
        targets.append(terms["tckd"].item())
    assert targets[-1] < 0.7 * targets[0]
    assert torch.equal(student(images).logits.argmax(1), labels)
    for parameter in parameters:
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all()
    learned = [w.item() for w in krca.uncertainty.parameters()]
    assert len(learned) == len(WEIGHTS) and 1.0 not in learned


def test_attention_is_averaged_as_in_the_published_runs() -> None:
    assert [term.pooling for term in KRCA.terms if term.loss == "attention_transfer"] == ["squares", "squares"]
