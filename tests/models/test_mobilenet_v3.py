"""MobileNetV3-Small against torchvision's and against its published table."""

import pytest
import torch
from torch import nn

from vskd.models.mobilenet_v3 import MobileNetV3Small
from vskd.models.torchvision_shim import load_torchvision
from vskd.network import layer_shapes

# Table 2 of the paper: kernel, expansion, output channels, squeeze-and-excite.
ROWS = (
    *((3, 16, 16, True), (3, 72, 24, False), (3, 88, 24, False), (5, 96, 40, True), (5, 240, 40, True)),
    *((5, 240, 40, True), (5, 120, 48, True), (5, 144, 48, True), (5, 288, 96, True), (5, 576, 96, True)),
    (5, 576, 96, True),
)


def rounded(channels: float) -> int:
    """To a multiple of 8, not below 90 percent."""
    result = max(8, int(channels + 4) // 8 * 8)
    return result + 8 if result < 0.9 * channels else result


def counted_by_table(width: float, classes: int) -> int:
    def norm(channels: int) -> int:
        return 2 * channels

    before = rounded(16 * width)
    total = 27 * before + norm(before)
    for kernel, expansion, out, excite in ROWS:
        inner, after = rounded(expansion * width), rounded(out * width)
        if inner != before:
            total += before * inner + norm(inner)
        total += kernel**2 * inner + norm(inner)
        if excite:
            squeezed = rounded(inner / 4)
            total += inner * squeezed + squeezed + squeezed * inner + inner
        total += inner * after + norm(after)
        before = after
    last, hidden = 6 * before, rounded(1024 * width)
    total += before * last + norm(last)
    return total + last * hidden + hidden + hidden * classes + classes


@pytest.mark.parametrize("width", [0.75, 1.0])
@pytest.mark.parametrize("activation", ["hard-swish", "relu", "relu6"])
def test_parameters_are_those_of_the_table(width: float, activation: str) -> None:
    network = MobileNetV3Small(3, 6, width=width, activation=activation)
    assert sum(p.numel() for p in network.parameters()) == counted_by_table(width, 6)


def test_parameter_count_of_the_student() -> None:
    assert sum(p.numel() for p in MobileNetV3Small(3, 6).parameters()) == 1_524_006


def test_equals_torchvision_behind_the_normalisation() -> None:
    torch.manual_seed(0)
    network = MobileNetV3Small(3, 6).eval()
    reference = load_torchvision().models.mobilenet_v3_small(weights=None, num_classes=6).eval()
    reference.load_state_dict(network.state_dict())
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        outputs = network(x)
        normalised = network.normalise(x)
        torch.testing.assert_close(outputs.logits, reference(normalised))
        torch.testing.assert_close(outputs.features["shallow"], reference.features[0](normalised))
        torch.testing.assert_close(outputs.embedding, reference.avgpool(reference.features(normalised)).flatten(1))


@pytest.mark.parametrize(("activation", "kind"), [("relu", nn.ReLU), ("relu6", nn.ReLU6)])
def test_activation_replaces_every_hard_swish_and_no_parameter(activation: str, kind: type[nn.Module]) -> None:
    published, changed = MobileNetV3Small(3, 6), MobileNetV3Small(3, 6, activation=activation)
    swishes = {name for name, module in published.named_modules() if isinstance(module, nn.Hardswish)}
    assert len(swishes) > 5
    assert not any(isinstance(module, nn.Hardswish) for module in changed.modules())
    assert all(type(changed.get_submodule(name)) is kind for name in swishes)
    assert list(published.state_dict()) == list(changed.state_dict())


def test_map_sizes_at_224() -> None:
    assert layer_shapes(MobileNetV3Small(3, 6), (3, 224, 224), ["shallow", "deep"]) == {
        "shallow": (16, 112, 112),
        "deep": (576, 7, 7),
    }
    narrow = MobileNetV3Small(1, 6, width=0.75)
    assert layer_shapes(narrow, (1, 224, 224), ["shallow", "deep"]) == {"shallow": (16, 112, 112), "deep": (432, 7, 7)}
    assert narrow.classifier[0].out_features == 768


def test_head_drops_by_default() -> None:
    assert [m.p for m in MobileNetV3Small(3, 6).classifier if isinstance(m, nn.Dropout)] == [0.3]


@pytest.mark.parametrize(("width", "embedding_size"), [(0.75, 432), (1.0, 576)])
def test_dropout_is_what_is_asked_and_the_embedding_is_told(width: float, embedding_size: int) -> None:
    with torch.device("meta"):
        network = MobileNetV3Small(3, 6, dropout=0.15, width=width)
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.15]
    assert network.embedding_size == embedding_size
