"""Every rewrite is exact, and what was slow is gone from the converted model."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.export.conftest import random_inputs
from vskd.bundle.latency import delegate_partitions
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError
from vskd.export.convert.deploy_form import SpaceToDepthConvolution, deploy_form, lower_hard_swish
from vskd.export.convert.litert import LogitsOnly, convert_float
from vskd.export.convert.structure import float_operators, operator_names
from vskd.export.int8.quantize import quantize_int8
from vskd.export.parity import parity
from vskd.models.catalog import build_network, parse_network
from vskd.models.mobilenet_v3 import MobileNetV3Small
from vskd.models.photo import PhotoNetwork
from vskd.models.squeezenet_lw import SqueezeNetLW


def settled(network: nn.Module, channels: int, size: int = 64) -> nn.Module:
    """The network with BatchNorm statistics and affine parameters that are not the trivial ones."""
    torch.manual_seed(1)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 1.0
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.uniform_(part.bias, -0.5, 0.5)
    with torch.no_grad():
        network.train()(torch.rand(8, channels, size, size))
    return network.eval()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "name",
    [
        "squeezenet-lw",
        "squeezenet-1-0",
        "mobilenet-v3-small-075",
        "mobilenet-v3-small-075-relu",
        "mobilenet-v3-small-100",
    ],
)
def test_logits_are_those_of_the_network(name: str, channels: int):
    network = settled(build_network(parse_network(name), shape=(channels, 64, 64), classes=6), channels)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    for size in (64, 65):  # an odd side too
        x = torch.rand(2, channels, size, size)
        expected = network(x).logits
        tolerance = 1e-5 * expected.abs().max().item()
        torch.testing.assert_close(deploy_form(network)(x), expected, rtol=0, atol=tolerance)
        last = deploy_form(network, channels_last_width=size)
        torch.testing.assert_close(last(x.permute(0, 2, 3, 1)), expected, rtol=0, atol=tolerance)
    after = network.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)  # the network itself is untouched


def test_what_is_slow_is_gone():
    mobile = deploy_form(build_network(parse_network("mobilenet-v3-small-075"), shape=(3, 64, 64), classes=6))
    assert not any(isinstance(part, (nn.Hardswish, nn.Hardsigmoid)) for part in mobile.modules())
    squeeze = deploy_form(build_network(parse_network("squeezenet-lw"), shape=(3, 64, 64), classes=6))
    stems = [part for part in squeeze.modules() if isinstance(part, SpaceToDepthConvolution)]
    assert [stem.convolution.kernel_size for stem in stems] == [(4, 4)]
    assert max(part.kernel_size[0] for part in squeeze.modules() if isinstance(part, nn.Conv2d)) == 4


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("side", [16, 17])
@pytest.mark.parametrize("bias", [True, False])
def test_space_to_depth_is_the_strided_convolution(kernel: int, side: int, bias: bool):
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 5, kernel, stride=2, bias=bias)
    x = torch.randn(2, 3, side, side + 3)
    torch.testing.assert_close(SpaceToDepthConvolution(convolution)(x), convolution(x), rtol=1e-5, atol=1e-5)


def test_other_networks_are_only_wrapped(tiny_network: nn.Module):
    form = deploy_form(tiny_network)
    assert isinstance(form, LogitsOnly)
    x = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(form(x), tiny_network(x).logits, rtol=0, atol=0)


def test_other_networks_may_take_channels_last(tiny_network: nn.Module):
    form = deploy_form(tiny_network, channels_last_width=16)
    x = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(form(x.permute(0, 2, 3, 1)), tiny_network(x).logits, rtol=0, atol=0)


class Awkward(PhotoNetwork):
    """Hard-swish in front of something that is not indifferent to a factor."""

    head, stem = "classifier.0", "features.0"

    def __init__(self, behind: nn.Module) -> None:
        features = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.Hardswish(), behind)
        super().__init__(3, features, nn.Sequential(nn.Linear(8, 4)), 8)


def test_a_factor_that_cannot_pass_is_refused():
    with pytest.raises(BundleError, match="cannot pass Sigmoid"):
        lower_hard_swish(Awkward(nn.Sigmoid()))


def test_int8_is_one_piece_and_integer_only():
    network = settled(Awkward(nn.ReLU()), 3, 32)
    inputs = [np.abs(x).clip(0, 1) for x in random_inputs(8, (3, 32, 32))]
    example = torch.from_numpy(inputs[0][None])
    plain = quantize_int8(convert_float(LogitsOnly(network), example), inputs)
    rewritten = quantize_int8(convert_float(deploy_form(network), example), inputs)
    assert "HARD_SWISH" in operator_names(plain) and "HARD_SWISH" not in operator_names(rewritten)
    assert float_operators(rewritten) == []
    assert delegate_partitions(plain) == 2 and delegate_partitions(rewritten) == 1
    report = parity(
        lambda x: network(torch.from_numpy(x)).logits.detach().numpy(), LiteRTModel(rewritten).predict, inputs
    )
    assert 0 < report.max_abs_error < 0.03


def test_int8_stem_on_blocks_is_as_exact_as_the_stem_itself():
    torch.manual_seed(0)
    network = SqueezeNetLW(1, 4).eval()
    inputs = [np.random.default_rng(i).random((1, 48, 48), dtype=np.float32) for i in range(8)]
    example = torch.from_numpy(inputs[0][None])

    def reference(x: np.ndarray) -> np.ndarray:
        return network(torch.from_numpy(x)).logits.detach().numpy()

    errors = {}
    for name, module in {"plain": LogitsOnly(network), "rewritten": deploy_form(network)}.items():
        content = convert_float(module, example)
        assert parity(reference, LiteRTModel(content).predict, inputs).max_abs_error < 1e-5
        quantized = quantize_int8(content, inputs)
        assert float_operators(quantized) == []
        errors[name] = parity(reference, LiteRTModel(quantized).predict, inputs).mean_abs_error
    assert errors["rewritten"] < 1.25 * errors["plain"]


class ShortMobileNet(PhotoNetwork):
    """The first layers of MobileNetV3-Small: gates, a residual connection, hard-swish in front of a gate."""

    head, stem = "classifier.0", "features.0.0"

    def __init__(self) -> None:
        features = MobileNetV3Small(3, 4, width=0.75).features[:5]
        super().__init__(3, features, nn.Sequential(nn.Linear(32, 4)), 32)


def test_mobilenet_in_int8_is_one_piece():
    network = settled(ShortMobileNet(), 3)
    inputs = [np.random.default_rng(i).random((3, 64, 64), dtype=np.float32) for i in range(4)]
    example = torch.from_numpy(inputs[0][None]).permute(0, 2, 3, 1)
    content = convert_float(deploy_form(network, channels_last_width=64), example)
    last = [np.ascontiguousarray(np.moveaxis(x, 0, -1)) for x in inputs]
    with torch.no_grad():
        expected = network(torch.from_numpy(np.stack(inputs))).logits.numpy()
    np.testing.assert_allclose(LiteRTModel(content).predict(np.stack(last)), expected, atol=1e-4)
    quantized = quantize_int8(content, last)
    assert delegate_partitions(quantized) == 1
    assert float_operators(quantized) == [] and "HARD_SWISH" not in operator_names(quantized)
