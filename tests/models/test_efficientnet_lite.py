"""EfficientNet-Lite0: its table, TensorFlow's padding, its own normalisation."""

import pytest
import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from vskd.models.efficientnet_lite import EfficientNetLite0, InvertedResidual, SameConvolution
from vskd.network import layer_shapes

# Repeats, kernel, stride, expansion, output channels, as the original writes them.
STAGES = (
    *("r1_k3_s1_e1_o16", "r2_k3_s2_e6_o24", "r2_k5_s2_e6_o40", "r3_k3_s2_e6_o80"),
    *("r3_k5_s1_e6_o112", "r4_k5_s2_e6_o192", "r1_k3_s1_e6_o320"),
)


def blocks_of_the_table() -> list[tuple[int, int, int, int, int]]:
    """Input channels, kernel, stride, expansion and output channels of every block."""
    blocks, before = [], 32
    for stage in STAGES:
        repeats, kernel, stride, expansion, out = (int(part.lstrip("rkseo")) for part in stage.split("_"))
        for number in range(repeats):
            blocks.append((before, kernel, 1 if number else stride, expansion, out))
            before = out
    return blocks


def same_padding(x: Tensor, kernel: int, stride: int) -> Tensor:
    """TensorFlow's rule: as many zeros as ceil(size / stride) windows need, the odd one behind."""
    ends: list[int] = []
    for size in reversed(x.shape[2:]):
        windows = -(-size // stride)
        zeros = max((windows - 1) * stride + kernel - size, 0)
        ends += [zeros // 2, zeros - zeros // 2]
    return F.pad(x, ends)


def test_parameters_are_those_of_the_table() -> None:
    expected = 27 * 32 + 2 * 32 + 320 * 1280 + 2 * 1280 + 1280 * 1000 + 1000
    for before, kernel, _, expansion, out in blocks_of_the_table():
        inner = expansion * before
        expected += kernel**2 * inner + 2 * inner + inner * out + 2 * out
        expected += before * inner + 2 * inner if expansion > 1 else 0
    assert expected == 4_652_008  # the public total
    assert sum(p.numel() for p in EfficientNetLite0(3, 1000).parameters()) == expected
    assert sum(p.numel() for p in EfficientNetLite0(3, 6).parameters()) == 3_378_694


def test_layers_are_those_of_the_table() -> None:
    network = EfficientNetLite0(3, 6)
    blocks = [layer for layer in network.features if isinstance(layer, InvertedResidual)]
    found = []
    for block in blocks:
        filters, narrowing = block.depthwise[0], block.project[0]
        widening = block.expand[0] if hasattr(block, "expand") else None
        before = widening.in_channels if widening is not None else filters.in_channels
        assert filters.groups == filters.in_channels == filters.out_channels == narrowing.in_channels
        expansion = filters.in_channels // before
        found.append((before, filters.kernel_size[0], filters.stride[0], expansion, narrowing.out_channels))
        assert block.adds_input is (filters.stride == (1, 1) and before == narrowing.out_channels)
    assert found == blocks_of_the_table()
    assert sum(block.adds_input for block in blocks) == 9
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {norm.eps for norm in norms} == {1e-3}
    kinds = {type(m) for m in network.features.modules() if not list(m.children())}
    assert kinds == {nn.Conv2d, SameConvolution, nn.BatchNorm2d, nn.ReLU6}  # no gates


def test_map_sizes_at_224() -> None:
    assert layer_shapes(EfficientNetLite0(1, 6), (1, 224, 224), ["shallow", "deep"]) == {
        "shallow": (32, 112, 112),
        "deep": (1280, 7, 7),
    }


def test_padding_by_hand() -> None:
    layer = SameConvolution(1, 1, 3, stride=2)
    nn.init.ones_(layer.weight)
    image = torch.arange(16.0).view(1, 1, 4, 4)
    # Windows start at rows and columns 0 and 2; zeros stand right and below only.
    even = [
        [0 + 1 + 2 + 4 + 5 + 6 + 8 + 9 + 10, 2 + 3 + 6 + 7 + 10 + 11],
        [8 + 9 + 10 + 12 + 13 + 14, 10 + 11 + 14 + 15],
    ]
    assert layer(image)[0, 0].tolist() == even
    # Of three rows and columns, windows start one outside.
    odd = [[0 + 1 + 4 + 5, 1 + 2 + 5 + 6], [4 + 5 + 8 + 9, 5 + 6 + 9 + 10]]
    assert layer(image[:, :, :3, :3])[0, 0].tolist() == odd


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 2), (3, 1), (3, 3), (5, 4)])
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (7, 10), (9, 5), (2, 3), (11, 12)])
def test_padding_equals_tensorflows_rule(kernel: int, stride: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    layer = SameConvolution(4, 6, kernel, stride, groups=2)
    x = torch.rand(2, 4, *size)
    expected = F.conv2d(same_padding(x, kernel, stride), layer.weight, stride=stride, groups=2)
    assert expected.shape[2:] == tuple(-(-side // stride) for side in size)
    torch.testing.assert_close(layer(x), expected)


def test_padding_is_announced_to_who_rewrites_the_stem() -> None:
    """Folding the mean into the bias, as export does where a stem does not pad, would be wrong at the border."""
    stem = EfficientNetLite0(3, 6).get_submodule(EfficientNetLite0.stem)
    assert isinstance(stem, nn.Conv2d) and stem.padding == (1, 1)


def test_the_traced_network_takes_other_sizes() -> None:
    torch.manual_seed(0)
    features = EfficientNetLite0(3, 6).eval().features
    traced = fx.symbolic_trace(features)
    with torch.no_grad():
        for size in ((32, 32), (37, 50)):
            x = torch.rand(1, 3, *size)
            torch.testing.assert_close(traced(x), features(x))


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_normalised_as_the_public_weights_expect(channels: int) -> None:
    pixels = torch.randint(0, 256, (2, channels, 4, 4)).float()
    network = EfficientNetLite0(channels, 6)
    torch.testing.assert_close(network.normalise(pixels / 255), (pixels - 127) / 128)
    assert not network.normalise.state_dict()


def test_weights_begin_as_in_the_original() -> None:
    """He's over the outputs of each group: variance 2 groups / (kernel^2 * output channels)."""
    torch.manual_seed(0)
    large = [m for m in EfficientNetLite0(3, 6).modules() if isinstance(m, nn.Conv2d) and m.weight.numel() > 5000]
    assert {m.groups == 1 for m in large} == {True, False}
    for m in large:
        expected = 2 * m.groups / (m.kernel_size[0] ** 2 * m.out_channels)
        assert m.weight.var().item() == pytest.approx(expected, rel=0.1)


def test_an_untrained_network_keeps_the_size_of_its_values() -> None:
    torch.manual_seed(0)
    network = EfficientNetLite0(3, 6).train()
    with torch.no_grad():
        outputs = network(torch.rand(8, 3, 64, 64))
    assert 0.1 < outputs.features["deep"].std() < 2
    assert 0.01 < outputs.logits.std() < 2


def test_convolutions_are_drawn_as_he_has_it_over_their_own_outputs() -> None:
    torch.manual_seed(0)
    layers = [m for m in EfficientNetLite0(3, 5).modules() if isinstance(m, nn.Conv2d) and m.weight.numel() > 3000]
    assert {m.groups == 1 for m in layers} == {True, False}
    for layer in layers:
        fan_out = layer.kernel_size[0] ** 2 * layer.out_channels / layer.groups
        assert layer.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.06)


def test_dropout_is_what_is_asked_and_the_published_one_otherwise() -> None:
    with torch.device("meta"):
        networks = EfficientNetLite0(3, 6), EfficientNetLite0(3, 6, dropout=0.35)
    assert [[m.p for m in n.modules() if isinstance(m, nn.Dropout)] for n in networks] == [[0.2], [0.35]]
    assert networks[0].embedding_size == 1280 and networks[0].get_submodule("classifier.1").in_features == 1280
