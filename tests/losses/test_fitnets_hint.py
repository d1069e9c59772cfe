"""The hint against its formula in loops."""

import pytest
import torch

from vskd.errors import SettingError
from vskd.losses.fitnets_hint import FitNetsHint, FitNetsHintSettings
from vskd.losses.term import TermContext


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("channels", [(2, 2), (3, 5), (5, 1)])
def test_equals_the_formula(batch: int, channels: tuple[int, int]) -> None:
    torch.manual_seed(0)
    hint = FitNetsHint(*channels)
    student, teacher = (torch.randn(batch, c, 2, 3) for c in channels)
    weight, bias = hint.projector.weight.detach(), hint.projector.bias.detach()
    total, count = 0.0, 0
    for n in range(batch):
        for i in range(2):
            for j in range(3):
                for out in range(channels[1]):
                    value = bias[out].item()
                    value += sum((weight[out, c, 0, 0] * student[n, c, i, j]).item() for c in range(channels[0]))
                    total += (value - teacher[n, out, i, j].item()) ** 2
                    count += 1
    assert hint(student, teacher).item() == pytest.approx(total / count, rel=1e-4)


@pytest.mark.parametrize(("student_size", "teacher_size"), [((8, 8), (4, 4)), ((2, 2), (4, 6)), ((4, 2), (2, 4))])
def test_maps_are_averaged_to_equal_size(student_size: tuple[int, int], teacher_size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    hint = FitNetsHint(3, 4)
    student, teacher = torch.randn(2, 3, *student_size), torch.randn(2, 4, *teacher_size)
    grid = tuple(min(a, b) for a, b in zip(student_size, teacher_size, strict=True))
    pool = torch.nn.AdaptiveAvgPool2d(grid)
    expected = (pool(hint.projector(student)) - pool(teacher)).square().mean()
    torch.testing.assert_close(hint(student, teacher), expected)


def test_a_linear_twin_can_be_learned_to_zero() -> None:
    torch.manual_seed(0)
    student = torch.randn(16, 3, 4, 4)
    teacher = torch.einsum("tc,bchw->bthw", torch.randn(5, 3), student)
    hint = FitNetsHint(3, 5)
    optimizer = torch.optim.Adam(hint.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        loss = hint(student, teacher)
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-4


def test_half_precision_and_zero_features() -> None:
    hint = FitNetsHint(2, 3)
    student = torch.zeros(1, 2, 4, 4, dtype=torch.float16, requires_grad=True)
    loss = hint(student, torch.full((1, 3, 4, 4), 300.0).half())
    loss.backward()
    expected = (300 - hint.projector.bias.detach()).square().mean().item()  # 9e4 is beyond float16
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert torch.isfinite(student.grad).all()


def test_other_channels_and_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="built for 2 and 3 channels, got 3 and 3"):
        FitNetsHint(2, 3)(torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2))
    with pytest.raises(ValueError, match="maps of the same batch"):
        FitNetsHint(2, 3)(torch.zeros(1, 2, 2, 2), torch.zeros(2, 3, 2, 2))


def test_as_a_term_it_has_the_channels_of_the_layers_it_compares() -> None:
    context = TermContext({"deep": (3, 4, 4), "layer2": (7, 8, 8)}, {"deep": (5, 2, 2)})
    assert FitNetsHintSettings().build(context).loss.projector.weight.shape == (5, 3, 1, 1)
    other = FitNetsHintSettings(student_layer="layer2").build(context)
    assert other.loss.projector.weight.shape == (5, 7, 1, 1)
    with pytest.raises(SettingError, match="'fitnets_hint' compares the layer 'deep', but the teacher has none"):
        FitNetsHintSettings().build(TermContext({"deep": (3, 4, 4)}))
    with pytest.raises(
        SettingError, match=r"compares feature maps, but the student's layer 'embedding' has shape \(5,\)"
    ):
        FitNetsHintSettings(student_layer="embedding").build(TermContext({"embedding": (5,)}, {"deep": (5, 2, 2)}))
