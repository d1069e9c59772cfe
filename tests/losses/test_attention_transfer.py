"""Attention transfer against the formula in loops."""

import math
from typing import Literal

import pytest
import torch
from torch import Tensor

from vskd.errors import SettingError
from vskd.losses.attention_transfer import (
    AttentionTransfer,
    AttentionTransferSettings,
    attention_map,
    common_grid,
)
from vskd.losses.term import TermContext


def naive_map(feature: Tensor) -> list[float]:
    """Unit vector of the sums of squares over channels, for one sample without resizing."""
    channels, height, width = feature.shape
    energy = [sum(feature[c, i, j].item() ** 2 for c in range(channels)) for i in range(height) for j in range(width)]
    length = math.sqrt(sum(e * e for e in energy))
    return [e / length for e in energy]


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("channels", [(4, 4), (3, 7)])
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 5)])
def test_equals_the_formula(batch: int, channels: tuple[int, int], size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    student, teacher = (torch.randn(batch, c, *size) for c in channels)
    expected = 0.0
    for s, t in zip(student, teacher, strict=True):
        expected += sum((a - b) ** 2 for a, b in zip(naive_map(s), naive_map(t), strict=True)) / batch
    assert AttentionTransfer()(student, teacher).item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_equals_the_authors_formula_times_positions() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 5, 7, 7), torch.randn(2, 9, 7, 7)

    def at(x: Tensor) -> Tensor:
        return torch.nn.functional.normalize(x.pow(2).mean(1).view(x.size(0), -1))

    expected = (at(student) - at(teacher)).pow(2).mean() * 49
    torch.testing.assert_close(AttentionTransfer()(student, teacher), expected)


def test_maps_of_different_sizes_are_averaged_to_the_smaller() -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 3, 6, 4), torch.randn(2, 5, 3, 8)
    assert common_grid(student, teacher) == (3, 4)
    energies = [
        student.square().mean(1).view(2, 3, 2, 4).mean(2).flatten(1),
        teacher.square().mean(1).view(2, 3, 4, 2).mean(3).flatten(1),
    ]
    s, t = (e / e.norm(dim=1, keepdim=True) for e in energies)
    torch.testing.assert_close(AttentionTransfer()(student, teacher), (s - t).square().sum(1).mean())


def published(student: Tensor, teacher: Tensor) -> Tensor:
    """RepDistiller's `Attention`, times the number of positions: the larger maps are averaged, then squared."""

    def at(x: Tensor) -> Tensor:
        return torch.nn.functional.normalize(x.pow(2).mean(1).view(x.size(0), -1))

    if student.shape[2] > teacher.shape[2]:
        student = torch.nn.functional.adaptive_avg_pool2d(student, (teacher.shape[2], teacher.shape[2]))
    elif student.shape[2] < teacher.shape[2]:
        teacher = torch.nn.functional.adaptive_avg_pool2d(teacher, (student.shape[2], student.shape[2]))
    return (at(student) - at(teacher)).pow(2).mean() * min(student.shape[2], teacher.shape[2]) ** 2


@pytest.mark.parametrize("sizes", [(8, 4), (4, 8), (7, 3), (5, 5)])
def test_features_are_averaged_as_in_the_published_code_where_asked(sizes: tuple[int, int]) -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(3, 5, sizes[0], sizes[0]), torch.randn(3, 9, sizes[1], sizes[1])
    value = AttentionTransfer("features")(student, teacher)
    torch.testing.assert_close(value, published(student, teacher))
    same = torch.equal(value, AttentionTransfer()(student, teacher))
    assert same == (sizes[0] == sizes[1]), "without averaging there is no difference"


def test_opposite_signs_stay_strong_as_squares_and_cancel_as_features() -> None:
    """In closed form: a cell of +1 and -1 beside one of 1/2. Squares: (1, 1/4); features: (0, 1/2)."""
    student = torch.tensor([1.0, -1.0, 0.5, 0.5]).view(1, 1, 1, 4)
    teacher = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    assert AttentionTransfer()(student, teacher).item() == pytest.approx(2 - 2 / math.sqrt(1 + 1 / 16), rel=1e-5)
    assert AttentionTransfer("features")(student, teacher).item() == pytest.approx(2.0, rel=1e-6)


def test_the_setting_reaches_the_loss_and_is_squares_unless_said() -> None:
    context = TermContext({"deep": (3, 4, 4)}, {"deep": (5, 2, 2)})
    for settings, pooling in ((AttentionTransferSettings(), "squares"), (None, "features")):
        settings = settings or AttentionTransferSettings(pooling="features")
        assert settings.build(context).loss.pooling == pooling


def test_only_where_counts_and_not_how_much() -> None:
    torch.manual_seed(0)
    teacher = torch.randn(2, 3, 4, 4)
    scale = torch.tensor([7.0, 0.01]).view(2, 1, 1, 1)
    assert AttentionTransfer()(teacher * scale, teacher).item() == pytest.approx(0.0, abs=1e-6)


def test_opposite_attention_is_the_worst() -> None:
    student, teacher = torch.zeros(1, 2, 2, 2), torch.zeros(1, 3, 2, 2)
    student[0, :, 0, 0], teacher[0, :, 1, 1] = 5.0, 1.0
    assert AttentionTransfer()(student, teacher).item() == pytest.approx(2.0)


@pytest.mark.parametrize("which", ["student", "teacher", "both"])
def test_zero_features_are_finite(which: str) -> None:
    torch.manual_seed(0)
    student = torch.zeros(2, 3, 4, 4) if which != "teacher" else torch.randn(2, 3, 4, 4)
    teacher = torch.zeros(2, 3, 4, 4) if which != "student" else torch.randn(2, 3, 4, 4)
    student.requires_grad_()
    loss = AttentionTransfer()(student, teacher)
    loss.backward()
    assert loss.item() == pytest.approx(0.0 if which == "both" else 1.0, abs=1e-5)
    assert torch.isfinite(student.grad).all()


@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_sizes_whose_squares_leave_float32_make_no_difference(size: float) -> None:
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(AttentionTransfer()(student * size, teacher), AttentionTransfer()(student, teacher))


def test_half_precision_does_not_overflow() -> None:
    torch.manual_seed(0)
    student, teacher = (torch.randn(2, 3, 4, 4) * 1000).half(), torch.randn(2, 3, 4, 4).half()
    loss = AttentionTransfer()(student, teacher)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, AttentionTransfer()(student.float(), teacher.float()))


def test_gradient_is_that_of_finite_differences() -> None:
    torch.manual_seed(0)
    teacher = torch.randn(2, 4, 2, 2, dtype=torch.float64)
    student = torch.randn(2, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: AttentionTransfer()(x, teacher), (student,))


def test_map_is_a_unit_vector() -> None:
    maps = attention_map(torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0)), (4, 2))
    assert maps.shape == (3, 8)
    torch.testing.assert_close(maps.norm(dim=1), torch.ones(3))


FIVE = (2, 3, 4, 4, 4), (2, 3, 4, 4)


@pytest.mark.parametrize(
    "shapes", [((2, 3), (2, 3)), ((2, 3, 4, 4), (3, 3, 4, 4)), ((2, 3, 4), (2, 3, 4)), FIVE, FIVE[::-1]]
)
def test_other_shapes_are_refused(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="maps of the same batch"):
        AttentionTransfer()(torch.zeros(shapes[0]), torch.zeros(shapes[1]))


def test_as_a_term_it_compares_maps() -> None:
    shapes = {"deep": (3, 4, 4), "embedding": (3,)}
    assert isinstance(AttentionTransferSettings().build(TermContext(shapes, shapes)).loss, AttentionTransfer)
    with pytest.raises(
        SettingError, match="'attention_transfer' compares feature maps, but the teacher's layer 'embed"
    ):
        AttentionTransferSettings(teacher_layer="embedding").build(TermContext(shapes, shapes))
    with pytest.raises(SettingError, match="compares the layer 'deep', but the student has layer4"):
        AttentionTransferSettings().build(TermContext({"layer4": (512, 7, 7)}, shapes))


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("pooling", ["squares", "features"])
def test_features_of_one_sign_may_be_large_too(sign: float, pooling: Literal["squares", "features"]) -> None:
    """The largest magnitude is that of the smallest or of the largest value; of each sample its own."""
    torch.manual_seed(0)
    plain, teacher = sign * torch.rand(2, 3, 4, 4), torch.randn(2, 5, 2, 2)
    scale = torch.tensor([1e25, 1e-25]).view(2, 1, 1, 1)
    loss = AttentionTransfer(pooling)
    torch.testing.assert_close(loss(plain * scale, teacher), loss(plain, teacher))


@pytest.mark.parametrize("pooling", ["squares", "features"])
def test_grids_that_do_not_divide_overlap_as_torchs_do(pooling: Literal["squares", "features"]) -> None:
    """By hand: of 3 columns brought to 2, the middle one counts in both; heights and widths are not exchanged."""
    feature = torch.tensor([[1.0, 2.0, -6.0], [3.0, 1.0, 2.0]]).view(1, 1, 2, 3)

    def mean(*values: float) -> float:
        value = sum(v**2 if pooling == "squares" else v for v in values) / len(values)
        return value if pooling == "squares" else value**2

    cells = [mean(1, 2), mean(2, -6), mean(3, 1), mean(1, 2)]
    length = math.sqrt(sum(cell**2 for cell in cells))
    found = attention_map(feature, (2, 2), pooling)[0].tolist()
    assert found == pytest.approx([cell / length for cell in cells], rel=1e-5)


@pytest.mark.parametrize(("mean", "length"), [(2e-5, 0.04), (5e-5, 0.25), (2e-4, 1.0)])
def test_a_cell_whose_features_cancel_is_weak_and_not_a_unit_vector(mean: float, length: float) -> None:
    """As features: Q = mean^2 over both channels, and what is divided by is 1e-8 at least."""
    feature = torch.tensor([1.0, 2 * mean - 1.0]).view(1, 1, 1, 2).expand(1, 2, 1, 2)
    found = attention_map(feature, (1, 1), "features")
    assert found.shape == (1, 1) and found.item() == pytest.approx(length, rel=2e-2)


def test_a_recipe_that_says_nothing_compares_the_deep_maps() -> None:
    settings = AttentionTransferSettings()
    assert (settings.layers, settings.pooling) == ((("deep",), ("deep",)), "squares")
    assert AttentionTransfer().pooling == "squares" and settings.needs_teacher
