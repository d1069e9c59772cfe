"""SqueezeNet_LW against its published table."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from vskd.models.squeezenet_lw import Fire, SqueezeNetLW
from vskd.network import layer_shapes

# Layer, parameters: the published table at 10 classes.
TABLE = {
    "initial_conv": 14_208,
    "features.2.squeeze": 1_552,
    "features.2.expand_1x1": 1_088,
    "features.2.expand_3x3": 9_280,
    "features.3.squeeze": 2_064,
    "features.3.expand_1x1": 1_088,
    "features.3.expand_3x3": 9_280,
    "features.6": 147_584,
    "classifier.1": 1_290,
}


def test_parameters_are_those_of_the_table() -> None:
    network = SqueezeNetLW(3, 10)
    counted = {name: sum(p.numel() for p in network.get_submodule(name).parameters()) for name in TABLE}
    assert counted == TABLE
    assert sum(p.numel() for p in network.parameters()) == 187_434
    assert len(network.state_dict()) == 18


@pytest.mark.parametrize("classes", [1, 6, 10, 22])
def test_parameters_by_classes(classes: int) -> None:
    assert sum(p.numel() for p in SqueezeNetLW(3, classes).parameters()) == 186_144 + 129 * classes


def test_map_sizes_at_224() -> None:
    assert layer_shapes(SqueezeNetLW(3, 10), (3, 224, 224), ["shallow", "deep"]) == {
        "shallow": (96, 109, 109),
        "deep": (128, 7, 7),
    }


def naive(state: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The table, written out with functions and nothing of the network but its weights."""

    def conv(name: str, x: Tensor, **options: int) -> Tensor:
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **options)

    def fire(name: str, x: Tensor) -> Tensor:
        x = conv(f"{name}.squeeze", x).clamp(min=0)
        return torch.cat([conv(f"{name}.expand_1x1", x), conv(f"{name}.expand_3x3", x, padding=1)], 1).clamp(min=0)

    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (x - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    shallow = conv("initial_conv", x, stride=2).clamp(min=0)
    x = F.max_pool2d(shallow, 3, 2, ceil_mode=True)
    x = fire("features.3", fire("features.2", x))
    x = F.max_pool2d(F.max_pool2d(x, 3, 2, ceil_mode=True), 3, 2, ceil_mode=True)
    deep = conv("features.6", x, stride=2, padding=1).clamp(min=0)
    return shallow, deep, conv("classifier.1", deep).mean((2, 3))


@pytest.mark.parametrize("side", [32, 34, 75, 224])
def test_equals_a_second_implementation(side: int) -> None:
    torch.manual_seed(0)
    network = SqueezeNetLW(3, 10).eval()
    x = torch.rand(2, 3, side, side)
    with torch.no_grad():
        outputs = network(x)
        shallow, deep, logits = naive(network.state_dict(), x)
    torch.testing.assert_close(outputs.features["shallow"], shallow, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(outputs.features["deep"], deep, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(outputs.embedding, deep.mean((2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(outputs.logits, logits, rtol=1e-4, atol=1e-5)


def test_fire_gives_the_1x1_expansion_first() -> None:
    fire = Fire(4, 2, 3)
    with torch.no_grad():
        for parameter in fire.expand_3x3.parameters():
            parameter.zero_()
        fire.expand_1x1.bias.fill_(100.0)
        out = fire(torch.zeros(1, 4, 5, 5))
    assert (out[:, :3] > 0).all() and (out[:, 3:] == 0).all()


def test_dropout_is_what_is_asked_and_half_otherwise() -> None:
    networks = SqueezeNetLW(3, 4), SqueezeNetLW(3, 4, dropout=0.1)
    assert [[m.p for m in n.modules() if isinstance(m, torch.nn.Dropout)] for n in networks] == [[0.5], [0.1]]
    assert networks[0].embedding_size == 128
