"""Every rewrite is exact, and what was slow is gone from the converted model."""

from typing import Any

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
from vskd.models.head import Headed
from vskd.models.mobilenet_v3 import MobileNetV3Small
from vskd.models.photo import PhotoNetwork
from vskd.models.squeezenet_lw import SqueezeNetLW
from vskd.models.torchvision_shim import load_torchvision


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


class Stem(PhotoNetwork):
    """One convolution and a classifier."""

    head, stem = "classifier.0", "features.0"

    def __init__(self, first: nn.Module, last: nn.Module | None = None) -> None:
        features = nn.Sequential(first, nn.ReLU())
        super().__init__(3, features, nn.Sequential(nn.Linear(6, 4), last or nn.Identity()), 6)


@pytest.mark.parametrize(
    ("changes", "split"),
    [
        ({}, True),
        ({"kernel_size": 7}, True),
        ({"kernel_size": 3}, False),  # too small to gain
        ({"kernel_size": 6}, False),
        ({"kernel_size": (5, 7)}, False),
        ({"kernel_size": (7, 5)}, False),
        ({"stride": 1}, False),
        ({"stride": (2, 1)}, False),
        ({"stride": 3}, False),
        ({"padding": 2}, False),
        ({"padding": (0, 2)}, False),
        ({"dilation": 2}, False),
        ({"bias": False}, True),
    ],
)
def test_only_a_large_plain_stem_of_stride_two_is_split(changes: dict[str, Any], split: bool):
    """Whatever becomes of it, with or without a bias or a border: the answers stay, and so does the network."""
    torch.manual_seed(0)
    network = Stem(nn.Conv2d(3, 6, **({"kernel_size": 5, "stride": 2} | changes))).eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    form, x = deploy_form(network), torch.rand(2, 3, 17, 18)
    assert isinstance(form.get_submodule("network.features.0"), SpaceToDepthConvolution) is split
    folded = isinstance(form.get_submodule("network.normalise"), nn.Identity)
    assert folded is ("padding" not in changes)  # zeros at the border stand for the mean
    with torch.no_grad():
        torch.testing.assert_close(form(x), network(x).logits, rtol=1e-4, atol=1e-5)
        last = deploy_form(network, channels_last_width=18)
        torch.testing.assert_close(last(x.permute(0, 2, 3, 1)), network(x).logits, rtol=1e-4, atol=1e-5)
    assert last.subtracts is not folded and last.row.numel() == 18 * (1 if folded else 3)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert not form.training and not last.training


def test_a_head_in_front_of_a_photo_network_is_no_reason_to_leave_it_slow():
    torch.manual_seed(0)
    body = build_network(parse_network("efficientnet-lite0"), shape=(3, 48, 48), classes=5)
    body.eval()
    network, x = Headed(body, (3, 48, 48), 5, 8).eval(), torch.rand(1, 3, 48, 48)
    form = deploy_form(network, channels_last_width=48)
    with torch.no_grad():
        torch.testing.assert_close(form(x.permute(0, 2, 3, 1)), network(x).logits, rtol=1e-4, atol=1e-5)
    assert isinstance(form.network.network.body.normalise, nn.Identity)


def test_what_cannot_be_rewritten_is_refused_by_name():
    with pytest.raises(BundleError, match="ends with hard-swish, which has no layer behind it"):
        lower_hard_swish(Stem(nn.Conv2d(3, 6, 3), nn.Hardswish()))
    with pytest.raises(BundleError, match=r"The layer 'features\.0' is Identity, not a convolution"):
        deploy_form(Stem(nn.Identity()))
    with pytest.raises(BundleError, match=r"The layer 'features\.0' is a convolution in 3 groups"):
        deploy_form(Stem(nn.Conv2d(3, 6, 5, stride=2, groups=3)))


def gate(**changes: object) -> nn.Module:
    made: nn.Module = load_torchvision().ops.misc.SqueezeExcitation(8, 4, **changes)
    return made


@pytest.mark.parametrize("scale", [nn.Hardsigmoid, nn.Sigmoid])
def test_a_factor_passes_a_gate_of_either_kind(scale: type[nn.Module]) -> None:
    torch.manual_seed(0)
    network, x = Awkward(gate(scale_activation=scale)).eval(), torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(deploy_form(network)(x), network(x).logits, rtol=1e-4, atol=1e-6)


def test_a_gate_or_a_residual_that_a_factor_cannot_pass_is_refused() -> None:
    """A gate of other layers; one without a bias, to which nothing can be added; a sum with what has another factor."""
    squeezed, excited, unbiased = gate(), gate(), gate()
    mobilenetv3 = load_torchvision().models.mobilenetv3
    squeezed.fc1, excited.fc2, unbiased.fc2 = nn.Linear(8, 4), nn.Linear(4, 8), nn.Conv2d(4, 8, 1, bias=False)
    for odd in (squeezed, excited, unbiased):
        with pytest.raises(BundleError, match="SqueezeExcitation has other layers than two convolutions"):
            lower_hard_swish(Awkward(odd))
    setting = mobilenetv3.InvertedResidualConfig(
        8, 3, 8, 8, use_se=False, activation="RE", stride=1, dilation=1, width_mult=1.0
    )
    residual = mobilenetv3.InvertedResidual(setting, nn.BatchNorm2d)
    assert residual.use_res_connect
    with pytest.raises(BundleError, match="cannot pass InvertedResidual"):
        lower_hard_swish(Awkward(residual))


def test_what_gathers_blocks_is_never_trained_and_what_is_subtracted_is_no_weight() -> None:
    split = SpaceToDepthConvolution(nn.Conv2d(3, 5, 5, stride=2))
    assert [name for name, value in split.named_parameters() if not value.requires_grad] == ["gather.weight"]
    padded = Stem(nn.Conv2d(3, 6, 5, padding=2))
    for width in (None, 18):
        form = deploy_form(padded, channels_last_width=width)
        assert {name.rsplit(".", 1)[-1] for name in form.state_dict()} == {"weight", "bias"}
