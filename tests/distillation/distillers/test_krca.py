"""KRCA: its terms, its ablations and its learned weights."""

import copy
import math

import pytest
import torch
from torch import Tensor

from vskd.distillation.distillers.krca import KRCA, TERMS
from vskd.losses.attention_transfer import AttentionTransfer
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.decoupled import NonTarget, Target
from vskd.models.convnext import ConvNeXt
from vskd.models.squeezenet_lw import SqueezeNetLW
from vskd.network import Outputs

SAMPLES = 12


def pair() -> tuple[Outputs, Outputs, Tensor, Tensor]:
    torch.manual_seed(0)

    def outputs(width: int, side: int) -> Outputs:
        maps = {"deep": torch.randn(6, width, side, side), "shallow": torch.randn(6, 3, 2 * side, 2 * side)}
        return Outputs(torch.randn(6, 4), torch.randn(6, width), maps)

    return outputs(5, 4), outputs(7, 2), torch.randint(0, 4, (6,)), torch.tensor([0, 5, 3, 11, 7, 2])


def test_default_loss_is_that_of_the_formula() -> None:
    student, teacher, labels, positions = pair()
    krca = KRCA(5, 7, SAMPLES)
    assert krca.sample_relation is not None
    relation = copy.deepcopy(krca.sample_relation)(student.embedding, teacher.embedding, positions)
    unweighted = {
        "cross_entropy": CrossEntropy()(student.logits, labels),
        "target": Target(4.0)(student.logits, teacher.logits, labels),
        "non_target": NonTarget(4.0)(student.logits, teacher.logits, labels),
        "sample_relation": relation,
        "deep_attention": AttentionTransfer()(student.features["deep"], teacher.features["deep"]),
        "shallow_attention": AttentionTransfer()(student.features["shallow"], teacher.features["shallow"]),
    }
    fixed = {"cross_entropy": 0.7, "target": 1, "non_target": 8, "sample_relation": 1}
    assert {**fixed, "deep_attention": 0.5, "shallow_attention": 0.5} == TERMS
    with torch.no_grad():
        for number, name in enumerate(TERMS):
            krca.uncertainty.w[name].fill_(0.5 + number)
    terms = krca(student, teacher, labels, positions)
    for number, (name, weight) in enumerate(TERMS.items()):
        square = (0.5 + number) ** 2
        expected = weight * (0.5 / square * unweighted[name] + math.log(1 + square))
        torch.testing.assert_close(terms[name], expected)


@pytest.mark.parametrize(
    ("ablation", "kept"),
    [
        ("HL", {"cross_entropy"}),
        ("SL", {"target", "non_target"}),
        ("SR", {"sample_relation"}),
        ("IA", {"deep_attention", "shallow_attention"}),
        ("HL_SL", {"cross_entropy", "target", "non_target"}),
        ("HL_SL_SR", {"cross_entropy", "target", "non_target", "sample_relation"}),
        ("KRCA", set(TERMS)),
    ],
)
def test_ablations_are_weights_of_zero(ablation: str, kept: set[str]) -> None:
    student, teacher, labels, positions = pair()
    krca = KRCA(5, 7, SAMPLES if "sample_relation" in kept else 0, {name: 0.0 for name in TERMS if name not in kept})
    terms = krca(student, None if ablation == "HL" else teacher, labels, positions)
    assert set(terms) == kept == {name.removeprefix("w.") for name, _ in krca.uncertainty.named_parameters()}
    assert (krca.sample_relation is not None) == ("sample_relation" in kept)
    assert krca.needs_teacher == (ablation != "HL")


def test_only_the_learned_weights_escape_weight_decay() -> None:
    krca = KRCA(5, 7, SAMPLES)
    undecayed = {id(p) for p in krca.undecayed_parameters()}
    names = {name for name, p in krca.named_parameters() if id(p) in undecayed}
    assert names == {f"uncertainty.w.{term}" for term in TERMS}


def test_positions_are_asked_for() -> None:
    student, teacher, labels, _ = pair()
    with pytest.raises(ValueError, match="positions in the training list"):
        KRCA(5, 7, SAMPLES)(student, teacher, labels)


def test_projectors_are_small_for_the_real_networks() -> None:
    """The original's linear layers on flattened maps have 95 million parameters."""
    krca = KRCA(128, 768, samples=20_000)
    assert sum(p.numel() for p in krca.parameters()) == (128 + 1) * 64 + (768 + 1) * 64 + len(TERMS)


def test_the_student_of_krca_learns_with_every_term() -> None:
    """Eight pictures of four classes, each a pattern of coloured tiles, and a teacher that knows them."""
    torch.manual_seed(0)
    student, teacher = SqueezeNetLW(3, 4, dropout=0.0), ConvNeXt(3, 4).eval()
    krca = KRCA(student.embedding_size, teacher.embedding_size, samples=8)
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
        assert all(torch.isfinite(term) for term in terms.values())
        targets.append(terms["target"].item())
    assert targets[-1] < 0.7 * targets[0]
    assert torch.equal(student(images).logits.argmax(1), labels)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in parameters)
    assert all(w.item() != 1.0 for w in krca.uncertainty.parameters())
