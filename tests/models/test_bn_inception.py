"""BN-Inception against the facts of the public weights: names, shapes, counts, and a second, literal forward pass."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.models.bn_inception import BLOCKS, BNInception
from vskd.network import PretrainedPart


@pytest.fixture(scope="module")
def network() -> BNInception:
    torch.manual_seed(0)
    return BNInception().eval()


def test_parameter_count_is_that_of_the_public_network() -> None:
    # The public network with its 1000-way classifier has 11,295,240 parameters, 1,025,000 of them in the classifier.
    assert sum(p.numel() for p in BNInception(classes=1000).parameters()) == 11_295_240
    assert sum(p.numel() for p in BNInception().parameters()) == 10_270_240


def test_the_10_28_million_of_the_specification() -> None:
    # Convolution kernels and the four BatchNorm vectors, with the convolutions' biases folded into the means.
    state = BNInception().state_dict()
    kernels = sum(t.numel() for t in state.values() if t.ndim == 4)
    channels = sum(t.numel() for name, t in state.items() if name.endswith("running_mean"))
    assert (kernels, channels) == (10_240_192, 10_016)
    assert round((kernels + 4 * channels) / 1e6, 2) == 10.28


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("conv1_7x7_s2", (64, 3, 7, 7)),
        ("conv2_3x3_reduce", (64, 64, 1, 1)),
        ("conv2_3x3", (192, 64, 3, 3)),
        ("inception_3a_1x1", (64, 192, 1, 1)),
        ("inception_3a_double_3x3_2", (96, 96, 3, 3)),
        ("inception_3b_pool_proj", (64, 256, 1, 1)),
        ("inception_3c_3x3", (160, 128, 3, 3)),
        ("inception_4a_3x3_reduce", (64, 576, 1, 1)),
        ("inception_4b_1x1", (192, 576, 1, 1)),
        ("inception_4c_double_3x3_1", (160, 128, 3, 3)),
        ("inception_4d_pool_proj", (128, 608, 1, 1)),
        ("inception_4e_double_3x3_2", (256, 256, 3, 3)),
        ("inception_5a_1x1", (352, 1056, 1, 1)),
        ("inception_5b_double_3x3_reduce", (192, 1024, 1, 1)),
    ],
)
def test_layer_shapes_of_the_public_weights(network: BNInception, name: str, shape: tuple[int, ...]) -> None:
    state = network.state_dict()
    assert state[f"{name}.weight"].shape == shape
    assert state[f"{name}.bias"].shape == shape[:1]
    assert state[f"{name}_bn.running_var"].shape == shape[:1]


def test_layer_names_are_complete(network: BNInception) -> None:
    branches = {"3x3_reduce", "3x3", "double_3x3_reduce", "double_3x3_1", "double_3x3_2"}
    expected = {"conv1_7x7_s2", "conv2_3x3_reduce", "conv2_3x3"}
    for block in ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        extra = set() if block in ("3c", "4e") else {"1x1", "pool_proj"}
        expected |= {f"inception_{block}_{branch}" for branch in branches | extra}
    names = {name for name, module in network.named_children() if isinstance(module, nn.Conv2d)}
    norms = {name for name, module in network.named_children() if isinstance(module, nn.BatchNorm2d)}
    assert names == expected
    assert norms == {f"{name}_bn" for name in expected}
    assert len(names) == 69


def literal_forward(state: dict[str, Tensor], x: Tensor) -> Tensor:
    """The public network's graph written out from its published layer list, on a plain dictionary of tensors."""

    def unit(name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        x = F.conv2d(x, weight, state[f"{name}.bias"], stride=stride, padding=weight.shape[-1] // 2)
        mean, var = state[f"{name}_bn.running_mean"], state[f"{name}_bn.running_var"]
        return F.relu(F.batch_norm(x, mean, var, state[f"{name}_bn.weight"], state[f"{name}_bn.bias"], eps=1e-5))

    x = F.max_pool2d(unit("conv1_7x7_s2", x, 2), 3, 2, ceil_mode=True)
    x = F.max_pool2d(unit("conv2_3x3", unit("conv2_3x3_reduce", x)), 3, 2, ceil_mode=True)
    for block in ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        p = f"inception_{block}_"
        stride = 2 if block in ("3c", "4e") else 1
        three = unit(p + "3x3", unit(p + "3x3_reduce", x), stride)
        double = unit(p + "double_3x3_2", unit(p + "double_3x3_1", unit(p + "double_3x3_reduce", x)), stride)
        if stride == 2:
            x = torch.cat([three, double, F.max_pool2d(x, 3, 2, ceil_mode=True)], 1)
            continue
        if block == "5b":
            pool = F.max_pool2d(x, 3, 1, padding=1, ceil_mode=True)
        else:
            pool = F.avg_pool2d(x, 3, 1, padding=1, ceil_mode=True, count_include_pad=True)
        x = torch.cat([unit(p + "1x1", x), three, double, unit(p + "pool_proj", pool)], 1)
    return F.avg_pool2d(x, x.shape[-1]).flatten(1)


@pytest.mark.parametrize("size", [64, 224])
def test_equals_the_graph_of_the_public_network(network: BNInception, size: int) -> None:
    torch.manual_seed(1)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):  # statistics other than 0 and 1, so that a swapped layer shows
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        x = torch.randn(2, 3, size, size)
        expected = literal_forward(network.state_dict(), x)
        torch.testing.assert_close(network.forward_features(x), expected, rtol=1e-4, atol=1e-5)
        channels_last = network.forward_features(x.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(channels_last, expected, rtol=1e-3, atol=1e-4)  # other sums, so other rounding


@pytest.mark.parametrize("size", [(16, 16), (33, 47), (80, 80), (112, 64)])
def test_any_input_size_works(network: BNInception, size: tuple[int, int]) -> None:
    with torch.no_grad():
        assert network.forward_features(torch.randn(1, 3, *size)).shape == (1, 1024)


def test_classifier_is_optional() -> None:
    x = torch.randn(2, 3, 32, 32)
    assert BNInception(classes=5)(x).shape == (2, 5)
    assert BNInception()(x).shape == (2, 1024)


def test_block_table_ends_at_the_feature_width() -> None:
    channels = 192
    for block in BLOCKS:
        channels = block.out_channels(channels)
    assert channels == BNInception.feature_width == 1024


@pytest.mark.parametrize("name", ["conv1_7x7_s2", "inception_4a_1x1", "inception_4a_3x3"])
def test_a_fresh_network_is_drawn_as_he_has_it(network: BNInception, name: str) -> None:
    """Deviation sqrt(2 / fan out), where fan in is another; biases are 0."""
    layer = network.get_submodule(name)
    assert isinstance(layer, nn.Conv2d) and layer.bias is not None
    fan_out = layer.out_channels * layer.kernel_size[0] ** 2
    assert layer.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.05)
    assert not layer.bias.any()


def test_weights_go_into_all_of_it_and_its_stem_is_named(network: BNInception) -> None:
    assert network.pretrained_part() == PretrainedPart(network, stem="conv1_7x7_s2")
    assert isinstance(network.get_submodule("conv1_7x7_s2"), nn.Conv2d)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) == 69 and {(norm.eps, norm.momentum) for norm in norms} == {(1e-5, 0.1)}
