"""What every distiller of the catalog must fulfil. A distiller added to the catalog is tested by itself."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from vskd.distillation.distillers.base import Distiller
from vskd.distillation.distillers.catalog import DISTILLERS, build_distiller
from vskd.models.outputs import Outputs
from vskd.models.state import load_state, save_state

CLASSES = 4


def make(name: str, student_width: int = 6, teacher_width: int = 6) -> Distiller:
    torch.manual_seed(0)
    return build_distiller(
        name,
        temperature=4.0,
        weights={},
        student_width=student_width,
        teacher_width=teacher_width,
        label_smoothing=0.0,
    )


def outputs(batch: int, width: int, seed: int) -> Outputs:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(batch, CLASSES, generator=generator, requires_grad=True)
    return Outputs(logits, torch.randn(batch, width, generator=generator, requires_grad=True))


def labels(batch: int) -> Tensor:
    return torch.arange(batch) % CLASSES


@pytest.fixture(params=sorted(DISTILLERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("widths", [(6, 6), (6, 9)])
def test_terms_and_gradients(name: str, widths: tuple[int, int]) -> None:
    distiller = make(name, *widths)
    student, teacher = outputs(5, widths[0], 1), outputs(5, widths[1], 2)
    terms = distiller(student, teacher, labels(5))
    assert set(terms) == set(DISTILLERS[name].terms) == set(distiller.weights)
    assert all(term.shape == () and torch.isfinite(term) for term in terms.values())
    torch.stack(list(terms.values())).sum().backward()
    assert torch.isfinite(student.logits.grad).all()
    for parameter_name, parameter in distiller.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
    assert teacher.logits.grad is None
    assert teacher.embedding.grad is None


def test_batch_of_one_is_finite(name: str) -> None:
    student = outputs(1, 6, 1)
    terms = make(name)(student, outputs(1, 6, 2), labels(1))
    torch.stack(list(terms.values())).sum().backward()
    assert all(torch.isfinite(term) for term in terms.values())
    assert torch.isfinite(student.logits.grad).all()


def test_a_teacher_is_asked_for_only_where_needed(name: str) -> None:
    distiller = make(name)
    assert distiller.needs_teacher == (set(distiller.weights) != {"cross_entropy"})
    if distiller.needs_teacher:
        with pytest.raises(ValueError, match="needs the teacher's outputs"):
            distiller(outputs(3, 6, 1), None, labels(3))
    else:
        assert distiller(outputs(3, 6, 1), None, labels(3))


def test_weights_multiply_the_terms(name: str) -> None:
    def terms(weights: dict[str, float]) -> dict[str, Tensor]:
        distiller = build_distiller(
            name, temperature=2.0, weights=weights, student_width=6, teacher_width=6, label_smoothing=0.0
        )
        result: dict[str, Tensor] = distiller(outputs(5, 6, 1), outputs(5, 6, 2), labels(5))
        return result

    own = list(DISTILLERS[name].terms)
    single, double = terms(dict.fromkeys(own, 1.0)), terms(dict.fromkeys(own, 2.5))
    for term in own:
        torch.testing.assert_close(double[term], 2.5 * single[term])


def test_a_term_of_weight_zero_is_absent(name: str) -> None:
    for term in DISTILLERS[name].terms:
        others = {other: 1.0 for other in DISTILLERS[name].terms if other != term}
        if not others:
            continue
        distiller = build_distiller(
            name,
            temperature=4.0,
            weights={**others, term: 0.0},
            student_width=6,
            teacher_width=9,
            label_smoothing=0.0,
        )
        terms = distiller(outputs(5, 6, 1), outputs(5, 9, 2), labels(5))
        assert set(terms) == set(others)
        torch.stack(list(terms.values())).sum().backward()
        assert all(parameter.grad is not None for parameter in distiller.parameters())


def test_state_survives_safetensors(name: str, tmp_path: Path) -> None:
    distiller = make(name, 6, 9)
    student, teacher = outputs(5, 6, 1), outputs(5, 9, 2)
    expected = distiller(student, teacher, labels(5))
    save_state(distiller, tmp_path / "d.safetensors", {})
    for parameter in distiller.parameters():
        torch.nn.init.normal_(parameter)
    load_state(distiller, tmp_path / "d.safetensors")
    for term, value in distiller(student, teacher, labels(5)).items():
        assert torch.equal(value, expected[term])
