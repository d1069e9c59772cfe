"""The ResNet18 student against torchvision's network."""

import pytest
import torch

from vskd.models.catalog import build_network, parse_network
from vskd.models.resnet18 import LAYERS, ResNet18, ResNet18Body
from vskd.models.torchvision_shim import load_torchvision
from vskd.network import PretrainedPart, layer_shapes


def test_body_equals_torchvision() -> None:
    torch.manual_seed(0)
    body = ResNet18Body().eval()
    reference = load_torchvision().models.resnet18(weights=None).eval()
    missing = reference.load_state_dict(body.state_dict(), strict=False)
    assert missing.missing_keys == ["fc.weight", "fc.bias"]
    assert not missing.unexpected_keys
    reference.fc = torch.nn.Identity()
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(body(x), reference(x), rtol=1e-4, atol=1e-4)


def test_parameter_count_of_the_student() -> None:
    # torchvision's 11,689,512 less its classifier (513,000), plus Linear(512, 300) and Linear(300, 27).
    network = ResNet18(in_channels=3, classes=27)
    expected = 11_689_512 - 513_000 + (512 * 300 + 300) + (300 * 27 + 27)
    assert sum(p.numel() for p in network.parameters()) == expected


def test_head_follows_the_specification() -> None:
    torch.manual_seed(0)
    network = ResNet18(in_channels=6, classes=27).eval()
    with torch.no_grad():
        outputs = network(torch.randn(2, 6, 64, 64))
        pooled = outputs.features["layer4"].flatten(2).mean(2)
        embedding = torch.relu(pooled @ network.embed[0].weight.T + network.embed[0].bias)
        logits = embedding @ network.classifier.weight.T + network.classifier.bias
    torch.testing.assert_close(outputs.embedding, embedding)
    torch.testing.assert_close(outputs.logits, logits)
    assert [f.shape[1] for f in outputs.features.values()] == [64, 128, 256, 512]


@pytest.mark.parametrize(("stem", "sides"), [("imagenet", [16, 8, 4, 2]), ("small", [32, 16, 8, 4])])
def test_stem_decides_the_resolution(stem: str, sides: list[int]) -> None:
    maps = ResNet18Body(1, stem).eval().forward_maps(torch.zeros(1, 1, 64, 64))
    assert [m.shape[-1] for m in maps.values()] == sides


@pytest.mark.parametrize(("name", "sides"), [("resnet18", [8, 4, 2, 1]), ("resnet18-small-stem", [16, 8, 4, 2])])
def test_the_stem_is_chosen_by_name(name: str, sides: list[int]) -> None:
    network = build_network(parse_network(name), shape=(2, 32, 32), classes=3)
    shapes = layer_shapes(network, (2, 32, 32), LAYERS)
    assert [shape[-1] for shape in shapes.values()] == sides


def test_dropout_leaves_the_embedding_whole() -> None:
    torch.manual_seed(0)
    network = ResNet18(in_channels=1, classes=3, dropout=0.9).eval()
    network.dropout.train()
    x = torch.randn(2, 1, 32, 32)
    with torch.no_grad():
        first, second = network(x), network(x)
    assert torch.equal(first.embedding, second.embedding)
    assert not torch.equal(first.logits, second.logits)


@pytest.mark.parametrize(("channels", "stem", "kernel"), [(1, "imagenet", 7), (6, "small", 3), (3, "small", 3)])
def test_another_stem_is_drawn_as_torchvision_draws_it(channels: int, stem: str, kernel: int) -> None:
    """Deviation sqrt(2 / fan out); of as many values it is known to a few percent."""
    torch.manual_seed(0)
    conv1 = ResNet18Body(channels, stem).conv1  # type: ignore[arg-type]
    assert conv1.weight.shape == (64, channels, kernel, kernel)
    assert conv1.weight.std().item() == pytest.approx((2 / (64 * kernel**2)) ** 0.5, rel=0.05)


def test_a_student_where_nothing_is_said_and_one_of_another_size() -> None:
    plain, small = ResNet18(3, 4), ResNet18(3, 4, embedding_size=12, dropout=0.25)
    assert (plain.embedding_size, plain.embed[0].out_features, plain.dropout.p) == (300, 300, 0.0)
    assert (small.embedding_size, small.embed[0].out_features, small.dropout.p) == (12, 12, 0.25)
    assert parse_network("resnet18").model_dump() == {"name": "resnet18", "embedding_size": 300, "dropout": 0.0}
    assert plain.pretrained_part() == PretrainedPart(plain.body, stem="conv1")
    assert ResNet18Body().conv1.in_channels == 3


def test_colour_images_have_torchvisions_own_stem_and_others_no_bias_either() -> None:
    """The same draws as torchvision's network with the same seed."""
    torch.manual_seed(5)
    reference = load_torchvision().models.resnet18()
    torch.manual_seed(5)
    assert torch.equal(ResNet18Body().conv1.weight, reference.conv1.weight)
    assert ResNet18Body(1).conv1.bias is None and ResNet18Body(3, "small").conv1.bias is None
