"""What the networks for photographs share, tested on all of them."""

import pytest
import torch
from torch import nn

from vskd.errors import SettingError
from vskd.models.catalog import NETWORKS, build_network, parse_network
from vskd.models.photo import PhotoNetwork, first_convolution, run
from vskd.network import layer_shapes

WEIGHTS = ("weight", "bias")
SHALLOW = {
    "convnext-atto": (40, 24),
    "convnext-tiny": (96, 24),
    "efficientnet-lite0": (32, 48),
    "efficientnet-v2-s": (24, 48),
    "efficientnet-v2-s-050": (16, 48),
    "squeezenet-1-0": (96, 45),
    "squeezenet-lw": (96, 45),
    **{f"mobilenet-v3-small-{width}{kind}": (16, 48) for width in ("075", "100") for kind in ("", "-relu", "-relu6")},
}
"""Channels and edge of the map behind the stem, the first convolution with its activation, of images of 96 x 96."""
PHOTO = sorted(name for name, entry in NETWORKS.items() if entry.kind == "image" and entry.channels)


def build(name: str, in_channels: int = 3, classes: int = 4) -> PhotoNetwork:
    torch.manual_seed(0)
    network = build_network(parse_network(name), shape=(in_channels, 48, 48), classes=classes)
    assert isinstance(network, PhotoNetwork)
    return network.eval()


@pytest.mark.parametrize("name", PHOTO)
def test_one_channel_changes_the_stem_and_classes_the_head(name: str) -> None:
    with torch.device("meta"):  # shapes only, no values
        network, grey, many = build(name), build(name, in_channels=1), build(name, classes=7)
    shapes = {n: tuple(t.shape) for n, t in network.state_dict().items()}
    for other, changed in ((grey, {network.stem + ".weight"}), (many, {f"{network.head}.{n}" for n in WEIGHTS})):
        state = other.state_dict()
        assert list(state) == list(shapes)
        assert {n for n, t in state.items() if tuple(t.shape) != shapes[n]} == changed
    assert grey.state_dict()[network.stem + ".weight"].shape[1] == 1


@pytest.mark.parametrize("name", ["squeezenet-lw", "mobilenet-v3-small-075"])
def test_grey_images_of_any_shape_are_classified(name: str) -> None:
    with torch.no_grad():
        assert build(name, in_channels=1)(torch.rand(2, 1, 32, 50)).logits.shape == (2, 4)


@pytest.mark.parametrize("name", PHOTO)
def test_embedding_is_as_wide_as_announced_and_maps_are_named(name: str) -> None:
    network = build(name)
    with torch.no_grad():
        outputs = network(torch.rand(2, 3, 80, 80))
    assert outputs.embedding.shape == (2, network.embedding_size)
    assert list(outputs.features) == ["shallow", "deep"]
    deep = outputs.features["deep"]
    assert deep.shape[1] == network.embedding_size
    if not name.startswith("convnext"):  # which normalises the mean besides
        naive = deep.flatten(2).sum(dim=2) / (deep.shape[2] * deep.shape[3])
        assert deep.shape[2:] != (1, 1)
        torch.testing.assert_close(outputs.embedding, naive)
    shapes = layer_shapes(network, (3, 80, 80), ["shallow", "deep"])
    assert {n: tuple(f.shape[1:]) for n, f in outputs.features.items()} == shapes


@pytest.mark.parametrize("name", PHOTO)
def test_the_shallow_map_is_that_of_the_stem(name: str) -> None:
    with torch.device("meta"):
        network = build(name)
    channels, edge = SHALLOW[name]
    assert layer_shapes(network, (3, 96, 96), ["shallow"]) == {"shallow": (channels, edge, edge)}


@pytest.mark.parametrize("name", PHOTO)
def test_later_layers_leave_the_maps_as_they_were(name: str) -> None:
    """An in-place activation behind a map would change what the distillers see."""
    network = build(name)
    with torch.no_grad():
        image = torch.rand(1, 3, 48, 48)
        outputs = network(image)
        shallow = network.forward_stem(network.normalise(image)).clone()
        deep = network.forward_body(shallow.clone()).clone()
    assert torch.equal(outputs.features["shallow"], shallow)
    assert torch.equal(outputs.features["deep"], deep)


@pytest.mark.parametrize("name", PHOTO)
def test_dropout_leaves_the_embedding_whole(name: str) -> None:
    torch.manual_seed(0)
    network = build_network(parse_network({"name": name, "dropout": 0.9}), shape=(3, 32, 32), classes=4).eval()
    dropouts = [m for m in [*network.classifier, *network.children()] if isinstance(m, nn.Dropout)]
    assert [m.p for m in dropouts] == [0.9]
    dropouts[0].train()
    x = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        first, second = network(x), network(x)
        whole = network.eval()(x)
    assert torch.equal(first.embedding, second.embedding)
    assert torch.equal(first.embedding, whole.embedding)
    assert torch.equal(first.features["deep"], whole.features["deep"])
    assert not torch.equal(first.logits, second.logits)


@pytest.mark.parametrize("name", PHOTO)
def test_the_input_is_normalised_inside(name: str) -> None:
    network = build(name)
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        expected = network(image).logits
        prepared = network.normalise(image)
        network.normalise = nn.Identity()
        torch.testing.assert_close(network(prepared).logits, expected)
        assert not torch.equal(network(image).features["shallow"], network(prepared).features["shallow"])


@pytest.mark.parametrize("channels", [2, 4, 6])
def test_other_channels_are_refused_by_name(channels: int) -> None:
    with pytest.raises(SettingError, match=f"channels of network 'squeezenet-lw' is {channels}.*grey"):
        build_network(parse_network("squeezenet-lw"), shape=(channels, 32, 32), classes=2)


def test_first_convolution_keeps_what_is_not_the_channels() -> None:
    like = nn.Conv2d(3, 8, (5, 3), stride=(2, 1), padding=(2, 1), bias=True)
    assert first_convolution(3, like) is like
    grey = first_convolution(1, like)
    assert (grey.kernel_size, grey.stride, grey.padding) == (like.kernel_size, like.stride, like.padding)
    assert torch.equal(grey.bias, torch.zeros(8))


@pytest.mark.parametrize("bias", [False, True])
def test_a_stem_for_other_channels_has_the_same_form_and_hes_weights(bias: bool) -> None:
    torch.manual_seed(0)
    like = nn.Conv2d(3, 64, (7, 5), (2, 3), (3, 1), bias=bias)
    assert first_convolution(3, like) is like
    stem = first_convolution(1, like)
    assert stem.weight.shape == (64, 1, 7, 5)
    assert (stem.stride, stem.padding, stem.bias is not None) == ((2, 3), (3, 1), bias)
    assert stem.weight.std().item() == pytest.approx((2 / (64 * 35)) ** 0.5, rel=0.05)
    assert stem.bias is None or not stem.bias.any()


def test_a_photo_network_drops_nothing_unless_told() -> None:
    assert [parse_network(name).model_dump() for name in PHOTO] == [{"name": name, "dropout": 0.0} for name in PHOTO]


@pytest.mark.parametrize(("start", "stop", "expected"), [(0, None, 7), (0, 2, 3), (1, 3, 6), (2, None, 4), (1, 1, 0)])
def test_some_of_the_layers(start: int, stop: int | None, expected: int) -> None:
    """Each adds another number."""

    class Adds(nn.Module):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.number

    layers, zero = nn.Sequential(Adds(1), Adds(2), Adds(4)), torch.zeros(())
    assert run(layers, zero, start, stop).item() == expected
    assert run(layers, zero).item() == 7
