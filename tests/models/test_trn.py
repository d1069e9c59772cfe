"""The teacher: deterministic evaluation, seeded training, relations against a naive version, frozen BatchNorm."""

import copy
import itertools
import math
import typing
from collections import Counter

import pytest
import torch
from torch import Tensor, nn

from vskd.errors import SettingError
from vskd.models.catalog import build_network, parse_network
from vskd.models.trn import BACKBONES, Backbone, BackboneName, MultiScaleTRN, draw_subsets, spread_subsets


class TinyFrames(nn.Module):
    """A frame network small enough for tests of everything around it."""

    feature_width = 6

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.bn1 = nn.BatchNorm2d(6)
        self.bn2 = nn.BatchNorm2d(6)
        self.bn3 = nn.BatchNorm2d(6)

    def forward_features(self, x: Tensor) -> Tensor:
        return self.bn3(self.bn2(self.bn1(self.conv(x)))).mean(dim=(2, 3))


TINY = Backbone(TinyFrames, (1.0, 2.0, 3.0), (2.0, 4.0, 8.0), bgr=False)


def tiny(segments: int = 8, dropout: float = 0.0) -> MultiScaleTRN:
    torch.manual_seed(0)
    return MultiScaleTRN(TINY, segments, feature_size=5, classes=4, dropout=dropout, feature_init_std=0.1)


def built(classes: int, segments: int = 8, **settings: object) -> MultiScaleTRN:
    network = build_network(parse_network({"name": "trn", **settings}), shape=(segments, 3, 64, 64), classes=classes)
    assert isinstance(network, MultiScaleTRN)
    return network


def clips(segments: int = 8, batch: int = 2, size: int = 8) -> Tensor:
    return torch.rand(batch, segments, 3, size, size, generator=torch.Generator().manual_seed(1)) * 255


def test_evaluation_is_deterministic() -> None:
    """Defect 4 of the reference: it drew random relations at test time, so its answers changed from run to run."""
    network, frames = tiny().eval(), clips()
    first = network(frames)
    network.reseed(99)
    torch.manual_seed(99)
    assert torch.equal(first.logits, network(frames).logits)
    assert torch.equal(first.embedding, network(frames).embedding)
    assert torch.equal(first.logits, copy.deepcopy(network)(frames).logits)


def test_evaluation_does_not_depend_on_the_other_clips_of_the_batch() -> None:
    network, frames = tiny().eval(), clips(batch=3)
    torch.testing.assert_close(network(frames).logits[1:2], network(frames[1:2]).logits)


def test_training_draws_relations_and_reseeding_repeats_them() -> None:
    network, frames = tiny().train(), clips()
    network.reseed(7)
    first, second = network(frames).logits, network(frames).logits
    network.reseed(7)
    torch.manual_seed(123)  # the draw must not depend on the global generator
    assert torch.equal(first, network(frames).logits)
    assert not torch.equal(first, second)


def test_logits_equal_a_naive_sum_over_relations() -> None:
    network, frames = tiny().eval(), clips()
    with torch.no_grad():
        outputs = network(frames)
        for b in range(2):
            normalised = (frames[b] - torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1)) / torch.tensor([2.0, 4.0, 8.0]).view(
                3, 1, 1
            )
            features = network.frame_feature(network.backbone.forward_features(normalised))
            expected = torch.zeros(4)
            for n in range(8, 1, -1):
                for subset in spread_subsets(8, n):
                    joined = torch.cat([features[i] for i in subset])
                    expected += network.relations[str(n)](joined)
            torch.testing.assert_close(outputs.logits[b], expected, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(outputs.embedding[b], features.mean(0), rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(outputs.features["frame_features"][b], features, rtol=1e-4, atol=1e-5)


def test_relation_layers_follow_the_specification() -> None:
    network = built(27, backbone="resnet18")
    for n in range(2, 9):
        kinds = [type(layer) for layer in network.relations[str(n)]]
        assert kinds == [nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
        assert network.relations[str(n)][1].weight.shape == (256, 300 * n)
        assert network.relations[str(n)][3].weight.shape == (27, 256)
    assert network.frame_feature.weight.shape == (300, 512)
    assert network.frame_feature.weight.std().item() == pytest.approx(0.001, rel=0.02)
    assert not network.frame_feature.bias.any()


@pytest.mark.parametrize("segments", range(2, 17))
def test_fixed_subsets_are_ordered_different_and_cover_time(segments: int) -> None:
    for size in range(2, segments + 1):
        subsets = spread_subsets(segments, size)
        assert len(set(subsets)) == min(3, math.comb(segments, size))
        for subset in subsets:
            assert list(subset) == sorted(set(subset))
            assert subset[0] >= 0 and subset[-1] < segments
        centre = sum(map(sum, subsets)) / (len(subsets) * size)
        assert centre == pytest.approx((segments - 1) / 2, abs=0.51)


def test_fixed_subsets_of_pairs() -> None:
    assert spread_subsets(8, 2) == ((0, 4), (0, 7), (3, 7))
    assert spread_subsets(8, 8) == (tuple(range(8)),)


def test_drawn_subsets_are_different_and_equally_likely() -> None:
    generator = torch.Generator().manual_seed(0)
    counts: Counter[tuple[int, ...]] = Counter()
    for _ in range(2000):
        drawn = draw_subsets(5, 3, generator)
        assert len(set(drawn)) == 3
        counts.update(drawn)
    assert set(counts) == set(itertools.combinations(range(5), 3))
    # 6000 draws over 10 subsets: 600 expected, standard deviation below 24.
    assert all(abs(count - 600) < 120 for count in counts.values())


def test_many_segments_do_not_enumerate_subsets() -> None:
    assert len(draw_subsets(64, 32, torch.Generator().manual_seed(0))) == 3


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_input_convention_of_each_backbone(name: str) -> None:
    network = built(3, segments=2, backbone=name)
    red = torch.zeros(1, 2, 3, 32, 32)
    red[:, :, 0] = 255.0
    x = network._normalise(red)
    colour = x[0, :, 0, 0]
    if name == "bn-inception":  # blue, green, red, minus the mean
        expected = torch.tensor([0.0 - 104, 0.0 - 117, 255.0 - 128])
    else:  # ImageNet statistics on 0..1
        expected = (torch.tensor([1.0, 0.0, 0.0]) - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor(
            [0.229, 0.224, 0.225]
        )
    torch.testing.assert_close(colour, expected, rtol=1e-5, atol=1e-5)
    assert x.is_contiguous(memory_format=torch.channels_last)


def test_bytes_and_single_channel_are_accepted() -> None:
    network = tiny().eval()
    grey = torch.randint(0, 256, (1, 8, 1, 8, 8), dtype=torch.uint8)
    repeated = grey.repeat(1, 1, 3, 1, 1).float()
    torch.testing.assert_close(network(grey).logits, network(repeated).logits)


@pytest.mark.parametrize("shape", [(1, 7, 3, 8, 8), (8, 3, 8, 8), (1, 8, 2, 8, 8)])
def test_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"frames must have the shape \(batch, 8, 3, height, width\)"):
        tiny()(torch.zeros(shape))


def test_bad_options_are_refused() -> None:
    with pytest.raises(SettingError, match="segments is 1"):
        built(3, segments=1)
    with pytest.raises(SettingError, match="bn-inception"):
        built(3, backbone="bn_inceptoin")


def test_every_backbone_has_a_name_for_settings() -> None:
    assert set(BACKBONES) == set(typing.get_args(BackboneName))


@pytest.mark.parametrize("std", [0.001, 0.05])
def test_settings_reach_the_network(std: float) -> None:
    torch.manual_seed(0)
    network = built(3, segments=4, backbone="resnet18", feature_size=64, feature_init_std=std, dropout=0.3)
    assert network.frame_feature.weight.std().item() == pytest.approx(std, rel=0.05)
    assert (network.embedding_size, network.dropout.p, network.segments) == (64, 0.3, 4)


def test_another_seed_draws_other_relations() -> None:
    network = tiny().train()
    drawn = []
    for seed in range(4):
        network.reseed(seed)
        drawn.append(tuple(network._subsets(scale) for scale in network.scales))
    assert len(set(drawn)) == 4


@pytest.mark.parametrize("pretrained", [True, False])
def test_pretrained_weights_freeze_batch_norm(pretrained: bool) -> None:
    network = tiny()
    network.start_from(pretrained=pretrained)
    network.train()
    norms = [getattr(network.backbone, f"bn{i}") for i in (1, 2, 3)]
    assert [norm.training for norm in norms] == [True, not pretrained, not pretrained]
    assert [norm.weight.requires_grad for norm in norms] == [True, not pretrained, not pretrained]


def test_weights_go_into_the_frame_network() -> None:
    network = built(3, segments=2, backbone="resnet18")
    part = network.pretrained_part()
    assert (part.module, part.stem, part.head) == (network.backbone, "conv1", None)


def test_partial_bn_freezes_all_but_the_first() -> None:
    network = tiny()
    network.partial_bn(True)
    network.train()
    frames = clips()
    before = [copy.deepcopy(getattr(network.backbone, f"bn{i}").state_dict()) for i in (1, 2, 3)]
    optimizer = torch.optim.SGD(network.parameter_groups(0.1, 0.0))
    network(frames).logits.square().sum().backward()
    optimizer.step()
    after = [getattr(network.backbone, f"bn{i}").state_dict() for i in (1, 2, 3)]
    assert not torch.equal(before[0]["running_mean"], after[0]["running_mean"])
    assert not torch.equal(before[0]["weight"], after[0]["weight"])
    for old, new in zip(before[1:], after[1:], strict=True):
        assert all(torch.equal(old[key], new[key]) for key in old)
    network.partial_bn(False)
    network(frames)
    assert not torch.equal(before[1]["running_mean"], network.backbone.bn2.running_mean)


def test_parameter_groups_hold_every_parameter_once() -> None:
    network = tiny()
    groups = network.parameter_groups(0.001, 0.0005)
    grouped = [id(p) for group in groups for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in network.parameters())
    rates = {group["name"]: (group["lr"], group["weight_decay"]) for group in groups}
    assert rates == {"weights": (0.001, 0.0005), "biases": (0.002, 0.0), "batch_norm": (0.001, 0.0)}
    biases = next(group["params"] for group in groups if group["name"] == "biases")
    assert any(p is network.frame_feature.bias for p in biases)
    assert all(p.ndim == 1 for p in biases)


def test_what_is_frozen_is_frozen_at_once_and_in_the_mode_that_the_network_is_in() -> None:
    network = tiny().train()
    network.start_from(pretrained=True)
    first, *later = (m for m in network.backbone.modules() if isinstance(m, nn.BatchNorm2d))
    assert network.training and first.training and not any(layer.training for layer in later)
    network.start_from(pretrained=False)
    assert all(layer.training and layer.weight.requires_grad for layer in later)
    network.eval().partial_bn(True)
    assert not network.training and not first.training


def test_a_teacher_where_nothing_is_said() -> None:
    network = built(3, segments=2)
    assert (network.embedding_size, network.dropout.p, network.bgr) == (300, 0.5, True)
    assert type(network.backbone).__name__ == "BNInception"
    assert not {"mean", "std"} & set(network.state_dict())


def test_a_new_network_draws_as_one_of_seed_0() -> None:
    first, second = tiny(), tiny()
    second.reseed(0)
    assert [first._subsets(n) for n in first.scales] == [second._subsets(n) for n in second.scales]


@pytest.mark.parametrize("shape", [(2, 8, 3, 8), (1, 8, 3, 8, 8, 1), (1, 9, 3, 8, 8), (1, 8, 4, 8, 8), (1, 8, 0, 8, 8)])
def test_other_ranks_numbers_of_frames_and_channels_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"frames must have the shape \(batch, 8, 3, height, width\)"):
        tiny()(torch.zeros(shape))


@pytest.mark.parametrize(
    ("segments", "size", "expected"),
    [
        (2, 2, ((0, 1),)),
        (5, 5, ((0, 1, 2, 3, 4),)),
        (8, 3, ((0, 3, 5), (0, 4, 7), (2, 4, 7))),
        (9, 4, ((0, 2, 4, 7), (0, 3, 5, 8), (1, 4, 6, 8))),
    ],
)
def test_fixed_subsets_by_hand(segments: int, size: int, expected: tuple[tuple[int, ...], ...]) -> None:
    """The frame in which 1/6 of each part lies, equal steps from the first frame to the last, and 5/6 of each part."""
    assert spread_subsets(segments, size) == expected
    early, *_, late = ([math.floor((part + at) * segments / size) for part in range(size)] for at in (1 / 6, 5 / 6))
    assert (list(expected[0]), list(expected[-1])) == (early, late)


def test_groups_are_told_by_what_a_parameter_is() -> None:
    network = tiny()
    groups = {group["name"]: {id(p) for p in group["params"]} for group in network.parameter_groups(0.001, 0.0005)}
    norms = {id(p) for k in (1, 2, 3) for p in network.backbone.get_submodule(f"bn{k}").parameters()}
    biases = {id(p) for name, p in network.named_parameters() if p.ndim == 1} - norms
    assert groups == {
        "weights": {id(p) for p in network.parameters()} - norms - biases,
        "biases": biases,
        "batch_norm": norms,
    }
