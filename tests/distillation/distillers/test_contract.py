"""What every distiller of the catalog must fulfil. A distiller added to the catalog is tested by itself."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from vskd.distillation.distillers.base import Distiller
from vskd.distillation.distillers.catalog import DISTILLERS, build_distiller
from vskd.models.weights.state import load_state, save_state
from vskd.network import Outputs

CLASSES, SAMPLES = 4, 20
SHAPES = {6: {"shallow": (3, 8, 8), "deep": (6, 4, 4)}, 9: {"shallow": (5, 6, 6), "deep": (9, 2, 2)}}
"""Feature maps of the two networks that are paired, by the width of their embedding."""


def make(
    name: str,
    student_width: int = 6,
    teacher_width: int = 6,
    weights: dict[str, float] | None = None,
    class_counts: tuple[int, ...] = (),
) -> Distiller:
    torch.manual_seed(0)
    return build_distiller(
        name,
        temperature=4.0,
        weights=weights or {},
        student_width=student_width,
        teacher_width=teacher_width,
        label_smoothing=0.0,
        student_shapes=SHAPES[student_width],
        teacher_shapes=SHAPES[teacher_width],
        samples=SAMPLES,
        class_counts=class_counts,
    )


def outputs(batch: int, width: int, seed: int) -> Outputs:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator, requires_grad=True)

    return Outputs(draw(CLASSES), draw(width), {name: draw(*shape) for name, shape in SHAPES[width].items()})


def labels(batch: int) -> Tensor:
    return torch.arange(batch) % CLASSES


def positions(batch: int) -> Tensor:
    return torch.arange(batch) * 3 % SAMPLES


def run(distiller: Distiller, student: Outputs, teacher: Outputs | None) -> dict[str, Tensor]:
    batch = len(student.logits)
    terms: dict[str, Tensor] = distiller(student, teacher, labels(batch), positions(batch))
    return terms


@pytest.fixture(params=sorted(DISTILLERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("widths", [(6, 6), (6, 9)])
def test_terms_and_gradients(name: str, widths: tuple[int, int]) -> None:
    distiller = make(name, *widths)
    student, teacher = outputs(5, widths[0], 1), outputs(5, widths[1], 2)
    terms = run(distiller, student, teacher)
    assert set(terms) == set(DISTILLERS[name].terms) == set(distiller.weights)
    assert all(term.shape == () and torch.isfinite(term) for term in terms.values())
    torch.stack(list(terms.values())).sum().backward()
    assert torch.isfinite(student.logits.grad).all()
    for parameter_name, parameter in distiller.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
    assert teacher.logits.grad is None
    assert teacher.embedding.grad is None
    assert all(feature.grad is None for feature in teacher.features.values())


def test_batch_of_one_is_finite(name: str) -> None:
    student = outputs(1, 6, 1)
    terms = run(make(name), student, outputs(1, 6, 2))
    torch.stack(list(terms.values())).sum().backward()
    assert all(torch.isfinite(term) for term in terms.values())
    assert torch.isfinite(student.logits.grad).all()


def test_a_teacher_is_asked_for_only_where_needed(name: str) -> None:
    distiller = make(name)
    assert distiller.needs_teacher == (set(distiller.weights) != {"cross_entropy"})
    if distiller.needs_teacher:
        with pytest.raises(ValueError, match="needs the teacher's outputs"):
            run(distiller, outputs(3, 6, 1), None)
    else:
        assert run(distiller, outputs(3, 6, 1), None)


def test_weights_multiply_the_terms(name: str) -> None:
    def terms(weights: dict[str, float]) -> dict[str, Tensor]:
        return run(make(name, weights=weights), outputs(5, 6, 1), outputs(5, 6, 2))

    own = list(DISTILLERS[name].terms)
    single, double = terms(dict.fromkeys(own, 1.0)), terms(dict.fromkeys(own, 2.5))
    for term in own:
        torch.testing.assert_close(double[term], 2.5 * single[term])


def test_a_term_of_weight_zero_is_absent(name: str) -> None:
    for term in DISTILLERS[name].terms:
        others = {other: 1.0 for other in DISTILLERS[name].terms if other != term}
        if not others:
            continue
        distiller = make(name, 6, 9, {**others, term: 0.0})
        terms = run(distiller, outputs(5, 6, 1), outputs(5, 9, 2))
        assert set(terms) == set(others)
        torch.stack(list(terms.values())).sum().backward()
        assert all(parameter.grad is not None for parameter in distiller.parameters())


def test_state_survives_safetensors(name: str, tmp_path: Path) -> None:
    distiller = make(name, 6, 9)
    student, teacher = outputs(5, 6, 1), outputs(5, 9, 2)
    run(distiller, student, teacher)  # a distiller with a memory has something to remember
    save_state(distiller, tmp_path / "d.safetensors", {})
    expected = run(distiller, student, teacher)
    for parameter in distiller.parameters():
        torch.nn.init.normal_(parameter)
    load_state(distiller, tmp_path / "d.safetensors")
    for term, value in run(distiller, student, teacher).items():
        assert torch.equal(value, expected[term])


def test_every_epoch_can_be_started_and_changes_no_state(name: str) -> None:
    distiller = make(name)
    before = {key: tensor.clone() for key, tensor in distiller.state_dict().items()}
    for epoch in (0, 7, 1000):
        distiller.start_epoch(epoch)
        assert all(torch.isfinite(term) for term in run(distiller.eval(), outputs(3, 6, 1), outputs(3, 6, 2)).values())
    for key, tensor in distiller.state_dict().items():
        torch.testing.assert_close(tensor, before[key], equal_nan=True)


def test_undecayed_parameters_are_own_ones(name: str) -> None:
    distiller = make(name)
    own = {id(parameter) for parameter in distiller.parameters()}
    undecayed = [id(parameter) for parameter in distiller.undecayed_parameters()]
    assert set(undecayed) <= own and len(undecayed) == len(set(undecayed))


def test_class_counts_reach_the_cross_entropy(name: str) -> None:
    plain, balanced = make(name), make(name, class_counts=(1, 2, 3, 10))
    torch.testing.assert_close(balanced.cross_entropy.class_weights, torch.tensor([4.0, 2.0, 4 / 3, 0.4]))
    values = [run(d, outputs(5, 6, 1), outputs(5, 6, 2))["cross_entropy"] for d in (plain, balanced)]
    assert not torch.allclose(*values)


def test_mixed_precision_is_left_outside(name: str) -> None:
    """Inside autocast the terms are those of float32, of whatever type the features are."""
    student, teacher = outputs(5, 6, 1), outputs(5, 6, 2)
    expected = run(make(name), student, teacher)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = run(make(name), student, teacher)
        halved = {n: f.bfloat16() for n, f in student.features.items()}
        rounded = run(make(name), Outputs(student.logits, student.embedding, halved), teacher)
    for term, value in expected.items():
        assert torch.equal(inside[term], value)
        assert rounded[term].dtype == torch.float32
        torch.testing.assert_close(rounded[term], value, rtol=2e-2, atol=1e-2)
