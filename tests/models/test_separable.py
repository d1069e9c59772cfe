"""Separable convolutions against dense ones; a block begins near its shortcut."""

import pytest
import torch
from torch import nn

from vskd.models.separable import RESIDUAL_SCALE, Dimensions, SeparableBlock, SeparableConvolution, convolution


def test_a_separable_convolution_is_a_dense_one_whose_kernels_are_outer_products() -> None:
    torch.manual_seed(0)
    separable = SeparableConvolution(1, 3, 5, kernel=7).eval()
    depthwise, pointwise, _ = separable
    assert isinstance(depthwise, nn.Conv1d) and isinstance(pointwise, nn.Conv1d)
    dense = torch.einsum("oi,ik->oik", pointwise.weight[:, :, 0], depthwise.weight[:, 0])
    x = torch.randn(2, 3, 20)
    naive = nn.functional.conv1d(x, dense, padding=3) / (1 + 1e-5) ** 0.5  # BatchNorm of a fresh network
    torch.testing.assert_close(separable(x), naive, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("dimensions", "size"), [(1, (11,)), (2, (9, 7))])
@pytest.mark.parametrize("out_channels", [4, 6])
def test_a_block_keeps_the_size_and_is_its_shortcut_without_the_residual(
    dimensions: Dimensions, size: tuple[int, ...], out_channels: int
) -> None:
    block = SeparableBlock(dimensions, 4, out_channels, kernel=3).eval()
    last = block.residual[2][-1]
    assert torch.equal(last.weight, torch.full((out_channels,), RESIDUAL_SCALE))
    nn.init.zeros_(last.weight)
    x = torch.randn(2, 4, *size)
    assert block(x).shape == (2, out_channels, *size)
    torch.testing.assert_close(block(x), torch.relu(block.shortcut(x)))


def test_equal_widths_have_a_shortcut_without_parameters() -> None:
    assert not list(SeparableBlock(1, 4, 4, kernel=3).shortcut.parameters())
    assert list(SeparableBlock(1, 4, 5, kernel=3).shortcut.parameters())


def test_the_depthwise_convolution_keeps_the_variance() -> None:
    torch.manual_seed(0)
    depthwise = SeparableConvolution(1, 256, 8, kernel=9)[0]
    assert depthwise(torch.randn(4, 256, 64))[..., 8:-8].var().item() == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize(("dimensions", "kernel"), [(1, 5), (2, 3)])
def test_weights_begin_as_he_s_of_the_outputs(dimensions: Dimensions, kernel: int) -> None:
    """Variance 2 / (output channels * kernel): that of the gradients is kept through a ReLU."""
    torch.manual_seed(0)
    weight = convolution(dimensions, 32, 128, kernel).weight
    assert weight.var().item() == pytest.approx(2 / (128 * kernel**dimensions), rel=0.05)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_weights_are_drawn_for_what_follows(dimensions: Dimensions) -> None:
    """He's sqrt(2 / fan out) before a ReLU; LeCun's sqrt(1 / fan in) of the depthwise one, which has none behind it."""
    torch.manual_seed(0)
    dense = convolution(dimensions, 400, 30, 5)
    assert dense.weight.std().item() == pytest.approx((2 / (30 * 5**dimensions)) ** 0.5, rel=0.03)
    depthwise, pointwise, _ = SeparableConvolution(dimensions, 900, 90, 5)
    assert isinstance(depthwise, nn.Conv1d | nn.Conv2d) and isinstance(pointwise, nn.Conv1d | nn.Conv2d)
    assert depthwise.weight.std().item() == pytest.approx(5 ** (-dimensions / 2), rel=0.03)
    assert pointwise.weight.std().item() == pytest.approx((2 / 90) ** 0.5, rel=0.03)


def test_an_equal_width_has_no_shortcut_of_its_own() -> None:
    assert isinstance(SeparableBlock(1, 4, 4, 3).shortcut, nn.Identity)
    assert not isinstance(SeparableBlock(1, 4, 6, 3).shortcut, nn.Identity)


def test_the_residual_of_a_block_begins_at_a_fifth() -> None:
    block = SeparableBlock(2, 4, 6, kernel=3)
    assert torch.equal(block.residual[2][-1].weight, torch.full((6,), 0.2))
    assert torch.equal(block.residual[0][-1].weight, torch.ones(6))


@pytest.mark.parametrize(("dimensions", "kind"), [(1, nn.Conv1d), (2, nn.Conv2d)])
def test_a_convolution_is_of_its_kind_without_a_bias_and_of_one_group(
    dimensions: Dimensions, kind: type[nn.Module]
) -> None:
    plain, grouped = convolution(dimensions, 4, 6, 5), convolution(dimensions, 4, 6, 3, groups=2)
    assert type(plain) is type(grouped) is kind
    assert plain.bias is None and (plain.groups, grouped.groups) == (1, 2)
    assert (plain.padding, grouped.padding) == ((2,) * dimensions, (1,) * dimensions)


@pytest.mark.parametrize(("dimensions", "size"), [(1, (11,)), (2, (9, 7))])
def test_a_block_is_a_rectified_sum(dimensions: Dimensions, size: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    block, x = SeparableBlock(dimensions, 4, 6, kernel=3).eval(), torch.randn(2, 4, *size)
    first, _, second = block.residual
    residual = second(torch.relu(first(x)))
    assert residual.abs().max() > 0.05
    torch.testing.assert_close(block(x), torch.relu(block.shortcut(x) + residual))
