"""SimKD against its formula in loops; what it asks of the networks."""

import pytest
import torch

from vskd.distillation.distiller import layers
from vskd.errors import SettingError
from vskd.losses.simkd import SimKD, SimKDSettings
from vskd.losses.term import TermContext


@pytest.mark.parametrize("batch", [1, 5])
def test_equals_the_formula(batch: int) -> None:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(batch, 7, generator=generator) for _ in range(2))
    total = 0.0
    for row, wanted in zip(student.tolist(), teacher.tolist(), strict=True):
        total += sum((a - b) ** 2 for a, b in zip(row, wanted, strict=True))
    assert SimKD()(student, teacher).item() == pytest.approx(total / (7 * batch), rel=1e-5)


def test_it_compares_what_the_classifiers_are_given_and_no_labels() -> None:
    settings = SimKDSettings()
    assert settings.layers == (("embedding",), ("embedding",)) and layers([settings]) == ((), ())
    assert (settings.needs_teacher, settings.needs_labels, settings.reuses_classifier) == (True, False, True)


@pytest.mark.parametrize("shapes", [((4, 6), (4, 9)), ((4, 6), (3, 6)), ((4, 6), (4, 6, 1)), ((6,), (6,))])
def test_other_shapes_are_refused(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="SimKD"):
        SimKD()(*(torch.zeros(shape) for shape in shapes))


def test_widths_that_differ_are_refused_with_the_head_that_fits() -> None:
    context = TermContext({"embedding": (12,)}, {"embedding": (300,)})
    with pytest.raises(SettingError, match=r"12 values and the teacher's 300.*student\.head\.width to 300"):
        SimKDSettings().build(context)
