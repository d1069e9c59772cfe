"""Kernels at several dilations: size, the folded convolution against a dilated one, and what gravity does."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.errors import SettingError
from vskd.models.catalog import build_network, parse_network
from vskd.models.rocket1d import DILATIONS, KERNEL, MINIMUM_SAMPLES, PartMeans, Rocket1d, random_kernels


@pytest.fixture
def network() -> Rocket1d:
    torch.manual_seed(0)
    return Rocket1d(3, 4, embedding_size=10).eval()


@pytest.mark.parametrize(("name", "parameters"), [("rocket1d", 56_027), ("rocket1d-050", 28_027)])
def test_size(name: str, parameters: int) -> None:
    built = build_network(parse_network(name), shape=(3, 64), classes=27)
    assert sum(p.numel() for p in built.parameters()) == parameters


def ramp(network: Rocket1d, name: str, x: Tensor) -> Tensor:
    """The feature by a dilated convolution, its batch normalisation written out."""
    convolution, norm = (network.get_submodule(f"matches.{name}.{part}") for part in (0, 1))
    assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    dilation = int(name.removeprefix("dilation"))
    answers = F.conv1d(x, convolution.weight[..., 0], padding=KERNEL // 2 * dilation, dilation=dilation)
    scaled = norm.weight[:, None] * answers / (1 + norm.eps) ** 0.5 + norm.bias[:, None]
    return scaled.clamp(0, 6)


@pytest.mark.parametrize("samples", [MINIMUM_SAMPLES, 64])
def test_folded_convolutions_are_dilated_ones(network: Rocket1d, samples: int) -> None:
    x = torch.randn(2, 3, samples)
    features = network(x).features
    assert list(features) == [f"dilation{dilation}" for dilation in DILATIONS]
    for name, feature in features.items():
        torch.testing.assert_close(feature.flatten(2), ramp(network, name, x), rtol=1e-4, atol=1e-5)


def test_zeros_fill_up_to_a_multiple_of_the_largest_dilation(network: Rocket1d) -> None:
    x = torch.randn(2, 3, 61)
    assert torch.equal(network(x).logits, network(F.pad(x, (0, 3))).logits)


def test_a_steady_pull_is_not_seen_at_first_away_from_the_ends(network: Rocket1d) -> None:
    x, edge = torch.randn(1, 3, 64), KERNEL // 2 * DILATIONS[1]
    pulled = x + torch.tensor([0.3, -0.8, 0.5])[None, :, None]
    for name in ("dilation1", "dilation2"):
        before, after = (network(seen).features[name].flatten(2)[..., edge:-edge] for seen in (x, pulled))
        torch.testing.assert_close(before, after, rtol=1e-4, atol=1e-4)


def test_features_are_standardised_over_the_batch_and_the_classifier_begins_at_zero(network: Rocket1d) -> None:
    embedding = network.train()(torch.randn(16, 3, 64)).embedding
    torch.testing.assert_close(embedding.mean(dim=0), torch.zeros(10), rtol=0, atol=1e-5)
    assert embedding.var(dim=0, correction=0).max() <= 1
    assert embedding.var(dim=0, correction=0).mean() > 0.9
    assert not network.classifier.weight.any()


def test_dropout_stands_before_the_classifier_alone() -> None:
    network = Rocket1d(3, 4, embedding_size=10, dropout=0.9).eval()
    nn.init.normal_(network.classifier.weight)
    outputs = network(x := torch.randn(2, 3, 64))
    torch.testing.assert_close(outputs.logits, network.classifier(outputs.embedding))
    network.dropout.train()
    assert torch.equal(network(x).embedding, outputs.embedding)
    assert not torch.equal(network(x).logits, outputs.logits)


def test_fewer_kernels_than_dilations_leave_some_out() -> None:
    assert list(Rocket1d(3, 4, embedding_size=2).matches) == ["dilation4", "dilation8"]


def test_short_windows_are_refused() -> None:
    with pytest.raises(SettingError, match=r"31 samples is too short for network 'rocket1d'.*32 samples"):
        build_network(parse_network("rocket1d"), shape=(3, MINIMUM_SAMPLES - 1), classes=4)


def test_kernels_begin_without_a_mean_and_of_one_length_and_ramps_about_thresholds_that_are_spread() -> None:
    """The middle of a ramp from 0 to 6 is 3; it is 4.5 steep, thresholds deviate by 0.8 deviations of the answers."""
    torch.manual_seed(0)
    network = Rocket1d(3, 4, embedding_size=8000)
    for convolution, norm, _ in network.matches.values():  # type: ignore[misc]
        torch.testing.assert_close(convolution.weight.mean(dim=2), torch.zeros(2000, 3, 1), rtol=0, atol=1e-6)
        torch.testing.assert_close(convolution.weight.flatten(1).norm(dim=1), torch.ones(2000))
        assert (norm.weight == 4.5).all()
        assert norm.bias.mean().item() == pytest.approx(3, abs=0.3)
        assert norm.bias.std().item() == pytest.approx(4.5 * 0.8, rel=0.06)


def test_a_network_where_nothing_is_said() -> None:
    plain = Rocket1d(3, 4)
    assert (plain.embedding_size, plain.parts, plain.dropout.p) == (1000, 1, 0.0)
    assert parse_network("rocket1d").model_dump() == {"name": "rocket1d", "embedding_size": 1000, "dropout": 0.0}
    assert parse_network("rocket1d-050").model_dump() == {"name": "rocket1d-050", "embedding_size": 500, "dropout": 0.0}
    assert not plain.means and sum(bank[0].out_channels for bank in plain.matches.values()) == 1000


@pytest.mark.parametrize(("samples", "parts"), [(61, 1), (61, 2), (64, 4), (40, 3)])
def test_the_embedding_has_the_mean_of_each_part(samples: int, parts: int) -> None:
    """Side by side for each kernel; zeros fill up each part to a multiple of the largest dilation."""
    torch.manual_seed(0)
    network = Rocket1d(3, 4, embedding_size=6 * parts, parts=parts, samples=samples).eval()
    x = torch.randn(2, 3, samples)
    padded, outputs = F.pad(x, (0, -samples % (8 * parts))), network(x)
    means = [ramp(network, name, padded).unflatten(2, (parts, -1)).mean(dim=3).flatten(1) for name in outputs.features]
    torch.testing.assert_close(outputs.embedding, torch.cat(means, dim=1) / (1 + 1e-5) ** 0.5, rtol=1e-4, atol=1e-5)
    assert not [name for name in network.state_dict() if name.startswith("means")]


def test_kernels_may_be_of_another_bank() -> None:
    """Which is given the axes, and a share of the kernels for each dilation."""
    asked = []

    def bank(axes: int, kernels: int) -> nn.Module:
        asked.append((axes, kernels))
        return nn.Conv2d(axes, kernels, 1)

    network = Rocket1d(5, 4, embedding_size=6, bank=bank)
    assert asked == [(5, 1), (5, 1), (5, 2), (5, 2)]
    assert all(isinstance(matches, nn.Conv2d) for matches in network.matches.values())


@pytest.mark.parametrize(("channels", "rows", "columns"), [(1, 3, 2), (5, 4, 1), (2, 2, 8)])
def test_means_of_parts_are_an_average_pooling_that_is_no_state(channels: int, rows: int, columns: int) -> None:
    x, means = torch.randn(2, channels, 3 * rows, columns), PartMeans(channels, rows, columns)
    torch.testing.assert_close(means(x), F.avg_pool2d(x, (rows, columns)))
    assert not means.state_dict()


def test_kernels_that_see_every_axis_are_drawn_by_normal_numbers_alone() -> None:
    """So that what is drawn afterwards is the same with and without the choice of axes."""
    torch.manual_seed(0)
    kernels = random_kernels(4, 6)
    after = torch.rand(3)
    torch.manual_seed(0)
    nn.init.normal_(nn.Conv2d(4, 6, (9, 1), bias=False).weight)
    assert torch.equal(after, torch.rand(3))
    assert kernels.bias is None and (kernels.weight != 0).all()
    torch.manual_seed(0)
    assert torch.equal(random_kernels(4, 6, 1.0).weight, kernels.weight)


@pytest.mark.parametrize("folds", [1, 2])
def test_a_folded_network_says_the_same_without_standardisation(network: Rocket1d, folds: int) -> None:
    """Naively: w (f - m) / s + b = (w / s) f + (b - (w / s) m). Folding twice is folding once."""
    nn.init.normal_(network.classifier.weight)
    nn.init.uniform_(network.standardise.running_mean)
    nn.init.uniform_(network.standardise.running_var, 0.5, 2.0)
    x = torch.randn(5, 3, 64)
    before = network(x)
    for _ in range(folds):
        network.fold()
    after = network(x)
    torch.testing.assert_close(after.logits, before.logits)
    assert isinstance(network.standardise, nn.Identity) and not torch.allclose(after.embedding, before.embedding)
