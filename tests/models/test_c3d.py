"""C3D: the published parameter counts, layers and pools; logits."""

import pytest
import torch
from torch import nn

from vskd.errors import SettingError
from vskd.models.c3d import STUDENT, C3DTrunk, Pixels3d, Widths, build_c3d, with_planes
from vskd.models.catalog import build_network, parse_network
from vskd.network import Network, PretrainedPart

CLIP = (3, 16, 112, 112)


def on_paper(name: str, classes: int, shape: tuple[int, ...] = CLIP) -> Network:
    """Without memory for weights."""
    with torch.device("meta"):
        return build_network(parse_network(name), shape=shape, classes=classes)


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("classes", [11, 50, 51, 101])
def test_parameters_are_the_published_ones(classes: int) -> None:
    assert parameters(on_paper("c3d", classes)) == 77_995_776 + 4097 * classes
    assert parameters(on_paper("c3d-student", classes)) == 7_194_880 + 1025 * classes


def test_layers_have_the_published_widths_and_names() -> None:
    network = on_paper("c3d", 101)
    convolutions = {n: m for n, m in network.trunk.named_modules() if isinstance(m, nn.Conv3d)}  # type: ignore[operator,union-attr]
    assert {n: m.out_channels for n, m in convolutions.items()} == {
        **{"conv1": 64, "conv2": 128, "conv3a": 256, "conv3b": 256},
        **{"conv4a": 512, "conv4b": 512, "conv5a": 512, "conv5b": 512},
    }
    assert (network.fc6.in_features, network.fc7.out_features, network.embedding_size) == (8192, 4096, 4096)
    student = on_paper("c3d-student", 101)
    assert (student.fc6.in_features, student.fc7.in_features, student.embedding_size) == (2048, 2048, 1024)


def test_pools_give_the_published_shapes() -> None:
    with torch.no_grad():
        maps = C3DTrunk((1, 2, 3, 4, 5), 0.2, 16)(torch.zeros(1, *CLIP))
    assert [tuple(m.shape[1:]) for m in maps.values()] == [
        (1, 16, 56, 56),
        (2, 8, 28, 28),
        (3, 4, 14, 14),
        (4, 2, 7, 7),
        (5, 1, 4, 4),
    ]


def test_the_forward_pass_is_that_of_a_naive_network() -> None:
    """Layer by layer with modules of torch, dropout off."""
    torch.manual_seed(0)
    network = build_network(parse_network({"name": "c3d-student", "width": 0.125}), shape=(3, 16, 64, 48), classes=4)
    x, trunk = torch.rand(2, 3, 16, 64, 48), network.eval().trunk
    mean = torch.tensor((0.43216, 0.394666, 0.37645)).view(3, 1, 1, 1)
    std = torch.tensor((0.22803, 0.22145, 0.216989)).view(3, 1, 1, 1)
    relu, y = nn.ReLU(), (x - mean) / std
    y = nn.MaxPool3d((1, 2, 2))(relu(trunk.conv1(y)))
    y = nn.MaxPool3d(2)(relu(trunk.conv2(y)))
    for block in ("3", "4"):
        y = nn.MaxPool3d(2)(relu(getattr(trunk, f"conv{block}b")(relu(getattr(trunk, f"conv{block}a")(y)))))
    y = nn.MaxPool3d(2)(nn.ZeroPad3d((1, 1, 1, 1, 0, 0))(relu(trunk.conv5b(relu(trunk.conv5a(y))))))
    embedding = relu(network.fc7(relu(network.fc6(y.flatten(1)))))
    outputs = network(x)
    torch.testing.assert_close(outputs.embedding, embedding)
    torch.testing.assert_close(outputs.logits, network.fc8(embedding))


def test_logits_are_not_probabilities() -> None:
    torch.manual_seed(0)
    network = build_network(parse_network({"name": "c3d", "width": 0.0625}), shape=(3, 16, 32, 32), classes=4)
    sums = network.eval()(torch.rand(5, 3, 16, 32, 32)).logits.sum(dim=1)
    assert (sums - 1).abs().min() > 0.01


def test_dropout_stands_before_the_last_three_pools_and_behind_both_connected_layers() -> None:
    for name, rate in (("c3d", 0.3), ("c3d-student", 0.2)):
        network = on_paper(name, 5)
        assert (network.trunk.dropout.p, network.dropout.p) == (rate, 0.5)  # type: ignore[union-attr]
    calls: list[tuple[int, ...]] = []
    trunk = C3DTrunk((1, 1, 1, 1, 1), 0.5, 16)
    trunk.dropout.register_forward_hook(lambda _m, _i, y: calls.append(tuple(y.shape[2:])))
    trunk(torch.zeros(1, 3, 16, 112, 112))
    assert calls == [(8, 28, 28), (4, 14, 14), (2, 7, 7)]


def test_a_linear_probe_trains_the_classifier_alone_and_its_features_are_not_random() -> None:
    content = {"name": "c3d", "width": 0.0625, "trains": "classifier"}
    network = build_network(parse_network(content), shape=(3, 16, 32, 32), classes=4)
    network.start_from(pretrained=True)
    trained = [name for name, p in network.named_parameters() if p.requires_grad]
    assert trained == ["fc8.weight", "fc8.bias"]
    x = torch.rand(2, 3, 16, 32, 32)
    assert torch.equal(network.train()(x).embedding, network(x).embedding)
    assert network.dropout.training and not network.eval().dropout.training
    whole = on_paper("c3d", 101)
    assert sum(p.numel() for n, p in whole.named_parameters() if n.startswith("fc8")) == 4097 * 101


def test_motion_is_each_frame_less_the_one_before_it() -> None:
    """Against a naive loop; what stands still is gone, however bright it is."""
    x = torch.rand(2, 3, 5, 4, 6)
    wanted = torch.zeros_like(x)
    for channel, deviation in enumerate((0.22803, 0.22145, 0.216989)):
        for frame in range(1, 5):
            wanted[:, channel, frame] = (x[:, channel, frame] - x[:, channel, frame - 1]) / deviation
    torch.testing.assert_close(Pixels3d("motion")(x), wanted, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(Pixels3d("motion")(x + torch.rand(2, 3, 1, 4, 6)), wanted, atol=1e-5, rtol=1e-5)


def test_sports1m_wants_blue_first_and_its_mean_taken_away() -> None:
    x = torch.rand(1, 3, 2, 4, 4)
    wanted = 255 * x[:, [2, 1, 0]] - torch.tensor((104.0, 117.0, 128.0)).view(3, 1, 1, 1)
    torch.testing.assert_close(Pixels3d("sports1m")(x), wanted, atol=1e-3, rtol=1e-4)


def test_short_and_small_clips() -> None:
    assert on_paper("c3d-student", 5, (3, 4, 16, 20)).fc6.in_features == 128
    with pytest.raises(SettingError, match="clips of 8 x 64 pixels"):
        on_paper("c3d", 5, (3, 16, 8, 64))


def test_narrowed_networks_scale_every_layer() -> None:
    small = build_c3d(parse_network({"name": "c3d", "width": 0.25}), (3, 16, 32, 32), 3)  # type: ignore[arg-type]
    assert (small.trunk.conv5b.out_channels, small.fc6.out_features, small.embedding_size) == (128, 1024, 1024)


def test_pools_take_as_many_frames_as_are_left() -> None:
    for frames, depths in ((16, [1, 2, 2, 2, 2]), (5, [1, 2, 2, 1, 1]), (2, [1, 2, 1, 1, 1]), (1, [1] * 5)):
        trunk = C3DTrunk((1, 1, 1, 1, 1), 0.0, frames)
        assert trunk.depths == depths
        assert trunk(torch.zeros(1, 3, frames, 32, 32))["block5"].shape[2] == 1


def test_the_first_and_the_last_map_are_planes_with_frames_one_below_the_other() -> None:
    maps = {f"block{k}": torch.rand(2, k, 3, 4, 5) for k in (1, 2, 3)}
    planes = with_planes(maps)
    assert list(planes) == [*maps, "shallow", "deep"]
    for name, own in (("shallow", "block1"), ("deep", "block3")):
        for frame in range(3):
            assert torch.equal(planes[name][:, :, 4 * frame : 4 * frame + 4], maps[own][:, :, frame])


@pytest.mark.parametrize("shape", [(3, 16, 16, 16), (3, 16, 112, 112), (3, 7, 20, 33)])
def test_the_first_connected_layer_reads_every_place(shape: tuple[int, ...]) -> None:
    settings = {"name": "c3d-student", "width": 0.0625}
    network = build_network(parse_network(settings), shape=shape, classes=2).eval()
    with torch.no_grad():
        flat = network(torch.zeros(1, *shape)).features["block5"].flatten(1)
    assert flat.shape[1] == network.get_submodule("fc6").in_features


@pytest.mark.parametrize("shape", [(3, 16, 15, 64), (3, 16, 64, 15)])
def test_one_pixel_too_few_is_refused_on_either_side(shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match=r"clips of \d+ x \d+ pixels\. Give it 16 x 16"):
        on_paper("c3d", 5, shape)


def test_no_layer_is_narrowed_away() -> None:
    assert STUDENT.narrowed(0.01) == Widths((1, 1, 1, 1, 1), (20, 10))
    assert STUDENT.narrowed(0.5) == Widths((8, 16, 16, 32, 64), (1024, 512))


def test_a_linear_probe_is_one_from_its_start_in_the_mode_that_it_is_in() -> None:
    content = {"name": "c3d-student", "width": 0.0625, "trains": "classifier"}
    for training in (True, False):
        network = build_network(parse_network(content), shape=(3, 4, 16, 16), classes=4)
        network.training = training  # nobody called `train` yet
        network.start_from(pretrained=True)
        modes = [network.get_submodule(name).training for name in ("trunk", "dropout6", "dropout", "fc8")]
        assert modes == [False, False, training, training] and network.training is training
        assert not network.get_submodule("trunk.dropout").training


def test_weights_go_into_all_of_it_with_the_classifier_where_it_fits() -> None:
    network = on_paper("c3d-student", 5)
    assert network.pretrained_part() == PretrainedPart(network, head="fc8")


@pytest.mark.parametrize("pretrained", [True, False])
def test_all_is_trained_unless_the_settings_say_otherwise(pretrained: bool) -> None:
    network = on_paper("c3d-student", 5)
    network.requires_grad_(False)
    network.start_from(pretrained=pretrained)
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(module.training for module in network.train().modules())
    assert not any(module.training for module in network.eval().modules())


@pytest.mark.parametrize("pixels", ["kinetics", "sports1m", "motion"])
def test_pixels_and_what_is_trained_are_said(pixels: str) -> None:
    settings = parse_network({"name": "c3d-student", "pixels": pixels, "trains": "classifier"})
    with torch.device("meta"):
        network = build_network(settings, shape=CLIP, classes=2)
    assert repr(network.pixels).startswith(f"Pixels3d(\n  {pixels}\n")
    assert repr(network).startswith("C3D(\n  trains=classifier\n")


@pytest.mark.parametrize(("name", "conv_dropout"), [("c3d", 0.3), ("c3d-student", 0.2)])
def test_what_a_network_is_where_nothing_is_said(name: str, conv_dropout: float) -> None:
    assert parse_network(name).model_dump() == {
        "name": name,
        "width": 1.0,
        "conv_dropout": conv_dropout,
        "dropout": 0.5,
        "pixels": "kinetics",
        "trains": "all",
    }
    assert on_paper(name, 2).get_submodule("dropout6").p == 0.5
